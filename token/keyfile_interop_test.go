package token

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token/datalog"
)

func program(t *testing.T, name string) func(args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return func(args ...string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
		}
		return strings.TrimSpace(string(out))
	}
}

// ssh-keygen reads our files, and we read what it writes in each of its formats.
func TestSSHKeygen(t *testing.T) {
	keygen := program(t, "ssh-keygen")
	for _, c := range []struct {
		alg  datalog.Algorithm
		args []string
	}{
		{datalog.Ed25519, []string{"-t", "ed25519"}},
		{datalog.Secp256r1, []string{"-t", "ecdsa", "-b", "256"}},
	} {
		for _, phrase := range []string{"", "pass phrase"} {
			dir := t.TempDir()
			ours := filepath.Join(dir, "ours")
			k := newKey(t, c.alg)
			file, err := k.MarshalOpenSSH("alice@example.com", []byte(phrase))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(ours, file, 0o600); err != nil {
				t.Fatal(err)
			}
			if got, want := keygen("-y", "-P", phrase, "-f", ours), k.Public().AuthorizedKey("alice@example.com"); got != want {
				t.Errorf("ssh-keygen reads %s, want %s", got, want)
			}
			pub := filepath.Join(dir, "ours.pub")
			if err := os.WriteFile(pub, []byte(k.Public().AuthorizedKey("alice@example.com")+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := strings.Fields(keygen("-l", "-f", pub)); got[1] != k.Public().Fingerprint() {
				t.Errorf("fingerprint %s, ssh-keygen says %s", k.Public().Fingerprint(), got[1])
			}

			theirs := filepath.Join(dir, "theirs")
			keygen(append(c.args, "-q", "-a", "1", "-N", phrase, "-C", "", "-f", theirs)...)
			asked := 0
			read := func() PrivateKey {
				data, err := os.ReadFile(theirs)
				if err != nil {
					t.Fatal(err)
				}
				k, err := ParsePrivateKey(data, func() ([]byte, error) { asked++; return []byte(phrase), nil })
				if err != nil {
					t.Fatalf("%s\n%v", data, err)
				}
				return k
			}
			line, err := os.ReadFile(theirs + ".pub")
			if err != nil {
				t.Fatal(err)
			}
			if got := read().Public().AuthorizedKey(""); got != strings.TrimSpace(string(line)) {
				t.Errorf("%s is %s", line, got)
			}
			if (asked == 1) != (phrase != "") {
				t.Errorf("asked %d times for passphrase %q", asked, phrase)
			}
			if phrase == "" && c.alg == datalog.Secp256r1 {
				want := read().Public()
				for _, format := range []string{"PEM", "PKCS8"} {
					keygen("-q", "-p", "-N", "", "-m", format, "-f", theirs)
					if got := read().Public(); got != want {
						t.Errorf("%s: %v, want %v", format, got, want)
					}
				}
			}
		}
	}
}

// OpenSSL reads our PKCS#8 and SPKI, and we read its files.
func TestOpenSSL(t *testing.T) {
	openssl := program(t, "openssl")
	dir := t.TempDir()
	path := filepath.Join(dir, "key.pem")
	for _, alg := range biscuitAlgorithms {
		k := newKey(t, alg)
		file, err := k.MarshalPEM()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		want, err := k.Public().MarshalPEM()
		if err != nil {
			t.Fatal(err)
		}
		if got := openssl("pkey", "-in", path, "-pubout"); got != strings.TrimSpace(string(want)) {
			t.Errorf("%s: openssl reads\n%s\nwant\n%s", alg, got, want)
		}
	}
	for _, args := range [][]string{
		{"genpkey", "-algorithm", "ed25519"},
		{"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"},
		{"ecparam", "-name", "prime256v1", "-genkey"},
		{"ecparam", "-name", "prime256v1", "-genkey", "-conv_form", "compressed"},
	} {
		file := openssl(append(args, "-out", path)...)
		if file != "" {
			t.Logf("openssl says %s", file)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		k, err := ParsePrivateKey(data, nil)
		if err != nil {
			t.Fatalf("openssl %s\n%s\n%v", strings.Join(args, " "), data, err)
		}
		show := []string{"pkey", "-in", path, "-pubout"}
		if k.Public().Algorithm() == datalog.Secp256r1 {
			show = append(show, "-ec_conv_form", "uncompressed")
		}
		public, err := ParsePublicKey(openssl(show...))
		if err != nil || k.Public() != public {
			t.Errorf("openssl %s: %v, openssl says %v, %v", strings.Join(args, " "), k.Public(), public, err)
		}
	}
}
