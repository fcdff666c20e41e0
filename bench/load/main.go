// Command load measures what verifying costs a service under load: the same handler
// behind httpauth.Protect, and behind the verification of a JWT with EdDSA.
//
//	go run ./load             about five minutes, and writes LOAD.md
//	go run ./load -quick      half a minute; the figures scatter
//	go run ./load -smoke      some hundred requests, and writes nothing
//	go run ./load -profile f  writes a profile of the Whittle side's processor to f
//
// This process sends the requests, each side's server is one of its own, and the two take
// turns. Every request to the Whittle side has an invocation of its own, signed before
// the turn.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == serverFlag {
		if err := serve(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "load: server:", err)
			os.Exit(1)
		}
		return
	}
	smoke := flag.Bool("smoke", false, "send some hundred requests and write nothing")
	quick := flag.Bool("quick", false, "measure for half a minute and write nothing")
	profile := flag.String("profile", "", "write a profile of the Whittle side's processor to this file")
	flag.Parse()
	p := plan{turns: 12, turn: 2500 * time.Millisecond, atLeast: 1_000_000, profile: *profile}
	if *quick {
		p = plan{turns: 6, turn: time.Second, profile: *profile}
	}
	if *smoke {
		p = plan{turns: 2, turn: 10 * time.Millisecond, profile: *profile}
	}
	if err := p.run(!*smoke && !*quick); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// A plan says how much is measured.
type plan struct {
	turns   int           // of each side
	turn    time.Duration // roughly
	atLeast int           // requests to the Whittle side in all, of which the last ones are not timed
	profile string
}

func (p plan) run(write bool) error {
	caller, err := newCaller()
	if err != nil {
		return err
	}
	r := &results{sides: map[string]*side{}}
	servers := map[string]*server{}
	for _, name := range []string{whittle, jwts} {
		profile := ""
		if name == whittle {
			profile = p.profile
		}
		s, err := start(name, caller, profile)
		if err != nil {
			return err
		}
		defer s.stop()
		servers[name], r.sides[name] = s, &side{}
	}
	if err := denials(caller, servers); err != nil {
		return err
	}
	known := servers[whittle].last.Misses // of the denials
	// The first requests say how many fill a turn.
	n := 200
	for took := time.Duration(0); took < p.turn/2; {
		t, err := p.one(caller, servers[whittle], n, nil)
		if err != nil {
			return err
		}
		took = t.took
		n = int(float64(n) * min(8, float64(p.turn)/float64(took)))
	}
	for range p.turns {
		for _, name := range []string{whittle, jwts} {
			if _, err := p.one(caller, servers[name], n, r.sides[name]); err != nil {
				return err
			}
		}
	}
	for r.total = p.turns * n; r.total < p.atLeast; r.total += n {
		t, err := p.one(caller, servers[whittle], n, nil)
		if err != nil {
			return err
		}
		r.later = append(r.later, servers[whittle].last)
		r.untimed += t.requests
	}
	r.print(os.Stdout)
	if missed := servers[whittle].last.Misses - known; missed > 0 {
		return fmt.Errorf("%d tokens were verified as a whole: the chain was not known", missed)
	}
	if write {
		return r.write("LOAD.md")
	}
	return nil
}

// one is one turn of a side. A denial ends the run: all that is sent is to be allowed.
func (p plan) one(c *caller, s *server, n int, into *side) (*turn, error) {
	tokens := make([]string, n)
	if s.side == whittle {
		var err error
		if tokens, err = c.invocations(n); err != nil {
			return nil, err
		}
	} else {
		for i := range tokens {
			tokens[i] = c.jwtText
		}
	}
	runtime.GC()
	if err := s.look(); err != nil {
		return nil, err
	}
	before := s.last
	all := runtime.GOMAXPROCS(1)
	t, err := send(s.last.Address, tokens)
	runtime.GOMAXPROCS(all)
	if err != nil {
		return nil, err
	}
	if err := s.look(); err != nil {
		return nil, err
	}
	if len(t.denied) > 0 {
		return nil, fmt.Errorf("%s: of %d requests these were denied, by status: %v", s.side, n, t.denied)
	}
	if into != nil {
		into.add(t, before, s.last)
	}
	return t, nil
}

// denials shows that neither side is an open door.
func denials(c *caller, servers map[string]*server) error {
	other, err := c.invocation(resource + "/other")
	if err != nil {
		return err
	}
	once, err := c.invocation(resource)
	if err != nil {
		return err
	}
	stranger, err := newCaller()
	if err != nil {
		return err
	}
	theirs, err := stranger.invocation(resource)
	if err != nil {
		return err
	}
	for _, check := range []struct {
		side, what string
		tokens     []string
		denied     map[int]int
	}{
		{whittle, "an invocation for another resource", []string{other}, map[int]int{403: 1}},
		{whittle, "a stranger's", []string{theirs}, map[int]int{401: 1}},
		{whittle, "one that is used five times", []string{once, once, once, once, once}, map[int]int{401: 4}},
		{whittle, "the held token", []string{c.held.Text()}, map[int]int{401: 1}},
		{jwts, "a stranger's JWT", []string{stranger.jwtText}, map[int]int{401: 1}},
		{jwts, "no JWT", []string{"x"}, map[int]int{401: 1}},
		{jwts, "the caller's JWT, twice", []string{c.jwtText, c.jwtText}, map[int]int{}},
	} {
		s := servers[check.side]
		t, err := send(s.last.Address, check.tokens)
		if err == nil {
			err = s.look()
		}
		if err != nil {
			return err
		}
		if fmt.Sprint(t.denied) != fmt.Sprint(check.denied) {
			return fmt.Errorf("%s: denied by status %v, want %v", check.what, t.denied, check.denied)
		}
	}
	return nil
}
