package engine

import (
	"math"
	"math/bits"
	"slices"

	"github.com/whittle-auth/whittle/token/datalog"
)

// A world holds numbered terms and facts. A compiled authorizer has one, which
// is only read once compiled; each evaluation has one on top of that.
type world struct {
	base *world // nil for the world of a compiled authorizer

	symbols    symbols
	composites composites

	relations []relation
	byName    []int32 // open addressing by name and arity, index plus one; 0 is free; empty while relations are few

	// scratch, while a table grows
	outgrown []slot
	chains   []int32

	words int // 64-bit words in an origin set
	facts int // rows in all relations

	steps, limit int
}

// empty makes w the world of an authorizer with nothing in it.
func (w *world) empty() {
	w.base = nil
	w.symbols.reset(0)
	w.composites.reset(0)
	w.words = originWords(0)
	w.steps, w.limit = 0, math.MaxInt
	w.relations, w.byName, w.facts = w.relations[:0], w.byName[:0], 0
}

// reset makes w an empty world on top of base, for the given number of blocks,
// holding the facts of base.
func (w *world) reset(base *world, blocks, steps int) {
	w.base = base
	w.symbols.reset(uint32(len(base.symbols.text)))
	w.composites.reset(uint32(len(base.composites.list)))
	w.words = originWords(blocks)
	w.steps, w.limit = 0, steps
	w.relations = w.relations[:0]
	w.byName = append(w.byName[:0], base.byName...)
	for i := range base.relations {
		b := &base.relations[i]
		w.nextRelation(b.name, b.arity).copyRows(b, w.words)
	}
	w.facts = base.facts
}

// copyTo makes c, which is new, a copy of the world of an authorizer that can be added to.
func (w *world) copyTo(c *world) {
	w.symbols.copyTo(&c.symbols)
	w.composites.copyTo(&c.composites)
	c.relations, c.byName = make([]relation, len(w.relations)), slices.Clone(w.byName)
	c.words, c.facts, c.limit = w.words, w.facts, w.limit
	// The rows of all relations lie one after another. What a relation adds later goes
	// elsewhere.
	values, origins, slots := 0, 0, 0
	for i := range w.relations {
		r := &w.relations[i]
		values, origins, slots = values+len(r.rows), origins+len(r.origins), slots+len(r.slots)
	}
	var all relation
	if origins > 0 {
		all.rows, all.origins = make([]value, 0, values), make([]uint64, 0, origins)
	}
	if slots > 0 {
		all.slots = make([]slot, 0, slots)
	}
	for i := range w.relations {
		from := &w.relations[i]
		to := &c.relations[i]
		to.name, to.arity, to.n = from.name, from.arity, from.n
		to.rows, to.origins, to.slots = cut(&all.rows, from.rows), cut(&all.origins, from.origins), cut(&all.slots, from.slots)
	}
}

// cut appends a copy of some elements, which it returns.
func cut[T any](all *[]T, some []T) []T {
	n := len(*all)
	*all = append(*all, some...)
	return (*all)[n:len(*all):len(*all)]
}

// charge takes n steps from the budget.
func (w *world) charge(n int) { w.steps += n }

// spent reports whether the budget is used up.
func (w *world) spent() bool { return w.steps > w.limit }

// relation returns the index of the relation with the given name and arity, or
// -1 if there is none. With create it makes one.
func (w *world) relation(name uint32, arity int, create bool) int32 {
	w.charge(1)
	if len(w.byName) > 0 {
		if i := w.byName[w.relationSlot(name, arity)]; i != 0 {
			return i - 1
		}
	} else {
		for i := range w.relations {
			if r := &w.relations[i]; r.name == name && r.arity == arity {
				return int32(i)
			}
		}
	}
	if !create {
		return -1
	}
	w.nextRelation(name, arity)
	switch n := len(w.relations); {
	case n <= fewRelations:
	case 2*n > len(w.byName):
		w.byName = cleared(w.byName, max(4*fewRelations, 2*len(w.byName)))
		for i := range w.relations {
			w.byName[w.relationSlot(w.relations[i].name, w.relations[i].arity)] = int32(i + 1)
		}
	default:
		w.byName[w.relationSlot(name, arity)] = int32(n)
	}
	return int32(len(w.relations) - 1)
}

// Up to fewRelations relations are searched one by one.
const fewRelations = 8

// relationSlot returns the place of a relation in byName: its own, or the free
// one where it belongs.
func (w *world) relationSlot(name uint32, arity int) uint64 {
	mask := uint64(len(w.byName) - 1)
	hi, lo := bits.Mul64(uint64(name)<<32^uint64(arity)^secret, 0x9e3779b97f4a7c15)
	i := (hi ^ lo) & mask
	for w.byName[i] != 0 {
		if r := &w.relations[w.byName[i]-1]; r.name == name && r.arity == arity {
			break
		}
		i = (i + 1) & mask
	}
	return i
}

// nextRelation appends an empty relation, reusing the memory of an old one.
func (w *world) nextRelation(name uint32, arity int) *relation {
	n := len(w.relations)
	if n < cap(w.relations) {
		w.relations = w.relations[:n+1]
	} else {
		w.relations = append(w.relations, relation{})
	}
	r := &w.relations[n]
	r.reset(name, arity)
	return r
}

// assert adds the facts of one origin. It returns the index of the fact that is
// at fault.
func (w *world) assert(facts []datalog.Predicate, origin []uint64) (int, fault) {
	var buf [8]value
	for i := range facts {
		p := &facts[i]
		row := buf[:0]
		for _, t := range p.Terms {
			v, f := w.intern(t)
			if f.kind != none {
				return i, f
			}
			row = append(row, v)
		}
		w.charge(1 + len(row))
		r := w.relation(w.symbol(p.Name), len(row), true)
		if w.relations[r].add(w, row, origin) {
			w.facts++
		}
		if w.spent() {
			return i, fault{kind: TooManySteps}
		}
	}
	return 0, fault{}
}
