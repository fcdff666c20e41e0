package engine

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/whittle-auth/whittle/token/datalog"
)

// TestPreparedIsTheSame: blocks compiled beforehand change no verdict, no error, no
// fact and no count of steps, at any limit.
func TestPreparedIsTheSame(t *testing.T) {
	outcomes := map[string]int{}
	checkUntil(t, have(outcomes, "allowed", "check failed", InvalidType.String(), TooManySteps.String(), TooManyFacts.String(), "told", "not loaded"), func(t *rapid.T) {
		g := generator{T: t}
		a, blocks := compile(t, g.authorizer()), append(g.token(), Block{Datalog: new(datalog.Block)})
		split := 1 + g.n(len(blocks))
		for i := range split {
			without := *blocks[i].Datalog
			without.Rules = nil
			blocks[i].Datalog = &without
		}
		options := &Options{Externs: testExterns, Limits: Limits{
			Facts: 1 + g.n(40), Iterations: 6, Steps: pick(g, []int{1, 20, 60, 200, 600, 2000, 1 << 40}),
		}}
		var request []datalog.Predicate
		g.some(3, func() { request = append(request, g.fact()) })
		told := make([][]datalog.Predicate, g.n(split+1))
		for b := range told {
			g.some(2, func() { told[b] = append(told[b], g.fact()); outcomes["told"]++ })
		}

		p, ok := a.Prepare(blocks[:split], options.Limits)
		if !ok {
			outcomes["not prepared"]++
			return
		}
		for range 2 { // nothing of the first may be left for the second
			got, gotErr := p.Evaluate(told, blocks[split:], request, options)
			want, wantErr := a.Evaluate(p.all(told, blocks[split:]), request, options)
			if kindOf(t, gotErr) != kindOf(t, wantErr) {
				t.Fatalf("error %v, want %v", gotErr, wantErr)
			}
			if (got == nil) != (want == nil) {
				t.Fatalf("result %v, want %v", got, want)
			}
			if gotErr != nil {
				outcomes[kindOf(t, gotErr).String()]++
			}
			if got == nil { // nothing was decided, and both say which fact it failed at
				if gotErr.Error() != wantErr.Error() {
					t.Fatalf("%v, want %v", gotErr, wantErr)
				}
				outcomes["not loaded"]++
				return
			}
			// Work ends somewhere within the step that goes beyond a limit.
			if kindOf(t, wantErr) != TooManySteps && got.steps != want.steps {
				t.Fatalf("%d steps, want %d", got.steps, want.steps)
			}
			equalVerdicts(t, verdictOf(got, gotErr), verdictOf(want, wantErr))
			if kindOf(t, wantErr) != TooManySteps && !reflect.DeepEqual(got.World(), want.World()) {
				t.Fatalf("world\n%v, want\n%v", got.World(), want.World())
			}
			switch {
			case gotErr != nil:
			case got.Allowed():
				outcomes["allowed"]++
			case len(got.Failed) > 0:
				outcomes["check failed"]++
			}
		}
	})
	t.Log(outcomes)
}

// TestPreparedBlocksWithRules: what needs rounds of rules is not to be had
// beforehand, and neither is what no evaluation accepts.
func TestPreparedBlocksWithRules(t *testing.T) {
	a := authorizer(t, `allow if true;`)
	for _, source := range []string{`p($x) <- q($x);`, `check if p({1, 2}), [1, 1].length() == 2 or q($x), $x.matches("a");`} {
		_, ok := a.Prepare(token(t, source), Limits{})
		if want := source[0] == 'c'; ok != want {
			t.Errorf("%s: prepared %v", source, ok)
		}
	}
	if _, ok := a.Prepare(nil, Limits{}); ok {
		t.Error("no blocks were prepared")
	}
	if _, ok := a.Prepare(token(t, `p(1); p(2);`), Limits{Facts: 1}); ok {
		t.Error("more facts than the limit were prepared")
	}
	if _, ok := a.Prepare(make([]Block, wordBlocks), Limits{}); ok {
		t.Error("too many blocks were prepared")
	}
}

// TestPreparedIsPaidFor: what is compiled beforehand costs as much as if it were not, and
// a prepared block's facts are its own.
func TestPreparedIsPaidFor(t *testing.T) {
	a := authorizer(t, `allow if true;`)
	blocks := token(t, `check if b(1) or c($x), $x < 3;`, `b(1);`)
	p, ok := a.Prepare(blocks, Limits{})
	if !ok {
		t.Fatal("not prepared")
	}
	got, err := p.Evaluate(nil, nil, nil, nil)
	if err != nil || got.Allowed() {
		t.Fatalf("%+v, %v", got, err)
	}
	if want, err := a.Evaluate(blocks, nil, nil); err != nil || got.steps != want.steps {
		t.Errorf("%d steps, want %d, %v", got.steps, want.steps, err)
	}
}

// TestToldToOneBlock: what a block is told counts as that block's, whom the others do not
// trust.
func TestToldToOneBlock(t *testing.T) {
	a := authorizer(t, `allow if true;`)
	p, ok := a.Prepare(token(t, `check if b(1);`, `c(1);`), Limits{})
	if !ok {
		t.Fatal("not prepared")
	}
	for block, allowed := range []bool{true, false} {
		told := make([][]datalog.Predicate, 2)
		told[block] = facts(t, `b(1);`)
		if r, err := p.Evaluate(told, nil, nil, nil); err != nil || r.Allowed() != allowed {
			t.Errorf("told to block %d: %v, %v", block, r.Allowed(), err)
		}
	}
}

// TestPreparedAllocates: an evaluation of prepared blocks makes its result and nothing
// else.
func TestPreparedAllocates(t *testing.T) {
	if underRace {
		t.Skip("the race detector makes pools forget, so that memory is taken anew")
	}
	p, ok := authorizer(t, `allow if true;`).Prepare(token(t, `check all resource($r), $r == "a" || $r.starts_with("a/"); check all n($n), [1, 2].contains($n);`), Limits{})
	if !ok {
		t.Fatal("not prepared")
	}
	request := facts(t, `resource("a/b"); n(2);`)
	if n := testing.AllocsPerRun(100, func() {
		if r, err := p.Evaluate(nil, nil, request, nil); err != nil || !r.Allowed() {
			t.Fatalf("%v, %v", r, err)
		}
	}); n > 2 {
		t.Errorf("%v allocations", n)
	}
}
