// Command whittle-envoy decides requests for Envoy's filter ext_authz, from the
// configuration file that whittle serve takes (spec/gateway.md), with proxy = "envoy".
//
//	whittle-envoy --config gateway.toml
//
// With OTEL_EXPORTER_OTLP_ENDPOINT it sends a span for each decision to a collector, by
// OTLP over gRPC; the other variables of OpenTelemetry's exporter and SDK count too.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/whittle-auth/whittle/verify/gateway"
	"github.com/whittle-auth/whittle/verify/gateway/serve"
)

func main() {
	// Before anything is opened, so that nothing is left half done.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

const usage = "whittle-envoy --config FILE [--check] [--first-start] [--log text|json]"

// run is the command, whose exit code is 0, or 2 for wrong usage, a bad configuration,
// and whatever keeps it from serving.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := command(ctx, args, stdout, stderr)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	fmt.Fprintln(stderr, "error:", err)
	if e, ok := errors.AsType[*hinted](err); ok {
		fmt.Fprintln(stderr, "hint:", e.hint)
	}
	return 2
}

// hinted is an error with what to do about it.
type hinted struct {
	error
	hint string
}

func command(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("whittle-envoy", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	config := flags.String("config", "", "what to decide by; it is read again when it changes")
	check := flags.Bool("check", false, "say whether the configuration is good, and do nothing else")
	first := flags.Bool("first-start", false, "assert that nothing was accepted for the audience before")
	format := flags.String("log", "text", "write the log as text or json")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(stdout, usage)
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return err
	case err != nil:
		return &hinted{err, usage}
	case flags.NArg() > 0 || *config == "":
		return &hinted{errors.New("--config FILE is needed, and no argument beside the flags"), usage}
	}
	logger, err := newLogger(*format, stderr)
	if err != nil {
		return err
	}
	if *check {
		if err := gateway.Check(*config); err != nil {
			return err
		}
		_, err := fmt.Fprintf(stdout, "%s is good\n", *config)
		return err
	}
	provider, finish, err := traces(ctx, logger)
	if err != nil {
		return err
	}
	metrics := serve.NewMetrics()
	g, err := gateway.Open(*config, &gateway.Options{
		Logger: logger, Observe: metrics.Observe, FirstStart: *first, TracerProvider: provider,
	})
	if err != nil {
		return errors.Join(err, finish())
	}
	return errors.Join(listen(ctx, g, metrics, logger), g.Close(), finish())
}

func newLogger(format string, w io.Writer) (*slog.Logger, error) {
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(w, nil)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, nil)), nil
	}
	return nil, &hinted{fmt.Errorf("--log %q is neither text nor json", format), usage}
}
