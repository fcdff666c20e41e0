package token

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/whittle-auth/whittle/token/datalog"
)

// keyAlgorithms are all, biscuitAlgorithms those whose keys a token can name.
var biscuitAlgorithms = []datalog.Algorithm{datalog.Ed25519, datalog.Secp256r1}
var keyAlgorithms = []datalog.Algorithm{datalog.Ed25519, datalog.Secp256r1, datalog.MLDSA44, datalog.MLDSA65}

// publicData reads a file of the folder shared/data beside the repository, or
// of $WHITTLE_SHARED_DATA.
func publicData(t *testing.T, name string) []byte {
	t.Helper()
	dir := os.Getenv("WHITTLE_SHARED_DATA")
	if dir == "" {
		root, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		for {
			if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
				break
			}
			parent := filepath.Dir(root)
			if parent == root {
				t.Fatal("no go.mod above the package")
			}
			root = parent
		}
		dir = filepath.Join(root, "..", "shared", "data")
	}
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		t.Skipf("the public test data for %s is not at %s", name, dir)
	}
	data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	if len(bytes.TrimSpace(data)) == 0 {
		t.Fatalf("%s is empty", name)
	}
	return data
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func newKey(t testing.TB, alg datalog.Algorithm) PrivateKey {
	t.Helper()
	k, err := GenerateKey(alg)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func fails(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Fatalf("error %v, want one with %q", err, want)
	}
}

// Every algorithm of the table can be reached by its number and its name.
func TestAlgorithms(t *testing.T) {
	for _, a := range algorithms {
		if a.name != a.number.String() {
			t.Errorf("the table says %s, package datalog says %s", a.name, a.number)
		}
		k := newKey(t, a.number)
		if n := len(k.Secret()); n != a.secretSize {
			t.Errorf("%s: secret of %d bytes, want %d", a.name, n, a.secretSize)
		}
		if n := len(k.Public().Bytes()); n != a.publicSize {
			t.Errorf("%s: public key of %d bytes, want %d", a.name, n, a.publicSize)
		}
		parsed, err := datalog.ParseKey(k.Public().String())
		if a.rootOnly {
			if err == nil {
				t.Errorf("%s: package datalog reads a key that no clause can trust", a.name)
			}
			continue
		}
		if err != nil || parsed != k.Public().Datalog() {
			t.Errorf("%s: package datalog reads %v, %v", a.name, parsed, err)
		}
	}
	for _, alg := range []datalog.Algorithm{-1, 2, 1 << 30} {
		if _, err := NewPublicKey(alg, make([]byte, 32)); !errors.Is(err, errAlgorithm) {
			t.Errorf("public key of algorithm %d: %v", alg, err)
		}
		if _, err := NewPrivateKey(alg, make([]byte, 32)); !errors.Is(err, errAlgorithm) {
			t.Errorf("private key of algorithm %d: %v", alg, err)
		}
		if _, err := GenerateKey(alg); !errors.Is(err, errAlgorithm) {
			t.Errorf("new key of algorithm %d: %v", alg, err)
		}
	}
}

func TestZeroPublicKey(t *testing.T) {
	var zero PublicKey
	if !zero.IsZero() || zero.Bytes() != nil || zero.AuthorizedKey("x") != "" || zero.Fingerprint() != "" {
		t.Error("the zero key pretends to be one")
	}
	if err := zero.Verify(nil, make([]byte, 64)); !errors.Is(err, errNoKey) {
		t.Errorf("verify: %v", err)
	}
	if err := zero.checkPoint(); !errors.Is(err, errNoKey) {
		t.Errorf("checkPoint: %v", err)
	}
	if _, err := zero.MarshalPEM(); !errors.Is(err, errNoKey) {
		t.Errorf("PEM: %v", err)
	}
	if zero.String() != "(no key)" {
		t.Errorf("text: %s", zero)
	}
	if newKey(t, datalog.Ed25519).Public().IsZero() {
		t.Error("a key counts as none")
	}
}

// Every length but the right one is refused, and none panics.
func TestEveryLength(t *testing.T) {
	message := []byte("message")
	for _, a := range algorithms {
		k := newKey(t, a.number)
		sig, err := k.Sign(message)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 101 {
			for _, fill := range [][]byte{make([]byte, n), bytes.Repeat([]byte{0xff}, n), bytes.Repeat([]byte{2}, n), stretch(k.Public().Bytes(), n)} {
				_, err := NewPublicKey(a.number, fill)
				if n != a.publicSize && err == nil {
					t.Errorf("%s: public key of %d bytes accepted", a.name, n)
				}
				_, err = publicKeyFromWire(datalog.Key{Algorithm: a.number, Bytes: string(fill)})
				if n != a.publicSize && err == nil {
					t.Errorf("%s: public key of %d bytes accepted from the wire", a.name, n)
				}
				_, err = NewPrivateKey(a.number, fill)
				if n != a.secretSize && err == nil {
					t.Errorf("%s: secret of %d bytes accepted", a.name, n)
				}
				// A key as only this package could make it by mistake.
				odd := PublicKey{datalog.Key{Algorithm: a.number, Bytes: string(fill)}}
				if odd.Verify(message, sig) == nil && odd != k.Public() {
					t.Errorf("%s: %x verifies", a.name, fill)
				}
			}
			for _, fill := range [][]byte{make([]byte, n), bytes.Repeat([]byte{0xff}, n), stretch(sig, n)} {
				if err := k.Public().Verify(message, fill); err == nil && !bytes.Equal(fill, sig) {
					t.Errorf("%s: signature %x accepted", a.name, fill)
				}
				if IsLowS(fill) && a.number == datalog.Secp256r1 && !bytes.Equal(fill, sig) {
					t.Errorf("%x is no signature", fill)
				}
			}
		}
		if err := k.Public().Verify(message, sig); err != nil {
			t.Errorf("%s: %v", a.name, err)
		}
	}
}

