package token

import (
	"bytes"
	"crypto/elliptic"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
	"pgregory.net/rapid"

	"github.com/whittle-auth/whittle/token/datalog"
)

func p256Signature(t interface{ Fatal(...any) }, r, s *big.Int) []byte {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(r)
		b.AddASN1BigInt(s)
	})
	sig, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

func number(t *testing.T, s string) *big.Int { return new(big.Int).SetBytes(unhex(t, s)) }

// RFC 6979, section A.2.5, SHA-256. Of the two signatures the first has a high
// s, which signing turns into n-s.
func TestP256RFC6979(t *testing.T) {
	k, err := NewPrivateKey(datalog.Secp256r1, unhex(t, "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := k.Public().String(), "secp256r1/0360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"; got != want {
		t.Errorf("public key %s, want %s", got, want)
	}
	for _, c := range []struct {
		message, r, s string
		high          bool
	}{
		{"sample", "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716", "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8", true},
		{"test", "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367", "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083", false},
	} {
		plain := p256Signature(t, number(t, c.r), number(t, c.s))
		if IsLowS(plain) == c.high {
			t.Errorf("%s: IsLowS is %v", c.message, !c.high)
		}
		want := plain
		if c.high {
			want = p256Signature(t, number(t, c.r), new(big.Int).Sub(elliptic.P256().Params().N, number(t, c.s)))
		}
		sig, err := k.Sign([]byte(c.message))
		if err != nil || !bytes.Equal(sig, want) {
			t.Errorf("%s: signature %x, %v, want %x", c.message, sig, err, want)
		}
		for _, s := range [][]byte{plain, want} {
			if err := k.Public().Verify([]byte(c.message), s); err != nil {
				t.Errorf("%s: %v", c.message, err)
			}
		}
	}
}

func TestP256Wycheproof(t *testing.T) {
	var file struct {
		TestGroups []struct {
			PublicKey    struct{ Uncompressed string }
			PublicKeyPem string
			Tests        []struct {
				TcID             int `json:"tcId"`
				Comment          string
				Msg, Sig, Result string
			}
		}
	}
	if err := json.Unmarshal(publicData(t, "wycheproof/ecdsa_secp256r1_sha256_test.json"), &file); err != nil {
		t.Fatal(err)
	}
	results := map[string]int{}
	high := 0
	for _, g := range file.TestGroups {
		k, err := ParsePublicKey(g.PublicKeyPem)
		if err != nil {
			t.Fatal(err)
		}
		point := unhex(t, g.PublicKey.Uncompressed)
		if !bytes.Equal(k.Bytes(), compressed(point)) {
			t.Errorf("%v is not %x compressed", k, point)
		}
		if _, err := NewPublicKey(datalog.Secp256r1, point); err == nil {
			t.Error("uncompressed key accepted")
		}
		for _, c := range g.Tests {
			message, sig := unhex(t, c.Msg), unhex(t, c.Sig)
			err := k.Verify(message, sig)
			if (err == nil) != (c.Result == "valid") {
				t.Errorf("test %d, %s, %s: %v", c.TcID, c.Comment, c.Result, err)
			}
			results[c.Result]++
			if err != nil {
				continue
			}
			low, err := normalizeLowS(sig)
			if err != nil || !IsLowS(low) || k.Verify(message, low) != nil {
				t.Errorf("test %d: low form %x, %v", c.TcID, low, err)
			}
			if !IsLowS(sig) {
				high++
			}
		}
	}
	if results["valid"] == 0 || results["invalid"] == 0 || high == 0 {
		t.Fatalf("results %v, %d with high s", results, high)
	}
}

// One signature has one spelling: nothing but strict DER verifies or is
// normalised, even where the numbers are right.
func TestP256StrictDER(t *testing.T) {
	// A key and message with r starting 0x80 or above, so that its integer has
	// the leading zero that some encoders leave out.
	k := newKey(t, datalog.Secp256r1)
	var message, sig []byte
	for i := byte(0); ; i++ {
		message = []byte{i}
		var err error
		if sig, err = k.Sign(message); err != nil {
			t.Fatal(err)
		}
		if r, s, err := readSignature(sig); err == nil && r.BitLen() == 256 && s.BitLen() > 248 && len(sig) == 71 {
			break
		}
		if i == 255 {
			t.Fatal("no signature of the wanted shape")
		}
	}
	r, s, err := readSignature(sig)
	if err != nil {
		t.Fatal(err)
	}
	rb, sb := r.Bytes(), s.Bytes()
	integer := func(b []byte) []byte { return append([]byte{2, byte(len(b))}, b...) }
	sequence := func(parts ...[]byte) []byte {
		body := bytes.Join(parts, nil)
		return append([]byte{0x30, byte(len(body))}, body...)
	}
	positive := append([]byte{0}, rb...)
	if !bytes.Equal(sig, sequence(integer(positive), integer(sb))) {
		t.Fatal("the builders do not rebuild the signature")
	}
	order := elliptic.P256().Params().N
	zero := integer([]byte{0})
	for name, bad := range map[string][]byte{
		"empty":                  {},
		"trailing byte":          append(bytes.Clone(sig), 0),
		"byte inside":            sequence(integer(positive), integer(sb), []byte{0}),
		"third integer":          sequence(integer(positive), integer(sb), zero),
		"one integer":            sequence(integer(positive)),
		"r with two zeros":       sequence(integer(append([]byte{0}, positive...)), integer(sb)),
		"s with a zero":          sequence(integer(positive), integer(append([]byte{0}, sb...))),
		"negative r":             sequence(integer(rb), integer(sb)),
		"r = 0":                  sequence(zero, integer(sb)),
		"s = 0":                  sequence(integer(positive), zero),
		"r and s = 0":            sequence(zero, zero),
		"empty r":                sequence([]byte{2, 0}, integer(sb)),
		"empty s":                sequence(integer(positive), []byte{2, 0}),
		"r + n":                  p256Signature(t, new(big.Int).Add(r, order), s),
		"s + n":                  p256Signature(t, r, new(big.Int).Add(s, order)),
		"s = n":                  p256Signature(t, r, order),
		"set for sequence":       append([]byte{0x31}, sig[1:]...),
		"primitive sequence":     append([]byte{0x10}, sig[1:]...),
		"octet string for r":     sequence(append([]byte{4, 33}, positive...), integer(sb)),
		"long length":            append([]byte{0x30, 0x81}, sig[1:]...),
		"long length of r":       append([]byte{0x30, byte(len(sig) - 1)}, append([]byte{2, 0x81}, sig[3:]...)...),
		"indefinite length":      append(append([]byte{0x30, 0x80}, sig[2:]...), 0, 0),
		"raw r and s":            append(bytes.Clone(rb), sb...),
		"length beyond":          append([]byte{0x30, sig[1] + 1}, sig[2:]...),
		"length short":           append([]byte{0x30, sig[1] - 1}, sig[2:]...),
		"four-byte length":       append([]byte{0x30, 0x84, 0, 0, 0}, sig[1:]...),
		"huge length":            {0x30, 0x84, 0xff, 0xff, 0xff, 0xff},
		"application tag":        append([]byte{0x70}, sig[1:]...),
		"multi-byte tag":         append([]byte{0x3f, 0x10}, sig[1:]...),
		"r and s in one integer": sequence(integer(append(append([]byte{}, positive...), sb...))),
	} {
		t.Run(name, func(t *testing.T) {
			if k.Public().Verify(message, bad) == nil {
				t.Errorf("%x verifies", bad)
			}
			if IsLowS(bad) {
				t.Errorf("%x counts as low", bad)
			}
			if out, err := normalizeLowS(bad); err == nil {
				t.Errorf("%x normalised to %x", bad, out)
			}
		})
	}
	if err := k.Public().Verify(message, sig); err != nil {
		t.Error(err)
	}
}

func TestP256LowS(t *testing.T) {
	order := elliptic.P256().Params().N
	half := new(big.Int).Rsh(order, 1)
	one := big.NewInt(1)
	for _, c := range []struct {
		s   *big.Int
		low bool
	}{
		{one, true},
		{half, true},
		{new(big.Int).Add(half, one), false},
		{new(big.Int).Sub(order, one), false},
	} {
		if got := IsLowS(p256Signature(t, one, c.s)); got != c.low {
			t.Errorf("s = %x: low %v", c.s, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) *big.Int {
			b := rapid.SliceOfN(rapid.Byte(), 1, 32).Draw(t, name)
			n := new(big.Int).SetBytes(b)
			n.Mod(n, new(big.Int).Sub(order, one))
			return n.Add(n, one)
		}
		r, s := draw("r"), draw("s")
		sig := p256Signature(t, r, s)
		mirror := p256Signature(t, r, new(big.Int).Sub(order, s))
		if IsLowS(sig) == IsLowS(mirror) {
			t.Fatal("exactly one of s and n-s is low")
		}
		a, err := normalizeLowS(sig)
		if err != nil {
			t.Fatal(err)
		}
		b, err := normalizeLowS(mirror)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) || !IsLowS(a) {
			t.Fatalf("two low forms, %x and %x", a, b)
		}
	})
}

