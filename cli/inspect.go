package cli

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/cli/page"
	"github.com/whittle-auth/whittle/cli/reading"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
)

func inspectCommand(env *Env) *cli.Command {
	return &cli.Command{
		Name:      "inspect",
		Usage:     "show what a token says, and how much of it is verified",
		UsageText: "whittle inspect [--trust FILE] [--directory FILE] [--json|--mermaid|--dot|--html] [-o FILE] TOKEN",
		Flags: append(pictureFlags(), trustFlag(), directoryFlag(), nowFlag(), jsonFlag(),
			boolFlag("html", "print a page that shows it, which needs nothing else"), outFlag()),
		Action: func(c *cli.Context) error { return inspect(c, env) },
	}
}

// An inspection is what could be found out about a token, and what a directory says of
// its holders.
type inspection struct {
	*reading.Reading
	names naming
}

func inspect(c *cli.Context, env *Env) error {
	args, err := arguments(c, "TOKEN")
	if err != nil {
		return err
	}
	if err := atMostOne(c, "json", "mermaid", "dot", "html"); err != nil {
		return err
	}
	if c.String("o") != "" && !c.Bool("html") {
		return usagef("-o goes with --html")
	}
	u, err := readToken(env, args[0], false)
	if err != nil {
		return err
	}
	in, err := examine(c, env, u)
	if err != nil {
		return err
	}
	switch {
	case c.Bool("json"):
		err = printJSON(env.Stdout, in.json())
	case c.Bool("mermaid"), c.Bool("dot"):
		err = in.picture(c, env)
	case c.Bool("html"):
		err = emit(c, env, []byte(page.Report(in.Reading).String()))
	default:
		var b strings.Builder
		in.print(&b)
		_, err = io.WriteString(env.Stdout, manyLines(b.String()))
	}
	return cmp.Or(err, in.Refused)
}

// picture draws the chain, which there has to be.
func (in *inspection) picture(c *cli.Context, env *Env) error {
	if in.Chain == nil {
		return cmp.Or(in.Refused, in.Why, error(usagef("nothing can be drawn of a token that is none of ours")))
	}
	if c.Bool("dot") {
		return drawnChain(in.Chain).dot(env.Stdout)
	}
	return drawnChain(in.Chain).mermaid(env.Stdout)
}

func examine(c *cli.Context, env *Env, u *token.Unverified) (*inspection, error) {
	now, err := clock(c, env)
	if err != nil {
		return nil, err
	}
	names := naming{now: now()}
	if file := c.String("directory"); file != "" {
		if names.directory, err = readDirectory(env, file); err != nil {
			return nil, err
		}
	}
	var roots *trust.Roots
	if file := c.String("trust"); file != "" {
		if roots, err = readTrust(env, file); err != nil {
			return nil, err
		}
	}
	r, err := reading.Read(u, roots, now())
	if err != nil {
		return nil, err
	}
	r.Directory = names.directory
	return &inspection{r, names}, nil
}

func (in *inspection) print(w io.Writer) {
	fmt.Fprintf(w, "form:      %s\n", in.Form())
	fmt.Fprintf(w, "verified:  %s\n", in.Extent())
	if in.Why != nil {
		fmt.Fprintf(w, "           %s\n", oneLine(in.Why.Error()))
	}
	if at, ok := in.Expiry(); ok && !in.Now.Before(at) {
		fmt.Fprintf(w, "expired:   at %s\n", at.Format(time.RFC3339))
	}
	if at, ok := in.Begin(); ok && in.Now.Before(at) {
		fmt.Fprintf(w, "not yet:   valid from %s\n", at.Format(time.RFC3339))
	}
	if in.Chain != nil {
		fmt.Fprintln(w)
		printTree(w, in.Token, in.Chain)
		fmt.Fprintln(w, "\nscope:")
		printScope(w, &in.Chain.Scope)
		printApprovers(w, in.Chain, in.Roots, in.Now)
		in.names.print(w, in.Chain)
	}
	for i, b := range in.Blocks {
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
		for _, line := range reading.CaveatLines(l.Caveats) {
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
	for _, line := range reading.BoundLines(s) {
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
