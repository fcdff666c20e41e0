package cli

import (
	"errors"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
)

func attenuateCommand(env *Env) *cli.Command {
	return &cli.Command{
		Name:      "attenuate",
		Usage:     "narrow a token, and hand it on to another agent",
		UsageText: "whittle attenuate --key FILE [--agent ID --agent-key FILE|TEXT] [--resource ..] [--operation ..] [--ttl|--expires] [--check DATALOG].. [--clamp] [--trust FILE] [-o FILE] TOKEN\nwhittle attenuate .. NAME|TOKEN, where WHITTLE_AGENT_SOCK names an agent that has the key",
		Flags: []cli.Flag{
			keyFlag(), agentFlag(), agentKeyFlag(),
			listFlag("resource", "allow this `PATH` only, or PATH/** for all below it (repeatable)"),
			listFlag("operation", "allow this operation `OP` only (repeatable)"),
			ttlFlag(), expiresFlag(),
			approvalFlag(), caveatFlag(), checkFlag(),
			boolFlag("clamp", "cut down what goes beyond the token, instead of refusing it"),
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
	hintUnstated(env.Stderr, caveats)
	approvals, err := approvalCaveats(c, env)
	if err != nil {
		return err
	}
	caveats = append(caveats, approvals...)
	expires, err := lifetime(c, now())
	if err != nil {
		return err
	}
	if !expires.IsZero() {
		cv := delegation.Expires(expires)
		if err := cv.Validate(); err != nil {
			return usagef("--expires: %s", err)
		}
		caveats = append(caveats, cv)
	}
	for _, pair := range [][2]string{{"agent", "agent-key"}, {"agent-key", "agent"}} {
		if err := needs(c, pair[0], pair[1]); err != nil {
			return err
		}
	}
	agent := c.String("agent")
	if agent == "" && len(caveats) == 0 {
		return usagef("nothing to do: neither an agent to hand on to nor anything to narrow is given")
	}
	if d, err := delegateFor(c, env, args[0]); err != nil || d != nil {
		if err != nil {
			return err
		}
		return d.attenuate(c, env, caveats)
	}
	t, holder, _, err := openHeld(c, env, args[0])
	if err != nil {
		return err
	}
	if c.Bool("clamp") {
		if caveats, err = clamped(t, caveats); err != nil {
			return err
		}
	}
	var longer token.Chain
	if agent != "" {
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
	if err := warnOfToken(env, longer, now()); err != nil {
		return err
	}
	hintDirectory(env, caveats)
	return emitToken(c, env, longer)
}

// openHeld reads a token that --key holds and verifies it: from the roots of
// --trust, else all but the root's signature.
func openHeld(c *cli.Context, env *Env, arg string) (token.Chain, token.Signer, *delegation.Chain, error) {
	now, err := clock(c, env)
	if err != nil {
		return nil, nil, nil, err
	}
	u, err := readToken(env, arg, false)
	if err != nil {
		return nil, nil, nil, err
	}
	var holder token.Signer
	var public token.PublicKey
	if file := c.String("key"); file != "" {
		key, err := readSigner(env, file)
		if err != nil {
			return nil, nil, nil, err
		}
		holder, public = key, key.Public()
	} else if u.Form() == token.Held {
		return nil, nil, nil, usagef("--key is missing: the token is held, and only its holder's key can go on")
	}
	if u.Form() != token.Held {
		holder = nil // whoever has a bearer token can go on
	}
	var roots *trust.Roots
	if file := c.String("trust"); file != "" {
		if roots, err = readTrust(env, file); err != nil {
			return nil, nil, nil, err
		}
	} else {
		hint(env.Stderr, "without --trust nothing shows who minted the token: all of the chain but its first signature was verified")
	}
	t, chain, err := attenuate.Open(u, roots, public, now())
	return t, holder, chain, err
}

// nothingLeft says that a caveat and the token have nothing in common.
type nothingLeft struct{ error }

// clamped cuts caveats down to what the token allows.
func clamped(t token.Chain, caveats []delegation.Caveat) ([]delegation.Caveat, error) {
	fitting, err := attenuate.Clamp(t, caveats...)
	if _, ok := errors.AsType[*token.Error](err); err != nil && !ok {
		return nil, &nothingLeft{err} // the caveats themselves are valid
	}
	return fitting, err
}

// widening adds advice to the error about a caveat that is too wide.
func widening(err error) error {
	if _, ok := errors.AsType[*delegation.WideningError](err); ok {
		return hintf(err, "use --clamp to take the tighter of the two")
	}
	return err
}
