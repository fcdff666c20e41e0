package engine

import (
	"cmp"
	"hash/maphash"
	"math/bits"
	"slices"
	"strings"

	"github.com/whittle-auth/whittle/token/datalog"
)

// A kind is the type of a value. The order is that of datalog.Compare.
type kind uint8

const (
	kindInteger kind = iota + 1
	kindString
	kindDate
	kindBytes
	kindBool
	kindSet
	kindNull
	kindArray
	kindMap
)

// A value is a term that is not a variable, numbered so that within one
// evaluation two terms are equal if and only if their values are. num holds the
// integer, date or truth value itself, else a number in a table of [world].
type value struct {
	kind kind
	num  uint64
}

var null = value{kind: kindNull}

func integer(i int64) value { return value{kindInteger, uint64(i)} }

func boolean(b bool) value {
	if b {
		return value{kindBool, 1}
	}
	return value{kindBool, 0}
}

func equalValues(a, b []value) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// seed and secret keep input from being chosen so that hashes collide. No result
// depends on hashes.
var (
	seed   = maphash.MakeSeed()
	secret = maphash.String(seed, "values")
)

// hashValues mixes values into a hash.
func hashValues(h uint64, vs []value) uint64 {
	for _, v := range vs {
		h = hashValue(h, v)
	}
	return h
}

func hashValue(h uint64, v value) uint64 {
	hi, lo := bits.Mul64(h^v.num^secret, 0x9e3779b97f4a7c15+2*uint64(v.kind))
	return hi ^ lo
}

// symbol numbers a string.
func (w *world) symbol(s string) uint32 {
	w.charge(1 + len(s)/64)
	h := maphash.String(seed, s)
	if w.base != nil {
		if n, ok := w.base.symbols.find(h, s); ok {
			return n
		}
	}
	if n, ok := w.symbols.find(h, s); ok {
		return n
	}
	return w.symbols.add(h, s)
}

// lookup finds the number of a string without adding it.
func (w *world) lookup(s string) (uint32, bool) {
	w.charge(1 + len(s)/64)
	h := maphash.String(seed, s)
	if w.base != nil {
		if n, ok := w.base.symbols.find(h, s); ok {
			return n, true
		}
	}
	return w.symbols.find(h, s)
}

// text returns the string with the given number.
func (w *world) text(n uint64) string {
	if uint32(n) < w.symbols.first {
		return w.base.symbols.text[n]
	}
	return w.symbols.text[uint32(n)-w.symbols.first]
}

// composite numbers a set, array or map. Elements of a set must be ascending
// and distinct, entries of a map ascending by key; elems is not retained.
func (w *world) composite(k kind, elems []value) value {
	w.charge(1 + len(elems))
	h := hashValues(uint64(k), elems)
	if w.base != nil {
		if n, ok := w.base.composites.find(h, k, elems); ok {
			return value{k, uint64(n)}
		}
	}
	if n, ok := w.composites.find(h, k, elems); ok {
		return value{k, uint64(n)}
	}
	return value{k, uint64(w.composites.add(h, k, elems))}
}

// elements returns the elements of a set or array, or the alternating keys and
// values of a map. They must not be changed.
func (w *world) elements(v value) []value {
	t := &w.composites
	if uint32(v.num) < t.first {
		t = &w.base.composites
	}
	c := t.list[uint32(v.num)-t.first]
	return t.elems[c.lo:c.hi:c.hi]
}

// intern numbers a term. It refuses variables and whatever datalog.NewSet and
// datalog.NewMap would not make, except that a set may hold several types, as
// the union of two sets can.
func (w *world) intern(t datalog.Term) (value, fault) { return w.internAt(t, 1) }

