package vectors

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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

// TestSecondReader: a reader in another language, written from the specification,
// agrees on every vector.
func TestSecondReader(t *testing.T) {
	output, exit := run(t, "reader/run.mjs")
	skipped, err := MLDSA()
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("\n%d passed, 0 failed, %d skipped\n", countCases(t), len(skipped)); exit != 0 || !strings.HasSuffix(output, want) {
		t.Errorf("exit code %d, want 0 and %q:\n%s", exit, want, output)
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
	for name, test := range map[string]struct {
		file string
		text func(string) string // the file's, made wrong; none for no file
		exit int
	}{
		"as it is":       {"wire.json", strings.Clone, 0},
		"another answer": {"wire.json", func(s string) string { return strings.Replace(s, `"ok"`, `"signature"`, 1) }, 1},
		"other source":   {"wire.json", func(s string) string { return strings.Replace(s, `right(`, `left(`, 1) }, 1},
		"denied":         {"delegation.json", func(s string) string { return strings.Replace(s, `true`, `false`, 1) }, 1},
		"other digest":   {"digest.json", func(s string) string { return strings.Replace(s, `"digest": "`, `"digest": "00`, 1) }, 1},
		"no cases":       {"wire.json", func(string) string { return "[]" }, 1},
		"no file":        {"digest.json", nil, 1},
	} {
		dir := t.TempDir()
		for _, file := range []string{"wire.json", "delegation.json", "digest.json", "mldsa.json", "state.json"} {
			text := firstCase(t, file)
			if file == test.file {
				if test.text == nil {
					continue
				}
				text = test.text(text)
			}
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
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
		dir := t.TempDir()
		trust, token := filepath.Join(dir, "trust"), filepath.Join(dir, "token")
		for name, text := range map[string]string{trust: c.Trust, token: c.Token + "\n"} {
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		args := []string{
			"--trust", trust, "--audience", c.Service, "--now", c.Now.Format(time.RFC3339), "--operation", c.Request.Operation,
		}
		for _, resource := range c.Request.Resources {
			args = append(args, "--resource", resource)
		}
		for name, value := range c.Request.Args {
			args = append(args, "--arg", fmt.Sprintf("%s=%v", name, value))
		}
		output, exit := run(t, "reader/verify.mjs", append(args, token)...)
		if exit != want.exit || !regexp.MustCompile(want.line).MatchString(output) {
			t.Errorf("%s: exit code %d, want %d and %s:\n%s", c.Name, exit, want.exit, want.line, output)
		}
	}
	if output, exit := run(t, "reader/verify.mjs", "--operation", "rotate"); exit != 2 {
		t.Errorf("without a trust file: exit code %d, want 2:\n%s", exit, output)
	}
}
