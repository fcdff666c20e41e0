package interop_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/vectors/interop"
)

// sharedData returns the folder of public test data, or skips.
func sharedData(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("WHITTLE_SHARED_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no shared test data at %s, and WHITTLE_SHARED_DATA names none", dir)
	}
	return dir
}

type sample struct {
	Title       string
	Filename    string
	Token       []sampleBlock
	Validations map[string]struct {
		World          *interop.World
		Result         interop.Result
		AuthorizerCode string   `json:"authorizer_code"`
		RevocationIDs  []string `json:"revocation_ids"`
	}
}

type sampleBlock struct {
	Symbols     []string
	PublicKeys  []string `json:"public_keys"`
	ExternalKey *string  `json:"external_key"`
	Code        string
	Version     uint32
}

func loadSamples(t *testing.T) (root string, samples []sample, dir string) {
	t.Helper()
	dir = filepath.Join(sharedData(t), "biscuit-samples")
	data, err := os.ReadFile(filepath.Join(dir, "samples.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		RootPublicKey string `json:"root_public_key"`
		TestCases     []sample
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.TestCases) == 0 {
		t.Fatal("samples.json has no test cases")
	}
	return "ed25519/" + file.RootPublicKey, file.TestCases, dir
}

// The oracle gives every official sample the verdict, the world and the
// revocation ids that its authors recorded.
func TestSamples(t *testing.T) {
	o := interop.Start(t)
	root, samples, dir := loadSamples(t)
	validations := 0
	for _, s := range samples {
		token, err := os.ReadFile(filepath.Join(dir, s.Filename))
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range s.Validations {
			validations++
			t.Run(strings.TrimSuffix(s.Filename, ".bc")+"/"+name, func(t *testing.T) {
				// Where the token is refused the samples record no authorizer.
				code := want.AuthorizerCode
				if code == "" {
					code = "allow if true"
				}
				got, err := o.Authorize(interop.Authorize{Token: token, RootPublic: root, Authorizer: code})
				if err != nil {
					t.Fatal(err)
				}
				if !equalJSON(t, got.Result, want.Result) {
					t.Errorf("result\n got %s\nwant %s", got.Result.JSON, want.Result.JSON)
				}
				if !equalJSON(t, got.World, want.World) {
					t.Errorf("world\n got %+v\nwant %+v", got.World, want.World)
				}
				if got.AuthorizerCode != want.AuthorizerCode {
					t.Errorf("authorizer\n got %q\nwant %q", got.AuthorizerCode, want.AuthorizerCode)
				}
				if !equalJSON(t, got.RevocationIDs, want.RevocationIDs) {
					t.Errorf("revocation ids\n got %v\nwant %v", got.RevocationIDs, want.RevocationIDs)
				}
			})
		}
	}
	if validations < 50 {
		t.Errorf("%d validations, want 50 or more", validations)
	}
}

// The oracle reads the blocks of the samples as recorded, even where the
// signatures are bad.
func TestSamplesInspected(t *testing.T) {
	o := interop.Start(t)
	_, samples, dir := loadSamples(t)
	for _, s := range samples {
		t.Run(strings.TrimSuffix(s.Filename, ".bc"), func(t *testing.T) {
			token, err := os.ReadFile(filepath.Join(dir, s.Filename))
			if err != nil {
				t.Fatal(err)
			}
			got, err := o.InspectUnverified(token)
			if name := s.Filename; name == "test004_random_block.bc" {
				if err == nil {
					t.Error("a block of random bytes was read")
				}
				return
			} else if name == "test006_reordered_blocks.bc" {
				// recorded as they stood before
				s.Token[1], s.Token[2] = s.Token[2], s.Token[1]
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Blocks) != len(s.Token) {
				t.Fatalf("%d blocks, want %d", len(got.Blocks), len(s.Token))
			}
			for i, want := range s.Token {
				b := got.Blocks[i]
				if b.Code != want.Code || b.Version != want.Version {
					t.Errorf("block %d: got version %d, %q; want version %d, %q", i, b.Version, b.Code, want.Version, want.Code)
				}
				if !reflect.DeepEqual(b.Symbols, want.Symbols) || !reflect.DeepEqual(b.PublicKeys, want.PublicKeys) || !reflect.DeepEqual(b.ExternalKey, want.ExternalKey) {
					t.Errorf("block %d: got %+v, want %+v", i, b, want)
				}
			}
		})
	}
}

// equalJSON compares what two values look like as JSON, where nil and empty
// lists are one.
func equalJSON(t *testing.T, a, b any) bool {
	t.Helper()
	return reflect.DeepEqual(plain(t, a), plain(t, b))
}

func plain(t *testing.T, v any) any {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.UseNumber() // origins reach 2^64-1
	if err := d.Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}
