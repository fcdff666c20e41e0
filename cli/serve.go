package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/verify/gateway"
	"github.com/whittle-auth/whittle/verify/gateway/serve"
)

func serveCommand(env *Env) *cli.Command {
	return &cli.Command{
		Name:      "serve",
		Usage:     "decide requests for a proxy: nginx, Caddy or Traefik",
		UsageText: "whittle serve --config FILE [--check] [--first-start] [--log text|json] [--traces FILE]",
		Flags: []cli.Flag{
			valueFlag("config", "what to decide by, a `FILE` as spec/gateway.md describes it; it is read again when it changes"),
			boolFlag("check", "say whether the configuration is good, and do nothing else"),
			boolFlag("first-start", "assert that nothing was accepted for the audience before"),
			valueFlag("log", "write the log as `FORMAT`, text or json (default: text)"),
			valueFlag("traces", "append a span for each decision to `FILE`, as JSON"),
		},
		Action: func(c *cli.Context) error { return serveGateway(c.Context, c, env) },
	}
}

func serveGateway(ctx context.Context, c *cli.Context, env *Env) error {
	if _, err := arguments(c); err != nil {
		return err
	}
	config, err := required(c, "config")
	if err != nil {
		return err
	}
	if c.Bool("check") {
		if err := gateway.Check(env.path(config)); err != nil {
			return aboutConfig(config, err)
		}
		_, err := fmt.Fprintf(env.Stdout, "%s is good\n", shown(config))
		return err
	}
	logger, err := newLogger(c, env)
	if err != nil {
		return err
	}
	// Before anything is opened, so that nothing is left half done.
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()

	metrics := serve.NewMetrics()
	o := &gateway.Options{Logger: logger, Observe: metrics.Observe, FirstStart: c.Bool("first-start"), Now: env.Now}
	finish := func(context.Context) error { return nil }
	if name := c.String("traces"); name != "" {
		provider, end, err := traceTo(env.path(name))
		if err != nil {
			return about(name, err)
		}
		o.TracerProvider, finish = provider, end
	}
	g, err := gateway.Open(env.path(config), o)
	if err != nil {
		return aboutConfig(config, err)
	}
	services, err := gatewayServices(g, metrics, logger)
	if err == nil {
		err = serve.Run(ctx, logger, services...)
	}
	return errors.Join(err, g.Close(), finish(context.WithoutCancel(ctx)))
}

// gatewayServices listens where the configuration says.
func gatewayServices(g *gateway.Gateway, m *serve.Metrics, logger *slog.Logger) (services []serve.Service, err error) {
	if g.Proxy() == "envoy" {
		return nil, hintf(usagef("the configuration is for envoy, which asks over gRPC: this command answers nginx, caddy and traefik"), "whittle-envoy takes the same file: verify/extauthz")
	}
	at := g.Addresses()
	if at.Listen == (gateway.Address{}) {
		return nil, hintf(usagef("the configuration does not say where to listen"), `listen = "127.0.0.1:9180" in a table [server], or "unix:PATH"`)
	}
	defer func() {
		if err != nil {
			for _, s := range services {
				s.Listener.Close()
			}
		}
	}()
	l, err := serve.Listen(at.Listen)
	if err != nil {
		return services, err
	}
	services = append(services, serve.Service{Name: "proxy", Listener: l, Server: serve.NewServer(gateway.ForwardAuth(g), logger)})
	if at.Admin == (gateway.Address{}) {
		return services, nil
	}
	if l, err = serve.Listen(at.Admin); err != nil {
		return services, err
	}
	return append(services, serve.Service{Name: "admin", Listener: l, Server: serve.NewServer(serve.Admin(g, m), logger)}), nil
}

func newLogger(c *cli.Context, env *Env) (*slog.Logger, error) {
	switch format := c.String("log"); format {
	case "", "text":
		return slog.New(slog.NewTextHandler(env.Stderr, nil)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(env.Stderr, nil)), nil
	default:
		return nil, usagef("--log %s is neither text nor json", quoted(format))
	}
}

// aboutConfig names the file as it was given.
func aboutConfig(name string, err error) error {
	if e, ok := errors.AsType[*gateway.ConfigError](err); ok {
		return usagef("%s: line %d: %s", shown(name), e.Line, e.Err)
	}
	return about(name, err)
}
