package delegation_test

import (
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
)

func key(owner string) token.PrivateKey {
	seed := sha256.Sum256([]byte(owner))
	k, err := token.NewPrivateKey(datalog.Ed25519, seed[:])
	if err != nil {
		panic(err)
	}
	return k
}

var alice, ci, runner = key("alice"), key("ci"), key("runner")

const caveats = `check all time($t), $t >= 2026-11-23T11:59:30Z; check all time($t), $t < 2026-11-23T13:00:00Z;
check all resource($r), $r == "a"; check all operation($o), ["read"].contains($o);`

const block0 = `delegator("alice@example.com"); holder("agent:ci");` + caveats

func block(t *testing.T, source string) *datalog.Block {
	t.Helper()
	b, err := datalog.ParseBlock(source, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func mint(t *testing.T, content *datalog.Block, next token.Next) token.Chain {
	t.Helper()
	c, err := token.Mint(alice, content, next, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func add(t *testing.T, c token.Chain, holder token.Signer, content *datalog.Block, next token.Next) token.Chain {
	t.Helper()
	longer, err := c.Append(holder, content, next)
	if err != nil {
		t.Fatal(err)
	}
	return longer
}

func TestRead(t *testing.T) {
	c := mint(t, block(t, block0), token.HeldBy(ci.Public()))
	c = add(t, c, ci, block(t, `check if arg("/a/b", $v), $v > 1; check if arg("/a", 1);`), token.SameNext(c))
	c = add(t, c, ci, block(t, `holder("agent:runner"); reject if arg("/a/b", 7);`), token.HeldBy(runner.Public()))
	chain, err := delegation.Read(c)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range chain.Links {
		got = append(got, l.Kind.String()+" "+l.Holder)
	}
	if want := "mint agent:ci, narrow agent:ci, handoff agent:runner"; strings.Join(got, ", ") != want {
		t.Errorf("links %q, want %s", got, want)
	}
	if chain.Links[0].By != alice.Public() || chain.Links[1].By != ci.Public() || chain.Links[2].By != ci.Public() || chain.Links[2].Key != runner.Public() {
		t.Error("blocks are blamed on others")
	}
	if chain.Depth != 1 || chain.Bearer || chain.Invocation != nil || chain.Holder().Holder != "agent:runner" {
		t.Errorf("%+v", chain)
	}
	if m := chain.Links[1].Mentions; strings.Join(m.Pointers, " ") != "/a /a/b" || m.Any || m.Names != nil {
		t.Errorf("mentions %+v", m)
	}
}

// TestReadRefuses has what the rest of a decision would refuse in any case: the
// reading must do so by itself, since others build on it.
func TestReadRefuses(t *testing.T) {
	held := mint(t, block(t, block0), token.HeldBy(ci.Public()))
	bearer := add(t, held, ci, block(t, ``), token.WithSecret(runner))
	invocation := (&delegation.Invocation{Nonce: make([]byte, 16), Audience: "svc", Expires: 1}).Content()
	for name, c := range map[string]token.Chain{
		"no delegator":               mint(t, block(t, strings.Replace(block0, `delegator("alice@example.com");`, ``, 1)), token.HeldBy(ci.Public())),
		"bearer handed on":           add(t, bearer, runner, block(t, `holder("agent:x");`), token.WithSecret(ci)),
		"bearer handed on, held":     add(t, bearer, runner, block(t, `holder("agent:x");`), token.HeldBy(ci.Public())),
		"bearer in held form":        add(t, bearer, runner, block(t, ``), token.HeldBy(runner.Public())),
		"an invocation as block 0":   mint(t, invocation, token.WithSecret(token.InvocationKey())),
		"an invocation that is held": add(t, held, ci, invocation, token.HeldBy(token.InvocationKey().Public())),
	} {
		_, err := delegation.Read(c)
		if e, ok := errors.AsType[*token.Error](err); name != "bearer in held form" && (!ok || e.Code != token.CodeProfile) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestInvocationReads: what is written as an invocation reads back the same.
func TestInvocationReads(t *testing.T) {
	held := mint(t, block(t, block0), token.HeldBy(ci.Public()))
	want := delegation.Invocation{
		Nonce: []byte("0123456789abcdef0"), Request: delegation.Digest{1, 2, 3}, Audience: `svc "quoted"`, NotBefore: 5, Expires: 1 << 40,
	}
	chain, err := delegation.Read(add(t, held, ci, want.Content(), token.WithSecret(token.InvocationKey())))
	if err != nil {
		t.Fatal(err)
	}
	got := chain.Invocation
	if string(got.Nonce) != string(want.Nonce) || got.Request != want.Request || got.Audience != want.Audience ||
		got.NotBefore != want.NotBefore || got.Expires != want.Expires || got.Block != 1 || got.By != ci.Public() {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestUnknownFact: what a fact that is not registered is refused for can be told from the
// refusal of anything else in the block.
func TestUnknownFact(t *testing.T) {
	for source, unknown := range map[string]bool{`role("buyer");`: true, `role($x) <- delegator($x);`: false, `delegator("bob@example.com");`: false} {
		_, err := delegation.Read(mint(t, block(t, block0+source), token.HeldBy(ci.Public())))
		fact, ok := errors.AsType[*delegation.UnknownFact](err)
		if err == nil || ok != unknown || ok && fact.Fact.Name != "role" {
			t.Errorf("%s: %v", source, err)
		}
	}
}

// TestAuthor: a block is by the delegator, by whoever held the token, or by the approver
// who signed it, and by nobody in particular once the token is bearer.
func TestAuthor(t *testing.T) {
	c := mint(t, block(t, block0), token.HeldBy(ci.Public()))
	c = add(t, c, ci, block(t, ``), token.SameNext(c))
	bob := key("bob")
	prefix := c.PrefixHash(2)
	approval := delegation.Approved{Parent: prefix, Expires: 1795435200}
	signed, err := token.SignThirdParty(c.Request(), bob, approval.Content())
	if err != nil {
		t.Fatal(err)
	}
	if c, err = c.AppendThirdParty(ci, signed, token.SameNext(c)); err != nil {
		t.Fatal(err)
	}
	c = add(t, c, ci, block(t, `holder("agent:runner");`), token.HeldBy(runner.Public()))
	c = add(t, c, runner, block(t, ``), token.WithSecret(key("anybody")))
	c = add(t, c, key("anybody"), block(t, ``), token.SameNext(c))
	chain, err := delegation.Read(c)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"alice@example.com", "agent:ci", bob.Public().String(), "agent:ci", "agent:runner", ""}
	for i, author := range want {
		if got := chain.Author(i); got != author {
			t.Errorf("block %d is by %q, want %q", i, got, author)
		}
	}
}
