package cli

import (
	"time"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/cli/reading"
	"github.com/whittle-auth/whittle/token/delegation"
)

func invokeCommand(env *Env) *cli.Command {
	return &cli.Command{
		Name:      "invoke",
		Usage:     "bind a held token to one request, ready to be sent to the service",
		UsageText: "whittle invoke --key FILE --operation OP --resource PATH [--arg NAME=VALUE].. --audience ID [--trust FILE] [-o FILE] TOKEN\nwhittle invoke --key FILE --session KIND:HEX --audience ID [--trust FILE] [-o FILE] TOKEN\nwhittle invoke .. NAME|TOKEN, where WHITTLE_AGENT_SOCK names an agent that has the key",
		Flags: append(requestFlags(),
			sessionFlag(), keyFlag(),
			&cli.StringFlag{Name: "window", Value: attenuate.Window.String(), Usage: "how long the invocation holds, a `DURATION`; a session holds for " + attenuate.SessionWindow.String()},
			trustFlag(), nowFlag(), outFlag(), jsonFlag(),
		),
		Action: func(c *cli.Context) error {
			if c.IsSet("session") {
				return invokeSession(c, env)
			}
			return invoke(c, env)
		},
	}
}

func invoke(c *cli.Context, env *Env) error {
	args, err := arguments(c, "TOKEN")
	if err != nil {
		return err
	}
	req, err := request(c)
	if err != nil {
		return err
	}
	window, err := parseDuration("window", c.String("window"))
	if err != nil {
		return err
	}
	if d, err := delegateFor(c, env, args[0]); err != nil || d != nil {
		if err != nil {
			return err
		}
		return d.invoke(c, env, req, window)
	}
	clock, err := clock(c, env)
	if err != nil {
		return err
	}
	t, holder, chain, err := openHeld(c, env, args[0])
	if err != nil {
		return err
	}
	now := clock()
	presented, err := attenuate.InvokeAt(t, holder, req, now.Add(-delegation.Skew), now.Add(window))
	if err != nil {
		return err
	}
	foretell(env, chain, &req, now)
	return emitToken(c, env, presented)
}

// foretell says at once what the service would deny.
func foretell(env *Env, chain *delegation.Chain, req *delegation.Request, now time.Time) {
	for _, cv := range []delegation.Caveat{delegation.Operation(req.Operation), delegation.Resource(req.Resources...)} {
		if _, err := chain.Scope.Fit(cv, false); err != nil {
			hint(env.Stderr, "the service will deny this: %s", err)
		}
	}
	foretellExpiry(env, chain, now)
	foretellApprovals(env, chain, req)
}

// foretellApprovals names the approvals that are demanded and not there.
func foretellApprovals(env *Env, chain *delegation.Chain, req *delegation.Request) {
	checked, err := req.Check()
	if err != nil {
		return
	}
	action, err := checked.ActionDigest()
	if err != nil {
		return
	}
	var missing []delegation.Caveat
	for _, b := range chain.Unapproved(action) {
		missing = append(missing, b.Caveat)
	}
	for _, line := range reading.CaveatLines(missing) {
		hint(env.Stderr, "the service will deny this: it needs %s (whittle request-approval)", line)
	}
}

func foretellExpiry(env *Env, chain *delegation.Chain, now time.Time) {
	if what := holdsNow(&chain.Scope, now); what != "" {
		hint(env.Stderr, "the service will deny this: the token %s", what)
	}
}
