// Package cli is the whittle command. Each file is one of its commands; the
// work is done by packages attenuate, verify and token.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
)

// Exit codes.
const (
	exitOK        = 0
	exitDenied    = 1
	exitUsage     = 2 // wrong usage, or input and output that failed
	exitMalformed = 3 // codes malformed, unsupported and signature
)

// Env is what a command meets of the world.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Now            func() time.Time
	// Passphrase asks for the passphrase of a key file.
	Passphrase func(file string) ([]byte, error)
}

// Main runs the command with the process's own streams and returns its exit
// code.
func Main(args []string) int {
	return Run(context.Background(), args, Env{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Now: time.Now, Passphrase: askPassphrase,
	})
}

// Run runs the command and returns its exit code. args come without the
// program's name.
func Run(ctx context.Context, args []string, env Env) int {
	app := newApp(&env)
	err := app.RunContext(ctx, append([]string{"whittle"}, flagsFirst(app.Commands, args)...))
	if err == nil {
		return exitOK
	}
	if !errors.Is(err, errReported) {
		report(env.Stderr, err)
	}
	return exitCode(err)
}

func newApp(env *Env) *cli.App {
	app := &cli.App{
		Name:      "whittle",
		Usage:     "capability tokens that people mint, agents narrow, and services check offline",
		Reader:    env.Stdin,
		Writer:    env.Stdout,
		ErrWriter: env.Stderr,
		Version:   version(),
		// Values may contain commas: a check does.
		DisableSliceFlagSeparator: true,
		ExitErrHandler:            func(*cli.Context, error) {},
		Commands: []*cli.Command{
			keygenCommand(env), mintCommand(env), attenuateCommand(env), invokeCommand(env),
			verifyCommand(env), inspectCommand(env), demoCommand(env), biscuitCommand(env),
		},
	}
	app.Action = unknownCommand
	app.OnUsageError = usageFailed
	prepare(app.Commands)
	return app
}

// prepare gives every command the same manners.
func prepare(commands []*cli.Command) {
	for _, c := range commands {
		c.OnUsageError = usageFailed
		c.HideHelpCommand = true
		if len(c.Subcommands) > 0 {
			c.Action = unknownCommand
			prepare(c.Subcommands)
		}
	}
}

// unknownCommand runs where a command's name was expected.
func unknownCommand(c *cli.Context) error {
	if !c.Args().Present() {
		if c.Command.HasName("whittle") || c.App != nil {
			c.App.Writer = c.App.ErrWriter
		}
		_ = cli.ShowSubcommandHelp(c)
		return usagef("a command is missing")
	}
	c.App.Writer = c.App.ErrWriter
	_ = cli.ShowSubcommandHelp(c)
	return usagef("there is no command %q", c.Args().First())
}

func usageFailed(_ *cli.Context, err error, _ bool) error { return usagef("%s", err) }

// flagsFirst moves flags before the other arguments, which is where urfave/cli
// looks for them: it would take one that follows an argument for another
// argument, and a token would go out without the narrowing asked for.
func flagsFirst(commands []*cli.Command, args []string) []string {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return args
	}
	i := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(args[0]) })
	if i < 0 {
		return args
	}
	command := commands[i]
	if len(command.Subcommands) > 0 {
		return append([]string{args[0]}, flagsFirst(command.Subcommands, args[1:])...)
	}
	var flags, others []string
	for rest := args[1:]; len(rest) > 0; rest = rest[1:] {
		arg := rest[0]
		switch {
		case arg == "--":
			others = append(others, rest[1:]...)
			rest = rest[len(rest)-1:]
		case arg == "-" || !strings.HasPrefix(arg, "-"):
			others = append(others, arg)
		default:
			flags = append(flags, arg)
			if takesValue(command, arg) && len(rest) > 1 {
				rest = rest[1:]
				flags = append(flags, rest[0])
			}
		}
	}
	return slices.Concat([]string{args[0]}, flags, []string{"--"}, others)
}

// takesValue reports whether the argument is a flag whose value is the next
// argument.
func takesValue(c *cli.Command, arg string) bool {
	name := strings.TrimLeft(arg, "-")
	for _, f := range c.Flags {
		if slices.Contains(f.Names(), name) {
			d, ok := f.(cli.DocGenerationFlag)
			return ok && d.TakesValue()
		}
	}
	return false
}

// errReported stands for a failure that was reported already.
var errReported = errors.New("reported")

// usageError is wrong usage.
type usageError struct{ msg string }

func (e *usageError) Error() string { return e.msg }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// hinted is an error with advice.
type hinted struct {
	error
	hint string
}

func (e *hinted) Unwrap() error { return e.error }

func hintf(err error, format string, args ...any) error {
	return &hinted{err, fmt.Sprintf(format, args...)}
}

// report writes an error, and what may help, as one line each.
func report(w io.Writer, err error) {
	fmt.Fprintf(w, "error: %s\n", oneLine(err.Error()))
	if h, ok := errors.AsType[*hinted](err); ok {
		hint(w, "%s", h.hint)
	}
}

func hint(w io.Writer, format string, args ...any) {
	fmt.Fprintf(w, "hint: %s\n", oneLine(fmt.Sprintf(format, args...)))
}

func exitCode(err error) int {
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.code
	}
	if e, ok := errors.AsType[*token.Error](err); ok {
		switch e.Code {
		case token.CodeMalformed, token.CodeUnsupported, token.CodeSignature:
			return exitMalformed
		}
		return exitDenied
	}
	if _, ok := errors.AsType[*verify.Denied](err); ok {
		return exitDenied
	}
	if _, ok := errors.AsType[*delegation.WideningError](err); ok {
		return exitDenied
	}
	return exitUsage
}

// exitError ends the command with a code after everything was printed.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// oneLine makes text from tokens and files safe to show: one line, and no
// control characters that a terminal would obey.
func oneLine(s string) string { return strings.Map(visible, s) }

// manyLines is [oneLine] for text of several lines.
func manyLines(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' {
			return r
		}
		return visible(r)
	}, s)
}

func visible(r rune) rune {
	switch {
	case r == '\t':
		return r
	case r == '\n':
		return ' '
	case r < ' ', r >= 0x7f && r < 0xa0, r >= 0x200b && r <= 0x200f, r >= 0x2028 && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
		return '\uFFFD'
	}
	return r
}
