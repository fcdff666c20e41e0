package cli

import (
	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
)

func attenuateCommand(env *Env) *cli.Command {
	return &cli.Command{
		Name:      "attenuate",
		Usage:     "narrow a token, and hand it on to another agent",
		UsageText: "whittle attenuate --key FILE [--agent ID --agent-key FILE|TEXT] [--resource ..] [--operation ..] [--ttl|--expires] [--check DATALOG].. [--clamp] [--trust FILE] [-o FILE] TOKEN",
		Flags: []cli.Flag{
			keyFlag(), agentFlag(), agentKeyFlag(),
			listFlag("resource", "allow these resources only (repeatable)"),
			listFlag("operation", "allow these operations only (repeatable)"),
			ttlFlag(), expiresFlag(),
			listFlag("check", "a further check, as Datalog (repeatable)"),
			&cli.BoolFlag{Name: "clamp", Usage: "cut down what goes beyond the token, instead of refusing it"},
			trustFlag(), nowFlag(), outFlag(), jsonFlag(),
		},
		Action: func(c *cli.Context) error { return attenuateToken(c, env) },
	}
}

func attenuateToken(c *cli.Context, env *Env) error {
	args, err := arguments(c, "TOKEN")
	if err != nil {
		return err
	}
	now, err := clock(c, env)
	if err != nil {
		return err
	}
	caveats, err := scopeFlags(c)
	if err != nil {
		return err
	}
	expires, err := lifetime(c, now())
	if err != nil {
		return err
	}
	if !expires.IsZero() {
		caveats = append(caveats, delegation.Expires(expires))
	}
	handoff := c.String("agent") != "" || c.String("agent-key") != ""
	if !handoff && len(caveats) == 0 {
		return usagef("nothing to do: neither an agent to hand on to nor anything to narrow is given")
	}
	t, holder, err := openHeld(c, env, args[0])
	if err != nil {
		return err
	}
	if c.Bool("clamp") {
		if caveats, err = attenuate.Clamp(t, caveats...); err != nil {
			return err
		}
	}
	var longer token.Chain
	if handoff {
		agent, err := required(c, "agent")
		if err != nil {
			return err
		}
		key, err := agentKey(c, env)
		if err != nil {
			return err
		}
		longer, err = attenuate.Handoff(t, holder, agent, key, caveats...)
		if err != nil {
			return widening(err)
		}
	} else if longer, err = attenuate.Narrow(t, holder, caveats...); err != nil {
		return widening(err)
	}
	return emitToken(c, env, longer)
}

// openHeld reads a token that --key holds and verifies it: from the roots of
// --trust, else all but the root's signature.
func openHeld(c *cli.Context, env *Env, arg string) (token.Chain, token.Signer, error) {
	now, err := clock(c, env)
	if err != nil {
		return nil, nil, err
	}
	u, err := readToken(env, arg)
	if err != nil {
		return nil, nil, err
	}
	var holder token.Signer
	var public token.PublicKey
	if file := c.String("key"); file != "" {
		key, err := readPrivateKey(env, file)
		if err != nil {
			return nil, nil, err
		}
		holder, public = key, key.Public()
	} else if u.Form() == token.Held {
		return nil, nil, usagef("--key is missing: the token is held, and only its holder's key can go on")
	}
	if u.Form() != token.Held {
		holder = nil // whoever has a bearer token can go on
	}
	if file := c.String("trust"); file != "" {
		roots, err := readTrust(file)
		if err != nil {
			return nil, nil, err
		}
		t, _, err := attenuate.Open(u, roots, public, now())
		return t, holder, err
	}
	hint(env.Stderr, "without --trust nothing shows who minted the token: all of the chain but its first signature was verified")
	t, _, err := attenuate.Open(u, nil, public, now())
	return t, holder, err
}

// widening adds advice to the error about a caveat that is too wide.
func widening(err error) error {
	if exitCode(err) == exitDenied {
		if _, ok := err.(*delegation.WideningError); ok {
			return hintf(err, "use --clamp to take the tighter of the two")
		}
	}
	return err
}
