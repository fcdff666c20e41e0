package verify_test

import (
	"crypto/elliptic"
	"crypto/sha256"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/verify"
)

// ECDSA leaves more freedom than Ed25519: who chooses the key can make one
// signature fit two messages, and from a signature follow other keys that it
// fits. Both are carried out here.

// message returns what the root is asked to sign for a block 0.
func message(t *testing.T, source string) []byte {
	t.Helper()
	c := &capture{Signer: keyOf(datalog.Secp256r1, "anybody")}
	if _, err := token.Mint(c, block(t, source), token.HeldBy(ci.Public()), nil); !errors.Is(err, errCaptured) {
		t.Fatal(err)
	}
	return c.message
}

var errCaptured = errors.New("captured")

type capture struct {
	token.Signer
	message []byte
}

func (c *capture) Sign(message []byte) ([]byte, error) {
	c.message = message
	return nil, errCaptured
}

// fixed signs everything with one signature.
type fixed struct {
	public    token.PublicKey
	signature []byte
}

func (f fixed) Public() token.PublicKey       { return f.public }
func (f fixed) Sign(_ []byte) ([]byte, error) { return f.signature, nil }

// oneForBoth makes a key and a signature that fits two messages: with R = kG and
// -R, which share their x, and the secret chosen so that s comes out the same.
func oneForBoth(t *testing.T, m1, m2 []byte) fixed {
	t.Helper()
	curve := elliptic.P256()
	n := curve.Params().N
	hash := func(m []byte) *big.Int {
		sum := sha256.Sum256(m)
		return new(big.Int).SetBytes(sum[:])
	}
	k := new(big.Int).Mod(hash([]byte("some k")), n)
	//lint:ignore SA1019 the attack is about the group itself
	r, _ := curve.ScalarBaseMult(k.Bytes())
	r.Mod(r, n)
	// d = -(h1 + h2) / 2r
	d := new(big.Int).Add(hash(m1), hash(m2))
	d.Neg(d).Mul(d, new(big.Int).ModInverse(new(big.Int).Lsh(r, 1), n)).Mod(d, n)
	// s = (h1 + rd) / k
	s := new(big.Int).Mul(r, d)
	s.Add(s, hash(m1)).Mul(s, new(big.Int).ModInverse(k, n)).Mod(s, n)
	if s.Cmp(new(big.Int).Rsh(n, 1)) > 0 {
		s.Sub(n, s)
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(r)
		b.AddASN1BigInt(s)
	})
	secret, err := token.NewPrivateKey(datalog.Secp256r1, d.FillBytes(make([]byte, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return fixed{secret.Public(), b.BytesOrPanic()}
}

// TestOneSignatureForTwoTokens: a root key made so that its signature fits a
// narrow and a wide block 0. All that was signed for the narrow token verifies on
// the wide one, and still the invocation does not fit: it covers the blocks
// themselves, not their signatures.
func TestOneSignatureForTwoTokens(t *testing.T) {
	// As long as the good one, and with symbols of the same numbers.
	narrow := strings.ReplaceAll(good, "payments", "paymentz")
	root := oneForBoth(t, message(t, narrow), message(t, good))
	narrowToken := mintFor(t, root, narrow, token.HeldBy(ci.Public()))
	wideToken := mintFor(t, root, good, token.HeldBy(ci.Public()))
	if string(narrowToken.Blocks()[0].Signature) != string(wideToken.Blocks()[0].Signature) {
		t.Fatal("the signatures differ")
	}
	v := verifierFor(t, root.public, "alice@example.com")
	if code := decideWith(t, v, present(t, wideToken, ci, rotate, nil).Text(), rotate); code != "" {
		t.Fatalf("the wide token itself: %q", code)
	}
	blocks, proof := wireBlocks(t, present(t, narrowToken, ci, rotate, nil).Bytes())
	wide, _ := wireBlocks(t, wideToken.Bytes())
	blocks[0] = wide[0]
	spliced := wireToken(blocks, proof)
	u, err := token.ParseText(spliced, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Verify(root.public); err != nil {
		t.Fatalf("the signatures should all verify: %v", err)
	}
	if code := decideWith(t, v, spliced, rotate); code != token.CodeCheckFailed {
		t.Errorf("%q", code)
	}
}

// TestRecoveredRootKey: from Alice's signature follows another key that it fits.
// Whoever gets that key trusted for a name of their own gains nothing: the block
// still says on whose behalf it is.
func TestRecoveredRootKey(t *testing.T) {
	alice := keyOf(datalog.Secp256r1, "alice")
	held := mintFor(t, alice, good, token.HeldBy(ci.Public()))
	other := recovered(t, message(t, good), held.Blocks()[0].Signature, alice.Public())
	text := present(t, held, ci, rotate, nil).Text()
	u, err := token.ParseText(text, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Verify(other); err != nil {
		t.Fatalf("the signature should fit the other key too: %v", err)
	}
	if code := decideWith(t, verifierFor(t, other, "mallory@example.com"), text, rotate); code != token.CodeUntrustedRoot {
		t.Errorf("%q", code)
	}
}

// recovered returns a key other than known with which the signature verifies:
// (sR - hG) / r for one of the points R with that x.
func recovered(t *testing.T, m, signature []byte, known token.PublicKey) token.PublicKey {
	t.Helper()
	var inner cryptobyte.String
	r, s := new(big.Int), new(big.Int)
	in := cryptobyte.String(signature)
	if !in.ReadASN1(&inner, asn1.SEQUENCE) || !inner.ReadASN1Integer(r) || !inner.ReadASN1Integer(s) {
		t.Fatal("no signature")
	}
	curve := elliptic.P256()
	n := curve.Params().N
	sum := sha256.Sum256(m)
	inverse := new(big.Int).ModInverse(r, n)
	u1 := new(big.Int).SetBytes(sum[:])
	u1.Neg(u1).Mul(u1, inverse).Mod(u1, n)
	u2 := new(big.Int).Mul(s, inverse)
	u2.Mod(u2, n)
	for _, prefix := range []byte{2, 3} {
		x, y := elliptic.UnmarshalCompressed(curve, append([]byte{prefix}, r.FillBytes(make([]byte, 32))...))
		if x == nil {
			t.Fatal("r is no x of a point")
		}
		//lint:ignore SA1019 the attack is about the group itself
		x1, y1 := curve.ScalarBaseMult(u1.Bytes())
		//lint:ignore SA1019 the attack is about the group itself
		x2, y2 := curve.ScalarMult(x, y, u2.Bytes())
		//lint:ignore SA1019 the attack is about the group itself
		qx, qy := curve.Add(x1, y1, x2, y2)
		k, err := token.NewPublicKey(datalog.Secp256r1, elliptic.MarshalCompressed(curve, qx, qy))
		if err != nil {
			t.Fatal(err)
		}
		if k != known {
			return k
		}
	}
	t.Fatal("both keys are the known one")
	return token.PublicKey{}
}

func verifierFor(t *testing.T, root token.PublicKey, principal string) *verify.Verifier {
	t.Helper()
	v, err := verify.New("svc:certs", roots(t, principal+` namespaces="whittle" `+root.AuthorizedKey("")), &verify.Options{Now: func() time.Time { return now }, Replay: firstStart(t)})
	if err != nil {
		t.Fatal(err)
	}
	return v
}
