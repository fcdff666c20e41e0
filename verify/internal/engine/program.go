package engine

import (
	"slices"

	"github.com/whittle-auth/whittle/token/datalog"
)

// A program holds compiled queries in flat arrays. Those of an authorizer are
// made once and shared; those of a token's checks are overwritten one by another.
type program struct {
	atoms []atom
	args  []argument
	nodes []node
	roots []int32 // expressions, as indices into nodes
	head  []argument
	plans []query // of rules

	slots int // the largest number of variables in scope at once

	*scratch // while a query is compiled; nil where none is any more
}

type scratch struct {
	scope []string // variables by slot
	body  []atom   // predicates in written order, args not split by mode
	raw   []argument
	bound []bool
	used  []bool
	count int // nodes of the current expression
}

func newProgram() *program { return &program{scratch: new(scratch)} }

func (p *program) reset() {
	p.atoms, p.args = p.atoms[:0], p.args[:0]
	p.nodes, p.roots, p.head, p.plans = p.nodes[:0], p.roots[:0], p.head[:0], p.plans[:0]
	p.slots = 0
	if p.scratch == nil {
		p.scratch = new(scratch)
	}
}

// copyTo makes c a copy that takes no more room than it needs.
func (p *program) copyTo(c *program) {
	c.atoms, c.args, c.nodes, c.roots = slices.Clone(p.atoms), slices.Clone(p.args), slices.Clone(p.nodes), slices.Clone(p.roots)
	c.head, c.plans, c.slots = slices.Clone(p.head), slices.Clone(p.plans), p.slots
}

// forget drops the references to names.
func (p *program) forget() { clear(p.scope[:cap(p.scope)]) }

// An atom is a predicate of a query's body at its place in the order of
// matching.
type atom struct {
	relation int32 // -1 where no fact can match
	lo, hi   int32 // range in args
	key      int32 // first position whose value is known beforehand, or -1
	part     part
}

// A part says which rows of a relation an atom ranges over.
type part uint8

const (
	partAll   part = iota // all visible rows
	partOld               // rows from before the last round
	partDelta             // rows of the last round
)

// A mode says what an argument does with the value it meets.
type mode uint8

const (
	modeConst mode = iota // compares it with val
	modeBind              // binds the variable in slot
	modeCheck             // compares it with the variable in slot
)

type argument struct {
	mode mode
	slot int32
	val  value
}

// A query is a compiled body with its expressions, in the program that it was
// compiled into.
type query struct {
	atomLo, atomHi int32
	rootLo, rootHi int32
	cost           int // steps that compiling it takes, charged where it was done beforehand
}

// atomize numbers the predicates of a body, in written order, and gives each
// variable a slot. With create it makes relations that do not exist yet.
func (w *world) atomize(p *program, body []datalog.Predicate, create bool) fault {
	p.scope, p.body, p.raw = p.scope[:0], p.body[:0], p.raw[:0]
	for i := range body {
		lo := len(p.raw)
		for _, t := range body[i].Terms {
			name, ok := t.(datalog.Variable)
			if !ok {
				v, f := w.intern(t)
				if f.kind != none {
					return f
				}
				p.raw = append(p.raw, argument{mode: modeConst, val: v})
				continue
			}
			slot := p.slotOf(w, string(name))
			if slot < 0 {
				slot = int32(len(p.scope))
				p.scope = append(p.scope, string(name))
			}
			p.raw = append(p.raw, argument{mode: modeCheck, slot: slot})
		}
		rel := int32(-1)
		if create {
			rel = w.relation(w.symbol(body[i].Name), len(body[i].Terms), true)
		} else if name, ok := w.lookup(body[i].Name); ok {
			rel = w.relation(name, len(body[i].Terms), false)
		} else {
			w.charge(1) // as much as looking for the relation
		}
		p.body = append(p.body, atom{relation: rel, lo: int32(lo), hi: int32(len(p.raw))})
		if w.spent() {
			return fault{kind: TooManySteps}
		}
	}
	p.slots = max(p.slots, len(p.scope))
	return fault{}
}

// slotOf finds a variable in scope, or returns -1.
func (p *program) slotOf(w *world, name string) int32 {
	w.charge(1 + len(p.scope)/4)
	for i, s := range p.scope {
		if s == name {
			return int32(i)
		}
	}
	return -1
}

// plan appends the atoms of the body in the order in which they are matched:
// the one numbered first if that is not negative, then always the one with the
// most positions known by then. With first, the others range over old rows if
// they are written before it and over all rows otherwise, so that the plans of
// one rule together find each new solution once.
func (p *program) plan(w *world, first int) {
	n := len(p.body)
	p.used = append(p.used[:0], make([]bool, n)...)
	p.bound = append(p.bound[:0], make([]bool, len(p.scope))...)
	for k := range n {
		next := first
		if k > 0 || first < 0 {
			next = p.mostBound(w)
		}
		p.used[next] = true
		pt := partAll
		switch {
		case first < 0:
		case next == first:
			pt = partDelta
		case next < first:
			pt = partOld
		}
		p.place(p.body[next], pt)
	}
}

// mostBound picks the unused atom with the most known positions, the first one
// written among equals.
func (p *program) mostBound(w *world) int {
	best, bestKnown := -1, -1
	for i := range p.body {
		if p.used[i] {
			continue
		}
		if len(p.body) == 1 {
			return 0
		}
		known := 0
		args := p.raw[p.body[i].lo:p.body[i].hi]
		w.charge(1 + len(args))
		for _, a := range args {
			if a.mode == modeConst || p.bound[a.slot] {
				known++
			}
		}
		if known > bestKnown {
			best, bestKnown = i, known
		}
	}
	return best
}

// place appends one atom, now that it is known which variables are bound.
func (p *program) place(a atom, pt part) {
	lo := int32(len(p.args))
	key := int32(-1)
	start := len(p.args)
	for i, x := range p.raw[a.lo:a.hi] {
		switch {
		case x.mode == modeConst:
			if key < 0 {
				key = int32(i)
			}
		case p.bound[x.slot]:
			// A variable that this very atom binds is not known beforehand.
			if key < 0 && !bindsSlot(p.args[start:], x.slot) {
				key = int32(i)
			}
		default:
			x.mode = modeBind
			p.bound[x.slot] = true
		}
		p.args = append(p.args, x)
	}
	p.atoms = append(p.atoms, atom{relation: a.relation, lo: lo, hi: int32(len(p.args)), key: key, part: pt})
}

func bindsSlot(args []argument, slot int32) bool {
	for _, a := range args {
		if a.mode == modeBind && a.slot == slot {
			return true
		}
	}
	return false
}

// compileQuery compiles a query that runs once over all visible facts.
func (w *world) compileQuery(p *program, q *datalog.Query, create bool) (query, fault) {
	c := query{atomLo: int32(len(p.atoms)), rootLo: int32(len(p.roots))}
	if f := w.atomize(p, q.Body, create); f.kind != none {
		return c, f
	}
	// Planning looks at each predicate once for each other one.
	n := len(p.body)
	if w.charge(n * (n + len(p.raw)) / 8); w.spent() {
		return c, fault{kind: TooManySteps}
	}
	p.plan(w, -1)
	c.atomHi = int32(len(p.atoms))
	f := w.compileExprs(p, q.Exprs)
	c.rootHi = int32(len(p.roots))
	return c, f
}
