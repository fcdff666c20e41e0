package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
)

func verifyCommand(env *Env) *cli.Command {
	return &cli.Command{
		Name:      "verify",
		Usage:     "decide a request by its token, as the service would",
		UsageText: "whittle verify --trust FILE --operation OP --resource PATH [--arg NAME=VALUE].. --audience ID [--policy FILE] [--replay FILE] [--revoked FILE].. [--directory FILE] [--context NAME=VALUE].. [--channel KIND:HEX] [--now TIME] [--allow-bearer] TOKEN",
		Flags: append(slices.Concat(requestFlags(), verifierFlags(), replayFlags()),
			boolFlag("allow-approval-reuse", "let an approval serve any number of requests for its action"),
			jsonFlag(),
		),
		Action: func(c *cli.Context) error { return verifyToken(c.Context, c, env) },
	}
}

func verifyToken(ctx context.Context, c *cli.Context, env *Env) error {
	args, err := arguments(c, "TOKEN")
	if err != nil {
		return err
	}
	req, err := request(c)
	if err != nil {
		return err
	}
	trustFile, err := required(c, "trust")
	if err != nil {
		return hintf(err, trustHint+"; the file may also be named by the environment variable WHITTLE_TRUST")
	}
	roots, err := readTrust(env, trustFile)
	if err != nil {
		return err
	}
	options, err := verifyOptions(c, env)
	if err != nil {
		return err
	}
	state, err := serviceState(c)
	if err != nil {
		return err
	}
	done, err := openStores(c, env, options)
	if err != nil {
		return err
	}
	defer done()
	v, err := verify.New(req.Audience, roots, options)
	if err != nil {
		return usagef("%s", err)
	}
	var d *verify.Decision
	u, err := readToken(env, args[0], false)
	if err == nil {
		d, err = v.VerifyWith(ctx, u.Text(), req, state)
	} else if e, ok := errors.AsType[*token.Error](err); ok {
		d = verify.Refused(e)
	} else {
		return err
	}
	if c.Bool("json") {
		if err := printJSON(env.Stdout, d); err != nil {
			return err
		}
	} else {
		printDecision(env, d)
		if d.Allowed {
			printAgent(env.Stdout, c, d)
		}
	}
	if err != nil {
		explain(env.Stderr, d)
		explainAgent(env.Stderr, c, d)
		explainFacts(env.Stderr, d, err)
		adviseOnMemory(c, env, d)
		return &reported{err}
	}
	if options.Replay != nil {
		return nil
	}
	hint(env.Stderr, "the command has no memory: it does not notice a token that is presented twice")
	return nil
}

func verifyOptions(c *cli.Context, env *Env) (*verify.Options, error) {
	now, err := clock(c, env)
	if err != nil {
		return nil, err
	}
	o := &verify.Options{Now: now, AllowBearer: c.Bool("allow-bearer"), AllowApproverInChain: c.Bool("allow-approver-in-chain"), AllowApprovalReuse: c.Bool("allow-approval-reuse")}
	if text := c.String("max-ttl"); text != "" {
		if o.MaxTTL, err = parseDuration("max-ttl", text); err != nil {
			return nil, err
		}
	}
	if err := serviceOptions(c, env, o); err != nil {
		return nil, err
	}
	if file := c.String("policy"); file != "" {
		source, err := env.read(file, maxInput)
		if err != nil {
			return nil, err
		}
		if o.Policy, err = datalog.ParseAuthorizer(string(source), nil); err != nil {
			return nil, usagef("%s: %s", file, err)
		}
	}
	return o, nil
}

// printDecision shows a decision to people.
func printDecision(env *Env, d *verify.Decision) {
	if !d.Allowed {
		fmt.Fprintf(env.Stdout, "denied: %s\n", d.Code)
		return
	}
	fmt.Fprintf(env.Stdout, "allowed: %s\n", oneLine(path(d)))
	fmt.Fprintf(env.Stdout, "expires: %s\n", d.Expires.Format(time.RFC3339))
}

// path names everyone from the delegator to the last holder.
func path(d *verify.Decision) string {
	names := []string{delegation.PlainName(d.Delegator)}
	for _, h := range d.Chain {
		names = append(names, delegation.PlainName(h.Name))
	}
	if d.Bearer {
		names = append(names, "(bearer)")
	}
	return strings.Join(names, " -> ")
}

// explain says why a request is denied, and what usually helps.
func explain(w io.Writer, d *verify.Decision) {
	for _, r := range d.Reasons {
		fmt.Fprintf(w, "error: %s\n", oneLine(r.String()))
	}
	switch d.Code {
	case token.CodeNotPresented:
		hint(w, "the holder makes a token for one request with whittle invoke; bearer tokens need --allow-bearer")
	case token.CodeUntrustedRoot:
		hint(w, trustHint)
	}
}
