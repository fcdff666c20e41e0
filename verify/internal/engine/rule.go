package engine

import (
	"slices"

	"github.com/whittle-auth/whittle/token/datalog"
)

// A rule is compiled to one plan for each predicate of its body, in which that
// predicate ranges over the facts of the last round (semi-naive evaluation). A
// rule without a body has one plan, for the first round only.
type rule struct {
	block          uint64
	index          int
	trust          []uint64
	scopes         []datalog.Scope
	relation       int32
	headLo, headHi int32 // range in the program's head
	planLo, planHi int32 // range in the program's plans
	bodyless       bool
}

// compileRule compiles all but the trusted origins. It refuses a rule with a
// variable in its head that is in no predicate of its body.
func (w *world) compileRule(p *program, src *datalog.Rule, block uint64, index int) (rule, fault) {
	r := rule{block: block, index: index, scopes: src.Scopes, bodyless: len(src.Body) == 0}
	if f := w.atomize(p, src.Body, true); f.kind != none {
		return r, f
	}
	// Each predicate appears in each plan, and is looked at for each other one.
	n := len(p.body)
	if w.charge(n*len(p.raw) + n*n*(n+len(p.raw))/8); w.spent() {
		return r, fault{kind: TooManySteps}
	}
	r.headLo = int32(len(p.head))
	for _, t := range src.Head.Terms {
		name, ok := t.(datalog.Variable)
		if !ok {
			v, f := w.intern(t)
			if f.kind != none {
				return r, f
			}
			p.head = append(p.head, argument{mode: modeConst, val: v})
			continue
		}
		slot := p.slotOf(w, string(name))
		if slot < 0 {
			return r, fault{kind: UnboundHead, detail: "$" + string(name)}
		}
		p.head = append(p.head, argument{mode: modeCheck, slot: slot})
	}
	r.headHi = int32(len(p.head))
	r.relation = w.relation(w.symbol(src.Head.Name), len(src.Head.Terms), true)

	rootLo := int32(len(p.roots))
	if f := w.compileExprs(p, src.Exprs); f.kind != none {
		return r, f
	}
	rootHi := int32(len(p.roots))
	r.planLo = int32(len(p.plans))
	first := 0
	if r.bodyless {
		first = -1
	}
	for ; first < len(p.body); first++ {
		q := query{atomLo: int32(len(p.atoms)), rootLo: rootLo, rootHi: rootHi}
		p.plan(w, first)
		q.atomHi = int32(len(p.atoms))
		p.plans = append(p.plans, q)
		if w.spent() {
			return r, fault{kind: TooManySteps}
		}
	}
	r.planHi = int32(len(p.plans))
	return r, fault{}
}

// addRule makes a compiled rule part of the evaluation.
func (e *evaluation) addRule(r rule, inherited []uint64) {
	n := len(e.trusts)
	e.trusts = append(e.trusts, e.blockTrust...) // of the same length
	r.trust = e.trusts[n:]
	e.trust(r.trust, r.scopes, inherited, r.block)
	e.rules = append(e.rules, r)
}

// derive applies all rules, round after round, until a round finds nothing new.
// The rules of a round see the facts from before it. On error the world is left
// as it was before the round, so that it does not depend on the order of facts.
func (e *evaluation) derive() *Error {
	for i := range e.relations {
		e.relations[i].lo, e.relations[i].hi = 0, e.relations[i].n
	}
	if len(e.rules) == 0 {
		return nil
	}
	for {
		before := e.facts
		for i := range e.rules {
			if f := e.apply(&e.rules[i]); f.kind != none {
				e.undoRound(before)
				return f.at(e.rules[i].block, InRule, e.rules[i].index)
			}
		}
		if e.facts == before {
			return nil
		}
		e.rounds++
		switch {
		case e.rounds >= e.limits.Iterations:
			e.undoRound(before)
			return &Error{Kind: TooManyIterations, Block: AuthorizerBlock}
		case e.facts > e.limits.Facts:
			e.undoRound(before)
			return &Error{Kind: TooManyFacts, Block: AuthorizerBlock}
		}
		for i := range e.relations {
			r := &e.relations[i]
			r.lo, r.hi = r.hi, r.n
		}
	}
}

// apply runs one rule for one round.
func (e *evaluation) apply(r *rule) fault {
	if r.bodyless && e.rounds > 0 {
		return fault{}
	}
	e.target = r.relation
	p := &e.ruleProg
	if r.block == AuthorizerBlock {
		p = &e.a.prog
	}
	var worst fault
	for i := r.planLo; i < r.planHi; i++ {
		f := e.solveRule(p, &p.plans[i], r, (*evaluation).derived)
		if f.kind != none && e.spent() {
			return f
		}
		if f.before(&worst) {
			worst = f
		}
	}
	return worst
}

// derived takes a new fact. Past the limit on facts it takes no more, but the
// round goes on at the same cost: whether another error takes precedence must
// not depend on the order in which facts are found.
func (e *evaluation) derived(row []value, origin []uint64) {
	if e.facts > e.limits.Facts {
		return
	}
	if e.relations[e.target].add(&e.world, row, origin) {
		e.facts++
	}
}

func (e *evaluation) undoRound(facts int) {
	for i := range e.relations {
		e.relations[i].truncate(e.words)
	}
	e.facts = facts
}

// truncate drops the rows that are not visible yet. The relation can no longer
// be added to.
func (r *relation) truncate(words int) {
	r.n = r.hi
	r.rows = slices.Delete(r.rows, r.n*r.arity, len(r.rows))
	r.origins = slices.Delete(r.origins, r.n*words, len(r.origins))
}
