package httpauth

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strings"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/verify"
)

// refuse tells the client the code, and the log why.
func (h *handler) refuse(w http.ResponseWriter, r *http.Request, d *verify.Decision, err error) {
	LogDenied(h.options.Logger, r, d, err)
	RefusalOf(err).Write(w)
}

// A Refusal is what a client is told of a denied request: see spec/http.md.
type Refusal struct {
	Status int
	Header http.Header
	Body   string
}

// RefusalOf returns what a client is told that is denied for an error, which must not
// be nil: the code of [verify.CodeOf], never a reason.
func RefusalOf(err error) Refusal {
	code := verify.CodeOf(err)
	status := statusOf(code)
	if errors.Is(err, errTooLarge) {
		status = http.StatusRequestEntityTooLarge
	}
	header := http.Header{}
	switch {
	case errors.Is(err, errNoCredential):
		header.Set("WWW-Authenticate", "Bearer")
	case status == http.StatusUnauthorized:
		header.Set("WWW-Authenticate", fmt.Sprintf(`Bearer error="invalid_token", error_description="%s"`, code))
	case status == http.StatusForbidden:
		header.Set("WWW-Authenticate", fmt.Sprintf(`Bearer error="insufficient_scope", error_description="%s"`, code))
	}
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	return Refusal{status, header, `{"code":"` + string(code) + "\"}\n"}
}

// Write writes the refusal as a response.
func (r Refusal) Write(w http.ResponseWriter) {
	maps.Copy(w.Header(), r.Header)
	w.WriteHeader(r.Status)
	_, _ = io.WriteString(w, r.Body) // the client may be gone
}

// statusOf returns the status of a denial (RFC 6750, section 3.1): 401 where the
// token itself is not good here, 403 where a good one does not allow the request, 503
// where the service cannot tell.
func statusOf(code token.Code) int {
	switch code {
	case token.CodeCheckFailed, token.CodePolicy, token.CodeEvaluation, token.CodeLimit:
		return http.StatusForbidden
	case token.CodeStale, token.CodeUnavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusUnauthorized
}

// Bounds on what a line of the log repeats of a request, whose bytes are anybody's.
const (
	maxLogged  = 1024
	maxReasons = 16
)

// LogDenied writes why a request is denied, at the level Warn. The logger may be nil,
// which means [slog.Default]; so may the decision. No token is written, and a bounded
// part only of what the client wrote.
func LogDenied(logger *slog.Logger, r *http.Request, d *verify.Decision, err error) {
	if logger == nil {
		logger = slog.Default()
	}
	reasons := []string{clip(err.Error())}
	delegator, action := "", ""
	if d != nil {
		delegator = d.Delegator
		if digest := d.Action(); digest != [32]byte{} {
			action = fmt.Sprintf("%x", digest)
		}
		if len(d.Reasons) > 0 {
			reasons = nil
		}
		for _, reason := range d.Reasons[:min(len(d.Reasons), maxReasons)] {
			reasons = append(reasons, clip(reason.String()))
		}
	}
	logger.LogAttrs(r.Context(), slog.LevelWarn, "request denied",
		slog.String("code", string(verify.CodeOf(err))),
		slog.String("method", clip(r.Method)),
		slog.String("path", clip(r.URL.Path)),
		slog.String("delegator", delegator),
		slog.String("action", action),
		slog.Any("reasons", reasons),
	)
}

func clip(s string) string {
	if len(s) <= maxLogged {
		return s
	}
	return strings.ToValidUTF8(s[:maxLogged], "") + ".."
}
