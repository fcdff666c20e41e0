package datalog

import (
	"cmp"
	"fmt"
	"slices"
)

// A Term is one value of the language, or a variable. The set of types is
// closed: [Variable], [Integer], [String], [Date], [Bytes], [Bool], [Null],
// [Set], [Array] and [Map] (specification, section "Logic language").
//
// Terms are immutable by convention: nothing in this module changes one after
// it was made.
type Term interface{ term() }

type (
	// Variable is a variable's name without the leading $. It stands in rules
	// and queries only, never in facts, sets, arrays or maps.
	Variable string

	// Integer is a signed 64-bit integer. Operations on it are checked for
	// overflow.
	Integer int64

	// String is UTF-8 text. Its length counts bytes.
	String string

	// Date is a number of seconds since 1970-01-01T00:00:00Z.
	Date uint64

	// Bytes is a byte array, held in a Go string so that it compares with ==.
	Bytes string

	// Bool is a truth value.
	Bool bool

	// Null is the absence of a value. It equals itself only.
	Null struct{}

	// Set is a set of terms of one type, none of them a variable or a set,
	// ascending by [Compare] and without duplicates. Make one with [NewSet].
	Set []Term

	// Array is a list of terms of any types but variables.
	Array []Term

	// Map maps integers and strings to terms, ascending by key and without
	// duplicate keys. Make one with [NewMap].
	Map []MapEntry
)

// A MapEntry is one pair of a [Map]. Key is an [Integer] or a [String].
type MapEntry struct {
	Key   Term
	Value Term
}

func (Variable) term() {}
func (Integer) term()  {}
func (String) term()   {}
func (Date) term()     {}
func (Bytes) term()    {}
func (Bool) term()     {}
func (Null) term()     {}
func (Set) term()      {}
func (Array) term()    {}
func (Map) term()      {}

// NewSet returns the set of the given elements. It fails when they are not all
// of one type, or when one is a variable or a set. Duplicates collapse.
func NewSet(elems ...Term) (Set, error) {
	set := make(Set, 0, len(elems))
	for _, e := range elems {
		switch e.(type) {
		case Variable:
			return nil, fmt.Errorf("sets cannot contain variables")
		case Set:
			return nil, fmt.Errorf("sets cannot contain other sets")
		}
		if len(set) > 0 && rank(e) != rank(set[0]) {
			return nil, fmt.Errorf("set elements must have the same type")
		}
		set = append(set, e)
	}
	slices.SortFunc(set, Compare)
	return slices.CompactFunc(set, Equal), nil
}

// NewMap returns the map of the given pairs. It fails on a key that is neither
// an integer nor a string, on a variable, and on a key given twice.
func NewMap(entries ...MapEntry) (Map, error) {
	m := slices.Clone(entries)
	for _, e := range m {
		switch e.Key.(type) {
		case Integer, String:
		default:
			return nil, fmt.Errorf("map keys must be integers or strings")
		}
		if _, ok := e.Value.(Variable); ok {
			return nil, fmt.Errorf("maps cannot contain variables")
		}
	}
	slices.SortFunc(m, func(a, b MapEntry) int { return Compare(a.Key, b.Key) })
	for i := 1; i < len(m); i++ {
		if Equal(m[i-1].Key, m[i].Key) {
			return nil, fmt.Errorf("a map key appears twice")
		}
	}
	return Map(m), nil
}

// rank orders the types of terms among each other.
func rank(t Term) int {
	switch t.(type) {
	case Variable:
		return 0
	case Integer:
		return 1
	case String:
		return 2
	case Date:
		return 3
	case Bytes:
		return 4
	case Bool:
		return 5
	case Set:
		return 6
	case Null:
		return 7
	case Array:
		return 8
	case Map:
		return 9
	}
	panic(fmt.Sprintf("datalog: unknown term type %T", t))
}

// Compare orders terms totally: first by type, then by content, and never by
// how a token happens to number its symbols.
func Compare(a, b Term) int {
	if c := cmp.Compare(rank(a), rank(b)); c != 0 {
		return c
	}
	switch a := a.(type) {
	case Variable:
		return cmp.Compare(a, b.(Variable))
	case Integer:
		return cmp.Compare(a, b.(Integer))
	case String:
		return cmp.Compare(a, b.(String))
	case Date:
		return cmp.Compare(a, b.(Date))
	case Bytes:
		return cmp.Compare(a, b.(Bytes))
	case Bool:
		switch b := b.(Bool); {
		case a == b:
			return 0
		case bool(b):
			return -1
		}
		return 1
	case Null:
		return 0
	case Set:
		return slices.CompareFunc(a, b.(Set), Compare)
	case Array:
		return slices.CompareFunc(a, b.(Array), Compare)
	case Map:
		return slices.CompareFunc(a, b.(Map), func(x, y MapEntry) int {
			return cmp.Or(Compare(x.Key, y.Key), Compare(x.Value, y.Value))
		})
	}
	panic(fmt.Sprintf("datalog: unknown term type %T", a))
}

// Equal reports whether two terms have the same type and content.
func Equal(a, b Term) bool { return Compare(a, b) == 0 }
