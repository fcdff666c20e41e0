package report

import (
	"math"
	"os"
	"path/filepath"

	"github.com/whittle-auth/whittle/bench/work"
)

// WriteCharts draws the charts that the report shows into a folder.
func WriteCharts(r *Results, folder string) error {
	charts := map[string]chart{
		"cold.svg": r.chart("Everything about a Biscuit, cold: CPU time, µs", work.Biscuits, work.Cold, "blocks", work.BlockCounts,
			work.Whittle, work.BiscuitRust, work.BiscuitWasm, work.Bare),
		"chain.svg": r.chart("A chain and its invocation, cold: CPU time, µs", work.Delegations, work.ColdChain, "hops", work.HopCounts,
			work.Whittle, work.Tenuo, work.Bare),
		"known.svg": r.chart("A new invocation of a known chain: CPU time, µs", work.Delegations, work.KnownChain, "hops", work.HopCounts,
			work.Whittle, work.WithReplay, work.Bare),
		"policy.svg": r.chart("A policy of 200 rules: CPU time, µs", work.Policies, work.Rules(200), "facts", work.FactCounts,
			work.Whittle, work.BiscuitRust, work.BiscuitWasm, work.Cedar, work.OPA),
		"closure.svg": r.chart("All pairs that a path connects: CPU time, µs", work.Closures, work.Closure, "edges", work.EdgeCounts,
			work.Whittle, work.BiscuitRust, work.BiscuitWasm, work.OPA),
	}
	for _, name := range []string{"policy.svg", "closure.svg"} {
		c := charts[name]
		c.title, c.logarithmic = c.title+", logarithmic", true
		charts[name] = c
	}
	for name, c := range charts {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(c.svg()), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// chart shows the CPU times of the sides. Those that have none at all are left out:
// the table says why.
func (r *Results) chart(title, group, name, sizes string, at []int, sides ...string) chart {
	c := chart{title: title, sizes: sizes, unit: "µs", at: at}
	for i, side := range sides {
		s, any := series{name: side, colour: i}, false
		for _, size := range at {
			f, ok := r.figure(group, name, size, side)
			v := math.NaN()
			if ok {
				v, any = f.CPU.Median/1000, true
			}
			s.values = append(s.values, v)
		}
		if any {
			c.series = append(c.series, s)
		}
	}
	return c
}
