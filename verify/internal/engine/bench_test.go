package engine

import (
	"fmt"
	"testing"

	"github.com/whittle-auth/whittle/token/datalog"
)

// benchToken is the token on which Biscuit implementations are compared: rights
// and a time check in block 0, a resource and a time check in each further
// block.
func benchToken(t fataler, blocks int) []Block {
	parts := []any{`
		right("file1", "read"); right("file2", "read"); right("file1", "write");
		check if time($t), $t < 2100-01-01T00:00:00Z;`}
	for range blocks - 1 {
		parts = append(parts, `
			check if resource($r), $r == "file1";
			check if time($t), $t < 2099-01-01T00:00:00Z;`)
	}
	return token(t, parts...)
}

const benchFacts = `time(2026-11-23T12:00:00Z); resource("file1"); operation("read");`

func BenchmarkAuthorize(b *testing.B) {
	for _, n := range []int{1, 3, 5, 10} {
		b.Run(fmt.Sprintf("%d blocks", n), func(b *testing.B) {
			a := authorizer(b, `allow if resource($r), operation($o), right($r, $o);`)
			blocks, request := benchToken(b, n), facts(b, benchFacts)
			b.ReportAllocs()
			for b.Loop() {
				r, err := a.Evaluate(blocks, request, nil)
				if err != nil || !r.Allowed() {
					b.Fatal(err)
				}
			}
		})
	}
}

// raised are limits out of the way.
var raised = &Options{Limits: Limits{Facts: 1_000_000, Iterations: 10_000, Steps: 1 << 40}}

func BenchmarkTransitiveClosure(b *testing.B) {
	for _, n := range []int{100, 300, 1000} {
		b.Run(fmt.Sprintf("%d edges", n), func(b *testing.B) {
			benchmarkEvaluate(b, compile(b, pathAuthorizer(b, n)), nil)
		})
	}
}

func BenchmarkRules(b *testing.B) {
	for _, n := range []struct{ rules, facts int }{{1, 10}, {1, 1000}, {20, 1000}, {200, 1000}} {
		b.Run(fmt.Sprintf("%d rules, %d facts", n.rules, n.facts), func(b *testing.B) {
			benchmarkEvaluate(b, compile(b, grantsAuthorizer(n.rules, n.facts)), facts(b, `user("user 0"); file("file 0");`))
		})
	}
}

func benchmarkEvaluate(b *testing.B, a *Authorizer, request []datalog.Predicate) {
	b.ReportAllocs()
	for b.Loop() {
		r, err := a.Evaluate(nil, request, raised)
		if err != nil || !r.Allowed() {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	source, err := datalog.ParseAuthorizer(benchFacts+`allow if resource($r), operation($o), right($r, $o);`, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		compile(b, source)
	}
}

// grantsAuthorizer makes each user a member of one group, and gives the members of
// each group one file by a rule of its own.
func grantsAuthorizer(rules, facts int) *datalog.Authorizer {
	name := func(what string, i int) datalog.Term { return datalog.String(fmt.Sprint(what, " ", i)) }
	user, file := datalog.Variable("u"), datalog.Variable("f")
	a := &datalog.Authorizer{}
	for i := range facts {
		a.Facts = append(a.Facts, datalog.Predicate{Name: "member", Terms: []datalog.Term{name("user", i), name("group", i%rules)}})
	}
	for i := range rules {
		a.Rules = append(a.Rules, datalog.Rule{
			Head:  datalog.Predicate{Name: "granted", Terms: []datalog.Term{name("file", i), user}},
			Query: datalog.Query{Body: []datalog.Predicate{{Name: "member", Terms: []datalog.Term{user, name("group", i)}}}},
		})
	}
	a.Policies = []datalog.Policy{{Kind: datalog.Allow, Queries: []datalog.Query{{Body: []datalog.Predicate{
		{Name: "user", Terms: []datalog.Term{user}}, {Name: "file", Terms: []datalog.Term{file}}, {Name: "granted", Terms: []datalog.Term{file, user}},
	}}}}}
	return a
}

// pathAuthorizer derives all connections along a path of n edges.
func pathAuthorizer(t fataler, n int) *datalog.Authorizer {
	t.Helper()
	a, err := datalog.ParseAuthorizer(fmt.Sprintf(`
		path($x, $y) <- edge($x, $y);
		path($x, $z) <- path($x, $y), edge($y, $z);
		allow if path(0, %d);`, n), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		a.Facts = append(a.Facts, datalog.Predicate{Name: "edge", Terms: []datalog.Term{datalog.Integer(i), datalog.Integer(i + 1)}})
	}
	return a
}