func (w *world) internAt(t datalog.Term, depth int) (value, fault) {
	switch t := t.(type) {
	case datalog.Integer:
		w.charge(1)
		return integer(int64(t)), fault{}
	case datalog.String:
		return value{kindString, uint64(w.symbol(string(t)))}, fault{}
	case datalog.Date:
		w.charge(1)
		return value{kindDate, uint64(t)}, fault{}
	case datalog.Bytes:
		return value{kindBytes, uint64(w.symbol(string(t)))}, fault{}
	case datalog.Bool:
		w.charge(1)
		return boolean(bool(t)), fault{}
	case datalog.Null:
		w.charge(1)
		return null, fault{}
	case datalog.Variable:
		return value{}, malformed("a variable stands where only a value can")
	}
	if depth > datalog.MaxDepth {
		return value{}, malformed("a term is nested too deeply")
	}
	switch t := t.(type) {
	case datalog.Set:
		elems := make([]value, 0, len(t))
		for _, x := range t {
			v, f := w.internAt(x, depth+1)
			if f.kind == none && v.kind == kindSet {
				f = malformed("a set contains a set")
			}
			if f.kind != none {
				return value{}, f
			}
			elems = append(elems, v)
		}
		if !slices.IsSortedFunc(elems, w.compare) {
			slices.SortFunc(elems, w.compare)
		}
		return w.composite(kindSet, slices.Compact(elems)), fault{}
	case datalog.Array:
		elems := make([]value, 0, len(t))
		for _, x := range t {
			v, f := w.internAt(x, depth+1)
			if f.kind != none {
				return value{}, f
			}
			elems = append(elems, v)
		}
		return w.composite(kindArray, elems), fault{}
	case datalog.Map:
		return w.internMap(t, depth)
	}
	return value{}, malformed("a term is missing or of no known type")
}

func (w *world) internMap(m datalog.Map, depth int) (value, fault) {
	type entry struct{ key, val value }
	entries := make([]entry, 0, len(m))
	for _, x := range m {
		k, f := w.internAt(x.Key, depth+1)
		if f.kind == none && k.kind != kindInteger && k.kind != kindString {
			f = malformed("a map key is neither an integer nor a string")
		}
		if f.kind != none {
			return value{}, f
		}
		v, f := w.internAt(x.Value, depth+1)
		if f.kind != none {
			return value{}, f
		}
		entries = append(entries, entry{k, v})
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return w.compare(a.key, b.key) })
	elems := make([]value, 0, 2*len(entries))
	for i, x := range entries {
		if i > 0 && entries[i-1].key == x.key {
			return value{}, malformed("a map key appears twice")
		}
		elems = append(elems, x.key, x.val)
	}
	return w.composite(kindMap, elems), fault{}
}

// compare orders values as datalog.Compare orders their terms.
func (w *world) compare(a, b value) int {
	w.charge(1)
	if a == b {
		return 0
	}
	if a.kind != b.kind {
		return cmp.Compare(a.kind, b.kind)
	}
	switch a.kind {
	case kindInteger:
		return cmp.Compare(int64(a.num), int64(b.num))
	case kindString, kindBytes:
		s, t := w.text(a.num), w.text(b.num)
		w.charge(min(len(s), len(t)) / 64)
		return strings.Compare(s, t)
	case kindSet, kindArray, kindMap:
		return slices.CompareFunc(w.elements(a), w.elements(b), w.compare)
	}
	return cmp.Compare(a.num, b.num)
}

// term returns the term that a value numbers.
func (w *world) term(v value) datalog.Term {
	w.charge(1)
	switch v.kind {
	case kindInteger:
		return datalog.Integer(int64(v.num))
	case kindString:
		return datalog.String(w.text(v.num))
	case kindDate:
		return datalog.Date(v.num)
	case kindBytes:
		return datalog.Bytes(w.text(v.num))
	case kindBool:
		return datalog.Bool(v.num == 1)
	case kindSet:
		set := datalog.Set{}
		for _, x := range w.elements(v) {
			set = append(set, w.term(x))
		}
		return set
	case kindArray:
		array := datalog.Array{}
		for _, x := range w.elements(v) {
			array = append(array, w.term(x))
		}
		return array
	case kindMap:
		m := datalog.Map{}
		for e := w.elements(v); len(e) > 0; e = e[2:] {
			m = append(m, datalog.MapEntry{Key: w.term(e[0]), Value: w.term(e[1])})
		}
		return m
	}
	return datalog.Null{}
}
