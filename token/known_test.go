package token

import (
	"bytes"
	"testing"

	"github.com/whittle-auth/whittle/token/datalog"
)

// known is a chain of a mint, a handoff and a published secret, by keys 0 to 2.
func knownChain(t *testing.T) (root PrivateKey, chain *Token) {
	t.Helper()
	root = numberedKey(t, 0)
	c, err := Mint(root, parsed(t, `right("a"); check if operation("read");`), HeldBy(numberedKey(t, 1).Public()), nil)
	if err != nil {
		t.Fatal(err)
	}
	return root, c
}

func parsed(t *testing.T, source string) *datalog.Block {
	t.Helper()
	b, err := datalog.ParseBlock(source, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func longer(t *testing.T, c Chain, signer Signer, source string, next Next) *Token {
	t.Helper()
	l, err := c.Append(signer, parsed(t, source), next)
	if err != nil {
		t.Fatal(err)
	}
	return l.(*Token)
}

// TestVerifyAfter: what a token adds to a known one is verified as it would be
// without the knowledge, and the outcome is the same token.
func TestVerifyAfter(t *testing.T) {
	root, first := knownChain(t)
	second := longer(t, first, numberedKey(t, 1), `check if resource("a", $own);`, HeldBy(numberedKey(t, 2).Public()))
	presented := longer(t, second, numberedKey(t, 2), `check if operation("read"), time($own);`, WithSecret(InvocationKey()))
	data := presented.Bytes()

	u, err := Parse(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := u.Verify(root.Public())
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n < 3; n++ {
		known := whole.First(n)
		if known.Form() != Held || known.PrefixHash(n) != whole.PrefixHash(n) || known.NextKey() != whole.Blocks()[n-1].Next {
			t.Fatalf("the first %d blocks are another token", n)
		}
		got, err := u.VerifyAfter(known)
		if err != nil {
			t.Fatalf("after %d: %v", n, err)
		}
		if !bytes.Equal(got.Bytes(), data) || got.Root() != root.Public() || got.Form() != Attenuable {
			t.Errorf("after %d: another token", n)
		}
		for i, b := range got.Blocks() {
			if !b.Datalog.Equal(*whole.Blocks()[i].Datalog) {
				t.Errorf("after %d: block %d reads %s", n, i, b.Datalog)
			}
		}
		for i := range data {
			damaged := bytes.Clone(data)
			damaged[i] ^= 1
			v, err := Parse(damaged, nil)
			if err != nil {
				continue
			}
			_, cold := v.Verify(root.Public())
			if _, warm := v.VerifyAfter(known); (warm == nil) != (cold == nil) {
				t.Errorf("after %d, byte %d damaged: %v, without the knowledge %v", n, i, warm, cold)
			}
		}
	}
	for i := range data { // all blocks are known: what is left is the proof
		damaged := bytes.Clone(data)
		damaged[i] ^= 1
		v, err := Parse(damaged, nil)
		if err != nil {
			continue
		}
		_, cold := v.Verify(root.Public())
		if _, warm := v.VerifyAfter(whole); (warm == nil) != (cold == nil) {
			t.Errorf("all known, byte %d damaged: %v, without the knowledge %v", i, warm, cold)
		}
	}
	if short, err := Parse(second.Bytes(), nil); err != nil {
		t.Fatal(err)
	} else if _, err := short.VerifyAfter(whole); err == nil {
		t.Error("a token shorter than what is known was verified")
	}
	other := longer(t, first, numberedKey(t, 1), `check if resource("b");`, HeldBy(numberedKey(t, 2).Public()))
	if _, err := u.VerifyAfter(other); err == nil {
		t.Error("a sibling's blocks passed for known ones")
	}
}

// TestVerifyAfterLeavesTheKnownTokenAlone: many continuations of one known token
// share its memory, and none sees another's symbols.
func TestVerifyAfterLeavesTheKnownTokenAlone(t *testing.T) {
	root, first := knownChain(t)
	known := first.First(1)
	for _, name := range []string{"left", "right", "left"} {
		c := longer(t, first, numberedKey(t, 1), `check if `+name+`_fact("`+name+`");`, WithSecret(InvocationKey()))
		u, err := Parse(c.Bytes(), nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := u.VerifyAfter(known)
		if err != nil {
			t.Fatal(err)
		}
		cold, err := u.Verify(root.Public())
		if err != nil || !got.Blocks()[1].Datalog.Equal(*cold.Blocks()[1].Datalog) {
			t.Errorf("%s: read as %s, %v", name, got.Blocks()[1].Datalog, err)
		}
	}
}
