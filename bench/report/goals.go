package report

import (
	"fmt"
	"strings"

	"github.com/whittle-auth/whittle/bench/measure"
	"github.com/whittle-auth/whittle/bench/work"
)

// A goal is what Whittle wants to reach, and how to see whether it does.
type goal struct {
	title, want string
	judge       func(*Results) verdict
}

// A verdict is what was found. A figure that is missing is not met.
type verdict struct {
	figure string
	met    bool
}

var goalList = []goal{
	{"Authorize only", "at most 0.25 x biscuit-rust, 1/3/5/10 blocks",
		ratios(work.Biscuits, work.Authorize, work.BlockCounts, work.BiscuitRust, 0.25)},
	{"Parse only", "at most 0.5 x biscuit-rust, 1/3/5/10 blocks",
		ratios(work.Biscuits, work.Parse, work.BlockCounts, work.BiscuitRust, 0.5)},
	{"Parse, verify and authorize, cold", "at most 1.0 x biscuit-rust on one core, 1/3/5/10 blocks",
		ratios(work.Biscuits, work.Cold, work.BlockCounts, work.BiscuitRust, 1)},
	{"Cold on two cores, a stretch", "at most 0.7 x biscuit-rust in wall time, 3/5/10 blocks", pooled},
	{"Chain and invocation, cold", "at most 1.15 x as many bare crypto/ed25519 verifications, 1/3/5/10 hops",
		ratios(work.Delegations, work.ColdChain, work.HopCounts, work.Bare, 1.15)},
	{"Chain and invocation beside Tenuo", "below 1.0 x Tenuo's chain and proof of possession, 1/3/5/10 hops",
		ratios(work.Delegations, work.ColdChain, work.HopCounts, work.Tenuo, 1)},
	{"Known chain, new invocation", "at most 4 µs more than one bare verification, 1/3/5/10 hops", knownChain},
	{"Known chain, a stretch", "at most 0.6 x one bare verification, 1/3/5/10 hops",
		ratios(work.Delegations, work.KnownChain, work.HopCounts, work.Bare, 0.6)},
	{"Session on a known connection", "at most 3 µs and 10 allocations, 1/3/5/10 hops", session},
	{"Policy text to compiled policy", "at most 1.0 x biscuit-rust",
		ratios(work.Biscuits, work.Policy, []int{1}, work.BiscuitRust, 1)},
	{"1,000 facts with 200 rules", "at most 0.1 x biscuit-rust",
		ratios(work.Policies, work.Rules(200), []int{1000}, work.BiscuitRust, 0.1)},
	{"Closure of 300 edges", "at most 0.1 x biscuit-rust",
		ratios(work.Closures, work.Closure, []int{300}, work.BiscuitRust, 0.1)},
	{"Growth of the closure", "from 100 to 300 and 1,000 edges by no more than the pairs, 8.9 x and 99 x", growth},
	{"Bytes of a held chain of three blocks", "at most 0.95 x Tenuo's three warrants", bytesOfChain},
}

// ratios wants CPU times of at most limit times those of another side, at all sizes. A
// side that had no answer in time counts with the time that it was given.
func ratios(group, name string, sizes []int, against string, limit float64) func(*Results) verdict {
	return compared(group, name, work.Whittle, sizes, against, limit, func(f measure.Figure) measure.Quartiles { return f.CPURatio })
}

func compared(group, name, side string, sizes []int, against string, limit float64, of func(measure.Figure) measure.Quartiles) func(*Results) verdict {
	return func(r *Results) verdict {
		v := verdict{met: true}
		var each []string
		for _, size := range sizes {
			ours, measured := r.figure(group, name, size, side)
			theirs, ok := r.figure(group, name, size, against)
			switch {
			case measured && ok:
				q := of(theirs)
				each, v.met = append(each, number(q.Median)), v.met && q.Median <= limit
			case measured && strings.Contains(theirs.Failure, "no answer in time"):
				bound := ours.CPU.Median / float64(r.Patience.Nanoseconds())
				each, v.met = append(each, "below "+number(bound)), v.met && bound <= limit
			default:
				each, v.met = append(each, "not measured"), false
			}
		}
		v.figure = strings.Join(each, " / ")
		return v
	}
}

