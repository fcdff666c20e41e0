package engine

import (
	"sync"

	"github.com/whittle-auth/whittle/token/datalog"
)

// An Authorizer is what a service brings to each decision, compiled. It is safe
// for concurrent use.
type Authorizer struct {
	source   *datalog.Authorizer
	base     *world
	prog     *program
	rules    []rule
	checks   [][]query
	policies [][]query
	patterns map[uint32]pattern // constant regular expressions
}

// memory lends evaluations their memory, which holds no content in between.
var memory = sync.Pool{New: func() any { return new(evaluation) }}

// Compile prepares what a service brings. It keeps a, which must not change
// afterwards. The error is an *Error of kind UnboundHead or Malformed.
func Compile(a *datalog.Authorizer) (*Authorizer, error) {
	c := &Authorizer{source: a, base: newBase(), prog: &program{}, patterns: map[uint32]pattern{}}
	if err := c.compile(); err != nil {
		return nil, err
	}
	return c, nil
}

func (a *Authorizer) compile() error {
	w, src := a.base, a.source
	for _, name := range typeNames[1:] {
		w.symbol(name)
	}
	if i, f := w.assert(src.Facts, []uint64{1}); f.kind != none {
		return f.at(AuthorizerBlock, InFact, i)
	}
	for i := range src.Rules {
		r, f := w.compileRule(a.prog, &src.Rules[i], AuthorizerBlock, i)
		if f.kind != none {
			err := f.at(AuthorizerBlock, InRule, i)
			if f.kind == UnboundHead {
				err.Rule = &src.Rules[i]
			}
			return err
		}
		a.rules = append(a.rules, r)
	}
	for i := range src.Checks {
		if src.Checks[i].Kind > datalog.RejectIf {
			f := malformed("unknown kind of check")
			return f.at(AuthorizerBlock, InCheck, i)
		}
		qs, f := a.compileQueries(src.Checks[i].Queries)
		if f.kind != none {
			return f.at(AuthorizerBlock, InCheck, i)
		}
		a.checks = append(a.checks, qs)
	}
	for i := range src.Policies {
		if src.Policies[i].Kind > datalog.Deny {
			f := malformed("unknown kind of policy")
			return f.at(AuthorizerBlock, InPolicy, i)
		}
		qs, f := a.compileQueries(src.Policies[i].Queries)
		if f.kind != none {
			return f.at(AuthorizerBlock, InPolicy, i)
		}
		a.policies = append(a.policies, qs)
	}
	w.compilePatterns(a.prog, a.patterns, len(a.prog.nodes), maxExpanded)
	return nil
}

func (a *Authorizer) compileQueries(list []datalog.Query) ([]query, fault) {
	var qs []query
	for i := range list {
		q, f := a.base.compileQuery(a.prog, &list[i], true)
		if f.kind != none {
			return nil, f
		}
		qs = append(qs, q)
	}
	return qs, fault{}
}
