package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/cli"
)

// sample is one case of samples.json of eclipse-biscuit/biscuit.
type sample struct {
	Filename    string
	Token       json.RawMessage
	Validations map[string]struct {
		World          json.RawMessage `json:"world"`
		Result         json.RawMessage `json:"result"`
		AuthorizerCode string          `json:"authorizer_code"`
		RevocationIDs  json.RawMessage `json:"revocation_ids"`
	}
}

// withFunction is the sample that calls a function of its authorizer's: the
// command line has none to offer.
const withFunction = "test035_ffi.bc"

func readSamples(t *testing.T) (dir, root string, samples []sample) {
	t.Helper()
	data := os.Getenv("WHITTLE_SHARED_DATA")
	if data == "" {
		data = filepath.Join("..", "..", "shared", "data")
	}
	if _, err := os.Stat(data); errors.Is(err, os.ErrNotExist) {
		t.Skipf("the data of public projects is not at %s: set WHITTLE_SHARED_DATA", data)
	}
	dir = filepath.Join(data, "biscuit-samples")
	text, err := os.ReadFile(filepath.Join(dir, "samples.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		RootPublicKey string   `json:"root_public_key"`
		Testcases     []sample `json:"testcases"`
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return dir, all.RootPublicKey, all.Testcases
}

// whittle runs a command and returns its exit code and standard output.
func whittle(args ...string) (int, []byte, string) {
	var stdout, stderr bytes.Buffer
	code := cli.Run(context.Background(), args, cli.Env{Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Now: time.Now})
	return code, stdout.Bytes(), stderr.String()
}

// TestSamplesAuthorize runs all validations of the official samples through
// whittle biscuit authorize --json, whose output must be theirs exactly.
func TestSamplesAuthorize(t *testing.T) {
	dir, root, samples := readSamples(t)
	validations := 0
	for _, s := range samples {
		if s.Filename == withFunction {
			continue
		}
		for name, v := range s.Validations {
			validations++
			t.Run(s.Filename+"/"+name, func(t *testing.T) {
				authorizer := filepath.Join(t.TempDir(), "authorizer")
				if err := os.WriteFile(authorizer, []byte(v.AuthorizerCode), 0o600); err != nil {
					t.Fatal(err)
				}
				var result map[string]json.RawMessage
				if err := json.Unmarshal(v.Result, &result); err != nil {
					t.Fatal(err)
				}
				want := 1
				switch {
				case result["Ok"] != nil:
					want = 0
				case bytes.Contains(result["Err"], []byte(`"Format"`)):
					want = 3
				}
				for _, key := range []string{root, "ed25519/" + root} {
					code, stdout, stderr := whittle("biscuit", "authorize", "--root-key", key, "--authorizer", authorizer, "--json", filepath.Join(dir, s.Filename))
					if code != want {
						t.Errorf("exit code %d, want %d", code, want)
					}
					if (code != 0) != strings.HasPrefix(stderr, "error: ") {
						t.Errorf("exit code %d with %q", code, stderr)
					}
					sameJSON(t, stdout, mustMarshal(t, map[string]any{"result": v.Result, "revocation_ids": v.RevocationIDs, "world": v.World}))
				}
			})
		}
	}
	if validations != 49 {
		t.Errorf("%d validations, want 49", validations)
	}
}

// TestSamplesInspect holds that whittle biscuit inspect --json shows each
// sample as samples.json does.
func TestSamplesInspect(t *testing.T) {
	dir, root, samples := readSamples(t)
	shown := 0
	for _, s := range samples {
		t.Run(s.Filename, func(t *testing.T) {
			file := filepath.Join(dir, s.Filename)
			code, stdout, stderr := whittle("biscuit", "inspect", "--json", "--public-key", "ed25519/"+root, file)
			if code != 0 {
				// The samples describe what the token was before it was broken.
				if code != 3 || !strings.HasPrefix(stderr, "error: ") {
					t.Errorf("exit code %d: %s", code, stderr)
				}
				return
			}
			shown++
			var out map[string]json.RawMessage
			if err := json.Unmarshal(stdout, &out); err != nil {
				t.Fatal(err)
			}
			sameJSON(t, out["token"], s.Token)
			if string(out["root_key_id"]) != "null" || string(out["verified"]) != "true" {
				t.Errorf("root_key_id is %s, verified %s", out["root_key_id"], out["verified"])
			}
			form := `"attenuable"`
			if strings.Contains(s.Filename, "sealed") {
				form = `"sealed"`
			}
			if string(out["form"]) != form {
				t.Errorf("form is %s, want %s", out["form"], form)
			}
		})
	}
	if shown < 30 {
		t.Errorf("only %d samples could be looked at", shown)
	}
}

func mustMarshal(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// sameJSON compares exactly: integers are not rounded.
func sameJSON(t *testing.T, got, want []byte) {
	t.Helper()
	parse := func(text []byte) (v any) {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		return v
	}
	if !reflect.DeepEqual(parse(got), parse(want)) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
