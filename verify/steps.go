package verify

import (
	"context"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify/internal/engine"
)

// An attempt is one token held against one request. Its token is verified from a
// trusted root that may speak for the delegator, and its blocks are read; whether it
// allows anything is what the steps find out.
type attempt struct {
	v   *Verifier
	ctx context.Context
	d   *Decision
	now time.Time

	req   *delegation.Checked
	token *token.Token
	chain *delegation.Chain

	// action is the digest of req for approvers.
	action delegation.Digest
	// request is the digest of req for the chain's invocation, if it has one.
	request delegation.Digest
	// stated is what the verifier states of the service and of who presents.
	stated []datalog.Predicate

	// used is what the request uses up if it is allowed.
	used *used

	// channel is the connection that the request came in on, zero if not known.
	channel delegation.Channel

	blocks []engine.Block
	known  *remembered    // what the memory holds of the first of them, or nil
	result *engine.Result // of evaluate, if it got that far
	broken bool           // the engine ended with an error
	facts  []datalog.Predicate
	told   [][]datalog.Predicate // to each block
}

// steps are what an attempt has to pass, in the order of spec/delegation.md. A
// decision ends with the first that fails; an explanation tries them all. So none
// of them may rely on the one before, nor leave anything behind.
var steps = [...]func(*attempt) error{
	(*attempt).length,
	(*attempt).approvers,
	(*attempt).presented,
	(*attempt).lifetime,
	(*attempt).invokedHere,
	(*attempt).invokedBriefly,
	(*attempt).invokedNow,
	(*attempt).invokedForThis,
	(*attempt).notRevoked,
	(*attempt).unused,
	(*attempt).evaluate,
}

// open does what everything else builds on: the request has one spelling, a trusted
// root that may speak for the delegator and the holders signed, and the blocks say
// nothing that is out of place.
func (v *Verifier) open(ctx context.Context, d *Decision, raw string, req delegation.Request, state State, now time.Time) (*attempt, error) {
	d.Service, d.At = v.audience, now
	if err := ctx.Err(); err != nil {
		return nil, &token.Error{Code: token.CodeUnavailable, Block: -1, Err: err}
	}
	if req.Audience == "" {
		req.Audience = v.audience
	}
	if req.Audience != v.audience {
		return nil, token.Errorf(token.CodeAudience, -1, "the request is for %q, this is %q", req.Audience, v.audience)
	}
	checked, err := req.Check()
	if err != nil {
		return nil, undecidable(err)
	}
	action, err := checked.ActionDigest()
	if err != nil {
		return nil, undecidable(err)
	}
	d.action = action
	stated, err := state.facts()
	if err != nil {
		return nil, err
	}
	roots := v.roots.Roots() // one list for the whole decision
	u, err := token.ParseText(raw, nil)
	if err != nil {
		return nil, err
	}
	t, chain, known, err := v.memory.read(roots, u, now)
	if err == nil {
		err = roots.MaySpeak(t.Root(), chain.Delegator, now)
	}
	if err != nil {
		if t != nil { // the signatures verify, whatever the blocks say
			d.signedBy(t)
		}
		return nil, err
	}
	d.describe(t, chain)
	a := &attempt{
		v: v, ctx: ctx, d: d, now: now, req: checked, action: action, token: t, chain: chain,
		channel: state.Channel, stated: stated, blocks: engineBlocks(t), known: known,
	}
	a.used = a.uses()
	a.useApprovals()
	return a, nil
}

// bind states who presents the token, and computes what its invocation must be
// bound to. It comes before the steps.
func (a *attempt) bind() (err error) {
	a.stated = append(a.stated, identify(a.d, a.chain, a.v.directory(), a.now)...)
	inv := a.chain.Invocation
	if inv == nil {
		return nil
	}
	if a.request, err = a.req.Digest(a.token.PrefixHash(inv.Block), inv.Nonce); err != nil {
		return undecidable(err)
	}
	if !inv.IsSession() {
		a.d.Request = a.request
		a.stated = append(a.stated, fact("request", datalog.Bytes(a.request[:])))
	}
	return nil
}

func undecidable(err error) error {
	return token.Errorf(token.CodeCheckFailed, -1, "the request cannot be decided on: %s", err)
}
