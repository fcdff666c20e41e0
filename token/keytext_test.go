package token

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"os"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"pgregory.net/rapid"

	"github.com/whittle-auth/whittle/token/datalog"
)

// Every form of a public key reads back to the same key, whatever the comment.
func TestPublicKeyRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		alg := rapid.SampledFrom(keyAlgorithms).Draw(t, "algorithm")
		private, err := NewPrivateKey(alg, rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "secret"))
		if err != nil {
			t.Skip("not a scalar")
		}
		k := private.Public()
		comment := rapid.String().Draw(t, "comment")
		block, err := k.MarshalPEM()
		if err != nil {
			t.Fatal(err)
		}
		line := k.AuthorizedKey(comment)
		if strings.ContainsAny(line, "\r\n\u2028\u2029") {
			t.Fatalf("several lines: %q", line)
		}
		for _, form := range []string{k.String(), strings.ToUpper(k.String()[len(alg.String()):]), string(block), line, "\r\n " + line + "\r\n"} {
			if strings.HasPrefix(form, "/") {
				form = alg.String() + form
			}
			if got, err := ParsePublicKey(form); err != nil || got != k {
				t.Fatalf("%q: %v, %v", form, got, err)
			}
		}
		if got, err := PublicKeyFromDatalog(k.Datalog()); err != nil || got != k {
			t.Fatalf("datalog: %v, %v", got, err)
		}
		if got, err := NewPublicKey(k.Algorithm(), k.Bytes()); err != nil || got != k {
			t.Fatalf("bytes: %v, %v", got, err)
		}
	})
}

