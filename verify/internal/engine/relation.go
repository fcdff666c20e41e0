package engine

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

	slots   []int32 // all rows by hash, index plus one; empty while rows are few
	indexes []index
}

// Up to fewRows rows are searched one by one. Up to manyRows an index does not
// pay for a single search.
const (
	fewRows  = 12
	manyRows = 64
)

func (r *relation) reset(name uint32, arity int) {
	*r = relation{name: name, arity: arity, rows: r.rows[:0], origins: r.origins[:0], slots: r.slots[:0]}
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
	if r.find(w, row, origin) {
		return false
	}
	r.rows = append(r.rows, row...)
	r.origins = append(r.origins, origin...)
	r.n++
	switch {
	case r.n <= fewRows:
	case 2*r.n > len(r.slots):
		r.slots = make([]int32, max(64, 2*len(r.slots)))
		for i := range r.n {
			r.place(w, i)
		}
	default:
		r.place(w, r.n-1)
	}
	return true
}

func (r *relation) find(w *world, row []value, origin []uint64) bool {
	if r.n <= fewRows {
		for i := range r.n {
			if r.same(w, i, row, origin) {
				return true
			}
		}
		return false
	}
	mask := uint64(len(r.slots) - 1)
	for i := r.hash(w, row, origin) & mask; r.slots[i] != 0; i = (i + 1) & mask {
		if r.same(w, int(r.slots[i]-1), row, origin) {
			return true
		}
	}
	return false
}

func (r *relation) same(w *world, i int, row []value, origin []uint64) bool {
	for k, x := range r.origin(i, w.words) {
		if x != origin[k] {
			return false
		}
	}
	return equalValues(r.row(i), row)
}

func (r *relation) hash(w *world, row []value, origin []uint64) uint64 {
	h := origin[0]
	for _, o := range origin[1:] {
		h = h*0x9e3779b97f4a7c15 + o
	}
	return w.hashValues(h, row)
}

func (r *relation) place(w *world, n int) {
	mask := uint64(len(r.slots) - 1)
	i := r.hash(w, r.row(n), r.origin(n, w.words)) & mask
	for r.slots[i] != 0 {
		i = (i + 1) & mask
	}
	r.slots[i] = int32(n + 1)
}

// An index finds the visible rows that have a given value at one position. The
// rows with the same value form an ascending chain.
type index struct {
	pos   int
	built int // rows indexed so far
	used  int // distinct values
	heads []int32
	tails []int32 // parallel to heads; row index plus one, 0 is free
	next  []int32 // by row; row index plus one, 0 ends the chain
}

// chain returns the first visible row with the given value at a position, plus
// one, and the links from each row to the next. It indexes rows up to hi only,
// so that the work does not depend on the order in which a round finds facts.
func (r *relation) chain(w *world, pos int, v value) (int32, []int32) {
	var x *index
	for i := range r.indexes {
		if r.indexes[i].pos == pos {
			x = &r.indexes[i]
		}
	}
	if x == nil {
		r.indexes = append(r.indexes, index{pos: pos})
		x = &r.indexes[len(r.indexes)-1]
	}
	if x.built < r.hi {
		w.charge(r.hi - x.built)
		for x.built < r.hi {
			x.append(w, r)
		}
	}
	if len(x.heads) == 0 {
		return 0, nil
	}
	return x.heads[x.slot(w, r, v)], x.next
}

// slot returns the place of a value in heads: its own, or the free one where it
// belongs.
func (x *index) slot(w *world, r *relation, v value) uint64 {
	mask := uint64(len(x.heads) - 1)
	i := w.hashValues(0, []value{v}) & mask
	for x.heads[i] != 0 && r.rows[int(x.heads[i]-1)*r.arity+x.pos] != v {
		i = (i + 1) & mask
	}
	return i
}

func (x *index) append(w *world, r *relation) {
	if 2*(x.used+1) > len(x.heads) {
		heads, tails := x.heads, x.tails
		size := max(32, 2*len(heads))
		x.heads, x.tails = make([]int32, size), make([]int32, size)
		for i, h := range heads {
			if h != 0 {
				s := x.slot(w, r, r.rows[int(h-1)*r.arity+x.pos])
				x.heads[s], x.tails[s] = h, tails[i]
			}
		}
	}
	row := int32(x.built + 1)
	x.next = append(x.next, 0)
	s := x.slot(w, r, r.rows[x.built*r.arity+x.pos])
	if x.heads[s] == 0 {
		x.heads[s] = row
		x.used++
	} else {
		x.next[x.tails[s]-1] = row
	}
	x.tails[s] = row
	x.built++
}
