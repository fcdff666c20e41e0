package token

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ssh"
	"pgregory.net/rapid"

	"github.com/whittle-auth/whittle/token/datalog"
)

// neverAsked is a passphrase function for files that need none.
func neverAsked(t *testing.T) func() ([]byte, error) {
	return func() ([]byte, error) {
		t.Error("asked for a passphrase")
		return nil, errors.New("none")
	}
}

func TestPrivateKeyRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		alg := rapid.SampledFrom(keyAlgorithms).Draw(rt, "algorithm")
		k, err := NewPrivateKey(alg, rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(rt, "secret"))
		if err != nil {
			rt.Skip("not a scalar")
		}
		pkcs8, err := k.MarshalPEM()
		if err != nil {
			rt.Fatal(err)
		}
		forms := [][]byte{[]byte(k.Text()), pkcs8}
		openssh, err := k.MarshalOpenSSH("alice@example.com", nil)
		if (err != nil) != k.Public().RootOnly() {
			rt.Fatal(err)
		}
		if err == nil {
			forms = append(forms, openssh, append([]byte("\r\n"), bytes.ReplaceAll(openssh, []byte("\n"), []byte("\r\n"))...))
		}
		if pair, ok := k.open().signer.(*ecdsa.PrivateKey); ok {
			der, err := x509.MarshalECPrivateKey(pair)
			if err != nil {
				rt.Fatal(err)
			}
			forms = append(forms, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
		}
		for _, form := range forms {
			got, err := ParsePrivateKey(form, neverAsked(t))
			if err != nil {
				rt.Fatalf("%s: %v", form, err)
			}
			if got.Public() != k.Public() || !bytes.Equal(got.Secret(), k.Secret()) {
				rt.Fatalf("%s: reads as %s", form, got.Text())
			}
		}
	})
}

func TestPassphrase(t *testing.T) {
	for _, alg := range biscuitAlgorithms {
		k := newKey(t, alg)
		file, err := k.MarshalOpenSSH("comment", []byte("correct"))
		if err != nil {
			t.Fatal(err)
		}
		asked := 0
		answer := func(phrase string, err error) func() ([]byte, error) {
			return func() ([]byte, error) {
				asked++
				return []byte(phrase), err
			}
		}
		got, err := ParsePrivateKey(file, answer("correct", nil))
		if err != nil || got.Public() != k.Public() || asked != 1 {
			t.Errorf("%s: %v, %v, asked %d times", alg, got, err, asked)
		}
		asked = 0
		got, err = ParsePrivateKey(file, answer("wrong", nil))
		if !errors.Is(err, x509.IncorrectPasswordError) || !got.IsZero() || asked != 1 {
			t.Errorf("%s: wrong passphrase: %v, asked %d times", alg, err, asked)
		}
		if strings.Contains(err.Error(), "wrong\"") {
			t.Errorf("the error repeats the passphrase: %v", err)
		}
		if got, err = ParsePrivateKey(file, answer("", nil)); err == nil || !got.IsZero() {
			t.Errorf("%s: empty passphrase accepted", alg)
		}
		noTTY := errors.New("no terminal")
		if got, err = ParsePrivateKey(file, answer("correct", noTTY)); !errors.Is(err, noTTY) || !got.IsZero() {
			t.Errorf("%s: %v", alg, err)
		}
		got, err = ParsePrivateKey(file, nil)
		fails(t, err, "no passphrase")
		if !got.IsZero() {
			t.Errorf("%s: a key without a passphrase", alg)
		}
	}
}

// opensshEd25519 builds an unencrypted OpenSSH file of an Ed25519 key, with any
// bytes in the places where the public key stands.
func opensshEd25519(outer, inner, seed, half []byte) []byte {
	public := ssh.Marshal(struct {
		Type string
		Key  []byte
	}{"ssh-ed25519", outer})
	private := ssh.Marshal(struct {
		Check1, Check2 uint32
		Type           string
		Public, Pair   []byte
		Comment        string
	}{1, 1, "ssh-ed25519", inner, bytes.Join([][]byte{seed, half}, nil), ""})
	for i := byte(1); len(private)%8 != 0; i++ {
		private = append(private, i)
	}
	file := ssh.Marshal(struct {
		Cipher, KDF, Options string
		Keys                 uint32
		Public, Private      []byte
	}{"none", "none", "", 1, public, private})
	return pem.EncodeToMemory(&pem.Block{Type: "OPENSSH PRIVATE KEY", Bytes: append([]byte("openssh-key-v1\x00"), file...)})
}

