package engine

import (
	"cmp"
	"slices"

	"github.com/whittle-auth/whittle/token/datalog"
)

// A Result is what an evaluation found. It is not safe for concurrent use.
type Result struct {
	// Policy is the index of the policy that matched, -1 if none did. Kind is
	// what it says; Deny if none matched.
	Policy int
	Kind   datalog.PolicyKind

	// Failed lists the checks that do not hold: those of the authorizer, then
	// those of the blocks in order.
	Failed []FailedCheck

	steps, iterations int

	// What World and Query need. The world is made again when asked for, so that an
	// evaluation can give its memory back.
	a        *Authorizer
	prepared *Prepared // with told, where the first blocks were prepared
	told     [][]datalog.Predicate
	blocks   []Block // those that were not
	facts    []datalog.Predicate
	externs  map[string]Extern
	limits   Limits
	world    *evaluation
}

// A FailedCheck is a check that does not hold. Check is its index in the block.
type FailedCheck struct {
	Block  uint64 // or AuthorizerBlock
	Check  int
	Source *datalog.Check
}

// Allowed reports whether an allow policy matched and no check failed. After an
// error no policy counts as matched.
func (r *Result) Allowed() bool {
	return r.Policy >= 0 && r.Kind == datalog.Allow && len(r.Failed) == 0
}

// Steps returns the work that the evaluation took, in the unit of [Limits].
func (r *Result) Steps() int { return r.steps }

// Iterations returns the number of rounds of rule application that found a new
// fact.
func (r *Result) Iterations() int { return r.iterations }

// OriginFacts are the facts with one set of origins.
type OriginFacts struct {
	// Origin lists block numbers ascending, AuthorizerBlock last.
	Origin []uint64

	// Facts ascend by name, then by terms.
	Facts []datalog.Predicate
}

// World returns all facts, given and derived, ascending by origin.
func (r *Result) World() []OriginFacts {
	e := r.evaluation()
	var groups []OriginFacts
	for i := range e.relations {
		rel := &e.relations[i]
		for row := range rel.n {
			origin := blocksOf(rel.origin(row, e.words))
			at, ok := slices.BinarySearchFunc(groups, origin, func(g OriginFacts, o []uint64) int {
				return slices.Compare(g.Origin, o)
			})
			if !ok {
				groups = slices.Insert(groups, at, OriginFacts{Origin: origin})
			}
			groups[at].Facts = append(groups[at].Facts, e.predicate(rel.name, rel.row(row)))
		}
	}
	for i := range groups {
		slices.SortFunc(groups[i].Facts, comparePredicates)
	}
	return groups
}

// Query returns the facts that a rule derives from what the authorizer and
// block 0 state, or from what the rule's scopes trust, as an authorizer's rule
// would. They ascend by name, then by terms; each is given once, whatever its
// origins. The query has a work budget of its own, as large as that of the
// evaluation. The error is an *Error.
func (r *Result) Query(rule *datalog.Rule) ([]datalog.Predicate, error) {
	return r.query(rule, false)
}

// QueryAll is Query, except that a rule without scopes sees the facts of all
// blocks. Nothing may be decided from such facts: any holder can have written
// them.
func (r *Result) QueryAll(rule *datalog.Rule) ([]datalog.Predicate, error) {
	return r.query(rule, true)
}

func (r *Result) query(src *datalog.Rule, all bool) ([]datalog.Predicate, error) {
	e := r.evaluation()
	e.steps = 0
	p := newProgram()
	c, f := e.compileRule(p, src, AuthorizerBlock, 0)
	if f.kind != none {
		err := f.at(AuthorizerBlock, InQuery, 0)
		if f.kind == UnboundHead {
			err.Rule = src
		}
		return nil, err
	}
	// Only the first plan is run, over everything: no fact is new to a query.
	plan := p.plans[c.planLo]
	for i := range p.atoms {
		p.atoms[i].part = partAll
	}
	c.trust = make([]uint64, e.words)
	e.trust(c.trust, src.Scopes, e.defaultTrust, AuthorizerBlock)
	if all && len(src.Scopes) == 0 {
		for b := range e.blocks {
			setBit(c.trust, originBit(uint64(b)))
		}
	}
	found := relation{arity: len(src.Head.Terms)}
	noOrigin := make([]uint64, e.words)
	f = e.solveRule(p, &plan, &c, func(e *evaluation, row []value, _ []uint64) {
		found.add(&e.world, row, noOrigin)
	})
	if f.kind != none {
		return nil, f.at(AuthorizerBlock, InQuery, 0)
	}
	name := e.symbol(src.Head.Name)
	facts := make([]datalog.Predicate, 0, found.n)
	for i := range found.n {
		facts = append(facts, e.predicate(name, found.row(i)))
	}
	slices.SortFunc(facts, comparePredicates)
	return facts, nil
}

// evaluation returns the world, loading it again if it was not kept.
func (r *Result) evaluation() *evaluation {
	if r.world == nil {
		e := new(evaluation)
		blocks := r.blocks
		if r.prepared != nil {
			blocks = r.prepared.all(r.told, r.blocks)
		}
		e.start(r.a, &r.a.base, blocks, r.externs, r.limits)
		// The same input was loaded before, within the same limits.
		if e.load(r.facts, 0) == nil {
			e.derive()
		}
		r.world = e
	}
	return r.world
}

func (w *world) predicate(name uint32, row []value) datalog.Predicate {
	p := datalog.Predicate{Name: w.text(uint64(name))}
	for _, v := range row {
		p.Terms = append(p.Terms, w.term(v))
	}
	return p
}

func comparePredicates(a, b datalog.Predicate) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), slices.CompareFunc(a.Terms, b.Terms, datalog.Compare))
}
