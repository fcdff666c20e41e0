package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/cli/reading"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
)

func diffCommand(env *Env) *cli.Command {
	return &cli.Command{
		Name:      "diff",
		Usage:     "say what token B lost against token A, and by which hop",
		UsageText: "whittle diff [--trust FILE] [--json] A B",
		Flags:     []cli.Flag{trustFlag(), nowFlag(), jsonFlag()},
		Action:    func(c *cli.Context) error { return diff(c, env) },
	}
}

// A difference is all that there is between two tokens.
type difference struct {
	Descends bool       `json:"descends"`
	PartsAt  int        `json:"parts_at"`
	A        comparand  `json:"a"`
	B        comparand  `json:"b"`
	HandedOn []handedOn `json:"handed_on"`
	Changes  []change   `json:"changes"`
}

// A comparand is one of the two, and how much of it is verified.
type comparand struct {
	Form      string `json:"form"`
	Verified  string `json:"verified"`
	Problem   string `json:"problem"`
	Delegator string `json:"delegator"`
	Holder    string `json:"holder"`

	in *inspection
}

type handedOn struct {
	Block  int    `json:"block"`
	By     string `json:"by"`
	Holder string `json:"holder"`
}

// A change is one bound of B against A's. From and FromBlock are A's, To, Block and By
// B's; what one of them does not have is empty, and the block -1.
type change struct {
	Change    string `json:"change"` // narrowed, added, kept, widened, other or dropped
	From      string `json:"from"`
	FromBlock int    `json:"from_block"`
	To        string `json:"to"`
	Block     int    `json:"block"`
	By        string `json:"by"`

	caveat delegation.Caveat // B's, or A's where B has none
}

func diff(c *cli.Context, env *Env) error {
	args, err := arguments(c, "A", "B")
	if err != nil {
		return err
	}
	d := &difference{HandedOn: []handedOn{}, Changes: []change{}}
	for i, side := range []*comparand{&d.A, &d.B} {
		if err := side.read(c, env, args[i]); err != nil {
			return err
		}
	}
	d.compare()
	if c.Bool("json") {
		err = printJSON(env.Stdout, d)
	} else {
		var b strings.Builder
		d.print(&b)
		_, err = io.WriteString(env.Stdout, manyLines(b.String()))
	}
	if err == nil && !d.Descends {
		return &nothingLeft{fmt.Errorf("the second token does not descend from the first: %s", d.parting())}
	}
	return cmp.Or(err, d.A.in.Refused, d.B.in.Refused)
}

// read verifies a token as far as that is possible. One of which nothing verifies is
// not compared.
func (s *comparand) read(c *cli.Context, env *Env, arg string) error {
	u, err := readToken(env, arg, false)
	if err != nil {
		return err
	}
	if s.in, err = examine(c, env, u); err != nil {
		return fmt.Errorf("%s: %w", shown(arg), err)
	}
	if s.in.Chain == nil {
		return fmt.Errorf("%s: %w", shown(arg), cmp.Or(s.in.Refused, s.in.Why))
	}
	s.Form, s.Verified = reading.FormName(s.in.Token, s.in.Chain), string(s.in.Verified)
	s.Delegator, s.Holder = s.in.Chain.Delegator, s.in.Chain.Holder().Holder
	if s.in.Why != nil {
		s.Problem = s.in.Why.Error()
	}
	return nil
}

// compare fills in the difference. Whether B descends from A is a matter of bytes: its
// first blocks are A's, to the signature.
func (d *difference) compare() {
	a, b := d.A.in.Token, d.B.in.Token
	d.PartsAt = commonBlocks(a, b)
	d.Descends = d.PartsAt == len(a.Blocks())
	if d.Descends {
		for _, l := range d.B.in.Chain.Links {
			if l.Block >= d.PartsAt && l.Kind != delegation.LinkNarrow {
				d.HandedOn = append(d.HandedOn, handedOn{l.Block, d.B.in.Chain.Author(l.Block), l.Holder})
			}
		}
	}
	old := slices.Clone(d.A.in.Chain.Scope.Bounds)
	for _, bound := range d.B.in.Chain.Scope.Bounds {
		ch := change{Change: "added", FromBlock: -1, To: bound.Caveat.String(), Block: bound.Block, By: d.B.in.Chain.Author(bound.Block), caveat: bound.Caveat}
		if i := counterpart(bound.Caveat, old); i >= 0 {
			ch.Change = relation(bound.Caveat, old[i].Caveat)
			ch.From, ch.FromBlock = old[i].Caveat.String(), old[i].Block
			old = slices.Delete(old, i, i+1)
		}
		d.Changes = append(d.Changes, ch)
	}
	for _, bound := range old {
		d.Changes = append(d.Changes, change{Change: "dropped", From: bound.Caveat.String(), FromBlock: bound.Block, Block: -1, caveat: bound.Caveat})
	}
}

