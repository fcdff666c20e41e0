package verify

import (
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify/internal/engine"
)

// A Hearing decides one request on many held tokens as if their holders had invoked
// them for it: what [Verifier.Verify] does, without the signatures, the invocation and
// the memory of what was used. A property then costs microseconds a case.
type Hearing struct {
	v       *Verifier
	req     *delegation.Checked
	action  delegation.Digest
	now     time.Time
	state   State
	context []datalog.Predicate
}

// Hear begins a hearing.
func (v *Verifier) Hear(req delegation.Request, s State, now time.Time) (*Hearing, error) {
	req.Audience = v.audience
	checked, err := req.Check()
	if err != nil {
		return nil, err
	}
	action, err := checked.ActionDigest()
	if err != nil {
		return nil, err
	}
	context, err := s.check()
	return &Hearing{v, checked, action, now, s, context}, err
}

// A Ruling is what the parts of a verifier say, each by itself.
type Ruling struct {
	Engine     bool // Datalog allows
	Approved   bool // every approval caveat is met
	Structural bool // length, lifetime and approvers allow
	Facts      []datalog.Predicate
}

// Rule holds a token against the request, presented by the given holder after so many
// changes of hands. What chain does not know of the token's blocks is evaluated all the
// same: with the chain of its parent, that is a block which reading refuses.
func (h *Hearing) Rule(t *token.Token, chain *delegation.Chain, holder token.PublicKey, depth int) Ruling {
	as := *chain
	as.Invocation, as.Depth = &delegation.Invocation{By: holder}, depth
	hearing := h.attempt(t, &as)
	hearing.identify()
	if err := hearing.stateAll(); err != nil {
		return Ruling{}
	}
	facts := hearing.stated.Facts
	told, err := tell(chain, h.req)
	if err != nil {
		return Ruling{}
	}
	r, err := h.v.policy.Evaluate(engine.Told(engineBlocks(t), told), facts, &engine.Options{Limits: engine.Limits(h.v.options.Limits)})
	for i := range chain.Links {
		facts = append(facts, h.req.Inside(&chain.Links[i].Mentions)...)
	}
	a := h.attempt(t, chain)
	return Ruling{
		Engine:     err == nil && r.Allowed(),
		Approved:   a.approved() == nil,
		Structural: a.length() == nil && a.lifetime() == nil && a.approvers() == nil,
		Facts:      facts,
	}
}

func (h *Hearing) attempt(t *token.Token, chain *delegation.Chain) *attempt {
	return &attempt{
		v: h.v, d: &Decision{}, now: h.now, req: h.req, action: h.action, token: t, chain: chain,
		state: h.state, context: h.context,
	}
}

// Allowed reports whether all parts allow.
func (r *Ruling) Allowed() bool { return r.Engine && r.Approved && r.Structural }

// Sessions returns how many texts of sessions the memory knows.
func (v *Verifier) Sessions() int {
	v.memory.mu.Lock()
	defer v.memory.mu.Unlock()
	return len(v.memory.sessions)
}
