package token_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
)

func generate(t *testing.T, alg datalog.Algorithm) token.PrivateKey {
	t.Helper()
	k, err := token.GenerateKey(alg)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func parse(t *testing.T, source string) *datalog.Block {
	t.Helper()
	b, err := datalog.ParseBlock(source, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func mint(t *testing.T, root token.Signer, source string, next token.Next) *token.Token {
	t.Helper()
	tok, err := token.Mint(root, parse(t, source), next, nil)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func code(err error) token.Code {
	if e, ok := errors.AsType[*token.Error](err); ok {
		return e.Code
	}
	return ""
}

// reread takes a token through its text form and verifies it.
func reread(t *testing.T, c token.Chain, root token.PublicKey) *token.Token {
	t.Helper()
	u, err := token.ParseText(c.Text(), nil)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := u.Verify(root)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(tok.Bytes(), c.Bytes()) || tok.Form() != c.Form() || len(tok.Blocks()) != len(c.Blocks()) {
		t.Fatal("the token changed on its way through text")
	}
	for i := range tok.Blocks() {
		a, b := tok.Blocks()[i], c.Blocks()[i]
		if !a.Datalog.Equal(*b.Datalog) || a.Next != b.Next || a.External != b.External || !bytes.Equal(a.Signature, b.Signature) {
			t.Errorf("block %d is %+v after reading, %+v before", i, a, b)
		}
	}
	return tok
}

func TestForms(t *testing.T) {
	for _, alg := range []datalog.Algorithm{datalog.Ed25519, datalog.Secp256r1} {
		root, holder, next, third := generate(t, alg), generate(t, alg), generate(t, alg), generate(t, alg)
		held := mint(t, root, `right("a"); check if time($t);`, token.HeldBy(holder.Public()))
		reread(t, held, root.Public())
		if held.Form() != token.Held || !strings.HasPrefix(held.Text(), "whittle:") {
			t.Errorf("held: %s %.20s", held.Form(), held.Text())
		}
		handed, err := held.Append(holder, parse(t, `check if right("a") trusting `+third.Public().String()+`;`), token.HeldBy(next.Public()))
		if err != nil {
			t.Fatal(err)
		}
		reread(t, handed, root.Public())
		contents, err := token.SignThirdParty(handed.Request(), third, parse(t, `right("a"); extra("b");`))
		if err != nil {
			t.Fatal(err)
		}
		external, err := handed.AppendThirdParty(next, contents, token.SameNext(handed))
		if err != nil {
			t.Fatal(err)
		}
		if got := reread(t, external, root.Public()).Blocks()[2].External; got != third.Public() {
			t.Errorf("signed by %s", got)
		}
		// Symbols of the third party's block are its own: a later block does not
		// see them.
		later, err := external.Append(next, parse(t, `extra("b"); other("c");`), token.WithSecret(holder))
		if err != nil {
			t.Fatal(err)
		}
		open := reread(t, later, root.Public())
		if open.Form() != token.Attenuable {
			t.Errorf("open: %s", open.Form())
		}
		more, err := open.Append(nil, parse(t, `check if true;`), token.SameNext(open))
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := more.Seal(nil)
		if err != nil {
			t.Fatal(err)
		}
		if reread(t, sealed, root.Public()).Form() != token.Sealed {
			t.Errorf("sealed: %s", sealed.Form())
		}
		if _, err := sealed.Append(nil, parse(t, `check if true;`), token.SameNext(open)); code(err) != token.CodeProfile {
			t.Errorf("appended to a sealed token: %v", err)
		}
		if _, err := token.Mint(root, parse(t, `a(1);`), token.SameNext(sealed), nil); err == nil {
			t.Error("a new token with the seal of another")
		}
		if _, err := sealed.Seal(nil); code(err) != token.CodeProfile {
			t.Errorf("sealed twice: %v", err)
		}
		if len(held.Blocks()) != 1 || len(handed.Blocks()) != 2 {
			t.Error("appending changed the parent")
		}
	}
}

// Two children of one parent do not disturb each other.
func TestSiblings(t *testing.T) {
	root := generate(t, datalog.Ed25519)
	holder := generate(t, datalog.Ed25519)
	parent := mint(t, root, `a("x");`, token.HeldBy(holder.Public()))
	for range 3 {
		first, err := parent.Append(holder, parse(t, `b("y");`), token.HeldBy(holder.Public()))
		if err != nil {
			t.Fatal(err)
		}
		second, err := parent.Append(holder, parse(t, `c("z");`), token.HeldBy(holder.Public()))
		if err != nil {
			t.Fatal(err)
		}
		if got := reread(t, first, root.Public()).Blocks()[1].Datalog.String(); got != "b(\"y\");\n" {
			t.Errorf("first child says %s", got)
		}
		if got := reread(t, second, root.Public()).Blocks()[1].Datalog.String(); got != "c(\"z\");\n" {
			t.Errorf("second child says %s", got)
		}
	}
}

// Juju CVE-2026-1237: what was not verified must not be used to mint. Here it
// cannot even be written: only verified types have the methods, and only tokens
// verified from a root reach a decision (verify.Authorize takes *token.Token).
func TestUnverifiedCannotBeUsed(t *testing.T) {
	chain := reflect.TypeFor[token.Chain]()
	unverified := reflect.TypeFor[*token.Unverified]()
	if unverified.Implements(chain) {
		t.Error("an unverified token is a chain")
	}
	for _, method := range []string{"Append", "AppendThirdParty", "Seal", "Request", "Blocks"} {
		if _, ok := unverified.MethodByName(method); ok {
			t.Errorf("an unverified token has the method %s", method)
		}
	}
	if !reflect.TypeFor[*token.Token]().Implements(chain) || !reflect.TypeFor[*token.Unrooted]().Implements(chain) {
		t.Error("a verified token is no chain")
	}
	if reflect.TypeFor[*token.Unrooted]().ConvertibleTo(reflect.TypeFor[*token.Token]()) {
		t.Error("a token without a root converts to one with a root")
	}
}

func TestUnrooted(t *testing.T) {
	root, holder, stranger := generate(t, datalog.Ed25519), generate(t, datalog.Ed25519), generate(t, datalog.Ed25519)
	held := mint(t, root, `a(1);`, token.HeldBy(holder.Public()))
	u, err := token.Parse(held.Bytes(), nil)
	if err != nil {
		t.Fatal(err)
	}
	unrooted, err := u.VerifyUnrooted()
	if err != nil {
		t.Fatal(err)
	}
	if !unrooted.Root().IsZero() {
		t.Error("a root nobody verified")
	}
	longer, err := unrooted.Append(holder, parse(t, `b(2);`), token.HeldBy(holder.Public()))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := longer.(*token.Unrooted); !ok {
		t.Errorf("appending to an unrooted token gives %T", longer)
	}
	reread(t, longer, root.Public())
	if _, err := u.Verify(stranger.Public()); code(err) != token.CodeSignature {
		t.Errorf("verified with a stranger's key: %v", err)
	}
	if _, err := u.Verify(token.PublicKey{}); err == nil {
		t.Error("verified with no key")
	}
	if _, err := u.VerifyAny(nil); code(err) != token.CodeUntrustedRoot {
		t.Errorf("verified with no keys: %v", err)
	}
}

func TestThirdPartyForAnotherToken(t *testing.T) {
	root, third := generate(t, datalog.Ed25519), generate(t, datalog.Ed25519)
	next, err := token.FreshKey(datalog.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	one, other := mint(t, root, `a(1);`, next), mint(t, root, `a(2);`, next)
	contents, err := token.SignThirdParty(one.Request(), third, parse(t, `b(1);`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.AppendThirdParty(nil, contents, next); code(err) != token.CodeSignature {
		t.Errorf("appended to another token: %v", err)
	}
	for i := range contents {
		broken := bytes.Clone(contents)
		broken[i] ^= 1
		if _, err := one.AppendThirdParty(nil, broken, next); err == nil {
			t.Errorf("appended with byte %d changed", i)
		}
	}
	if _, err := token.SignThirdParty([]byte("\x0a\x00"), third, parse(t, ``)); err == nil {
		t.Error("signed for a request that is none")
	}
}

func TestText(t *testing.T) {
	root, holder := generate(t, datalog.Ed25519), generate(t, datalog.Ed25519)
	held := mint(t, root, `a(1);`, token.HeldBy(holder.Public()))
	open := mint(t, root, `a(1);`, token.WithSecret(holder))
	body := strings.TrimPrefix(held.Text(), "whittle:")
	pad := strings.Repeat("=", (4-len(body)%4)%4)
	for name, c := range map[string]struct {
		text string
		want token.Code
	}{
		"held":                 {held.Text(), ""},
		"held without prefix":  {body, ""},
		"padded":               {"whittle:" + body + pad, ""},
		"open":                 {open.Text(), ""},
		"biscuit prefix":       {"biscuit:" + open.Text(), ""},
		"open, marked as held": {"whittle:" + open.Text(), token.CodeMalformed},
		"two prefixes":         {"whittle:biscuit:" + body, token.CodeMalformed},
		"empty":                {"", token.CodeMalformed},
		"prefix only":          {"whittle:", token.CodeMalformed},
		"space":                {" " + open.Text(), token.CodeMalformed},
		"newline at the end":   {open.Text() + "\n", token.CodeMalformed},
		"newline inside":       {open.Text()[:40] + "\n" + open.Text()[40:], token.CodeMalformed},
		"plus":                 {"+" + open.Text()[1:], token.CodeMalformed},
		"cut":                  {open.Text()[:len(open.Text())-5], token.CodeMalformed},
		"one character":        {"A", token.CodeMalformed},
		"padding inside":       {open.Text()[:8] + "==" + open.Text()[8:], token.CodeMalformed},
		"only padding":         {"====", token.CodeMalformed},
		"too much padding":     {body + "====", token.CodeMalformed},
		"huge":                 {strings.Repeat("A", 5<<20), token.CodeMalformed},
		"not text":             {"\x00\xff", token.CodeMalformed},
	} {
		if _, err := token.ParseText(c.text, nil); code(err) != c.want || (c.want == "") != (err == nil) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	// The end of a text, for each remainder of its length: one last character decodes
	// to the token, and so do no padding and all of it.
	for n := range 3 {
		text := mint(t, root, `a("`+strings.Repeat("x", n)+`");`, token.WithSecret(holder)).Text()
		accepted := 0
		for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
			u, err := token.ParseText(text[:len(text)-1]+string(c), nil)
			if err == nil && u.Text() == text {
				accepted++
			}
		}
		if accepted != 1 {
			t.Errorf("%d spellings of one token of %d characters", accepted, len(text))
		}
		for padding := range 6 {
			_, err := token.ParseText(text+strings.Repeat("=", padding), nil)
			if want := padding == 0 || padding < 3 && (len(text)+padding)%4 == 0; (err == nil) != want {
				t.Errorf("%d characters with %d of padding: %v", len(text), padding, err)
			}
		}
	}
}

func TestInvocationKey(t *testing.T) {
	const want = "ed25519-private/"
	k := token.InvocationKey()
	if !strings.HasPrefix(k.Text(), want) || !token.IsInvocationKey(k.Public()) || token.IsInvocationKey(token.PublicKey{}) {
		t.Error(k.Public())
	}
}

func TestRootKeyID(t *testing.T) {
	root := generate(t, datalog.Ed25519)
	for _, id := range []uint32{0, 1, 1<<32 - 1} {
		next, err := token.FreshKey(datalog.Ed25519)
		if err != nil {
			t.Fatal(err)
		}
		tok, err := token.Mint(root, parse(t, `a(1);`), next, &token.MintOptions{RootKeyID: &id})
		if err != nil {
			t.Fatal(err)
		}
		longer, err := reread(t, tok, root.Public()).Append(nil, parse(t, `b(1);`), next)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := reread(t, longer, root.Public()).RootKeyID(); !ok || got != id {
			t.Errorf("root key id %d, %v, want %d", got, ok, id)
		}
	}
	next, err := token.FreshKey(datalog.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := mint(t, root, `a(1);`, next).RootKeyID(); ok {
		t.Error("a root key id that nobody gave")
	}
}

// A signer in an HSM or an agent can fail; what it returns is verified.
func TestSignerThatLies(t *testing.T) {
	root := generate(t, datalog.Ed25519)
	next, err := token.FreshKey(datalog.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := token.Mint(liar{root}, parse(t, `a(1);`), next, nil); code(err) != token.CodeSignature {
		t.Errorf("%v", err)
	}
	tok := mint(t, root, `a(1);`, token.HeldBy(root.Public()))
	if _, err := tok.Append(liar{root}, parse(t, `a(1);`), next); code(err) != token.CodeSignature {
		t.Errorf("%v", err)
	}
	if _, err := tok.Seal(liar{root}); code(err) != token.CodeSignature {
		t.Errorf("%v", err)
	}
	if _, err := token.SignThirdParty(tok.Request(), liar{root}, parse(t, `a(1);`)); code(err) != token.CodeSignature {
		t.Errorf("%v", err)
	}
}

type liar struct{ token.PrivateKey }

func (l liar) Sign(message []byte) ([]byte, error) { return l.PrivateKey.Sign(append(message, 0)) }

func FuzzParseText(f *testing.F) {
	seed := token.InvocationKey()
	block, err := datalog.ParseBlock(`right("a"); check if time($t), $t < 2030-01-01T00:00:00Z;`, nil)
	if err != nil {
		f.Fatal(err)
	}
	tok, err := token.Mint(seed, block, token.HeldBy(seed.Public()), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(tok.Text())
	f.Add("biscuit:" + strings.TrimPrefix(tok.Text(), "whittle:"))
	f.Fuzz(func(t *testing.T, text string) {
		u, err := token.ParseText(text, nil)
		if err != nil {
			if code(err) == "" {
				t.Errorf("an error without a code: %v", err)
			}
			return
		}
		again, err := token.ParseText(u.Text(), nil)
		if err != nil || again.Text() != u.Text() {
			t.Errorf("%q writes as %q, which reads as %v", text, u.Text(), err)
		}
		if _, err := u.UnverifiedBlocks(); err != nil && code(err) == "" {
			t.Errorf("an error without a code: %v", err)
		}
		if c, err := u.VerifyUnrooted(); err == nil {
			_ = c.PrefixHash(len(c.Blocks()))
		}
	})
}
