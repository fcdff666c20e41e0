package engine

import (
	"testing"

	"github.com/whittle-auth/whittle/token/datalog"
)

// FuzzEvaluate evaluates whatever parses, twice: here and with the oracle.
func FuzzEvaluate(f *testing.F) {
	for _, s := range [][2]string{
		{`allow if true;`, `check if [hex:00] == [hex:00];`},
		{`right("a"); allow if right($x), op($x);`, `op("a"); check all op($x), $x.matches("[a-z]");`},
		{`p($x) <- q($x, $y), p($y); p(1); allow if p(3);`, `q(2, 1); q(3, 2); reject if q($x, $x);`},
		{`allow if {1, 2}.union({3}).contains({3}), [1].get(-1) == null;`, `check if {"a": 1}.any($p -> $p.get(1) == 1);`},
		{`deny if p(1) trusting previous; allow if (1 / 0).try_or(true);`, `trusting authority; p(1); check if "x".extern::same() == "x";`},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, authorizerSource, blockSource string) {
		a, err := datalog.ParseAuthorizer(authorizerSource, nil)
		if err != nil {
			return
		}
		b, err := datalog.ParseBlock(blockSource, nil)
		if err != nil {
			return
		}
		blocks := []Block{{Datalog: &datalog.Block{}}, {Datalog: b, External: &testKeys[0]}, {Datalog: b}}
		options := &Options{Externs: testExterns, Limits: Limits{Facts: 30, Iterations: 5, Steps: 20_000}}
		c, err := Compile(a)
		if err != nil {
			t.Fatalf("what parses does not compile: %v", err)
		}
		r, err := c.Evaluate(blocks, nil, options)
		if p, ok := c.Prepare(blocks[:2], options.Limits); ok {
			prepared, preparedErr := p.Evaluate(nil, blocks[2:], nil, options)
			if kindOf(t, preparedErr) != kindOf(t, err) || err == nil && prepared.Allowed() != r.Allowed() {
				t.Fatalf("prepared: %v, %v, otherwise %v, %v", prepared, preparedErr, r, err)
			}
		}
		if k := kindOf(t, err); k == TooManySteps || k == Malformed {
			return
		}
		o := &oracle{blocks: blocks, externs: testExterns, limits: options.Limits}
		want, _ := o.run(a, nil)
		equalVerdicts(t, verdictOf(r, err), want)
	})
}
