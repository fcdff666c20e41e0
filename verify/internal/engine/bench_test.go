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

func BenchmarkTransitiveClosure(b *testing.B) {
	a := compile(b, pathAuthorizer(b, 300))
	o := &Options{Limits: Limits{Facts: 50_000, Iterations: 400, Steps: 10_000_000}}
	b.ReportAllocs()
	for b.Loop() {
		r, err := a.Evaluate(nil, nil, o)
		if err != nil || !r.Allowed() {
			b.Fatal(err)
		}
	}
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