// RUSTSEC-2022-0093: signing once under the right public key and once under a
// wrong one gives the secret away.
func TestWrongPublicHalf(t *testing.T) {
	k, other := newKey(t, datalog.Ed25519), newKey(t, datalog.Ed25519)
	seed, right, wrong := k.Secret(), k.Public().Bytes(), other.Public().Bytes()
	if got, err := ParsePrivateKey(opensshEd25519(right, right, seed, right), nil); err != nil || got.Public() != k.Public() {
		t.Fatalf("the honest file: %v, %v", got, err)
	}
	p256 := newKey(t, datalog.Secp256r1)
	p256Other := newKey(t, datalog.Secp256r1)
	point := func(k PrivateKey) []byte {
		pair := k.open().signer.(*ecdsa.PrivateKey)
		b, err := pair.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, file := range map[string][]byte{
		"OpenSSH, half of the pair":    opensshEd25519(right, right, seed, wrong),
		"OpenSSH, all of it":           opensshEd25519(wrong, wrong, seed, wrong),
		"OpenSSH, outside":             opensshEd25519(wrong, right, seed, right),
		"OpenSSH, zeros":               opensshEd25519(right, right, seed, make([]byte, 32)),
		"PKCS#8 v2":                    pkcs8Ed25519(t, seed, wrong),
		"SEC 1":                        sec1(t, p256.Secret(), point(p256Other)),
		"SEC 1, compressed":            sec1(t, p256.Secret(), p256Other.Public().Bytes()),
		"SEC 1, negated":               sec1(t, p256.Secret(), append([]byte{p256.Public().Bytes()[0] ^ 1}, p256.Public().Bytes()[1:]...)),
		"SEC 1, y changed":             sec1(t, p256.Secret(), flipLast(point(p256), 2)),
		"SEC 1, empty":                 sec1(t, p256.Secret(), []byte{}),
		"SEC 1 with the key in PKCS#8": pkcs8P256(t, p256.Secret(), point(p256Other)),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParsePrivateKey(file, nil)
			fails(t, err, "does not belong to")
			if !got.IsZero() {
				t.Errorf("a key is returned: %v", got)
			}
		})
	}
	for name, file := range map[string][]byte{
		"PKCS#8 v2":         pkcs8Ed25519(t, seed, right),
		"PKCS#8 v1":         pkcs8Ed25519(t, seed, nil),
		"SEC 1":             sec1(t, p256.Secret(), point(p256)),
		"SEC 1, compressed": sec1(t, p256.Secret(), p256.Public().Bytes()),
		"SEC 1, none":       sec1(t, p256.Secret(), nil),
		"PKCS#8 of P-256":   pkcs8P256(t, p256.Secret(), point(p256)),
	} {
		got, err := ParsePrivateKey(file, nil)
		if err != nil || got.Public() != k.Public() && got.Public() != p256.Public() {
			t.Errorf("%s, honest: %v, %v", name, got, err)
		}
	}
	pair := ed25519.NewKeyFromSeed(seed)
	copy(pair[32:], wrong)
	if _, err := NewSigner(pair); err == nil {
		t.Error("NewSigner takes an ed25519.PrivateKey with a foreign public half")
	}
	ecPair := *p256.open().signer.(*ecdsa.PrivateKey)
	ecPair.PublicKey = p256Other.open().signer.(*ecdsa.PrivateKey).PublicKey
	if _, err := NewSigner(&ecPair); err == nil {
		t.Error("NewSigner takes an ecdsa.PrivateKey with a foreign public half")
	}
}

func flipLast(b []byte, bits byte) []byte {
	b = bytes.Clone(b)
	b[len(b)-1] ^= bits
	return b
}

