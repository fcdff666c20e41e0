package verify_test

import (
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/vectors"
	"github.com/whittle-auth/whittle/verify"
)

// TestWireVectors reads and verifies each token of wire.json.
func TestWireVectors(t *testing.T) {
	cases, err := vectors.Wire()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			root, err := token.ParsePublicKey(c.Root)
			if err != nil {
				t.Fatal(err)
			}
			var tok *token.Token
			u, err := token.Parse(c.Token, nil)
			if err == nil {
				tok, err = u.Verify(root)
			}
			if got := codeOf(err); got != c.Expect {
				t.Fatalf("%s: %q (%v), want %q", c.Description, got, err, c.Expect)
			}
			if err != nil {
				return
			}
			for i, want := range c.Source {
				if got := tok.Blocks()[i].Datalog.String(); got != want {
					t.Errorf("block %d prints\n%swant\n%s", i, got, want)
				}
			}
		})
	}
}

func codeOf(err error) string {
	if err == nil {
		return "ok"
	}
	if e, ok := errors.AsType[*token.Error](err); ok {
		return string(e.Code)
	}
	return "no code"
}

// TestDelegationVectors decides each request of delegation.json.
func TestDelegationVectors(t *testing.T) {
	cases, err := vectors.Delegation()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			roots, err := trust.Parse([]byte(c.Trust))
			if err != nil {
				t.Fatal(err)
			}
			v, err := verify.New(c.Service, roots, &verify.Options{
				AllowBearer: c.AllowBearer, Now: func() time.Time { return c.Now }, Replay: firstStart(t),
			})
			if err != nil {
				t.Fatal(err)
			}
			got := decideWith(t, v, c.Token, delegation.Request{
				Operation: c.Request.Operation, Resources: c.Request.Resources, Args: c.Request.Args,
			})
			if (got == "") != c.Expect.Allowed || c.Expect.Code != "" && string(got) != c.Expect.Code {
				t.Errorf("%s (%s): code %q, want %q", c.Description, c.Rule, got, c.Expect.Code)
			}
		})
	}
}

// TestDigestVectors computes each digest of digest.json.
func TestDigestVectors(t *testing.T) {
	cases, err := vectors.Digests()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if c.Kind == "prefix" {
			continue // of blocks that are no token; delegation.json covers it with each request
		}
		t.Run(c.Name, func(t *testing.T) {
			if c.Kind != "request" && c.Kind != "action" {
				t.Fatalf("unknown kind %q", c.Kind)
			}
			req := delegation.Request{Operation: c.Operation, Resources: c.Resources, Audience: c.Audience, Args: c.Args, BodyDigest: c.Body}
			checked, err := req.Check()
			if err != nil {
				t.Fatal(err)
			}
			var got delegation.Digest
			if c.Kind == "action" {
				got, err = checked.ActionDigest()
			} else {
				got, err = checked.Digest([32]byte(c.Prefix), c.Nonce)
			}
			if err != nil {
				t.Fatal(err)
			}
			if hex.EncodeToString(got[:]) != hex.EncodeToString(c.Digest) {
				t.Errorf("%s: digest %x, want %x", c.Description, got, []byte(c.Digest))
			}
		})
	}
}
