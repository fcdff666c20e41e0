package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/cli/reading"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
)

func explainCommand(env *Env) *cli.Command {
	return &cli.Command{
		Name:      "explain",
		Usage:     "say all that speaks against a request; it authorizes nothing",
		UsageText: "whittle explain --trust FILE --operation OP --resource PATH [--arg NAME=VALUE].. --audience ID [--policy FILE] [--directory FILE] [--context NAME=VALUE].. [--now TIME] [--json|--mermaid|--dot] TOKEN\nwhittle explain --decision FILE [--json]",
		Flags: slices.Concat(requestFlags(), verifierFlags(), pictureFlags(),
			[]cli.Flag{valueFlag("decision", "explain a recorded decision instead, a `FILE` that verify --json printed"), jsonFlag()}),
		Action: func(c *cli.Context) error { return explainRequest(c.Context, c, env) },
	}
}

// verifierFlags make a verifier as that of the service, but for what it remembers of
// requests: see [replayFlags].
func verifierFlags() []cli.Flag {
	return append(serviceFlags(),
		trustFlag(),
		valueFlag("policy", "the service's own policy, a `FILE` of Datalog"),
		valueFlag("max-ttl", "accept tokens meant to live this long, a `DURATION` (default: 24h)"),
		nowFlag(),
		boolFlag("allow-bearer", "accept tokens that nobody in particular holds"),
		approverInChainFlag(),
		listFlag("revoked", "deny what stands in `FILE`, a list that whittle revoke keeps (repeatable)"),
		valueFlag("max-stale", "accept lists that are this old, a `DURATION` (default: 24h)"),
	)
}

// explainers reads the flags of [verifierFlags] and returns the verifiers that they
// make, one for each service.
func explainers(c *cli.Context, env *Env) (func(audience string) (*verify.Verifier, error), error) {
	trustFile, err := required(c, "trust")
	if err != nil {
		return nil, hintf(err, trustHint+"; the file may also be named by the environment variable WHITTLE_TRUST")
	}
	roots, err := readTrust(env, trustFile)
	if err != nil {
		return nil, err
	}
	options, err := verifyOptions(c, env)
	if err != nil {
		return nil, err
	}
	if _, err := openStores(c, env, options); err != nil { // without --replay: nothing is used up
		return nil, err
	}
	made := map[string]*verify.Verifier{}
	return func(audience string) (*verify.Verifier, error) {
		if made[audience] == nil {
			v, err := verify.New(audience, roots, options)
			if err != nil {
				return nil, usagef("%s", err)
			}
			made[audience] = v
		}
		return made[audience], nil
	}, nil
}

func explainRequest(ctx context.Context, c *cli.Context, env *Env) error {
	if c.String("decision") != "" {
		return explainRecord(c, env)
	}
	args, err := arguments(c, "TOKEN")
	if err != nil {
		return err
	}
	if err := atMostOne(c, "json", "mermaid", "dot"); err != nil {
		return err
	}
	req, err := request(c)
	if err != nil {
		return err
	}
	verifier, err := explainers(c, env)
	if err != nil {
		return err
	}
	v, err := verifier(req.Audience)
	if err != nil {
		return err
	}
	state, err := serviceState(c)
	if err != nil {
		return err
	}
	u, err := readToken(env, args[0], false)
	if err != nil {
		return err
	}
	e := v.Explain(ctx, u.Text(), req, verify.Supposition{State: state})
	if err := showExplanation(c, env, e, &req); err != nil {
		return err
	}
	switch e.Code {
	case token.CodeMalformed, token.CodeUnsupported, token.CodeSignature:
		// Nothing can be explained of a token that is none.
		return token.Errorf(e.Code, e.Against[0].Block, "%s", e.Against[0].Message)
	}
	return nil
}

func showExplanation(c *cli.Context, env *Env, e *verify.Explanation, req *delegation.Request) error {
	d := drawn(e, req.Audience, reading.RequestLine(req))
	switch {
	case c.Bool("json"):
		return printJSON(env.Stdout, e)
	case c.Bool("mermaid"):
		return d.mermaid(env.Stdout)
	case c.Bool("dot"):
		return d.dot(env.Stdout)
	}
	var b strings.Builder
	printExplanation(&b, e, req)
	if len(e.Hops) > 0 {
		fmt.Fprintln(&b)
		d.print(&b)
	} else {
		for _, r := range e.Against {
			fmt.Fprintf(&b, "%s%s\n", refusalMark, oneLine(r.String()))
		}
	}
	_, err := io.WriteString(env.Stdout, b.String())
	return err
}

// printExplanation says what it comes to.
func printExplanation(w io.Writer, e *verify.Explanation, req *delegation.Request) {
	line := func(label, format string, args ...any) {
		fmt.Fprintf(w, "%-10s%s\n", label+":", oneLine(fmt.Sprintf(format, args...)))
	}
	fmt.Fprintln(w, "an explanation: it authorizes nothing")
	line("request", "%s", reading.RequestLine(req))
	line("service", "%s, at %s", delegation.PlainName(req.Audience), e.At.Format(time.RFC3339))
	if e.Code == "" {
		line("verify", "allowed")
	} else {
		line("verify", "denied: %s", e.Code)
	}
	switch n := len(e.Against); {
	case e.Supposed && n == 0:
		line("suppose", "the holder invokes the token for this request: nothing is against it")
	case e.Supposed:
		line("suppose", "the holder invokes the token for this request: denied, %s", reasonCount(n))
	case n > 0:
		line("against", "%s", reasonCount(n))
	}
}

func reasonCount(n int) string {
	if n == 1 {
		return "1 reason"
	}
	return fmt.Sprintf("%d reasons", n)
}
