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
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/mcpproxy"
	"github.com/whittle-auth/whittle/verify/toolcall"
)

func mcpProxyCommand(env *Env) *cli.Command {
	return &cli.Command{
		Name:  "mcp-proxy",
		Usage: "stand in front of an MCP server on standard streams, which needs no change",
		UsageText: "whittle mcp-proxy --trust FILE --audience ID [flags] -- SERVER [ARGS..]\n" +
			"whittle mcp-proxy --hold TOKEN [--key FILE] --audience ID [flags] -- SERVER [ARGS..]",
		Description: "The first form starts an MCP server and decides each tools/call by the token that comes with it;\n" +
			"tools/list shows the tools that the token's holder could call. What else acts is refused unless\n" +
			"--allow names it. The second form is for a client that knows nothing of tokens: it invokes the\n" +
			"held TOKEN for each tools/call, and SERVER is what the client was to start. Without --key the\n" +
			"agent that WHITTLE_AGENT_SOCK names invokes.\n\n" +
			"What was used is remembered in a file below $XDG_STATE_HOME/whittle (or ~/.local/state/whittle), one\n" +
			"for each audience, since a proxy starts anew with each session. When the file is made, the command\n" +
			"takes it that nothing was accepted before: do not remove it while invocations of a minute ago can\n" +
			"still be about. --replay FILE names another one.",
		Flags: slices.Concat(verifierFlags(), replayFlags(), []cli.Flag{
			valueFlag("audience", "the name `ID` of the server"),
			valueFlag("hold", "be the client's end: invoke the held `TOKEN` for each call (a file is read again for each)"),
			keyFlag(),
			valueFlag("resource", "what calls are about, a `PATH` (default: tools/ID)"),
			listFlag("map", "what calls of one tool are about, `TOOL=PATH`, in which {arg} or, at the end, {arg...} stands for an argument (repeatable)"),
			listFlag("allow", "let a further `METHOD` through undecided, of client or server, such as resources/read (repeatable)"),
			listFlag("allow-param", "let calls have a further member `NAME` of their params, such as inputResponses, which no caveat sees into (repeatable)"),
			boolFlag("allow-listing", "show all tools to who sends no token with tools/list"),
			boolFlag("allow-big-integers", "take integers beyond 2^53, which many servers round"),
			boolFlag("allow-replay", "remember nothing: an invocation serves any number of calls in its window"),
			boolFlag("allow-approval-reuse", "let an approval serve any number of calls"),
			valueFlag("max-line", fmt.Sprintf("take lines of `N` bytes from the client (default: %d)", mcpproxy.DefaultMaxLine)),
		}),
		Action: func(c *cli.Context) error { return mcpProxy(c.Context, c, env) },
	}
}

// An mcpEnd is one end of the proxy.
type mcpEnd interface {
	Serve(context.Context, mcpproxy.Streams) error
}

func mcpProxy(ctx context.Context, c *cli.Context, env *Env) error {
	command := c.Args().Slice()
	if len(command) == 0 || command[0] == "" {
		return hintf(usagef("SERVER is missing"), "the command that starts the server follows --, as in whittle mcp-proxy .. -- npx some-server")
	}
	env.stdinRead = true // it is the client's
	audience, err := required(c, "audience")
	if err != nil {
		return err
	}
	mapping, err := toolMapping(c, audience)
	if err != nil {
		return err
	}
	most, err := count(c, "max-line", 30)
	if err != nil {
		return err
	}
	if _, isFile := env.Stderr.(*os.File); !isFile {
		env.Stderr = &syncWriter{w: env.Stderr} // the server writes to it too
	}
	logger := slog.New(slog.NewTextHandler(env.Stderr, nil))
	var end mcpEnd
	patience, grace := mcpPatience, mcpGrace
	if c.IsSet("hold") {
		patience, grace = 2*patience, 2*grace
		end, err = holderEnd(c, env, mapping, int(most), logger)
	} else {
		var done func() error
		if end, done, err = guardEnd(c, env, mapping, int(most), logger); err == nil {
			defer done()
		}
	}
	if err != nil {
		return err
	}
	return serveMCP(ctx, env, end, command, patience, grace)
}

// toolMapping reads what calls are about.
func toolMapping(c *cli.Context, audience string) (*toolcall.Mapping, error) {
	o := &toolcall.Options{Resource: c.String("resource"), Resources: map[string][]string{}, AllowParams: values(c, "allow-param"), AllowBigIntegers: c.Bool("allow-big-integers")}
	for _, text := range values(c, "map") {
		tool, path, ok := strings.Cut(text, "=")
		if !ok {
			return nil, usagef("--map %s is not of the form TOOL=PATH", quoted(text))
		}
		o.Resources[tool] = append(o.Resources[tool], path)
	}
	m, err := toolcall.NewMapping(audience, o)
	if err != nil {
		err = usagef("%s", err)
		if o.Resource == "" {
			err = hintf(err, "what calls are about is tools/ and the audience, unless --resource says it")
		}
		return nil, err
	}
	return m, nil
}