func TestPublicKeyJSON(t *testing.T) {
	k := newKey(t, datalog.Secp256r1).Public()
	type holder struct{ Key, None PublicKey }
	data, err := json.Marshal(holder{Key: k})
	if err != nil || string(data) != `{"Key":"`+k.String()+`","None":""}` {
		t.Fatalf("%s, %v", data, err)
	}
	back := holder{None: k}
	if err := json.Unmarshal(data, &back); err != nil || back.Key != k || !back.None.IsZero() {
		t.Errorf("%v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`{"Key":"ed25519/00"}`), &back); err == nil || back.Key != k {
		t.Errorf("a bad key: %v, %v", back, err)
	}
}

// The key pair of the Biscuit samples, in the forms of this package.
func TestSampleRootKey(t *testing.T) {
	var samples struct {
		Private string `json:"root_private_key"`
		Public  string `json:"root_public_key"`
	}
	if err := json.Unmarshal(publicData(t, "biscuit-samples/samples.json"), &samples); err != nil {
		t.Fatal(err)
	}
	private, err := ParsePrivateKey([]byte("ed25519-private/"+samples.Private), nil)
	if err != nil {
		t.Fatal(err)
	}
	public, err := ParsePublicKey("ed25519/" + samples.Public)
	if err != nil {
		t.Fatal(err)
	}
	if private.Public() != public {
		t.Errorf("%v is not %v", private.Public(), public)
	}
}

func TestParsePublicKeyRefuses(t *testing.T) {
	ed, p256 := newKey(t, datalog.Ed25519), newKey(t, datalog.Secp256r1)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	spki := func(k any) string {
		der, err := x509.MarshalPKIXPublicKey(k)
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	}
	line := func(k any) string {
		s, err := ssh.NewPublicKey(k)
		if err != nil {
			t.Fatal(err)
		}
		return string(ssh.MarshalAuthorizedKey(s))
	}
	rename := func(from, to string, s string) string { return strings.Replace(s, from, to, 1) }
	edPEM, err := ed.Public().MarshalPEM()
	if err != nil {
		t.Fatal(err)
	}
	privatePEM, err := ed.MarshalPEM()
	if err != nil {
		t.Fatal(err)
	}
	identity := strings.Repeat("0", 64)
	sshBlob := func(name string, parts ...string) string {
		blob := ssh.Marshal(struct{ Name string }{name})
		for _, p := range parts {
			blob = append(blob, ssh.Marshal(struct{ Part string }{p})...)
		}
		return name + " " + base64.StdEncoding.EncodeToString(blob)
	}
	edLine, p256Line := ed.Public().AuthorizedKey(""), p256.Public().AuthorizedKey("")
	for name, c := range map[string]struct{ text, want string }{
		"empty":              {"", "no public key"},
		"blank":              {" \r\n\t", "no public key"},
		"too long":           {edLine + strings.Repeat(" x", 8<<10), "at most"},
		"bare hex":           {ed.Public().String()[8:], "not a public key"},
		"no hex":             {"ed25519/", "0 bytes"},
		"not hex":            {"ed25519/" + strings.Repeat("z", 64), "hexadecimal"},
		"odd hex":            {ed.Public().String() + "0", "hexadecimal"},
		"short":              {ed.Public().String()[:70], "31 bytes"},
		"other algorithm":    {"rsa/00", "not a public key"},
		"wrong algorithm":    {rename("ed25519", "secp256r1", ed.Public().String()), "32 bytes"},
		"upper-case name":    {rename("ed25519", "ED25519", ed.Public().String()), "not a public key"},
		"small order":        {"ed25519/" + identity, "small-order"},
		"off curve":          {"ed25519/02" + identity[2:], "curve"},
		"private text":       {ed.Text(), "private key"},
		"private P-256 text": {p256.Text(), "private key"},
		"private PEM":        {string(privatePEM), "private key"},
		"RSA line":           {line(&rsaKey.PublicKey), "an RSA key (ssh-rsa) cannot be used"},
		"P-384 line":         {line(&p384.PublicKey), "ecdsa-sha2-nistp384"},
		"RSA PEM":            {spki(&rsaKey.PublicKey), "cannot be used"},
		"P-384 PEM":          {spki(&p384.PublicKey), "P-256"},
		"sk line":            {sshBlob("sk-ssh-ed25519@openssh.com", string(ed.Public().Bytes()), "ssh:"), "authenticator"},
		"sk P-256 line":      {sshBlob("sk-ecdsa-sha2-nistp256@openssh.com", "nistp256", "k", "ssh:"), "authenticator"},
		"SSH certificate":    {sshBlob("ssh-ed25519-cert-v01@openssh.com", "n", string(ed.Public().Bytes())), "plain public key is wanted"},
		"only a type":        {"ssh-ed25519", "not a public key"},
		"type and space":     {"ssh-ed25519 ", "not a public key"},
		"bad base64":         {"ssh-ed25519 AAAA*", "base64"},
		"loose base64":       {strayBits(p256Line), "base64"},
		"type mismatch":      {"ssh-ed25519 " + strings.Fields(p256Line)[1], "another type"},
		"other mismatch":     {"ecdsa-sha2-nistp256 " + strings.Fields(edLine)[1], "another type"},
		"other curve inside": {sshBlob("ecdsa-sha2-nistp256", "nistp384", "x"), "invalid"},
		"blob cut":           {edLine[:len(edLine)-4], "invalid"},
		"blob too long":      {sshBlob("ssh-ed25519", string(ed.Public().Bytes()), "more"), "invalid"},
		"blob of 31 bytes":   {sshBlob("ssh-ed25519", string(ed.Public().Bytes()[1:])), "invalid"},
		"small-order line":   {sshBlob("ssh-ed25519", string(make([]byte, 32))), "small-order"},
		"compressed in blob": {sshBlob("ecdsa-sha2-nistp256", "nistp256", string(p256.Public().Bytes())), "invalid"},
		"options":            {`restrict,command="x" ` + edLine, "not a public key"},
		"principals":         {"alice@example.com " + edLine, "not a public key"},
		"two lines":          {edLine + "\n" + edLine, "single line"},
		"comment line":       {"# comment\n" + edLine, "single line"},
		"broken PEM":         {string(edPEM[:60]), "damaged"},
		"two PEM blocks":     {string(edPEM) + string(edPEM), "follows"},
		"certificate":        {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "CERTIFICATE"},
		"PEM with header":    {"-----BEGIN PUBLIC KEY-----\nA: b\n\nAAAA\n-----END PUBLIC KEY-----", "plain"},
		"PEM of nothing":     {"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----", "PEM public key"},
		"small-order PEM": {strings.Replace(string(edPEM), string(edPEM), string(pem.EncodeToMemory(&pem.Block{
			Type: "PUBLIC KEY", Bytes: append(unhex(t, "302a300506032b6570032100"), make([]byte, 32)...),
		})), 1), "small-order"},
	} {
		t.Run(name, func(t *testing.T) {
			k, err := ParsePublicKey(c.text)
			if !k.IsZero() {
				t.Errorf("a key is returned: %v", k)
			}
			fails(t, err, c.want)
			for _, secret := range []string{ed.Text(), p256.Text()} {
				if strings.Contains(err.Error(), secret[len(secret)-16:]) {
					t.Errorf("the error tells the secret: %v", err)
				}
			}
		})
	}
}

// What spec/keys.md shows is what the code does.
func TestSpecExample(t *testing.T) {
	page, err := os.ReadFile("../spec/keys.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"ed25519-private/9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
		"secp256r1-private/c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
	} {
		k, err := ParsePrivateKey([]byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		public := k.Public()
		shown := []string{k.Text(), public.String(), public.Fingerprint()}
		if public.Algorithm() == datalog.Ed25519 {
			block, err := public.MarshalPEM()
			if err != nil {
				t.Fatal(err)
			}
			shown = append(shown, string(block), public.AuthorizedKey("alice@example.com"))
		}
		for _, s := range shown {
			if !strings.Contains(string(page), s) {
				t.Errorf("the page does not show %s", s)
			}
		}
	}
}

// strayBits changes the last character of base64 that ends in one padding
// character, in bits that lenient decoders ignore.
func strayBits(s string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	last := len(s) - 2
	return s[:last] + string(alphabet[strings.IndexByte(alphabet, s[last])+1]) + "="
}

// A secret pasted where a public key belongs is not repeated in the error.
func TestParsePublicKeyKeepsSecrets(t *testing.T) {
	secret := base64.StdEncoding.EncodeToString(append([]byte("//secret"), make([]byte, 24)...))
	for _, text := range []string{secret, "hunter2/" + secret, secret + " " + secret, hex.EncodeToString([]byte(secret))} {
		_, err := ParsePublicKey(text)
		fails(t, err, "not a public key")
		_, err = ParsePrivateKey([]byte(text), nil)
		fails(t, err, "not a private key")
		if strings.Contains(err.Error(), "hunter2") {
			t.Error(err)
		}
	}
}

func FuzzParsePublicKey(f *testing.F) {
	var seeds []string
	for _, alg := range keyAlgorithms {
		k := newKey(f, alg).Public()
		block, err := k.MarshalPEM()
		if err != nil {
			f.Fatal(err)
		}
		seeds = append(seeds, k.String(), k.AuthorizedKey("alice@example.com"), string(block))
	}
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		k, err := ParsePublicKey(text)
		if err != nil {
			if !k.IsZero() {
				t.Fatalf("a key with an error: %v", k)
			}
			return
		}
		if err := k.checkPoint(); err != nil {
			t.Fatalf("%v: %v", k, err)
		}
		block, err := k.MarshalPEM()
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range []string{k.String(), k.AuthorizedKey(text), string(block)} {
			if got, err := ParsePublicKey(form); err != nil || got != k {
				t.Fatalf("%q reads as %v, %v", form, got, err)
			}
		}
	})
}
