package verify

import (
	"fmt"
	"slices"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
)

// Defaults for the bounds on a chain.
const (
	DefaultMaxDepth  = 8
	DefaultMaxBlocks = 24
)

// mostBlocks is what is read of any token (spec/wire.md, "Limits").
const mostBlocks = 32

// bounds fills in the bounds on a chain, and refuses what is no bound.
func (o *Options) bounds() error {
	if o.MaxDepth < 0 || o.MaxBlocks < 0 {
		return fmt.Errorf("a maximum must not be negative")
	}
	if o.MaxDepth > mostBlocks || o.MaxBlocks > mostBlocks {
		return fmt.Errorf("no token has more than %d blocks", mostBlocks)
	}
	if o.MaxDepth == 0 {
		o.MaxDepth = DefaultMaxDepth
	}
	if o.MaxBlocks == 0 {
		o.MaxBlocks = DefaultMaxBlocks
	}
	return nil
}

// registrable refuses what a service cannot register.
func registrable(facts []delegation.FactType) error {
	for _, f := range facts {
		if err := f.Validate(); err != nil {
			return fmt.Errorf("token fact %s: %w", f, err)
		}
	}
	return nil
}

// length holds a chain against the bounds on it.
func (a *attempt) length() error {
	o := &a.v.options
	if n := len(a.token.Blocks()); n > o.MaxBlocks {
		return token.Errorf(token.CodeLimit, -1, "the token has %d blocks, at most %d are accepted", n, o.MaxBlocks)
	}
	if a.chain.Depth > o.MaxDepth {
		return token.Errorf(token.CodeLimit, -1, "the token changed hands %d times after it was minted, at most %d are accepted", a.chain.Depth, o.MaxDepth)
	}
	return nil
}

// directory returns the agents known now; nil knows nobody.
func (v *Verifier) directory() *trust.Directory {
	if v.options.Directory == nil {
		return nil
	}
	return v.options.Directory.Directory()
}

// identify finds out who presents the token by the directory as it is now: the name of
// whoever signed the invocation, where exactly one is bound to the key, and those of
// the holders. Nothing shows who has a bearer token.
func (a *attempt) identify() {
	directory := a.v.directory()
	if directory == nil {
		return
	}
	a.d.Chain = slices.Clone(a.d.Chain) // which other decisions share
	for i := range a.d.Chain {
		a.d.Chain[i].Agent, _ = directory.Agent(a.d.Chain[i].Key, a.now)
	}
	if inv := a.chain.Invocation; inv != nil {
		a.d.Agent, _ = directory.Agent(inv.By, a.now)
	}
}
