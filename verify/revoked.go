package verify

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify/revoke"
)

// DefaultMaxStale is how old the knowledge of a revocation source may be: as long
// as a token may live, by default.
const DefaultMaxStale = 24 * time.Hour

// revocations checks what the options say of them.
func (o *Options) revocations() error {
	const most = 100 * 365 * 24 * time.Hour
	if o.MaxStale < 0 || o.MaxStale > most {
		return fmt.Errorf("what is known of revocations may be old by 0 to %s", most)
	}
	if o.MaxStale == 0 {
		o.MaxStale = DefaultMaxStale
	}
	if slices.Contains(o.Revocations, nil) {
		return fmt.Errorf("a source of revocations is nil")
	}
	return nil
}

// notRevoked asks every source about every block, every key and the delegator
// (V11). Nothing that is remembered of a token from before spares it. All are asked
// before one that is old or cannot answer denies: it must not hide what another
// revokes.
func (a *attempt) notRevoked() error {
	if len(a.v.options.Revocations) == 0 {
		return nil
	}
	r := a.revocable()
	var unsure error // the first source's that does not know enough
	for _, source := range a.v.options.Revocations {
		answer, err := source.Lookup(a.ctx, &r.Subject)
		if err != nil {
			err = &token.Error{Code: token.CodeUnavailable, Block: -1, Msg: "a source of revocations", Err: err}
		} else if f := answer.Found; f != nil {
			return a.revoked(r, f, nameOf(&answer))
		} else {
			err = a.v.fresh(&answer, a.now)
		}
		if unsure == nil {
			unsure = err
		}
	}
	return unsure
}

// A place is where in a token a signature or a key stands.
type place struct {
	block    int
	approver bool
}

// A revocable is what of a token can have been revoked, and where each part of it
// stands. The first key is the root's.
type revocable struct {
	revoke.Subject
	blocks, keys []place
}

// revocable lists each block's signature and each key; of an approval the approver's
// too, for which a holder can make no other.
func (a *attempt) revocable() *revocable {
	blocks := a.token.Blocks()
	r := &revocable{Subject: revoke.Subject{Delegator: a.chain.Delegator, Now: a.now}}
	r.Blocks = make([]revoke.ID, 0, len(blocks))
	r.Keys = append(make([]token.PublicKey, 0, 1+len(blocks)), a.token.Root())
	r.blocks = make([]place, 0, len(blocks))
	r.keys = append(make([]place, 0, 1+len(blocks)), place{})
	for i := range blocks {
		b := &blocks[i]
		r.Blocks, r.blocks = append(r.Blocks, revoke.IDOf(b.Signature)), append(r.blocks, place{i, false})
		if !token.IsInvocationKey(b.Next) {
			r.Keys, r.keys = append(r.Keys, b.Next), append(r.keys, place{i, false})
		}
		if !b.External.IsZero() {
			r.Blocks, r.blocks = append(r.Blocks, revoke.IDOf(b.ExternalSignature)), append(r.blocks, place{i, true})
			r.Keys, r.keys = append(r.Keys, b.External), append(r.keys, place{i, true})
		}
	}
	return r
}

// revoked says which block or key is revoked. The reason names who wrote it into
// the token.
func (a *attempt) revoked(r *revocable, f *revoke.Found, source string) error {
	switch {
	case f.Kind == revoke.Delegator:
		return token.Errorf(token.CodeRevoked, 0, "the delegator %q is revoked by %s", r.Delegator, source)
	case f.Kind == revoke.Block && f.Index >= 0 && f.Index < len(r.Blocks):
		what := "block"
		if r.blocks[f.Index].approver {
			what = "approval"
		}
		return token.Errorf(token.CodeRevoked, r.blocks[f.Index].block, "the %s is revoked by %s", what, source)
	case f.Kind == revoke.Key && f.Index >= 0 && f.Index < len(r.Keys):
		p := r.keys[f.Index]
		return token.Errorf(token.CodeRevoked, p.block, "the key %s %s is revoked by %s", r.Keys[f.Index], a.owner(f.Index, p), source)
	}
	return token.Errorf(token.CodeRevoked, -1, "%s revokes something that the token does not have", source)
}

// owner says whose a key is.
func (a *attempt) owner(index int, p place) string {
	switch {
	case index == 0:
		return "of the root"
	case p.approver:
		return "of an approver"
	}
	for i := range a.chain.Links {
		if l := &a.chain.Links[i]; l.Block == p.block && l.Holder != "" {
			return fmt.Sprintf("of %q", l.Holder)
		}
	}
	return "that block " + strconv.Itoa(p.block) + " names"
}

// nameOf returns what a source is called in messages.
func nameOf(a *revoke.Answer) string { return cmp.Or(a.Source, "a source of revocations") }

// fresh refuses knowledge that is too old, or from the future: whoever wrote it
// has a clock that goes wrong, and it would not grow old.
func (v *Verifier) fresh(a *revoke.Answer, now time.Time) error {
	source := nameOf(a)
	switch age := now.Sub(a.AsOf); {
	case age > v.options.MaxStale:
		return token.Errorf(token.CodeStale, -1, "%s is as of %s, it is %s: older than %s", source, rfc3339(a.AsOf), rfc3339(now), v.options.MaxStale)
	case age < -delegation.Skew:
		return token.Errorf(token.CodeStale, -1, "%s is as of %s, and it is only %s", source, rfc3339(a.AsOf), rfc3339(now))
	}
	return nil
}
