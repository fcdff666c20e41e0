package verify_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify"
)

// The long mode, with progress where the output is a terminal:
//
//	cd verify && go test -v -run TestPropertyOfChains -timeout 0 -long 10000000
//
// A failure names the family that shows it: -seed S -family N runs that alone.
var (
	long   = flag.Int64("long", 60_000, "cases of TestPropertyOfChains")
	seed   = flag.Uint64("seed", 0, "seed of TestPropertyOfChains; 0 for one of the clock's")
	family = flag.Int64("family", -1, "run this one family of TestPropertyOfChains")
)

// Each family is one chain, some blocks appended to it, and requests: a case is one
// request held against the chain with and without one of the blocks.
const (
	children = 6
	requests = 32
)

// A census counts what came up, so that a run which saw one sort only says so.
type census struct {
	cases, allowed, parentOnly, neither, doors, refused, whole atomic.Int64
}

// TestPropertyOfChains: over generated chains and requests with all kinds of caveats,
// no block that anybody appends allows what was denied without it, and the structural
// reading of the blocks allows nothing that the engine denies.
func TestPropertyOfChains(t *testing.T) {
	s := *seed
	if s == 0 {
		s = uint64(time.Now().UnixNano())
	}
	directory := directory(t, agentLine("agent:ci", "", ci), agentLine("agent:next", "", runner))
	v, err := chainVerifier(directory, now)
	if err != nil {
		t.Fatal(err)
	}
	if *family >= 0 {
		if err := new(census).family(v, directory, s, *family); err != nil {
			t.Fatal(err)
		}
		return
	}
	var sum census
	var next atomic.Int64
	var failed atomic.Bool
	start := time.Now()
	stop := progress(&sum, start)
	var working sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		working.Go(func() {
			for n := sum.cases.Load(); !failed.Load() && (n < *long || !sum.complete() && n < *long+1_000_000); n = sum.cases.Load() {
				number := next.Add(1) - 1
				if err := sum.family(v, directory, s, number); err != nil {
					failed.Store(true)
					t.Errorf("%v\nagain with -seed %d -family %d", err, s, number)
				}
			}
		})
	}
	working.Wait()
	stop()
	took := time.Since(start)
	t.Logf("%d cases in %s, %.0f a second, seed %d: %s", sum.cases.Load(), took.Round(time.Second), float64(sum.cases.Load())/took.Seconds(), s, &sum)
	if !failed.Load() && !sum.complete() {
		t.Error("the cases are not of all sorts: the properties say too little")
	}
}

// complete reports whether cases of all sorts have come up.
func (c *census) complete() bool {
	for _, n := range []*atomic.Int64{&c.allowed, &c.parentOnly, &c.neither, &c.doors, &c.refused, &c.whole} {
		if n.Load() == 0 {
			return false
		}
	}
	return true
}

func (c *census) String() string {
	return fmt.Sprintf("%d allowed, %d allowed by the parent only, %d denied, %d by a trusted key, %d of blocks that reading refuses, %d decided by the whole verifier too",
		c.allowed.Load(), c.parentOnly.Load(), c.neither.Load(), c.doors.Load(), c.refused.Load(), c.whole.Load())
}

// progress shows how far the run is, on a terminal only.
func progress(sum *census, start time.Time) (stop func()) {
	info, err := os.Stdout.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return func() {}
	}
	tick, done := time.NewTicker(time.Second), make(chan struct{})
	var showing sync.WaitGroup
	showing.Go(func() {
		for {
			select {
			case <-done:
				fmt.Println()
				return
			case <-tick.C:
				n := sum.cases.Load()
				rate := float64(n) / time.Since(start).Seconds()
				left := time.Duration(float64(*long-n) / rate * float64(time.Second))
				fmt.Printf("\r%d of %d cases, %.0f a second, %s left   ", n, *long, rate, left.Round(time.Second))
			}
		}
	})
	return func() { tick.Stop(); close(done); showing.Wait() }
}

