package delegation_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
)

// hostile has caveats that are small in a token and would be costly to compare, each
// with the allocations that reading them may take. Trying a pattern takes thousands
// for one value.
var hostile = []struct {
	name    string
	caveats func() []delegation.Caveat
	most    float64
}{
	{"lists against patterns", func() (list []delegation.Caveat) {
		for i := range 10 {
			list = append(list, delegation.ArgMatches{Arg: "n", Pattern: fmt.Sprintf("(?:(?:.|[^a]){8}){8}|%d", i)})
		}
		return append(list, values("n", "v", 250), values("n", "w", 250))
	}, 5_000},
	{"lists against lists", func() (list []delegation.Caveat) {
		for i := range 24 {
			list = append(list, integers("n", 1000*i, 250))
		}
		return list
	}, 5_000},
	{"lists against networks", func() (list []delegation.Caveat) {
		list = append(list, delegation.ArgIs("n", addresses(250)...))
		for i := range 16 {
			list = append(list, delegation.ArgCIDR{Arg: "n", Networks: prefixes(i, 45)})
		}
		return list
	}, 20_000},
	{"lists against subtrees", func() (list []delegation.Caveat) {
		list = append(list, values("n", "a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/", 250))
		for i := range 16 {
			list = append(list, delegation.ArgSubtree{Arg: "n", Paths: []string{fmt.Sprint("x", i), "a", "a/a", "a/a/a", "a/a/a/a", "a/a/a/a/a"}})
		}
		return list
	}, 10_000},
	{"approvals", func() (list []delegation.Caveat) {
		for _, a := range manyApprovals() {
			list = append(list, a)
		}
		return list
	}, 40_000},
	{"all of it at once", func() (list []delegation.Caveat) {
		for i := range 30 {
			list = append(list, delegation.ArgMatches{Arg: "n", Pattern: fmt.Sprintf("(?:(?:.|[^a]){8}){8}|%0300d", i)})
		}
		list = append(list, delegation.ArgIs("n", addresses(250)...), delegation.ArgIs("m", addresses(250)...))
		for i := range 13 {
			list = append(list, delegation.ArgCIDR{Arg: "n", Networks: prefixes(i, 20)})
			list = append(list, integers("m", 1000*i, 200))
		}
		for _, a := range manyApprovals()[:150] {
			list = append(list, a)
		}
		return list
	}, 30_000},
	{"bounds that become one", func() (list []delegation.Caveat) {
		for i := range 110 {
			name := fmt.Sprint(i)
			list = append(list, delegation.ArgPrefix{Arg: name, Prefix: "a/"}, delegation.ArgSubtree{Arg: name, Paths: []string{"a", "b"}}, delegation.ArgIs(name, "a/b"))
		}
		return list
	}, 80_000},
	{"many arguments", func() (list []delegation.Caveat) {
		for i := range 900 {
			list = append(list, delegation.ArgSet{Arg: fmt.Sprint(i)})
		}
		return list
	}, 60_000},
}

func values(arg, prefix string, n int) delegation.Caveat {
	list := make([]any, n)
	for i := range list {
		list[i] = fmt.Sprint(prefix, i)
	}
	return delegation.ArgIs(arg, list...)
}

func integers(arg string, from, n int) delegation.Caveat {
	list := make([]any, n)
	for i := range list {
		list[i] = from + i
	}
	return delegation.ArgIs(arg, list...)
}

func addresses(n int) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = fmt.Sprintf("10.0.%d.%d", i/100, i%100)
	}
	return list
}

func prefixes(from, n int) []netip.Prefix {
	list := make([]netip.Prefix, n)
	for i := range list {
		list[i] = netip.PrefixFrom(netip.AddrFrom4([4]byte{11, byte(from), byte(i), 0}), 24)
	}
	return list
}

// manyApprovals demands approval by different choices of the same twelve keys.
func manyApprovals() (list []delegation.Approval) {
	keys := publicKeys("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l")
	for _, chosen := range keyChoices(keys, 6)[:660] {
		list = append(list, delegation.Approval{Keys: chosen})
	}
	return list
}

