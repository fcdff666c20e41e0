package wire

import (
	"bytes"
	"encoding/hex"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token/datalog"
)

// reference returns messages written by the reference implementation,
// biscuit-auth 6.0.0 in Rust: lines of a name and hexadecimal.
func reference(t testing.TB) map[string][]byte {
	text, err := os.ReadFile("testdata/reference.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for line := range strings.Lines(string(text)) {
		name, digits, _ := strings.Cut(strings.TrimSpace(line), " ")
		data, err := hex.DecodeString(digits)
		if err != nil || len(data) == 0 {
			t.Fatalf("%s: %v", name, err)
		}
		all[name] = data
	}
	if len(all) < 14 {
		t.Fatalf("%d messages in testdata/reference.txt", len(all))
	}
	return all
}

func TestReferenceTokens(t *testing.T) {
	all := reference(t)
	for _, name := range []string{"bench1", "bench2", "sealed", "arrays", "v33", "order", "thirdparty"} {
		t.Run(name, func(t *testing.T) {
			c, err := DecodeContainer(all[name], nil)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(c.Encode(), all[name]) {
				t.Error("the container changes when written again")
			}
			read, written := &Table{}, &Table{}
			for i, signed := range c.Blocks {
				b, err := DecodeBlock(signed.Payload, read, signed.External != nil, nil)
				if err != nil {
					t.Fatalf("block %d: %v", i, err)
				}
				payload, err := EncodeBlock(b.Datalog, written, signed.External != nil)
				if err != nil {
					t.Fatalf("block %d: %v", i, err)
				}
				want := signed.Payload
				if name == "arrays" {
					// The reference puts arrays, maps and .get() into version 3.
					if b.Version != version30 {
						t.Errorf("version %d, want 3", b.Version)
					}
					want = bytes.Replace(want, []byte("\x12\x03ctx\x18\x03"), []byte("\x12\x03ctx\x18\x06"), 1)
				}
				if !bytes.Equal(payload, want) {
					t.Errorf("block %d changes when written again:\n%x\n%x", i, want, payload)
				}
			}
		})
	}
}

func TestReferenceThirdParty(t *testing.T) {
	all := reference(t)
	r, err := DecodeThirdPartyRequest(all["request"], nil)
	if err != nil {
		t.Fatal(err)
	}
	token, err := DecodeContainer(all["bench2"], nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := token.Blocks[1].Signature; !bytes.Equal(r.PreviousSignature, want) {
		t.Errorf("previous signature %x, want %x", r.PreviousSignature, want)
	}
	if !bytes.Equal(r.Encode(), all["request"]) {
		t.Error("the request changes when written again")
	}
	c, err := DecodeThirdPartyContents(all["contents"], nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(c.Encode(), all["contents"]) {
		t.Error("the contents change when written again")
	}
	token, err = DecodeContainer(all["thirdparty"], nil)
	if err != nil {
		t.Fatal(err)
	}
	b := token.Blocks[2]
	if !bytes.Equal(b.Payload, c.Payload) || !bytes.Equal(b.External.Signature, c.External.Signature) ||
		b.External.Key != c.External.Key || b.Version != 1 {
		t.Error("the third-party block is not the one of the contents")
	}
}

func TestReferencePolicies(t *testing.T) {
	data := reference(t)["policies"]
	p, err := DecodePolicies(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	if p.Version != 6 || len(p.Authorizer.Facts) != 2 || len(p.Authorizer.Rules) != 1 || len(p.Authorizer.Checks) != 1 {
		t.Errorf("%+v", p.Authorizer)
	}
	if n := len(p.Authorizer.Policies); n != 2 || p.Authorizer.Policies[0].Kind != datalog.Allow || p.Authorizer.Policies[1].Kind != datalog.Deny {
		t.Errorf("policies %+v", p.Authorizer.Policies)
	}
	again, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again, data) {
		t.Errorf("changes when written again:\n%x\n%x", data, again)
	}
}

func TestReferenceSnapshots(t *testing.T) {
	all := reference(t)
	tests := []struct {
		name     string
		blocks   int
		external int // index of the third-party block, or 0
		origins  [][]uint64
	}{
		{"snap_builder", 0, 0, nil},
		{"snap_pre", 2, 0, [][]uint64{{0}, {AuthorizerOrigin}}},
		{"snap_post", 2, 0, [][]uint64{{0}, {AuthorizerOrigin}}},
		{"snap_third", 3, 2, [][]uint64{{0}, {2}, {2, AuthorizerOrigin}, {AuthorizerOrigin}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			data := all[test.name]
			s, err := DecodeSnapshot(data, nil)
			if err != nil {
				t.Fatal(err)
			}
			if s.MaxFacts != 1000 || s.MaxIterations != 100 || s.MaxTime != 1_000_000 || s.Version != 6 {
				t.Errorf("limits %d, %d, %d, version %d", s.MaxFacts, s.MaxIterations, s.MaxTime, s.Version)
			}
			if len(s.Blocks) != test.blocks || len(s.Policies) != 2 || len(s.Authorizer.Datalog.Checks) != 2 {
				t.Errorf("%d blocks, %d policies, %d checks", len(s.Blocks), len(s.Policies), len(s.Authorizer.Datalog.Checks))
			}
			for i, b := range s.Blocks {
				if (b.External != nil) != (i > 0 && i == test.external) {
					t.Errorf("block %d: external key %v", i, b.External)
				}
			}
			var origins [][]uint64
			for _, g := range s.Facts {
				origins = append(origins, g.Origins)
			}
			slices.SortFunc(origins, slices.Compare[[]uint64])
			if !slices.EqualFunc(origins, test.origins, slices.Equal[[]uint64]) {
				t.Errorf("origins %v, want %v", origins, test.origins)
			}
			again, err := s.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(again, data) {
				t.Errorf("changes when written again:\n%x\n%x", data, again)
			}
		})
	}
}
