package engine

import (
	"math/bits"
	"slices"
)

// A relation holds the facts of one name and arity, in the order in which they
// came. A fact is a row of values together with its origin; the same values
// with two origins are two rows.
//
// Rows from 0 to lo are old, from lo to hi they came in the last round of rule
// application, and from hi to n they are being found and not yet visible.
type relation struct {
	name  uint32
	arity int

	rows      []value  // n * arity
	origins   []uint64 // n * words
	n, lo, hi int

	expected int // rows, 0 where nothing is known

	slots   []slot // all rows by hash, open addressing; empty while rows are few
	indexes []index
}

// A slot has part of a row's hash, which gives its place and spares most looks
// at other rows, and the row's index plus one; 0 is free.
type slot struct{ hash, row uint32 }

// Up to fewRows rows are searched one by one. Up to manyRows an index does not
// pay for a single search.
const (
	fewRows  = 12
	manyRows = 64
)

// From largeRelation rows on it is noted how many there were.
const largeRelation = 1 << 12

// reset makes r an empty relation, which keeps its memory.
func (r *relation) reset(name uint32, arity int) {
	*r = relation{name: name, arity: arity, rows: r.rows[:0], origins: r.origins[:0], slots: r.slots[:0], indexes: r.indexes[:0]}
}

// copyRows takes the rows of a relation whose origins have one word.
func (r *relation) copyRows(from *relation, words int) {
	r.rows = append(r.rows[:0], from.rows...)
	r.n = from.n
	r.slots = append(r.slots[:0], from.slots...)
	if words == 1 {
		r.origins = append(r.origins[:0], from.origins...)
		return
	}
	r.origins = r.origins[:0]
	for _, o := range from.origins {
		r.origins = append(r.origins, o)
		for range words - 1 {
			r.origins = append(r.origins, 0)
		}
	}
}

func (r *relation) row(i int) []value { return r.rows[i*r.arity : (i+1)*r.arity] }

func (r *relation) origin(i, words int) []uint64 { return r.origins[i*words : (i+1)*words] }

// add appends a fact and reports whether it is new. The caller has paid for it.
func (r *relation) add(w *world, row []value, origin []uint64) bool {
	if len(r.slots) == 0 {
		for i := range r.n {
			if r.same(w, i, row, origin) {
				return false
			}
		}
		r.append(row, origin)
		if r.n > fewRows {
			r.slots = cleared(r.slots, 64)
			for i := range r.n {
				place(r.slots, slot{hashFact(r.row(i), r.origin(i, w.words)), uint32(i + 1)})
			}
		}
		return true
	}
	h := hashFact(row, origin)
	mask := uint32(len(r.slots) - 1)
	i := h & mask
	for ; r.slots[i].row != 0; i = (i + 1) & mask {
		if r.slots[i].hash == h && r.same(w, int(r.slots[i].row-1), row, origin) {
			return false
		}
	}
	r.append(row, origin)
	r.slots[i] = slot{h, uint32(r.n)}
	if 2*r.n > len(r.slots) {
		r.rehash(w)
	}
	return true
}

// rehash makes the table of all rows larger, by more where there is room already.
func (r *relation) rehash(w *world) {
	old, size := r.slots, 2*len(r.slots)
	if r.n > r.expected/8 {
		size = max(size, 1<<bits.Len(uint(2*r.expected)))
	}
	if size <= cap(old) {
		if 2*size <= cap(old) {
			size *= 2
		}
		w.outgrown = append(w.outgrown[:0], old...)
		old = w.outgrown
	}
	r.slots = cleared(r.slots, size)
	for _, s := range old {
		if s.row != 0 {
			place(r.slots, s)
		}
	}
}

func (r *relation) append(row []value, origin []uint64) {
	r.rows = append(grown(r.rows, len(row), r.expected), row...)
	r.origins = append(grown(r.origins, len(origin), r.expected), origin...)
	r.n++
}

// grown returns rows of n elements with room for one more. Where that takes new memory it
// doubles, since to grow by less costs more in all; and once a part of what is expected is
// there, it is for all of that.
func grown[T any](s []T, n, expected int) []T {
	if len(s)+n <= cap(s) {
		return s
	}
	more := len(s) + n
	if len(s) > n*expected/8 {
		more = max(more, n*(expected+1)-len(s))
	}
	return slices.Grow(s, more)
}