func der(t *testing.T, build func(b *cryptobyte.Builder)) []byte {
	t.Helper()
	var b cryptobyte.Builder
	build(&b)
	out, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// pkcs8Ed25519 builds OneAsymmetricKey with a public key unless that is nil.
func pkcs8Ed25519(t *testing.T, seed, public []byte) []byte {
	return pemOf("PRIVATE KEY", der(t, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(1)
			b.AddBytes([]byte{0x30, 5, 6, 3, 0x2b, 0x65, 0x70})
			b.AddASN1(asn1.OCTET_STRING, func(b *cryptobyte.Builder) { b.AddASN1OctetString(seed) })
			if public != nil {
				b.AddASN1(asn1.Tag(1).ContextSpecific(), func(b *cryptobyte.Builder) {
					b.AddUint8(0)
					b.AddBytes(public)
				})
			}
		})
	}))
}

func sec1Body(t *testing.T, scalar, public []byte) []byte {
	return der(t, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(1)
			b.AddASN1OctetString(scalar)
			b.AddASN1(asn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
				b.AddBytes([]byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7})
			})
			if public != nil {
				b.AddASN1(asn1.Tag(1).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddASN1BitString(public) })
			}
		})
	})
}

func sec1(t *testing.T, scalar, public []byte) []byte {
	return pemOf("EC PRIVATE KEY", sec1Body(t, scalar, public))
}

func pkcs8P256(t *testing.T, scalar, public []byte) []byte {
	return pemOf("PRIVATE KEY", der(t, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(0)
			b.AddBytes([]byte{0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7})
			b.AddASN1OctetString(sec1Body(t, scalar, public))
		})
	}))
}

