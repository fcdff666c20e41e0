package work

import (
	"time"

	"github.com/whittle-auth/whittle/bench/measure"
	"github.com/whittle-auth/whittle/bench/peers"
	"github.com/whittle-auth/whittle/token/datalog"
)

// Closures is the group of recursion.
const Closures = "Recursion"

// Closure is the work of the group: all pairs that a path connects. A path of n edges
// has n*(n+1)/2 of them.
const Closure = "transitive closure of a path"

// EdgeCounts are the sizes of the path.
var EdgeCounts = []int{100, 300, 1000}

// Patience is how long one decision of a peer may take.
func Patience(quick bool) time.Duration {
	if quick {
		return 2 * time.Second
	}
	return time.Minute
}

func pathBiscuit(edges int) (*biscuit, error) {
	var a datalog.Authorizer
	for i := range edges {
		a.Facts = append(a.Facts, datalog.Predicate{Name: "edge", Terms: []datalog.Term{datalog.Integer(i), datalog.Integer(i + 1)}})
	}
	over := func(name string, from, to datalog.Term) datalog.Predicate {
		return datalog.Predicate{Name: name, Terms: []datalog.Term{from, to}}
	}
	x, y, z := datalog.Variable("x"), datalog.Variable("y"), datalog.Variable("z")
	a.Rules = []datalog.Rule{
		{Head: over("path", x, y), Query: datalog.Query{Body: []datalog.Predicate{over("edge", x, y)}}},
		{Head: over("path", x, z), Query: datalog.Query{Body: []datalog.Predicate{over("path", x, y), over("edge", y, z)}}},
	}
	a.Policies = []datalog.Policy{{Kind: datalog.Allow, Queries: []datalog.Query{
		{Body: []datalog.Predicate{over("path", datalog.Integer(0), datalog.Integer(edges))}},
	}}}
	return withRequest(a, nil)
}

func closures(e Env, quick bool) ([]Work, error) {
	var works []Work
	for _, edges := range EdgeCounts {
		b, err := pathBiscuit(edges)
		if err != nil {
			return nil, err
		}
		sides := b.beside(e, peers.Authorize, func() error { return b.authorize(b.verified) })
		opa, err := opaClosure(edges, Patience(quick))
		if err != nil {
			return nil, err
		}
		works = append(works, Work{Closures, Closure, edges, append(sides, measure.InProcess(OPA, opa))})
	}
	return works, nil
}
