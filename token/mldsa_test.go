package token

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/sha3"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os/exec"
	"strings"
	"testing"

	circl "github.com/cloudflare/circl/sign"
	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ssh"

	"github.com/whittle-auth/whittle/token/datalog"
)

var mldsaAlgorithms = []datalog.Algorithm{datalog.MLDSA44, datalog.MLDSA65}

// Wycheproof's tests of the pure variant. Those whose signature has a context that is
// not empty must fail here, and so must those with the key t1 = 0, for which anyone can
// sign, though FIPS 204 knows no such rule.
func TestMLDSAWycheproof(t *testing.T) {
	for alg, name := range map[datalog.Algorithm]string{datalog.MLDSA44: "44", datalog.MLDSA65: "65"} {
		var file struct {
			NumberOfTests int
			TestGroups    []struct {
				PublicKey, PublicKeyDer string
				Tests                   []struct {
					TcID                  int `json:"tcId"`
					Msg, Sig, Ctx, Result string
					Flags                 []string
				}
			}
		}
		if err := json.Unmarshal(publicData(t, "wycheproof/mldsa_"+name+"_verify_test.json"), &file); err != nil {
			t.Fatal(err)
		}
		results, total := map[string]int{}, 0
		for _, g := range file.TestGroups {
			key := unhex(t, g.PublicKey)
			k, err := NewPublicKey(alg, key)
			a, _ := algorithmOf(alg)
			zero := len(key) == a.publicSize && !bytes.ContainsFunc(key[mldsaSeedA:], func(r rune) bool { return r != 0 })
			if usable := len(key) == a.publicSize && !zero; usable != (err == nil) {
				t.Errorf("key of %d bytes: %v", len(key), err)
			}
			if err == nil && g.PublicKeyDer != "" {
				block := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: unhex(t, g.PublicKeyDer)})
				if parsed, err := ParsePublicKey(string(block)); err != nil || parsed != k {
					t.Errorf("its PEM: %v", err)
				}
				if written, err := k.MarshalPEM(); err != nil || string(written) != string(block) {
					t.Errorf("written as PEM it differs: %v", err)
				}
			}
			for _, c := range g.Tests {
				total++
				err := k.Verify(unhex(t, c.Msg), unhex(t, c.Sig))
				valid := c.Result == "valid"
				if valid && (zero || c.Ctx != "") {
					valid = false
					results["valid elsewhere"]++
				}
				if (err == nil) != valid {
					t.Errorf("test %d of %s, %s %v: %v", c.TcID, name, c.Result, c.Flags, err)
				}
				results[c.Result]++
			}
		}
		if total != file.NumberOfTests || results["valid"] == 0 || results["invalid"] == 0 || results["valid elsewhere"] != 4 {
			t.Fatalf("%d tests of %d, results %v", total, file.NumberOfTests, results)
		}
	}
}

// The key pairs of RFC 9881, appendix C: the seed 00 01 .. 1f.
func TestMLDSAFilesOfRFC9881(t *testing.T) {
	seed := unhex(t, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
	for alg, want := range map[datalog.Algorithm]struct{ private, public string }{
		datalog.MLDSA44: {
			"MDQCAQAwCwYJYIZIAWUDBAMRBCKAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZ\nGhscHR4f\n",
			"MIIFMjALBglghkgBZQMEAxEDggUhANeytHJUquDbReeTDUqY0sl9jxOX0Xidr6Fw",
		},
		datalog.MLDSA65: {
			"MDQCAQAwCwYJYIZIAWUDBAMSBCKAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZ\nGhscHR4f\n",
			"MIIHsjALBglghkgBZQMEAxIDggehAEhoPZGXjjHrPd24sEc0gtK4il9iWUn9j1il",
		},
	} {
		k, err := NewPrivateKey(alg, seed)
		if err != nil {
			t.Fatal(err)
		}
		file := "-----BEGIN PRIVATE KEY-----\n" + want.private + "-----END PRIVATE KEY-----\n"
		if written, err := k.MarshalPEM(); err != nil || string(written) != file {
			t.Errorf("%s: writes %s, %v", alg, written, err)
		}
		if read, err := ParsePrivateKey([]byte(file), nil); err != nil || read.Public() != k.Public() {
			t.Errorf("%s: reads %v, %v", alg, read, err)
		}
		public, err := k.Public().MarshalPEM()
		if err != nil || !strings.HasPrefix(string(public), "-----BEGIN PUBLIC KEY-----\n"+want.public+"\n") {
			t.Errorf("%s: public %s, %v", alg, public, err)
		}
	}
}

// pkcs8 wraps a private key as RFC 9881 says, with whatever is to stand in it.
func pkcs8(t *testing.T, oid string, parameters bool, inner []byte, public []byte) []byte {
	t.Helper()
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(0)
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(unhex(t, oid))
			if parameters {
				b.AddBytes([]byte{5, 0})
			}
		})
		b.AddASN1OctetString(inner)
		if public != nil {
			b.AddASN1(asn1.Tag(1).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddUint8(0); b.AddBytes(public) })
		}
	})
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: b.BytesOrPanic()})
}