// commonBlocks returns how many blocks two tokens have in common, from block 0 on.
func commonBlocks(a, b token.Chain) int {
	n := min(len(a.Blocks()), len(b.Blocks()))
	for n > 0 && a.PrefixHash(n) != b.PrefixHash(n) {
		n--
	}
	return n
}

// counterpart finds the bound that a caveat took the place of: the same one, else one
// on the same thing.
func counterpart(c delegation.Caveat, bounds []delegation.Bound) int {
	same := func(b delegation.Bound) bool { return b.Caveat.String() == c.String() }
	if i := slices.IndexFunc(bounds, same); i >= 0 {
		return i
	}
	return slices.IndexFunc(bounds, func(b delegation.Bound) bool {
		return delegation.Compare(c, b.Caveat) != delegation.Incomparable
	})
}

func relation(b, a delegation.Caveat) string {
	switch {
	case a.String() == b.String():
		return "kept"
	case delegation.Compare(b, a) == delegation.Within:
		return "narrowed"
	case delegation.Compare(a, b) == delegation.Within:
		return "widened"
	}
	return "other"
}

// parting says where two tokens part.
func (d *difference) parting() string {
	switch {
	case d.PartsAt == 0:
		return "not even block 0 is the same"
	case d.PartsAt == len(d.B.in.Token.Blocks()):
		return "A descends from B"
	}
	return fmt.Sprintf("they part at block %d", d.PartsAt)
}

func (d *difference) print(w io.Writer) {
	if d.Descends {
		fmt.Fprintln(w, "B descends from A")
	} else {
		fmt.Fprintf(w, "B does not descend from A: %s\n", d.parting())
		fmt.Fprintln(w, "what they allow is compared all the same")
	}
	for i, s := range []*comparand{&d.A, &d.B} {
		fmt.Fprintf(w, "%s:  %s\n    %s\n", "AB"[i:i+1], oneLine(s.who()), s.in.Extent())
		if s.Problem != "" {
			fmt.Fprintf(w, "    %s\n", oneLine(s.Problem))
		}
	}
	if len(d.HandedOn) > 0 {
		fmt.Fprintln(w)
	}
	for _, h := range d.HandedOn {
		fmt.Fprintln(w, oneLine(fmt.Sprintf("handed on to %s by %s  (block %d)", cmp.Or(delegation.PlainName(h.Holder), "anybody"), cmp.Or(delegation.PlainName(h.By), "anybody"), h.Block)))
	}
	headings := []struct{ change, heading string }{
		{"narrowed", "narrowed"}, {"added", "added"}, {"widened", "wider in B"}, {"other", "neither wider nor narrower in B"}, {"dropped", "in A only"}, {"kept", "as before"},
	}
	for _, h := range headings {
		first := true
		for _, ch := range d.of(h.change) {
			if first {
				fmt.Fprintf(w, "\n%s:\n", h.heading)
				first = false
			}
			ch.print(w)
		}
	}
}

// of returns the changes of one kind, with approvals that belong together as one.
func (d *difference) of(kind string) []change {
	var list []change
	for _, ch := range d.Changes {
		if ch.Change == kind {
			list = append(list, ch)
		}
	}
	if kind != "added" && kind != "kept" && kind != "dropped" {
		return list // each with a counterpart of its own
	}
	var folded []change
	for len(list) > 0 {
		first, n := list[0], 0
		var caveats []delegation.Caveat
		for n < len(list) && list[n].Block == first.Block && list[n].FromBlock == first.FromBlock {
			caveats = append(caveats, list[n].caveat)
			n++
		}
		for _, line := range reading.CaveatLines(caveats) {
			first.From, first.To = line, line
			folded = append(folded, first)
		}
		list = list[n:]
	}
	return folded
}

func (ch *change) print(w io.Writer) {
	by := fmt.Sprintf("  (block %d, by %s)", ch.Block, cmp.Or(delegation.PlainName(ch.By), "anybody"))
	switch ch.Change {
	case "added", "kept":
		fmt.Fprintf(w, "  %s\n", oneLine(ch.To+by))
	case "dropped":
		fmt.Fprintf(w, "  %s\n", oneLine(fmt.Sprintf("%s  (block %d)", ch.From, ch.FromBlock)))
	default:
		fmt.Fprintf(w, "  %s\n  -> %s\n", oneLine(ch.From), oneLine(ch.To+by))
	}
}

// who says whose token it is.
func (s *comparand) who() string {
	switch s.Form {
	case "held":
		return delegation.PlainName(s.Delegator) + ", held by " + delegation.PlainName(s.Holder)
	case "presented":
		return delegation.PlainName(s.Delegator) + ", presented by " + delegation.PlainName(s.Holder)
	}
	return delegation.PlainName(s.Delegator) + ", " + s.Form
}
