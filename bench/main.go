// Command bench measures Whittle beside its peers, in turns in one run, and writes what
// it found to RESULTS.md and charts. Start it by bench/run, which builds what is missing.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/whittle-auth/whittle/bench/measure"
	"github.com/whittle-auth/whittle/bench/peers"
	"github.com/whittle-auth/whittle/bench/report"
	"github.com/whittle-auth/whittle/bench/work"
)

type flags struct {
	quick, smoke, million, render bool
	folder, only                  string
}

func main() {
	var f flags
	flag.BoolVar(&f.quick, "quick", false, "measure for less than a minute: figures scatter")
	flag.BoolVar(&f.smoke, "smoke", false, "do all the work once, write nothing: does everything run?")
	flag.BoolVar(&f.million, "million", false, "time a million decisions for the latencies instead of 200,000")
	flag.BoolVar(&f.render, "render", false, "measure nothing: write the report again from results.json and NOTES.md")
	flag.StringVar(&f.only, "only", "", "measure the work whose name has this in it, print its ratios and write nothing")
	flag.StringVar(&f.folder, "o", ".", "the folder to write to")
	flag.Parse()
	if err := run(f); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(f flags) error {
	saved := filepath.Join(f.folder, "results.json")
	if f.render {
		r, err := report.Load(saved)
		if err != nil {
			return err
		}
		return write(r, f.folder)
	}
	if f.only != "" {
		return measureOnly(f)
	}
	r, err := measureAll(f)
	if err != nil || f.smoke {
		return err
	}
	if err := r.Save(saved); err != nil {
		return err
	}
	return write(r, f.folder)
}

func write(r *report.Results, folder string) error {
	notes, err := report.ReadNotes("NOTES.md")
	if err != nil {
		return err
	}
	if err := report.WriteCharts(r, folder); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "RESULTS.md"), []byte(report.Markdown(r, notes)), 0o644)
}

// plan says how long to measure.
func (f flags) plan() measure.Plan {
	switch {
	case f.smoke:
		return measure.Plan{Turns: 1, Turn: 0, Most: time.Second}
	case f.quick:
		return measure.Plan{Turns: 7, Turn: 3 * time.Millisecond, Most: 250 * time.Millisecond}
	}
	return measure.Plan{Turns: 60, Turn: 10 * time.Millisecond, Most: 10 * time.Second}
}

// unexpected is the failure of a side, where it is none that belongs to the results: a
// peer that is too slow, and biscuit-wasm's own limits.
func unexpected(figures []measure.Figure) error {
	for _, f := range figures {
		known := strings.Contains(f.Failure, peers.ErrTooSlow.Error()) || strings.Contains(f.Failure, "RunLimit")
		if f.Failure != "" && !known {
			return fmt.Errorf("%s: %s", f.Side, f.Failure)
		}
	}
	return nil
}

// measureOnly is for whoever changes something and wants to see what comes of it.
func measureOnly(f flags) error {
	patience := work.Patience(true)
	env := work.Env{Rust: peers.Rust(".", patience), Wasm: peers.Wasm(".", patience)}
	defer func() { env.Rust.Close(); env.Wasm.Close() }()
	works, err := work.All(env, f.quick)
	if err != nil {
		return err
	}
	for _, w := range works {
		if !strings.Contains(w.Name, f.only) {
			continue
		}
		for _, side := range f.plan().Measure(w.Sides) {
			fmt.Printf("%s, %d: %s: CPU %.2f µs, ratio %.2f; wall %.2f µs, ratio %.2f; %.0f allocations %s\n", w.Name, w.Size, side.Side,
				side.CPU.Median/1000, side.CPURatio.Median, side.Wall.Median/1000, side.WallRatio.Median, side.Allocs, side.Failure)
		}
	}
	return nil
}

func measureAll(f flags) (*report.Results, error) {
	quick := f.quick || f.smoke
	r := &report.Results{Taken: time.Now().UTC(), Quick: quick, Plan: f.plan(), Patience: work.Patience(quick)}
	env := work.Env{Rust: peers.Rust(".", r.Patience), Wasm: peers.Wasm(".", r.Patience)}
	defer func() { env.Rust.Close(); env.Wasm.Close() }()
	r.Machine, r.Versions, r.Missing = describe(env)
	works, err := work.All(env, quick)
	if err != nil {
		return nil, err
	}
	p := newProgress(len(works) + 3)
	defer p.clear()
	for _, w := range works {
		p.step(fmt.Sprintf("%s: %s, %d", w.Group, w.Name, w.Size))
		figures := r.Plan.Measure(w.Sides)
		if figures[0].Failure != "" {
			return nil, fmt.Errorf("%s, %s, %d: %s", w.Group, w.Name, w.Size, figures[0].Failure)
		}
		if f.smoke {
			if err := unexpected(figures); err != nil {
				return nil, fmt.Errorf("%s, %s, %d: %w", w.Group, w.Name, w.Size, err)
			}
		}
		r.Works = append(r.Works, report.Work{Group: w.Group, Name: w.Name, Size: w.Size, Figures: figures})
	}
	p.step("sizes")
	sizes, err := work.Sizes(env)
	p.step("throughput")
	turns, turn, decisions := 5, time.Second, 200_000
	switch {
	case f.million:
		decisions = 1_000_000
	case f.smoke:
		turns, turn, decisions = 1, 10*time.Millisecond, 2000
	case f.quick:
		turns, turn, decisions = 1, 200*time.Millisecond, 20_000
	}
	throughputs, err2 := work.Throughputs(turns, turn)
	p.step("latency")
	latencies, err3 := work.MixedWarm(decisions)
	r.Sizes, r.Throughputs, r.Latencies = sizes, throughputs, latencies
	return r, errors.Join(err, err2, err3)
}
