package toolcall

import (
	"context"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
)

// Visible reports whether a token's holder could call a tool at all, with the right
// arguments and approvals: whether the tool is to be shown. It decides nothing, see
// [verify.Verifier.Explain], and may show more than can be called. raw is the held
// token, or a bearer token where v allows them.
func (m *Mapping) Visible(ctx context.Context, v *verify.Verifier, raw string, state verify.State, tool string) bool {
	_, mapped := m.templates[tool]
	req := delegation.Request{Operation: tool, Resource: m.resource, Audience: m.audience}
	if _, err := req.Check(); err != nil {
		return false
	}
	e := v.Explain(ctx, raw, req, verify.Supposition{State: state})
	if !e.Supposed && !e.Bearer {
		return false
	}
	for _, reason := range e.Against {
		switch reason.Code {
		case token.CodePolicy, token.CodeEvaluation: // arguments may make the difference
		case token.CodeCheckFailed:
			if !onCall(reason.Check, mapped) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// onCall reports whether a check speaks of what a call brings along: arguments and
// approvals, and its resources where arguments name them.
func onCall(source string, mapped bool) bool {
	check, err := datalog.ParseCheck(source, nil)
	if err != nil {
		return false
	}
	for _, query := range check.Queries {
		for _, p := range query.Body {
			switch p.Name {
			case "arg", "arg_ip", "arg_host", "action", "approved":
				return true
			case "resource":
				if mapped {
					return true
				}
			}
		}
	}
	return false
}
