// Package measure times work that several implementations do, in turns, so that
// whatever else the machine is busy with falls on all of them alike.
package measure

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// A Cost is what some runs took: time on the wall, and time on a processor, summed
// over all threads of the process that did the work.
type Cost struct{ Wall, CPU time.Duration }

// A Run does the work so many times and says what that took.
type Run func(times int) (Cost, error)

// Loop is a Run of work in this process. Its processor time includes the garbage
// collector's.
func Loop(work func() error) Run {
	return func(times int) (Cost, error) {
		stop := Start()
		for range times {
			if err := work(); err != nil {
				return Cost{}, err
			}
		}
		return stop(), nil
	}
}

// Start begins a measurement of this process; what it returns ends it.
func Start() (stop func() Cost) {
	wall, cpu := time.Now(), cpuTime()
	return func() Cost { return Cost{time.Since(wall), cpuTime() - cpu} }
}

// cpuTime is what getrusage adds up, in nanoseconds instead of microseconds.
func cpuTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		panic(err) // the clock is part of every Linux
	}
	return time.Duration(t.Nano())
}

// Allocations returns how many allocations one run of the work makes, and of how
// many bytes, on average of so many runs.
func Allocations(work func() error, runs int) (count, bytes float64, err error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		if err := work(); err != nil {
			return 0, 0, err
		}
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / float64(runs), float64(after.TotalAlloc-before.TotalAlloc) / float64(runs), nil
}
