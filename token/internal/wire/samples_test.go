package wire

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// sample is one test case of the official conformance samples.
type sample struct {
	Filename string
	Token    []struct {
		Symbols     []string
		PublicKeys  []string `json:"public_keys"`
		ExternalKey *string  `json:"external_key"`
	}
	data []byte
}

// samples reads the official samples, and skips the test where there are none.
func samples(t testing.TB) []sample {
	root := os.Getenv("WHITTLE_SHARED_DATA")
	if root == "" {
		dir, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		for {
			if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
				break
			}
			if dir == filepath.Dir(dir) {
				t.Fatal("no go.mod above the test")
			}
			dir = filepath.Dir(dir)
		}
		root = filepath.Join(dir, "..", "shared", "data")
	}
	dir := filepath.Join(root, "biscuit-samples")
	index, err := os.ReadFile(filepath.Join(dir, "samples.json"))
	if os.IsNotExist(err) {
		t.Skipf("the Biscuit conformance samples are not at %s", dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Testcases []sample }
	if err := json.Unmarshal(index, &all); err != nil {
		t.Fatal(err)
	}
	if len(all.Testcases) == 0 {
		t.Fatal("samples.json has no test cases")
	}
	for i := range all.Testcases {
		s := &all.Testcases[i]
		if s.data, err = os.ReadFile(filepath.Join(dir, s.Filename)); err != nil {
			t.Fatal(err)
		}
	}
	return all.Testcases
}

// TestSamples reads every official sample, the deliberately broken ones too:
// what is wrong with those is a signature or a rule, never the encoding.
func TestSamples(t *testing.T) {
	all := samples(t)
	if len(all) != 38 {
		t.Errorf("%d samples, want 38", len(all))
	}
	for _, s := range all {
		t.Run(s.Filename, func(t *testing.T) {
			c, err := DecodeContainer(s.data, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(c.Encode(), s.data) {
				t.Error("the container changes when written again")
			}
			if len(c.Blocks) != len(s.Token) {
				t.Fatalf("%d blocks, want %d", len(c.Blocks), len(s.Token))
			}
			read, written := &Table{}, &Table{}
			for i, signed := range c.Blocks {
				if !bytes.Equal(EncodeSignedBlock(&signed), signed.Message) {
					t.Errorf("block %d: the signed block changes when written again", i)
				}
				want := s.Token[i]
				if s.Filename == "test006_reordered_blocks.bc" && i > 0 {
					want = s.Token[3-i] // listed as they stood before
				}
				external := signed.External != nil
				if external != (want.ExternalKey != nil) || external && signed.External.Key.String() != *want.ExternalKey {
					t.Errorf("block %d: external signature %v", i, signed.External)
				}
				b, err := DecodeBlock(signed.Payload, read, external, nil)
				if s.Filename == "test004_random_block.bc" && i == 1 {
					if err == nil {
						t.Error("random bytes are a block")
					}
					continue
				}
				if err != nil {
					t.Fatalf("block %d: %v", i, err)
				}
				if !slices.Equal(b.Symbols, want.Symbols) {
					t.Errorf("block %d: symbols %q, want %q", i, b.Symbols, want.Symbols)
				}
				var keys []string
				for _, k := range b.Keys {
					keys = append(keys, k.String())
				}
				if !slices.Equal(keys, want.PublicKeys) {
					t.Errorf("block %d: keys %q, want %q", i, keys, want.PublicKeys)
				}
				payload, err := EncodeBlock(b.Datalog, written, external)
				if err != nil {
					t.Fatalf("block %d: %v", i, err)
				}
				if !bytes.Equal(payload, signed.Payload) {
					t.Errorf("block %d changes when written again:\n%x\n%x", i, signed.Payload, payload)
				}
			}
			if !slices.Equal(read.Symbols, written.Symbols) || !slices.Equal(read.Keys, written.Keys) {
				t.Error("the tables differ between reading and writing")
			}
		})
	}
}
