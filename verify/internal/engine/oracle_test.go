package engine

import (
	"slices"

	"github.com/whittle-auth/whittle/token/datalog"
)

// This file is a second evaluator, written to be obviously right and in no way
// fast: it works on terms, tries every combination of facts, and applies every
// rule to everything in every round. It counts no steps.

type oracleFact struct {
	origin []uint64
	datalog.Predicate
}

type oracle struct {
	blocks  []Block
	externs map[string]Extern
	limits  Limits
	facts   []oracleFact
}

type bindings map[datalog.Variable]datalog.Term

type solution struct {
	vars   bindings
	origin []uint64
}

func unite(a, b []uint64) []uint64 {
	c := slices.Concat(a, b)
	slices.Sort(c)
	return slices.Compact(c)
}

func (o *oracle) add(f oracleFact) bool {
	for _, g := range o.facts {
		if slices.Equal(f.origin, g.origin) && comparePredicates(f.Predicate, g.Predicate) == 0 {
			return false
		}
	}
	o.facts = append(o.facts, f)
	return true
}

func (o *oracle) trusted(scopes []datalog.Scope, inherited []uint64, block uint64) []uint64 {
	set := []uint64{block, AuthorizerBlock}
	if len(scopes) == 0 {
		set = append(set, inherited...)
	}
	for _, s := range scopes {
		switch s.Kind {
		case datalog.ScopeAuthority:
			set = append(set, 0)
		case datalog.ScopePrevious:
			for b := uint64(0); block != AuthorizerBlock && b <= block; b++ {
				set = append(set, b)
			}
		case datalog.ScopeKey:
			for i, b := range o.blocks {
				if b.External != nil && *b.External == s.Key {
					set = append(set, uint64(i))
				}
			}
		}
	}
	return set
}

func (o *oracle) solutions(body []datalog.Predicate, trust []uint64) []solution {
	all := []solution{{vars: bindings{}}}
	for _, p := range body {
		var next []solution
		for _, s := range all {
			for _, f := range o.facts {
				visible := true
				for _, b := range f.origin {
					visible = visible && slices.Contains(trust, b)
				}
				if !visible || f.Name != p.Name || len(f.Terms) != len(p.Terms) {
					continue
				}
				vars := bindings{}
				for k, v := range s.vars {
					vars[k] = v
				}
				matches := true
				for i, t := range p.Terms {
					if v, ok := t.(datalog.Variable); ok {
						if _, bound := vars[v]; !bound {
							vars[v] = f.Terms[i]
						}
						t = vars[v]
					}
					matches = matches && datalog.Equal(t, f.Terms[i])
				}
				if matches {
					next = append(next, solution{vars, unite(s.origin, f.origin)})
				}
			}
		}
		all = next
	}
	return all
}

// query returns the solutions with true expressions, how many matched the body,
// and the error that takes precedence.
func (o *oracle) query(q *datalog.Query, trust []uint64) (good []solution, matched int, worst fault) {
	for _, s := range o.solutions(q.Body, trust) {
		matched++
		holds := true
		for _, x := range q.Exprs {
			v, f := o.eval(x, s.vars)
			b, ok := v.(datalog.Bool)
			if f.kind == none && !ok {
				f = fault{kind: InvalidType}
			}
			if f.kind != none {
				if f.before(&worst) {
					worst = f
				}
				holds = false
				break
			}
			if !bool(b) {
				holds = false
				break
			}
		}
		if holds {
			good = append(good, s)
		}
	}
	return good, matched, worst
}

func (o *oracle) run(a *datalog.Authorizer, facts []datalog.Predicate) (verdict, *Error) {
	v := verdict{Policy: -1}
	for _, f := range slices.Concat(a.Facts, facts) {
		o.add(oracleFact{[]uint64{AuthorizerBlock}, f})
	}
	for i, b := range o.blocks {
		for _, f := range b.Datalog.Facts {
			o.add(oracleFact{[]uint64{uint64(i)}, f})
		}
	}
	if len(o.facts) > o.limits.Facts {
		v.ErrKind = TooManyFacts
		return v, &Error{Kind: TooManyFacts, Block: AuthorizerBlock}
	}
	err := o.derive(a)
	if err == nil {
		err = o.decide(a, &v)
	}
	if err != nil {
		v = verdict{Policy: -1, ErrKind: err.Kind}
	}
	v.Allowed = err == nil && v.Policy >= 0 && !v.Deny && len(v.Failed) == 0
	v.HasWorld = true
	for _, f := range o.facts {
		v.World = append(v.World, originString(f.origin)+" "+f.String())
	}
	slices.Sort(v.World)
	return v, err
}

