package cli_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/whittle-auth/whittle/token"
)

// scriptCommands are what the scripts need beside testscript's own commands.
var scriptCommands = map[string]func(*testscript.TestScript, bool, []string){
	"exits":   exits,
	"json":    checkJSON,
	"files":   files,
	"mode":    mode,
	"make":    makeFile,
	"forge":   forge,
	"encrypt": encrypt,
	"capture": capture,
	"agent":   startAgent,
}

// exits CODE COMMAND..: runs the command, which must end with that very code.
// Whatever the code, what it says on standard error is lines of errors and
// hints, and an error unless the code is 0.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	code, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		got = e.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != code {
		ts.Fatalf("exit code %d, want %d", got, code)
	}
	stderr := ts.ReadFile("stderr")
	if !printable(stderr) || !printable(ts.ReadFile("stdout")) {
		ts.Fatalf("control characters reach the terminal")
	}
	isError := strings.HasPrefix(stderr, "error: ") || strings.Contains(stderr, "\nerror: ")
	if isError != (code != 0) {
		ts.Fatalf("exit code %d does not go with what is said on standard error", code)
	}
	if strings.HasPrefix(stderr, "NAME:\n") {
		return // the usage of a command that was not found
	}
	for line := range strings.Lines(stderr) {
		if !strings.HasPrefix(line, "error: ") && !strings.HasPrefix(line, "hint: ") {
			ts.Fatalf("%q is neither an error nor a hint", line)
		}
	}
}

// printable reports whether a terminal would show text and obey nothing in it.
func printable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
	})
}

// json FILE keys NAME..: the object in the file has these members and no other.
// json FILE PATH VALUE: what stands at the path, such as chain.0.holder, is the
// JSON value. json FILE PATH: there is something.
func checkJSON(ts *testscript.TestScript, neg bool, args []string) {
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &v))
	if args[1] == "keys" {
		object, ok := v.(map[string]any)
		if !ok {
			ts.Fatalf("%s holds no JSON object", args[0])
		}
		var names []string
		for name := range object {
			names = append(names, name)
		}
		slices.Sort(names)
		want := slices.Sorted(slices.Values(args[2:]))
		if !slices.Equal(names, want) {
			ts.Fatalf("the members are %q, want %q", names, want)
		}
		return
	}
	found := v
	for step := range strings.SplitSeq(args[1], ".") {
		switch at := found.(type) {
		case map[string]any:
			found = at[step]
		case []any:
			i, err := strconv.Atoi(step)
			ts.Check(err)
			if i >= len(at) {
				ts.Fatalf("%s: there are only %d elements", args[1], len(at))
			}
			found = at[i]
		default:
			found = nil
		}
	}
	if len(args) == 2 {
		if (found == nil) != neg {
			ts.Fatalf("%s is %v", args[1], found)
		}
		return
	}
	var want any
	ts.Check(json.Unmarshal([]byte(args[2]), &want))
	g, err := json.Marshal(found)
	ts.Check(err)
	w, err := json.Marshal(want)
	ts.Check(err)
	if (string(g) == string(w)) == neg {
		ts.Fatalf("%s is %s, not %s", args[1], g, w)
	}
}

// files FOLDER NAME..: the folder holds these files and nothing else.
func files(ts *testscript.TestScript, _ bool, args []string) {
	entries, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := slices.Sorted(slices.Values(args[1:])); !slices.Equal(names, want) {
		ts.Fatalf("%s holds %q, want %q", args[0], names, want)
	}
}

// mode FILE MODE: the file has the permissions, such as 0600.
func mode(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.ParseUint(args[1], 8, 32)
	ts.Check(err)
	info, err := os.Lstat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := info.Mode(); got != fs.FileMode(want) {
		ts.Fatalf("%s has mode %v, want %v", args[0], got, fs.FileMode(want))
	}
}

// make FILE TEXT..: writes the texts, in which escapes are as in Go strings. A
// text such as 5000000*A repeats.
func makeFile(ts *testscript.TestScript, _ bool, args []string) {
	var b strings.Builder
	for _, text := range args[1:] {
		times := 1
		if before, after, ok := strings.Cut(text, "*"); ok {
			if n, err := strconv.Atoi(before); err == nil {
				times, text = n, after
			}
		}
		s, err := strconv.Unquote(`"` + strings.ReplaceAll(text, `"`, `\"`) + `"`)
		ts.Check(err)
		b.WriteString(strings.Repeat(s, times))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(b.String()), 0o600))
}

// encrypt FILE PASSPHRASE: makes a new OpenSSH key file with a passphrase, and
// FILE.pub.
func encrypt(ts *testscript.TestScript, _ bool, args []string) {
	key, err := token.GenerateKey(0)
	ts.Check(err)
	private, err := key.MarshalOpenSSH("", []byte(args[1]))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), private, 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".pub"), []byte(key.Public().AuthorizedKey("")+"\n"), 0o600))
}

// capture NAME FILE: sets a variable to what the file holds, without the last
// line break.
func capture(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[0], strings.TrimSuffix(ts.ReadFile(args[1]), "\n"))
}

// number reads an argument of a command.
func number(ts *testscript.TestScript, text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		ts.Fatalf("%q is no number", text)
	}
	return n
}
