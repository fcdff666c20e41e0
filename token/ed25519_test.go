package token

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"filippo.io/edwards25519"

	"github.com/whittle-auth/whittle/token/datalog"
)

// RFC 8032, section 7.1, tests 1 and 3.
func TestEd25519RFC8032(t *testing.T) {
	for _, c := range []struct{ secret, public, message, sig string }{
		{
			"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
			"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
			"",
			"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
		},
		{
			"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
			"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
			"af82",
			"6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
		},
	} {
		k, err := NewPrivateKey(datalog.Ed25519, unhex(t, c.secret))
		if err != nil {
			t.Fatal(err)
		}
		if got := k.Public().String(); got != "ed25519/"+c.public {
			t.Errorf("public key %s, want %s", got, c.public)
		}
		sig, err := k.Sign(unhex(t, c.message))
		if err != nil || hex.EncodeToString(sig) != c.sig {
			t.Errorf("signature %x, %v, want %s", sig, err, c.sig)
		}
		if err := k.Public().Verify(unhex(t, c.message), sig); err != nil {
			t.Error(err)
		}
	}
}

// CCTV's vectors show every way in which verifiers of Ed25519 differ. Strict
// verification accepts those whose key and R may have a small-order component,
// cancelling in the equation without cofactor, and nothing else.
func TestEd25519CCTV(t *testing.T) {
	var vectors []struct {
		Number   int
		Key, Sig string
		Msg      string
		Flags    []string
	}
	if err := json.Unmarshal(publicData(t, "ed25519/cctv.json"), &vectors); err != nil {
		t.Fatal(err)
	}
	accepted := 0
	for _, v := range vectors {
		want := !slices.ContainsFunc(v.Flags, func(f string) bool {
			return f != "low_order_component_A" && f != "low_order_component_R"
		})
		err := verifyBytes(t, unhex(t, v.Key), []byte(v.Msg), unhex(t, v.Sig))
		if (err == nil) != want {
			t.Errorf("vector %d %v: %v, want accepted %v", v.Number, v.Flags, err, want)
		}
		if err == nil {
			accepted++
		}
		_, err = NewPublicKey(datalog.Ed25519, unhex(t, v.Key))
		bad := slices.Contains(v.Flags, "low_order_A") || slices.Contains(v.Flags, "non_canonical_A")
		if (err != nil) != bad {
			t.Errorf("vector %d %v: key: %v, want refused %v", v.Number, v.Flags, err, bad)
		}
	}
	if len(vectors) == 0 || accepted == 0 {
		t.Fatalf("%d vectors, %d accepted", len(vectors), accepted)
	}
}

// verifyBytes goes the way of a token: the cheap check, then the signature. A key
// with a table must give the same answer.
func verifyBytes(t *testing.T, key, message, sig []byte) error {
	t.Helper()
	k, err := publicKeyFromWire(datalog.Key{Algorithm: datalog.Ed25519, Bytes: string(key)})
	if err != nil {
		return err
	}
	err = k.Verify(message, sig)
	if table, bad := keyTable(string(key)); bad == nil {
		if remembered := (ed25519Scheme{}).verifyWith(table, string(key), message, sig); (remembered == nil) != (err == nil) {
			t.Errorf("key %x, signature %x: with a table %v, without %v", key, sig, remembered, err)
		}
	} else if err == nil {
		t.Errorf("key %x verified, but gets no table: %v", key, bad)
	}
	return err
}

// The cases of "Taming the many EdDSAs", table 6c. verify_strict accepts only
// number 3, in which A and R have mixed order and the equation holds exactly.
func TestEd25519SpecCheck(t *testing.T) {
	var cases []struct {
		Message   string `json:"message"`
		PubKey    string `json:"pub_key"`
		Signature string `json:"signature"`
	}
	if err := json.Unmarshal(publicData(t, "ed25519/speccheck.json"), &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) != 12 {
		t.Fatalf("%d cases, want 12", len(cases))
	}
	for i, c := range cases {
		err := verifyBytes(t, unhex(t, c.PubKey), unhex(t, c.Message), unhex(t, c.Signature))
		if (err == nil) != (i == 3) {
			t.Errorf("case %d: %v", i, err)
		}
	}
}

func TestEd25519Wycheproof(t *testing.T) {
	var file struct {
		TestGroups []struct {
			PublicKey    struct{ Pk string }
			PublicKeyPem string
			Tests        []struct {
				TcID             int `json:"tcId"`
				Msg, Sig, Result string
			}
		}
	}
	if err := json.Unmarshal(publicData(t, "wycheproof/ed25519_test.json"), &file); err != nil {
		t.Fatal(err)
	}
	results := map[string]int{}
	for _, g := range file.TestGroups {
		k, err := NewPublicKey(datalog.Ed25519, unhex(t, g.PublicKey.Pk))
		if err != nil {
			t.Fatal(err)
		}
		if fromPEM, err := ParsePublicKey(g.PublicKeyPem); err != nil || fromPEM != k {
			t.Errorf("PEM: %v, %v", fromPEM, err)
		}
		for _, c := range g.Tests {
			err := k.Verify(unhex(t, c.Msg), unhex(t, c.Sig))
			if (err == nil) != (c.Result == "valid") {
				t.Errorf("test %d, %s: %v", c.TcID, c.Result, err)
			}
			results[c.Result]++
		}
	}
	if results["valid"] == 0 || results["invalid"] == 0 {
		t.Fatalf("results %v", results)
	}
}

