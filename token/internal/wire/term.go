package wire

import (
	"slices"

	"github.com/whittle-auth/whittle/token/datalog"
)

// A place says where a term stands, and with it which terms may.
type place struct {
	depth    int  // of sets, arrays and maps around the term
	variable bool // variables may stand here
	ungated  bool // null may stand here in any version
}

// term reads the Term message in the current field. On the names of the fields
// see schema.proto.
func (f *fields) term(p place) (datalog.Term, *Error) {
	if p.depth > f.d.lim.Depth {
		return nil, f.failf("nested deeper than %d", f.d.lim.Depth)
	}
	if term, ok := f.shortTerm(p); ok {
		return term, nil
	}
	return f.anyTerm(p)
}

func (f *fields) anyTerm(p place) (datalog.Term, *Error) {
	d := f.d
	var term datalog.Term
	t := d.over(msgTerm, f.start, f.stop)
	for t.next() {
		var err *Error
		switch t.num {
		case 1:
			if !p.variable {
				return nil, f.in(t.failf("a variable cannot stand here"))
			}
			var v datalog.Variable
			v, err = t.variable()
			term = asTerm(v)
		case 2:
			term = datalog.Integer(int64(t.val))
		case 3:
			if t.val < uint64(len(defaultTerms)) {
				term = defaultTerms[t.val]
				break
			}
			var s string
			s, err = t.symbol()
			term = d.texts.term(datalog.String(s))
		case 4:
			term = datalog.Date(t.val)
		case 5:
			term = datalog.Bytes(t.string())
		case 6:
			if t.val > 1 {
				return nil, f.in(t.failf("a bool is 0 or 1, found %d", t.val))
			}
			term = datalog.Bool(t.val == 1)
		case 7:
			term, err = t.set(p)
		case 8:
			if err = t.empty(); err == nil && !p.ungated {
				err = t.since(version33, "null")
			}
			term = datalog.Null{}
		case 9:
			term, err = t.array(p)
		case 10:
			term, err = t.mapping(p)
		}
		if err != nil {
			return nil, f.in(err)
		}
	}
	return term, f.in(t.err)
}

// shortTerm reads what most terms are, a variable or text by a symbol of one or two
// bytes. ok is false for all others, and where anything is not as it has to be: anyTerm
// says what.
func (f *fields) shortTerm(p place) (term datalog.Term, ok bool) {
	const variable, text = 1<<3 | byte(varint), 3<<3 | byte(varint)
	d, b := f.d, f.d.buf[f.start:f.stop]
	var symbol uint64
	switch {
	case len(b) == 2 && b[1] < 0x80:
		symbol = uint64(b[1])
	case len(b) == 3 && b[1] >= 0x80 && 0 < b[2] && b[2] < 0x80:
		symbol = uint64(b[1]&0x7f) | uint64(b[2])<<7
	default:
		return nil, false
	}
	if b[0] == text && symbol < uint64(len(defaultTerms)) {
		return defaultTerms[symbol], true
	}
	s, ok := d.symbols.at(symbol)
	if !ok || len(s) > d.textLeft {
		return nil, false
	}
	switch {
	case b[0] == text:
		term = d.texts.term(datalog.String(s))
	case b[0] == variable && p.variable && isName(s):
		term = asTerm(datalog.Variable(s))
	default:
		return nil, false
	}
	d.textLeft -= len(s)
	return term, true
}

// A letter is a variable of one letter as a term and as an expression. Nearly all variables
// of tokens are such, so that they are made once.
type letter struct {
	term datalog.Term
	expr datalog.Expr
}

var letters = func() (list ['z' - 'a' + 1]letter) {
	for i := range list {
		list[i].term = datalog.Variable(rune('a' + i))
		list[i].expr = datalog.Value{Term: list[i].term}
	}
	return list
}()

// letterOf returns a variable of one letter, nil for any other.
func letterOf(v datalog.Variable) *letter {
	if len(v) != 1 || v[0] < 'a' || v[0] > 'z' {
		return nil
	}
	return &letters[v[0]-'a']
}

func asTerm(v datalog.Variable) datalog.Term {
	if letter := letterOf(v); letter != nil {
		return letter.term
	}
	return v
}

func asExpr(t datalog.Term) datalog.Expr {
	if v, ok := t.(datalog.Variable); ok {
		if letter := letterOf(v); letter != nil {
			return letter.expr
		}
	}
	return datalog.Value{Term: t}
}

// defaultTerms are the default symbols as terms, made once.
var defaultTerms = func() (t [len(defaultSymbols)]datalog.Term) {
	for i, s := range defaultSymbols {
		t[i] = datalog.String(s)
	}
	return t
}()