func TestMLDSAPKCS8(t *testing.T) {
	const oid44, oid65 = "0609608648016503040311", "0609608648016503040312"
	octets := func(parts ...[]byte) []byte {
		var b cryptobyte.Builder
		for _, p := range parts {
			b.AddASN1OctetString(p)
		}
		return b.BytesOrPanic()
	}
	sequence := func(body []byte) []byte {
		var b cryptobyte.Builder
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(body) })
		return b.BytesOrPanic()
	}
	k, other := newKey(t, datalog.MLDSA44), newKey(t, datalog.MLDSA44)
	expanded := k.open().signer.(*mldsa44.PrivateKey).Bytes()
	seed := k.Secret()
	tagged := append([]byte{0x80, 32}, seed...)
	for name, c := range map[string]struct {
		file []byte
		want string // of the error; empty if it is read
	}{
		"seed":                    {pkcs8(t, oid44, false, tagged, nil), ""},
		"seed and public key":     {pkcs8(t, oid44, false, tagged, k.Public().Bytes()), ""},
		"seed and expanded key":   {pkcs8(t, oid44, false, sequence(octets(seed, expanded)), nil), ""},
		"expanded key alone":      {pkcs8(t, oid44, false, octets(expanded), nil), "without its seed"},
		"another expanded key":    {pkcs8(t, oid44, false, sequence(octets(other.Secret(), expanded)), nil), "not that of its seed"},
		"empty expanded key":      {pkcs8(t, oid44, false, sequence(octets(seed, nil)), nil), "not that of its seed"},
		"another public key":      {pkcs8(t, oid44, false, tagged, other.Public().Bytes()), "does not belong"},
		"parameters":              {pkcs8(t, oid44, true, tagged, nil), "no parameters"},
		"short seed":              {pkcs8(t, oid44, false, append([]byte{0x80, 31}, seed[1:]...), nil), "31 bytes"},
		"something behind":        {pkcs8(t, oid44, false, append(tagged[:34:34], 0), nil), "malformed"},
		"three parts":             {pkcs8(t, oid44, false, sequence(octets(seed, expanded, nil)), nil), "malformed"},
		"another tag":             {pkcs8(t, oid44, false, append([]byte{0x81, 32}, seed...), nil), "malformed"},
		"nothing":                 {pkcs8(t, oid44, false, nil, nil), "malformed"},
		"as if it were of Go":     {pkcs8(t, oid44, false, seed, nil), "malformed"},
		"a key of the other size": {pkcs8(t, oid65, false, sequence(octets(seed, expanded)), nil), "not that of its seed"},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "as if it were of Go" && (seed[0] == 0x80 || seed[0] == 0x30 || seed[0] == 0x04) {
				t.Skip("the seed looks like DER")
			}
			read, err := ParsePrivateKey(c.file, neverAsked(t))
			if c.want == "" {
				if err != nil || read.Public() != k.Public() {
					t.Errorf("%v, %v", read, err)
				}
				return
			}
			fails(t, err, c.want)
			if !read.IsZero() || strings.Contains(err.Error(), hex.EncodeToString(seed[:4])) {
				t.Errorf("%v, %v", read, err)
			}
		})
	}
}