// torsion returns the eight points of small order, computed from one of order 8
// rather than taken from the table under test.
func torsion(t *testing.T) []*edwards25519.Point {
	t.Helper()
	p, err := new(edwards25519.Point).SetBytes(unhex(t, "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"))
	if err != nil {
		t.Fatal(err)
	}
	points := []*edwards25519.Point{edwards25519.NewIdentityPoint()}
	for range 7 {
		points = append(points, new(edwards25519.Point).Add(points[len(points)-1], p))
	}
	if new(edwards25519.Point).Add(points[7], p).Equal(points[0]) != 1 {
		t.Fatal("the generator is not of order 8")
	}
	return points
}

// badEncodings returns every encoding of 32 bytes that decodes to a small-order
// point under lenient rules, and every y in [p, 2^255), with both sign bits.
func badEncodings(t *testing.T) [][]byte {
	t.Helper()
	var all [][]byte
	for _, p := range torsion(t) {
		all = append(all, p.Bytes())
	}
	for low := 0xed; low <= 0xff; low++ {
		y := append([]byte{byte(low)}, bytes.Repeat([]byte{0xff}, 31)...)
		y[31] = 0x7f
		all = append(all, y)
	}
	for _, enc := range slices.Clone(all) {
		flipped := bytes.Clone(enc)
		flipped[31] ^= 0x80
		all = append(all, flipped)
	}
	return all
}

func TestEd25519RefusesBadPoints(t *testing.T) {
	bad := badEncodings(t)
	if len(bad) != 2*(8+19) {
		t.Fatalf("%d encodings", len(bad))
	}
	for _, enc := range bad {
		if _, err := publicKeyFromWire(datalog.Key{Bytes: string(enc)}); err == nil {
			t.Errorf("%x passes the cheap check", enc)
		}
		if _, err := NewPublicKey(datalog.Ed25519, enc); err == nil {
			t.Errorf("%x passes the full check", enc)
		}
	}
}

func TestEd25519RefusesWhatIsNoPoint(t *testing.T) {
	off := 0
	for y := byte(2); y < 200; y++ {
		enc := append([]byte{y}, make([]byte, 31)...)
		if _, err := new(edwards25519.Point).SetBytes(enc); err == nil {
			continue
		}
		off++
		if _, err := NewPublicKey(datalog.Ed25519, enc); !errors.Is(err, errNotOnCurve) {
			t.Errorf("%x: %v", enc, err)
		}
	}
	if off == 0 {
		t.Fatal("no encoding is off the curve")
	}
}

// With the identity or another small-order point as the key, R = [S]B - [k]A is
// R = [S]B for at least every eighth message, so one signature fits them all.
func TestEd25519UniversalSignature(t *testing.T) {
	zeroS := make([]byte, 32)
	forged, byStdlib := 0, 0
	for _, a := range torsion(t) {
		for _, r := range torsion(t) {
			sig := append(r.Bytes(), zeroS...)
			for _, message := range []string{"a", "b", "c", "d", "pay"} {
				forged++
				if ed25519.Verify(a.Bytes(), []byte(message), sig) {
					byStdlib++
				}
				unchecked := PublicKey{datalog.Key{Bytes: string(a.Bytes())}}
				if unchecked.Verify([]byte(message), sig) == nil {
					t.Fatalf("key %x accepts %x", a.Bytes(), sig)
				}
			}
		}
	}
	if byStdlib == 0 {
		t.Fatalf("none of %d forgeries is one", forged)
	}
}

// A signer can choose R of small order for a good key; then S is a multiple of
// the secret scalar, and the signature holds under the plain equation.
func TestEd25519RefusesSmallOrderR(t *testing.T) {
	seed := make([]byte, 32)
	k, err := NewPrivateKey(datalog.Ed25519, seed)
	if err != nil {
		t.Fatal(err)
	}
	scalar := ed25519Scalar(t, seed)
	message := []byte("message")
	sig := make([]byte, 64)
	copy(sig, edwards25519.NewIdentityPoint().Bytes())
	challenge := ed25519Challenge(t, sig[:32], k.Public().Bytes(), message)
	copy(sig[32:], new(edwards25519.Scalar).Multiply(challenge, scalar).Bytes())
	if !ed25519.Verify(ed25519.PublicKey(k.Public().Bytes()), message, sig) {
		t.Fatal("the signature does not hold under the plain equation")
	}
	if err := k.Public().Verify(message, sig); !errors.Is(err, errSmallOrder) {
		t.Errorf("verify: %v", err)
	}
}

// ed25519Scalar computes the secret scalar of a seed (RFC 8032, section 5.1.5).
func ed25519Scalar(t *testing.T, seed []byte) *edwards25519.Scalar {
	t.Helper()
	h := sha512.Sum512(seed)
	s, err := new(edwards25519.Scalar).SetBytesWithClamping(h[:32])
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ed25519Challenge computes SHA-512(R, A, message) as a scalar.
func ed25519Challenge(t *testing.T, r, a, message []byte) *edwards25519.Scalar {
	t.Helper()
	h := sha512.Sum512(slices.Concat(r, a, message))
	k, err := new(edwards25519.Scalar).SetUniformBytes(h[:])
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// S and S plus the order of the group satisfy the same equation.
func TestEd25519RefusesLargeS(t *testing.T) {
	k := newKey(t, datalog.Ed25519)
	message := []byte("message")
	sig, err := k.Sign(message)
	if err != nil {
		t.Fatal(err)
	}
	order := unhex(t, "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
	carry := 0
	for i := range 32 {
		sum := int(sig[32+i]) + int(order[i]) + carry
		sig[32+i], carry = byte(sum), sum>>8
	}
	if k.Public().Verify(message, sig) == nil {
		t.Error("S above the order accepted")
	}
}
