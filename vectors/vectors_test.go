package vectors

import (
	"encoding/json"
	"go/build"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// codes are all that a vector may expect, as errors and files spell them.
var codes = []string{
	"malformed", "unsupported", "signature", "untrusted_root", "not_presented", "profile", "audience",
	"window", "expired", "revoked", "stale", "replay", "check_failed", "policy", "evaluation", "limit", "unavailable",
}

func wire(t *testing.T) []WireCase {
	t.Helper()
	cases, err := Wire()
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

func delegation(t *testing.T) []DelegationCase {
	t.Helper()
	cases, err := Delegation()
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

func digests(t *testing.T) []DigestCase {
	t.Helper()
	cases, err := Digests()
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

// family checks what all cases of one file have in common: names are unique,
// each refusal names an accepted sibling that is another input.
func family(t *testing.T, names []string, accepted []bool, siblings, inputs []string) {
	t.Helper()
	index := map[string]int{}
	for i, name := range names {
		if name == "" || strings.ToLower(name) != name || strings.ContainsAny(name, " _/") {
			t.Errorf("%q is no name: lower case, digits and hyphens", name)
		}
		if _, ok := index[name]; ok {
			t.Errorf("%s appears twice", name)
		}
		index[name] = i
	}
	seen := map[string]string{}
	for i, name := range names {
		if other, ok := seen[inputs[i]]; ok {
			t.Errorf("%s and %s are the same input", other, name)
		}
		seen[inputs[i]] = name
		if accepted[i] {
			if siblings[i] != "" {
				t.Errorf("%s is accepted and has a sibling", name)
			}
			continue
		}
		j, ok := index[siblings[i]]
		if !ok || !accepted[j] {
			t.Errorf("%s: its sibling %q is no accepted case", name, siblings[i])
		}
	}
	if n := len(accepted); !slices.Contains(accepted, true) || !slices.Contains(accepted, false) {
		t.Errorf("of %d cases, all have the same outcome", n)
	}
}

func TestWireCases(t *testing.T) {
	var names, siblings, inputs []string
	var accepted []bool
	for _, c := range wire(t) {
		names, siblings = append(names, c.Name), append(siblings, c.Sibling)
		inputs = append(inputs, c.Root+string(c.Token))
		accepted = append(accepted, c.Expect == "ok")
		if c.Expect != "ok" && !slices.Contains(codes[:3], c.Expect) {
			t.Errorf("%s: %q is no code of the wire", c.Name, c.Expect)
		}
		if c.Rule == "" || c.Description == "" || c.Root == "" {
			t.Errorf("%s: rule, description or root is missing", c.Name)
		}
		if c.Expect != "ok" && c.Source != nil {
			t.Errorf("%s: a refused token has no source", c.Name)
		}
	}
	family(t, names, accepted, siblings, inputs)
}

func TestDelegationCases(t *testing.T) { delegationFamily(t, delegation(t)) }

func TestMLDSACases(t *testing.T) { delegationFamily(t, mldsa(t)) }

func mldsa(t *testing.T) []DelegationCase {
	t.Helper()
	cases, err := MLDSA()
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

func delegationFamily(t *testing.T, cases []DelegationCase) {
	var names, siblings, inputs []string
	var accepted []bool
	for _, c := range cases {
		names, siblings = append(names, c.Name), append(siblings, c.Sibling)
		input := c
		input.Name, input.Description, input.Rule, input.Attack, input.Sibling, input.Expect = "", "", "", "", "", Expectation{}
		b, err := json.Marshal(input)
		if err != nil {
			t.Fatal(err)
		}
		inputs = append(inputs, string(b))
		accepted = append(accepted, c.Expect.Allowed)
		if code := c.Expect.Code; c.Expect.Allowed && code != "" || code != "" && !slices.Contains(codes, code) {
			t.Errorf("%s: code %q", c.Name, code)
		}
		if c.Rule == "" || c.Description == "" || c.Trust == "" || c.Service == "" || c.Now.IsZero() || c.Request.Operation == "" {
			t.Errorf("%s: a field is missing", c.Name)
		}
	}
	family(t, names, accepted, siblings, inputs)
}

func TestDigestCases(t *testing.T) {
	kinds := map[string]int{}
	seen := map[string]string{}
	for _, c := range digests(t) {
		kinds[c.Kind]++
		if len(c.Digest) != 32 {
			t.Errorf("%s: digest has %d bytes", c.Name, len(c.Digest))
		}
		if other, ok := seen[string(c.Digest)]; ok {
			t.Errorf("%s and %s have one digest", other, c.Name)
		}
		seen[string(c.Digest)] = c.Name
		if (c.Kind == "request") != (len(c.Nonce) > 0) || (c.Kind == "request") != (len(c.Prefix) == 32) ||
			(c.Kind == "prefix") != (len(c.Blocks) > 0) || (c.Kind == "prefix") != (len(c.CBOR) == 0) {
			t.Errorf("%s: fields do not fit the kind %q", c.Name, c.Kind)
		}
	}
	for _, kind := range []string{"prefix", "request", "action"} {
		if kinds[kind] == 0 {
			t.Errorf("no cases of kind %s", kind)
		}
		delete(kinds, kind)
	}
	if len(kinds) > 0 {
		t.Errorf("unknown kinds: %v", kinds)
	}
}

// TestCodesCovered wants at least one case for each code that a token and a
// request alone can earn.
func TestCodesCovered(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range wire(t) {
		seen[c.Expect] = true
	}
	for _, c := range delegation(t) {
		seen[c.Expect.Code] = true
	}
	for _, code := range codes[:9] {
		if !seen[code] {
			t.Errorf("no vector expects %s", code)
		}
	}
	if !seen["check_failed"] {
		t.Error("no vector expects check_failed")
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"empty file":     "",
		"null":           "null",
		"no cases":       "[]",
		"no array":       `{"name": "x"}`,
		"unknown member": `[{"name": "x", "colour": "red"}]`,
		"bad hex":        `[{"name": "x", "token": "0g"}]`,
		"odd hex":        `[{"name": "x", "token": "0"}]`,
		"something more": `[{"name": "x"}] []`,
	} {
		if cases, err := decode[WireCase]([]byte(text)); err == nil {
			t.Errorf("%s: %d cases and no error", name, len(cases))
		}
	}
	if cases, err := decode[WireCase]([]byte(`[{"name": "x", "token": "0a"}]`)); err != nil || len(cases) != 1 {
		t.Errorf("one good case: %v, %v", cases, err)
	}
}

// TestGeneratorIndependent holds the generator to the standard library and to
// the primitives of protobuf, CBOR and ML-DSA, so that no fault of ours can reach
// both the vectors and what they test. That of ML-DSA is the one that package
// token uses too: Wycheproof's vectors hold it to account there.
func TestGeneratorIndependent(t *testing.T) {
	const generator = "./generate"
	p, err := build.ImportDir(generator, 0)
	if err != nil {
		t.Fatal(err)
	}
	may := []string{"google.golang.org/protobuf/encoding/protowire", "github.com/fxamacker/cbor/v2",
		"github.com/cloudflare/circl/sign", "github.com/cloudflare/circl/sign/mldsa/mldsa44", "github.com/cloudflare/circl/sign/mldsa/mldsa65"}
	imports := slices.Concat(p.Imports, p.TestImports, p.XTestImports)
	if len(imports) == 0 {
		t.Fatal("the generator imports nothing at all")
	}
	for _, path := range imports {
		if strings.Contains(strings.Split(path, "/")[0], ".") && !slices.Contains(may, path) {
			t.Errorf("the generator imports %s", path)
		}
	}

	out, err := exec.Command("go", "list", "-deps", "-test", generator).Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	if !slices.Contains(deps, "encoding/json") {
		t.Fatalf("go list names no dependencies: %s", out)
	}
	const module = "github.com/whittle-auth/whittle/"
	for _, d := range deps {
		if strings.HasPrefix(d, module) && !strings.HasPrefix(d, module+"vectors/generate") {
			t.Errorf("the generator depends on %s", d)
		}
	}
}