// keyChoices returns all sublists of the keys of one length.
func keyChoices(keys []token.PublicKey, length int) (all [][]token.PublicKey) {
	if length == 0 {
		return [][]token.PublicKey{nil}
	}
	for i := range keys {
		for _, rest := range keyChoices(keys[i+1:], length-1) {
			all = append(all, append([]token.PublicKey{keys[i]}, rest...))
		}
	}
	return all
}

// hostileToken is a token whose block 0 has the caveats.
func hostileToken(t *testing.T, caveats []delegation.Caveat) token.Chain {
	t.Helper()
	content := block(t, block0)
	for _, c := range caveats {
		if err := c.Validate(); err != nil {
			t.Fatal(err)
		}
		content.Checks = append(content.Checks, c.Check())
	}
	return mint(t, content, token.HeldBy(ci.Public()))
}

// TestReadingHostileTokens: what a token can make its reader do is bounded before
// any limit of the engine. Allocations count the work, they do not depend on time.
func TestReadingHostileTokens(t *testing.T) {
	for _, x := range hostile {
		tok := hostileToken(t, x.caveats())
		var failed error
		allocs := testing.AllocsPerRun(1, func() { _, failed = delegation.Read(tok) })
		if failed != nil {
			t.Errorf("%s: %v", x.name, failed)
		}
		if t.Logf("%s: %d bytes, %.0f allocations", x.name, len(tok.Bytes()), allocs); allocs > x.most {
			t.Errorf("%s: %.0f allocations for a token of %d bytes, at most %.0f", x.name, allocs, len(tok.Bytes()), x.most)
		}
	}
}

// TestDemandsOfHostileTokens: telling quorums apart builds no list that cannot be one.
func TestDemandsOfHostileTokens(t *testing.T) {
	list := manyApprovals()
	var quorums []delegation.Quorum
	allocs := testing.AllocsPerRun(1, func() { quorums = delegation.Quorums(list) })
	if t.Logf("%.0f allocations", allocs); allocs > 10_000 || len(quorums) == 0 {
		t.Errorf("%.0f allocations for %d quorums", allocs, len(quorums))
	}
	// The beginning of a quorum is none.
	if quorums = delegation.Quorums(slices.Clip(list[:2])); len(quorums) != 2 {
		t.Errorf("%v", quorums)
	}
}

// TestFactTypesAreValidatedOnce: not for each fact of a token.
func TestFactTypesAreValidatedOnce(t *testing.T) {
	var types []delegation.FactType
	for i := range 16 {
		types = append(types, delegation.FactType{Name: fmt.Sprint("t", i), Types: []string{"integer"}})
	}
	allocs := func(facts int) float64 {
		content := block(t, block0)
		for i := range facts {
			content.Facts = append(content.Facts, datalog.Predicate{Name: "t15", Terms: []datalog.Term{datalog.Integer(i)}})
		}
		tok := mint(t, content, token.HeldBy(ci.Public()))
		return testing.AllocsPerRun(1, func() {
			if chain, err := delegation.Read(tok, types...); err != nil || len(chain.Facts) != facts {
				t.Errorf("%d facts: %v", facts, err)
			}
		})
	}
	few, many := allocs(1), allocs(101)
	if t.Logf("%.0f and %.0f allocations", few, many); many > few+200 {
		t.Errorf("100 facts take %.0f allocations", many-few)
	}
}

// TestScopeJSONIsBounded: a token names a key of an approver by a number, the JSON of
// its scope in full.
func TestScopeJSONIsBounded(t *testing.T) {
	var caveats []delegation.Caveat
	for _, a := range manyApprovals() {
		caveats = append(caveats, a)
	}
	tok := hostileToken(t, caveats)
	chain, err := delegation.Read(tok)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(chain.Scope)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes of JSON for a token of %d", len(text), len(tok.Bytes()))
	if len(text) > 8*len(tok.Bytes()) || !strings.Contains(string(text), `"omitted":`) || !strings.Contains(string(text), `"approvals":[{`) {
		t.Errorf("%d bytes of JSON for a token of %d", len(text), len(tok.Bytes()))
	}
}
