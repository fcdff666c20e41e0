package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	localagent "github.com/whittle-auth/whittle/attenuate/agent"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/trust"
)

func agentStartCommand(env *Env) *cli.Command {
	return &cli.Command{
		Name:      "start",
		Usage:     "start an agent, which is what whittle agent does: for the time of a command, or until it is ended",
		UsageText: "whittle agent [start] [--socket PATH] [--key FILE].. [--hold NAME=TOKEN].. [--trust FILE] [--fixed] [--allow-handoff] [-- COMMAND ARGS..]",
		Flags: []cli.Flag{
			valueFlag("socket", "listen on this `PATH`; its folder has mode 0700, and is made where it is missing"),
			listFlag("key", "hold the private key in this `FILE`; a public key file takes the private half from the ssh-agent (repeatable)"),
			listFlag("hold", "hold the token in a file under a name, `NAME=TOKEN`; its holder's key is one of --key (repeatable)"),
			trustFlag(),
			boolFlag("fixed", "let programs use what --key and --hold name, and add and remove nothing"),
			boolFlag("allow-handoff", "let programs hand tokens on to keys of their choice: what they get outlives the agent"),
		},
		Action: func(c *cli.Context) error { return startAgent(c, env) },
	}
}

func startAgent(c *cli.Context, env *Env) (err error) {
	ring, err := keyring(c, env)
	if err != nil {
		return err
	}
	path := env.path(c.String("socket"))
	if c.String("socket") == "" {
		folder, err := os.MkdirTemp("", "whittle-agent-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(folder)
		path = filepath.Join(folder, "socket")
	}
	socket, err := localagent.Listen(path)
	if err != nil {
		return err
	}
	hideMemory()
	command := c.Args().Slice()
	options := &localagent.ServeOptions{AllowChanges: !c.Bool("fixed"), AllowHandoff: c.Bool("allow-handoff")}
	if len(command) == 0 {
		options.Logger = agentLog(env, slog.LevelInfo)
		return serveUntilEnded(c.Context, env, socket, ring, options)
	}
	options.Logger = agentLog(env, slog.LevelWarn) // the command's own words stand there too
	ctx, cancel := context.WithCancel(c.Context)
	ended := make(chan error, 1)
	go func() {
		ended <- localagent.Serve(ctx, socket, ring, options)
	}()
	err = runCommand(env, command, socket.Path())
	cancel()
	if serveErr := <-ended; err == nil {
		err = serveErr
	}
	return err
}

// serveUntilEnded serves in the foreground, after it has said where.
func serveUntilEnded(ctx context.Context, env *Env, socket *localagent.Socket, ring *localagent.Keyring, options *localagent.ServeOptions) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if _, err := fmt.Fprintf(env.Stdout, "%s=%s; export %s;\n", localagent.Variable, shellQuoted(socket.Path()), localagent.Variable); err != nil {
		return errors.Join(err, socket.Close())
	}
	return localagent.Serve(ctx, socket, ring, options)
}

func agentLog(env *Env, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(env.Stderr, &slog.HandlerOptions{Level: level}))
}

// keyring fills a keyring with what the flags name.
func keyring(c *cli.Context, env *Env) (*localagent.Keyring, error) {
	o := localagent.Options{Now: env.Now}
	if file := c.String("trust"); file != "" {
		roots, err := trust.Open(env.path(file), nil)
		if err != nil {
			return nil, usagef("%s", err)
		}
		o.Roots = roots
	} else {
		o.AllowUnrooted = true
		hint(env.Stderr, "without --trust nothing shows who minted the tokens that the agent takes: all of a chain but its first signature is verified")
	}
	ring := localagent.NewKeyring(&o)
	for _, file := range values(c, "key") {
		key, err := readSigner(env, file)
		if err != nil {
			return nil, err
		}
		if err := ring.AddKey(key); err != nil {
			return nil, fmt.Errorf("%s: %w", shown(file), err)
		}
	}
	for _, flag := range values(c, "hold") {
		name, file, ok := strings.Cut(flag, "=")
		if !ok || !localagent.IsName(name) {
			return nil, usagef("--hold %s is not of the form NAME=TOKEN, with a name of letters, digits, - and _", quoted(flag))
		}
		u, err := readToken(env, file, false)
		if err != nil {
			return nil, err
		}
		if _, err := ring.Add(name, u.Text(), nil); err != nil {
			return nil, notTaken(file, err)
		}
	}
	return ring, nil
}

// notTaken says which token an agent does not take. A refusal keeps its code.
func notTaken(file string, err error) error {
	if _, ok := errors.AsType[*token.Error](err); ok {
		return fmt.Errorf("%s: %w", shown(file), err)
	}
	return fmt.Errorf("%s: the agent does not take the token: %w", shown(file), err)
}

// runCommand runs a command with the socket's path in its environment. What is typed to
// interrupt reaches the command too, which decides what comes of it.
func runCommand(env *Env, command []string, socket string) error {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = env.folder
	cmd.Env = append(os.Environ(), localagent.Variable+"="+socket)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = env.Stdin, plainWriter(env.Stdout), plainWriter(env.Stderr)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return usagef("%s", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			if s != os.Interrupt {
				_ = cmd.Process.Signal(s) // it may have ended by now
			}
		case err := <-ended:
			return commandResult(err)
		}
	}
}

// plainWriter returns the file behind the writer of a command line, which a command can
// be given as it is.
func plainWriter(w io.Writer) io.Writer {
	if c, ok := w.(*checkedWriter); ok {
		return c.w
	}
	return w
}

// A commandExit is how a command that was run for somebody ended.
type commandExit int

func (e commandExit) Error() string { return fmt.Sprintf("the command ended with %d", int(e)) }

func commandResult(err error) error {
	e, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return err
	}
	if status, ok := e.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return &reported{commandExit(128 + int(status.Signal()))} // as shells do
	}
	return &reported{commandExit(e.ExitCode())}
}

// shellQuoted writes a text so that a shell takes it for one word.
func shellQuoted(text string) string {
	if strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-") == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
