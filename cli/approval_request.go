package cli

import (
	"time"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/cli/reading"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify"
)

func requestApprovalCommand(env *Env) *cli.Command {
	return &cli.Command{
		Name:      "request-approval",
		Usage:     "ask the approvers that a token names to approve one action",
		UsageText: "whittle request-approval --operation OP --resource PATH [--arg NAME=VALUE].. --audience ID [--trust FILE] [-o FILE] TOKEN",
		Flags:     append(requestFlags(), trustFlag(), nowFlag(), outFlag(), jsonFlag()),
		Action:    func(c *cli.Context) error { return requestApproval(c, env) },
	}
}

// requestApproval needs no key: the request says what the token says already.
func requestApproval(c *cli.Context, env *Env) error {
	args, err := arguments(c, "TOKEN")
	if err != nil {
		return err
	}
	req, err := request(c)
	if err != nil {
		return err
	}
	t, err := openAny(c, env, args[0])
	if err != nil {
		return err
	}
	r, err := attenuate.RequestApproval(t, req)
	if err != nil {
		return err
	}
	text, err := marshal(r)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return emitJSON(c, env, r, text)
	}
	return emit(c, env, text)
}

// attached is a token with an approval, signed with --key or by the agent.
func attached(c *cli.Context, env *Env, arg string, approval []byte, now time.Time) (token.Chain, error) {
	d, err := delegateFor(c, env, arg)
	if err != nil {
		return nil, err
	}
	if d != nil {
		if c.Bool("allow-approver-in-chain") {
			return nil, usagef("--allow-approver-in-chain means nothing to an agent: give --key")
		}
		text, err := d.client.Attach(c.Context, d.which, approval)
		longer, _, err := d.made(c, env, text, err)
		return longer, err
	}
	t, holder, _, err := openHeld(c, env, arg)
	if err != nil {
		return nil, err
	}
	return attenuate.Attach(t, holder, approval, &attenuate.ApprovalOptions{Now: now, AllowApproverInChain: c.Bool("allow-approver-in-chain")})
}

// openAny is [openHeld] for a token that is somebody else's, or of which nothing is
// to be signed.
func openAny(c *cli.Context, env *Env, arg string) (token.Chain, error) {
	now, err := clock(c, env)
	if err != nil {
		return nil, err
	}
	u, err := readToken(env, arg, false)
	if err != nil {
		return nil, err
	}
	unrooted, err := u.VerifyUnrooted()
	if err != nil {
		return nil, err
	}
	var roots *trust.Roots
	if file := c.String("trust"); file != "" {
		if roots, err = readTrust(env, file); err != nil {
			return nil, err
		}
	} else {
		hint(env.Stderr, "without --trust nothing shows who minted the token: all of the chain but its first signature was verified")
	}
	t, _, err := attenuate.Open(u, roots, unrooted.NextKey(), now())
	return t, err
}

func attachCommand(env *Env) *cli.Command {
	return &cli.Command{
		Name:      "attach",
		Usage:     "add an approval to the token that it was given for",
		UsageText: "whittle attach --key FILE [--trust FILE] [-o FILE] TOKEN APPROVAL\nwhittle attach .. NAME|TOKEN APPROVAL, where WHITTLE_AGENT_SOCK names an agent that has the key",
		Flags:     []cli.Flag{keyFlag(), approverInChainFlag(), trustFlag(), nowFlag(), outFlag(), jsonFlag()},
		Action:    func(c *cli.Context) error { return attach(c, env) },
	}
}

func attach(c *cli.Context, env *Env) error {
	args, err := arguments(c, "TOKEN", "APPROVAL")
	if err != nil {
		return err
	}
	clock, err := clock(c, env)
	if err != nil {
		return err
	}
	approval, err := readMessage(env, args[1], false)
	if err != nil {
		return err
	}
	longer, err := attached(c, env, args[0], approval, clock())
	if verify.CodeOf(err) == token.CodeSignature {
		return hintf(err, "an approval is for the token as it was when it was asked for: whittle request-approval asks for the token as it is now")
	}
	if err != nil {
		return err
	}
	chain, err := delegation.ReadUnregistered(longer)
	if err != nil {
		return err
	}
	var missing []delegation.Caveat
	for _, b := range chain.Unapproved(chain.Approvals[len(chain.Approvals)-1].Action) {
		missing = append(missing, b.Caveat)
	}
	for _, line := range reading.CaveatLines(missing) {
		hint(env.Stderr, "this action still needs %s: ask for it with the result", line)
	}
	return emitToken(c, env, longer)
}
