package verify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify"
)

// TestEveryBitOfAPresentedToken flips each bit of a token of ours. All flips are
// refused but those in the root key id: that one is a hint at which key to try
// first, signed by nobody, and the decision is the same without it.
func TestEveryBitOfAPresentedToken(t *testing.T) {
	id := trust.RootKeyID(alice.Public())
	var c token.Chain
	c, err := token.Mint(alice, block(t, good), token.HeldBy(ci.Public()), &token.MintOptions{RootKeyID: &id})
	if err != nil {
		t.Fatal(err)
	}
	c = add(t, c, ci, `holder("agent:runner");`, token.HeldBy(runner.Public()))
	data := present(t, c, runner, rotate, nil).Bytes()
	hint := bytes.IndexByte(data, 0x12) // field 1 is the root key id, field 2 is block 0
	if data[0] != 0x08 || hint < 2 || hint > 6 {
		t.Fatalf("the token does not begin with a root key id: %x", data[:8])
	}
	v := verifier(t, forgetful) // or every flip would be denied for that
	decision := func(data []byte) (*verify.Decision, error) {
		return v.Verify(context.Background(), token.EncodeText(data), rotate)
	}
	whole, err := decision(data)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := json.Marshal(whole)
	for i := range len(data) * 8 {
		flipped := bytes.Clone(data)
		flipped[i/8] ^= 1 << (i % 8)
		d, err := decision(flipped)
		if err != nil {
			continue
		}
		if got, _ := json.Marshal(d); i/8 == 0 || i/8 >= hint || !bytes.Equal(got, want) {
			t.Errorf("bit %d of byte %d flipped: allowed, %s", i%8, i/8, got)
		}
	}
}

// TestEveryBitOfSamples flips each bit of official samples in the other forms.
// Nothing in them is unsigned, so all flips are refused.
func TestEveryBitOfSamples(t *testing.T) {
	dir := sharedData(t, "biscuit-samples")
	root, err := token.ParsePublicKey("ed25519/1055c750b1a1505937af1537c626ba3263995c33a64758aaafb1275b0312e284")
	if err != nil {
		t.Fatal(err)
	}
	allow, err := datalog.ParseAuthorizer(`resource("file1"); operation("read"); allow if true;`, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, form := range map[string]token.Form{
		"test020_sealed.bc":                token.Sealed,
		"test024_third_party.bc":           token.Attenuable,
		"test036_secp256r1.bc":             token.Attenuable,
		"test037_secp256r1_third_party.bc": token.Attenuable,
	} {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			authorize := func(data []byte) error {
				u, err := token.Parse(data, nil)
				if err != nil {
					return err
				}
				tok, err := u.Verify(root)
				if err != nil {
					return err
				}
				if tok.Form() != form {
					t.Errorf("form %s, want %s", tok.Form(), form)
				}
				_, err = verify.Authorize(tok, allow, nil)
				return err
			}
			if err := authorize(data); err != nil {
				t.Fatal(err)
			}
			for i := range len(data) * 8 {
				flipped := bytes.Clone(data)
				flipped[i/8] ^= 1 << (i % 8)
				if authorize(flipped) == nil {
					t.Errorf("bit %d of byte %d flipped: still authorized", i%8, i/8)
				}
			}
		})
	}
}

// TestEveryBitOfAHeldToken: flipping cannot turn a held token into one of
// another form either.
func TestEveryBitOfAHeldToken(t *testing.T) {
	data := mint(t, good).Bytes()
	v := verifier(t, func(o *verify.Options) {
		o.AllowBearer = true
		o.Now = func() time.Time { return now }
	})
	for i := range len(data) * 8 {
		flipped := bytes.Clone(data)
		flipped[i/8] ^= 1 << (i % 8)
		if _, err := v.Verify(context.Background(), token.EncodeText(flipped), rotate); err == nil {
			t.Errorf("bit %d of byte %d flipped: allowed", i%8, i/8)
		}
	}
}