func (r *relation) same(w *world, i int, row []value, origin []uint64) bool {
	for k, x := range r.origin(i, w.words) {
		if x != origin[k] {
			return false
		}
	}
	return equalValues(r.row(i), row)
}

// hashFact does not depend on how many words an origin set has to spare. Rows that
// differ in the last three bits of their last value only, as those do that a rule finds
// one after another, lie side by side in the table, where one cache line has room for
// them; all else is mixed.
func hashFact(row []value, origin []uint64) uint32 {
	h := origin[0]
	for k, o := range origin[1:] {
		if o != 0 {
			h = h*0x9e3779b97f4a7c15 + o + uint64(k)
		}
	}
	if len(row) == 0 {
		return uint32(h)
	}
	const near = 1<<3 - 1
	last := row[len(row)-1]
	h = hashValues(h, row[:len(row)-1])
	h = hashValue(h, value{last.kind, last.num &^ near})
	return uint32(h) ^ uint32(last.num&near)
}

func place(slots []slot, s slot) {
	mask := uint32(len(slots) - 1)
	i := s.hash & mask
	for slots[i].row != 0 {
		i = (i + 1) & mask
	}
	slots[i] = s
}

// cleared returns n zeros, in the memory of s where they fit.
func cleared[T any](s []T, n int) []T {
	if n > cap(s) {
		return make([]T, n)
	}
	s = s[:n]
	clear(s)
	return s
}

// An index finds the visible rows that have a given value at one position. The
// rows with the same value form an ascending chain.
type index struct {
	pos     int
	scanned int // searches that did without it
	paid    int // rows that were charged for
	built   int // rows indexed so far
	used    int // distinct values
	heads   []int32
	tails   []int32 // parallel to heads; row index plus one, 0 is free
	next    []int32 // by row; row index plus one, 0 ends the chain
}

// index returns the index of a position, which may have nothing in it yet.
func (r *relation) index(pos int) *index {
	for i := range r.indexes {
		if r.indexes[i].pos == pos {
			return &r.indexes[i]
		}
	}
	n := len(r.indexes)
	if n < cap(r.indexes) {
		r.indexes = r.indexes[:n+1]
	} else {
		r.indexes = append(r.indexes, index{})
	}
	x := &r.indexes[n]
	*x = index{pos: pos, heads: x.heads[:0], tails: x.tails[:0], next: x.next[:0]}
	return x
}

// find returns the first visible row with the given value, plus one, and the links
// from each row to the next. It indexes rows up to hi only, so that the work does not
// depend on the order in which a round finds facts. The caller has paid for it.
func (x *index) find(w *world, r *relation, v value) (int32, []int32) {
	for x.built < r.hi {
		x.append(w, r)
	}
	if len(x.heads) == 0 {
		return 0, nil
	}
	return x.heads[x.slot(r, v)], x.next
}

// slot returns the place of a value in heads: its own, or the free one where it
// belongs.
func (x *index) slot(r *relation, v value) uint64 {
	mask := uint64(len(x.heads) - 1)
	i := hashValue(0, v) & mask
	for x.heads[i] != 0 && r.rows[int(x.heads[i]-1)*r.arity+x.pos] != v {
		i = (i + 1) & mask
	}
	return i
}

func (x *index) append(w *world, r *relation) {
	if 2*(x.used+1) > len(x.heads) {
		x.grow(w, r)
	}
	row := int32(x.built + 1)
	x.next = append(x.next, 0)
	s := x.slot(r, r.rows[x.built*r.arity+x.pos])
	if x.heads[s] == 0 {
		x.heads[s] = row
		x.used++
	} else {
		x.next[x.tails[s]-1] = row
	}
	x.tails[s] = row
	x.built++
}

func (x *index) grow(w *world, r *relation) {
	w.chains = w.chains[:0]
	for i, h := range x.heads {
		if h != 0 {
			w.chains = append(w.chains, h, x.tails[i])
		}
	}
	size := max(32, 2*len(x.heads))
	x.heads, x.tails = cleared(x.heads, size), cleared(x.tails, size)
	for c := w.chains; len(c) > 0; c = c[2:] {
		s := x.slot(r, r.rows[int(c[0]-1)*r.arity+x.pos])
		x.heads[s], x.tails[s] = c[0], c[1]
	}
}
