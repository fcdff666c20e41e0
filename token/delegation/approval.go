package delegation

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
)

// Limits on one approval caveat, and on a quorum.
const (
	maxApprovers = 8
	maxChoices   = 70 // caveats of a quorum: 5 of 8 takes the most
)

// Approval is the caveat that the owner of one of the keys has approved the very
// action at hand, in a block of its own: see [Approved]. Several of them are
// each to be satisfied; for m of n keys see [Approvals].
type Approval struct{ Keys []token.PublicKey }

// Check returns `check if action($a), approved($a) trusting K1, K2`, the one
// form in which a token of ours trusts a key.
func (a Approval) Check() datalog.Check {
	v := datalog.Variable("a")
	q := datalog.Query{Body: []datalog.Predicate{fact("action", v), fact("approved", v)}}
	for _, k := range a.Keys {
		q.Scopes = append(q.Scopes, datalog.Scope{Kind: datalog.ScopeKey, Key: k.Datalog()})
	}
	return datalog.Check{Kind: datalog.CheckIf, Queries: []datalog.Query{q}}
}

func readApproval(c datalog.Check) Caveat {
	if len(c.Queries) != 1 || len(c.Queries[0].Scopes) > maxApprovers {
		return nil
	}
	var a Approval
	for _, s := range c.Queries[0].Scopes {
		k, err := token.PublicKeyToCompare(s.Key)
		if err != nil {
			return nil
		}
		a.Keys = append(a.Keys, k)
	}
	return a
}

// String returns "approval by K1 or K2", with the keys in text form.
func (a Approval) String() string { return "approval by " + joined(keyTexts(a.Keys)) }

// Validate refuses no keys, more than 8, one that is listed twice, and the
// published invocation key, with which everybody could approve.
func (a Approval) Validate() error { return validApprovers(a.Keys) }

func validApprovers(keys []token.PublicKey) error {
	if len(keys) == 0 {
		return fmt.Errorf("an approval caveat needs at least one key")
	}
	if len(keys) > maxApprovers {
		return fmt.Errorf("an approval caveat has at most %d keys", maxApprovers)
	}
	for i, k := range keys {
		switch {
		case k.IsZero():
			return fmt.Errorf("the key of an approver is missing")
		case token.IsInvocationKey(k):
			return fmt.Errorf("the approver's key is the public invocation key: anyone could approve")
		case slices.Contains(keys[:i], k):
			return fmt.Errorf("the approver %s is listed twice", k)
		}
	}
	return nil
}

// Two approval caveats bound different things unless they name the same keys: one
// that names fewer is stricter, but what both demand is not one caveat.
func (a Approval) dimension() dimension {
	keys := keyTexts(a.Keys)
	slices.Sort(keys)
	return dimension{"approval", strings.Join(keys, " ")}
}

func (Approval) compare(Caveat) Relation            { return Within }
func (a Approval) meet(other Caveat) (Caveat, bool) { return other, true }

// Whether an approval is there is no matter of one fact: see [Chain.Unapproved].
func (Approval) about() subject           { return subject{} }
func (Approval) admits(datalog.Term) bool { return false }
func (a Approval) allowed() string        { return "by " + joined(keyTexts(a.Keys)) }

func (a Approval) members() map[string]any {
	return map[string]any{"kind": "approval", "by": textList(keyTexts(a.Keys), itself)}
}

func keyTexts(keys []token.PublicKey) []string {
	texts := make([]string, len(keys))
	for i, k := range keys {
		texts[i] = k.String()
	}
	return texts
}

// Approvals returns the caveats that together demand approval by the owners of
// any need of the keys: one for each choice of keys so large that only need-1 are
// left out. So each of several approvals counts for one key, and none for two.
func Approvals(need int, keys ...token.PublicKey) ([]Caveat, error) {
	if err := validApprovers(keys); err != nil {
		return nil, err
	}
	if need < 1 || need > len(keys) {
		return nil, fmt.Errorf("approval by %d of %d keys: at least 1 and at most all of them can be needed", need, len(keys))
	}
	var caveats []Caveat
	for _, chosen := range choices(keys, len(keys)-need+1) {
		caveats = append(caveats, Approval{chosen})
	}
	return caveats, nil
}

// choices returns all sublists of the given length, in the order of keys.
func choices(keys []token.PublicKey, length int) [][]token.PublicKey {
	if length == 0 {
		return [][]token.PublicKey{nil}
	}
	var all [][]token.PublicKey
	for i := 0; i+length <= len(keys); i++ {
		for _, rest := range choices(keys[i+1:], length-1) {
			all = append(all, append([]token.PublicKey{keys[i]}, rest...))
		}
	}
	return all
}

// A Quorum is approval by any Need of the keys, as a conjunction of approval
// caveats says it.
type Quorum struct {
	Need int
	Keys []token.PublicKey
}

// String returns "approval by 2 of K1, K2, K3", or as [Approval] where one
// suffices.
func (q Quorum) String() string {
	if q.Need == 1 {
		return Approval{q.Keys}.String()
	}
	return fmt.Sprintf("approval by %d of %s", q.Need, strings.Join(keyTexts(q.Keys), ", "))
}

// Quorums reads a list of approval caveats back. Those that stand together exactly
// as [Approvals] writes them become one quorum, any other is one by itself.
func Quorums(approvals []Approval) []Quorum {
	var quorums []Quorum
	for len(approvals) > 0 {
		q, n := leading(approvals)
		quorums = append(quorums, q)
		approvals = approvals[n:]
	}
	return quorums
}

// leading returns the largest quorum that the list begins with, and how many
// caveats it takes.
func leading(approvals []Approval) (Quorum, int) {
	size := len(approvals[0].Keys)
	var keys []token.PublicKey // in the order in which they come up
	best, taken := Quorum{1, approvals[0].Keys}, 1
	for i, a := range approvals {
		if i == maxChoices || len(a.Keys) != size {
			break
		}
		for _, k := range a.Keys {
			if !slices.Contains(keys, k) {
				keys = append(keys, k)
			}
		}
		if len(keys) > maxApprovers {
			break
		}
		need := len(keys) - size + 1
		written, err := Approvals(need, keys...)
		if err == nil && need > 1 && len(written) == i+1 && slices.EqualFunc(written, approvals[:i+1], sameApproval) {
			best, taken = Quorum{need, slices.Clone(keys)}, i+1
		}
	}
	return best, taken
}

func sameApproval(c Caveat, a Approval) bool {
	w, ok := c.(Approval)
	return ok && slices.Equal(w.Keys, a.Keys)
}

// A demand is a quorum as the JSON of a scope has it.
type demand struct {
	Block int      `json:"block"`
	Need  int      `json:"need"`
	Keys  []string `json:"keys"`
}

// approvals returns what a scope demands, the caveats of each block together.
func (s *Scope) approvals() []demand {
	var demands []demand
	for i := 0; i < len(s.Bounds); {
		var together []Approval
		block := s.Bounds[i].Block
		for ; i < len(s.Bounds) && s.Bounds[i].Block == block; i++ {
			a, ok := s.Bounds[i].Caveat.(Approval)
			if ok {
				together = append(together, a)
			}
		}
		for _, q := range Quorums(together) {
			demands = append(demands, demand{block, q.Need, keyTexts(q.Keys)})
		}
	}
	return demands
}

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
