package verify

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
)

// TestApprovalsComparedOutsideTheEngine: where the engine is content, the approvals
// that were read still have to meet the caveats that were read.
func TestApprovalsComparedOutsideTheEngine(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	key := func(owner string) token.PrivateKey {
		seed := sha256.Sum256([]byte(owner))
		k, err := token.NewPrivateKey(datalog.Ed25519, seed[:])
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	req := delegation.Request{Operation: "read", Resource: "a", Audience: "svc"}
	checked, err := req.Check()
	if err != nil {
		t.Fatal(err)
	}
	action, err := checked.ActionDigest()
	if err != nil {
		t.Fatal(err)
	}
	alice, ci, bob := key("alice"), key("ci"), key("bob")
	content := &datalog.Block{Checks: []datalog.Check{delegation.Approval{Keys: []token.PublicKey{bob.Public()}}.Check()}}
	held, err := token.Mint(alice, content, token.HeldBy(ci.Public()), nil)
	if err != nil {
		t.Fatal(err)
	}
	a := delegation.Approved{Action: action, Parent: held.PrefixHash(1), Expires: uint64(now.Unix()) + 60, Block: 1, By: bob.Public()}
	contents, err := token.SignThirdParty(held.Request(), bob, a.Content())
	if err != nil {
		t.Fatal(err)
	}
	approved, err := held.AppendThirdParty(ci, contents, token.SameNext(held))
	if err != nil {
		t.Fatal(err)
	}
	roots, err := trust.Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	v, err := New("svc", roots, nil)
	if err != nil {
		t.Fatal(err)
	}
	link := delegation.Link{Caveats: []delegation.Caveat{delegation.Approval{Keys: []token.PublicKey{bob.Public()}}}}
	for name, c := range map[string]struct {
		read []delegation.Approved
		want token.Code
	}{
		"as it is":     {[]delegation.Approved{a}, ""},
		"none read":    {nil, token.CodeCheckFailed},
		"other action": {[]delegation.Approved{{By: bob.Public()}}, token.CodeCheckFailed},
		"other key":    {[]delegation.Approved{{By: ci.Public(), Action: action}}, token.CodeCheckFailed},
	} {
		chain := &delegation.Chain{Links: []delegation.Link{link}, Approvals: c.read}
		tok := approved.(*token.Token)
		try := &attempt{v: v, d: new(Decision), now: now, req: checked, action: action, token: tok, chain: chain, blocks: engineBlocks(tok)}
		if got := CodeOf(try.evaluate()); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
