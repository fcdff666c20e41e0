// Command bench measures Whittle beside the Rust reference implementation of
// Biscuit, taking turns in one run, and writes what it found as a table.
//
//	bench/peers/build     # once: builds the Rust side
//	go run ./bench        # prints the table, and writes bench/RESULTS.md
//
// Only the ratios mean something: both sides run on the same machine, in turns.
package main

import (
	"crypto/ed25519"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/whittle-auth/whittle/bench/peers"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/verify"
)

func main() {
	rounds := flag.Int("rounds", 40, "how many turns each side takes")
	out := flag.String("o", "bench/RESULTS.md", "the file to write, - for none")
	flag.Parse()
	if err := run(*rounds, *out); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(rounds int, out string) error {
	if rounds < 3 {
		return errors.New("at least three rounds are needed for a median")
	}
	peer, err := peers.Start()
	if err != nil {
		return err
	}
	defer peer.Close()
	var rows []row
	for _, blocks := range []int{1, 3, 5, 10} {
		s, err := newSubject(peer, blocks)
		if err != nil {
			return err
		}
		for _, w := range s.works() {
			fmt.Fprintf(os.Stderr, "%d blocks: %s\n", blocks, w.name)
			r, err := measure(peer, w, blocks, rounds)
			if err != nil {
				return err
			}
			rows = append(rows, r)
		}
	}
	var b strings.Builder
	report(&b, rows, rounds)
	fmt.Print(b.String())
	if out == "-" {
		return nil
	}
	return os.WriteFile(out, []byte(b.String()), 0o644)
}

// A subject is the benchmark token with what it takes to decide on it.
type subject struct {
	data       []byte
	root       token.PublicKey
	verified   *token.Token
	text       string
	authorizer *datalog.Authorizer
	prepared   *verify.Authorizer
}

func newSubject(peer *peers.Peer, blocks int) (*subject, error) {
	data, root, err := peer.Token(blocks)
	if err != nil {
		return nil, err
	}
	s := &subject{data: data}
	if s.root, err = token.ParsePublicKey(root); err != nil {
		return nil, err
	}
	if s.text, err = peer.Authorizer(); err != nil {
		return nil, err
	}
	if s.authorizer, err = datalog.ParseAuthorizer(s.text, nil); err != nil {
		return nil, err
	}
	if s.prepared, err = verify.NewAuthorizer(s.authorizer); err != nil {
		return nil, err
	}
	s.verified, err = s.verify()
	return s, err
}

func (s *subject) verify() (*token.Token, error) {
	u, err := token.Parse(s.data, nil)
	if err != nil {
		return nil, err
	}
	return u.Verify(s.root)
}

// A work is one thing to measure on both sides. peer is empty where there is
// nothing to compare with.
type work struct {
	name string
	peer peers.Op
	run  func() error
}

func (s *subject) works() []work {
	authorize := func(t *token.Token) error {
		_, err := s.prepared.Authorize(t, nil, nil)
		return err
	}
	pub, priv, _ := ed25519.GenerateKey(nil)
	message := make([]byte, 200)
	signature := ed25519.Sign(priv, message)
	return []work{
		{"parse", peers.Parse, func() error {
			u, err := token.Parse(s.data, nil)
			if err != nil {
				return err
			}
			_, err = u.UnverifiedBlocks()
			return err
		}},
		{"parse and verify", peers.Verify, func() error { _, err := s.verify(); return err }},
		{"authorize", peers.Authorize, func() error { return authorize(s.verified) }},
		{"authorize, policy not prepared", peers.Authorize, func() error { _, err := verify.Authorize(s.verified, s.authorizer, nil); return err }},
		{"policy text", peers.Policy, func() error { _, err := datalog.ParseAuthorizer(s.text, nil); return err }},
		{"everything", peers.Cold, func() error {
			t, err := s.verify()
			if err != nil {
				return err
			}
			return authorize(t)
		}},
		{"one crypto/ed25519 verify", "", func() error {
			if !ed25519.Verify(pub, message, signature) {
				return errors.New("does not verify")
			}
			return nil
		}},
	}
}

// A row is what one work took, in nanoseconds: medians, and half the distance
// between the quartiles.
type row struct {
	blocks          int
	work            string
	ours, theirs    float64
	spread, spread2 float64
	allocs          float64
}

// measure lets both sides take turns, each long enough for its clock.
func measure(peer *peers.Peer, w work, blocks, rounds int) (row, error) {
	const turn = 4 * time.Millisecond
	iterations, err := calibrate(w.run, turn)
	if err != nil {
		return row{}, err
	}
	var ours, theirs []float64
	for range rounds {
		d, err := timed(w.run, iterations)
		if err != nil {
			return row{}, err
		}
		ours = append(ours, float64(d.Nanoseconds())/float64(iterations))
		if w.peer == "" {
			continue
		}
		total, err := peer.Time(w.peer, blocks, iterations)
		if err != nil {
			return row{}, err
		}
		theirs = append(theirs, float64(total.Nanoseconds())/float64(iterations))
	}
	r := row{blocks: blocks, work: w.name}
	r.ours, r.spread = median(ours)
	if w.peer != "" {
		r.theirs, r.spread2 = median(theirs)
	}
	r.allocs, err = allocations(w.run)
	return r, err
}

// calibrate returns how many runs fill a turn.
func calibrate(run func() error, turn time.Duration) (int, error) {
	for n := 1; ; n *= 2 {
		d, err := timed(run, n)
		if err != nil {
			return 0, err
		}
		if d >= turn {
			return n, nil
		}
	}
}

func timed(run func() error, n int) (time.Duration, error) {
	start := time.Now()
	for range n {
		if err := run(); err != nil {
			return 0, err
		}
	}
	return time.Since(start), nil
}

func allocations(run func() error) (float64, error) {
	const n = 200
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := timed(run, n); err != nil {
		return 0, err
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / n, nil
}

// median returns the median of the turns and half the distance between the
// quartiles.
func median(v []float64) (mid, spread float64) {
	slices.Sort(v)
	at := func(q float64) float64 { return v[int(q*float64(len(v)-1))] }
	return at(0.5), (at(0.75) - at(0.25)) / 2
}

func report(w io.Writer, rows []row, rounds int) {
	fmt.Fprintf(w, "# Results\n\nWritten by `go run ./bench`: medians of %d turns in which both sides alternate, with half the\n", rounds)
	fmt.Fprintf(w, "distance between the quartiles. %s, %s/%s, %d cores; Rust: biscuit-auth 6.0.0, release build with\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	fmt.Fprint(w, "link-time optimisation. Trust the ratios, not the microseconds. The token is described in\n`bench/peers/README.md`.\n\n")
	fmt.Fprintln(w, "| blocks | work | Whittle, µs | biscuit-rust, µs | ratio | allocations |")
	fmt.Fprintln(w, "| ---: | --- | ---: | ---: | ---: | ---: |")
	for _, r := range rows {
		theirs, ratio := "", ""
		if r.theirs > 0 {
			theirs = fmt.Sprintf("%.1f ± %.1f", r.theirs/1000, r.spread2/1000)
			ratio = fmt.Sprintf("%.2f", r.ours/r.theirs)
		}
		fmt.Fprintf(w, "| %d | %s | %.1f ± %.1f | %s | %s | %.0f |\n", r.blocks, r.work, r.ours/1000, r.spread/1000, theirs, ratio, r.allocs)
	}
	fmt.Fprint(w, "\n## Without the signatures\n\nWhat a decision takes besides cryptography: \"parse\" and \"authorize\" together.\n\n")
	fmt.Fprint(w, "| blocks | Whittle, µs | biscuit-rust, µs | ratio |\n| ---: | ---: | ---: | ---: |\n")
	for _, blocks := range []int{1, 3, 5, 10} {
		find := func(name string) row {
			return rows[slices.IndexFunc(rows, func(r row) bool { return r.blocks == blocks && r.work == name })]
		}
		parse, authorize := find("parse"), find("authorize")
		ours, theirs := parse.ours+authorize.ours, parse.theirs+authorize.theirs
		fmt.Fprintf(w, "| %d | %.1f | %.1f | %.2f |\n", blocks, ours/1000, theirs/1000, ours/theirs)
	}
}
