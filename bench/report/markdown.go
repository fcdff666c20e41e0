package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/whittle-auth/whittle/bench/measure"
	"github.com/whittle-auth/whittle/bench/work"
)

// A group is a table of RESULTS.md: what its sizes count, and what was done.
type group struct {
	name, sizes, about string
	charts             []string // shown above the table
}

var groups = []group{
	{work.Biscuits, "blocks", `A plain Biscuit: three rights and a time check in block 0, a resource and a time check in each further
block; the authorizer states time, resource and operation, and one policy allows by the rights. All implementations of
Biscuit read the same bytes. "Parse" leaves the signatures out, which biscuit-wasm cannot do. The authorizer is prepared
beforehand but for the rows that say so; biscuit-rust compiles it at each decision. biscuit-wasm gives up after a
millisecond by the wall: its times include decisions that were tried again. A macaroon has as many caveats, a secret that every
service shares, and no signature; a JWT has one signature and no blocks.`, []string{"cold.svg"}},
	{work.Delegations, "hops", `A token minted once and handed on, narrowed by the second and the third hop, verified for one request.
Each hop is a signature, and the invocation, or Tenuo's proof of possession, is one more. Cold: the verifier has no memory.
Tenuo decodes a stack of as many warrants of the same content from bytes, without Whittle's names of people and agents,
audience and nonce, and checks it with the proof; Whittle decodes text. Tenuo has no memory and no sessions. A known chain
is one whose signatures this verifier has seen; each request has an invocation of its own.`, []string{"chain.svg", "known.svg"}},
	{work.Making, "blocks", `What holders do: one signature each, and whatever is around it. Macaroons are hashed. Whittle verifies each signature
that a signer returns, and Biscuit makes a key for each block.`, nil},
	{work.Policies, "facts", `Each fact makes a user a member of a group, each rule gives a group a file, and the request is a member's for
the file of its group. Rules and facts are prepared; the request is stated each time. Datalog derives all that follows,
Cedar and Rego only look for what the request needs.`, []string{"policy.svg"}},
	{work.Closures, "edges", `All pairs that a path connects: 5,050 for 100 edges, 45,150 for 300, 500,500 for 1,000. Limits are raised
on all sides but biscuit-wasm's, which keeps to its own. Cedar has no recursion. Rego has none either, but a built-in function that follows a graph.`, []string{"closure.svg"}},
}

// Markdown writes the report.
func Markdown(r *Results, notes Notes) string {
	var b strings.Builder
	b.WriteString("# Results\n\n")
	b.WriteString(preamble)
	fmt.Fprintf(&b, "\nMeasured on %s", r.Taken.Format(time.DateOnly))
	if r.Quick {
		b.WriteString(" by a quick run, whose figures scatter more and whose goals are no verdict")
	}
	fmt.Fprintf(&b, ": %d turns of at least %v of CPU, at most %v by the wall for each side\nof each row.\n\n", r.Plan.Turns, r.Plan.Turn, r.Plan.Most)
	list(&b, "Machine", r.Machine)
	list(&b, "Versions", r.Versions)
	list(&b, "Missing", r.Missing)
	for _, g := range groups {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", g.name, g.about)
		for _, c := range g.charts {
			fmt.Fprintf(&b, "![%s](%s)\n\n", g.name, c)
		}
		table(&b, g, r.Works)
	}
	sizes(&b, r.Sizes)
	throughput(&b, r.Throughputs)
	latency(&b, r.Latencies)
	goals(&b, r, notes)
	return b.String()
}

const preamble = "Written by `bench/run`, which measures all sides in one run, in turns, so that whatever else the machine does falls on\n" +
	`all of them. A time is the median of the turns, with the quartiles in parentheses. **CPU** is what the process that did
the work spent on a processor, all its threads and its garbage collection counted; **wall** is what a clock on the wall
says. A **ratio** is Whittle's CPU time by that of the side in its row: below 1 Whittle is faster. It is the ratio of the
medians, with the quartiles of the ratios of each turn. Trust the ratios, not the microseconds. Allocations
are counted for what is written in Go.
`

