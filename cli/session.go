package cli

import (
	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token/delegation"
)

func sessionFlag() cli.Flag {
	return valueFlag("session", "bind the token to a connection instead of a request, `KIND:HEX`; KIND is tls-exporter or client-cert")
}

// invokeSession is [invoke] for many requests on one connection.
func invokeSession(c *cli.Context, env *Env) error {
	args, err := arguments(c, "TOKEN")
	if err != nil {
		return err
	}
	for _, flag := range []string{"operation", "resource", "arg"} {
		if c.IsSet(flag) {
			return usagef("%s means nothing with --session: a session is for any request that the token allows", dashed(flag))
		}
	}
	audience, err := required(c, "audience")
	if err != nil {
		return err
	}
	channel, err := delegation.ParseChannel(c.String("session"))
	if err != nil {
		return usagef("--session: %s", err)
	}
	window := attenuate.SessionWindow
	if c.IsSet("window") {
		if window, err = parseDuration("window", c.String("window")); err != nil {
			return err
		}
	}
	if d, err := delegateFor(c, env, args[0]); err != nil || d != nil {
		if err != nil {
			return err
		}
		return d.invokeSession(c, env, audience, channel, window)
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
	presented, err := attenuate.InvokeSessionAt(t, holder, audience, channel, now.Add(-delegation.Skew), now.Add(window))
	if err != nil {
		return err
	}
	foretellExpiry(env, chain, now)
	return emitToken(c, env, presented)
}
