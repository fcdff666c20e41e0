package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
)

// TestRunConcurrently calls Run many times at once: commands, help and errors.
// Nothing of one call may be seen in another. The bubble fails the test if a
// goroutine stays behind.
func TestRunConcurrently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all sync.WaitGroup
		for i := range 16 {
			all.Go(func() { runMany(t, i) })
		}
		all.Wait()
	})
}

func runMany(t *testing.T, i int) {
	dir := t.TempDir()
	for j := range 4 {
		name := fmt.Sprintf("agent-%d-%d", i, j)
		run := func(want int, args string) string {
			var out bytes.Buffer
			env := Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: io.Discard, Now: time.Now, folder: dir}
			if code := Run(context.Background(), strings.Fields(args), env); code != want {
				t.Errorf("%s: exit code %d, want %d", args, code, want)
			}
			return out.String()
		}
		run(0, "keygen -o root-"+name)
		run(0, "keygen -o "+name)
		run(0, "mint --key root-"+name+" --delegator a@example.com --agent "+name+" --agent-key "+name+".pub --resource "+name+" --operation o --ttl 1h -o token")
		run(2, "attenuate --nope token")
		run(2, "frobnicate")
		run(2, "mint")
		if !strings.Contains(run(0, "biscuit --help"), "append-third-party-block") {
			t.Error("the help is not complete")
		}
		run(0, "mint --help")
		run(0, "--help")
		if out := run(0, "inspect --json token"); !strings.Contains(out, `"`+name+`"`) {
			t.Errorf("another token than that of %s: %s", name, out)
		}
	}
}

// TestNothingLeftBehind holds that a file which cannot be put in its place
// leaves none beside it.
func TestNothingLeftBehind(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "target")
	if err := os.MkdirAll(filepath.Join(target, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := replace(target, []byte("x")); err == nil {
		t.Fatal("a folder was replaced by a file")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
}

// failingWriter is an output that is full.
type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("full") }

// TestOutputThatFails holds that a result that nobody gets is no success.
func TestOutputThatFails(t *testing.T) {
	dir := t.TempDir()
	key, err := token.GenerateKey(datalog.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "block"), []byte("a(1);"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := Env{Stdin: strings.NewReader(""), Now: time.Now, folder: dir}
	run := func(out io.Writer, args ...string) (int, string) {
		var stderr bytes.Buffer
		env := env
		env.Stdout, env.Stderr = out, &stderr
		return Run(context.Background(), args, env), stderr.String()
	}
	if code, msg := run(io.Discard, "biscuit", "generate", "block", "--private-key", key.Text(), "-o", "token"); code != 0 {
		t.Fatal(msg)
	}
	for _, args := range [][]string{
		{"--help"}, {"--version"}, {"mint", "--help"}, {"keygen", "-o", "k"},
		{"inspect", "token"}, {"inspect", "token", "--json"}, {"demo"}, {"demo", "--json"},
		{"biscuit", "inspect", "token"}, {"biscuit", "inspect", "token", "--json"}, {"biscuit", "seal", "token"}, {"biscuit", "seal", "token", "--json"},
		{"biscuit", "keypair"}, {"biscuit", "generate-request", "token"}, {"biscuit", "generate", "block", "--private-key", key.Text()},
	} {
		code, msg := run(failingWriter{}, args...)
		if code != exitUsage || !strings.HasPrefix(msg, "error: ") {
			t.Errorf("%q: exit code %d and %q, want %d", args, code, msg, exitUsage)
		}
	}
}

// TestNobodyToAsk holds that a key with a passphrase is an error where nobody
// can be asked, and that whoever is asked may fail.
func TestNobodyToAsk(t *testing.T) {
	key, err := token.GenerateKey(datalog.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	private, err := key.MarshalOpenSSH("", []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	for name, ask := range map[string]func(string) ([]byte, error){
		"nobody":  nil,
		"refuses": func(string) ([]byte, error) { return nil, errors.New("no") },
		"errs":    func(string) ([]byte, error) { return []byte("wrong"), nil },
	} {
		env := &Env{Passphrase: ask}
		if _, err := parsePrivateKey(env, "key", private); exitCode(err) != exitUsage {
			t.Errorf("%s: %v", name, err)
		}
	}
	env := &Env{Passphrase: func(file string) ([]byte, error) {
		if file != "key" {
			return nil, fmt.Errorf("asked for %q", file)
		}
		return []byte("secret"), nil
	}}
	if k, err := parsePrivateKey(env, "key", private); err != nil || k.Public() != key.Public() {
		t.Errorf("the right passphrase: %v", err)
	}
}

// TestSecretsStayInside holds that no error repeats a private key.
func TestSecretsStayInside(t *testing.T) {
	secret := strings.Repeat("ab", 31) // one byte short
	for _, args := range [][]string{
		{"mint", "--key", "ed25519-private/" + secret, "--delegator", "a@example.com", "--agent", "x", "--agent-key", "ed25519/00", "--resource", "r", "--operation", "o", "--ttl", "1h"},
		{"mint", "--key", "ed25519-private/" + secret, "--delegator", "a@example.com", "--bearer", "--resource", "r", "--operation", "o", "--ttl", "1h"},
		{"mint", "--key", "k", "--delegator", "a@example.com", "--agent", "x", "--agent-key", "ed25519-private/" + secret, "--resource", "r", "--operation", "o", "--ttl", "1h"},
		{"biscuit", "keypair", "--from-private-key", "ed25519-private/" + secret},
		{"biscuit", "keypair", "--from-private-key", secret},
		{"biscuit", "inspect", "--public-key", "ed25519-private/" + secret, "x"},
	} {
		var out bytes.Buffer
		code := Run(context.Background(), args, Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Now: time.Now, folder: t.TempDir()})
		if code != exitUsage {
			t.Errorf("%q: exit code %d", args, code)
		}
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q: the secret is printed: %s", args, out.String())
		}
	}
}

// TestVisible lists what must not reach a terminal as it is.
func TestVisible(t *testing.T) {
	for _, r := range "\x00\x07\x08\x1b\r\n\t\x7f\u0080\u009b\u00ad\u061c\u200b\u200e\u200f\u2028\u2029\u202a\u202e\u2060\u2066\u2069\ufeff\U000e0041" {
		if shown := oneLine(string(r)); strings.ContainsRune(shown, r) {
			t.Errorf("%U is shown as it is", r)
		}
		text, err := marshal(map[string]string{"x": string(r)})
		if err != nil || bytes.ContainsRune(bytes.TrimSuffix(bytes.ReplaceAll(text, []byte("\n  "), nil), []byte("\n}\n")), r) {
			t.Errorf("%U stands in JSON as it is: %q, %v", r, text, err)
		}
	}
	if s := "plain Ünïcode → 漢字 🙂"; oneLine(s) != s {
		t.Errorf("%q is shown as %q", s, oneLine(s))
	}
	if s := oneLine("a\xffb\x9b"); s != "a\ufffdb\ufffd" {
		t.Errorf("bytes that are no UTF-8 are shown as %q", s)
	}
}
