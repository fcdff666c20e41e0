package engine

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/whittle-auth/whittle/token/datalog"
)

// Small limits on facts and rounds so that programs reach them; work enough
// never to reach that limit, which the oracle does not have.
var testOptions = &Options{Limits: Limits{Facts: 40, Iterations: 6, Steps: 1 << 40}, Externs: testExterns}

func TestAgainstOracle(t *testing.T) {
	outcomes := map[string]int{}
	checkUntil(t, have(outcomes, "allowed", "check failed", "no policy", InvalidType.String()), func(t *rapid.T) {
		for range 5 {
			compareWithOracle(t, generator{T: t}, testOptions, outcomes)
		}
	})
	t.Log(outcomes)
}

// TestRulesAgainstOracle is about rules that feed each other, and relations
// large enough to be indexed.
func TestRulesAgainstOracle(t *testing.T) {
	outcomes := map[string]int{}
	checkUntil(t, have(outcomes, "allowed", "many rounds", TooManyFacts.String()), func(t *rapid.T) {
		for range 10 {
			compareWithOracle(t, generator{T: t, relational: true}, &Options{Limits: Limits{Facts: 60, Iterations: 6, Steps: 1 << 40}}, outcomes)
		}
	})
	t.Log(outcomes)
}

// have reports whether all classes of outcomes have come up.
func have(outcomes map[string]int, classes ...string) func() bool {
	return func() bool {
		return !slices.ContainsFunc(classes, func(class string) bool { return outcomes[class] == 0 })
	}
}

// checkUntil checks a property until enough sorts of cases have come up: one that
// only ever saw denials would say nothing.
func checkUntil(t *testing.T, enough func() bool, property func(*rapid.T)) {
	t.Helper()
	for range 2000 {
		if rapid.Check(t, property); t.Failed() || enough() {
			return
		}
	}
	t.Error("the generated cases are all of one sort: the property says too little")
}

func compareWithOracle(t *rapid.T, g generator, options *Options, outcomes map[string]int) {
	a, blocks := g.authorizer(), g.token()
	var more []datalog.Predicate
	g.some(3, func() { more = append(more, g.fact()) })

	o := &oracle{blocks: blocks, externs: options.Externs, limits: options.Limits}
	want, wantErr := o.run(a, more)

	r, err := compile(t, a).Evaluate(blocks, more, options)
	if r == nil != !want.HasWorld {
		t.Fatalf("result %v, error %v", r, err)
	}
	equalVerdicts(t, verdictOf(r, err), want)
	if (wantErr == nil) != (err == nil) || err != nil && err.Error() != wantErr.Error() {
		t.Errorf("error %v, want %v", err, wantErr)
	}
	switch {
	case wantErr != nil:
		outcomes[wantErr.Kind.String()]++
	case want.Allowed:
		outcomes["allowed"]++
	case len(want.Failed) > 0:
		outcomes["check failed"]++
	default:
		outcomes["no policy"]++
	}
	if r != nil && r.Iterations() > 2 {
		outcomes["many rounds"]++
	}
}

func TestQueryAgainstOracle(t *testing.T) {
	answers := 0
	checkUntil(t, func() bool { return answers > 0 }, func(t *rapid.T) {
		g := generator{T: t}
		a := &datalog.Authorizer{Block: g.block(true)}
		blocks := g.token()
		a.Checks = nil
		for i := range blocks {
			blocks[i].Datalog.Checks = nil
		}
		rule := g.rule()
		o := &oracle{blocks: blocks, externs: testExterns, limits: testOptions.Limits}
		if _, err := o.run(a, nil); err != nil {
			return
		}
		r, err := compile(t, a).Evaluate(blocks, nil, testOptions)
		if err != nil {
			t.Fatal(err)
		}
		for _, all := range []bool{false, true} {
			ask, inherited := r.Query, []uint64{0}
			if all {
				ask = r.QueryAll
				for i := range blocks {
					inherited = append(inherited, uint64(i))
				}
			}
			got, err := ask(&rule)
			good, _, f := o.query(&rule.Query, o.trusted(rule.Scopes, inherited, AuthorizerBlock))
			var e *Error
			if errors.As(err, &e) != (f.kind != none) || e != nil && (e.Kind != f.kind || e.Place != InQuery) {
				t.Fatalf("error %v, want %v", err, f)
			}
			if err != nil {
				continue
			}
			var want []datalog.Predicate
			for _, s := range good {
				p := datalog.Predicate{Name: rule.Head.Name}
				for _, x := range rule.Head.Terms {
					if v, ok := x.(datalog.Variable); ok {
						x = s.vars[v]
					}
					p.Terms = append(p.Terms, x)
				}
				want = append(want, p)
			}
			same := func(a, b datalog.Predicate) bool { return comparePredicates(a, b) == 0 }
			slices.SortFunc(want, comparePredicates)
			want = slices.CompactFunc(want, same)
			if !slices.EqualFunc(got, want, same) {
				t.Errorf("%v, want %v", got, want)
			}
			answers += len(got)
		}
	})
}

