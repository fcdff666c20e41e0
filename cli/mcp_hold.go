package cli

import (
	"context"
	"log/slog"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/cli/reading"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify/mcpproxy"
	"github.com/whittle-auth/whittle/verify/toolcall"
)

// holderFlags are those that the client's end of the proxy knows.
var holderFlags = map[string]bool{
	"hold": true, "key": true, "trust": true, "audience": true, "resource": true, "map": true,
	"allow-big-integers": true, "allow-param": true, "max-line": true, "now": true, "help": true,
}

// holderEnd makes the client's end.
func holderEnd(c *cli.Context, env *Env, m *toolcall.Mapping, maxLine int, logger *slog.Logger) (mcpEnd, error) {
	for _, f := range c.Command.Flags {
		if name := f.Names()[0]; c.IsSet(name) && !holderFlags[name] || len(values(c, name)) > 0 && !holderFlags[name] {
			return nil, usagef("--%s is for the server's end, --hold makes the client's", name)
		}
	}
	h := &holding{env: env, arg: c.String("hold")}
	if !c.IsSet("key") && hasAgent() {
		h.agent = func() (*delegate, error) { return delegateFor(c, env, h.arg) }
		return h.end(m, maxLine, logger)
	}
	file, err := required(c, "key")
	if err != nil {
		return nil, err
	}
	if h.now, err = clock(c, env); err != nil {
		return nil, err
	}
	if h.key, err = readSigner(env, file); err != nil {
		return nil, err
	}
	if file := c.String("trust"); file != "" {
		if h.roots, err = readTrust(env, file); err != nil {
			return nil, err
		}
	} else {
		hint(env.Stderr, "without --trust nothing shows who minted the token: all of the chain but its first signature was verified")
	}
	return h.end(m, maxLine, logger)
}

func (h *holding) end(m *toolcall.Mapping, maxLine int, logger *slog.Logger) (mcpEnd, error) {
	if _, _, err := h.open(); err != nil {
		return nil, err
	}
	return mcpproxy.NewHold(h, m, &mcpproxy.HoldOptions{Held: h.text, Lacks: h.lacks, MaxLine: maxLine, Logger: logger})
}

// holding is a held token and its key. The token is read for each use, so that one that was
// narrowed or approved meanwhile counts.
type holding struct {
	env   *Env
	arg   string
	key   token.Signer
	roots *trust.Roots
	now   func() time.Time

	// agent finds who has the key in place of it, where it is not given.
	agent func() (*delegate, error)
}

// delegate asks anew each time: the agent can be given another token of the name.
func (h *holding) delegate() (*delegate, error) {
	d, err := h.agent()
	if err == nil && d == nil {
		err = usagef("--hold wants a held token, which its holder invokes for each call")
	}
	return d, err
}

func (h *holding) open() (token.Chain, *delegation.Chain, error) {
	if h.agent != nil {
		d, err := h.delegate()
		if err != nil {
			return nil, nil, err
		}
		return d.held, d.chain, nil
	}
	u, err := readToken(h.env, h.arg, false)
	if err != nil {
		return nil, nil, err
	}
	if u.Form() != token.Held {
		return nil, nil, notHeld(u, h.now())
	}
	return attenuate.Open(u, h.roots, h.key.Public(), h.now())
}

// notHeld says of a token what whittle inspect says.
func notHeld(u *token.Unverified, now time.Time) error {
	r, err := reading.Read(u, nil, now)
	if err != nil {
		return err
	}
	return usagef("--hold wants a held token, which its holder invokes for each call: this one is %s", r.Form())
}

// Invoke implements the invoker of package httpauth.
func (h *holding) Invoke(ctx context.Context, req delegation.Request) (string, error) {
	if h.agent != nil {
		d, err := h.delegate()
		if err != nil {
			return "", err
		}
		return d.client.Invoke(ctx, d.which, req, 0)
	}
	t, _, err := h.open()
	if err != nil {
		return "", err
	}
	now := h.now()
	presented, err := attenuate.InvokeAt(t, h.key, req, now.Add(-delegation.Skew), now.Add(attenuate.Window))
	if err != nil {
		return "", err
	}
	return presented.Text(), nil
}

func (h *holding) text() (string, error) {
	t, _, err := h.open()
	if err != nil {
		return "", err
	}
	return t.Text(), nil
}

// lacks returns the approvals that a call needs and does not have.
func (h *holding) lacks(req delegation.Request) (needs []string, request *delegation.ApprovalRequest) {
	t, chain, err := h.open()
	if err != nil {
		return nil, nil // Invoke says so
	}
	checked, err := req.Check()
	if err != nil {
		return nil, nil
	}
	action, err := checked.ActionDigest()
	if err != nil {
		return nil, nil
	}
	var missing []delegation.Approval
	for _, b := range chain.Unapproved(action) {
		if a, ok := b.Caveat.(delegation.Approval); ok {
			missing = append(missing, a)
		}
	}
	if len(missing) == 0 {
		return nil, nil
	}
	if request, err = attenuate.RequestApproval(t, req); err != nil {
		return nil, nil // beyond the token's scope, so that no approval helps
	}
	return toolcall.Needs(missing), request
}