// Public keys in the forms of files, and what must not pass for one.
func TestMLDSAPublicKeyForms(t *testing.T) {
	for _, alg := range mldsaAlgorithms {
		k := newKey(t, alg).Public()
		a, _ := algorithmOf(alg)
		block, err := k.MarshalPEM()
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range []string{k.String(), strings.ToLower(k.String()), k.AuthorizedKey("root of 2026"), string(block)} {
			if parsed, err := ParsePublicKey(form); err != nil || parsed != k {
				t.Errorf("%s: %.40q: %v", alg, form, err)
			}
		}
		fields := strings.Fields(k.AuthorizedKey(""))
		blob, err := base64.StdEncoding.DecodeString(fields[1])
		if err != nil || fields[0] != a.sshType || !bytes.Equal(blob, ssh.Marshal(struct{ T, K string }{a.sshType, string(k.Bytes())})) {
			t.Errorf("%s: %s, %v", alg, k.AuthorizedKey(""), err)
		}
		sum := sha256.Sum256(blob)
		if want := "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:]); k.Fingerprint() != want {
			t.Errorf("%s: fingerprint %s, want %s", alg, k.Fingerprint(), want)
		}

		line := func(sshType string, parts ...string) string {
			var b []byte
			for _, p := range parts {
				b = append(b, ssh.Marshal(struct{ P string }{p})...)
			}
			return sshType + " " + base64.StdEncoding.EncodeToString(b)
		}
		raw, der := string(k.Bytes()), []byte{}
		if decoded, _ := pem.Decode(block); decoded != nil {
			der = decoded.Bytes
		}
		pemOf := func(der []byte) string {
			return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
		}
		zero := make([]byte, a.publicSize)
		otherName := map[string]string{"mldsa44": "mldsa65", "mldsa65": "mldsa44"}[a.name]
		for name, c := range map[string]struct{ text, want string }{
			"one byte less":       {k.String()[:len(k.String())-2], "bytes, want"},
			"no hex":              {a.name + "/xyz", "hexadecimal"},
			"the other set":       {otherName + "/" + hex.EncodeToString(k.Bytes()), "bytes, want"},
			"as Ed25519":          {"ed25519/" + hex.EncodeToString(k.Bytes()), "bytes, want"},
			"private text":        {newKey(t, alg).Text(), "private key"},
			"zeros":               {a.name + "/" + hex.EncodeToString(zero), "anyone can sign"},
			"t1 = 0":              {a.name + "/" + hex.EncodeToString(append(k.Bytes()[:32], zero[32:]...)), "anyone can sign"},
			"line of t1 = 0":      {line(a.sshType, a.sshType, string(zero)), "anyone can sign"},
			"line, another type":  {line(a.sshType, "ssh-ed25519", raw), "another type"},
			"line as Ed25519":     {line("ssh-ed25519", a.sshType, raw), "ssh-ed25519"},
			"line, longer":        {line(a.sshType, a.sshType, raw, ""), "invalid"},
			"line, cut":           {line(a.sshType, a.sshType, raw[1:]), "bytes, want"},
			"line, type alone":    {line(a.sshType, a.sshType), "invalid"},
			"ML-DSA-87":           {line("ssh-mldsa-87", "ssh-mldsa-87", raw), "not a public key"},
			"SPKI with something": {pemOf(append(der, 0)), "malformed"},
			"SPKI cut":            {pemOf(der[:len(der)-1]), ""},
			"SPKI, parameters":    {pemOf(withParameters(t, a, k)), "no parameters"},
		} {
			t.Run(a.name+", "+name, func(t *testing.T) {
				parsed, err := ParsePublicKey(c.text)
				if !parsed.IsZero() {
					t.Error("a key is returned")
				}
				fails(t, err, c.want)
				if len(err.Error()) > 400 {
					t.Errorf("the error has %d bytes", len(err.Error()))
				}
			})
		}
	}
}

func withParameters(t *testing.T, a *algorithm, k PublicKey) []byte {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(a.oid)
			b.AddASN1NULL()
		})
		b.AddASN1BitString(k.Bytes())
	})
	return b.BytesOrPanic()
}

// With t1 = 0 the secret vectors zero belong to the key, whatever its matrix, so that
// whoever reads the public key can sign. The library verifies such signatures.
func TestMLDSAZeroVector(t *testing.T) {
	rho := sha256.Sum256([]byte("a matrix"))
	public := append(rho[:], make([]byte, mldsa44.PublicKeySize-32)...)
	h := sha3.NewSHAKE256()
	h.Write(public)
	tr := make([]byte, 64)
	h.Read(tr)
	// The private key is made from the public one (FIPS 204, algorithm 24): rho, K,
	// tr, then s1 and s2 of zeros, which are 2 in three bits, and t0 of zeros, which are
	// 4096 in thirteen bits.
	secret := append(append(append([]byte{}, rho[:]...), make([]byte, 32)...), tr...)
	secret = append(secret, packed(2, 3, 8*256)...)
	secret = append(secret, packed(1<<12, 13, 4*256)...)
	var pair mldsa44.PrivateKey
	if err := pair.UnmarshalBinary(secret); err != nil {
		t.Fatal(err)
	}
	message := []byte("whatever I like")
	sig, err := pair.Sign(nil, message, crypto.Hash(0))
	if err != nil {
		t.Fatal(err)
	}
	var anyones mldsa44.PublicKey
	if err := anyones.UnmarshalBinary(public); err != nil || !mldsa44.Verify(&anyones, message, nil, sig) {
		t.Fatalf("the attack does not work: %v", err)
	}
	k := PublicKey{datalog.Key{Algorithm: datalog.MLDSA44, Bytes: string(public)}}
	if err := k.Verify(message, sig); !errors.Is(err, errZeroVector) {
		t.Errorf("verify: %v", err)
	}
	if _, err := PublicKeyFromCrypto(&anyones); !errors.Is(err, errZeroVector) {
		t.Errorf("the key is taken: %v", err)
	}
	if s, err := NewSigner(&pair); !errors.Is(err, errZeroVector) {
		t.Errorf("the signer is taken: %v, %v", s, err)
	}
}

