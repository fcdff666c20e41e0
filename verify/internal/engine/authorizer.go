package engine

import (
	"sync"
	"sync/atomic"

	"github.com/whittle-auth/whittle/token/datalog"
)

// An Authorizer is what a service brings to each decision, compiled. It is safe
// for concurrent use.
type Authorizer struct {
	source   *datalog.Authorizer
	base     world
	prog     program
	rules    []rule
	checks   []query            // of all checks, in written order
	policies []query            // of all policies
	patterns map[uint32]pattern // constant regular expressions

	// grew has, where there are rules, how many rows each large relation of base had at
	// the end of the last evaluation: how much memory the next one may need.
	grew []atomic.Int32
}

// memory lends evaluations their memory, which holds no content in between.
var memory = sync.Pool{New: func() any { return new(evaluation) }}

// A draft is where an authorizer is compiled, in memory that is lent: what it keeps is
// copied when its size is known.
type draft struct {
	world
	prog program
}

var drafts = sync.Pool{New: func() any { return new(draft) }}

// Compile prepares what a service brings. It keeps a, which must not change
// afterwards. The error is an *Error of kind UnboundHead or Malformed.
func Compile(a *datalog.Authorizer) (*Authorizer, error) {
	d := drafts.Get().(*draft)
	defer d.release()
	d.empty()
	d.prog.reset()
	c := &Authorizer{source: a}
	if err := c.compile(d); err != nil {
		return nil, err
	}
	if len(c.rules) > 0 {
		c.grew = make([]atomic.Int32, len(d.relations))
	}
	d.world.copyTo(&c.base)
	d.prog.copyTo(&c.prog)
	return c, nil
}

// release is that of an evaluation.
func (d *draft) release() {
	const large = 1 << 14
	if len(d.symbols.slots) > large || len(d.composites.elems) > large || len(d.relations) > large/16 || len(d.prog.nodes) > large {
		return
	}
	d.symbols.reset(0)
	d.prog.forget()
	drafts.Put(d)
}

func (a *Authorizer) compile(d *draft) error {
	w, src := &d.world, a.source
	if i, f := w.assert(src.Facts, []uint64{1}); f.kind != none {
		return f.at(AuthorizerBlock, InFact, i)
	}
	if len(src.Rules) > 0 {
		a.rules = make([]rule, 0, len(src.Rules))
	}
	for i := range src.Rules {
		r, f := w.compileRule(&d.prog, &src.Rules[i], AuthorizerBlock, i)
		if f.kind != none {
			err := f.at(AuthorizerBlock, InRule, i)
			if f.kind == UnboundHead {
				err.Rule = &src.Rules[i]
			}
			return err
		}
		a.rules = append(a.rules, r)
	}
	queries := 0
	for i := range src.Checks {
		queries += len(src.Checks[i].Queries)
	}
	if queries > 0 {
		a.checks = make([]query, 0, queries)
	}
	for i := range src.Checks {
		if src.Checks[i].Kind > datalog.RejectIf {
			f := malformed("unknown kind of check")
			return f.at(AuthorizerBlock, InCheck, i)
		}
		var f fault
		if a.checks, f = d.compileQueries(a.checks, src.Checks[i].Queries); f.kind != none {
			return f.at(AuthorizerBlock, InCheck, i)
		}
	}
	queries = 0
	for i := range src.Policies {
		queries += len(src.Policies[i].Queries)
	}
	if queries > 0 {
		a.policies = make([]query, 0, queries)
	}
	for i := range src.Policies {
		if src.Policies[i].Kind > datalog.Deny {
			f := malformed("unknown kind of policy")
			return f.at(AuthorizerBlock, InPolicy, i)
		}
		var f fault
		if a.policies, f = d.compileQueries(a.policies, src.Policies[i].Queries); f.kind != none {
			return f.at(AuthorizerBlock, InPolicy, i)
		}
	}
	a.patterns, _ = w.compilePatterns(&d.prog, nil, len(d.prog.nodes), maxExpanded)
	return nil
}

func (d *draft) compileQueries(to []query, list []datalog.Query) ([]query, fault) {
	for i := range list {
		q, f := d.compileQuery(&d.prog, &list[i], true)
		if f.kind != none {
			return nil, f
		}
		to = append(to, q)
	}
	return to, fault{}
}
