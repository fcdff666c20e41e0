package engine

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token/datalog"
)

// kindOf is the kind of an error of this package, or none.
func kindOf(t fataler, err error) ErrorKind {
	t.Helper()
	if err == nil {
		return none
	}
	var e *Error
	if !errors.As(err, &e) {
		t.Fatal(err, "is no *Error")
	}
	return e.Kind
}

func TestFactLimit(t *testing.T) {
	given := facts(t, `p(1); p(2); p(3);`)
	a := authorizer(t, `q($x) <- p($x); allow if true;`)
	for limit, want := range map[int]ErrorKind{2: TooManyFacts, 5: TooManyFacts, 6: none} {
		r, err := a.Evaluate(nil, given, &Options{Limits: Limits{Facts: limit}})
		if got := kindOf(t, err); got != want {
			t.Errorf("limit %d: %v, want %v", limit, got, want)
		}
		if limit == 5 && (r == nil || r.Allowed() || len(r.World()[0].Facts) != 3) {
			t.Errorf("result %+v, want the three given facts", r)
		}
	}
	// Duplicates count once, the same fact with two origins twice.
	_, err := authorizer(t, `p(1); p(1); allow if true;`).Evaluate(token(t, `p(1); p(1);`), nil, &Options{Limits: Limits{Facts: 2}})
	if err != nil {
		t.Error(err)
	}
	var many []datalog.Predicate
	for i := range defaultFacts + 1 {
		many = append(many, datalog.Predicate{Name: "p", Terms: []datalog.Term{datalog.Integer(i)}})
	}
	_, err = authorizer(t, `allow if true;`).Evaluate(nil, many[1:], nil)
	if err != nil {
		t.Error(err)
	}
	_, err = authorizer(t, `allow if true;`).Evaluate(nil, many, nil)
	if kindOf(t, err) != TooManyFacts {
		t.Errorf("%v, want too many facts", err)
	}
}

func TestIterationLimit(t *testing.T) {
	for n, want := range map[int]ErrorKind{99: none, 100: TooManyIterations} {
		r, err := compile(t, pathAuthorizer(t, n)).Evaluate(nil, nil, &Options{Limits: Limits{Facts: 10_000}})
		if got := kindOf(t, err); got != want {
			t.Errorf("%d edges: %v, want %v", n, got, want)
		}
		if r.Allowed() != (want == none) {
			t.Errorf("%d edges: allowed %v", n, r.Allowed())
		}
		if want == none && r.Iterations() != n {
			t.Errorf("%d edges: %d iterations", n, r.Iterations())
		}
	}
}

func TestNegativeLimits(t *testing.T) {
	for _, l := range []Limits{{Facts: -1}, {Iterations: -1}, {Steps: -1}} {
		r, err := authorizer(t, `allow if true;`).Evaluate(nil, nil, &Options{Limits: l})
		if kindOf(t, err) != Malformed || r != nil {
			t.Errorf("%+v: %v, %v", l, r, err)
		}
	}
}

// TestStepLimit: hostile programs end, by their number of steps.
func TestStepLimit(t *testing.T) {
	var wide strings.Builder
	for i := range 100 {
		fmt.Fprintf(&wide, "p(%d); ", i)
	}
	long := strings.Repeat("a", 100_000)
	for name, src := range map[string]string{
		"cross product in a check": wide.String() + `check if p($a), p($b), p($c), p($d), p($e), $a == 1000;`,
		"cross product in a rule":  wide.String() + `q(0) <- p($a), p($b), p($c), p($d), p($e), $a == 1000;`,
		"nested quantifiers":       wide.String() + `check if p($x), ` + nested(9) + `;`,
		"growing strings":          `s("` + long + `"); check if s($x), (` + strings.TrimSuffix(strings.Repeat("$x + ", 200), " + ") + `).length() == 1;`,
		"regular expression":       `s("` + long + `"); check if s($x), $x.matches("(a*)*b(a*)*c(a*)*d(a*)*e(a*)*f(a*)*g(a*)*h(a*)*i");`,
		"many regular expressions": `s("a"); check if s($x), [` + patterns(1000) + `].any($r -> $x.matches($r));`,
		"try_or does not hide it":  wide.String() + `check if p($a), (` + nested(9) + `).try_or(true);`,
		"many checks":              wide.String() + strings.Repeat(`check if p($a), p($b), $a == 0, $b == 0; `, 200),
	} {
		a := authorizer(t, `allow if true;`)
		blocks := token(t, src)
		r, err := a.Evaluate(blocks, nil, nil)
		if kindOf(t, err) != TooManySteps {
			t.Errorf("%s: %v, want too many steps", name, err)
			continue
		}
		if r.Allowed() {
			t.Errorf("%s: allowed", name)
		}
		if limit := defaultSteps + defaultSteps/2; r.Steps() < defaultSteps || r.Steps() > limit && !strings.Contains(name, "regular") {
			t.Errorf("%s: %d steps", name, r.Steps())
		}
	}
}

