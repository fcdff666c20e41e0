package cli

import (
	"fmt"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify/revoke"
)

// hops is a token whose parts can be revoked.
type hops struct {
	token  token.Chain
	chain  *delegation.Chain
	rooted bool // a trusted root signed block 0
}

// openHops reads the token and verifies it: a forged one would have an innocent
// key revoked.
func openHops(c *cli.Context, env *Env, now time.Time) (*hops, error) {
	args, err := arguments(c, "TOKEN")
	if err != nil {
		return nil, err
	}
	u, err := readToken(env, args[0], false)
	if err != nil {
		return nil, err
	}
	h := &hops{}
	if file := c.String("trust"); file != "" {
		roots, err := readTrust(env, file)
		if err != nil {
			return nil, err
		}
		t, err := roots.Verify(u, now)
		if err != nil {
			return nil, err
		}
		h.token, h.rooted = t, true
		if h.chain, err = delegation.ReadUnregistered(t); err != nil {
			return nil, err
		}
		return h, roots.MaySpeak(t.Root(), h.chain.Delegator, now)
	}
	t, err := u.VerifyUnrooted()
	if err != nil {
		return nil, err
	}
	hint(env.Stderr, "without --trust nothing shows who minted the token, nor that block 0 names the right keys: all of the chain but its first signature was verified")
	h.token = t
	h.chain, err = delegation.ReadUnregistered(t)
	return h, err
}

// showChoices shows what of a token can be revoked, and what that would do.
func showChoices(c *cli.Context, env *Env, now time.Time) error {
	h, err := openHops(c, env, now)
	if err != nil {
		return err
	}
	var offered []revocation
	for n := range h.token.Blocks() {
		for _, kind := range []string{"block", "holder"} {
			if kind == "holder" && !h.changesHands(n) {
				continue
			}
			r, err := h.choose(kind, strconv.Itoa(n))
			if err != nil {
				return err
			}
			r.What = fmt.Sprintf("--%s %d: %s", kind, n, r.What)
			offered = append(offered, r)
		}
	}
	d := ofDelegator(h.chain.Delegator)
	d.What = "--delegator " + delegation.PlainName(h.chain.Delegator) + ": " + d.What
	offered = append(offered, d)
	for i := range offered {
		offered[i].listed(nil)
	}
	if c.Bool("json") {
		return printJSON(env.Stdout, struct {
			Choices []revocation `json:"choices"`
		}{offered})
	}
	for i := range offered {
		offered[i].print(env.Stdout, "")
	}
	return nil
}

// link returns the link of a block, nil for an approval and for the invocation.
func (h *hops) link(n int) *delegation.Link {
	for i := range h.chain.Links {
		if h.chain.Links[i].Block == n {
			return &h.chain.Links[i]
		}
	}
	return nil
}

func (h *hops) changesHands(n int) bool {
	l := h.link(n)
	return l != nil && l.Kind != delegation.LinkNarrow
}

// giver returns the block that gave its signer to block n: the last before it that
// changed hands. It is -1 for block 0, which the root signed.
func (h *hops) giver(n int) int {
	for n--; n >= 0 && !h.changesHands(n); n-- {
	}
	return n
}

// signer names who signed block n.
func (h *hops) signer(n int) string { return nameOrAnybody(h.chain.Author(n)) }

// holder names who holds the token after block n.
func (h *hops) holder(n int) string {
	if l := h.link(n); l != nil {
		return nameOrAnybody(l.Holder)
	}
	return nameOrAnybody("")
}

func nameOrAnybody(name string) string {
	if name == "" {
		return "whoever has the bytes"
	}
	return delegation.PlainName(name)
}

// parent says how to stop whoever signed block n.
func (h *hops) parent(n int) []string {
	g := h.giver(n)
	if g < 0 {
		more := []string{"--delegator " + delegation.PlainName(h.chain.Delegator)}
		if root := h.token.Root(); !root.IsZero() {
			more = append(more, "--key "+root.String())
		}
		return more
	}
	return []string{
		fmt.Sprintf("--block %d (all that %s has under this delegation)", g, h.holder(g)),
		fmt.Sprintf("--holder %d (the key of %s, in every token)", g, h.holder(g)),
	}
}

