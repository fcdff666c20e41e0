package report

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/bench/measure"
	"github.com/whittle-auth/whittle/bench/work"
)

func took(side string, micros, ratio float64) measure.Figure {
	q := func(v float64) measure.Quartiles { return measure.Quartiles{Low: v, Median: v, High: v} }
	return measure.Figure{Side: side, CPU: q(micros * 1000), Wall: q(micros * 1000), CPURatio: q(ratio), WallRatio: q(ratio), Turns: 1}
}

func results(works ...Work) *Results {
	return &Results{Patience: time.Minute, Works: works}
}

func judge(t *testing.T, title string, r *Results) verdict {
	t.Helper()
	for _, g := range goalList {
		if g.title == title {
			return g.judge(r)
		}
	}
	t.Fatalf("no goal %q", title)
	return verdict{}
}

func TestVerdicts(t *testing.T) {
	authorize := func(ratio float64) (works []Work) {
		for _, n := range work.BlockCounts {
			works = append(works, Work{work.Biscuits, work.Authorize, n, []measure.Figure{took(work.Whittle, 1, 1), took(work.BiscuitRust, 4, ratio)}})
		}
		return works
	}
	closure := func(failure string) Work {
		return Work{work.Closures, work.Closure, 300, []measure.Figure{took(work.Whittle, 600_000, 1), {Side: work.BiscuitRust, Failure: failure}}}
	}
	grown := func(last float64) []Work {
		return []Work{
			{work.Closures, work.Closure, 100, []measure.Figure{took(work.Whittle, 10, 1)}},
			{work.Closures, work.Closure, 300, []measure.Figure{took(work.Whittle, 80, 1)}},
			{work.Closures, work.Closure, 1000, []measure.Figure{took(work.Whittle, last, 1)}},
		}
	}
	for _, c := range []struct {
		name, title string
		results     *Results
		want        verdict
	}{
		{"reached", "Authorize only", results(authorize(0.25)...), verdict{"0.25 / 0.25 / 0.25 / 0.25", true}},
		{"missed", "Authorize only", results(authorize(0.26)...), verdict{"0.26 / 0.26 / 0.26 / 0.26", false}},
		{"a size is missing", "Authorize only", results(authorize(0.2)[:3]...), verdict{"0.20 / 0.20 / 0.20 / not measured", false}},
		{"the peer was too slow", "Closure of 300 edges", results(closure("no answer in time: more than 1m0s")), verdict{"below 0.01", true}},
		{"the peer failed", "Closure of 300 edges", results(closure("not built")), verdict{"not measured", false}},
		{"grows as the pairs do", "Growth of the closure", results(grown(990)...), verdict{"8.00 x / 99.0 x", true}},
		{"grows faster", "Growth of the closure", results(grown(1000)...), verdict{"8.00 x / 100 x", false}},
	} {
		if got := judge(t, c.title, c.results); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestSizesAreCompared(t *testing.T) {
	r := results()
	r.Sizes = []work.Size{{What: work.HeldChain(3), Side: work.Whittle, Bytes: 95}, {What: work.HeldChain(3), Side: work.Tenuo, Bytes: 100}}
	if got := judge(t, "Bytes of a held chain of three blocks", r); !got.met || got.figure != "95 / 100 = 0.95" {
		t.Errorf("%+v", got)
	}
	r.Sizes[1].Missing = "not built"
	if got := judge(t, "Bytes of a held chain of three blocks", r); got.met {
		t.Errorf("without a peer: %+v", got)
	}
}

// Each goal has its section in NOTES.md, and no section is without a goal.
func TestNotesNameTheGoals(t *testing.T) {
	notes, err := ReadNotes("../NOTES.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range goalList {
		if _, ok := notes[g.title]; !ok {
			t.Errorf("NOTES.md has no section %q", g.title)
		}
	}
	if len(notes) != len(goalList) {
		t.Errorf("%d sections for %d goals", len(notes), len(goalList))
	}
}

func TestWhatIsMissingIsShown(t *testing.T) {
	r := results(Work{work.Biscuits, work.Parse, 1, []measure.Figure{took(work.Whittle, 1, 1), {Side: work.BiscuitRust, Failure: "not built"}}})
	r.Missing = []string{"biscuit-auth: not built"}
	text := Markdown(r, Notes{"Parse only": "Because of the weather."})
	for _, want := range []string{"- Missing: biscuit-auth: not built", "| biscuit-rust | not built |", "### Not met: Parse only\n\nBecause of the weather."} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
}

func TestChartsAreXML(t *testing.T) {
	r := results(Work{work.Biscuits, work.Cold, 1, []measure.Figure{took(work.Whittle, 50, 1), took(work.BiscuitRust, 60, 0.8)}})
	c := r.chart("cold", work.Biscuits, work.Cold, "blocks", work.BlockCounts, work.Whittle, work.BiscuitRust, work.BiscuitWasm)
	svg := c.svg()
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") || strings.Contains(svg, work.BiscuitWasm) {
		t.Errorf("figures that nobody measured are drawn:\n%s", svg)
	}
}
