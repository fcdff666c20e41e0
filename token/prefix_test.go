package token

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/whittle-auth/whittle/token/internal/wire"
)

// TestPrefixVectors: the prefix hashes of the vectors, which others made.
func TestPrefixVectors(t *testing.T) {
	data, err := os.ReadFile("../vectors/digest.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name, Kind, Digest string
		Blocks             []string
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	run := 0
	for _, c := range cases {
		if c.Kind != "prefix" {
			continue
		}
		run++
		blocks := make([]wire.SignedBlock, len(c.Blocks))
		for i, b := range c.Blocks {
			if blocks[i].Message, err = hex.DecodeString(b); err != nil {
				t.Fatal(err)
			}
		}
		if got := prefixHashes(blocks)[len(blocks)]; hex.EncodeToString(got[:]) != c.Digest {
			t.Errorf("%s: %x, want %s", c.Name, got, c.Digest)
		}
	}
	if run < 5 {
		t.Errorf("only %d prefix hashes are among the vectors", run)
	}
}
