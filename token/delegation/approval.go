package delegation

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
)

// maxApprovers bounds the keys of one approval caveat, and of a quorum.
const maxApprovers = 8

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
	keys := make([]string, len(a.Keys))
	for i, k := range a.Keys {
		keys[i] = string(rune(k.Algorithm())) + k.Datalog().Bytes // of a length that the algorithm tells
	}
	slices.Sort(keys)
	return dimension{"approval", strings.Join(keys, "")}
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
	for chosen := range choices(keys, len(keys)-need+1) {
		caveats = append(caveats, Approval{chosen})
	}
	return caveats, nil
}

// choices goes through all sublists of the given length, in the order of keys.
func choices(keys []token.PublicKey, length int) iter.Seq[[]token.PublicKey] {
	return func(yield func([]token.PublicKey) bool) {
		at := make([]int, length) // indices, ascending
		for i := range at {
			at[i] = i
		}
		for {
			chosen := make([]token.PublicKey, length)
			for i := range chosen {
				chosen[i] = keys[at[i]]
			}
			last := length - 1 // the last index that can still rise
			for last >= 0 && at[last] == len(keys)-length+last {
				last--
			}
			if !yield(chosen) || last < 0 {
				return
			}
			at[last]++
			for i := last + 1; i < length; i++ {
				at[i] = at[i-1] + 1
			}
		}
	}
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
	first := approvals[0].Keys
	size := len(first)
	best, taken := Quorum{1, first}, 1
	keys := slices.Clone(first)
	count := 1 // choices of size out of the keys
	// The first choices differ in their last key only, so that each tells one more.
	for _, a := range approvals[1:] {
		if size == 0 || len(a.Keys) != size || len(keys) == maxApprovers || !slices.Equal(a.Keys[:size-1], first[:size-1]) {
			break
		}
		keys = append(keys, a.Keys[size-1])
		need := len(keys) - size + 1
		count = count * len(keys) / (need - 1)
		if count > len(approvals) {
			break
		}
		if validApprovers(keys) == nil && areChoices(approvals[:count], keys, size) {
			best, taken = Quorum{need, slices.Clone(keys)}, count
		}
	}
	return best, taken
}

// areChoices reports whether the approvals are all the choices, in their order. There
// are as many.
func areChoices(approvals []Approval, keys []token.PublicKey, size int) bool {
	for chosen := range choices(keys, size) {
		if !slices.Equal(chosen, approvals[0].Keys) {
			return false
		}
		approvals = approvals[1:]
	}
	return true
}

// A demand is a quorum as the JSON of a scope has it.
type demand struct {
	Block int      `json:"block"`
	Need  int      `json:"need"`
	Keys  []string `json:"keys"`
}

// approvals returns what a scope demands, the caveats of each block together, as far
// as there is room for it, and how many demands there is none for.
func (s *Scope) approvals(room int) (demands []demand, omitted int) {
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
			d := demand{block, q.Need, keyTexts(q.Keys)}
			if room -= len(strings.Join(d.Keys, "")); room < 0 {
				omitted++
				continue
			}
			demands = append(demands, d)
		}
	}
	return demands, omitted
}
