package engine

import (
	"fmt"
	"testing"

	"github.com/whittle-auth/whittle/token/datalog"
)

// TestRulesAllocate: an evaluation with rules works in memory that is lent, however
// many facts it derives.
func TestRulesAllocate(t *testing.T) {
	if underRace {
		t.Skip("the race detector makes pools forget, so that memory is taken anew")
	}
	request := facts(t, `user("user 0"); file("file 0");`)
	for name, a := range map[string]*datalog.Authorizer{"rules": grantsAuthorizer(200, 1000), "rounds": pathAuthorizer(t, 100)} {
		compiled := compile(t, a)
		if n := testing.AllocsPerRun(20, func() {
			if r, err := compiled.Evaluate(nil, request, raised); err != nil || !r.Allowed() {
				t.Fatal(r, err)
			}
		}); n > 2 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// TestLargeMemoryIsGivenUp: what many facts took is lent again while many come, and given
// up when few do for a while.
func TestLargeMemoryIsGivenUp(t *testing.T) {
	use := func(e *evaluation, facts int) bool {
		e.facts = facts
		return e.keep()
	}
	e := new(evaluation)
	for range 3 {
		if !use(e, 100_000) || !use(e, 10) || !use(e, 90_000) {
			t.Fatal("given up while many facts come")
		}
	}
	uses := 1
	for use(e, 10) {
		if uses++; uses > 100 {
			t.Fatal("kept for few facts")
		}
	}
	small := new(evaluation)
	for range 100 {
		if !use(small, 10) {
			t.Fatal("small memory is given up")
		}
	}
}

// TestConstantsInRules: rules that each look for another constant find their facts by
// an index, and pay as much as if they had tried every fact.
func TestConstantsInRules(t *testing.T) {
	const rules, given = 200, 1000
	a := compile(t, grantsAuthorizer(rules, given))
	e := new(evaluation)
	e.start(a, &a.base, nil, nil, Limits{Facts: 10_000, Iterations: 10, Steps: 1 << 40})
	if err := e.load(nil, 0); err != nil {
		t.Fatal(err)
	}
	loaded := e.steps
	if err := e.derive(); err != nil {
		t.Fatal(err)
	}
	const derived = given // each with a head of two terms
	if got, want := e.steps-loaded, rules*given+3*derived; got != want || e.facts != given+derived {
		t.Errorf("%d steps for %d facts, want %d", got, e.facts, want)
	}
	r := &e.relations[e.relation(e.symbol("member"), 2, false)]
	if len(r.indexes) != 1 || r.indexes[0].scanned != enoughScans || r.indexes[0].built != given {
		t.Errorf("indexes %+v, want one over all members after %d scans", r.indexes, enoughScans)
	}
}

// TestManyBlocksRepeat: a fact that the authorizer has already is known as such
// however many words the origins of a token's blocks take.
func TestManyBlocksRepeat(t *testing.T) {
	var a datalog.Authorizer
	for i := range 2 * fewRows {
		a.Facts = append(a.Facts, datalog.Predicate{Name: "p", Terms: []datalog.Term{datalog.Integer(i)}})
	}
	for _, blocks := range []int{1, 63, 64, 200} {
		parts := make([]any, blocks)
		for i := range parts {
			parts[i] = fmt.Sprintf("p(%d);", i)
		}
		r, err := compile(t, &a).Evaluate(token(t, parts...), a.Facts[5:], nil)
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		for _, g := range r.World() {
			got += len(g.Facts)
		}
		if want := len(a.Facts) + blocks; got != want {
			t.Errorf("%d blocks: %d facts, want %d", blocks, got, want)
		}
	}
}

// TestCompileAllocates: an authorizer is an exact copy of what was compiled in memory
// that is lent.
func TestCompileAllocates(t *testing.T) {
	if underRace {
		t.Skip("the race detector makes pools forget, so that memory is taken anew")
	}
	source, err := datalog.ParseAuthorizer(benchFacts+`allow if resource($r), operation($o), right($r, $o);`, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() { compile(t, source) }); n > 11 {
		t.Errorf("%v allocations", n)
	}
}

// TestExpectedMemory: the second of two large evaluations takes about as much memory as
// its facts need, and an evaluation that stays small takes none on account of the first.
func TestExpectedMemory(t *testing.T) {
	a := compile(t, pathAuthorizer(t, 300))
	derive := func() *relation {
		e := new(evaluation)
		e.start(a, &a.base, nil, nil, raised.Limits)
		if err := e.load(nil, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := e.finish(&Result{}); err != nil {
			t.Fatal(err)
		}
		return &e.relations[1]
	}
	const rows = 300 * 301 / 2
	first, second := derive(), derive()
	if first.n != rows || second.n != rows || second.expected != rows {
		t.Fatalf("%d rows, %d rows of %d expected", first.n, second.n, second.expected)
	}
	if got := cap(second.rows); got < 2*rows || got > 2*rows*5/4 {
		t.Errorf("room for %d values, %d are needed", got, 2*rows)
	}
	if got, want := cap(second.slots), cap(first.slots); got != want {
		t.Errorf("%d slots, without expectation %d", got, want)
	}
	small := relation{arity: 2, expected: rows}
	var w world
	w.empty()
	for i := range 100 {
		small.add(&w, []value{integer(int64(i)), integer(1)}, []uint64{1})
	}
	if cap(small.rows) > 1000 || cap(small.slots) > 1000 {
		t.Errorf("100 facts have room for %d values and %d slots", cap(small.rows), cap(small.slots))
	}
}
