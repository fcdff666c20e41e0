package work

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/whittle-auth/whittle/bench/measure"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
)

// A Throughput is how many times a second something is done, on so many cores at once.
type Throughput struct {
	What      string
	Cores     int
	PerSecond float64
	CPUEach   float64 // nanoseconds on a processor
}

// Throughputs runs work on one core and on two for so long each, in turns.
func Throughputs(turns int, turn time.Duration) ([]Throughput, error) {
	c, err := newChain(3)
	if err != nil {
		return nil, err
	}
	works := []struct {
		what string
		make func() (func() error, error) // for one goroutine
	}{
		{"Whittle: chain of 3 hops and invocation, cold", c.cold},
		{"Whittle: known chain of 3 hops, new invocation", c.sharedKnown()},
		{"Whittle: session on a known connection", c.session},
		{"one crypto/ed25519 verify", func() (func() error, error) { return bare(1).Once, nil }},
	}
	most := runtime.GOMAXPROCS(0)
	var all []Throughput
	for _, w := range works {
		for _, cores := range []int{1, 2} {
			if cores > runtime.NumCPU() {
				continue
			}
			runtime.GOMAXPROCS(cores)
			var rates, cpu []float64
			for range turns {
				n, cost, err := together(cores, turn, w.make)
				if err != nil {
					runtime.GOMAXPROCS(most)
					return nil, err
				}
				rates = append(rates, float64(n)/cost.Wall.Seconds())
				cpu = append(cpu, float64(cost.CPU.Nanoseconds())/float64(n))
			}
			all = append(all, Throughput{w.what, cores, measure.QuartilesOf(rates).Median, measure.QuartilesOf(cpu).Median})
		}
	}
	runtime.GOMAXPROCS(most)
	return all, nil
}

// together counts what so many goroutines do in the given time.
func together(goroutines int, d time.Duration, prepare func() (func() error, error)) (int, measure.Cost, error) {
	counts, errs := make([]int, goroutines), make([]error, goroutines)
	works := make([]func() error, goroutines)
	for i := range works {
		var err error
		if works[i], err = prepare(); err != nil {
			return 0, measure.Cost{}, err
		}
	}
	stop, deadline := measure.Start(), time.Now().Add(d)
	var wg sync.WaitGroup
	for i := range goroutines {
		wg.Go(func() {
			for errs[i] == nil && time.Now().Before(deadline) {
				for range 8 {
					if errs[i] = works[i](); errs[i] != nil {
						return
					}
					counts[i]++
				}
			}
		})
	}
	wg.Wait()
	total := 0
	for _, n := range counts {
		total += n
	}
	return total, stop(), errors.Join(errs...)
}

// sharedKnown is known with one verifier, and so one memory, for all goroutines.
func (c *chain) sharedKnown() func() (func() error, error) {
	v, err := c.verifier(verify.Options{AllowReplay: true})
	if err != nil {
		return func() (func() error, error) { return nil, err }
	}
	return func() (func() error, error) { return c.knownBy(v) }
}

// Latencies are what single decisions took on the wall, one after another.
type Latencies struct {
	Decisions, Denied       int
	P50, P99, P999, Slowest time.Duration
}

// MixedWarm times so many decisions of one verifier on chains that it knows: of ten, six
// are new invocations of chains of 1, 3, 5 and 10 hops, three are requests on a known
// connection, and one asks for more than the token allows and is denied.
func MixedWarm(decisions int) (Latencies, error) {
	calls, err := mixture()
	if err != nil {
		return Latencies{}, err
	}
	for _, call := range calls {
		call()
	}
	l := Latencies{Decisions: decisions}
	took := make([]time.Duration, decisions)
	runtime.GC()
	for i := range took {
		call := calls[i%len(calls)]
		start := time.Now()
		allowed := call()
		took[i] = time.Since(start)
		if !allowed {
			l.Denied++
		}
	}
	if l.Denied != expectedDenied(calls, decisions) {
		return l, errors.New("other decisions than those that were expected")
	}
	slices.Sort(took)
	at := func(q float64) time.Duration { return took[int(q*float64(decisions-1))] }
	l.P50, l.P99, l.P999, l.Slowest = at(0.5), at(0.99), at(0.999), took[decisions-1]
	return l, nil
}

// denyEvery is how often the mixture asks for what is denied.
const denyEvery = 10

func expectedDenied(calls []func() bool, decisions int) int {
	n := 0
	for i := range decisions {
		if i%len(calls)%denyEvery == denyEvery-1 {
			n++
		}
	}
	return n
}

// mixture returns calls that report whether they were allowed.
func mixture() ([]func() bool, error) {
	const many = 1000
	chains := make([]*chain, len(HopCounts))
	for i, hops := range HopCounts {
		var err error
		if chains[i], err = newChain(hops); err != nil {
			return nil, err
		}
		chains[i].now = chains[0].now
	}
	v, err := chains[0].verifier(verify.Options{AllowReplay: true})
	if err != nil {
		return nil, err
	}
	elsewhere := action
	elsewhere.Resource = "payroll"
	channel := delegation.Channel{Kind: delegation.TLSExporter, Value: [32]byte{1}}
	calls := make([]func() bool, many)
	for i := range calls {
		c, req, state := chains[i%len(chains)], action, verify.State{}
		var text string
		switch i % denyEvery {
		case 2, 5, 8:
			text, err = c.onConnection(channel)
			state.Channel = channel
		case denyEvery - 1:
			req = elsewhere
			text, err = c.invoke(elsewhere)
		default:
			text, err = c.invoke(action)
		}
		if err != nil {
			return nil, err
		}
		calls[i] = func() bool {
			_, err := v.VerifyWith(context.Background(), text, req, state)
			return err == nil
		}
	}
	return calls, nil
}
