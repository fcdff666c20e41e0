package delegation_test

import (
	"math/bits"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
)

func publicKeys(owners ...string) []token.PublicKey {
	var keys []token.PublicKey
	for _, o := range owners {
		keys = append(keys, key(o).Public())
	}
	return keys
}

func TestApprovalCaveat(t *testing.T) {
	k := publicKeys("a", "b", "c")
	for _, keys := range [][]token.PublicKey{k[:1], k[:2], k, {k[2], k[0]}} {
		var texts []string
		for _, key := range keys {
			texts = append(texts, key.String())
		}
		want := `check if action($a), approved($a) trusting ` + strings.Join(texts, ", ")
		cv := delegation.Approval{Keys: keys}
		if got := cv.Check().String(); got != want {
			t.Errorf("written %s, want %s", got, want)
		}
		if read, err := delegation.ParseCheck(want); err != nil || !reflect.DeepEqual(read, cv) {
			t.Errorf("%s reads as %#v, %v", want, read, err)
		}
		if got := cv.String(); got != "approval by "+strings.Join(texts, " or ") {
			t.Errorf("shown as %s", got)
		}
	}
}

// V7: trusting stands in the approval form and nowhere else.
func TestAlmostApprovals(t *testing.T) {
	k := publicKeys("a", "b")[0].String()
	other := publicKeys("a", "b")[1].String()
	for _, source := range []string{
		`check if approved($a) trusting ` + k,
		`check if action($a) trusting ` + k,
		`check if approved($a), action($a) trusting ` + k,
		`check if action($x), approved($x) trusting ` + k,
		`check if action($a), approved($b) trusting ` + k,
		`check if action($a), approved($a), true trusting ` + k,
		`check if action($a), approved($a), operation("x") trusting ` + k,
		`check all action($a), approved($a) trusting ` + k,
		`reject if action($a), approved($a) trusting ` + k,
		`check if action($a), approved($a) trusting ` + k + ` or true`,
		`check if action($a), approved($a) trusting ` + k + ` or action($a), approved($a) trusting ` + other,
		`check if action($a), approved($a) trusting ` + k + `, ` + k,
		`check if action($a), approved($a) trusting ` + k + `, previous`,
		`check if action($a), approved($a) trusting authority, ` + k,
		`check if action($a), approved($a) trusting authority`,
		`check if action($a), approved($a) trusting ` + token.InvocationKey().Public().String(),
		`check if action($a), approved($a) trusting ed25519/0100000000000000000000000000000000000000000000000000000000000000`,
		`check if action($a), approved($a) trusting ` + manyKeys(9),
		`check if action($a), said($a) trusting ` + k,
	} {
		if cv, err := delegation.ParseCheck(source); err == nil {
			t.Errorf("%s reads as %#v", source, cv)
		}
	}
	if cv, err := delegation.ParseCheck(`check if action($a), approved($a) trusting ` + manyKeys(8)); err != nil {
		t.Errorf("eight keys: %v, %v", cv, err)
	}
	if cv, err := delegation.ParseCheck(`check if action($a), approved($a)`); err != nil {
		t.Errorf("trusting nobody, which can never hold: %v", err)
	} else if _, ok := cv.(delegation.Custom); !ok {
		t.Errorf("trusting nobody reads as %#v", cv)
	}
}

func manyKeys(n int) string {
	var list []string
	for i := range n {
		list = append(list, key(strings.Repeat("k", i+1)).Public().String())
	}
	return strings.Join(list, ", ")
}

