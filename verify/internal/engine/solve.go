package engine

import "github.com/whittle-auth/whittle/token/datalog"

// A search is the state of enumerating the solutions of one query. It always
// visits all of them, so that neither an error nor the work done depends on the
// order of facts.
type search struct {
	atoms []atom
	args  []argument
	nodes []node
	roots []int32
	trust []uint64

	matched bool  // some facts match the body
	holds   bool  // and for some match all expressions are true
	fails   bool  // and for some match an expression is false
	worst   fault // the error that takes precedence among those met

	// For a rule, each solution gives the fact head; its origin is that of the
	// facts matched and of the rule's block.
	head    []argument
	emit    func(*evaluation, []value, []uint64)
	origins []uint64 // one origin set for each depth
}

// solve enumerates the solutions of q among the facts whose origin is trusted.
// The error is TooManySteps, or the one that takes precedence.
func (e *evaluation) solve(p *program, q *query, trust []uint64) fault {
	e.search = search{
		atoms: p.atoms[q.atomLo:q.atomHi], args: p.args, nodes: p.nodes, roots: p.roots[q.rootLo:q.rootHi],
		trust: trust, origins: e.search.origins[:0],
	}
	return e.enumerate(p)
}

// solveRule is solve for a plan of a rule. It calls emit with each fact that
// the rule derives and the fact's origin; neither is to be retained.
func (e *evaluation) solveRule(p *program, q *query, r *rule, emit func(*evaluation, []value, []uint64)) fault {
	e.search = search{
		atoms: p.atoms[q.atomLo:q.atomHi], args: p.args, nodes: p.nodes, roots: p.roots[q.rootLo:q.rootHi],
		trust: r.trust, head: p.head[r.headLo:r.headHi], emit: emit, origins: e.search.origins[:0],
	}
	for range e.words {
		e.search.origins = append(e.search.origins, 0)
	}
	setBit(e.search.origins, originBit(r.block))
	return e.enumerate(p)
}

func (e *evaluation) enumerate(p *program) fault {
	if n := p.slots; n > len(e.slots) {
		e.slots = make([]value, max(16, n))
	}
	e.match(0)
	if e.spent() {
		return fault{kind: TooManySteps}
	}
	return e.search.worst
}

// match extends the current partial solution by the atom at the given depth. It
// returns false once the budget is used up.
func (e *evaluation) match(depth int) bool {
	s := &e.search
	if depth == len(s.atoms) {
		return e.solution(depth)
	}
	at := &s.atoms[depth]
	if at.relation < 0 {
		return true
	}
	r := &e.relations[at.relation]
	lo, hi := 0, r.hi
	switch at.part {
	case partOld:
		hi = r.lo
	case partDelta:
		lo = r.lo
	}
	if lo == hi {
		return true
	}
	if at.key >= 0 && e.byKey(at, r, depth) {
		return e.matchKey(at, r, hi, depth)
	}
	for i := lo; i < hi; i++ {
		if e.charge(1 + r.arity/8); e.spent() || !e.try(at, r, i, depth) {
			return false
		}
	}
	return true
}

// byKey reports whether the rows of an atom are found by the value at its key.
func (e *evaluation) byKey(at *atom, r *relation, depth int) bool {
	if at.part == partDelta {
		return r.lo == 0 && r.hi > fewRows
	}
	return r.hi > manyRows || depth > 0 && r.hi > fewRows
}

// matchKey is match for the rows up to hi that have the value at the key. An index of
// all rows is paid for when it is first of use, made or not. The facts of the first
// round, which many rules may search by a constant, cost what trying each of them does.
func (e *evaluation) matchKey(at *atom, r *relation, hi, depth int) bool {
	price := 1 + r.arity/8
	x := r.index(int(at.key))
	if at.part == partDelta {
		e.charge(hi * price)
		price = 0
	} else if x.paid < r.hi {
		e.charge(r.hi - x.paid)
		x.paid = r.hi
	}
	if e.spent() {
		return false
	}
	v := e.known(at)
	if x.scanned < enoughScans {
		x.scanned++
		for i := range hi {
			if r.rows[i*r.arity+int(at.key)] != v {
				continue
			}
			if e.charge(price); e.spent() || !e.try(at, r, i, depth) {
				return false
			}
		}
		return true
	}
	row, next := x.find(&e.world, r, v)
	for ; row != 0 && int(row) <= hi; row = next[row-1] {
		if e.charge(price); e.spent() || !e.try(at, r, int(row-1), depth) {
			return false
		}
	}
	return true
}

// enoughScans is how many times a relation is searched row by row before an index
// pays.
const enoughScans = 3

// known returns the value that is known beforehand at an atom's key.
func (e *evaluation) known(at *atom) value {
	a := &e.search.args[at.lo+at.key]
	if a.mode == modeCheck {
		return e.slots[a.slot]
	}
	return a.val
}

// try matches one atom with one row, which is paid for, and goes on to the next
// atom. It returns false once the budget is used up.
func (e *evaluation) try(at *atom, r *relation, i, depth int) bool {
	s := &e.search
	if !subset(r.origin(i, e.words), s.trust) {
		return true
	}
	row := r.row(i)
	for k := range row {
		switch a := &s.args[int(at.lo)+k]; a.mode {
		case modeConst:
			if row[k] != a.val {
				return true
			}
		case modeBind:
			e.slots[a.slot] = row[k]
		case modeCheck:
			if row[k] != e.slots[a.slot] {
				return true
			}
		}
	}
	if s.emit != nil {
		w := e.words
		s.origins = s.origins[:(depth+1)*w]
		for k, x := range r.origin(i, w) {
			s.origins = append(s.origins, s.origins[depth*w+k]|x)
		}
	}
	return e.match(depth + 1)
}

// solution evaluates the expressions for one match of the body, in written
// order up to the first that is not true.
func (e *evaluation) solution(depth int) bool {
	s := &e.search
	s.matched = true
	e.nodes = s.nodes
	for _, root := range s.roots {
		v, k := e.eval(root)
		if k == none && v.kind != kindBool {
			k = e.fail(InvalidType, "")
		}
		if e.spent() {
			return false
		}
		if k != none {
			f := fault{kind: k, detail: e.detail, err: e.cause}
			if f.before(&s.worst) {
				s.worst = f
			}
			return true
		}
		if v.num == 0 {
			s.fails = true
			return true
		}
	}
	s.holds = true
	if s.emit == nil {
		return true
	}
	e.row = e.row[:0]
	e.charge(1 + len(s.head))
	for i := range s.head {
		if a := &s.head[i]; a.mode == modeConst {
			e.row = append(e.row, a.val)
		} else {
			e.row = append(e.row, e.slots[a.slot])
		}
	}
	s.emit(e, e.row, s.origins[depth*e.words:(depth+1)*e.words])
	return true
}

// decides tries one query of a check or policy. For check if, reject if and
// policies it reports whether there is a solution, for check all whether there
// is a match and no expression is false.
func (e *evaluation) decides(kind datalog.CheckKind, p *program, q *query, trust []uint64) (bool, fault) {
	f := e.solve(p, q, trust)
	if kind == datalog.CheckAll {
		return e.search.matched && !e.search.fails, f
	}
	return e.search.holds, f
}
