package verify

import (
	"encoding/json"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
)

// Outcome says in a word what an explanation comes to: that of Verify, or for a held
// token what would come of its invocation.
func (e *Explanation) Outcome() string {
	if len(e.Against) > 0 {
		return "would_be_denied"
	}
	return "would_be_allowed"
}

// MarshalJSON writes the form of spec/explain.md.
func (e Explanation) MarshalJSON() ([]byte, error) {
	type check struct {
		Caveat string      `json:"caveat"`
		Check  string      `json:"check"`
		Result CheckResult `json:"result"`
	}
	type hop struct {
		Block  int     `json:"block"`
		Kind   HopKind `json:"kind"`
		By     string  `json:"by"`
		Holder string  `json:"holder"`
		Key    string  `json:"key"`
		Checks []check `json:"checks"`
	}
	out := struct {
		Authorizes string            `json:"authorizes"`
		Code       token.Code        `json:"code"`
		Supposed   bool              `json:"supposed"`
		Outcome    string            `json:"outcome"`
		At         string            `json:"at"`
		Delegator  string            `json:"delegator"`
		Bearer     bool              `json:"bearer"`
		Scope      *delegation.Scope `json:"scope"`
		Hops       []hop             `json:"hops"`
		Against    []reasonJSON      `json:"against"`
	}{
		"nothing", e.Code, e.Supposed, e.Outcome(), rfc3339(e.At), e.Delegator, e.Bearer, &e.Scope,
		[]hop{}, []reasonJSON{},
	}
	for _, h := range e.Hops {
		j := hop{Block: h.Block, Kind: h.Kind, By: h.By, Holder: h.Holder, Checks: []check{}}
		if !h.Key.IsZero() {
			j.Key = h.Key.String()
		}
		for _, c := range h.Checks {
			j.Checks = append(j.Checks, check{c.Caveat.String(), c.Caveat.Check().String(), c.Result})
		}
		out.Hops = append(out.Hops, j)
	}
	for _, r := range e.Against {
		out.Against = append(out.Against, reasonJSON(r))
	}
	return json.Marshal(out)
}