// stretch returns n bytes, made of b cut off or repeated.
func stretch(b []byte, n int) []byte { return bytes.Repeat(b, n/len(b)+1)[:n] }

func TestSignVerify(t *testing.T) {
	for _, alg := range keyAlgorithms {
		k, other := newKey(t, alg), newKey(t, alg)
		rapid.Check(t, func(t *rapid.T) {
			message := rapid.SliceOf(rapid.Byte()).Draw(t, "message")
			sig, err := k.Sign(message)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := k.Sign(message); err != nil || !bytes.Equal(again, sig) {
				t.Fatalf("a second signature differs: %x, %x, %v", sig, again, err)
			}
			if err := k.Public().Verify(message, sig); err != nil {
				t.Fatal(err)
			}
			if other.Public().Verify(message, sig) == nil {
				t.Fatal("another key verifies")
			}
			if k.Public().Verify(append([]byte{0}, message...), sig) == nil {
				t.Fatal("another message verifies")
			}
			bit := rapid.IntRange(0, len(sig)*8-1).Draw(t, "bit")
			bad := bytes.Clone(sig)
			bad[bit/8] ^= 1 << (bit % 8)
			if k.Public().Verify(message, bad) == nil {
				t.Fatalf("verifies with bit %d flipped", bit)
			}
		})
	}
}

// Whatever the full check accepts, the cheap one accepts; and a signature never
// verifies under a key that fails the full one.
func TestCheapCheckIsNoStricter(t *testing.T) {
	sizes := map[datalog.Algorithm]int{datalog.Ed25519: 32, datalog.Secp256r1: 33}
	offCurve := map[datalog.Algorithm]int{}
	for _, alg := range biscuitAlgorithms { // ML-DSA has but one check
		rapid.Check(t, func(t *rapid.T) {
			b := rapid.SliceOfN(rapid.Byte(), sizes[alg], sizes[alg]).Draw(t, "key")
			if alg == datalog.Secp256r1 {
				b[0] = 2 | b[0]&1
			}
			k := datalog.Key{Algorithm: alg, Bytes: string(b)}
			cheap, err := publicKeyFromWire(k)
			full, fullErr := PublicKeyFromDatalog(k)
			if fullErr == nil {
				if err != nil || cheap != full {
					t.Fatalf("only the full check accepts: %v", err)
				}
				return
			}
			if err != nil {
				return
			}
			offCurve[alg]++
			if cheap.checkPoint() == nil {
				t.Fatal("checkPoint accepts what the full check refuses")
			}
			if cheap.Verify(nil, make([]byte, 64)) == nil {
				t.Fatal("verifies")
			}
			if cheap.AuthorizedKey("") != "" || cheap.Fingerprint() != "" {
				t.Fatal("prints a key that is none")
			}
			if _, err := cheap.MarshalPEM(); err == nil {
				t.Fatal("writes a key that is none")
			}
		})
		if offCurve[alg] == 0 {
			t.Errorf("%s: no key off the curve was tried", alg)
		}
	}
}

func TestPublicKeyFromCrypto(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	off := p256.PublicKey
	//lint:ignore SA1019 there is no other way to make a key that is off the curve
	off.X, off.Y = p256.Y, p256.X
	for name, c := range map[string]struct {
		key  any
		want string
	}{
		"nothing":          {nil, "cannot be used"},
		"RSA":              {&rsaKey.PublicKey, "cannot be used"},
		"P-384":            {&p384.PublicKey, "P-256"},
		"nil ECDSA":        {(*ecdsa.PublicKey)(nil), "P-256"},
		"ECDSA not a key":  {&ecdsa.PublicKey{}, "P-256"},
		"ECDSA off curve":  {&off, ""},
		"a private key":    {p256, "cannot be used"},
		"an ed25519 value": {newKey(t, datalog.Ed25519), "cannot be used"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := PublicKeyFromCrypto(c.key)
			fails(t, err, c.want)
		})
	}
	if k, err := PublicKeyFromCrypto(&p256.PublicKey); err != nil || k.Algorithm() != datalog.Secp256r1 {
		t.Errorf("P-256: %v, %v", k, err)
	}
}

func BenchmarkPublicKeyVerify(b *testing.B) {
	for _, alg := range keyAlgorithms {
		b.Run(alg.String(), func(b *testing.B) {
			k := newKey(b, alg)
			message := make([]byte, 256)
			sig, err := k.Sign(message)
			if err != nil {
				b.Fatal(err)
			}
			pub := k.Public()
			b.ReportAllocs()
			for b.Loop() {
				if err := pub.Verify(message, sig); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPublicKeyFromWire(b *testing.B) {
	for _, alg := range keyAlgorithms {
		b.Run(alg.String(), func(b *testing.B) {
			k := newKey(b, alg).Public().Datalog()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := publicKeyFromWire(k); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
