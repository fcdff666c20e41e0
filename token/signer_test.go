package token

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token/datalog"
)

func TestZeroPrivateKey(t *testing.T) {
	var zero PrivateKey
	if !zero.IsZero() || !zero.Public().IsZero() || zero.Secret() != nil || zero.Text() != "" {
		t.Error("the zero key pretends to be one")
	}
	if _, err := zero.Sign(nil); !errors.Is(err, errNoPrivateKey) {
		t.Errorf("sign: %v", err)
	}
	for _, s := range []string{zero.String(), fmt.Sprintf("%v %+v %#v", zero, zero, zero)} {
		if !strings.Contains(s, "no private key") {
			t.Errorf("prints %q", s)
		}
	}
	if newKey(t, datalog.Ed25519).IsZero() {
		t.Error("a key counts as none")
	}
}

func TestSecretIsCopied(t *testing.T) {
	for _, alg := range keyAlgorithms {
		secret := newKey(t, alg).Secret()
		k, err := NewPrivateKey(alg, secret)
		if err != nil {
			t.Fatal(err)
		}
		text := k.Text()
		clear(secret)
		clear(k.Secret())
		if k.Text() != text {
			t.Errorf("%s: the caller can change the secret", alg)
		}
	}
}

// Nothing that prints, logs or encodes shows the secret, wherever the key
// stands.
func TestPrivateKeyNeverPrinted(t *testing.T) {
	type exported struct {
		Name string
		Key  PrivateKey
	}
	type unexported struct {
		name string
		key  PrivateKey
		ptr  *PrivateKey
		list []PrivateKey
		any  any
	}
	for _, alg := range keyAlgorithms {
		k := newKey(t, alg)
		secret := k.Secret()
		leaks := []string{
			string(secret[:8]),
			hex.EncodeToString(secret)[:16],
			strings.ToUpper(hex.EncodeToString(secret)[:16]),
			base64.StdEncoding.EncodeToString(secret)[:10],
			strings.Trim(fmt.Sprint(secret[:4]), "[]"),
			strings.Trim(fmt.Sprintf("%#v", secret[:4]), "[]byte{}"),
			fmt.Sprintf("% x", secret[:6]),
			new(big.Int).SetBytes(secret).String()[:12],
			strings.Trim(fmt.Sprintf("%q", secret[:8]), `"`),
		}
		signer, err := NewSigner(k.open().signer)
		if err != nil {
			t.Fatal(err)
		}
		values := []any{
			k, &k, []PrivateKey{k}, [1]PrivateKey{k}, map[string]PrivateKey{"k": k},
			exported{"n", k}, &exported{"n", k}, []any{exported{"n", k}},
			unexported{"n", k, &k, []PrivateKey{k}, k}, &unexported{"n", k, &k, []PrivateKey{k}, k},
			signer, struct{ s Signer }{signer}, struct{ S Signer }{signer}, WithErr{k, nil},
		}
		check := func(how, out string) {
			t.Helper()
			for _, leak := range leaks {
				if strings.Contains(out, leak) {
					t.Fatalf("%s shows the secret: %s", how, out)
				}
			}
		}
		for i, v := range values {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%b", "%o", "%c", "%U", "%t", "%e", "%p", "%T", "%+q", "%#x", "%100v", "%w"} {
				check(fmt.Sprintf("value %d, %s", i, verb), fmt.Sprintf(verb, v))
			}
			check("Sprint", fmt.Sprint(v))
			if out, err := json.Marshal(v); err == nil {
				check("JSON", string(out))
			}
			var buf bytes.Buffer
			slog.New(slog.NewTextHandler(&buf, nil)).Info("m", "k", v)
			slog.New(slog.NewJSONHandler(&buf, nil)).Info("m", "k", v)
			check("slog", buf.String())
			check("error", fmt.Errorf("bad key %v", v).Error())
		}
		want := alg.String() + "-private/REDACTED"
		for _, out := range []string{k.String(), k.GoString(), fmt.Sprintf("%x", k), k.LogValue().String()} {
			if out != want {
				t.Errorf("prints %q, want %q", out, want)
			}
		}
		if out, err := json.Marshal(exported{"n", k}); err != nil || string(out) != `{"Name":"n","Key":"`+want+`"}` {
			t.Errorf("JSON %s, %v", out, err)
		}
		if k.Text() != alg.String()+"-private/"+hex.EncodeToString(secret) {
			t.Errorf("text %s", k.Text())
		}
	}
}

// WithErr embeds a key, and so has its methods.
type WithErr struct {
	PrivateKey
	err error
}

// hardware is a crypto.Signer that is neither of the standard key types.
type hardware struct {
	crypto.Signer
	public crypto.PublicKey                 // instead of the signer's own
	change func([]byte) []byte              // what becomes of each signature
	sign   func(m []byte) ([]byte, error)   // instead of signing
	seen   func(m []byte, opts crypto.Hash) // what was asked
}

func (h hardware) Public() crypto.PublicKey {
	if h.public != nil {
		return h.public
	}
	return h.Signer.Public()
}

func (h hardware) Sign(random io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	if h.seen != nil {
		h.seen(message, opts.HashFunc())
	}
	if h.sign != nil {
		return h.sign(message)
	}
	sig, err := h.Signer.Sign(random, message, opts)
	if err == nil && h.change != nil {
		sig = h.change(sig)
	}
	return sig, err
}

