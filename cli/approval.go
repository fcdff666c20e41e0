package cli

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
)

func approvalFlag() cli.Flag {
	return listFlag("approval", "demand that each action be approved: `N of KEY,KEY..`, or KEY; a KEY is a file or text (repeatable)")
}

func approverInChainFlag() cli.Flag {
	return boolFlag("allow-approver-in-chain", "let the root and the holders of the token approve")
}

// approvalCaveats reads --approval. Keys end at commas: one in a file whose name
// has a comma is given as text.
func approvalCaveats(c *cli.Context, env *Env) ([]delegation.Caveat, error) {
	var caveats []delegation.Caveat
	for _, value := range values(c, "approval") {
		need, names := 1, value
		if n, list, ok := strings.Cut(value, " of "); ok {
			var err error
			if need, err = strconv.Atoi(trim(n)); err != nil {
				return nil, usagef("--approval %s is not of the form N of KEY,KEY..", quoted(value))
			}
			names = list
		}
		var keys []token.PublicKey
		for name := range strings.SplitSeq(names, ",") {
			if trim(name) == "" {
				return nil, usagef("--approval %s: a key is missing", quoted(value))
			}
			k, err := readPublicKey(env, trim(name))
			if err != nil {
				return nil, err
			}
			keys = append(keys, k)
		}
		demanded, err := delegation.Approvals(need, keys...)
		if err != nil {
			return nil, usagef("--approval: %s", err)
		}
		caveats = append(caveats, demanded...)
	}
	return caveats, nil
}

// warnOfToken says at once which approvals verifiers will refuse, and whether the
// token holds at all.
func warnOfToken(env *Env, t token.Chain, now time.Time) error {
	chain, err := delegation.ReadUnregistered(t)
	if err != nil {
		return err
	}
	hintHolding(env, &chain.Scope, now)
	for _, k := range approverKeys(&chain.Scope) {
		if chain.HasPart(k) {
			hint(env.Stderr, "%s is the root or a holder in this chain: verifiers refuse its approval unless they are told otherwise", k)
		}
	}
	return nil
}

// approverKeys returns the keys that a scope names as approvers, each once.
func approverKeys(s *delegation.Scope) []token.PublicKey {
	var keys []token.PublicKey
	for _, b := range s.Bounds {
		if a, ok := b.Caveat.(delegation.Approval); ok {
			for _, k := range a.Keys {
				if !slices.Contains(keys, k) {
					keys = append(keys, k)
				}
			}
		}
	}
	return keys
}

// approvedLine shows an approval in the tree of a chain.
func approvedLine(a *delegation.Approved) string {
	return fmt.Sprintf("approved by %s until %s: action %x", a.By, delegation.Expiry{At: a.Expires}.Time().Format(time.RFC3339), a.Action)
}

// printApprovers lists the approvers that a chain names or has, with what the trust
// file calls them.
func printApprovers(w io.Writer, chain *delegation.Chain, roots *trust.Roots, now time.Time) {
	keys := approverKeys(&chain.Scope)
	for _, a := range chain.Approvals {
		if !slices.Contains(keys, a.By) {
			keys = append(keys, a.By)
		}
	}
	if len(keys) == 0 {
		return
	}
	fmt.Fprintln(w, "\napprovers:")
	for _, k := range keys {
		fmt.Fprintf(w, "  %s%s\n", k, nameOf(roots, k, now))
	}
}

// nameOf is what the trust file calls the owner of a key, which is that file's
// claim.
func nameOf(roots *trust.Roots, k token.PublicKey, now time.Time) string {
	names := roots.Names(k, now)
	if len(names) == 0 {
		return ""
	}
	for i, name := range names {
		names[i] = delegation.PlainName(name)
	}
	return "  " + strings.Join(names, ", ") + ", as the trust file says"
}
