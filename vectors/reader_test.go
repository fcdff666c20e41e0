package vectors

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// node finds the Node.js that the second reader needs, or skips.
func node(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node: install Node.js 20 to run the second reader")
	}
	version, err := exec.Command(path, "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	major, _, _ := strings.Cut(strings.TrimPrefix(string(version), "v"), ".")
	if n, err := strconv.Atoi(major); err != nil || n < 20 {
		t.Skipf("node is %s, the second reader needs 20", bytes.TrimSpace(version))
	}
	return path
}

// run returns what a program of the second reader prints, and its exit code.
func run(t *testing.T, program string, args ...string) (output string, exit int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, node(t), append([]string{program}, args...)...).CombinedOutput()
	if failed := (*exec.ExitError)(nil); err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	} else if failed != nil {
		exit = failed.ExitCode()
	}
	return string(out), exit
}

// knowsMLDSA reports whether the library that brings ML-DSA to the second reader is
// installed.
func knowsMLDSA(t *testing.T) bool {
	t.Helper()
	_, err := os.Stat("reader/node_modules/@noble/post-quantum")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if err != nil {
		t.Log("without ML-DSA: npm ci --prefix vectors/reader brings it")
	}
	return err == nil
}

// TestSecondReader: a reader in another language, written from the specification,
// agrees on every vector. Of those with ML-DSA roots it says that it skips them if
// it lacks the library.
func TestSecondReader(t *testing.T) {
	roots, err := MLDSA()
	if err != nil {
		t.Fatal(err)
	}
	passed, skipped := countCases(t), len(roots)
	if knowsMLDSA(t) {
		passed, skipped = passed+skipped, 0
	}
	output, exit := run(t, "reader/run.mjs")
	if want := fmt.Sprintf("\n%d passed, 0 failed, %d skipped\n", passed, skipped); exit != 0 || !strings.HasSuffix("\n"+output, want) {
		t.Errorf("exit code %d, want 0 and %q:\n%s", exit, want, output)
	}
}

// TestSecondReaderWithoutMLDSA: without the library, here a copy of the reader alone,
// cases are skipped by name, and with --no-skips that is a failure.
func TestSecondReaderWithoutMLDSA(t *testing.T) {
	sources, err := filepath.Glob("reader/*.mjs")
	if err != nil || len(sources) == 0 {
		t.Fatal(sources, err)
	}
	alone, cases := t.TempDir(), t.TempDir()
	for _, source := range sources {
		text, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(alone, filepath.Base(source)), string(text))
	}
	for _, file := range caseFiles {
		write(t, filepath.Join(cases, file), firstCase(t, file))
	}
	for _, test := range []struct {
		program string
		args    []string
		exit    int
		end     string
	}{
		{filepath.Join(alone, "run.mjs"), []string{cases}, 0, ": mldsa44-root\n4 passed, 0 failed, 1 skipped\n"},
		{filepath.Join(alone, "run.mjs"), []string{"--no-skips", cases}, 1, ": mldsa44-root\n4 passed, 0 failed, 1 skipped\n"},
		{"reader/run.mjs", []string{"--no-skips", cases}, 0, "5 passed, 0 failed, 0 skipped\n"},
	} {
		if test.program == "reader/run.mjs" && !knowsMLDSA(t) {
			continue
		}
		output, exit := run(t, test.program, test.args...)
		if exit != test.exit || !strings.HasSuffix(output, test.end) {
			t.Errorf("%s: exit code %d, want %d and %q:\n%s", test.args, exit, test.exit, test.end, output)
		}
	}
}

var caseFiles = []string{"wire.json", "delegation.json", "digest.json", "mldsa.json", "state.json"}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func countCases(t *testing.T) int {
	t.Helper()
	wire, err := Wire()
	if err != nil {
		t.Fatal(err)
	}
	delegation, err := Delegation()
	if err != nil {
		t.Fatal(err)
	}
	digests, err := Digests()
	if err != nil {
		t.Fatal(err)
	}
	state, err := State()
	if err != nil {
		t.Fatal(err)
	}
	return len(wire) + len(delegation) + len(digests) + len(state)
}

// TestSecondReaderFails: it can fail, on a case with another answer, on one that is
// gone and on a file that is not there.
func TestSecondReaderFails(t *testing.T) {
	decided := 0
	if knowsMLDSA(t) {
		decided = 1
	}
	for name, test := range map[string]struct {
		file string
		text func(string) string // the file's, made wrong; none for no file
		exit int
	}{
		"as it is":       {"wire.json", strings.Clone, 0},
		"another answer": {"wire.json", func(s string) string { return strings.Replace(s, `"ok"`, `"signature"`, 1) }, 1},
		"other source":   {"wire.json", func(s string) string { return strings.Replace(s, `right(`, `left(`, 1) }, 1},
		"denied":         {"delegation.json", func(s string) string { return strings.Replace(s, `true`, `false`, 1) }, 1},
		"denied root":    {"mldsa.json", func(s string) string { return strings.Replace(s, `true`, `false`, 1) }, decided},
		"other digest":   {"digest.json", func(s string) string { return strings.Replace(s, `"digest": "`, `"digest": "00`, 1) }, 1},
		"no cases":       {"wire.json", func(string) string { return "[]" }, 1},
		"no file":        {"digest.json", nil, 1},
	} {
		dir := t.TempDir()
		for _, file := range caseFiles {
			text := firstCase(t, file)
			if file == test.file {
				if test.text == nil {
					continue
				}
				text = test.text(text)
			}
			write(t, filepath.Join(dir, file), text)
		}
		if output, exit := run(t, "reader/run.mjs", dir); exit != test.exit {
			t.Errorf("%s: exit code %d, want %d:\n%s", name, exit, test.exit, output)
		}
	}
}

