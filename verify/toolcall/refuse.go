package toolcall

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
)

// A Refusal is what a client is told about a call that was denied: a JSON-RPC error.
type Refusal struct {
	// Number is the error's code, outside of what JSON-RPC reserves: that of the HTTP
	// status for the same denial (spec/http.md).
	Number int
	// Message has the code, and which approvals are missing where nothing else is.
	Message string
	Data    RefusalData
}

// RefusalData is the data of the error.
type RefusalData struct {
	Code token.Code `json:"code"`
	// Needs are the approvals that the token's caveats demand, in their text form. They
	// are there only where nothing else is missing, and repeat what the token says.
	Needs []string `json:"needs,omitempty"`
	// Request asks for the first of them, as whittle approve reads it. Only the holder's
	// end can make it.
	Request *delegation.ApprovalRequest `json:"request,omitempty"`
}

// NewRefusal returns what a client is told about a denial. Reasons are not for clients.
func NewRefusal(code token.Code, needs ...string) Refusal {
	r := Refusal{Number: 401, Message: "denied: " + string(code), Data: RefusalData{Code: code, Needs: needs}}
	switch code {
	case token.CodeCheckFailed, token.CodePolicy, token.CodeEvaluation, token.CodeLimit:
		r.Number = 403
	case token.CodeStale, token.CodeUnavailable:
		r.Number = 503
	}
	if len(needs) > 0 {
		r.Message += ": this very call needs " + strings.Join(needs, ", and ")
	}
	return r
}

// MissingApprovals returns the approvals that a token's caveats demand for a call that
// was denied, in their text form, if nothing else stands against it.
func MissingApprovals(d *verify.Decision) []string {
	if d == nil {
		return nil
	}
	var missing []delegation.Approval
	for _, r := range d.Reasons {
		check, err := datalog.ParseCheck(r.Check, nil)
		if err != nil || r.Code != token.CodeCheckFailed || r.Block < 0 {
			return nil
		}
		approval, ok := delegation.ReadCaveat(check).(delegation.Approval)
		if !ok {
			return nil
		}
		missing = append(missing, approval)
	}
	return Needs(missing)
}

// Needs returns approvals in the text form in which whoever needs them is told.
func Needs(approvals []delegation.Approval) (texts []string) {
	for _, q := range delegation.Quorums(approvals) {
		texts = append(texts, q.String())
	}
	return texts
}

// Bounds on what a line of the log repeats of a call, whose bytes are anybody's.
const (
	maxLogged  = 1024
	maxReasons = 16
)

// LogDenied tells a log, at the level Warn, why a call was denied. It has no token; the
// reasons repeat what was asked. A nil logger means [slog.Default], a nil decision that
// the token was not looked at.
func LogDenied(ctx context.Context, logger *slog.Logger, tool string, d *verify.Decision, err error) {
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
	logger.LogAttrs(ctx, slog.LevelWarn, "tool call denied",
		slog.String("code", string(verify.CodeOf(err))),
		slog.String("tool", clip(tool)),
		slog.String("delegator", delegator),
		slog.String("action", action),
		slog.Any("reasons", reasons))
}

func clip(s string) string {
	if len(s) <= maxLogged {
		return s
	}
	return strings.ToValidUTF8(s[:maxLogged], "") + ".."
}
