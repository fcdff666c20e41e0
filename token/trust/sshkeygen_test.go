package trust

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/token/datalog"
)

// ssh-keygen reads the same file and agrees on who may sign and when.
func TestSSHKeygenAgrees(t *testing.T) {
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("ssh-keygen is not installed")
	}
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	run := func(args ...string) (string, bool) {
		cmd := exec.CommandContext(t.Context(), keygen, args...)
		cmd.Stdin = strings.NewReader("message")
		out, err := cmd.CombinedOutput()
		return strings.TrimSpace(string(out)), err == nil
	}
	ed, p256 := newKey(t, datalog.Ed25519, 1), newKey(t, datalog.Secp256r1, 2)
	file := write("trust", []byte(strings.Join([]string{
		"# comment",
		"",
		`alice@example.com,*@ops.example.com namespaces="whittle",valid-after="20260301123015Z",valid-before="20260401Z" ` + ed.Public().AuthorizedKey("laptop"),
		`bob@example.com NAMESPACES="git,whittle",valid-before="203001011200Z" ` + p256.Public().AuthorizedKey(""),
		`carol@example.com namespaces="git" ` + ed.Public().AuthorizedKey(""),
		"",
	}, "\n")))
	roots, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}

	message := write("message", []byte("message"))
	const layout = "20060102150405Z"
	times := []time.Time{
		utc(t, "2026-03-01T12:30:14Z"), utc(t, "2026-03-01T12:30:15Z"), utc(t, "2026-03-15T00:00:00Z"),
		utc(t, "2026-04-01T00:00:00Z"), utc(t, "2026-04-01T00:00:01Z"),
		utc(t, "2030-01-01T12:00:00Z"), utc(t, "2030-01-01T12:00:01Z"),
	}
	names := []string{"alice@example.com", "Alice@example.com", "x@ops.example.com", "x@sub.ops.example.com", "bob@example.com", "carol@example.com"}
	agreed := map[bool]int{}
	for name, key := range map[string]interface {
		MarshalOpenSSH(string, []byte) ([]byte, error)
	}{"ed": ed, "p256": p256} {
		secret, err := key.MarshalOpenSSH("", nil)
		if err != nil {
			t.Fatal(err)
		}
		path := write(name, secret)
		if out, ok := run("-q", "-Y", "sign", "-f", path, "-n", "whittle", message); !ok {
			t.Fatalf("ssh-keygen does not sign with our key: %s", out)
		}
		signature := filepath.Join(dir, name+".sig")
		if err := os.Rename(message+".sig", signature); err != nil {
			t.Fatal(err)
		}
		public := map[string]any{"ed": ed.Public(), "p256": p256.Public()}[name]
		for _, at := range times {
			stamp := "-Overify-time=" + at.Format(layout)
			for _, who := range names {
				_, theirs := run("-Y", "verify", "-f", file, "-I", who, "-n", "whittle", "-s", signature, stamp)
				ours := slices.ContainsFunc(roots.Entries(), func(e Entry) bool {
					return e.Key == public && e.ValidAt(at) && e.Covers(who)
				})
				if ours != theirs {
					t.Errorf("%s signing for %s at %s: %v, ssh-keygen says %v", name, who, at, ours, theirs)
				}
				agreed[ours]++
			}
		}
		found, _ := run("-Y", "find-principals", "-f", file, "-s", signature, "-Overify-time=20260315000000Z")
		for _, e := range roots.Entries() {
			if e.Key == public && !strings.Contains(found, strings.Join(e.Principals, ",")) && !strings.Contains(found, e.Principals[0]) {
				t.Errorf("%s: ssh-keygen finds %q, want %v", name, found, e.Principals)
			}
		}
	}
	if agreed[true] == 0 || agreed[false] == 0 {
		t.Errorf("allowed and refused: %v", agreed)
	}
}
