package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/attenuate"
	localagent "github.com/whittle-auth/whittle/attenuate/agent"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
)

// A delegate is an agent that uses its keys for a command.
type delegate struct {
	client *localagent.Client
	which  localagent.Which

	// held is the token that is meant, verified from the roots of --trust where that is
	// given. Without it the agent has done so, as far as it was told whom to trust.
	held  token.Chain
	chain *delegation.Chain
}

// delegateFor returns the agent that is to use a token: one that it holds under this
// name, or that a file has. It is nil where --key is given, where the environment names
// no agent, and for a token that needs no key.
func delegateFor(c *cli.Context, env *Env, arg string) (*delegate, error) {
	if c.IsSet("key") || !hasAgent() {
		return nil, nil
	}
	if c.IsSet("now") {
		return nil, usagef("--now means nothing to an agent, which has a clock of its own")
	}
	client, err := runningAgent()
	if err != nil {
		return nil, err
	}
	d := &delegate{client: client}
	u, err := d.find(c, env, arg)
	if err != nil {
		return nil, err
	}
	if u.Form() != token.Held {
		if arg == "-" {
			env.tokenRead = u // it is wanted again, and standard input is read once
		}
		return nil, nil
	}
	d.held, d.chain, err = d.opened(c, env, u)
	return d, err
}

// find looks for a token at the agent first, then for a file.
func (d *delegate) find(c *cli.Context, env *Env, arg string) (*token.Unverified, error) {
	if localagent.IsName(arg) {
		text, err := d.client.Held(c.Context, arg)
		if err == nil {
			d.which.Name = arg
			return token.ParseText(text, nil)
		}
		if !errors.Is(err, localagent.ErrNotHeld) {
			return nil, withoutAgent(err)
		}
	}
	u, err := readToken(env, arg, false)
	if err != nil {
		if localagent.IsName(arg) {
			err = hintf(err, "neither does the agent hold a token of this name: whittle agent list shows what it holds")
		}
		return nil, err
	}
	d.which.Text = u.Text()
	return u, nil
}

func (d *delegate) opened(c *cli.Context, env *Env, u *token.Unverified) (token.Chain, *delegation.Chain, error) {
	var roots *trust.Roots
	if file := c.String("trust"); file != "" {
		var err error
		if roots, err = readTrust(env, file); err != nil {
			return nil, nil, err
		}
	}
	blocks, err := u.UnverifiedBlocks()
	if err != nil {
		return nil, nil, err
	}
	return attenuate.Open(u, roots, blocks[len(blocks)-1].Next, env.Now())
}

// made opens what the agent has made.
func (d *delegate) made(c *cli.Context, env *Env, text string, err error) (token.Chain, *delegation.Chain, error) {
	if err != nil {
		return nil, nil, withoutAgent(err)
	}
	u, err := token.ParseText(text, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("the agent's answer: %w", err)
	}
	return d.opened(c, env, u)
}

func (d *delegate) invoke(c *cli.Context, env *Env, req delegation.Request, window time.Duration) error {
	text, err := d.client.Invoke(c.Context, d.which, req, window)
	presented, chain, err := d.made(c, env, text, err)
	if err != nil {
		return err
	}
	foretell(env, chain, &req, env.Now())
	return emitToken(c, env, presented)
}

func (d *delegate) invokeSession(c *cli.Context, env *Env, audience string, channel delegation.Channel, window time.Duration) error {
	text, err := d.client.InvokeSession(c.Context, d.which, audience, channel, window)
	presented, chain, err := d.made(c, env, text, err)
	if err != nil {
		return err
	}
	foretellExpiry(env, chain, env.Now())
	return emitToken(c, env, presented)
}

// attenuate narrows a token, and hands it on where an agent is named.
func (d *delegate) attenuate(c *cli.Context, env *Env, caveats []delegation.Caveat) error {
	var err error
	if c.Bool("clamp") {
		if caveats, err = clamped(d.held, caveats); err != nil {
			return err
		}
	}
	var key token.PublicKey
	if c.IsSet("agent") {
		if key, err = agentKey(c, env); err != nil {
			return err
		}
	}
	text, err := d.client.Handoff(c.Context, d.which, c.String("agent"), key, caveats...)
	longer, _, err := d.made(c, env, text, err)
	if err != nil {
		return err
	}
	if err := warnOfToken(env, longer, env.Now()); err != nil {
		return err
	}
	hintDirectory(env, caveats)
	return emitToken(c, env, longer)
}