// terms reads a list of terms, all fields of a message of one repeated field.
func (f *fields) terms(msg *message, p place) ([]datalog.Term, *Error) {
	d := f.d
	n := d.counts(f.start, f.stop)[1]
	if err := d.spend(n, f.at); err != nil {
		return nil, f.in(err)
	}
	if p.depth++; p.depth > d.lim.Depth {
		return nil, f.failf("nested deeper than %d", d.lim.Depth)
	}
	p.variable = false
	list := make([]datalog.Term, 0, n)
	t := d.over(msg, f.start, f.stop)
	for t.next() {
		term, err := t.term(p)
		if err != nil {
			return nil, f.in(err)
		}
		list = append(list, term)
	}
	return list, f.in(t.err)
}

func (f *fields) array(p place) (datalog.Term, *Error) {
	p.ungated = true
	list, err := f.terms(msgArray, p)
	return datalog.Array(list), err
}

// set reads a TermSet. Its elements come in the order of the writer's symbols,
// so any order is accepted.
func (f *fields) set(p place) (datalog.Term, *Error) {
	list, err := f.terms(msgTermSet, p)
	if err != nil {
		return nil, err
	}
	if msg := setFault(list); msg != "" {
		return nil, f.failf("%s", msg)
	}
	slices.SortFunc(list, datalog.Compare)
	for i := 1; i < len(list); i++ {
		if datalog.Equal(list[i-1], list[i]) {
			return nil, f.failf("an element stands twice in a set")
		}
	}
	return datalog.Set(list), nil
}

// setFault says why terms cannot be the elements of one set, or nothing.
func setFault(list []datalog.Term) string {
	for _, t := range list {
		switch t.(type) {
		case datalog.Set:
			return "a set cannot contain sets"
		case datalog.Variable:
			return "a set cannot contain variables"
		}
		if !sameType(t, list[0]) {
			return "the elements of a set have one type"
		}
	}
	return ""
}

func sameType(a, b datalog.Term) bool { return typeOf(a) == typeOf(b) }

// typeOf numbers the types of terms as the schema does.
func typeOf(t datalog.Term) int {
	switch t.(type) {
	case datalog.Variable:
		return 1
	case datalog.Integer:
		return 2
	case datalog.String:
		return 3
	case datalog.Date:
		return 4
	case datalog.Bytes:
		return 5
	case datalog.Bool:
		return 6
	case datalog.Set:
		return 7
	case datalog.Null:
		return 8
	case datalog.Array:
		return 9
	case datalog.Map:
		return 10
	}
	return 0
}

// mapping reads a Map, whose entries come in any order.
func (f *fields) mapping(p place) (datalog.Term, *Error) {
	d := f.d
	n := d.counts(f.start, f.stop)[1]
	if err := d.spend(n, f.at); err != nil {
		return nil, f.in(err)
	}
	if p.depth++; p.depth > d.lim.Depth {
		return nil, f.failf("nested deeper than %d", d.lim.Depth)
	}
	p.variable, p.ungated = false, true
	entries := make(datalog.Map, 0, n)
	m := d.over(msgMap, f.start, f.stop)
	for m.next() {
		var entry datalog.MapEntry
		e := d.over(msgMapEntry, m.start, m.stop)
		for e.next() {
			var err *Error
			switch e.num {
			case 1:
				entry.Key, err = e.mapKey()
			case 2:
				entry.Value, err = e.term(p)
			}
			if err != nil {
				return nil, f.in(m.in(err))
			}
		}
		if e.err != nil {
			return nil, f.in(m.in(e.err))
		}
		entries = append(entries, entry)
	}
	if m.err != nil {
		return nil, f.in(m.err)
	}
	slices.SortFunc(entries, compareKeys)
	for i := 1; i < len(entries); i++ {
		if compareKeys(entries[i-1], entries[i]) == 0 {
			return nil, f.failf("a key stands twice in a map")
		}
	}
	return entries, nil
}

func compareKeys(a, b datalog.MapEntry) int { return datalog.Compare(a.Key, b.Key) }

func (f *fields) mapKey() (datalog.Term, *Error) {
	var key datalog.Term
	k := f.d.over(msgMapKey, f.start, f.stop)
	for k.next() {
		switch k.num {
		case 1:
			key = datalog.Integer(int64(k.val))
		case 2:
			s, err := k.symbol()
			if err != nil {
				return nil, f.in(err)
			}
			key = datalog.String(s)
		}
	}
	return key, f.in(k.err)
}