func TestNewSigner(t *testing.T) {
	message := []byte("message")
	for _, alg := range keyAlgorithms {
		k, other := newKey(t, alg), newKey(t, alg)
		want, err := k.Sign(message)
		if err != nil {
			t.Fatal(err)
		}
		for name, s := range map[string]crypto.Signer{"standard key": k.open().signer, "hardware": hardware{Signer: k.open().signer}} {
			signer, err := NewSigner(s)
			if err != nil {
				t.Fatal(err)
			}
			if signer.Public() != k.Public() {
				t.Errorf("%s: public key %v", name, signer.Public())
			}
			sig, err := signer.Sign(message)
			if err != nil || k.Public().Verify(message, sig) != nil {
				t.Errorf("%s: %x, %v", name, sig, err)
			}
			if alg == datalog.Ed25519 && !bytes.Equal(sig, want) {
				t.Errorf("%s: signature %x, want %x", name, sig, want)
			}
		}
		otherSig, err := other.Sign(message)
		if err != nil {
			t.Fatal(err)
		}
		broken := errors.New("unplugged")
		for name, h := range map[string]hardware{
			"flipped bit":      {change: func(s []byte) []byte { return flipLast(s, 1) }},
			"cut":              {change: func(s []byte) []byte { return s[:len(s)-1] }},
			"longer":           {change: func(s []byte) []byte { return append(s, 0) }},
			"nothing":          {change: func([]byte) []byte { return nil }},
			"zeros":            {change: func(s []byte) []byte { return make([]byte, len(s)) }},
			"other key":        {sign: func([]byte) ([]byte, error) { return otherSig, nil }},
			"other public key": {public: other.open().signer.Public()},
			"error":            {sign: func([]byte) ([]byte, error) { return want, broken }},
		} {
			h.Signer = k.open().signer
			signer, err := NewSigner(h)
			if err != nil {
				t.Fatal(err)
			}
			sig, err := signer.Sign(message)
			if err == nil || sig != nil {
				t.Errorf("%s, %s: %x, %v", alg, name, sig, err)
			}
			if name == "error" && !errors.Is(err, broken) {
				t.Errorf("%s: the cause is lost: %v", alg, err)
			}
		}
	}
}

// Ed25519 signers get the message, ECDSA signers the digest, and a high s comes
// back low.
func TestNewSignerProtocol(t *testing.T) {
	message := []byte("message")
	var got []byte
	var hash crypto.Hash
	seen := func(m []byte, h crypto.Hash) { got, hash = m, h }

	signer, err := NewSigner(hardware{Signer: newKey(t, datalog.Ed25519).open().signer, seen: seen})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signer.Sign(message); err != nil || !bytes.Equal(got, message) || hash != 0 {
		t.Errorf("Ed25519: asked to sign %x with hash %d, %v", got, hash, err)
	}

	k := newKey(t, datalog.Secp256r1)
	order := elliptic.P256().Params().N
	highs := 0
	signer, err = NewSigner(hardware{Signer: k.open().signer, seen: seen, change: func(sig []byte) []byte {
		r, s, err := readSignature(sig)
		if err != nil {
			t.Fatal(err)
		}
		if IsLowS(sig) {
			s.Sub(order, s)
		}
		high := p256Signature(t, r, s)
		if !IsLowS(high) {
			highs++
		}
		return high
	}})
	if err != nil {
		t.Fatal(err)
	}
	sig, err := signer.Sign(message)
	if err != nil || !IsLowS(sig) || highs != 1 {
		t.Errorf("P-256: low %v, %d high from the signer, %v", IsLowS(sig), highs, err)
	}
	if len(got) != 32 || hash != crypto.SHA256 {
		t.Errorf("P-256: asked to sign %x with hash %d", got, hash)
	}

	raw, err := NewSigner(hardware{Signer: k.open().signer, change: func(sig []byte) []byte {
		r, s, err := readSignature(sig)
		if err != nil {
			t.Fatal(err)
		}
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = raw.Sign(message)
	fails(t, err, "DER")
}

func TestNewSignerRefuses(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ed := newKey(t, datalog.Ed25519)
	smallOrder := ed25519.PublicKey(make([]byte, 32))
	for name, s := range map[string]crypto.Signer{
		"nil":                 nil,
		"RSA":                 rsaKey,
		"P-384":               p384,
		"nil Ed25519":         ed25519.PrivateKey(nil),
		"nil Ed25519 pointer": (*ed25519.PrivateKey)(nil),
		"nil ECDSA":           (*ecdsa.PrivateKey)(nil),
		"empty ECDSA":         &ecdsa.PrivateKey{},
		"short Ed25519":       ed25519.PrivateKey(make([]byte, 33)),
		"small-order key":     hardware{Signer: ed.open().signer, public: smallOrder},
		"short public key":    hardware{Signer: ed.open().signer, public: smallOrder[:31]},
		"odd public key":      hardware{Signer: ed.open().signer, public: "a string"},
	} {
		if signer, err := NewSigner(s); err == nil || signer != nil {
			t.Errorf("%s: %v, %v", name, signer, err)
		}
	}
	negative := *newKey(t, datalog.Secp256r1).open().signer.(*ecdsa.PrivateKey)
	//lint:ignore SA1019 there is no other way to make such a key
	negative.D = new(big.Int).Neg(negative.D)
	if _, err := NewSigner(&negative); err == nil {
		t.Error("a negative scalar is accepted")
	}
}