func (o *oracle) inherited(b *datalog.Block, n uint64) []uint64 {
	return o.trusted(b.Scopes, []uint64{0}, n)
}

func (o *oracle) derive(a *datalog.Authorizer) *Error {
	for round := 1; ; round++ {
		var found []oracleFact
		apply := func(b *datalog.Block, n uint64) *Error {
			for i, r := range b.Rules {
				good, _, f := o.query(&r.Query, o.trusted(r.Scopes, o.inherited(b, n), n))
				if f.kind != none {
					return f.at(n, InRule, i)
				}
				for _, s := range good {
					p := datalog.Predicate{Name: r.Head.Name}
					for _, t := range r.Head.Terms {
						if v, ok := t.(datalog.Variable); ok {
							t = s.vars[v]
						}
						p.Terms = append(p.Terms, t)
					}
					found = append(found, oracleFact{unite(s.origin, []uint64{n}), p})
				}
			}
			return nil
		}
		if err := apply(&a.Block, AuthorizerBlock); err != nil {
			return err
		}
		for i := range o.blocks {
			if err := apply(o.blocks[i].Datalog, uint64(i)); err != nil {
				return err
			}
		}
		before := len(o.facts)
		for _, f := range found {
			o.add(f)
		}
		if len(o.facts) == before {
			return nil
		}
		kind := none
		if round >= o.limits.Iterations {
			kind = TooManyIterations
		} else if len(o.facts) > o.limits.Facts {
			kind = TooManyFacts
		}
		if kind != none {
			o.facts = o.facts[:before]
			return &Error{Kind: kind, Block: AuthorizerBlock}
		}
	}
}

func (o *oracle) decide(a *datalog.Authorizer, v *verdict) *Error {
	checks := func(b *datalog.Block, n uint64) *Error {
		for i, c := range b.Checks {
			holds := c.Kind == datalog.RejectIf
			for _, q := range c.Queries {
				good, matched, f := o.query(&q, o.trusted(q.Scopes, o.inherited(b, n), n))
				if f.kind != none {
					return f.at(n, InCheck, i)
				}
				if c.Kind == datalog.RejectIf && len(good) > 0 {
					holds = false
					break
				}
				if c.Kind == datalog.CheckIf && len(good) > 0 || c.Kind == datalog.CheckAll && matched > 0 && matched == len(good) {
					holds = true
					break
				}
			}
			if !holds {
				v.Failed = append(v.Failed, failedString(n, i, c.String()))
			}
		}
		return nil
	}
	if err := checks(&a.Block, AuthorizerBlock); err != nil {
		return err
	}
	for i := range o.blocks {
		if i == 1 {
			break
		}
		if err := checks(o.blocks[i].Datalog, uint64(i)); err != nil {
			return err
		}
	}
	if err := o.policies(a, v); err != nil {
		return err
	}
	for i := 1; i < len(o.blocks); i++ {
		if err := checks(o.blocks[i].Datalog, uint64(i)); err != nil {
			return err
		}
	}
	return nil
}

func (o *oracle) policies(a *datalog.Authorizer, v *verdict) *Error {
	for i, p := range a.Policies {
		for _, q := range p.Queries {
			good, _, f := o.query(&q, o.trusted(q.Scopes, o.inherited(&a.Block, AuthorizerBlock), AuthorizerBlock))
			if f.kind != none {
				return f.at(AuthorizerBlock, InPolicy, i)
			}
			if len(good) > 0 {
				v.Policy, v.Deny = i, p.Kind == datalog.Deny
				return nil
			}
		}
	}
	return nil
}
