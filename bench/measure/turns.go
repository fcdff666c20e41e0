package measure

import (
	"fmt"
	"slices"
	"time"
)

// A Side is one implementation's way to do some work.
type Side struct {
	Name string
	// Prepare brings the side into the state that the work needs; nil where there
	// is nothing to do.
	Prepare func() error
	Run     Run
	// Once does the work once in this process, to count its allocations; nil where
	// they are not counted.
	Once func() error
}

// InProcess is a side that is a function of this process.
func InProcess(name string, work func() error) Side {
	return Side{Name: name, Run: Loop(work), Once: work}
}

// A Figure is what one side's work takes, in nanoseconds.
type Figure struct {
	Side      string
	Wall, CPU Quartiles
	// WallRatio and CPURatio are those of the first side to this one: of the
	// medians, between the quartiles of the ratios of each turn.
	WallRatio, CPURatio Quartiles
	Turns               int

	// Counted says that Allocs and Bytes, which one run allocates, are known.
	Counted       bool
	Allocs, Bytes float64

	// Failure says why there are no figures; empty where there are.
	Failure string
}

// A Plan says how long to measure.
type Plan struct {
	Turns int           // that each side takes
	Turn  time.Duration // how much processor time a turn takes at least
	Most  time.Duration // what all turns of one side may take by the wall, when runs are slow
}

// Measure lets the sides take turns. A side that fails is left out of the turns and
// says so in its figure.
func (p Plan) Measure(sides []Side) []Figure {
	entrants := make([]*entrant, len(sides))
	for i, s := range sides {
		entrants[i] = &entrant{Side: s}
		if err := entrants[i].calibrate(p.Turn); err != nil {
			entrants[i].err = err
		}
	}
	for range p.Turns {
		for _, e := range entrants {
			if e.err == nil && !e.spent(p.Most) {
				e.err = e.turn()
			}
		}
	}
	figures := make([]Figure, len(entrants))
	for i, e := range entrants {
		figures[i] = e.figure(entrants[0])
	}
	return figures
}

type entrant struct {
	Side
	times     int           // runs in a turn
	used      time.Duration // by the wall, of all turns
	wall, cpu []float64     // of each turn, nanoseconds a run
	err       error
}

// calibrate finds how many runs fill a turn.
func (e *entrant) calibrate(turn time.Duration) error {
	if e.Prepare != nil {
		if err := e.Prepare(); err != nil {
			return err
		}
	}
	for e.times = 1; ; e.times *= 2 {
		c, err := e.Run(e.times)
		if err != nil {
			return err
		}
		if c.CPU >= turn {
			if e.times == 1 {
				e.add(c)
			}
			return nil
		}
	}
}

// spent reports whether one more turn would be more than a side's share of time. The
// run that calibrated a slow side is its first turn.
func (e *entrant) spent(most time.Duration) bool {
	turns := len(e.wall)
	return turns > 0 && e.used+e.used/time.Duration(turns) > most
}

func (e *entrant) turn() error {
	c, err := e.Run(e.times)
	if err == nil {
		e.add(c)
	}
	return err
}

func (e *entrant) add(c Cost) {
	e.used += c.Wall
	e.wall = append(e.wall, float64(c.Wall.Nanoseconds())/float64(e.times))
	e.cpu = append(e.cpu, float64(c.CPU.Nanoseconds())/float64(e.times))
}

func (e *entrant) figure(first *entrant) Figure {
	f := Figure{Side: e.Name, Turns: len(e.wall)}
	if e.err != nil {
		f.Failure = e.err.Error()
		return f
	}
	f.WallRatio, f.CPURatio = ratio(first.wall, e.wall), ratio(first.cpu, e.cpu)
	f.Wall, f.CPU = QuartilesOf(slices.Clone(e.wall)), QuartilesOf(slices.Clone(e.cpu))
	if e.Once != nil {
		var err error
		if f.Allocs, f.Bytes, err = Allocations(e.Once, countedRuns(f.CPU.Median)); err != nil {
			f.Failure = fmt.Sprintf("counting allocations: %v", err)
		}
		f.Counted = true
	}
	return f
}

// ratio compares turn by turn, where both sides took it.
func ratio(a, b []float64) Quartiles {
	var each []float64
	for i := range min(len(a), len(b)) {
		if b[i] > 0 {
			each = append(each, a[i]/b[i])
		}
	}
	q := QuartilesOf(each)
	if len(each) > 0 {
		q.Median = median(a) / median(b)
	}
	return q
}

func median(v []float64) float64 { return QuartilesOf(slices.Clone(v)).Median }

// countedRuns returns how many runs are enough to count allocations of work that takes so many
// nanoseconds.
func countedRuns(ns float64) int {
	if ns > float64(time.Millisecond) {
		return 1
	}
	return 100
}