// guardEnd makes the server's end.
func guardEnd(c *cli.Context, env *Env, m *toolcall.Mapping, maxLine int, logger *slog.Logger) (mcpEnd, func() error, error) {
	if err := errors.Join(needs(c, "key", "hold"), atMostOne(c, "replay", "allow-replay")); err != nil {
		return nil, nil, err
	}
	trustFile, err := required(c, "trust")
	if err != nil {
		return nil, nil, hintf(err, trustHint+"; the file may also be named by the environment variable WHITTLE_TRUST")
	}
	if _, err := readTrust(env, trustFile); err != nil {
		return nil, nil, err
	}
	options, err := verifyOptions(c, env)
	if err != nil {
		return nil, nil, err
	}
	// A session may last for days, so that both are read again when they change.
	told := &trust.FileOptions{OnError: func(err error) { logger.Error("the old one stays in force", "reason", err.Error()) }}
	roots, err := trust.Open(env.path(trustFile), told)
	if err != nil {
		return nil, nil, err
	}
	if file := c.String("directory"); file != "" {
		if options.Directory, err = trust.OpenDirectory(env.path(file), told); err != nil {
			return nil, nil, err
		}
	}
	state, err := serviceState(c)
	if err != nil {
		return nil, nil, err
	}
	done, err := openStores(c, env, options)
	if err != nil {
		return nil, nil, err
	}
	if options.AllowReplay = c.Bool("allow-replay"); !options.AllowReplay && options.Replay == nil {
		if options.Replay, err = openUsed(m.Audience(), options.Now); err != nil {
			return nil, nil, errors.Join(err, done())
		}
	}
	v, err := verify.New(m.Audience(), roots, options)
	if err != nil {
		return nil, nil, errors.Join(usagef("%s", err), done())
	}
	guard, err := mcpproxy.NewGuard(v, m, &mcpproxy.GuardOptions{
		State: func() (verify.State, error) { return state, nil },
		Allow: values(c, "allow"), AllowListing: c.Bool("allow-listing"), MaxLine: maxLine, Logger: logger,
	})
	if err != nil {
		return nil, nil, errors.Join(usagef("--allow: %s", err), done())
	}
	return guard, done, nil
}

// How long a server has to end by itself once its client is gone, and once it was told to.
// A holder's end waits twice as long: what it started may be another proxy.
const (
	mcpPatience = 10 * time.Second
	mcpGrace    = 5 * time.Second
)

// serveMCP starts the server and joins it and the client until it ends.
func serveMCP(ctx context.Context, env *Env, end mcpEnd, command []string, patience, grace time.Duration) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := exec.CommandContext(ctx, command[0], command[1:]...)
	server.Dir = env.folder
	server.Env = environWithoutAgent() // the agent is the client's, and none of the server's business
	server.Stderr = env.Stderr
	server.Cancel = func() error { return server.Process.Signal(syscall.SIGTERM) }
	server.WaitDelay = grace
	in, err := server.StdinPipe()
	if err != nil {
		return err
	}
	out, err := server.StdoutPipe()
	if err != nil {
		return err
	}
	if err := server.Start(); err != nil {
		return fmt.Errorf("the server cannot be started: %w", err)
	}
	// What the server started may keep its output open after it, and the client may not read.
	joined, part := context.WithCancel(context.WithoutCancel(ctx))
	defer part()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(grace, part) })()
	client := &leaving{Reader: env.Stdin, then: func() { time.AfterFunc(patience, cancel) }}
	served := end.Serve(joined, mcpproxy.Streams{Client: client, ClientOut: env.Stdout, Server: out, ServerIn: in})
	told := ctx.Err() != nil
	if served != nil {
		cancel()
	}
	defer time.AfterFunc(grace, cancel).Stop() // it may have closed its output and stay
	ended := server.Wait()
	switch {
	case told, served == nil && errors.Is(ended, context.Canceled):
		return nil // what ends the proxy ends the server
	case served != nil:
		return served
	}
	return commandResult(ended)
}

// leaving is what the client says, and what follows its end.
type leaving struct {
	io.Reader
	then func()
}

func (l *leaving) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	if err != nil {
		l.then()
	}
	return n, err
}

// syncWriter takes what several write at once.
type syncWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *syncWriter) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(p)
}
