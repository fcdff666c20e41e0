package verify_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/delegation/delegationtest"
	"github.com/whittle-auth/whittle/verify/internal/engine"
)

var agentKeys = delegationtest.Keys{ci.Public(), runner.Public(), mallory.Public()}

var someCaveat = delegationtest.Caveat(agentKeys)

// A situation is a request with whatever a verifier may state of it.
type situation struct {
	req   *delegation.Checked
	facts []datalog.Predicate
}

func someSituation(t *rapid.T) situation {
	req := delegationtest.Request(t)
	checked, err := req.Check()
	if err != nil {
		t.Fatal(err)
	}
	facts := checked.Facts()
	state := func(name string, terms ...datalog.Term) {
		facts = append(facts, datalog.Predicate{Name: name, Terms: terms})
	}
	state("weekday", datalog.Integer(rapid.IntRange(1, 7).Draw(t, "weekday")))
	state("minute", datalog.Integer(rapid.SampledFrom([]int{0, 1, 359, 360, 719, 720, 721, 999, 1439}).Draw(t, "minute")))
	state("depth", datalog.Integer(rapid.IntRange(0, 4).Draw(t, "depth")))
	if rapid.Bool().Draw(t, "named") {
		state("agent", datalog.String(rapid.SampledFrom(delegationtest.Agents).Draw(t, "agent")))
	}
	if rapid.Bool().Draw(t, "keyed") {
		state("agent_key", datalog.String(rapid.SampledFrom(agentKeys).Draw(t, "key").String()))
	}
	for _, name := range delegationtest.Contexts {
		for _, v := range delegationtest.Scalars(t)[:1] {
			state("context", datalog.String(name), delegation.Context("x", v).(delegation.ContextOneOf).Values[0])
		}
	}
	return situation{checked, facts}
}

// told returns the facts with those that are stated to whoever asks. decidable is
// false where the verifier would refuse to decide.
func (s situation) told(caveats ...delegation.Caveat) (facts []datalog.Predicate, decidable bool) {
	var source datalog.Authorizer
	for _, c := range caveats {
		source.Checks = append(source.Checks, c.Check())
	}
	m := delegation.MentionsOf(&source)
	return append(s.facts[:len(s.facts):len(s.facts)], s.req.Inside(&m)...), s.req.Stateable(&m) == nil
}

// enforced says whether the engine lets the request pass.
func (s situation) enforced(t *rapid.T, caveats ...delegation.Caveat) bool {
	facts, decidable := s.told(caveats...)
	if !decidable {
		return false
	}
	a, err := engine.Compile(&datalog.Authorizer{Policies: []datalog.Policy{{Kind: datalog.Allow, Queries: []datalog.Query{{Exprs: []datalog.Expr{datalog.Value{Term: datalog.Bool(true)}}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	var block datalog.Block
	for _, c := range caveats {
		block.Checks = append(block.Checks, c.Check())
	}
	r, err := a.Evaluate([]engine.Block{{Datalog: &block}}, facts, nil)
	if err != nil {
		t.Fatalf("%v: %v", caveats, err) // guards are lazy, so that nothing fails
	}
	return r.Allowed()
}

// tally counts how often each kind was allowed and denied.
type tally map[string]*[2]int

func (c tally) count(kind string, allowed bool) {
	if c[kind] == nil {
		c[kind] = new([2]int)
	}
	if allowed {
		c[kind][1]++
	} else {
		c[kind][0]++
	}
}

func (c tally) enough() bool {
	if len(c) < len(delegationtest.Kinds) {
		return false
	}
	for _, n := range c {
		if n[0] == 0 || n[1] == 0 {
			return false
		}
	}
	return true
}

// TestExplanationAgreesWithEngine: for every kind of caveat, the reading says what
// the engine decides.
func TestExplanationAgreesWithEngine(t *testing.T) {
	counts := tally{}
	for kind, draw := range delegationtest.Kinds {
		checkUntil(t, func() bool { return counts[kind] != nil && counts[kind][0] > 200 && counts[kind][1] > 50 }, func(rt *rapid.T) {
			c, s := draw(rt, agentKeys), someSituation(rt)
			facts, decidable := s.told(c)
			f := delegation.Explain(c, facts)
			enforced := s.enforced(rt, c)
			if read := f.Holds && decidable; read != enforced {
				rt.Fatalf("%s: the reading says %v, the engine %v: %s\n%v", c, read, enforced, f.Message, facts)
			}
			counts.count(kind, enforced)
		})
	}
	if !counts.enough() {
		t.Errorf("%v", counts)
	}
}

// TestWithinImplies: where one caveat is within another, whatever passes the one
// passes the other. Where it is beyond, what both allow is one caveat or nothing, so
// that it can be clamped.
func TestWithinImplies(t *testing.T) {
	passed, beyond := 0, 0
	checkUntil(t, func() bool { return passed > 500 && beyond > 500 }, func(rt *rapid.T) {
		inner, outer := pair(rt)
		switch delegation.Compare(inner, outer) {
		case delegation.Within:
			for range 4 {
				if s := someSituation(rt); s.enforced(rt, inner) {
					passed++
					if !s.enforced(rt, outer) {
						rt.Fatalf("%s is said to be within %s: %v", inner, outer, s.facts)
					}
				}
			}
		case delegation.Beyond:
			beyond++
			if both, ok := delegation.Meet(inner, outer); ok && len(both) != 1 {
				rt.Fatalf("%s is beyond %s, and what both allow is %v", inner, outer, both)
			}
		}
	})
}

// TestMeetIsConjunction: what two caveats meet in allows exactly what both do.
func TestMeetIsConjunction(t *testing.T) {
	merged, passed, nothing := 0, 0, 0
	checkUntil(t, func() bool { return merged > 500 && passed > 200 && nothing > 500 }, func(rt *rapid.T) {
		a, b := pair(rt)
		both, ok := delegation.Meet(a, b)
		if ok && len(both) == 1 {
			merged++
			if err := both[0].Validate(); err != nil {
				rt.Fatalf("%s and %s meet in %s: %v", a, b, both[0], err)
			}
			for _, c := range []delegation.Caveat{a, b} {
				if r := delegation.Compare(both[0], c); r == delegation.Beyond {
					rt.Fatalf("%s and %s meet in %s, which goes beyond %s", a, b, both[0], c)
				}
			}
		}
		for range 4 {
			s := someSituation(rt)
			want := s.enforced(rt, a) && s.enforced(rt, b)
			if !ok {
				nothing++
				if want {
					rt.Fatalf("%s and %s are said to have nothing in common: %v", a, b, s.facts)
				}
				continue
			}
			if got := s.enforced(rt, both...); got != want {
				rt.Fatalf("%s and %s meet in %v: %v, the two %v: %v", a, b, both, got, want, s.facts)
			}
			if want {
				passed++
			}
		}
	})
}

// pair draws two caveats, mostly on the same thing.
func pair(t *rapid.T) (a, b delegation.Caveat) {
	a, b = someCaveat.Draw(t, "one"), someCaveat.Draw(t, "other")
	for range 8 {
		if delegation.Compare(a, b) != delegation.Incomparable {
			break
		}
		b = someCaveat.Draw(t, "another")
	}
	return a, b
}
