package cli

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
)

func inspectCommand(env *Env) *cli.Command {
	return &cli.Command{
		Name:      "inspect",
		Usage:     "show what a token says, and how much of it is verified",
		UsageText: "whittle inspect [--trust FILE] [--directory FILE] [--json|--mermaid|--dot] TOKEN",
		Flags:     append(pictureFlags(), trustFlag(), directoryFlag(), nowFlag(), jsonFlag()),
		Action:    func(c *cli.Context) error { return inspect(c, env) },
	}
}

// inspection is what could be found out about a token. chain is nil unless the
// signatures verify and the blocks are in the vocabulary; why says why not. A
// plain Biscuit is none of ours and is shown without complaint; refused is why
// a token is not what it pretends to be.
type inspection struct {
	unverified *token.Unverified
	blocks     []token.Block
	verified   string // how far: "root", "chain" or "nothing"
	token      token.Chain
	chain      *delegation.Chain
	roots      *trust.Roots // nil without --trust
	names      naming
	why        error
	refused    error
	now        time.Time
}

func inspect(c *cli.Context, env *Env) error {
	args, err := arguments(c, "TOKEN")
	if err != nil {
		return err
	}
	if err := atMostOne(c, "json", "mermaid", "dot"); err != nil {
		return err
	}
	u, err := readToken(env, args[0], false)
	if err != nil {
		return err
	}
	in, err := examine(c, env, u)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		err = printJSON(env.Stdout, in.json())
	} else if c.Bool("mermaid") || c.Bool("dot") {
		err = in.picture(c, env)
	} else {
		var b strings.Builder
		in.print(&b)
		_, err = io.WriteString(env.Stdout, manyLines(b.String()))
	}
	return cmp.Or(err, in.refused)
}

// picture draws the chain, which there has to be.
func (in *inspection) picture(c *cli.Context, env *Env) error {
	if in.chain == nil {
		return cmp.Or(in.refused, in.why, error(usagef("nothing can be drawn of a token that is none of ours")))
	}
	if c.Bool("dot") {
		return drawnChain(in.chain).dot(env.Stdout)
	}
	return drawnChain(in.chain).mermaid(env.Stdout)
}

func examine(c *cli.Context, env *Env, u *token.Unverified) (*inspection, error) {
	now, err := clock(c, env)
	if err != nil {
		return nil, err
	}
	in := &inspection{unverified: u, verified: "nothing", names: naming{now: now()}, now: now()}
	if file := c.String("directory"); file != "" {
		if in.names.directory, err = readDirectory(env, file); err != nil {
			return nil, err
		}
	}
	unrooted, invalid := u.VerifyUnrooted()
	if in.blocks, err = u.UnverifiedBlocks(); err != nil {
		return nil, cmp.Or(invalid, err)
	}
	if invalid != nil {
		in.why, in.refused = invalid, invalid
		return in, nil
	}
	in.token, in.verified = unrooted, "chain"
	var roots *trust.Roots
	if file := c.String("trust"); file != "" {
		if roots, err = readTrust(env, file); err != nil {
			return nil, err
		}
		in.roots = roots
		t, err := roots.Verify(u, now())
		if err == nil {
			in.token, in.verified = t, "root"
		}
		in.why, in.refused = err, err
	}
	chain, err := delegation.ReadUnregistered(in.token)
	if err != nil {
		in.why = cmp.Or(in.why, err)
		return in, nil
	}
	in.chain = chain
	if in.verified == "root" {
		if err := roots.MaySpeak(in.token.Root(), chain.Delegator, now()); err != nil {
			in.why, in.refused = err, err
		}
	}
	return in, nil
}

func (in *inspection) print(w io.Writer) {
	fmt.Fprintf(w, "form:      %s\n", in.form())
	fmt.Fprintf(w, "verified:  %s\n", in.extent())
	if in.why != nil {
		fmt.Fprintf(w, "           %s\n", oneLine(in.why.Error()))
	}
	if at, ok := in.expiry(); ok && !in.now.Before(at) {
		fmt.Fprintf(w, "expired:   at %s\n", at.Format(time.RFC3339))
	}
	if at, ok := in.begin(); ok && in.now.Before(at) {
		fmt.Fprintf(w, "not yet:   valid from %s\n", at.Format(time.RFC3339))
	}
	if in.chain != nil {
		fmt.Fprintln(w)
		printTree(w, in.token, in.chain)
		fmt.Fprintln(w, "\nscope:")
		printScope(w, &in.chain.Scope)
		printApprovers(w, in.chain, in.roots, in.now)
		in.names.print(w, in.chain)
	}
	for i, b := range in.blocks {
		fmt.Fprintf(w, "\nblock %d, Datalog %s%s:\n", i, release(b.Version), by(b))
		printBlock(w, b)
	}
}

