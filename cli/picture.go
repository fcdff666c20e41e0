package cli

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/verify"
)

func pictureFlags() []cli.Flag {
	return []cli.Flag{
		boolFlag("mermaid", "print a picture as a Mermaid flowchart"),
		boolFlag("dot", "print a picture in Graphviz's DOT"),
	}
}

// A picture is a drawing as a graph: who has the token, and on each arrow what the
// one allows the other.
type picture struct {
	nodes []node
	edges []edge
}

type node struct {
	label   []string
	shape   shape
	refuses bool
}

type shape int

const (
	person shape = iota
	agent
	service
)

type edge struct {
	from, to int
	label    []string
	refuses  bool
	supposed bool
}

// picture lays a drawing out. A block that only narrows is an arrow from its holder
// back to it.
func (d *drawing) picture() *picture {
	p := &picture{nodes: []node{{label: []string{d.delegator}, shape: person}}}
	last := 0
	asked := false
	for i := range d.rows {
		r := &d.rows[i]
		to := last
		switch r.kind {
		case verify.HopNarrow:
		case verify.HopApproval:
			p.nodes = append(p.nodes, node{label: []string{"approver", r.approver}, shape: person})
			p.edges = append(p.edges, edge{from: len(p.nodes) - 1, to: last, label: append([]string{"approves"}, r.label()...), refuses: r.refuses})
			continue
		case verify.HopInvocation:
			asked = true
			to = p.ask(d)
			p.edges = append(p.edges, edge{from: last, to: to, label: append([]string{d.request}, r.wrong()...), refuses: r.refuses})
			continue
		default:
			p.nodes = append(p.nodes, node{label: []string{r.title(d)}, shape: agent})
			to = len(p.nodes) - 1
		}
		p.edges = append(p.edges, edge{from: last, to: to, label: r.label(), refuses: r.refuses})
		last = to
	}
	if d.service != "" && !asked {
		p.edges = append(p.edges, edge{from: last, to: p.ask(d), label: []string{d.request}, supposed: d.supposed})
	}
	return p
}

// ask adds the service, which has its own say.
func (p *picture) ask(d *drawing) int {
	p.nodes = append(p.nodes, node{label: append([]string{d.service}, d.notes...), shape: service, refuses: len(d.notes) > 0})
	return len(p.nodes) - 1
}

// label lists what a block allows and what is wrong.
func (r *row) label() []string {
	label := r.notes
	for _, l := range r.lines {
		text := l.text
		if l.refuses {
			text = refusalMark + text
		}
		label = append(append(label, text), l.notes...)
	}
	return label
}

// wrong lists what is wrong only.
func (r *row) wrong() []string {
	label := r.notes
	for _, l := range r.lines {
		if l.refuses {
			label = append(label, l.notes...)
		}
	}
	return label
}

// mermaid writes a flowchart. What comes from tokens stands in quotes, with each
// character that could mean something to Mermaid, Markdown or HTML as its number.
func (d *drawing) mermaid(w io.Writer) error {
	p := d.picture()
	var b strings.Builder
	b.WriteString("flowchart TD\n")
	brackets := [...][2]string{person: {"([", "])"}, agent: {"[", "]"}, service: {"[(", ")]"}}
	for i, n := range p.nodes {
		fmt.Fprintf(&b, "  n%d%s\"%s\"%s\n", i, brackets[n.shape][0], mermaidText(n.label), brackets[n.shape][1])
		if n.refuses {
			fmt.Fprintf(&b, "  style n%d stroke:#c00,stroke-width:3px\n", i)
		}
	}
	for i, e := range p.edges {
		arrow := "-->"
		if e.supposed {
			arrow = "-.->"
		}
		if label := mermaidText(e.label); label != "" {
			arrow += "|\"" + label + "\"|"
		}
		fmt.Fprintf(&b, "  n%d %s n%d\n", e.from, arrow, e.to)
		if e.refuses {
			fmt.Fprintf(&b, "  linkStyle %d stroke:#c00,color:#c00\n", i)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func mermaidText(lines []string) string {
	escaped := make([]string, len(lines))
	for i, l := range lines {
		var b strings.Builder
		text := []rune(oneLine(l))
		for j, r := range text {
			plain := unicode.IsLetter(r) || unicode.IsNumber(r) || strings.ContainsRune(" ,:/_@=()✗", r)
			// A number and a point, or a dash, would begin a list.
			if (r == '.' || r == '-') && j+1 < len(text) && text[j+1] != ' ' {
				plain = true
			}
			if plain {
				b.WriteRune(r)
			} else {
				fmt.Fprintf(&b, "#%d;", r)
			}
		}
		escaped[i] = b.String()
	}
	return strings.Join(escaped, "<br/>")
}

// dot writes a graph for Graphviz. What comes from tokens stands in quotes, in which
// only backslash and quote mean something to its reader, and & to what it draws.
func (d *drawing) dot(w io.Writer) error {
	p := d.picture()
	var b strings.Builder
	b.WriteString("digraph {\n  node [fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", fontsize=10];\n")
	shapes := [...]string{person: "oval", agent: "box", service: "cylinder"}
	for i, n := range p.nodes {
		style := ""
		if n.refuses {
			style = ", color=red, penwidth=2"
		}
		fmt.Fprintf(&b, "  n%d [label=\"%s\", shape=%s%s];\n", i, dotText(n.label, `\n`), shapes[n.shape], style)
	}
	for _, e := range p.edges {
		style := ""
		if e.refuses {
			style = ", color=red, fontcolor=red, penwidth=2"
		}
		if e.supposed {
			style += ", style=dashed"
		}
		fmt.Fprintf(&b, "  n%d -> n%d [label=\"%s\"%s];\n", e.from, e.to, dotText(e.label, `\l`), style)
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// dotText joins lines; each ends as end says, which also says where it stands.
func dotText(lines []string, end string) string {
	var b strings.Builder
	for i, l := range lines {
		if end == `\l` {
			b.WriteString("  ") // away from the arrow
		}
		b.WriteString(strings.NewReplacer(`\`, `\\`, `"`, `\"`, `&`, `&amp;`).Replace(oneLine(l)))
		if end == `\l` || i < len(lines)-1 {
			b.WriteString(end)
		}
	}
	return b.String()
}
