package verify

import (
	"context"
	"errors"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
)

// An Explanation says all that speaks against a request, as far as it can be found
// out. It authorizes nothing, whatever it says: what it supposes may never happen,
// and it uses nothing up, so that a second request gets the same. Only
// [Verifier.Verify] allows.
type Explanation struct {
	// Code is what Verify answers to this token and request; empty where it allows.
	Code token.Code

	// Supposed is true for a held token, which Verify never allows. The rest then
	// says what would come of it if the holder invoked the token for this very
	// request now.
	Supposed bool

	// Against are the reasons against the request. For a held token that it is not
	// presented is not one of them.
	Against []Reason

	// At is the time that counted.
	At time.Time

	// What the token says, empty as long as its signatures have not been verified
	// and its blocks not been read.
	Delegator string
	Bearer    bool
	Scope     delegation.Scope
	Hops      []Hop

	abouts []string // of the reasons, see refusal
}

// A Hop is one block of the token.
type Hop struct {
	Block int
	// By wrote the block, the delegator or a holder: see [Reason].
	By string
	// Holder is what By calls the owner of Key, who can go on; empty where the block
	// does not change hands.
	Holder string
	Key    token.PublicKey
	Kind   HopKind
	Checks []CheckFinding
}

// HopKind says what a block does.
type HopKind string

const (
	HopMint       HopKind = "mint"
	HopNarrow     HopKind = "narrow"
	HopHandoff    HopKind = "handoff"
	HopBearer     HopKind = "bearer"
	HopApproval   HopKind = "approval"
	HopInvocation HopKind = "invocation"
)

// A CheckFinding is one check of a block and what came of it.
type CheckFinding struct {
	Caveat delegation.Caveat
	Result CheckResult
}

// CheckResult says what came of a check.
type CheckResult string

const (
	Holds   CheckResult = "holds"
	Fails   CheckResult = "fails"
	Untried CheckResult = "untried" // an error ended the evaluation before it, or the token was not evaluated
)

// A Supposition is what an explanation takes for given. The zero value is now, and a
// service that knows nothing but the request.
type Supposition struct {
	// At is when the request comes; zero means now, by the verifier's clock. At any
	// other time nothing counts as used already.
	At    time.Time
	State State
}

// Explain holds a token against a request as [Verifier.Verify] does, by the same
// steps, but goes on after one that fails. It returns no error that could be taken
// for a decision. A token that cannot be read, or that no trusted root signed for its
// delegator, is explained no further.
func (v *Verifier) Explain(ctx context.Context, raw string, req delegation.Request, s Supposition) *Explanation {
	now := s.At.UTC().Truncate(time.Second)
	if s.At.IsZero() {
		now = v.peek()
	}
	e, d := &Explanation{At: now}, &Decision{}
	a, err := v.open(ctx, d, raw, req, &s.State, now)
	if err != nil {
		e.object(d, err)
		return e
	}
	if !s.At.IsZero() {
		a.used.Entries = nil // a memory of what was used knows no other time than now
	}
	e.Delegator, e.Bearer, e.Scope = d.Delegator, d.Bearer, d.Scope
	if a.token.Form() == token.Held {
		e.Supposed = true
		if err := a.suppose(); err != nil {
			e.object(d, err)
			return e
		}
	}
	if err := a.bind(); err != nil {
		e.object(d, err)
		return e
	}
	for _, step := range steps {
		if err := step(a); err != nil {
			e.object(d, err)
		}
	}
	if a.broken && a.result != nil && len(a.result.Failed) > 0 {
		e.object(d, a.failures()) // what the engine found before the error
	}
	e.Hops = a.hops()
	return e
}

// object adds what a step has found.
func (e *Explanation) object(d *Decision, err error) {
	reasons := d.reasons(err)
	if e.Code == "" {
		e.Code = reasons[0].Code
	}
	if e.Supposed && reasons[0].Code == token.CodeNotPresented {
		return
	}
	abouts := make([]string, len(reasons))
	if r, ok := errors.AsType[*refusal](err); ok {
		abouts[0] = r.about
	} else if found, ok := errors.AsType[*denial](err); ok {
		abouts = found.abouts
	}
	for i, r := range reasons {
		if at := e.said(r.Block, abouts[i]); at >= 0 {
			e.Against[at].Check = r.Check
			continue
		}
		if r.Code == token.CodeReplay && e.said(r.Block, "time") >= 0 {
			continue // out of its window, which says more
		}
		e.Against = append(e.Against, r)
		e.abouts = append(e.abouts, abouts[i])
	}
}

// said finds the reason that the engine's finding repeats: bounds in time and the
// invocation are compared outside the engine too.
func (e *Explanation) said(block int, about string) int {
	for i, r := range e.Against {
		if about != "" && r.Block == block && e.abouts[i] == about {
			return i
		}
	}
	return -1
}

// suppose adds the invocation that the holder would sign for this very request.
func (a *attempt) suppose() error {
	blocks := len(a.token.Blocks())
	inv := &delegation.Invocation{
		Block: blocks, By: a.token.NextKey(), Nonce: make([]byte, 16), Audience: a.v.audience,
		NotBefore: uint64(a.now.Add(-delegation.Skew).Unix()),
		Expires:   uint64(a.now.Add(time.Minute).Unix()),
	}
	request, err := a.req.Digest(a.token.PrefixHash(blocks), inv.Nonce)
	if err != nil {
		return undecidable(err)
	}
	inv.Request = request
	chain := *a.chain // which may be remembered
	chain.Invocation = inv
	a.chain = &chain
	a.supposed = inv.Content()
	return nil
}

// hops lists the blocks that there are: a supposed invocation is not one.
func (a *attempt) hops() []Hop {
	hops := make([]Hop, len(a.token.Blocks()))
	for i, b := range a.token.Blocks() {
		hops[i] = Hop{Block: i, By: a.d.author(i), Kind: HopInvocation}
		for j, c := range b.Datalog.Checks {
			hops[i].Checks = append(hops[i].Checks, CheckFinding{delegation.ReadCaveat(c), a.found(i, j)})
		}
	}
	for _, l := range a.chain.Links {
		h := &hops[l.Block]
		h.Kind = HopKind(l.Kind.String())
		if h.Kind != HopNarrow {
			h.Holder, h.Key = l.Holder, l.Key
		}
	}
	for _, given := range a.chain.Approvals {
		hops[given.Block].Kind = HopApproval
	}
	return hops
}

// found says what came of a check in the engine.
func (a *attempt) found(block, check int) CheckResult {
	if a.result == nil {
		return Untried
	}
	for _, f := range a.result.Failed {
		if f.Block == uint64(block) && f.Check == check {
			return Fails
		}
	}
	if a.broken {
		return Untried
	}
	return Holds
}
