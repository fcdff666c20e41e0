package verify_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
)

// TestApprovalsAgainstAModel: whatever caveats demand approval, in whatever blocks,
// and whoever approves what, before or after: a request is allowed exactly if each
// caveat has somebody who approved the very action.
func TestApprovalsAgainstAModel(t *testing.T) {
	all := people(bob, carol, dave, key("erin"))
	read := request(func(r *delegation.Request) { r.Operation = "read" })
	v := verifier(t, forgetful)
	counts := map[token.Code]int{}
	checkUntil(t, func() bool { return counts[""] > 0 && counts[token.CodeCheckFailed] > 0 }, func(t *rapid.T) {
		var demanded [][]int
		caveat := func() string {
			chosen := rapid.Permutation([]int{0, 1, 2, 3}).Draw(t, "keys")[:rapid.IntRange(1, 4).Draw(t, "number")]
			demanded = append(demanded, chosen)
			var a delegation.Approval
			for _, i := range chosen {
				a.Keys = append(a.Keys, all[i].Public())
			}
			return a.Check().String() + ";"
		}
		source := good
		for range rapid.IntRange(0, 2).Draw(t, "caveats") {
			source += caveat()
		}
		c := mint(t, source)
		var approved [4]bool
		for range rapid.IntRange(0, 7).Draw(t, "blocks") {
			switch rapid.IntRange(0, 4).Draw(t, "kind") {
			case 0:
				c = add(t, c, ci, caveat(), token.SameNext(c))
			case 1:
				c = approve(t, c, all[rapid.IntRange(0, 3).Draw(t, "who")], approval(t, c, read))
			default:
				who := rapid.IntRange(0, 3).Draw(t, "who")
				c = approve(t, c, all[who], approval(t, c, rotate))
				approved[who] = true
			}
		}
		want := token.Code("")
		for _, keys := range demanded {
			met := false
			for _, i := range keys {
				met = met || approved[i]
			}
			if !met {
				want = token.CodeCheckFailed
			}
		}
		if code := decideWith(t, v, present(t, c, ci, rotate, nil).Text(), rotate); code != want {
			t.Fatalf("code %q, want %q", code, want)
		}
		if len(demanded) > 0 {
			counts[want]++
		}
	})
}
