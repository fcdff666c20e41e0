package verify

import (
	"context"
	"sync"
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
	known *remembered // what the memory holds of the first blocks, or nil

	// action is the digest of req for approvers; zero where nobody asks for it.
	action delegation.Digest
	// request is the digest of req for the chain's invocation; zero if it has none, or
	// is a session.
	request delegation.Digest
	// supposed is an invocation that the token lacks, for an explanation; or nil.
	supposed *datalog.Block

	// used is what the request uses up if it is allowed.
	used used

	state   State
	context []datalog.Predicate // what is stated of the state's context

	result *engine.Result // of evaluate, if it got that far
	broken bool           // the engine ended with an error
	stated delegation.Statement
	told   [][]datalog.Predicate // to each block
	blocks []engine.Block        // memory of those that are not known
}

// attempts lends decisions their memory, which holds no content in between.
var attempts = sync.Pool{New: func() any { return new(attempt) }}

// release gives the memory back. Nothing of the attempt is used any more: a decision
// has none of it.
func (a *attempt) release() {
	stated, blocks := a.stated, a.blocks
	stated.Reset()
	clear(blocks[:cap(blocks)])
	*a = attempt{stated: stated, blocks: blocks[:0]}
	attempts.Put(a)
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
func (v *Verifier) open(ctx context.Context, d *Decision, raw string, req delegation.Request, state *State, now time.Time) (*attempt, error) {
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
	d.asked = checked
	context, err := state.check()
	if err != nil {
		return nil, err
	}
	roots := v.roots.Roots() // one list for the whole decision
	t, chain, known, err := v.memory.read(roots, raw, now)
	if err == nil {
		err = roots.MaySpeak(t.Root(), chain.Delegator, now)
	}
	if err != nil {
		if t != nil { // the signatures verify, whatever the blocks say
			d.signedBy(t)
		}
		return nil, err
	}
	if known != nil {
		known.ready(v)
	}
	d.describe(t, chain, known)
	a := attempts.Get().(*attempt)
	a.v, a.ctx, a.d, a.now = v, ctx, d, now
	a.req, a.token, a.chain, a.known = checked, t, chain, known
	a.state, a.context = *state, context
	if v.mentions.Action || chain.MentionsAction() || len(chain.Approvals) > 0 {
		if a.action, err = checked.ActionDigest(); err != nil {
			return nil, undecidable(err)
		}
	}
	a.uses()
	a.useApprovals()
	return a, nil
}

// bind finds out who presents the token, and computes what its invocation must be
// bound to. It comes before the steps.
func (a *attempt) bind() (err error) {
	a.identify()
	inv := a.chain.Invocation
	if inv == nil || inv.IsSession() {
		return nil
	}
	if a.request, err = a.req.Digest(a.token.PrefixHash(inv.Block), inv.Nonce); err != nil {
		return undecidable(err)
	}
	a.d.Request = a.request
	return nil
}

func undecidable(err error) error {
	return token.Errorf(token.CodeCheckFailed, -1, "the request cannot be decided on: %s", err)
}