// TestApprovals: m of n is so many choices, and each set of approvers meets all of
// them exactly if it has m people.
func TestApprovals(t *testing.T) {
	all := publicKeys("a", "b", "c", "d", "e", "f", "g", "h")
	for n := 1; n <= len(all); n++ {
		for need := 1; need <= n; need++ {
			caveats, err := delegation.Approvals(need, all[:n]...)
			if err != nil {
				t.Fatal(err)
			}
			for chosen := range 1 << n {
				met := !slices.ContainsFunc(caveats, func(c delegation.Caveat) bool {
					return !slices.ContainsFunc(c.(delegation.Approval).Keys, func(k token.PublicKey) bool {
						return chosen>>slices.Index(all, k)&1 == 1
					})
				})
				if met != (bits.OnesCount(uint(chosen)) >= need) {
					t.Fatalf("%d of %d: approval by %b gives %v", need, n, chosen, met)
				}
			}
			var list []delegation.Approval
			for _, c := range caveats {
				list = append(list, c.(delegation.Approval))
			}
			if q := delegation.Quorums(list); len(q) != 1 || q[0].Need != need || !slices.Equal(q[0].Keys, all[:n]) {
				t.Errorf("%d of %d reads back as %v", need, n, q)
			}
		}
	}
	for _, c := range []struct {
		need int
		keys []token.PublicKey
	}{
		{1, nil}, {0, all[:2]}, {-1, all[:2]}, {3, all[:2]}, {1, []token.PublicKey{all[0], all[0]}}, {1, []token.PublicKey{{}}},
		{1, []token.PublicKey{token.InvocationKey().Public()}}, {1, append(slices.Clone(all), publicKeys("i")...)},
	} {
		if caveats, err := delegation.Approvals(c.need, c.keys...); err == nil {
			t.Errorf("%d of %v is %v", c.need, c.keys, caveats)
		}
	}
}

// TestQuorumsOfAnything: whatever the list of caveats, reading it as quorums and
// writing these again gives the list.
func TestQuorumsOfAnything(t *testing.T) {
	all := publicKeys("a", "b", "c", "d")
	several := 0
	rapid.Check(t, func(t *rapid.T) {
		var list []delegation.Approval
		for range rapid.IntRange(0, 4).Draw(t, "groups") {
			keys := rapid.Permutation(all).Draw(t, "keys")[:rapid.IntRange(1, 4).Draw(t, "n")]
			if rapid.Bool().Draw(t, "single") {
				list = append(list, delegation.Approval{Keys: keys})
				continue
			}
			list = append(list, approvalsOf(t, rapid.IntRange(1, len(keys)).Draw(t, "need"), keys)...)
		}
		var again []delegation.Approval
		quorums := delegation.Quorums(list)
		for _, q := range quorums {
			again = append(again, approvalsOf(t, q.Need, q.Keys)...)
			if q.Need > 1 {
				several++
			}
		}
		if !slices.EqualFunc(list, again, func(a, b delegation.Approval) bool { return slices.Equal(a.Keys, b.Keys) }) {
			t.Fatalf("%v reads as %v", list, quorums)
		}
	})
	if several == 0 {
		t.Error("no quorum of several came up")
	}
}

// TestAlmostAQuorum: caveats that begin as a quorum does and then name somebody else are
// each by themselves, or somebody would be shown whose approval counts for nothing.
func TestAlmostAQuorum(t *testing.T) {
	k := publicKeys("a", "b", "c", "d")
	list := []delegation.Approval{{Keys: []token.PublicKey{k[0], k[1]}}, {Keys: []token.PublicKey{k[0], k[2]}}, {Keys: []token.PublicKey{k[0], k[3]}}}
	if quorums := delegation.Quorums(list); len(quorums) != 3 {
		t.Errorf("read as %v", quorums)
	}
	list[2].Keys = []token.PublicKey{k[1], k[2]}
	if quorums := delegation.Quorums(list); len(quorums) != 1 || quorums[0].Need != 2 || len(quorums[0].Keys) != 3 {
		t.Errorf("2 of 3 reads as %v", quorums)
	}
}

func approvalsOf(t *rapid.T, need int, keys []token.PublicKey) []delegation.Approval {
	caveats, err := delegation.Approvals(need, keys...)
	if err != nil {
		t.Fatal(err)
	}
	var list []delegation.Approval
	for _, c := range caveats {
		list = append(list, c.(delegation.Approval))
	}
	return list
}

func TestQuorumText(t *testing.T) {
	k := publicKeys("a", "b")
	for want, q := range map[string]delegation.Quorum{
		"approval by " + k[0].String():                             {Need: 1, Keys: k[:1]},
		"approval by " + k[0].String() + " or " + k[1].String():    {Need: 1, Keys: k},
		"approval by 2 of " + k[0].String() + ", " + k[1].String(): {Need: 2, Keys: k},
	} {
		if q.String() != want {
			t.Errorf("%s, want %s", q, want)
		}
		wanted, err := delegation.Approvals(q.Need, q.Keys...)
		if err != nil {
			t.Fatal(err)
		}
		if read, err := delegation.ParseCaveats(want); err != nil || !reflect.DeepEqual(read, wanted) {
			t.Errorf("%s reads as %v, %v", want, read, err)
		}
	}
}

