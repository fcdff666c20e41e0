// Package reading finds out what a token says and how much of that is verified, for
// people to look at: the command line and the page show what stands here. It decides
// nothing.
package reading

import (
	"cmp"
	"fmt"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
)

// A Reading is what could be found out about a token. Chain is nil unless the
// signatures verify and the blocks are in the vocabulary; Why says why not. A
// plain Biscuit is none of ours and is shown without complaint; Refused is why
// a token is not what it pretends to be.
type Reading struct {
	Unverified *token.Unverified
	Blocks     []token.Block
	Verified   Extent
	Token      token.Chain // nil where nothing is verified
	Chain      *delegation.Chain
	Roots      *trust.Roots     // nil where none were given
	Directory  *trust.Directory // nil where none was given; [Read] sets none
	Why        error
	Refused    error
	Now        time.Time
}

// An Extent is how far a token is verified.
type Extent string

const (
	Nothing  Extent = "nothing" // the signatures do not verify
	Unrooted Extent = "chain"   // all signatures but the first
	Rooted   Extent = "root"    // all, from a key that the trust file lists
)

// Read reads a token as it is at some time. Nil roots mean that it is not known whom
// to trust; Roots without entries trust nobody. An error means that not even the
// blocks can be shown.
func Read(u *token.Unverified, roots *trust.Roots, now time.Time) (*Reading, error) {
	r := &Reading{Unverified: u, Verified: Nothing, Roots: roots, Now: now}
	unrooted, invalid := u.VerifyUnrooted()
	var err error
	if r.Blocks, err = u.UnverifiedBlocks(); err != nil {
		return nil, cmp.Or(invalid, err)
	}
	if invalid != nil {
		r.Why, r.Refused = invalid, invalid
		return r, nil
	}
	r.Token, r.Verified = unrooted, Unrooted
	if roots != nil {
		t, err := roots.Verify(u, now)
		if err == nil {
			r.Token, r.Verified = t, Rooted
		}
		r.Why, r.Refused = err, err
	}
	chain, err := delegation.ReadUnregistered(r.Token)
	if err != nil {
		r.Why = cmp.Or(r.Why, err)
		return r, nil
	}
	r.Chain = chain
	if r.Verified == Rooted {
		if err := roots.MaySpeak(r.Token.Root(), chain.Delegator, now); err != nil {
			r.Why, r.Refused = err, err
		}
	}
	return r, nil
}

// Form says in a line who can use the token.
func (r *Reading) Form() string {
	if r.Chain == nil {
		return r.Unverified.Form().String()
	}
	switch form := FormName(r.Token, r.Chain); form {
	case "held":
		return fmt.Sprintf("held: only %q can go on, with %s", r.Chain.Holder().Holder, r.Chain.Holder().Key)
	case "presented":
		inv := r.Chain.Invocation
		until := Stamp(delegation.Expiry{At: inv.Expires}.Time())
		if inv.IsSession() {
			return fmt.Sprintf("presented: as a session with %q on the connection %s, until %s", inv.Audience, inv.Channel, until)
		}
		return fmt.Sprintf("presented: for one request to %q, until %s", inv.Audience, until)
	default:
		return form + ": whoever has it can use it"
	}
}

// FormName names a token's form as users know it.
func FormName(t token.Chain, chain *delegation.Chain) string {
	switch {
	case chain.Invocation != nil:
		return "presented"
	case t.Form() == token.Held:
		return "held"
	}
	return fmt.Sprintf("bearer (%s)", t.Form())
}

// Extent says how far the token is verified. A root key of the trust file that may not
// speak for the delegator is no trusted one.
func (r *Reading) Extent() string {
	if r.Verified == Rooted && r.Refused != nil {
		return "all signatures, but the root key is not trusted for this delegator"
	}
	return r.Verified.String()
}

func (e Extent) String() string {
	switch e {
	case Rooted:
		return "all signatures, from a trusted root key"
	case Unrooted:
		return "all signatures but the first: who minted the token is a claim"
	}
	return "nothing: the signatures do not verify"
}

// Expiry returns when the token's blocks say that it expires, and ok as false where
// they do not.
func (r *Reading) Expiry() (at time.Time, ok bool) {
	if r.Chain == nil {
		return time.Time{}, false
	}
	c, ok := r.Chain.Scope.Expires()
	if inv := r.Chain.Invocation; inv != nil && (!ok || inv.Expires < c.At) {
		c, ok = delegation.Expiry{At: inv.Expires}, true
	}
	return c.Time(), ok
}

// Begin returns when the token begins to hold, and ok as false where its blocks do not
// say.
func (r *Reading) Begin() (at time.Time, ok bool) {
	if r.Chain == nil {
		return time.Time{}, false
	}
	c, ok := r.Chain.Scope.NotBefore()
	return c.Time(), ok
}

// Stamp writes a time as everywhere, in UTC.
func Stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