// TestFactOrder: neither the outcome nor the work depends on the order of
// facts in a block.
func TestFactOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := generator{T: t}
		g.relational = g.one(3)
		a, blocks := g.authorizer(), g.token()
		o := *testOptions
		if g.one(3) {
			o.Limits.Steps = 1 + g.n(2000)
		}
		r1, err1 := compile(t, a).Evaluate(blocks, nil, &o)
		v1 := verdictOf(r1, err1)

		b := *a
		b.Facts = shuffled(t, a.Facts)
		var moved []Block
		for _, x := range blocks {
			d := *x.Datalog
			d.Facts = shuffled(t, d.Facts)
			moved = append(moved, Block{Datalog: &d, External: x.External})
		}
		r2, err2 := compile(t, &b).Evaluate(moved, nil, &o)
		equalVerdicts(t, verdictOf(r2, err2), v1)
		var e1, e2 *Error
		if errors.As(err1, &e1) != errors.As(err2, &e2) {
			t.Fatalf("error %v, then %v", err1, err2)
		}
		if r1 == nil {
			return
		}
		// The index at fault of a fact, and only that, may move with the fact.
		if e1 != nil && e1.Error() != e2.Error() {
			t.Errorf("error %v, then %v", err1, err2)
		}
		if (e1 == nil || e1.Kind != TooManySteps) && r1.Steps() != r2.Steps() {
			t.Errorf("%d steps, then %d", r1.Steps(), r2.Steps())
		}
	})
}

func shuffled(t *rapid.T, facts []datalog.Predicate) []datalog.Predicate {
	if len(facts) < 2 {
		return facts
	}
	return rapid.Permutation(facts).Draw(t, "facts")
}

// TestUnrelatedFacts: facts of a name that nothing mentions change nothing but
// the world.
func TestUnrelatedFacts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := generator{T: t}
		a, blocks := g.authorizer(), g.token()
		o := *testOptions
		o.Limits.Facts = 1000
		r, err := compile(t, a).Evaluate(blocks, nil, &o)
		before := verdictOf(r, err)
		before.World = nil
		for i := range blocks {
			d := *blocks[i].Datalog
			for k := range g.n(20) {
				f := datalog.Predicate{Name: "unrelated", Terms: []datalog.Term{datalog.Integer(k)}}
				d.Facts = slices.Insert(slices.Clone(d.Facts), g.n(len(d.Facts)+1), f)
			}
			blocks[i].Datalog = &d
		}
		r, err = compile(t, a).Evaluate(blocks, nil, &o)
		after := verdictOf(r, err)
		after.World = nil
		equalVerdicts(t, after, before)
	})
}

// TestAppendedBlock: whatever a holder appends, what was denied stays denied.
func TestAppendedBlock(t *testing.T) {
	denied, allowed := 0, 0
	checkUntil(t, func() bool { return denied > 0 && allowed > 0 }, func(t *rapid.T) {
		g := generator{T: t}
		a, blocks := g.authorizer(), g.token()
		if len(blocks) == 0 {
			b := g.block(true)
			blocks = []Block{{Datalog: &b}}
		}
		c := compile(t, a)
		r, err := c.Evaluate(blocks, nil, testOptions)
		extra := g.block(true)
		r2, err2 := c.Evaluate(append(blocks, Block{Datalog: &extra}), nil, testOptions)
		if err2 == nil && r2.Allowed() {
			allowed++
			if err != nil || !r.Allowed() {
				t.Errorf("denied (%v), allowed with the block\n%s", err, extra)
			}
		} else {
			denied++
		}
	})
}

// TestCompare: values are ordered as their terms are, equal values have equal
// numbers, and terms survive.
func TestCompare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := generator{T: t}
		w := new(world)
		w.empty()
		a, b := g.term(ofAny, 3), g.term(ofAny, 3)
		x, f := w.intern(a)
		y, f2 := w.intern(b)
		if f.kind != none || f2.kind != none {
			t.Fatal(f, f2)
		}
		if got, want := w.compare(x, y), datalog.Compare(a, b); got != want {
			t.Errorf("compare(%v, %v) = %d, want %d", a, b, got, want)
		}
		if (x == y) != datalog.Equal(a, b) {
			t.Errorf("%v and %v have the values %v and %v", a, b, x, y)
		}
		if back := w.term(x); !datalog.Equal(back, a) {
			t.Errorf("%v came back as %v", a, back)
		}
	})
}