// nested visits 10^depth elements.
func nested(depth int) string {
	s := "true"
	for i := range depth {
		s = fmt.Sprintf("[0, 1, 2, 3, 4, 5, 6, 7, 8, 9].all($n%d -> %s)", i, s)
	}
	return s
}

func patterns(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`"(x|y|%d)%s"`, i, strings.Repeat("z", 60)))
	}
	return strings.Join(list, ", ")
}

// TestStepsAreSmall: an ordinary request is far from the limit, and the work
// grows in proportion to the blocks.
func TestStepsAreSmall(t *testing.T) {
	a := authorizer(t, `allow if resource($r), operation($o), right($r, $o);`)
	request := facts(t, benchFacts)
	steps := func(blocks int) int {
		r, err := a.Evaluate(benchToken(t, blocks), request, nil)
		if err != nil || !r.Allowed() {
			t.Fatal(r, err)
		}
		return r.Steps()
	}
	one, two, ten := steps(1), steps(2), steps(10)
	if one > 150 || ten-one != 9*(two-one) {
		t.Errorf("1, 2 and 10 blocks take %d, %d and %d steps", one, two, ten)
	}
}

// TestStepsOfText: work on text costs steps in proportion to its bytes.
func TestStepsOfText(t *testing.T) {
	steps := func(n int, src string) int {
		r, err := authorizer(t, `allow if true;`).Evaluate(token(t, strings.ReplaceAll(src, "TEXT", strings.Repeat("a", n))), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r.Steps()
	}
	const small, large = 1000, 65_000
	for src, perByte := range map[string]float64{
		`s("TEXT");`: 1.0 / 64,
		`s("TEXT"); check if s($x), $x + $x == "";`:          1.0/64 + 2.0/64 + 2.0/8,
		`s("TEXT"); check if s($x), $x.contains("b");`:       1.0/64 + 1.0/8,
		`s("TEXT"); check if s($x), "b".starts_with($x);`:    1.0/64 + 1.0/64,
		`s("TEXT"); check if s($x), $x.matches("aaaa$");`:    1.0/64 + 5.0/4,
		`check if {"TEXT1"}.union({"TEXT2"}) == {,};`:        2.0/64 + 1.0/64,
		`check if {"TEXT1"}.intersection({"TEXT2"}) == {1};`: 2.0/64 + 1.0/64,
	} {
		want := int(perByte * (large - small))
		if got := steps(large, src) - steps(small, src); got < want-5 || got > want*3/2+5 {
			t.Errorf("%s: %d more steps, want about %d", src, got, want)
		}
	}
	// The pattern itself is paid for once, whatever it is used on.
	one := steps(1, `s("x"); check if s($x), $x.matches("(b|c){100}");`)
	two := steps(1, `s("x"); s("y"); check if s($x), $x.matches("(b|c){100}");`)
	if one < 1100 || two-one > 600 {
		t.Errorf("one match takes %d steps, two take %d", one, two)
	}
}

// TestTransitiveClosure: the work follows the number of ways to join two paths,
// not the number of pairs of facts.
func TestTransitiveClosure(t *testing.T) {
	const n = 100
	const paths = n * (n + 1) / 2
	const joins = (n - 1) * n * (n + 1) / 6 // pairs of paths that share an end
	o := &Options{Limits: Limits{Facts: 50_000, Iterations: 400, Steps: 100_000_000}}
	for name, c := range map[string]struct{ rule, want string }{
		"left":      {`path($x, $z) <- path($x, $y), edge($y, $z);`, "linear"},
		"right":     {`path($x, $z) <- edge($x, $y), path($y, $z);`, "linear"},
		"nonlinear": {`path($x, $z) <- path($x, $y), path($y, $z);`, "cubic"},
	} {
		a := pathAuthorizer(t, n)
		rule, err := datalog.ParseRule(c.rule, nil)
		if err != nil {
			t.Fatal(err)
		}
		a.Rules[1] = rule
		r, err := compile(t, a).Evaluate(nil, nil, o)
		if err != nil || !r.Allowed() {
			t.Fatal(name, r, err)
		}
		if got := len(r.World()[0].Facts); got != paths+n {
			t.Errorf("%s: %d facts, want %d", name, got, paths+n)
		}
		low, high := 6*paths, 7*paths
		if c.want == "cubic" {
			low, high = 4*joins, 17*joins/4
		}
		if r.Steps() < low || r.Steps() > high {
			t.Errorf("%s: %d steps, want between %d and %d", name, r.Steps(), low, high)
		}
	}
}

// TestLargeRelations: a relation searched by an index gives what one searched
// row by row gives.
func TestLargeRelations(t *testing.T) {
	for _, n := range []int{2, fewRows, fewRows + 1, manyRows, manyRows + 1, 500} {
		var src strings.Builder
		for i := range n {
			fmt.Fprintf(&src, "p(%d, %d); ", i, (i+1)%n)
		}
		last := n - 1
		for query, want := range map[string]bool{
			fmt.Sprintf(`p(%d, $x), p($x, $y)`, last):              true,
			fmt.Sprintf(`p($x, %d), p($y, $x)`, last):              true,
			fmt.Sprintf(`p(%d, 0)`, last):                          true,
			fmt.Sprintf(`p(%d, 1)`, last):                          n == 1,
			`p($x, $x)`:                                            false,
			`p(0, $x), p($y, $y)`:                                  false,
			`p($x, $y), p($y, $x)`:                                 n == 2,
			`p($x, $y), p($y, $z), p($z, $z)`:                      false,
			fmt.Sprintf(`p("%d", $x)`, last):                       false,
			fmt.Sprintf(`same($z, $z), p(%d, $x), p($x, 1)`, last): true,
		} {
			a := authorizer(t, src.String()+`same(7, 7); same(7, 8); allow if `+query+`;`)
			if got := allowed(t, a, nil); got != want {
				t.Errorf("%d rows, %s: %v, want %v", n, query, got, want)
			}
		}
		// The first match leaves a value behind that the second must not find.
		loops := src.String()
		for i := range n {
			loops += fmt.Sprintf("q(%d, %d); ", i, i+1)
		}
		if !allowed(t, authorizer(t, loops+fmt.Sprintf(`q(%d, %d); allow if q($x, $x);`, n+5, n+5)), nil) {
			t.Errorf("%d rows: a repeated variable finds nothing", n)
		}
	}
}

// TestQueryBudget: a query has a budget of its own, and it is bounded.
func TestQueryBudget(t *testing.T) {
	a := authorizer(t, `p(1); p(2); p(3); allow if p($a), p($b), p($c), p($d), $a == 3;`)
	probe, err := a.Evaluate(nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := a.Evaluate(nil, nil, &Options{Limits: Limits{Steps: probe.Steps()}})
	if err != nil {
		t.Fatal(err)
	}
	cheap, dear := datalog.Rule{}, datalog.Rule{}
	for src, rule := range map[string]*datalog.Rule{
		`q($a) <- p($a)`: &cheap, `q($a) <- p($a), p($b), p($c), p($d), p($e), p($f)`: &dear,
	} {
		if *rule, err = datalog.ParseRule(src, nil); err != nil {
			t.Fatal(err)
		}
	}
	for range 50 {
		if got, err := r.Query(&cheap); err != nil || len(got) != 3 {
			t.Fatal(got, err)
		}
	}
	if _, err := r.Query(&dear); kindOf(t, err) != TooManySteps {
		t.Errorf("%v, want too many steps", err)
	}
}

func TestRegexSize(t *testing.T) {
	for pattern, want := range map[string]ErrorKind{
		strings.Repeat("a", maxPattern):             none,
		strings.Repeat("a", maxPattern+1):           TooManySteps,
		"a{1000}":                                   none,
		"a{1001}":                                   TooManySteps, // Rust accepts it
		"(?:a{10}b{10}c{10}d{10}){1,100}":           none,
		"(?:" + strings.Repeat("a", 100) + "){500}": TooManySteps,
		strings.Repeat("(", 1500):                   none,
		strings.Repeat("(", 1500) + "a" + strings.Repeat(")", 1500): TooManySteps,
		"a{1,2000}":           TooManySteps,
		"a{2000,1}":           none,
		"(?:a{1,100}){1,100}": TooManySteps,
		"a{2,1}":              none,
		`(?<name>x)\k<name>`:  none,
	} {
		s := datalog.String(pattern)
		check := datalog.Check{Kind: datalog.RejectIf, Queries: []datalog.Query{{Exprs: []datalog.Expr{
			datalog.Binary{Op: datalog.OpRegex, Left: datalog.Value{Term: datalog.String("zzz")}, Right: datalog.Value{Term: s}},
		}}}}
		allow := datalog.Policy{Queries: []datalog.Query{{}}}
		in := &datalog.Authorizer{Block: datalog.Block{Checks: []datalog.Check{check}}, Policies: []datalog.Policy{allow}}
		r1, err := compile(t, in).Evaluate(nil, nil, nil)
		if got := kindOf(t, err); got != want || r1.Allowed() != (want == none) {
			t.Errorf("%.40q: %v, want %v", pattern, got, want)
		}
		tried := datalog.Binary{Op: datalog.OpTryOr, Left: check.Queries[0].Exprs[0], Right: datalog.Value{Term: datalog.Bool(true)}}
		_, err = compile(t, &datalog.Authorizer{Policies: []datalog.Policy{{Queries: []datalog.Query{{Exprs: []datalog.Expr{tried}}}}}}).Evaluate(nil, nil, nil)
		if got := kindOf(t, err); got != want {
			t.Errorf("%.40q inside try_or: %v, want %v", pattern, got, want)
		}
		// The same from a token, where nothing is compiled beforehand.
		in.Checks = nil
		r2, err := compile(t, in).Evaluate([]Block{{Datalog: &datalog.Block{Checks: []datalog.Check{check}}}}, nil, nil)
		if got := kindOf(t, err); got != want {
			t.Errorf("%.40q in a token: %v, want %v", pattern, got, want)
		}
		if r1.Allowed() != r2.Allowed() {
			t.Errorf("%.40q: %v, in a token %v", pattern, r1.Allowed(), r2.Allowed())
		}
	}
}
