package attenuate_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
)

var bob, carol, dave = key("bob"), key("carol"), key("dave")

// twoOfThree is a token that demands approval by two people.
func twoOfThree(t *testing.T) token.Chain {
	t.Helper()
	return demanding(t, 2, bob, carol, dave)
}

func demanding(t *testing.T, need int, people ...token.PrivateKey) token.Chain {
	t.Helper()
	var keys []token.PublicKey
	for _, p := range people {
		keys = append(keys, p.Public())
	}
	approvals, err := delegation.Approvals(need, keys...)
	if err != nil {
		t.Fatal(err)
	}
	c, err := attenuate.Mint(alice, grant(), append(approvals, caveats...)...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func rootsOf(t *testing.T, principal string, k token.PrivateKey) *trust.Roots {
	t.Helper()
	r, err := trust.Parse([]byte(principal + ` namespaces="whittle" ` + k.Public().AuthorizedKey("")))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func ask(t *testing.T, c token.Chain, action delegation.Request) *delegation.ApprovalRequest {
	t.Helper()
	r, err := attenuate.RequestApproval(c, action)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// sent is a request for approval as it arrives.
func sent(t *testing.T, r *delegation.ApprovalRequest) *delegation.ApprovalRequest {
	t.Helper()
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	arrived, err := delegation.ParseApprovalRequest(data)
	if err != nil {
		t.Fatal(err)
	}
	return arrived
}

func TestApprovalRoundTrip(t *testing.T) {
	roots := rootsOf(t, "alice@example.com", alice)
	at := &attenuate.ApprovalOptions{Now: now}
	c := twoOfThree(t)
	for i, person := range []token.PrivateKey{bob, dave} {
		reviewed, err := attenuate.Review(sent(t, ask(t, c, req)), roots, person.Public(), at)
		if err != nil {
			t.Fatal(err)
		}
		if reviewed.Chain.Delegator != "alice@example.com" || len(reviewed.Chain.Approvals) != i || reviewed.Action.Operation != "read" {
			t.Errorf("%+v", reviewed)
		}
		if !reviewed.Expires.Equal(now.Add(attenuate.ApprovalTTL)) {
			t.Errorf("expires %s", reviewed.Expires)
		}
		approval, err := reviewed.Approve(person)
		if err != nil {
			t.Fatal(err)
		}
		if c, err = attenuate.Attach(c, ci, approval, at); err != nil {
			t.Fatal(err)
		}
	}
	chain, err := delegation.Read(c)
	if err != nil {
		t.Fatal(err)
	}
	checked, err := req.Check()
	if err != nil {
		t.Fatal(err)
	}
	digest, err := checked.ActionDigest()
	if err != nil {
		t.Fatal(err)
	}
	if missing := chain.Unapproved(digest); len(missing) > 0 {
		t.Errorf("still missing: %v", missing)
	}
	if _, err := attenuate.Invoke(c, ci, req); err != nil {
		t.Error(err)
	}
}

// A5: what an approver does not sign.
func TestReviewRefuses(t *testing.T) {
	roots := rootsOf(t, "alice@example.com", alice)
	good := ask(t, twoOfThree(t), req)
	other := func(change func(*delegation.ApprovalRequest)) *delegation.ApprovalRequest {
		r := *good
		change(&r)
		return &r
	}
	approved := func() *delegation.ApprovalRequest {
		c := twoOfThree(t)
		return ask(t, attach(t, c, bob, req), req)
	}()
	bearer, err := attenuate.Mint(alice, attenuate.Grant{Delegator: "alice@example.com", TTL: time.Hour, Now: now, AllowBearer: true},
		append(caveats, delegation.Approval{Keys: []token.PublicKey{bob.Public()}})...)
	if err != nil {
		t.Fatal(err)
	}
	presented, err := attenuate.InvokeAt(twoOfThree(t), ci, req, now, now.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		request  *delegation.ApprovalRequest
		roots    *trust.Roots
		approver token.PublicKey
		at       time.Time
		want     token.Code // empty for an error without one
	}{
		"no roots":          {good, nil, bob.Public(), now, ""},
		"another root":      {good, rootsOf(t, "alice@example.com", runner), bob.Public(), now, token.CodeUntrustedRoot},
		"another delegator": {good, rootsOf(t, "bob@example.com", alice), bob.Public(), now, token.CodeUntrustedRoot},
		"a stranger":        {good, roots, runner.Public(), now, token.CodeProfile},
		"nobody":            {good, roots, token.PublicKey{}, now, token.CodeProfile},
		"the holder":        {ask(t, demanding(t, 1, ci, bob), req), roots, ci.Public(), now, token.CodeProfile},
		"the root":          {ask(t, demanding(t, 1, alice, bob), req), roots, alice.Public(), now, token.CodeProfile},
		"twice":             {approved, roots, bob.Public(), now, token.CodeProfile},
		"expired":           {good, roots, bob.Public(), now.Add(time.Hour), token.CodeExpired},
		"not yet":           {good, roots, bob.Public(), now.Add(-time.Minute), token.CodeWindow},
		"bearer":            {other(func(r *delegation.ApprovalRequest) { r.Token = bearer.Text() }), roots, bob.Public(), now, token.CodeProfile},
		"presented":         {other(func(r *delegation.ApprovalRequest) { r.Token = presented.Text() }), roots, bob.Public(), now, token.CodeProfile},
		"asks for nobody":   {other(func(r *delegation.ApprovalRequest) { r.Token = mint(t).Text() }), roots, bob.Public(), now, token.CodeProfile},
		"no token":          {other(func(r *delegation.ApprovalRequest) { r.Token = "whittle:" }), roots, bob.Public(), now, token.CodeMalformed},
		"another operation": {other(func(r *delegation.ApprovalRequest) { r.Action.Operation = "delete" }), roots, bob.Public(), now, token.CodeCheckFailed},
		"another resource":  {other(func(r *delegation.ApprovalRequest) { r.Action.Resource = "c" }), roots, bob.Public(), now, token.CodeCheckFailed},
		"no operation":      {other(func(r *delegation.ApprovalRequest) { r.Action.Operation = "" }), roots, bob.Public(), now, ""},
	} {
		t.Run(name, func(t *testing.T) {
			reviewed, err := attenuate.Review(c.request, c.roots, c.approver, &attenuate.ApprovalOptions{Now: c.at})
			if err == nil || reviewed != nil || code(err) != c.want {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	if _, err := attenuate.Review(good, roots, bob.Public(), &attenuate.ApprovalOptions{Now: now}); err != nil {
		t.Errorf("the good one: %v", err)
	}
	if _, err := attenuate.Review(good, roots, bob.Public(), &attenuate.ApprovalOptions{Now: now, TTL: -1}); err == nil {
		t.Error("for less than no time")
	}
	if _, err := attenuate.Review(approved, roots, carol.Public(), &attenuate.ApprovalOptions{Now: now}); err != nil {
		t.Errorf("the second approver: %v", err)
	}
	allowing := &attenuate.ApprovalOptions{Now: now, AllowApproverInChain: true}
	if _, err := attenuate.Review(ask(t, demanding(t, 1, alice), req), roots, alice.Public(), allowing); err != nil {
		t.Errorf("the root, allowed by name: %v", err)
	}
}

// attach lets a person approve and CI attach it.
func attach(t *testing.T, c token.Chain, person token.PrivateKey, action delegation.Request) token.Chain {
	t.Helper()
	longer, err := attenuate.Attach(c, ci, approve(t, c, person, action), &attenuate.ApprovalOptions{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return longer
}

func approve(t *testing.T, c token.Chain, person token.PrivateKey, action delegation.Request) []byte {
	t.Helper()
	reviewed, err := attenuate.Review(ask(t, c, action), rootsOf(t, "alice@example.com", alice), person.Public(), &attenuate.ApprovalOptions{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	approval, err := reviewed.Approve(person)
	if err != nil {
		t.Fatal(err)
	}
	return approval
}

// An approval ends with the token at the latest, and is signed by whom it was
// reviewed for.
func TestApprove(t *testing.T) {
	c := twoOfThree(t)
	roots := rootsOf(t, "alice@example.com", alice)
	reviewed, err := attenuate.Review(ask(t, c, req), roots, bob.Public(), &attenuate.ApprovalOptions{Now: now, TTL: 5 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if !reviewed.Expires.Equal(now.Add(time.Hour)) {
		t.Errorf("expires %s", reviewed.Expires)
	}
	for name, signer := range map[string]token.Signer{"carol": carol, "nobody": nil, "a faulty signer": faulty{bob}, "one that is gone": failing{bob}} {
		if _, err := reviewed.Approve(signer); err == nil {
			t.Errorf("signed by %s", name)
		}
	}
	if _, err := reviewed.Approve(failing{bob}); !errors.Is(err, errGone) {
		t.Errorf("%v", err)
	}
}

func TestAttachRefuses(t *testing.T) {
	c := twoOfThree(t)
	at := &attenuate.ApprovalOptions{Now: now}
	approval := approve(t, c, bob, req)
	signed := func(k token.PrivateKey, content *datalog.Block) []byte {
		contents, err := token.SignThirdParty(c.Request(), k, content)
		if err != nil {
			t.Fatal(err)
		}
		return contents
	}
	right := func(change func(*delegation.Approved)) *datalog.Block {
		a := delegation.Approved{Parent: c.PrefixHash(1), Expires: uint64(now.Unix()) + 60}
		change(&a)
		return a.Content()
	}
	narrowed, err := attenuate.Narrow(c, ci, delegation.Operation("read"))
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]struct {
		to       token.Chain
		holder   token.Signer
		approval []byte
		want     token.Code
	}{
		"by another holder":        {c, runner, approval, token.CodeProfile},
		"by nobody":                {c, nil, approval, token.CodeProfile},
		"to a narrowed token":      {narrowed, ci, approval, token.CodeSignature},
		"to another token":         {demanding(t, 1, bob), ci, approval, token.CodeSignature},
		"cut":                      {c, ci, approval[:len(approval)-1], token.CodeMalformed},
		"nothing":                  {c, ci, nil, token.CodeMalformed},
		"of a stranger":            {c, ci, signed(runner, right(func(*delegation.Approved) {})), token.CodeProfile},
		"of another prefix":        {c, ci, signed(bob, right(func(a *delegation.Approved) { a.Parent[0] ^= 1 })), token.CodeProfile},
		"that expired":             {c, ci, signed(bob, right(func(a *delegation.Approved) { a.Expires = uint64(now.Unix()) })), token.CodeExpired},
		"that says something else": {c, ci, signed(bob, &datalog.Block{Facts: []datalog.Predicate{{Name: "operation", Terms: []datalog.Term{datalog.String("pay")}}}}), token.CodeProfile},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := attenuate.Attach(f.to, f.holder, f.approval, at); err == nil || code(err) != f.want {
				t.Errorf("%v, want %q", err, f.want)
			}
		})
	}
	if _, err := attenuate.Attach(c, ci, approval, at); err != nil {
		t.Error(err)
	}
	own := demanding(t, 1, ci)
	selfApproved := delegation.Approved{Parent: own.PrefixHash(1), Expires: uint64(now.Unix()) + 60}
	contents, err := token.SignThirdParty(own.Request(), ci, selfApproved.Content())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := attenuate.Attach(own, ci, contents, at); code(err) != token.CodeProfile {
		t.Errorf("the holder's own: %v", err)
	}
	if _, err := attenuate.Attach(own, ci, contents, &attenuate.ApprovalOptions{Now: now, AllowApproverInChain: true}); err != nil {
		t.Errorf("the holder's own, allowed by name: %v", err)
	}
}

func TestRequestApprovalRefuses(t *testing.T) {
	if _, err := attenuate.RequestApproval(mint(t), req); code(err) != token.CodeProfile {
		t.Errorf("asks for nobody: %v", err)
	}
	wide := req
	wide.Operation = "delete"
	if _, err := attenuate.RequestApproval(twoOfThree(t), wide); code(err) != token.CodeCheckFailed || !strings.Contains(err.Error(), "block 0") {
		t.Errorf("beyond the token: %v", err)
	}
}