// packed writes the same number n times, bits bits each, the lowest first.
func packed(v uint64, bits, n int) []byte {
	out := make([]byte, bits*n/8)
	for i := range n {
		for b := range bits {
			if v>>b&1 == 1 {
				at := i*bits + b
				out[at/8] |= 1 << (at % 8)
			}
		}
	}
	return out
}

// A key has one algorithm, and no signature of another passes for its own: by its
// length alone for most, and ECDSA's by its DER.
func TestNoAlgorithmConfusion(t *testing.T) {
	message := []byte("message")
	keys := map[datalog.Algorithm]PrivateKey{}
	for _, alg := range keyAlgorithms {
		keys[alg] = newKey(t, alg)
	}
	for signer, s := range keys {
		sig, err := s.Sign(message)
		if err != nil {
			t.Fatal(err)
		}
		for verifier, v := range keys {
			if err := v.Public().Verify(message, sig); (err == nil) != (signer == verifier) {
				t.Errorf("%s under a key of %s: %v", signer, verifier, err)
			}
			// The same bytes as a key of another algorithm.
			relabelled := PublicKey{datalog.Key{Algorithm: verifier, Bytes: string(s.Public().Bytes())}}
			if err := relabelled.Verify(message, sig); (err == nil) != (signer == verifier) {
				t.Errorf("a key of %s called one of %s: %v", signer, verifier, err)
			}
		}
	}
	// Neither a context nor a hashed message: FIPS 204 puts a byte before the message
	// that tells the pure variant from the other.
	for _, alg := range mldsaAlgorithms {
		s := keys[alg].open().signer
		set := map[datalog.Algorithm]circl.Scheme{datalog.MLDSA44: mldsa44.Scheme(), datalog.MLDSA65: mldsa65.Scheme()}[alg]
		sig := set.Sign(s.(circl.PrivateKey), message, &circl.SignatureOpts{Context: "whittle"})
		if err := keys[alg].Public().Verify(message, sig); !errors.Is(err, errSignature) {
			t.Errorf("%s with a context: %v", alg, err)
		}
		for _, n := range []int{0, 1, 64, set.SignatureSize() - 1, set.SignatureSize() + 1} {
			if _, ok := errors.AsType[*SignatureFormatError](keys[alg].Public().Verify(message, make([]byte, n))); !ok {
				t.Errorf("%s: a signature of %d bytes is no format error", alg, n)
			}
		}
	}
}

