package verify_test

import (
	"slices"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/replay"
)

// invoked is a new invocation of a request: two of them differ.
func invoked(t tester, c token.Chain, req delegation.Request) string {
	t.Helper()
	presented, err := attenuate.InvokeAt(c, ci, req, now.Add(-delegation.Skew), now.Add(attenuate.Window))
	if err != nil {
		t.Fatal(err)
	}
	return presented.Text()
}

// V9, V12: an approval serves one request that is allowed.
func TestApprovalServesOnce(t *testing.T) {
	approved := approvedBy(t, needing(t, 2, bob, carol, dave), bob, carol)
	v := verifier(t, nil)
	step := func(what string, c token.Chain, req delegation.Request, want token.Code) {
		t.Helper()
		if code := decideWith(t, v, invoked(t, c, req), req); code != want {
			t.Errorf("%s: code %q, want %q", what, code, want)
		}
	}
	read := request(func(r *delegation.Request) { r.Operation = "read" })
	step("another action", approved, read, token.CodeCheckFailed)
	step("denied by another caveat", add(t, approved, ci, `check if false;`, token.SameNext(approved)), rotate, token.CodeCheckFailed)
	step("the first request", approved, rotate, "")
	step("the second", approved, rotate, token.CodeReplay)
	step("the second, from a narrower token", add(t, approved, ci, `check if true;`, token.SameNext(approved)), rotate, token.CodeReplay)
	step("with one approval more", approvedBy(t, approved, dave), rotate, token.CodeReplay)

	held := needing(t, 2, bob, carol, dave)
	later := held
	for _, p := range people(bob, carol) {
		content := approval(t, later, rotate)
		content.Checks = block(t, `check all time($t), $t < 2026-11-23T12:30:00Z;`).Checks
		later = approve(t, later, p, content)
	}
	step("new approvals", later, rotate, "")
	step("one of them old", approvedBy(t, approve(t, held, bob, approval(t, held, rotate)), dave), rotate, token.CodeReplay)
}

// An approval of another action, or of somebody whom nobody asked, is not used up.
func TestApprovalNotNeededIsNotUsedUp(t *testing.T) {
	read := request(func(r *delegation.Request) { r.Operation = "read" })
	held := needing(t, 1, bob)
	both := approvedBy(t, approve(t, held, bob, approval(t, held, read)), mallory, bob)
	v := verifier(t, nil)
	for i, c := range []struct {
		req  delegation.Request
		want token.Code
	}{{rotate, ""}, {rotate, token.CodeReplay}, {read, ""}, {read, token.CodeReplay}} {
		if code := decideWith(t, v, invoked(t, both, c.req), c.req); code != c.want {
			t.Errorf("request %d: code %q, want %q", i, code, c.want)
		}
	}
	idle := approvedBy(t, mint(t, good), mallory) // which nothing demands
	for range 2 {
		if code := decideWith(t, v, invoked(t, idle, rotate), rotate); code != "" {
			t.Errorf("demanded by nobody: code %q", code)
		}
	}
}

func TestApprovalReuseAllowedByName(t *testing.T) {
	approved := approvedBy(t, needing(t, 1, bob), bob)
	v := verifier(t, func(o *verify.Options) { o.AllowApprovalReuse = true })
	text := invoked(t, approved, rotate)
	if code := decideWith(t, v, text, rotate); code != "" {
		t.Fatalf("code %q", code)
	}
	if code := decideWith(t, v, invoked(t, approved, rotate), rotate); code != "" {
		t.Errorf("for a second request: code %q", code)
	}
	if code := decideWith(t, v, text, rotate); code != token.CodeReplay {
		t.Errorf("the same invocation: code %q", code)
	}
}