// choose says what revoking a hop means.
func (h *hops) choose(kind, text string) (revocation, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n >= uint64(len(h.token.Blocks())) {
		return revocation{}, usagef("--%s %s: the token has the blocks 0 to %d", kind, text, len(h.token.Blocks())-1)
	}
	if kind == "block" {
		return h.block(int(n)), nil
	}
	if !h.changesHands(int(n)) {
		return revocation{}, usagef("--%s %s: block %s names no new holder; --block revokes it", kind, text, text)
	}
	return h.handed(int(n), kind == "subtree"), nil
}

// block revokes one block, and so every token that contains it.
func (h *hops) block(n int) revocation {
	b := &h.token.Blocks()[n]
	r := revocation{revocation: []revoke.Entry{{Kind: revoke.Block, Signature: b.Signature, Until: h.until(n)}}}
	signer := h.signer(n)
	switch l := h.link(n); {
	case h.chain.Invocation != nil && h.chain.Invocation.Block == n:
		r.What = fmt.Sprintf("block %d, the invocation by %s", n, signer)
		r.Stops = "this one invocation"
		r.DoesNot = signer + ", who can invoke the token again"
	case l == nil:
		r.What = fmt.Sprintf("block %d, an approval with the key %s", n, b.External)
		// The holder can attach the approval again, with another signature of its own.
		r.revocation[0].Signature = b.ExternalSignature
		r.Stops = "every token that contains this approval"
		r.DoesNot = "the approver, who can approve again"
		r.StopsMore = []string{"--key " + b.External.String()}
		return r
	case l.Kind == delegation.LinkNarrow:
		r.What = fmt.Sprintf("block %d, in which %s narrowed the token", n, signer)
		r.Stops = "every token that was narrowed by this block, and all that was handed on from there"
		r.DoesNot = signer + ", who has the token without this block too"
	default:
		r.What = fmt.Sprintf("block %d, from %s to %s", n, signer, h.holder(n))
		r.Stops = "every token that contains this block: all that " + h.holder(n) + " has by it and hands on"
		r.DoesNot = signer + ", who can sign another block, for the same key or a new one"
	}
	r.StopsMore = h.parent(n)
	return r
}

// handed revokes the key that a block names, and with it the block if it is to be the
// whole subtree.
func (h *hops) handed(n int, subtree bool) revocation {
	key := h.token.Blocks()[n].Next
	r := revocation{
		What:       fmt.Sprintf("the key of %s, %s", h.holder(n), key),
		Stops:      "every token in which " + h.holder(n) + " with this key is a holder, the root or an approver, under this delegation and any other",
		DoesNot:    h.signer(n) + ", who can hand on to a new key",
		StopsMore:  h.parent(n),
		revocation: []revoke.Entry{{Kind: revoke.Key, Key: key}},
	}
	if subtree {
		b := h.block(n)
		r.What = b.What + ", and the key that it names"
		r.Stops = b.Stops + "; and " + r.Stops
		r.revocation = append(b.revocation, r.revocation...)
	}
	return r
}

// until returns when no token with block n is accepted any more, so that the entry
// can end: the earliest expiry up to there. It is unknown unless a trusted root signed
// what block 0 says.
func (h *hops) until(n int) time.Time {
	if !h.rooted {
		return time.Time{}
	}
	if inv := h.chain.Invocation; inv != nil && inv.Block == n {
		return delegation.Expiry{At: inv.Expires}.Time()
	}
	for _, a := range h.chain.Approvals {
		if a.Block == n {
			return delegation.Expiry{At: a.Expires}.Time()
		}
	}
	var scope delegation.Scope
	for _, l := range h.chain.Links {
		for _, cv := range l.Caveats {
			if e, ok := cv.(delegation.Expiry); ok && l.Block <= n {
				scope.Narrow(e, l.Block)
			}
		}
	}
	at, ok := scope.Expires()
	if !ok {
		return time.Time{}
	}
	return at.Time()
}