// Keys of the library that are not whole are refused and do not panic.
func TestMLDSAKeysOfTheLibrary(t *testing.T) {
	for name, k := range map[string]crypto.PublicKey{
		"nil":        (*mldsa44.PublicKey)(nil),
		"nil 65":     (*mldsa65.PublicKey)(nil),
		"zero value": new(mldsa65.PublicKey),
	} {
		if got, err := PublicKeyFromCrypto(k); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
	if s, err := NewSigner(new(mldsa44.PrivateKey)); err == nil {
		t.Errorf("zero private key: %v", s)
	}
	// One read from its expanded form has no seed, and signs as anybody's does.
	for _, alg := range mldsaAlgorithms {
		k := newKey(t, alg)
		a, _ := algorithmOf(alg)
		set := a.scheme.(mldsaScheme).set
		expanded, err := k.open().signer.(circl.PrivateKey).MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		pair, err := set.UnmarshalBinaryPrivateKey(expanded)
		if err != nil {
			t.Fatal(err)
		}
		s, err := NewSigner(pair)
		if err != nil || s.Public() != k.Public() {
			t.Fatalf("%s: %v", alg, err)
		}
		if _, isPrivate := s.(PrivateKey); isPrivate {
			t.Errorf("%s: a secret out of nothing", alg)
		}
		if sig, err := s.Sign([]byte("m")); err != nil || k.Public().Verify([]byte("m"), sig) != nil {
			t.Errorf("%s: %v", alg, err)
		}
		// With its seed it becomes a private key like any other.
		if s, err := NewSigner(k.open().signer); err != nil || s.(PrivateKey).Text() != k.Text() {
			t.Errorf("%s with seed: %v", alg, err)
		}
	}
}

// OpenSSL knows ML-DSA since 3.5.
func TestMLDSAOpenSSL(t *testing.T) {
	openssl := program(t, "openssl")
	if out, err := exec.Command("openssl", "list", "-public-key-algorithms").Output(); err != nil || !bytes.Contains(out, []byte("ML-DSA-44")) {
		t.Skip("this openssl knows no ML-DSA, as all before 3.5: our key files are only held against RFC 9881 and Wycheproof")
	}
	path := t.TempDir() + "/key.pem"
	for _, name := range []string{"ML-DSA-44", "ML-DSA-65"} {
		openssl("genpkey", "-algorithm", name, "-out", path)
		file := openssl("pkey", "-in", path)
		k, err := ParsePrivateKey([]byte(file), nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if public, err := ParsePublicKey(openssl("pkey", "-in", path, "-pubout")); err != nil || public != k.Public() {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// ML-DSA keys sign block 0 and are named nowhere in a token.
func TestMLDSAIsForRootsOnly(t *testing.T) {
	ed := newKey(t, datalog.Ed25519)
	for _, alg := range mldsaAlgorithms {
		root := newKey(t, alg)
		minted, err := Mint(root, &datalog.Block{}, HeldBy(ed.Public()), nil)
		if err != nil {
			t.Fatal(err)
		}
		u, err := Parse(minted.Bytes(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Verify(root.Public()); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		var e *Error
		if _, err := u.Verify(newKey(t, alg).Public()); !errors.As(err, &e) || e.Code != CodeSignature {
			t.Errorf("%s, another root: %v", alg, err)
		}
		if _, err := u.VerifyAny([]PublicKey{ed.Public(), newKey(t, datalog.Secp256r1).Public(), root.Public()}); err != nil {
			t.Errorf("%s among others: %v", alg, err)
		}
		if _, err := u.VerifyAny([]PublicKey{ed.Public(), newKey(t, alg).Public()}); !errors.As(err, &e) || e.Code != CodeUntrustedRoot {
			t.Errorf("%s not among others: %v", alg, err)
		}
		longer, err := minted.Append(ed, &datalog.Block{}, HeldBy(newKey(t, datalog.Secp256r1).Public()))
		if err != nil {
			t.Fatal(err)
		}
		clause := &datalog.Block{Checks: []datalog.Check{{Queries: []datalog.Query{{
			Exprs:  []datalog.Expr{datalog.Value{Term: datalog.Bool(true)}},
			Scopes: []datalog.Scope{{Kind: datalog.ScopeKey, Key: root.Public().Datalog()}},
		}}}}}
		fresh := func() Next { n, _ := FreshKey(alg); return n }()
		for name, use := range map[string]func() error{
			"holder":      func() error { _, err := Mint(ed, &datalog.Block{}, HeldBy(root.Public()), nil); return err },
			"next holder": func() error { _, err := minted.Append(ed, &datalog.Block{}, HeldBy(root.Public())); return err },
			"next secret": func() error { _, err := Mint(ed, &datalog.Block{}, WithSecret(root), nil); return err },
			"fresh key":   func() error { _, err := Mint(ed, &datalog.Block{}, fresh, nil); return err },
			"third party": func() error { _, err := SignThirdParty(longer.Request(), root, &datalog.Block{}); return err },
		} {
			if err := use(); !errors.As(err, &e) || e.Code != CodeUnsupported || !strings.Contains(err.Error(), "for roots") {
				t.Errorf("%s as %s: %v", alg, name, err)
			}
		}
		if _, err := Mint(ed, clause, HeldBy(ed.Public()), nil); err == nil {
			t.Errorf("%s: a clause trusts it", alg)
		}
		if root.Public().RootOnly() != true || ed.Public().RootOnly() || (PublicKey{}).RootOnly() {
			t.Error("RootOnly")
		}
	}
}