func list(b *strings.Builder, title string, items []string) {
	if len(items) == 0 {
		items = []string{"none"}
	}
	fmt.Fprintf(b, "- %s: %s\n", title, strings.Join(items, "; "))
}

func table(b *strings.Builder, g group, works []Work) {
	fmt.Fprintf(b, "| work | %s | side | CPU, µs | wall, µs | ratio | allocations | bytes |\n| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: |\n", g.sizes)
	for _, w := range works {
		if w.Group != g.name {
			continue
		}
		for i, f := range w.Figures {
			name, size := w.Name, fmt.Sprint(w.Size)
			if i > 0 {
				name, size = "", ""
			}
			fmt.Fprintf(b, "| %s | %s | %s |\n", name, size, strings.Join(cells(f, i == 0), " | "))
		}
	}
}

func cells(f measure.Figure, first bool) []string {
	if f.Failure != "" {
		return []string{f.Side, escape(f.Failure), "", "", "", ""}
	}
	row := []string{f.Side, micros(f.CPU), micros(f.Wall), "", "", ""}
	if !first {
		row[3] = ratioText(f.CPURatio)
	}
	if f.Counted {
		row[4], row[5] = fmt.Sprintf("%.0f", f.Allocs), fmt.Sprintf("%.0f", f.Bytes)
	}
	return row
}

// escape keeps a peer's words inside a cell.
func escape(s string) string {
	s = strings.NewReplacer("|", "\\|", "\n", " ", "<", "&lt;").Replace(s)
	if len(s) > 80 {
		s = s[:80] + ".."
	}
	return s
}

func micros(q measure.Quartiles) string {
	return fmt.Sprintf("%s (%s to %s)", number(q.Median/1000), number(q.Low/1000), number(q.High/1000))
}

func ratioText(q measure.Quartiles) string {
	return fmt.Sprintf("%s (%s to %s)", number(q.Median), number(q.Low), number(q.High))
}

// number has about three digits that count.
func number(v float64) string {
	switch {
	case v == 0 || v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 0.1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.2g", v)
}

func sizes(b *strings.Builder, sizes []work.Size) {
	b.WriteString("\n## Sizes\n\nBytes on the wire before any text encoding; a JWT's are text. Tenuo's stack holds the same constraints, without the\nnames of people and agents; its size varies a little with the hashes in it, and this is the median of 51.\n\n")
	b.WriteString("| what | side | bytes |\n| --- | --- | ---: |\n")
	for _, s := range sizes {
		bytes := fmt.Sprint(s.Bytes)
		if s.Missing != "" {
			bytes = escape(s.Missing)
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", s.What, s.Side, bytes)
	}
}

func throughput(b *strings.Builder, all []work.Throughput) {
	b.WriteString("\n## Throughput\n\nAs many goroutines as cores, one verifier for known chains.\n\n| what | cores | a second, by the wall | CPU each, µs |\n| --- | ---: | ---: | ---: |\n")
	for _, t := range all {
		fmt.Fprintf(b, "| %s | %d | %.0f | %s |\n", t.What, t.Cores, t.PerSecond, number(t.CPUEach/1000))
	}
}

func latency(b *strings.Builder, l work.Latencies) {
	fmt.Fprintf(b, "\n## Latency\n\n%d decisions of one verifier, one after another, on chains that it knows: of ten, six are new invocations of chains of\n1, 3, 5 and 10 hops, three are requests on a known connection, and one is denied (%d in all). By the wall, with whatever\nelse the machine did.\n\n", l.Decisions, l.Denied)
	b.WriteString("| p50, µs | p99, µs | p99.9, µs | slowest, µs |\n| ---: | ---: | ---: | ---: |\n|")
	for _, d := range []time.Duration{l.P50, l.P99, l.P999, l.Slowest} {
		fmt.Fprintf(b, " %s |", number(float64(d.Nanoseconds())/1000))
	}
	b.WriteString("\n")
}
