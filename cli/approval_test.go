package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
)

// TestApproveAsks: whoever approves is shown everything, then asked, and only then
// is anything signed.
func TestApproveAsks(t *testing.T) {
	dir := t.TempDir()
	var stdout, stderr bytes.Buffer
	run := func(confirm func(string) (bool, error), args ...string) int {
		stdout.Reset()
		stderr.Reset()
		return Run(context.Background(), args, Env{
			Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Now: time.Now, Confirm: confirm, folder: dir,
		})
	}
	for _, name := range []string{"alice", "bot", "bob"} {
		if code := run(nil, "keygen", "-o", name); code != exitOK {
			t.Fatal(stderr.String())
		}
	}
	key, err := os.ReadFile(filepath.Join(dir, "alice.pub"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "trust"), []byte(`alice@example.com namespaces="whittle" `+string(key)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"mint", "--key", "alice", "--delegator", "alice@example.com", "--agent", "agent:bot", "--agent-key", "bot.pub", "--resource", "a", "--operation", "pay", "--approval", "bob.pub", "--ttl", "1h", "-o", "token"},
		{"request-approval", "--trust", "trust", "--operation", "pay", "--resource", "a", "--audience", "svc", "-o", "request", "token"},
	} {
		if code := run(nil, args...); code != exitOK {
			t.Fatal(stderr.String())
		}
	}
	approve := []string{"approve", "--key", "bob", "--trust", "trust", "request"}
	for name, c := range map[string]struct {
		yes  bool
		err  error
		code int
		says string
	}{
		"yes":    {true, nil, exitOK, ""},
		"no":     {false, nil, exitDenied, "error: not approved: nothing was signed\n"},
		"broken": {true, errors.New("the terminal is gone"), exitUsage, "error: nothing was signed: the terminal is gone\n"},
	} {
		asked := 0
		code := run(func(string) (bool, error) {
			asked++
			for _, shown := range []string{"  operation  pay\n", "alice@example.com  ed25519/", "└─ agent:bot", "\nscope:\n", "your key ed25519/"} {
				if !strings.Contains(stderr.String(), shown) {
					t.Errorf("%s: asked before %q was shown", name, shown)
				}
			}
			return c.yes, c.err
		}, approve...)
		if code != c.code || asked != 1 || !strings.Contains(stderr.String(), c.says) {
			t.Errorf("%s: exit code %d, asked %d times, says %s", name, code, asked, stderr.String())
		}
		if signed := stdout.Len() > 0; signed != (c.code == exitOK) {
			t.Errorf("%s: prints %q", name, stdout.String())
		}
	}
	if code := run(nil, approve...); code != exitUsage || stdout.Len() > 0 {
		t.Errorf("nobody to ask: exit code %d, prints %q", code, stdout.String())
	}
}

// TestApprovalSecrets: a private key where a public one belongs is not repeated.
func TestApprovalSecrets(t *testing.T) {
	k, err := token.GenerateKey(datalog.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	secret := k.Text()
	for _, value := range []string{secret, "2 of " + secret + ",bob.pub", secret + " of bob.pub", secret + ","} {
		var out bytes.Buffer
		code := Run(context.Background(), []string{"mint", "--key", "k", "--delegator", "a@example.com", "--agent", "x", "--agent-key", "y", "--resource", "r", "--operation", "o", "--ttl", "1h", "--approval", value},
			Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Now: time.Now, folder: t.TempDir()})
		if code != exitUsage || strings.Contains(out.String(), secret[20:]) {
			t.Errorf("exit code %d: %s", code, out.String())
		}
	}
}

// TestReadYes: only the word yes is one, and nothing behind its line is read.
func TestReadYes(t *testing.T) {
	for text, want := range map[string]bool{
		"yes\n": true, " yes \r\n": true, "yes": true, "yes\nno\n": true,
		"": false, "\n": false, "y\n": false, "YES\n": false, "yes!\n": false, "no\nyes\n": false, "yes yes\n": false,
		strings.Repeat(" ", 80) + "yes\n": false,
	} {
		r := strings.NewReader(text)
		got, err := readYes(r)
		if err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
		if line, rest, _ := strings.Cut(text, "\n"); len(line) < 64 && r.Len() != len(rest) {
			t.Errorf("%q: %d bytes are left, want %d", text, r.Len(), len(rest))
		}
	}
	if yes, err := readYes(io.MultiReader(strings.NewReader("yes"), broken{})); yes || err == nil {
		t.Errorf("a terminal that breaks: %v, %v", yes, err)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("broken") }