// firstCase returns a file of vectors without all but its first case.
func firstCase(t *testing.T, file string) string {
	t.Helper()
	b, err := Files.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	first, _, found := strings.Cut(string(b), "\n  },\n")
	if !found {
		t.Fatalf("%s has no second case", file)
	}
	return first + "\n  }\n]\n"
}

// TestSecondReaderVerifies: the command for one token answers with the exit codes
// of spec/errors.md.
func TestSecondReaderVerifies(t *testing.T) {
	cases, err := Delegation()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		var want struct {
			exit int
			line string
		}
		switch c.Name {
		case "arg-integer":
			want.exit, want.line = 0, `^allowed: "alice@example\.com" -> "agent:ci"\n$`
		case "operation-other":
			want.exit, want.line = 1, `^denied: check_failed\n`
		case "invoked-by-stranger":
			want.exit, want.line = 3, `^denied: signature\n`
		default:
			continue
		}
		output, exit := verifyCase(t, c)
		if exit != want.exit || !regexp.MustCompile(want.line).MatchString(output) {
			t.Errorf("%s: exit code %d, want %d and %s:\n%s", c.Name, exit, want.exit, want.line, output)
		}
	}
	for name, want := range map[string]int{"alice": 1, `al\ice`: 2, `*@a\b`: 2} { // 1: read, and no token of that root
		trust, token := filepath.Join(t.TempDir(), "trust"), cases[0].Token
		text := name + strings.TrimPrefix(cases[0].Trust, "alice@example.com")
		if err := os.WriteFile(trust, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if output, exit := run(t, "reader/verify.mjs", "--trust", trust, "--audience", "svc", "--operation", "rotate", "--resource", "a", token); exit != want {
			t.Errorf("a trust file of %s: exit code %d, want %d:\n%s", name, exit, want, output)
		}
	}
	if output, exit := run(t, "reader/verify.mjs", "--operation", "rotate"); exit != 2 {
		t.Errorf("without a trust file: exit code %d, want 2:\n%s", exit, output)
	}
}

// verifyCase has the command for one token decide a case.
func verifyCase(t *testing.T, c DelegationCase) (output string, exit int) {
	t.Helper()
	dir := t.TempDir()
	trust, token := filepath.Join(dir, "trust"), filepath.Join(dir, "token")
	write(t, trust, c.Trust)
	write(t, token, c.Token+"\n")
	args := []string{
		"--trust", trust, "--audience", c.Service, "--now", c.Now.Format(time.RFC3339), "--operation", c.Request.Operation,
	}
	for _, resource := range c.Request.Resources {
		args = append(args, "--resource", resource)
	}
	for name, value := range c.Request.Args {
		args = append(args, "--arg", fmt.Sprintf("%s=%v", name, value))
	}
	return run(t, "reader/verify.mjs", append(args, token)...)
}

// TestSecondReaderRoots: the command for one token takes trust files with ML-DSA
// keys, but for keys with t1 = 0 and of another size. Without the library it takes
// none, and says so.
func TestSecondReaderRoots(t *testing.T) {
	cases, err := MLDSA()
	if err != nil {
		t.Fatal(err)
	}
	rho := strings.Repeat("\x01", 32)
	line := func(keyType, key string) string {
		var blob []byte
		for _, part := range []string{keyType, key} {
			blob = append(binary.BigEndian.AppendUint32(blob, uint32(len(part))), part...)
		}
		return fmt.Sprintf("alice@example.com namespaces=\"whittle\" %s %s\n", keyType, base64.StdEncoding.EncodeToString(blob))
	}
	for _, test := range []struct {
		name, trust string
		exit        int
		output      string
	}{
		{"as it is", cases[0].Trust, 0, `^allowed: "alice@example\.com" -> "agent:ci"\n$`},
		{"another key", line("ssh-mldsa-65", rho+strings.Repeat("\x01", 1920)), 1, `^denied: untrusted_root\n`},
		{"t1 with one bit", line("ssh-mldsa-44", rho+strings.Repeat("\x00", 1279)+"\x40"), 1, `^denied: untrusted_root\n`},
		{"t1 = 0", line("ssh-mldsa-44", rho+strings.Repeat("\x00", 1280)), 2, `^error: line 1: no mldsa44 key\n`},
		{"t1 = 0, 65", line("ssh-mldsa-65", rho+strings.Repeat("\x00", 1920)), 2, `^error: line 1: no mldsa65 key\n`},
		{"a byte more", line("ssh-mldsa-44", rho+strings.Repeat("\x01", 1281)), 2, `^error: line 1: no mldsa44 key\n`},
		{"a byte less", line("ssh-mldsa-65", rho+strings.Repeat("\x01", 1919)), 2, `^error: line 1: no mldsa65 key\n`},
		{"ML-DSA-87", line("ssh-mldsa-87", rho+strings.Repeat("\x01", 2560)), 2, `^error: line 1: a key of type ssh-mldsa-87\n`},
	} {
		if !knowsMLDSA(t) && !strings.HasSuffix(test.name, "87") {
			test.exit, test.output = 2, `^error: line 1: algorithm mldsa(44|65), for which @noble/post-quantum is not installed\n`
		}
		c := cases[0]
		c.Trust = test.trust
		if output, exit := verifyCase(t, c); exit != test.exit || !regexp.MustCompile(test.output).MatchString(output) {
			t.Errorf("%s: exit code %d, want %d and %s:\n%s", test.name, exit, test.exit, test.output, output)
		}
	}
}