func TestP256Keys(t *testing.T) {
	order := elliptic.P256().Params().N
	for name, scalar := range map[string]*big.Int{
		"zero":        new(big.Int),
		"order":       order,
		"order and 1": new(big.Int).Add(order, big.NewInt(1)),
		"all ones":    new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1)),
	} {
		if _, err := NewPrivateKey(datalog.Secp256r1, scalar.FillBytes(make([]byte, 32))); err == nil {
			t.Errorf("scalar %s accepted", name)
		}
	}
	for _, scalar := range []*big.Int{big.NewInt(1), new(big.Int).Sub(order, big.NewInt(1))} {
		if _, err := NewPrivateKey(datalog.Secp256r1, scalar.FillBytes(make([]byte, 32))); err != nil {
			t.Errorf("scalar %x: %v", scalar, err)
		}
	}
	good := newKey(t, datalog.Secp256r1).Public().Bytes()
	field := elliptic.P256().Params().P.Bytes()
	for name, b := range map[string][]byte{
		"infinity":         make([]byte, 33),
		"prefix 0":         append([]byte{0}, good[1:]...),
		"prefix 4":         append([]byte{4}, good[1:]...),
		"prefix 6, hybrid": append([]byte{6}, good[1:]...),
		"prefix 0x82":      append([]byte{0x82}, good[1:]...),
		"x = p":            append([]byte{2}, field...),
		"x all ones":       append([]byte{3}, bytes.Repeat([]byte{0xff}, 32)...),
	} {
		if _, err := NewPublicKey(datalog.Secp256r1, b); err == nil {
			t.Errorf("%s: %s accepted", name, hex.EncodeToString(b))
		}
	}
	for prefix := range 256 {
		b := append([]byte{byte(prefix)}, good[1:]...)
		_, err := publicKeyFromWire(datalog.Key{Algorithm: datalog.Secp256r1, Bytes: string(b)})
		if (err == nil) != (prefix == 2 || prefix == 3) {
			t.Errorf("prefix %d on the wire: %v", prefix, err)
		}
	}
	// The other prefix is the negated point: a valid key, and another one.
	negated := append([]byte{good[0] ^ 1}, good[1:]...)
	if k, err := NewPublicKey(datalog.Secp256r1, negated); err != nil || string(k.Bytes()) == string(good) {
		t.Errorf("negated key: %v, %v", k, err)
	}
}
