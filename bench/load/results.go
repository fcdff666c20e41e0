package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/whittle-auth/whittle/bench/measure"
)

// results are what a run found.
type results struct {
	sides   map[string]*side
	total   int     // requests to the Whittle side that were allowed
	untimed int     // of these, those after the turns
	later   []state // of the Whittle side after each of those
}

// A side is what was found about one, turn by turn.
type side struct {
	requests int
	rate     []float64 // requests a second
	cpu      []float64 // microseconds of the server's processor for each request
	each     []time.Duration
	states   []state // after each turn
}

func (s *side) add(t *turn, before, after state) {
	s.requests += t.requests
	s.rate = append(s.rate, float64(t.requests)/t.took.Seconds())
	s.cpu = append(s.cpu, float64((after.CPU-before.CPU).Microseconds())/float64(t.requests))
	s.each = append(s.each, t.each...)
	s.states = append(s.states, after)
}

// seconds is how long the requests of a side took in all.
func (s *side) seconds() float64 {
	n := float64(s.requests) / float64(len(s.rate))
	var sum float64
	for _, rate := range s.rate {
		sum += n / rate
	}
	return sum
}

// ratio compares turn by turn: the sides took them one right after the other.
func ratio(a, b []float64) measure.Quartiles {
	each := make([]float64, len(a))
	for i := range a {
		each[i] = a[i] / b[i]
	}
	return measure.QuartilesOf(each)
}

func spread(q measure.Quartiles, format string) string {
	return fmt.Sprintf(format+" ("+format+" to "+format+")", q.Median, q.Low, q.High)
}

// rows are the figures as a table, its head first.
func (r *results) rows() [][]string {
	w, j := r.sides[whittle], r.sides[jwts]
	row := func(what string, of func(*side) string, compared string) []string {
		return []string{what, of(w), of(j), compared}
	}
	at := func(q float64) func(*side) string {
		return func(s *side) string {
			sorted := slices.Sorted(slices.Values(s.each))
			return sorted[int(q*float64(len(sorted)-1))].Round(time.Microsecond).String()
		}
	}
	memory := func(i int) func(*side) string {
		return func(s *side) string {
			state := s.states[i]
			return fmt.Sprintf("%.1f MB, %.1f MB", float64(state.RSS)/1e6, float64(state.Heap)/1e6)
		}
	}
	return [][]string{
		{"", "Whittle", "JWT EdDSA", "Whittle / JWT"},
		row("requests, all allowed", func(s *side) string { return fmt.Sprint(s.requests) }, ""),
		row("seconds", func(s *side) string { return fmt.Sprintf("%.1f", s.seconds()) }, ""),
		row("requests a second", func(s *side) string { return spread(measure.QuartilesOf(slices.Clone(s.rate)), "%.0f") }, spread(ratio(w.rate, j.rate), "%.3f")),
		row("server's processor for a request, µs", func(s *side) string { return spread(measure.QuartilesOf(slices.Clone(s.cpu)), "%.1f") }, spread(ratio(w.cpu, j.cpu), "%.3f")),
		row("p50", at(0.5), ""),
		row("p99", at(0.99), ""),
		row("memory after the first turn: RSS, heap", memory(0), ""),
		row("in the middle", memory(len(w.states)/2), ""),
		row("at the end", memory(len(w.states)-1), ""),
	}
}

func (r *results) print(out io.Writer) {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range r.rows() {
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	t.Flush()
	fmt.Fprintf(out, "%d requests to the Whittle side in all, none denied\n", r.total)
}

// write writes the report beside the other ones.
func (r *results) write(file string) error {
	var b strings.Builder
	w := r.sides[whittle]
	fmt.Fprintf(&b, "# Under load\n\nMade by `go run ./load`, %s, %s on %d cores. A change to this file is lost with the next run.\n\n",
		time.Now().UTC().Format(time.DateOnly), runtime.Version(), runtime.NumCPU())
	fmt.Fprintf(&b, `One handler of net/http, which answers with eleven bytes, stands behind httpauth.Protect, and behind the verification of a JWT
(golang-jwt, EdDSA, audience, issuer and expiry), which is verified with each request. A third process sends GET requests over %d
connections that are kept open, on the loopback, without TLS. Each of the three runs with GOMAXPROCS=1, so that the server that is
measured has one processor and whoever sends the other. The sides take turns of some seconds, %d each. A request to the Whittle side has an invocation of
its own, for a token that changed hands three times and is known to the server, and the server remembers each that was used
(%d s; room for %d). Invocations are signed before a turn, which does not count. Numbers in brackets are quartiles of the
turns; ratios are of turns that followed each other. The share of the processor is what to trust on a machine that does other work.

`, connections, len(w.rate), int(lifetime.Seconds()), remembered)
	rows := r.rows()
	for i, row := range rows {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			b.WriteString("| --- | --- | --- | --- |\n")
		}
	}
	j := r.sides[jwts]
	throughput, cpu := ratio(w.rate, j.rate).Median, ratio(w.cpu, j.cpu).Median
	goal := "met"
	if throughput < 0.9 {
		goal = "missed"
	}
	fmt.Fprintf(&b, "\nThe goal, at least 90%% of the throughput with the JWT, is %s: %.1f%%. A request takes %.1f%% of the time on the server's processor.\n\n",
		goal, 100*throughput, 100*cpu)
	fmt.Fprintf(&b, "Of %d requests to the Whittle side in all, %d of them after the turns and not timed, none was denied. Before, requests with an\ninvocation for another resource, a stranger's, a held token and an invocation that was used before were, and with a stranger's JWT.\n\n",
		r.total, r.untimed)
	b.WriteString("## Memory\n\nOf the Whittle side's server, after each turn; then after each of the turns that are not timed. Uses are kept until their invocation\nends, so that the first turns add to them and later ones replace them.\n\n| turn | RSS, MB | heap, MB | uses remembered |\n| --- | --- | --- | --- |\n")
	for i, s := range slices.Concat(w.states, r.later) {
		fmt.Fprintf(&b, "| %d | %.1f | %.1f | %d |\n", i+1, float64(s.RSS)/1e6, float64(s.Heap)/1e6, s.Used)
	}
	return os.WriteFile(file, []byte(b.String()), 0o644)
}