// family runs the cases of one family.
func (c *census) family(v *verify.Verifier, directory *trust.Directory, seed uint64, number int64) error {
	w := newWorld(seed, uint64(number))
	parent, err := w.root()
	if err != nil {
		return err
	}
	for range w.IntN(4) {
		longer, _, err := w.grow(parent, usual)
		if err != nil {
			return err
		}
		if longer.chain != nil { // what is refused goes no further
			parent = longer
		}
	}
	type child struct {
		grown
		door bool
	}
	list := make([]child, children)
	for i := range list {
		if list[i].grown, list[i].door, err = w.grow(parent, usual); err != nil {
			return err
		}
	}
	for range requests {
		req, state, at := w.request()
		hearing, err := v.Hear(req, state, at)
		if err != nil {
			return err
		}
		before, err := ruled(hearing, &parent)
		if err != nil {
			return fmt.Errorf("%w\n%+v, %+v, %s\n%s", err, req, state, at, shown(parent))
		}
		for i := range list {
			k := &list[i]
			c.cases.Add(1)
			fault := func(what string) error {
				return fmt.Errorf("%s, with a block of the sort %q\n%+v, %+v, %s\n%s", what, k.how, req, state, at, shown(k.grown))
			}
			if k.chain == nil {
				// Reading refuses the token. The engine alone must not allow more either.
				c.refused.Add(1)
				if k.door || !hearing.Rule(k.token, parent.chain, k.holder.Public(), parent.chain.Depth).Engine {
					continue
				}
				if !hearing.Rule(parent.token, parent.chain, k.holder.Public(), parent.chain.Depth).Engine {
					return fault("the engine allows what it denies without")
				}
				continue
			}
			after, err := ruled(hearing, &k.grown)
			if err != nil {
				return fault(err.Error())
			}
			switch {
			case after && !before && k.door:
				c.doors.Add(1)
			case after:
				// Who presents the token may have changed, and with it what is stated of
				// them: the promise is about the same facts.
				if r := hearing.Rule(parent.token, parent.chain, k.holder.Public(), k.chain.Depth); !r.Allowed() {
					return fault("allowed, and denied without")
				}
				c.allowed.Add(1)
			case before:
				c.parentOnly.Add(1)
			default:
				c.neither.Add(1)
			}
			// Signing takes longer than all the rest, so that few cases go the whole way.
			if w.IntN(500) == 0 {
				c.whole.Add(1)
				switch got, err := wholly(directory, req, state, k.grown, at); {
				case err != nil:
					return err
				case got != after:
					return fault(fmt.Sprintf("allowed is %t, for the whole verifier %t", after, got))
				}
			}
		}
	}
	return nil
}

// ruled returns the verdict on a token that reading accepts, after holding the
// reading against the engine.
func ruled(h *verify.Hearing, g *grown) (bool, error) {
	r := h.Rule(g.token, g.chain, g.holder.Public(), g.chain.Depth)
	reading, custom := r.Approved && !g.chain.Scope.Empty, false
	for _, b := range g.chain.Scope.Bounds {
		switch b.Caveat.(type) {
		case delegation.Custom:
			custom = true
		case delegation.Approval: // see Ruling.Approved
		default:
			reading = reading && delegation.Explain(b.Caveat, r.Facts).Holds
		}
	}
	switch {
	case r.Engine && !reading:
		return false, fmt.Errorf("the engine allows, the reading denies")
	case reading && r.Structural && !r.Engine && !custom:
		return false, fmt.Errorf("the reading allows, the engine denies")
	}
	return r.Allowed(), nil
}

// wholly has the request invoked, and verified from the first byte to the last, twice.
func wholly(directory *trust.Directory, req delegation.Request, state verify.State, g grown, at time.Time) (bool, error) {
	checked, err := req.Check()
	if err != nil {
		return false, err
	}
	inv := &delegation.Invocation{
		Nonce: []byte("sixteen bytes or"), Audience: req.Audience,
		NotBefore: uint64(at.Add(-delegation.Skew).Unix()), Expires: uint64(at.Add(time.Minute).Unix()),
	}
	if inv.Request, err = checked.Digest(g.token.PrefixHash(len(g.token.Blocks())), inv.Nonce); err != nil {
		return false, err
	}
	presented, err := g.token.Append(g.holder, inv.Content(), token.WithSecret(token.InvocationKey()))
	if err != nil {
		return false, err
	}
	v, err := chainVerifier(directory, at)
	if err != nil {
		return false, err
	}
	first, _ := v.VerifyWith(context.Background(), presented.Text(), req, state)
	again, _ := v.VerifyWith(context.Background(), presented.Text(), req, state) // of a chain that is known
	if first.Allowed != again.Allowed {
		return false, fmt.Errorf("allowed is %t the first time, %t of a known chain\n%s", first.Allowed, again.Allowed, shown(g))
	}
	return first.Allowed, nil
}

// chainVerifier is a verifier for the clock that stands still at a time.
func chainVerifier(directory *trust.Directory, at time.Time) (*verify.Verifier, error) {
	line := "alice@example.com namespaces=\"whittle\" " + alice.Public().AuthorizedKey("") + "\n"
	roots, err := trust.Parse([]byte(line))
	if err != nil {
		return nil, err
	}
	return verify.New("svc:certs", roots, &verify.Options{
		AllowReplay: true, Directory: directory, Memory: 1 << 20, Now: func() time.Time { return at },
	})
}

func shown(g grown) string {
	text := ""
	for i, b := range g.token.Blocks() {
		text += fmt.Sprintf("// block %d %s\n%s", i, b.External, b.Datalog)
	}
	return text
}