func TestParsePrivateKeyRefuses(t *testing.T) {
	ed, p256 := newKey(t, datalog.Ed25519), newKey(t, datalog.Secp256r1)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8 := func(k any) []byte {
		der, err := x509.MarshalPKCS8PrivateKey(k)
		if err != nil {
			t.Fatal(err)
		}
		return pemOf("PRIVATE KEY", der)
	}
	openssh := func(k any) []byte {
		block, err := ssh.MarshalPrivateKey(k, "")
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(block)
	}
	inside := func(file []byte) []byte {
		block, _ := pem.Decode(file)
		return block.Bytes
	}
	public, err := ed.Public().MarshalPEM()
	if err != nil {
		t.Fatal(err)
	}
	edPKCS8 := pkcs8Ed25519(t, ed.Secret(), nil)
	edSSH, err := ed.MarshalOpenSSH("", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"nothing":            {nil, "no private key"},
		"blank":              {[]byte(" \n"), "no private key"},
		"too long":           {append(bytes.Clone(edPKCS8), make([]byte, 8<<10)...), "at most"},
		"public text":        {[]byte(ed.Public().String()), "this is a public key"},
		"public PEM":         {public, "this is a public key"},
		"public OpenSSH":     {[]byte(ed.Public().AuthorizedKey("x")), "this is a public key"},
		"short text":         {[]byte(ed.Text()[:70]), "27 bytes"},
		"odd text":           {[]byte(ed.Text()[:71]), "hexadecimal"},
		"not hex":            {[]byte("ed25519-private/" + strings.Repeat("zz", 32)), "hexadecimal"},
		"zero scalar":        {[]byte("secp256r1-private/" + strings.Repeat("00", 32)), "scalar"},
		"bare hex":           {[]byte(strings.Repeat("00", 32)), "not a private key"},
		"text, then more":    {[]byte(ed.Text() + " x"), "hexadecimal"},
		"RSA PKCS#8":         {pkcs8(rsaKey), "cannot be used"},
		"RSA PKCS#1":         {pemOf("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey)), "no private key that can be used"},
		"RSA OpenSSH":        {openssh(rsaKey), "cannot be used"},
		"P-384 PKCS#8":       {pkcs8(p384), "P-256"},
		"P-384 OpenSSH":      {openssh(p384), "P-256"},
		"encrypted PKCS#8":   {pemOf("ENCRYPTED PRIVATE KEY", []byte{1}), "encrypted PKCS#8"},
		"old encryption":     {[]byte("-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END EC PRIVATE KEY-----"), "PEM headers"},
		"cut PEM":            {edPKCS8[:60], "damaged"},
		"two keys":           {append(bytes.Clone(edPKCS8), edPKCS8...), "follows"},
		"text after":         {append(bytes.Clone(edPKCS8), "x"...), "follows"},
		"only parameters":    {pemOf("EC PARAMETERS", []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}), "damaged"},
		"certificate":        {pemOf("CERTIFICATE", []byte{1}), "CERTIFICATE"},
		"empty PKCS#8":       {pemOf("PRIVATE KEY", nil), "malformed"},
		"empty SEC 1":        {pemOf("EC PRIVATE KEY", nil), ""},
		"empty OpenSSH":      {pemOf("OPENSSH PRIVATE KEY", nil), ""},
		"PKCS#8 and a byte":  {pemOf("PRIVATE KEY", append(inside(edPKCS8), 0)), "malformed"},
		"SEC 1 and a byte":   {pemOf("EC PRIVATE KEY", append(sec1Body(t, p256.Secret(), nil), 0)), "malformed"},
		"SEC 1 as PKCS#8":    {pemOf("PRIVATE KEY", sec1Body(t, p256.Secret(), nil)), "malformed"},
		"PKCS#8 as SEC 1":    {pemOf("EC PRIVATE KEY", inside(edPKCS8)), ""},
		"PKCS#8 as OpenSSH":  {pemOf("OPENSSH PRIVATE KEY", inside(edPKCS8)), ""},
		"zero SEC 1":         {sec1(t, make([]byte, 32), nil), ""},
		"seed of 31 bytes":   {pkcs8Ed25519(t, ed.Secret()[1:], nil), "31"},
		"OpenSSH cut":        {pemOf("OPENSSH PRIVATE KEY", inside(edSSH)[:100]), ""},
		"OpenSSH seed of 31": {opensshEd25519(ed.Public().Bytes(), ed.Public().Bytes(), ed.Secret()[1:], ed.Public().Bytes()), "length"},
	} {
		t.Run(name, func(t *testing.T) {
			k, err := ParsePrivateKey(c.file, neverAsked(t))
			fails(t, err, c.want)
			if !k.IsZero() {
				t.Errorf("a key is returned: %v", k)
			}
			for _, secret := range []string{ed.Text(), p256.Text()} {
				if strings.Contains(err.Error(), secret[len(secret)-16:]) || strings.Contains(err.Error(), secret[20:36]) {
					t.Errorf("the error tells the secret: %v", err)
				}
			}
		})
	}
}

func TestMarshalOpenSSHRefuses(t *testing.T) {
	k := newKey(t, datalog.Ed25519)
	for _, comment := range []string{"a\nb", "a\x00", "\x7f", strings.Repeat("x", 1025)} {
		if _, err := k.MarshalOpenSSH(comment, nil); err == nil {
			t.Errorf("comment %.10q accepted", comment)
		}
	}
	if _, err := (PrivateKey{}).MarshalOpenSSH("", nil); !errors.Is(err, errNoPrivateKey) {
		t.Errorf("zero key: %v", err)
	}
	if _, err := (PrivateKey{}).MarshalPEM(); !errors.Is(err, errNoPrivateKey) {
		t.Errorf("zero key: %v", err)
	}
}

func FuzzParsePrivateKey(f *testing.F) {
	var seeds [][]byte
	for _, alg := range keyAlgorithms {
		k := newKey(f, alg)
		pkcs8, err := k.MarshalPEM()
		if err != nil {
			f.Fatal(err)
		}
		seeds = append(seeds, []byte(k.Text()), pkcs8)
		if k.Public().RootOnly() {
			continue
		}
		openssh, err := k.MarshalOpenSSH("comment", nil)
		if err != nil {
			f.Fatal(err)
		}
		encrypted, err := k.MarshalOpenSSH("comment", []byte("passphrase"))
		if err != nil {
			f.Fatal(err)
		}
		seeds = append(seeds, openssh, encrypted)
	}
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		asked := 0
		k, err := ParsePrivateKey(file, func() ([]byte, error) {
			asked++
			return nil, errors.New("no terminal")
		})
		if asked > 1 {
			t.Fatalf("asked %d times", asked)
		}
		if err != nil {
			if !k.IsZero() {
				t.Fatal("a key with an error")
			}
			return
		}
		if got, err := ParsePrivateKey([]byte(k.Text()), nil); err != nil || got.Public() != k.Public() {
			t.Fatalf("reads as %v, %v", got, err)
		}
		sig, err := k.Sign(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := k.Public().Verify(file, sig); err != nil {
			t.Fatal(err)
		}
	})
}
