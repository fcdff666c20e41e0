package wire

import (
	"cmp"
	"slices"

	"github.com/whittle-auth/whittle/token/datalog"
)

// term writes a Term message to field num.
func (e *encoder) term(b []byte, num int, t datalog.Term, p place) (_ []byte, err *Error) {
	if p.depth > datalog.MaxDepth {
		return nil, refuse("nested deeper than %d", datalog.MaxDepth)
	}
	b, at := open(b, num)
	switch t := t.(type) {
	case datalog.Variable:
		if !p.variable {
			return nil, refuse("a variable cannot stand here")
		}
		id, err := e.name(string(t))
		if err != nil {
			return nil, err
		}
		b = appendVarintField(b, 1, id)
	case datalog.Integer:
		b = appendVarintField(b, 2, uint64(t))
	case datalog.String:
		b = appendVarintField(b, 3, e.in.symbol(string(t)))
	case datalog.Date:
		b = appendVarintField(b, 4, uint64(t))
	case datalog.Bytes:
		b = appendStringField(b, 5, string(t))
	case datalog.Bool:
		var v uint64
		if t {
			v = 1
		}
		b = appendVarintField(b, 6, v)
	case datalog.Set:
		b, err = e.set(b, t, p)
	case datalog.Null:
		e.since(version33)
		b = appendStringField(b, 8, "")
	case datalog.Array:
		e.since(version33)
		b, err = e.list(b, 9, t, p)
	case datalog.Map:
		e.since(version33)
		b, err = e.mapping(b, t, p)
	default:
		return nil, refuse("no term")
	}
	if err != nil {
		return nil, err
	}
	return shut(b, at), nil
}

// list writes terms as the message of one repeated field.
func (e *encoder) list(b []byte, num int, list []datalog.Term, p place) (_ []byte, err *Error) {
	if p.depth++; p.depth > datalog.MaxDepth {
		return nil, refuse("nested deeper than %d", datalog.MaxDepth)
	}
	p.variable = false
	b, at := open(b, num)
	for i, t := range list {
		if b, err = e.term(b, 1, t, p); err != nil {
			return nil, err.under(msgTerm.fields[num].name, i)
		}
	}
	return shut(b, at), nil
}

// set writes a TermSet. The reference interns the elements in their own order
// but writes them in that of their symbols, and so does this.
func (e *encoder) set(b []byte, set datalog.Set, p place) ([]byte, *Error) {
	if msg := setFault(set); msg != "" {
		return nil, refuse("%s", msg)
	}
	for i := 1; i < len(set); i++ {
		if datalog.Compare(set[i-1], set[i]) >= 0 {
			return nil, refuse("a set is not sorted")
		}
	}
	list := []datalog.Term(set)
	if len(set) > 1 {
		if _, ok := set[0].(datalog.String); ok {
			list = slices.Clone(list)
			e.sortBySymbol(list)
		}
	}
	return e.list(b, 7, list, p)
}

// sortBySymbol interns strings in order and then sorts them by their symbols.
func (e *encoder) sortBySymbol(list []datalog.Term) {
	ids := make(map[datalog.Term]uint64, len(list))
	for _, t := range list {
		ids[t] = e.in.symbol(string(t.(datalog.String)))
	}
	slices.SortFunc(list, func(a, b datalog.Term) int { return cmp.Compare(ids[a], ids[b]) })
}

// mapping writes a Map, with integer keys first and then strings in the order
// of their symbols.
func (e *encoder) mapping(b []byte, m datalog.Map, p place) (_ []byte, err *Error) {
	if p.depth++; p.depth > datalog.MaxDepth {
		return nil, refuse("nested deeper than %d", datalog.MaxDepth)
	}
	p.variable = false
	type entry struct {
		id   uint64 // symbol of a string key
		wire []byte
	}
	var ints []byte
	var strings []entry
	for i, pair := range m {
		if i > 0 && compareKeys(m[i-1], pair) >= 0 {
			return nil, refuse("a map is not sorted")
		}
		wire, at := open(nil, 1)
		wire, key := open(wire, 1)
		var id uint64
		text := false
		switch k := pair.Key.(type) {
		case datalog.Integer:
			wire = appendVarintField(wire, 1, uint64(k))
		case datalog.String:
			text = true
			id = e.in.symbol(string(k))
			wire = appendVarintField(wire, 2, id)
		default:
			return nil, refuse("the key of a map is an integer or a string")
		}
		wire = shut(wire, key)
		if wire, err = e.term(wire, 2, pair.Value, p); err != nil {
			return nil, err.under("value", -1).under("entries", i).under("map", -1)
		}
		wire = shut(wire, at)
		if text {
			strings = append(strings, entry{id, wire})
		} else {
			ints = append(ints, wire...)
		}
	}
	slices.SortFunc(strings, func(a, b entry) int { return cmp.Compare(a.id, b.id) })
	b, at := open(b, 10)
	b = append(b, ints...)
	for _, s := range strings {
		b = append(b, s.wire...)
	}
	return shut(b, at), nil
}
