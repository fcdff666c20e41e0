package httpauth

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
)

// Options are what a service may want otherwise. The zero value is the safe choice.
type Options struct {
	// Mapping says what each request asks for; nil means that method, path, query
	// and body say it by themselves.
	Mapping *Mapping

	// MaxBody bounds the bytes of a body, all of which are in memory until the handler
	// returns; zero means 1 MiB.
	MaxBody int64

	// State says what the service itself knows when a request comes in. An error
	// denies it, with the code unavailable unless [verify.CodeOf] has another. Nil
	// means that there is nothing to say.
	State func(*http.Request) (verify.State, error)

	// AllowSessions accepts tokens that are bound to the TLS connection instead of
	// one request. Set it only where this very server ends TLS, and no connection
	// is shared by several agents: behind a proxy, each of them could use the
	// others' sessions. It does nothing for a request that State gives a channel.
	AllowSessions bool

	// Logger is told why requests are denied, at the level Warn; nil means
	// [slog.Default]. It never sees a token, but reasons repeat what was asked.
	Logger *slog.Logger
}

// Protect returns a handler that hands to next only what a token allows. The
// token must be the one value of the one Authorization header, with the scheme
// Bearer. What is denied gets a status and a code, and nothing else: see
// spec/http.md.
//
// The body that next reads has the bytes that were decided on. Authorization is
// removed from its headers. [DecisionFrom] and [RequestFrom] say what was decided.
// Nothing may stand before this handler that changes method, path, query or body,
// such as [http.StripPrefix]. The server must bound the time that reading a request
// takes ([http.Server.ReadTimeout]).
//
// Protect panics where v or next is nil.
func Protect(v *verify.Verifier, next http.Handler, o *Options) http.Handler {
	if v == nil || next == nil {
		panic("httpauth: nil verifier or handler")
	}
	h := &handler{verifier: v, next: next}
	if o != nil {
		h.options = *o
	}
	if h.options.MaxBody <= 0 {
		h.options.MaxBody = DefaultMaxBody
	}
	return h
}

type handler struct {
	verifier *verify.Verifier
	next     http.Handler
	options  Options
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := credential(r.Header)
	if err != nil {
		h.refuse(w, r, nil, err)
		return
	}
	req, body, err := h.read(r)
	if errors.Is(err, errTooLarge) {
		h.refuse(w, r, nil, &token.Error{Code: token.CodeLimit, Block: -1, Err: err})
		return
	}
	if err != nil {
		h.refuse(w, r, nil, &token.Error{Code: token.CodeCheckFailed, Block: -1, Err: err})
		return
	}
	state, err := h.state(r)
	if err != nil {
		h.refuse(w, r, nil, err)
		return
	}
	decision, err := h.verifier.VerifyWith(r.Context(), raw, *req, state)
	if err != nil {
		h.refuse(w, r, decision, err)
		return
	}
	h.next.ServeHTTP(w, decided(r, body, decision, req))
}

// read returns what a request asks for, and its body, which is not read in vain.
func (h *handler) read(r *http.Request) (*delegation.Request, []byte, error) {
	route, req, err := h.options.Mapping.head(r)
	if err != nil {
		return nil, nil, err
	}
	body, err := readBody(r, h.options.MaxBody)
	if err != nil {
		return nil, nil, err
	}
	return req, body, route.body(r.Header, body, req)
}

var errNoCredential = token.Errorf(token.CodeNotPresented, -1, "the request has no Authorization of the scheme Bearer")

// credential returns the text of the one token that came with a request (RFC 6750,
// section 2.1).
func credential(h http.Header) (string, error) {
	values := h.Values("Authorization")
	if len(values) == 0 {
		return "", errNoCredential
	}
	if len(values) > 1 {
		return "", token.Errorf(token.CodeMalformed, -1, "the request has %d Authorization headers", len(values))
	}
	scheme, text, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", errNoCredential
	}
	if !isText(text) {
		return "", token.Errorf(token.CodeMalformed, -1, "the Authorization has something else than one token after Bearer")
	}
	return text, nil
}

// isText reports whether a token's text can be one, by its letters: a first look, before
// a body is read. The verifier looks properly.
func isText(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isLetter(c) && c != ':' && c != '=' { // : of the marks, = of padding
			return false
		}
	}
	return s != ""
}

func (h *handler) state(r *http.Request) (s verify.State, err error) {
	if h.options.State != nil {
		if s, err = h.options.State(r); err != nil {
			return verify.State{}, err
		}
	}
	if h.options.AllowSessions && s.Channel == (delegation.Channel{}) && r.TLS != nil {
		// A connection without an exporter has no channel, so that sessions deny.
		s.Channel, _ = delegation.ExporterChannel(r.TLS)
	}
	return s, nil
}

type contextKey struct{}

type outcome struct {
	decision *verify.Decision
	request  *delegation.Request
}

// DecisionFrom returns the decision that let a request through, nil in a context
// that no handler of [Protect] made.
func DecisionFrom(ctx context.Context) *verify.Decision {
	o, _ := ctx.Value(contextKey{}).(outcome)
	return o.decision
}

// RequestFrom returns what was decided on, nil likewise. It must not be changed. A
// handler that takes its arguments from there acts on exactly what was signed.
// encoding/json, for one, fills a field "force" of a struct with "FORCE" too, of which
// no caveat on "force" knows.
func RequestFrom(ctx context.Context) *delegation.Request {
	o, _ := ctx.Value(contextKey{}).(outcome)
	return o.request
}

// decided returns the request for the next handler.
func decided(r *http.Request, body []byte, d *verify.Decision, req *delegation.Request) *http.Request {
	next := withBody(r.WithContext(context.WithValue(r.Context(), contextKey{}, outcome{d, req})), body)
	next.Header = r.Header.Clone()
	next.Header.Del("Authorization")
	return next
}

// withBody returns a request with a body that has been read.
func withBody(r *http.Request, body []byte) *http.Request {
	next := r.WithContext(r.Context())
	next.Body, next.ContentLength, next.TransferEncoding = http.NoBody, int64(len(body)), nil
	if len(body) > 0 {
		next.Body = io.NopCloser(bytes.NewReader(body))
	}
	// Forms that were parsed before are not what was decided on.
	next.Form, next.PostForm, next.MultipartForm = nil, nil, nil
	return next
}
