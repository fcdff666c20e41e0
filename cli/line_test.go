package cli

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"
	"pgregory.net/rapid"
)

// leaves calls f for each command that does something, with its name as one
// types it.
func leaves(commands []*cli.Command, name []string, f func(name []string, c *cli.Command)) {
	for _, c := range commands {
		full := append(slices.Clone(name), c.Name)
		if len(c.Subcommands) == 0 {
			f(full, c)
		}
		leaves(c.Subcommands, full, f)
	}
}

// seen is what a command's action gets to see.
type seen struct {
	flags string
	args  []string
}

// observe runs a command line up to the action, in whose place it looks at what
// has arrived.
func observe(args []string) (seen, error) {
	var got *seen
	env := &Env{Stdout: new(bytes.Buffer), Stderr: new(bytes.Buffer), Now: time.Now}
	app := newApp(env)
	leaves(app.Commands, nil, func(_ []string, c *cli.Command) {
		c.Action = func(ctx *cli.Context) error {
			values := make(map[string]string)
			for _, f := range c.Flags {
				name := f.Names()[0]
				if list, ok := ctx.Generic(name).(*list); ok {
					values[name] = fmt.Sprintf("%q", []string(*list))
				} else {
					values[name] = fmt.Sprintf("%v %q %v", ctx.Bool(name), ctx.String(name), ctx.IsSet(name))
				}
			}
			got = &seen{fmt.Sprint(values), ctx.Args().Slice()}
			return nil
		}
	})
	l, err := arrange(app, args)
	if err != nil {
		return seen{}, err
	}
	if l.help || l.version {
		return seen{flags: "help"}, nil
	}
	if err := app.RunContext(context.Background(), append([]string{"whittle"}, l.args...)); err != nil {
		return seen{}, err
	}
	return *got, nil
}

// TestFlagsAfterArguments holds that each flag of each command means the same
// before and after the positional argument. urfave/cli by itself would drop it.
func TestFlagsAfterArguments(t *testing.T) {
	commands := 0
	leaves(newApp(&Env{}).Commands, nil, func(name []string, c *cli.Command) {
		commands++
		plain, err := observe(append(slices.Clone(name), "TOKEN"))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, f := range c.Flags {
			for _, flag := range f.Names() {
				forms := [][]string{{"--" + flag}, {"-" + flag}}
				if _, ok := f.(*cli.BoolFlag); !ok {
					forms = [][]string{
						{"--" + flag, "a, b "}, {"-" + flag, "a, b "}, {"--" + flag + "=a, b "}, {"--" + flag, "-5"},
						{"--" + flag, "a=b"}, {"--" + flag, "-"}, {"--" + flag, "--"},
					}
				}
				for _, form := range forms {
					t.Run(strings.Join(append(slices.Clone(name), form...), " "), func(t *testing.T) {
						before, err := observe(slices.Concat(name, form, []string{"TOKEN"}))
						if err != nil {
							t.Fatal(err)
						}
						after, err := observe(slices.Concat(name, []string{"TOKEN"}, form))
						if err != nil {
							t.Fatal(err)
						}
						if before.flags != after.flags || !slices.Equal(before.args, after.args) {
							t.Errorf("before TOKEN the command sees\n%v\nafter it\n%v", before, after)
						}
						if before.flags == plain.flags {
							t.Error("the command does not see the flag")
						}
					})
				}
			}
		}
	})
	if commands < 21 {
		t.Errorf("only %d commands: is one missing here?", commands)
	}
}

