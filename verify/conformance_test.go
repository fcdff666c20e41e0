package verify_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/verify"
)

// samples is the conformance suite of the Biscuit project, of which no part is
// ours: eclipse-biscuit/biscuit, samples/current.
type samples struct {
	RootPublicKey string `json:"root_public_key"`
	Testcases     []struct {
		Title    string
		Filename string
		Token    []struct {
			Symbols     []string
			PublicKeys  []string `json:"public_keys"`
			ExternalKey *string  `json:"external_key"`
			Code        string
			Version     uint32
		}
		Validations map[string]struct {
			World          json.RawMessage
			Result         json.RawMessage
			AuthorizerCode string   `json:"authorizer_code"`
			RevocationIDs  []string `json:"revocation_ids"`
		}
	}
}

// sharedData returns the folder with data of public projects. It skips the test
// where there is none, and fails it where the folder lacks what it must have.
func sharedData(t testing.TB, elem ...string) string {
	t.Helper()
	dir := os.Getenv("WHITTLE_SHARED_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "data")
	}
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		t.Skipf("the data of public projects is not at %s: set WHITTLE_SHARED_DATA", dir)
	}
	path := filepath.Join(append([]string{dir}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestBiscuitConformance runs all validations of the official samples: the
// result, the printed source, the revocation ids and the world must be exactly
// those that the reference implementation wrote down.
func TestBiscuitConformance(t *testing.T) {
	dir := sharedData(t, "biscuit-samples")
	data, err := os.ReadFile(filepath.Join(dir, "samples.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all samples
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	root, err := token.ParsePublicKey("ed25519/" + all.RootPublicKey)
	if err != nil {
		t.Fatal(err)
	}
	passed := 0
	for _, c := range all.Testcases {
		raw, err := os.ReadFile(filepath.Join(dir, c.Filename))
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range c.Validations {
			ok := t.Run(c.Filename+"/"+name, func(t *testing.T) {
				out, failed := validate(t, raw, root, v.AuthorizerCode)
				report := verify.NewReport(out, failed)
				same(t, "result", report.Result, v.Result)
				same(t, "world", report.World, v.World)
				if want := v.RevocationIDs; !reflect.DeepEqual(report.RevocationIDs, append([]string{}, want...)) {
					t.Errorf("revocation ids %v, want %v", report.RevocationIDs, want)
				}
			})
			if ok {
				passed++
			}
		}
		t.Run(c.Filename+"/blocks", func(t *testing.T) {
			u, err := token.Parse(raw, nil)
			if err != nil {
				t.Fatal(err)
			}
			tok, err := u.Verify(root)
			if err != nil {
				return // the samples print what the token was before it was broken
			}
			blocks := tok.Blocks()
			if len(blocks) != len(c.Token) {
				t.Fatalf("%d blocks, want %d", len(blocks), len(c.Token))
			}
			for i, want := range c.Token {
				got := blocks[i]
				if code := got.Datalog.String(); code != want.Code {
					t.Errorf("block %d prints\n%swant\n%s", i, code, want.Code)
				}
				if got.Version != want.Version {
					t.Errorf("block %d has version %d, want %d", i, got.Version, want.Version)
				}
				if fmt.Sprint(got.Symbols) != fmt.Sprint(want.Symbols) {
					t.Errorf("block %d has symbols %q, want %q", i, got.Symbols, want.Symbols)
				}
				var keys []string
				for _, k := range got.Keys {
					keys = append(keys, k.String())
				}
				if fmt.Sprint(keys) != fmt.Sprint(want.PublicKeys) {
					t.Errorf("block %d has keys %q, want %q", i, keys, want.PublicKeys)
				}
				external := ""
				if want.ExternalKey != nil {
					external = *want.ExternalKey
				}
				if got.External.IsZero() != (external == "") || external != "" && got.External.String() != external {
					t.Errorf("block %d is signed by %s, want %s", i, got.External, external)
				}
			}
		})
	}
	if passed != 50 {
		t.Errorf("%d validations pass, want all 50", passed)
	}
}

func validate(t *testing.T, raw []byte, root token.PublicKey, code string) (*verify.Authorization, error) {
	u, err := token.Parse(raw, nil)
	if err != nil {
		return nil, err
	}
	tok, err := u.Verify(root)
	if err != nil {
		return nil, err
	}
	a, err := datalog.ParseAuthorizer(code, nil)
	if err != nil {
		t.Fatal(err)
	}
	if code != "" && a.String() != code {
		t.Errorf("authorizer prints\n%swant\n%s", a, code)
	}
	return verify.Authorize(tok, a, &verify.AuthorizeOptions{Externs: map[string]verify.Extern{"test": sampleExtern}})
}

// sampleExtern is the function that the samples call: one operand is returned,
// two strings are compared.
func sampleExtern(left, right datalog.Term) (datalog.Term, error) {
	if right == nil {
		return left, nil
	}
	l, ok1 := left.(datalog.String)
	r, ok2 := right.(datalog.String)
	if !ok1 || !ok2 {
		return nil, errors.New("unsupported operands")
	}
	if l == r {
		return datalog.String("equal strings"), nil
	}
	return datalog.String("different strings"), nil
}

// same compares what we say with what the samples say, as JSON.
func same(t *testing.T, what string, got any, want json.RawMessage) {
	t.Helper()
	data, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var g, w any
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(want, &w); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(g, w) {
		t.Errorf("%s is\n%s\nwant\n%s", what, data, want)
	}
}
