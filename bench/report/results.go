// Package report turns what was measured into RESULTS.md and its charts.
package report

import (
	"encoding/json"
	"os"
	"time"

	"github.com/whittle-auth/whittle/bench/measure"
	"github.com/whittle-auth/whittle/bench/work"
)

// Results are everything that one run found out.
type Results struct {
	Taken    time.Time
	Machine  []string // what it ran on
	Versions []string // of everything that was measured
	Missing  []string // peers that could not be asked, with the reason
	Quick    bool
	Plan     measure.Plan
	Patience time.Duration

	Works       []Work
	Sizes       []work.Size
	Throughputs []work.Throughput
	Latencies   work.Latencies
}

// A Work is what all sides took for one thing.
type Work struct {
	Group, Name string
	Size        int
	Figures     []measure.Figure
}

// figure finds what one side took; ok is false where it failed or was not there.
func (r *Results) figure(group, name string, size int, side string) (f measure.Figure, ok bool) {
	for _, w := range r.Works {
		if w.Group != group || w.Name != name || w.Size != size {
			continue
		}
		for _, f := range w.Figures {
			if f.Side == side {
				return f, f.Failure == ""
			}
		}
	}
	return measure.Figure{}, false
}

// size finds how many bytes something takes on one side.
func (r *Results) size(what, side string) (bytes int, ok bool) {
	for _, s := range r.Sizes {
		if s.What == what && s.Side == side {
			return s.Bytes, s.Missing == ""
		}
	}
	return 0, false
}

// Save keeps the results, so that the report can be written again when its notes change.
func (r *Results) Save(path string) error {
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

// Load reads what Save wrote.
func Load(path string) (*Results, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := new(Results)
	return r, json.Unmarshal(data, r)
}