// TestNarrowingAfterToken is the case that matters most: the narrowing must not
// get lost on the way.
func TestNarrowingAfterToken(t *testing.T) {
	dir := t.TempDir()
	run := func(want int, args ...string) string {
		t.Helper()
		var stdout, stderr bytes.Buffer
		code := Run(context.Background(), args, Env{Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Now: time.Now, folder: dir})
		if code != want {
			t.Fatalf("exit code %d, want %d: %s", code, want, stderr.String())
		}
		return stdout.String()
	}
	run(0, "keygen", "-o", "alice")
	run(0, "keygen", "-o", "ci")
	run(0, "mint", "--key", "alice", "--delegator", "alice@example.com", "--agent", "ci", "--agent-key", "ci.pub",
		"--resource", "a/**", "--operation", "read", "--operation", "write", "--ttl", "1h", "-o", "token")
	for _, args := range [][]string{
		{"attenuate", "token", "--key", "ci", "--operation", "read", "--resource", "a/b", "-o", "narrow"},
		{"attenuate", "--key", "ci", "token", "--operation", "read", "--resource", "a/b", "-o", "narrow"},
		{"attenuate", "--key", "ci", "--operation", "read", "token", "--resource=a/b", "-o=narrow"},
		{"attenuate", "--key", "ci", "--operation", "read", "--resource", "a/b", "-o", "narrow", "--", "token"},
	} {
		os.Remove(filepath.Join(dir, "narrow"))
		run(0, args...)
		scope := run(0, "inspect", "narrow", "--json")
		if strings.Contains(scope, `"write"`) && !strings.Contains(scope, `"a/b"`) {
			t.Errorf("%q: the narrowing is lost:\n%s", args, scope)
		}
		for _, want := range []string{"\"operations\": [\n      \"read\"\n    ]", "\"resources\": [\n      \"a/b\"\n    ]"} {
			if !strings.Contains(scope, want) {
				t.Errorf("%q: the scope lacks %s:\n%s", args, want, scope)
			}
		}
	}
	// What stands behind -- is no flag, and one argument too many.
	run(2, "attenuate", "--key", "ci", "--operation", "read", "--", "token", "--resource", "a/b")
}

// TestArrangeKeepsEverything draws command lines and holds that every flag and
// argument arrives, in whatever order they stand.
func TestArrangeKeepsEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringMatching(`[ -~é]{0,6}`).Filter(func(s string) bool { return s != "" && !strings.HasPrefix(s, "-") })
		given := rapid.MapOfN(rapid.SampledFrom([]string{"key", "agent", "agent-key", "ttl", "trust", "o"}), value, 0, 4).Draw(t, "flags")
		checks := rapid.SliceOfN(value, 0, 3).Draw(t, "checks")
		others := rapid.SliceOfN(value, 0, 2).Draw(t, "arguments")
		clamp := rapid.Bool().Draw(t, "clamp")

		var groups [][]string
		for _, name := range slices.Sorted(maps.Keys(given)) {
			groups = append(groups, []string{"--" + name, given[name]})
		}
		if clamp {
			groups = append(groups, []string{"--clamp"})
		}
		for _, c := range checks {
			groups = append(groups, []string{"--check=" + c})
		}
		for _, o := range others {
			groups = append(groups, []string{o})
		}
		inOrder, err := observe(slices.Concat([]string{"attenuate"}, slices.Concat(groups...)))
		if err != nil {
			t.Fatal(err)
		}
		// Flags and arguments change places; checks and arguments keep their order
		// among themselves.
		flags, arguments := groups[:len(groups)-len(others)], groups[len(groups)-len(others):]
		at := rapid.IntRange(0, len(flags)).Draw(t, "place")
		mixed := slices.Concat(flags[:at], arguments, flags[at:])
		turned, err := observe(slices.Concat([]string{"attenuate"}, slices.Concat(mixed...)))
		if err != nil {
			t.Fatal(err)
		}
		if inOrder.flags != turned.flags || !slices.Equal(inOrder.args, turned.args) || !slices.Equal(inOrder.args, others) {
			t.Fatalf("%q gives\n%v\n%q gives\n%v", groups, inOrder, mixed, turned)
		}
	})
}

// FuzzArrange looks for a command line that panics, or from which something
// vanishes.
func FuzzArrange(f *testing.F) {
	seeds := []string{
		"attenuate\x00TOKEN\x00--key\x00k\x00--operation=read", "mint\x00--", "verify\x00--\x00-x", "biscuit\x00seal\x00-\x00--raw-output=true",
		"help\x00biscuit\x00seal", "-h", "--version", "inspect\x00-json\x00--json=false\x00x", "mint\x00--key\x00--json", "", "biscuit",
	}
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		args := strings.Split(text, "\x00")
		got, err := observe(args)
		if err != nil {
			if exitCode(err) != exitUsage {
				t.Fatalf("%q: %v is no wrong usage", args, err)
			}
			return
		}
		if got.flags == "help" {
			return
		}
		// An argument that is no flag is the command's name, a flag's value or an
		// argument of the command.
		for _, a := range args {
			if a == "" || strings.HasPrefix(a, "-") {
				continue
			}
			name := slices.Contains([]string{args[0], args[min(1, len(args)-1)]}, a)
			if !name && !slices.Contains(got.args, a) && !strings.Contains(got.flags, strings.Trim(fmt.Sprintf("%q", a), `"`)) {
				t.Fatalf("%q: %q is lost: %v", args, a, got)
			}
		}
	})
}
