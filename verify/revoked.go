package verify

import (
	"cmp"
	"fmt"
	"slices"
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
// (V11). Nothing that is remembered of a token from before spares it.
func (a *attempt) notRevoked() error {
	if len(a.v.options.Revocations) == 0 {
		return nil
	}
	s, places := a.subject()
	for _, source := range a.v.options.Revocations {
		answer, err := source.Lookup(a.ctx, s)
		if err != nil {
			return &token.Error{Code: token.CodeUnavailable, Block: -1, Msg: "a source of revocations", Err: err}
		}
		if f := answer.Found; f != nil {
			return a.revoked(s, places, f, nameOf(&answer))
		}
		if err := a.v.fresh(&answer, a.now); err != nil {
			return err
		}
	}
	return nil
}

// A place is where in a token a key stands.
type place struct {
	block    int
	approver bool
}

// subject is what of a token can have been revoked, and where each key stands. The
// first key is the root's.
func (a *attempt) subject() (s *revoke.Subject, places []place) {
	blocks := a.token.Blocks()
	s = &revoke.Subject{Delegator: a.chain.Delegator, Now: a.now, Blocks: make([]revoke.ID, 0, len(blocks))}
	s.Keys = append(make([]token.PublicKey, 0, 1+len(blocks)), a.token.Root())
	places = append(make([]place, 0, 1+len(blocks)), place{})
	for i := range blocks {
		b := &blocks[i]
		s.Blocks = append(s.Blocks, revoke.IDOf(b.Signature))
		if !token.IsInvocationKey(b.Next) {
			s.Keys, places = append(s.Keys, b.Next), append(places, place{i, false})
		}
		if !b.External.IsZero() {
			s.Keys, places = append(s.Keys, b.External), append(places, place{i, true})
		}
	}
	return s, places
}

// revoked says which block or key is revoked. The reason names who wrote it into
// the token.
func (a *attempt) revoked(s *revoke.Subject, places []place, f *revoke.Found, source string) error {
	switch {
	case f.Kind == revoke.Delegator:
		return token.Errorf(token.CodeRevoked, 0, "the delegator %q is revoked by %s", s.Delegator, source)
	case f.Kind == revoke.Block && f.Index >= 0 && f.Index < len(s.Blocks):
		return token.Errorf(token.CodeRevoked, f.Index, "the block is revoked by %s", source)
	case f.Kind == revoke.Key && f.Index >= 0 && f.Index < len(s.Keys):
		p := places[f.Index]
		return token.Errorf(token.CodeRevoked, p.block, "the key %s %s is revoked by %s", s.Keys[f.Index], a.owner(f.Index, p), source)
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
	case p.block < len(a.chain.Links) && a.chain.Links[p.block].Holder != "":
		return fmt.Sprintf("of %q", a.chain.Links[p.block].Holder)
	}
	return "of whoever has the bytes"
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
