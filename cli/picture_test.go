package cli

import (
	"bytes"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/verify"
)

// hostile names try to end a label, to begin something new, and to mean something to
// whoever draws it.
var hostile = []string{
	`a"]; evil["x`, `"`, `\`, `\"`, `a\`, `]`, `)`, `%%`, `%%{init: {"theme":"dark"}}%%`, "a\nevil --> b", "a\r\nb",
	`<script>alert(1)</script>`, `<br/>`, `&lt;`, `&#34;`, `#quot;`, `#34;`, "`x`", `"` + "`**b**`" + `"`, `|`, `--> n0`, `end`,
	`1. list`, `- list`, `subgraph x`, `click n0 "http://example.com"`, `\N`, `\G`, `}`, `digraph { a -> b }`, `// c`, `/* c */`, `;`,
	"\u202eevil", "\u2028", "\x00", "\xff", `漢字`, `{{x}}`, `$$x$$`, `:::cls`, `@{ shape: x }`,
}

func hostileDrawing(name string) *drawing {
	return &drawing{
		delegator: name, service: name, request: name, notes: []string{name}, supposed: true,
		rows: []row{
			{kind: verify.HopMint, holder: name, lines: []rowLine{{text: name, refuses: true, notes: []string{name}}}, refuses: true},
			{kind: verify.HopNarrow, lines: []rowLine{{text: name}}},
			{kind: verify.HopApproval, approver: name, notes: []string{name}, refuses: true},
			{kind: verify.HopHandoff, holder: name},
		},
	}
}

// TestPicturesHoldHostileText: whatever a token says, each line of a picture is one of
// the few that we write, with nothing in its label that could end it.
func TestPicturesHoldHostileText(t *testing.T) {
	const text = `[^"\x60<>\[\]{}|;\\#%&*]|#[0-9]+;|<br/>`
	mermaidLine := regexp.MustCompile(`^(flowchart TD|  n\d+(\(\[|\[|\[\()"(?:` + text + `)*"(\]\)|\]|\)\])|  style n\d+ stroke:#c00,stroke-width:3px|  linkStyle \d+ stroke:#c00,color:#c00|  n\d+ (-->|-\.->)(\|"(?:` + text + `)*"\|)? n\d+)$`)
	const quoted = `"(?:[^"\\&]|\\["\\nl]|&amp;)*"`
	dotLine := regexp.MustCompile(`^(digraph \{|\}|  (node|edge) \[fontname="sans-serif"(, fontsize=10)?\];|  n\d+ \[label=` + quoted + `, shape=[a-z]+(, color=red, penwidth=2)?\];|  n\d+ -> n\d+ \[label=` + quoted + `(, color=red, fontcolor=red, penwidth=2)?(, style=dashed)?\];)$`)
	var counts [2]int
	for _, name := range append(hostile, "plain") {
		d := hostileDrawing(name)
		for i, draw := range []func() (string, *regexp.Regexp){
			func() (string, *regexp.Regexp) { var b bytes.Buffer; _ = d.mermaid(&b); return b.String(), mermaidLine },
			func() (string, *regexp.Regexp) { var b bytes.Buffer; _ = d.dot(&b); return b.String(), dotLine },
		} {
			out, line := draw()
			lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
			for _, l := range lines {
				if !line.MatchString(l) {
					t.Errorf("%q: the line %q is none of ours", name, l)
				}
			}
			if counts[i] == 0 {
				counts[i] = len(lines)
			}
			if len(lines) != counts[i] || strings.ContainsAny(out, "\x00\r\u202e\u2028") {
				t.Errorf("%q: %d lines, not %d, or hidden characters: %q", name, len(lines), counts[i], out)
			}
		}
	}
}

// TestGraphvizReadsPictures has Graphviz itself say what it read.
func TestGraphvizReadsPictures(t *testing.T) {
	dot, err := exec.LookPath("dot")
	if err != nil {
		t.Skip("Graphviz's dot is not installed (Debian: graphviz)")
	}
	for _, name := range append(hostile, "plain") {
		var b bytes.Buffer
		if err := hostileDrawing(name).dot(&b); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(dot, "-Tplain")
		cmd.Stdin = &b
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		nodes := strings.Count("\n"+string(out), "\nnode ")
		edges := strings.Count("\n"+string(out), "\nedge ")
		if nodes != 5 || edges != 5 {
			t.Errorf("%q: Graphviz reads %d nodes and %d edges, not 5 and 5:\n%s", name, nodes, edges, out)
		}
	}
}
