package delegation

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
)

// Approved is what an approver says in a block of its own, a third-party block
// (Biscuit specification, "Third party blocks") that keeps the next key: that
// the owner of By approves one action with this token, for some time.
type Approved struct {
	Block int

	// By is the approver's key, the block's external key.
	By token.PublicKey

	// Action is the digest of what is approved: [Checked.ActionDigest].
	Action Digest

	// Parent is the prefix hash of the chain before the block.
	Parent [32]byte

	// Expires is when the approval ends, and with it the token that has it: in
	// seconds since 1970, exclusive.
	Expires uint64

	// Signature is the approver's. No other signature of the same approval can be
	// made from it, so that it tells approvals apart.
	Signature []byte

	// From and Until are when the approval can be used at all, by the bounds of the
	// blocks up to it: in seconds since 1970, From inclusive and 0 where no block
	// says, Until exclusive. Later blocks bound one branch of the chain only.
	From, Until uint64
}

// Content returns the approval as the block that it is: `approved(hex:..)`,
// `parent(hex:..)`, `check all time($t), $t < X`.
func (a *Approved) Content() *datalog.Block {
	return &datalog.Block{
		Facts: []datalog.Predicate{
			fact("approved", datalog.Bytes(a.Action[:])),
			fact("parent", datalog.Bytes(a.Parent[:])),
		},
		Checks: []datalog.Check{Expiry{a.Expires}.Check()},
	}
}

// readContent fills in the approval from a block and reports whether the block is
// exactly its canonical content.
func (a *Approved) readContent(b *datalog.Block) bool {
	if len(b.Facts) != 2 || len(b.Checks) != 1 {
		return false
	}
	for i, to := range [][]byte{a.Action[:], a.Parent[:]} {
		if len(b.Facts[i].Terms) == 1 {
			if hash, ok := b.Facts[i].Terms[0].(datalog.Bytes); ok {
				copy(to, hash)
			}
		}
	}
	expiry, ok := ReadCaveat(b.Checks[0]).(Expiry)
	a.Expires = expiry.At
	return ok && a.Content().Equal(*b)
}

// approval reads a third-party block, of which a token of ours holds no other
// kind.
func (r *reader) approval(i int, b *token.Block) error {
	a := Approved{Block: i, By: b.External, Signature: b.ExternalSignature}
	switch {
	case i == 0:
		return fmt.Errorf("block 0 is signed by a third party")
	case b.Next != r.blocks[i-1].Next:
		return fmt.Errorf("a third-party block must keep the next key")
	case token.IsInvocationKey(b.External):
		return fmt.Errorf("the third party's key is the public invocation key: anyone can have signed")
	case !lowS(b.External, b.ExternalSignature):
		return fmt.Errorf("the third party's P-256 signature is not in its low-S form")
	case !a.readContent(b.Datalog):
		return fmt.Errorf("a third-party block holds approved, parent and an expiry, in their canonical form, and nothing else")
	}
	if prefix := r.prefix(i); !bytes.Equal(a.Parent[:], prefix[:]) {
		return fmt.Errorf("the approval was given for another token, or for this one before or after other blocks")
	}
	if from, ok := r.chain.Scope.NotBefore(); ok {
		a.From = from.At
	}
	a.Until = a.Expires
	if end, ok := r.chain.Scope.Expires(); ok {
		a.Until = min(a.Until, end.At)
	}
	r.chain.Approvals = append(r.chain.Approvals, a)
	r.chain.Scope.Narrow(Expiry{a.Expires}, i)
	return nil
}

// HasPart reports whether a key is the root's, where that is known, or that of
// anyone who holds the token or held it.
func (c *Chain) HasPart(key token.PublicKey) bool {
	return slices.ContainsFunc(c.Links, func(l Link) bool { return l.By == key || l.Key == key })
}

// Approvers returns the keys that approved an action, each once.
func (c *Chain) Approvers(action Digest) []token.PublicKey {
	var keys []token.PublicKey
	for _, a := range c.Approvals {
		if a.Action == action && !slices.Contains(keys, a.By) {
			keys = append(keys, a.By)
		}
	}
	return keys
}

// NamesApprover reports whether an approval caveat of the chain names a key.
func (c *Chain) NamesApprover(key token.PublicKey) bool {
	for _, l := range c.Links {
		for _, cv := range l.Caveats {
			if a, ok := cv.(Approval); ok && slices.Contains(a.Keys, key) {
				return true
			}
		}
	}
	return false
}

// Unapproved returns the approval caveats of which no key approved the action,
// each with its block.
func (c *Chain) Unapproved(action Digest) []Bound {
	approvers := c.Approvers(action)
	var missing []Bound
	for _, l := range c.Links {
		for _, cv := range l.Caveats {
			a, ok := cv.(Approval)
			if ok && !slices.ContainsFunc(a.Keys, func(k token.PublicKey) bool { return slices.Contains(approvers, k) }) {
				missing = append(missing, Bound{a, l.Block})
			}
		}
	}
	return missing
}
