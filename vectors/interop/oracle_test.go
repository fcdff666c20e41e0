package interop_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/vectors/interop"
)

var rootKey = interop.RootKey(datalog.Ed25519)

// refused checks that err is the oracle's refusal and says why.
func refused(t *testing.T, err error, why string) {
	t.Helper()
	var e *interop.RequestError
	if !errors.As(err, &e) {
		t.Errorf("got %v, want a refusal", err)
	} else if !strings.Contains(e.Message, why) {
		t.Errorf("refused with %q, want %q in it", e.Message, why)
	}
}

func generate(t *testing.T, o *interop.Oracle, g interop.Generate) interop.Token {
	t.Helper()
	if g.RootPrivate == "" {
		g.RootPrivate = rootKey.Private
	}
	token, err := o.Generate(g)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func decide(t *testing.T, o *interop.Oracle, token []byte, authorizer string) interop.Decision {
	t.Helper()
	d, err := o.Authorize(interop.Authorize{Token: token, RootPublic: rootKey.Public, Authorizer: authorizer})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestAppendAndSeal(t *testing.T) {
	o := interop.Start(t)
	id, context := uint32(7), "minted"
	token := generate(t, o, interop.Generate{Authority: `right("a", "read")`, RootKeyID: &id, Context: &context, AuthorityNextAlg: "secp256r1"})
	grown, err := o.Append(token.Token, rootKey.Public, `check if operation("read")`, interop.NextKey{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(grown.RevocationIDs[:1], token.RevocationIDs, func(a, b interop.Hex) bool { return bytes.Equal(a, b) }) {
		t.Error("appending changed the revocation id of block 0")
	}
	sealed, err := o.Seal(grown.Token, rootKey.Public)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		operation string
		want      interop.Class
	}{{"read", interop.Allowed}, {"write", interop.Denied}} {
		authorizer := fmt.Sprintf("operation(%q); allow if true;", c.operation)
		for _, token := range [][]byte{grown.Token, sealed.Token} {
			if got := decide(t, o, token, authorizer).Result; got.Class != c.want {
				t.Errorf("%s is %v, want %v", c.operation, got.Class, c.want)
			}
		}
	}
	for token, isSealed := range map[*interop.Token]bool{&grown: false, &sealed: true} {
		got, err := o.InspectUnverified(token.Token)
		if err != nil {
			t.Fatal(err)
		}
		if got.Sealed != isSealed || len(got.Blocks) != 2 || got.RootKeyID == nil || *got.RootKeyID != id {
			t.Errorf("inspected %+v", got)
		}
		if c := got.Blocks[0].Context; c == nil || *c != context {
			t.Errorf("context of block 0 is %v", c)
		}
	}
	_, err = o.Append(sealed.Token, rootKey.Public, "f(1)", interop.NextKey{})
	refused(t, err, "AlreadySealed")
	_, err = o.Seal(sealed.Token, rootKey.Public)
	refused(t, err, "AlreadySealed")
	_, err = o.ThirdPartyRequest(sealed.Token)
	refused(t, err, "AppendOnSealed")
	_, err = o.Append(token.Token, interop.ThirdPartyKeys()[0].Public, "f(1)", interop.NextKey{})
	refused(t, err, "Signature")
}

// With given keys a token is always the same, and the next block is signed by
// the key that was named.
func TestGivenNextKeys(t *testing.T) {
	o := interop.Start(t)
	keys := interop.ThirdPartyKeys()
	g := interop.Generate{
		Authority:            "f(1)",
		AuthorityNextPrivate: keys[0].Private,
		Blocks:               []interop.Block{{Code: "f(2)", NextKey: interop.NextKey{Private: keys[1].Private}}},
	}
	a, b := generate(t, o, g), generate(t, o, g)
	if !bytes.Equal(a.Token, b.Token) {
		t.Error("the same keys made different tokens")
	}
	for _, k := range keys[:2] {
		_, public, _ := strings.Cut(k.Public, "/")
		if !strings.Contains(fmt.Sprintf("%x", []byte(a.Token)), public) {
			t.Errorf("%s is not in the token", k.Public)
		}
	}
}

func TestThirdPartyBlocks(t *testing.T) {
	o := interop.Start(t)
	for i, key := range interop.ThirdPartyKeys() {
		token := generate(t, o, interop.Generate{Authority: "check if approved(true) trusting " + key.Public})
		request, err := o.ThirdPartyRequest(token.Token)
		if err != nil {
			t.Fatal(err)
		}
		contents, err := o.ThirdPartyBlock(request, key.Private, "approved(true)")
		if err != nil {
			t.Fatal(err)
		}
		grown, err := o.AppendThirdParty(token.Token, rootKey.Public, contents, interop.NextKey{Algorithm: "secp256r1"})
		if err != nil {
			t.Fatal(err)
		}
		if got := decide(t, o, token.Token, "allow if true").Result.Class; got != interop.Denied {
			t.Errorf("key %d: without the block %v", i, got)
		}
		if got := decide(t, o, grown.Token, "allow if true").Result.Class; got != interop.Allowed {
			t.Errorf("key %d: with the block %v", i, got)
		}
		seen, err := o.InspectUnverified(grown.Token)
		if err != nil {
			t.Fatal(err)
		}
		if k := seen.Blocks[1].ExternalKey; k == nil || *k != key.Public {
			t.Errorf("external key %v, want %s", k, key.Public)
		}
		// The contents answer one request only.
		other := generate(t, o, interop.Generate{Authority: "f(1)"})
		_, err = o.AppendThirdParty(other.Token, rootKey.Public, contents, interop.NextKey{})
		refused(t, err, "Signature")
	}
}

// Scopes of a whole block work though the reference's text parser has no place
// for them.
func TestBlockScopes(t *testing.T) {
	o := interop.Start(t)
	key := interop.ThirdPartyKeys()[1]
	fact := interop.Block{Code: "f(1)", ThirdPartyPrivate: key.Private}
	for _, c := range []struct {
		authority, block, authorizer string
		want                         interop.Class
	}{
		{"", "check if f(1)", "allow if true", interop.Denied},
		{"", "trusting previous; check if f(1)", "allow if true", interop.Allowed},
		{"", "trusting authority; check if f(1)", "allow if true", interop.Denied},
		{"", " trusting authority, " + key.Public + " ; check if f(1)", "allow if true", interop.Allowed},
		{"check if f(1)", "", "allow if true", interop.Denied},
		{"trusting " + key.Public + "; check if f(1)", "", "allow if true", interop.Allowed},
		{"", "", "allow if f(1)", interop.Denied},
		{"", "", "trusting " + key.Public + "; allow if f(1)", interop.Allowed},
	} {
		token := generate(t, o, interop.Generate{Authority: c.authority, Blocks: []interop.Block{fact, {Code: c.block}}})
		if got := decide(t, o, token.Token, c.authorizer).Result; got.Class != c.want {
			t.Errorf("%+v: got %s", c, got.JSON)
		}
	}
}

func TestResults(t *testing.T) {
	o := interop.Start(t)
	token := generate(t, o, interop.Generate{Authority: "f(1); check if g(1);", Blocks: []interop.Block{{Code: "check if true; check if h(1)"}}})
	one := uint32(1)
	zero := uint32(0)
	tests := []struct {
		name, authorizer string
		root             string
		want             interop.Result
	}{
		{"allowed", "g(1); h(1); allow if false; allow if true", "", interop.Result{Class: interop.Allowed, Policy: 1, Kind: interop.AllowPolicy}},
		{"denied", "g(1); h(1); deny if true", "", interop.Result{Class: interop.Denied, Policy: 0, Kind: interop.DenyPolicy}},
		{"no policy", "g(1); h(1); deny if false", "", interop.Result{Class: interop.Denied, Policy: -1}},
		{"checks", "check if h(2); allow if true", "", interop.Result{Class: interop.Denied, Policy: 0, Kind: interop.AllowPolicy, FailedChecks: []interop.FailedCheck{
			{Check: 0, Rule: "check if h(2)"}, {Block: &zero, Check: 0, Rule: "check if g(1)"}, {Block: &one, Check: 1, Rule: "check if h(1)"},
		}}},
		{"error", "g(1); h(1); allow if 1 / 0 == 0", "", interop.Result{Class: interop.Failed, Policy: -1, Code: "Execution/DivideByZero"}},
		{"root key", "allow if true", interop.ThirdPartyKeys()[1].Public, interop.Result{Class: interop.Failed, Policy: -1, Code: "Format/Signature/InvalidSignature"}},
		{"limit", "g(1); h(1); n(0); n(1); t($a, $b, $c, $d, $e, $f, $g, $h, $i, $j) <- n($a), n($b), n($c), n($d), n($e), n($f), n($g), n($h), n($i), n($j); allow if true", "",
			interop.Result{Class: interop.Failed, Policy: -1, Code: "RunLimit/TooManyFacts"}},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			if c.root == "" {
				c.root = rootKey.Public
			}
			d, err := o.Authorize(interop.Authorize{Token: token.Token, RootPublic: c.root, Authorizer: c.authorizer})
			if err != nil {
				t.Fatal(err)
			}
			if len(d.Result.JSON) == 0 {
				t.Error("no JSON")
			}
			got := d.Result
			got.JSON = nil
			// The pointers differ, so compare the text.
			if a, b := describe(got), describe(c.want); a != b {
				t.Errorf("got %s, want %s", a, b)
			}
		})
	}
	_, err := o.Authorize(interop.Authorize{Token: token.Token, RootPublic: rootKey.Public, Authorizer: "allow if"})
	refused(t, err, "Language")
}

func describe(r interop.Result) string {
	s := fmt.Sprintf("%v policy %d kind %d code %q", r.Class, r.Policy, r.Kind, r.Code)
	for _, c := range r.FailedChecks {
		block := "authorizer"
		if c.Block != nil {
			block = fmt.Sprint(*c.Block)
		}
		s += fmt.Sprintf("; %s %d %q", block, c.Check, c.Rule)
	}
	return s
}

func TestWorld(t *testing.T) {
	o := interop.Start(t)
	token := generate(t, o, interop.Generate{Authority: "f(1); g($x) <- f($x)", Blocks: []interop.Block{{Code: "h($x) <- g($x), a($x); check if h(1)"}}})
	d := decide(t, o, token.Token, "a(1); b($x) <- g($x); check if b(1); allow if true")
	zero, one := uint64(0), uint64(1)
	want := interop.World{
		Facts: []interop.Facts{
			{Origin: []*uint64{nil}, Facts: []string{"a(1)"}},
			{Origin: []*uint64{nil, &zero}, Facts: []string{"b(1)"}},
			{Origin: []*uint64{nil, &zero, &one}, Facts: []string{"h(1)"}},
			{Origin: []*uint64{&zero}, Facts: []string{"f(1)", "g(1)"}},
		},
		Rules: []interop.Rules{
			{Origin: 0, Rules: []string{"g($x) <- f($x)"}},
			{Origin: 1, Rules: []string{"h($x) <- g($x), a($x)"}},
			{Origin: interop.AuthorizerOrigin, Rules: []string{"b($x) <- g($x)"}},
		},
		Checks: []interop.Checks{
			{Origin: 1, Checks: []string{"check if h(1)"}},
			{Origin: interop.AuthorizerOrigin, Checks: []string{"check if b(1)"}},
		},
		Policies: []string{"allow if true"},
	}
	if !equalJSON(t, d.World, want) {
		t.Errorf("got %+v", d.World)
	}
	if want := []string{"f(1);\ng($x) <- f($x);\n", "h($x) <- g($x), a($x);\ncheck if h(1);\n"}; !slices.Equal(d.Blocks, want) {
		t.Errorf("blocks %q, want %q", d.Blocks, want)
	}
}

// A snapshot taken after a decision gives the same decision and the same world.
// The reference cannot read its own snapshots of a token with a third-party
// block: it writes their symbols into the common table and looks for them in an
// empty one.
func TestSnapshots(t *testing.T) {
	o := interop.Start(t)
	loaded := 0
	for _, p := range interop.Programs(2, 60) {
		t.Run(p.Name, func(t *testing.T) {
			token, err := o.Generate(p.Generate())
			if err != nil {
				t.Fatal(err)
			}
			request := interop.Authorize{Token: token.Token, RootPublic: interop.RootKey(p.RootAlg).Public, Authorizer: p.Authorizer}
			want, err := o.Authorize(request)
			if err != nil {
				t.Fatal(err)
			}
			snapshot, result, err := o.Snapshot(request)
			if err != nil {
				t.Fatal(err)
			}
			if !equalJSON(t, result, want.Result) {
				t.Errorf("taken with result %s, want %s", result.JSON, want.Result.JSON)
			}
			if want.Result.Class == interop.Failed {
				return // the fixpoint may not have been reached
			}
			got, err := o.LoadSnapshot(snapshot)
			if slices.ContainsFunc(p.Blocks, func(b interop.BlockSpec) bool { return b.ThirdPartyKeyIndex >= 0 }) {
				refused(t, err, "Unknown")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			loaded++
			if !equalJSON(t, got.Result, want.Result) {
				t.Errorf("loaded with result %s, want %s", got.Result.JSON, want.Result.JSON)
			}
			if !equalJSON(t, got.World, want.World) {
				t.Errorf("loaded world %+v, want %+v", got.World, want.World)
			}
		})
	}
	if loaded < 20 {
		t.Errorf("only %d snapshots were loaded", loaded)
	}
}

func TestSavedAuthorizers(t *testing.T) {
	o := interop.Start(t)
	const code = "f(1, \"a\");\nr($x) <- f($x, \"a\") trusting authority;\ncheck all f($x, $y), $x > 0;\nallow if r(1) or f(2, \"b\");\ndeny if true;\n"
	snapshot, err := o.BuilderSnapshot(code)
	if err != nil {
		t.Fatal(err)
	}
	fromSnapshot, err := o.LoadBuilderSnapshot(snapshot)
	if err != nil {
		t.Fatal(err)
	}
	saved, err := o.SavePolicies(code)
	if err != nil {
		t.Fatal(err)
	}
	fromPolicies, err := o.LoadPolicies(saved)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := o.Parse(interop.AuthorizerSource, code)
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]string{"snapshot": fromSnapshot, "policies": fromPolicies, "parse": parsed.Code} {
		if got = strings.ReplaceAll(got, "\n\n", "\n"); got != code {
			t.Errorf("%s gives %q, want %q", name, got, code)
		}
	}
	_, err = o.LoadBuilderSnapshot(saved)
	refused(t, err, "")
}

func TestParse(t *testing.T) {
	o := interop.Start(t)
	key := interop.ThirdPartyKeys()[0].Public
	got, err := o.Parse(interop.BlockSource, "trusting previous, "+key+";\ncheck if  f($x),$x>1 trusting authority")
	if err != nil {
		t.Fatal(err)
	}
	if got.Code != "check if f($x), $x > 1 trusting authority;\n" || !slices.Equal(got.Scopes, []string{"previous", key}) {
		t.Errorf("got %+v", got)
	}
	// What the reference does not read, though it can be written on the wire or
	// printed.
	for _, code := range []string{
		"f({})", "f([{}])", "f({true})", "f({hex:00})", "f({null})", "f(hex:)", "f(1960-01-01T00:00:00Z)", "f({[1]})",
		"check if 1 == 2 == 3", "r(1) <- $x == 1", "r($x) <- f(1)", "f($x)", "f()", "f(1.5)", "f(9223372036854775808)",
	} {
		if _, err := o.Parse(interop.BlockSource, code); err == nil {
			t.Errorf("%s parses", code)
		}
	}
	_, err = o.Parse(interop.AuthorizerSource, "allow if true; oops")
	refused(t, err, "ParseError")
}

// Nonsense is answered, and the next request is served.
func TestBadRequests(t *testing.T) {
	o := interop.Start(t)
	token := generate(t, o, interop.Generate{Authority: "f(1)"}).Token
	short := map[string]any{"token": interop.Hex("x"), "root_public": rootKey.Public, "authorizer": "allow if true"}
	bad := []struct {
		op     string
		fields map[string]any
	}{
		{"nonsense", nil},
		{"authorize", nil},
		{"generate", map[string]any{"root_private": "ed25519-private/00", "authority": ""}},
		{"generate", map[string]any{"root_private": rootKey.Private, "authority": "f(", "seal": false}},
		{"generate", map[string]any{"root_private": rootKey.Private, "authority": "f(1)", "authority_next_alg": "rsa"}},
		{"public_key", map[string]any{"private": rootKey.Public}},
		{"inspect", map[string]any{"token": "0g"}},
		{"inspect", map[string]any{"token": ""}},
		{"append", map[string]any{"token": token, "root_public": "ed25519/00", "code": "f(2)"}},
		{"third_party_block", map[string]any{"request": "ff", "private": rootKey.Private, "code": "f(2)"}},
		{"append_third_party", map[string]any{"token": token, "root_public": rootKey.Public, "contents": ""}},
		{"parse", map[string]any{"kind": "poem", "code": ""}},
		{"parse", map[string]any{"kind": "block", "code": "trusting ed25519/00;"}}, // panics inside the reference
		{"snapshot", short},
		{"load_snapshot", map[string]any{"snapshot": interop.Hex("x")}},
		{"load_builder_snapshot", map[string]any{"snapshot": ""}},
		{"load_policies", map[string]any{"policies": "ff"}},
	}
	for _, c := range bad {
		_, err := o.Raw(c.op, c.fields)
		refused(t, err, "")
	}
	// A token that cannot be read is a result, as in the samples.
	answer, err := o.Raw("authorize", short)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(answer), `"DeserializationError"`) {
		t.Errorf("a bad token gave %s", answer)
	}
	deep := "check if " + strings.Repeat("(", 2000) + "true" + strings.Repeat(")", 2000)
	if _, err := o.Parse(interop.BlockSource, deep); err != nil {
		t.Errorf("deep nesting: %v", err)
	}
	if got := decide(t, o, token, "allow if f(1)").Result.Class; got != interop.Allowed {
		t.Errorf("after bad requests: %v", got)
	}
}

func TestConcurrentUse(t *testing.T) {
	o := interop.Start(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			code := fmt.Sprintf("f(%d);\n", i)
			for range 20 {
				if got, err := o.Parse(interop.BlockSource, code); err != nil || got.Code != code {
					t.Errorf("got %q, %v, want %q", got.Code, err, code)
				}
			}
		})
	}
	wg.Wait()
}
