package cli

import (
	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token/delegation"
)

func invokeCommand(env *Env) *cli.Command {
	return &cli.Command{
		Name:      "invoke",
		Usage:     "bind a held token to one request, ready to be sent to the service",
		UsageText: "whittle invoke --key FILE --operation OP --resource PATH [--arg NAME=VALUE].. --audience ID [--trust FILE] [-o FILE] TOKEN",
		Flags: []cli.Flag{
			keyFlag(), opFlag(),
			listFlag("resource", "what the request is about (repeatable)"),
			listFlag("arg", "an argument of the request, NAME=VALUE (repeatable)"),
			audienceFlag(),
			&cli.StringFlag{Name: "window", Value: attenuate.Window.String(), Usage: "how long the invocation holds"},
			trustFlag(), nowFlag(), outFlag(), jsonFlag(),
		},
		Action: func(c *cli.Context) error { return invoke(c, env) },
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
	clock, err := clock(c, env)
	if err != nil {
		return err
	}
	t, holder, err := openHeld(c, env, args[0])
	if err != nil {
		return err
	}
	now := clock()
	presented, err := attenuate.InvokeAt(t, holder, req, now.Add(-delegation.Skew), now.Add(window))
	if err != nil {
		return err
	}
	return emitToken(c, env, presented)
}