// pooled compares the side that checks signatures on two cores, by the wall.
func pooled(r *Results) verdict {
	v := verdict{met: true}
	var each []string
	for _, blocks := range work.BlockCounts[1:] {
		ours, ok := r.figure(work.Biscuits, work.Cold, blocks, work.Pooled)
		theirs, beside := r.figure(work.Biscuits, work.Cold, blocks, work.BiscuitRust)
		if !ok || !beside {
			return verdict{figure: "not measured: nothing checks a plain Biscuit's signatures on two cores"}
		}
		q := ours.Wall.Median / theirs.Wall.Median
		each, v.met = append(each, number(q)), v.met && q <= 0.7
	}
	v.figure = strings.Join(each, " / ")
	return v
}

// each judges every size of a work of delegations by Whittle's figure and the bare
// verification beside it.
func each(name string, judge func(ours, bare measure.Figure) (text string, met bool)) func(*Results) verdict {
	return func(r *Results) verdict {
		v := verdict{met: true}
		var texts []string
		for _, hops := range work.HopCounts {
			ours, measured := r.figure(work.Delegations, name, hops, work.Whittle)
			bare, ok := r.figure(work.Delegations, name, hops, work.Bare)
			if !measured || !ok {
				return verdict{figure: "not measured"}
			}
			text, met := judge(ours, bare)
			texts, v.met = append(texts, text), v.met && met
		}
		v.figure = strings.Join(texts, " / ")
		return v
	}
}

var knownChain = each(work.KnownChain, func(ours, bare measure.Figure) (string, bool) {
	more := (ours.CPU.Median - bare.CPU.Median) / 1000
	return fmt.Sprintf("%+.1f µs", more), more <= 4
})

var session = each(work.Session, func(ours, _ measure.Figure) (string, bool) {
	micros := ours.CPU.Median / 1000
	return fmt.Sprintf("%s µs, %.0f", number(micros), ours.Allocs), micros <= 3 && ours.Allocs <= 10
})

func growth(r *Results) verdict {
	v := verdict{met: true}
	pairs := func(edges int) float64 { return float64(edges) * float64(edges+1) / 2 }
	first, ok := r.figure(work.Closures, work.Closure, work.EdgeCounts[0], work.Whittle)
	if !ok {
		return verdict{figure: "not measured"}
	}
	var each []string
	for _, edges := range work.EdgeCounts[1:] {
		f, ok := r.figure(work.Closures, work.Closure, edges, work.Whittle)
		if !ok {
			return verdict{figure: "not measured"}
		}
		by := f.CPU.Median / first.CPU.Median
		each = append(each, number(by)+" x")
		v.met = v.met && by <= pairs(edges)/pairs(work.EdgeCounts[0])
	}
	v.figure = strings.Join(each, " / ")
	return v
}

func bytesOfChain(r *Results) verdict {
	ours, measured := r.size(work.HeldChain(3), work.Whittle)
	theirs, ok := r.size(work.HeldChain(3), work.Tenuo)
	if !measured || !ok {
		return verdict{figure: "not measured"}
	}
	q := float64(ours) / float64(theirs)
	return verdict{fmt.Sprintf("%d / %d = %.2f", ours, theirs, q), q <= 0.95}
}

// goals ends the report: a row for each goal, and a paragraph for each that is not met.
func goals(b *strings.Builder, r *Results, notes Notes) {
	b.WriteString("\n## Goals\n\nRatios are of CPU time unless the goal says otherwise. Where several figures stand they are for the sizes of the goal, in\norder.\n\n| | goal | figure | |\n| --- | --- | --- | --- |\n")
	var missed []goal
	for _, g := range goalList {
		v, says := g.judge(r), "met"
		if !v.met {
			says = "**not met**"
			missed = append(missed, g)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", g.title, g.want, v.figure, says)
	}
	for _, g := range missed {
		fmt.Fprintf(b, "\n### Not met: %s\n\n%s\n", g.title, notes.text(g.title))
	}
}

func (n Notes) text(title string) string {
	if n[title] == "" {
		return "Nothing is noted about it yet in NOTES.md."
	}
	return n[title]
}