func TestQuorumTextRefused(t *testing.T) {
	k := publicKeys("a", "b")
	a, b := k[0].String(), k[1].String()
	for _, text := range []string{
		"approval by 2 of " + a, "approval by 0 of " + a, "approval by -1 of " + a + ", " + b, "approval by 3 of " + a + ", " + b,
		"approval by 2 of " + a + ", " + a, "approval by 2 of " + a + " " + b, "approval by 2 of " + a + " or " + b, "approval by 2 of " + a + "," + b,
		"approval by 2 of " + a + ", " + b + ",", "approval by 2 of", "approval by 2", "approval by 2 " + a + ", " + b, "approval by 02 of " + a + ", " + b,
		"approval by 2 of " + a + ", ed25519/00", "approval by 9223372036854775807 of " + a + ", " + b, "approval by 2 of , " + a + ", " + b,
		"approval by 1 of " + token.InvocationKey().Public().String(),
	} {
		if read, err := delegation.ParseCaveats(text); err == nil {
			t.Errorf("%s reads as %v", text, read)
		}
	}
	if read, err := delegation.ParseCaveats("approval by 1 of " + a); err != nil || len(read) != 1 {
		t.Errorf("one of one: %v, %v", read, err)
	}
	if read, err := delegation.ParseCaveat("approval by 1 of " + a + ", " + b); err != nil {
		t.Errorf("one of two: %v, %v", read, err)
	}
}

// The scope has each demand once, and more of them do not widen it.
func TestScopeOfApprovals(t *testing.T) {
	k := publicKeys("a", "b", "c")
	var s delegation.Scope
	for _, cv := range []delegation.Approval{{Keys: k[:2]}, {Keys: []token.PublicKey{k[1], k[0]}}, {Keys: k[:1]}, {Keys: k}} {
		if _, err := s.Fit(cv, false); err != nil {
			t.Errorf("%s: %v", cv, err)
		}
		s.Narrow(cv, len(s.Bounds))
	}
	if len(s.Bounds) != 3 || s.Empty {
		t.Errorf("%v", s.Bounds)
	}
}

// What an approval says, read from a chain.
func TestReadApproval(t *testing.T) {
	c := mint(t, block(t, block0), token.HeldBy(ci.Public()))
	a := delegation.Approved{Action: delegation.Digest{1}, Parent: c.PrefixHash(1), Expires: uint64(noon.Unix())}
	contents, err := token.SignThirdParty(c.Request(), key("bob"), a.Content())
	if err != nil {
		t.Fatal(err)
	}
	approved, err := c.AppendThirdParty(ci, contents, token.SameNext(c))
	if err != nil {
		t.Fatal(err)
	}
	chain, err := delegation.Read(approved)
	if err != nil {
		t.Fatal(err)
	}
	a.Block, a.By, a.Signature = 1, key("bob").Public(), approved.Blocks()[1].ExternalSignature
	a.From, a.Until = uint64(noon.Unix())-30, a.Expires
	if !reflect.DeepEqual(chain.Approvals, []delegation.Approved{a}) {
		t.Errorf("%+v, want %+v", chain.Approvals, a)
	}
	if len(chain.Links) != 1 || chain.Holder().Holder != "agent:ci" || chain.Depth != 0 {
		t.Errorf("%+v", chain)
	}
	if !chain.HasPart(ci.Public()) || !chain.HasPart(alice.Public()) || chain.HasPart(a.By) || chain.HasPart(token.PublicKey{}) {
		t.Error("who takes part in the chain")
	}
	for _, want := range []string{
		`approved(hex:0100000000000000000000000000000000000000000000000000000000000000)`,
		`check all time($t), $t < 2026-11-23T12:00:00Z`,
	} {
		if !strings.Contains(a.Content().String(), want) {
			t.Errorf("%s is not in\n%s", want, a.Content())
		}
	}
}
