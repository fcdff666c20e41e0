// Package cli is the whittle command. Each file is one of its commands, or one
// thing that they share; the work is done by packages attenuate, verify and
// token.
package cli

import (
	"context"
	"io"
	"os"
	"runtime/debug"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/token"
)

// Env is what a command meets of the world.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Now is the clock.
	Now func() time.Time
	// Passphrase asks for the passphrase of a key file; nil means that nobody
	// can be asked.
	Passphrase func(file string) ([]byte, error)
	// Confirm asks a question and reports whether the answer is yes; nil means
	// that nobody can be asked.
	Confirm func(question string) (bool, error)

	folder    string // what relative file names are relative to
	stdinRead bool
	tokenRead *token.Unverified // from standard input
}

// Main runs the command with the process's own streams and returns its exit
// code.
func Main(args []string) int {
	return Run(context.Background(), args, Env{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Now: time.Now, Passphrase: askPassphrase, Confirm: askConfirmation,
	})
}

// Run runs the command and returns its exit code. args come without the
// program's name. It keeps nothing between calls, and calls with streams of
// their own may run at the same time.
func Run(ctx context.Context, args []string, env Env) int {
	out := &checkedWriter{w: env.Stdout}
	env.Stdout = out
	err := run(ctx, args, &env)
	if err == nil {
		err = out.err
	}
	report(env.Stderr, err)
	return exitCode(err)
}

func run(ctx context.Context, args []string, env *Env) error {
	app := newApp(env)
	line, err := arrange(app, args)
	if err != nil {
		return err
	}
	switch {
	case line.version:
		_, err = io.WriteString(env.Stdout, "whittle version "+version()+"\n")
		return err
	case line.help:
		showHelp(env.Stdout, app, line.command)
		return nil
	}
	return app.RunContext(ctx, append([]string{app.Name}, line.args...))
}

func newApp(env *Env) *cli.App {
	app := &cli.App{
		Name:      "whittle",
		HelpName:  "whittle",
		Usage:     "capability tokens that people mint, agents narrow, and services check offline",
		UsageText: "whittle COMMAND [flags] [arguments]\nwhittle COMMAND --help",
		Reader:    env.Stdin,
		Writer:    env.Stdout,
		ErrWriter: env.Stderr,
		// Flags and commands that urfave/cli would add are shared by all
		// applications in a process.
		HideHelp: true, HideHelpCommand: true, HideVersion: true,
		Flags: []cli.Flag{helpFlag(), &cli.BoolFlag{Name: "version", Aliases: []string{"v"}, Usage: "print the version", DisableDefaultText: true}},
		// Values may contain commas: a check does.
		DisableSliceFlagSeparator: true,
		ExitErrHandler:            func(*cli.Context, error) {},
		Commands: []*cli.Command{
			keygenCommand(env), mintCommand(env), attenuateCommand(env), invokeCommand(env),
			requestApprovalCommand(env), approveCommand(env), attachCommand(env),
			verifyCommand(env), explainCommand(env), simulateCommand(env), revokeCommand(env),
			inspectCommand(env), diffCommand(env), demoCommand(env), biscuitCommand(env),
			mcpProxyCommand(env), agentCommand(env),
			serveCommand(env),
		},
	}
	prepare(app.Name, app.Commands)
	return app
}

// prepare gives every command the same manners.
func prepare(parent string, commands []*cli.Command) {
	for _, c := range commands {
		c.HideHelp, c.HideHelpCommand = true, true
		c.HelpName = parent + " " + c.Name
		c.Flags = append(c.Flags, helpFlag())
		prepare(c.HelpName, c.Subcommands)
	}
}

func helpFlag() cli.Flag {
	return &cli.BoolFlag{Name: "help", Aliases: []string{"h"}, Usage: "show help", DisableDefaultText: true}
}

// groupHelp is the help of a command that has commands below it. urfave/cli's own
// template fails before the command has run.
const groupHelp = `NAME:
   {{.HelpName}} - {{.Usage}}

USAGE:
   {{.UsageText}}

COMMANDS:{{template "visibleCommandTemplate" .}}

OPTIONS:{{template "visibleFlagTemplate" .}}
`

// showHelp prints how a command is used; nil is the application itself.
func showHelp(w io.Writer, app *cli.App, c *cli.Command) {
	switch {
	case c == nil:
		app.Setup()
		cli.HelpPrinter(w, cli.AppHelpTemplate, app)
	case len(c.Subcommands) > 0:
		cli.HelpPrinter(w, groupHelp, c)
	default:
		cli.HelpPrinter(w, cli.CommandHelpTemplate, c)
	}
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