// printBlock shows a block's content. Nothing in it can look like what stands
// around it: every line is indented, and no text of the token spans two.
func printBlock(w io.Writer, b token.Block) {
	if b.Datalog.Context != nil {
		fmt.Fprintf(w, "  // context: %s\n", oneLine(*b.Datalog.Context))
	}
	for line := range strings.Lines(b.Datalog.String()) {
		fmt.Fprintf(w, "  %s\n", oneLine(strings.TrimSuffix(line, "\n")))
	}
	id := hex.EncodeToString(b.Signature)
	if most := 2 * 128; len(id) > most { // longer than any of Biscuit's: ML-DSA
		id = fmt.Sprintf("%s.. of %d bytes, all of which --json shows", id[:64], len(b.Signature))
	}
	fmt.Fprintf(w, "  // revocation id %s\n", id)
}

func (in *inspection) form() string {
	if in.chain == nil {
		return in.unverified.Form().String()
	}
	switch form := formName(in.token, in.chain); form {
	case "held":
		return fmt.Sprintf("held: only %q can go on, with %s", in.chain.Holder().Holder, in.chain.Holder().Key)
	case "presented":
		inv := in.chain.Invocation
		if inv.IsSession() {
			return fmt.Sprintf("presented: as a session with %q on the connection %s, until %s", inv.Audience, inv.Channel, delegation.Expiry{At: inv.Expires}.Time().Format("2006-01-02T15:04:05Z07:00"))
		}
		return fmt.Sprintf("presented: for one request to %q, until %s", inv.Audience, delegation.Expiry{At: inv.Expires}.Time().Format("2006-01-02T15:04:05Z07:00"))
	default:
		return form + ": whoever has it can use it"
	}
}

func (in *inspection) extent() string {
	switch in.verified {
	case "root":
		return "all signatures, from a trusted root key"
	case "chain":
		return "all signatures but the first: who minted the token is a claim"
	}
	return "nothing: the signatures do not verify"
}

// expiry returns when the token's blocks say that it expires, and ok as false where
// they do not.
func (in *inspection) expiry() (at time.Time, ok bool) {
	if in.chain == nil {
		return time.Time{}, false
	}
	c, ok := in.chain.Scope.Expires()
	if inv := in.chain.Invocation; inv != nil && (!ok || inv.Expires < c.At) {
		c, ok = delegation.Expiry{At: inv.Expires}, true
	}
	return c.Time(), ok
}

// begin returns when the token begins to hold, and ok as false where its blocks do not
// say.
func (in *inspection) begin() (at time.Time, ok bool) {
	if in.chain == nil {
		return time.Time{}, false
	}
	c, ok := in.chain.Scope.NotBefore()
	return c.Time(), ok
}

// printTree shows who handed the token to whom.
func printTree(w io.Writer, t token.Chain, chain *delegation.Chain) {
	root := "root key not verified"
	if !t.Root().IsZero() {
		root = t.Root().Brief()
	}
	fmt.Fprintf(w, "%s  %s\n", delegation.PlainName(chain.Delegator), root)
	indent, approvals := "", chain.Approvals
	approvedBefore := func(block int) {
		for len(approvals) > 0 && approvals[0].Block < block {
			fmt.Fprintf(w, "%s│  %s\n", indent, approvedLine(&approvals[0]))
			approvals = approvals[1:]
		}
	}
	for _, l := range chain.Links {
		approvedBefore(l.Block)
		name := delegation.PlainName(l.Holder)
		switch l.Kind {
		case delegation.LinkNarrow:
			name = "(narrows)"
		case delegation.LinkBearer:
			name = "(bearer)"
		}
		fmt.Fprintf(w, "%s└─ %s  %s\n", indent, name, keyOf(&l))
		indent += "   "
		if l.Kind == delegation.LinkMint {
			for _, p := range chain.Facts {
				fmt.Fprintf(w, "%s│  tells %s\n", indent, p)
			}
		}
		for _, line := range caveatLines(l.Caveats) {
			fmt.Fprintf(w, "%s│  %s\n", indent, line)
		}
	}
	approvedBefore(len(t.Blocks()))
	if inv := chain.Invocation; inv != nil && inv.IsSession() {
		fmt.Fprintf(w, "%s└─ opens a session with %s\n", indent, delegation.PlainName(inv.Audience))
	} else if inv != nil {
		fmt.Fprintf(w, "%s└─ invokes one request to %s\n", indent, delegation.PlainName(inv.Audience))
	}
}

func keyOf(l *delegation.Link) string {
	if l.Kind == delegation.LinkNarrow {
		return ""
	}
	return l.Key.String()
}

func printScope(w io.Writer, s *delegation.Scope) {
	for _, line := range boundLines(s) {
		fmt.Fprintf(w, "  %s\n", line)
	}
	if s.Empty {
		fmt.Fprintln(w, "  nothing: two bounds have nothing in common")
	}
}

func by(b token.Block) string {
	if b.External.IsZero() {
		return ""
	}
	return ", signed by " + b.External.String()
}

// release names a language version as the specification does.
func release(version uint32) string { return fmt.Sprintf("3.%d", version-3) }