// A memory that began after the approval can have been used refuses it: the token
// has to say that it was not before. A narrowing that says so helps, if it stands
// before the approval.
func TestApprovalFromBeforeTheMemory(t *testing.T) {
	began := now.Add(-10 * time.Second)
	v := func() *verify.Verifier {
		memory, err := replay.NewMemory(began, nil)
		if err != nil {
			t.Fatal(err)
		}
		return verifier(t, func(o *verify.Options) { o.Replay = memory })
	}
	fresh := func(c token.Chain) string {
		presented, err := attenuate.InvokeAt(c, ci, rotate, began, now.Add(attenuate.Window))
		if err != nil {
			t.Fatal(err)
		}
		return presented.Text()
	}
	const since = `check all time($t), $t >= 2026-11-23T11:59:50Z;`
	held := needing(t, 1, bob)
	if code := decideWith(t, v(), fresh(approvedBy(t, held, bob)), rotate); code != token.CodeReplay {
		t.Errorf("approved at any time before: code %q", code)
	}
	approved := approvedBy(t, held, bob)
	if code := decideWith(t, v(), fresh(add(t, approved, ci, since, token.SameNext(approved))), rotate); code != token.CodeReplay {
		t.Errorf("narrowed after the approval: code %q", code)
	}
	if code := decideWith(t, v(), fresh(approvedBy(t, add(t, held, ci, since, token.SameNext(held)), bob)), rotate); code != "" {
		t.Errorf("narrowed before the approval: code %q", code)
	}
}

// Whoever holds a bearer token uses its approvals up as well.
func TestApprovalOfBearerServesOnce(t *testing.T) {
	source := `delegator("alice@example.com");` + good[len(`delegator("alice@example.com"); holder("agent:ci");`):] + approvalChecks(t, 1, bob)
	approved := approvedBy(t, mintFor(t, alice, source, token.WithSecret(ci)), bob)
	v := verifier(t, func(o *verify.Options) { o.AllowBearer = true })
	for _, want := range []token.Code{"", token.CodeReplay} {
		if code := decideWith(t, v, approved.Text(), rotate); code != want {
			t.Errorf("code %q, want %q", code, want)
		}
	}
}

// Who approved stands in the decision: those whom a caveat names, for this very
// action, also where others have yet to.
func TestDecisionNamesApprovers(t *testing.T) {
	held := needing(t, 2, bob, carol, dave)
	read := request(func(r *delegation.Request) { r.Operation = "read" })
	c := approvedBy(t, approve(t, held, dave, approval(t, held, read)), mallory, bob)
	for _, want := range [][]token.PublicKey{{bob.Public()}, {bob.Public(), carol.Public()}} {
		d, err := verifier(t, nil).Verify(t.Context(), invoked(t, c, rotate), rotate)
		if (err == nil) != (len(want) == 2) {
			t.Errorf("%v", err)
		}
		var got []token.PublicKey
		for _, a := range d.Approvals {
			got = append(got, a.Key)
			if a.Block < 3 || !a.Expires.Equal(now.Add(10*time.Minute)) {
				t.Errorf("%+v", a)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("approved by %v, want %v", got, want)
		}
		c = approvedBy(t, c, carol)
	}
}

// An approval that only the service's own policy asks for serves one request as well,
// and stands in the decision, wherever in the policy its key is named.
func TestApprovalForThePolicyServesOnce(t *testing.T) {
	approved := approvedBy(t, mint(t, good), mallory, bob)
	key := bob.Public().String()
	for where, source := range map[string]string{
		"a policy":       `allow if action($a), approved($a) trusting ` + key + `;`,
		"a later policy": `deny if operation("never"); allow if operation("other") or action($a), approved($a) trusting ` + key + `;`,
		"a check":        `check if action($a), approved($a) trusting ` + key + `; allow if true;`,
		"a rule":         `four_eyes($a) <- action($a), approved($a) trusting ` + key + `; allow if four_eyes($a) trusting ` + key + `;`,
		"all of it":      `trusting ` + key + `; allow if action($a), approved($a);`,
	} {
		policy, err := datalog.ParseAuthorizer(source, nil)
		if err != nil {
			t.Fatalf("%s: %v", where, err)
		}
		v := verifier(t, func(o *verify.Options) { o.Policy = policy })
		for _, want := range []token.Code{"", token.CodeReplay, token.CodeReplay} {
			d, err := v.Verify(t.Context(), invoked(t, approved, rotate), rotate)
			if code := verify.CodeOf(err); code != want {
				t.Errorf("%s: code %q, want %q", where, code, want)
			}
			if len(d.Approvals) != 1 || d.Approvals[0].Key != bob.Public() {
				t.Errorf("%s: approved by %v, want by %s", where, d.Approvals, key)
			}
		}
		if code := decideWith(t, v, invoked(t, mint(t, good), rotate), rotate); code == "" {
			t.Errorf("%s: allowed without an approval", where)
		}
	}
}
