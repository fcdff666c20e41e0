package wire

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token/datalog"
)

// Parts of blocks, on top of num and msg.
var (
	v6      = num(3, 6)
	integer = msg(2, num(2, 7)) // a term 7 of a predicate
)

func pred(n int, name uint64, terms ...string) string {
	return msg(n, num(1, name), strings.Join(terms, ""))
}

func fact(terms ...string) string { return msg(4, pred(1, 0, terms...)) }

// check returns a check of one query with one expression of the given ops.
func check(ops ...string) string {
	return msg(6, msg(1, pred(1, 27), msg(3, ops...)))
}

func val(term string) string                { return msg(1, msg(1, term)) }
func un(kind uint64) string                 { return msg(1, msg(2, num(1, kind))) }
func bin(kind uint64) string                { return msg(1, msg(3, num(1, kind))) }
func closure(parts ...string) string        { return msg(1, msg(4, parts...)) }
func opIn(n int, op string) string          { return string(rune(n<<3|2)) + op[1:] }
func thunk(op string) string                { return closure(opIn(2, op)) }
func lambda(param uint64, op string) string { return closure(num(1, param), opIn(2, op)) }

var (
	tru  = val(num(6, 1))
	one  = val(num(2, 1))
	ints = val(msg(9, msg(1, num(2, 1))))
)

func TestBlockAccepts(t *testing.T) {
	for name, data := range map[string]string{
		"least":                 num(3, 3),
		"empty context":         msg(2) + num(3, 3),
		"empty symbol":          msg(1) + v6,
		"negative":              v6 + fact(msg(2, num(2, 1<<64-1))),
		"no terms":              v6 + fact(),
		"empty set":             num(3, 3) + fact(msg(2, msg(7))),
		"array in 3":            num(3, 3) + fact(msg(2, msg(9, msg(1, num(2, 7))))),
		"null in array in 3":    num(3, 3) + fact(msg(2, msg(9, msg(1, msg(8))))),
		"get in 3":              num(3, 3) + check(ints, one, bin(27)),
		"explicit check kind":   num(3, 4) + msg(6, msg(1, pred(1, 27), msg(3, tru)), num(2, 0)),
		"null in query head":    num(3, 3) + msg(6, msg(1, pred(1, 27, msg(2, msg(8))), msg(3, tru))),
		"unbound head variable": msg(1, "x") + v6 + msg(5, pred(1, 0, msg(2, num(1, 1024))), msg(3, tru)),
		"set in any order":      v6 + fact(msg(2, msg(7, msg(1, num(2, 9)), msg(1, num(2, 7)), msg(1, num(2, 8))))),
		"map in any order":      v6 + fact(msg(2, msg(10, msg(1, msg(1, num(2, 9)), msg(2, num(2, 0))), msg(1, msg(1, num(1, 7)), msg(2, num(2, 0)))))),
		"name in letters":       msg(1, "δοκιμή٣") + v6 + msg(4, pred(1, 1024)),
		"scopes":                num(3, 4) + msg(7, num(1, 0)) + msg(7, num(1, 1)) + msg(7, num(2, 0)) + msg(8, goodKey),
	} {
		if _, err := DecodeBlock([]byte(data), &Table{}, false, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	b, err := DecodeBlock([]byte(v6+fact(msg(2, msg(7, msg(1, num(2, 9)), msg(1, num(2, 7)), msg(1, num(2, 8)))))), nil, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := datalog.Set{datalog.Integer(7), datalog.Integer(8), datalog.Integer(9)}
	if !datalog.Equal(b.Datalog.Facts[0].Terms[0], want) {
		t.Errorf("set %v", b.Datalog.Facts[0].Terms[0])
	}
}

func TestBlockRefuses(t *testing.T) {
	table := &Table{Symbols: []string{"known"}, Keys: []datalog.Key{{Bytes: strings.Repeat("K", 32)}}}
	x := msg(1, "x") + v6 // symbol 1025
	term := func(term string) string { return v6 + fact(msg(2, term)) }
	for _, m := range []malformed{
		{name: "empty", path: "version", text: "no Datalog version", unsupported: true},
		{name: "no version", data: fact(), path: "version", text: "no Datalog version", unsupported: true},
		{name: "version 2", data: num(3, 2), path: "version", text: "version 2", unsupported: true},
		{name: "version 7", data: num(3, 7) + num(9, 1), path: "version", text: "version 7", unsupported: true},
		{name: "huge version", data: num(3, 1<<32+3), path: "version", text: "version", unsupported: true},
		{name: "two versions", data: num(3, 3) + num(3, 4), at: num(3, 4), path: "version", text: "twice"},
		{name: "unknown field", data: v6 + num(9, 1), at: num(9, 1), text: "unknown field 9"},
		{name: "two contexts", data: msg(2, "a") + msg(2, "b") + v6, at: msg(2, "b"), path: "context", text: "twice"},
		{name: "context not UTF-8", data: msg(2, "\xff") + v6, path: "context", text: "UTF-8"},
		{name: "symbol not UTF-8", data: msg(1, "a\xc0\x80") + v6, path: "symbols[0]", text: "UTF-8"},
		{name: "default symbol", data: msg(1, "a") + msg(1, "query") + v6, at: msg(1, "query"), path: "symbols[1]", text: "already"},
		{name: "known symbol", data: msg(1, "known") + v6, path: "symbols[0]", text: "already"},
		{name: "symbol twice", data: msg(1, "a") + msg(1, "b") + msg(1, "a") + v6, offset: 6, path: "symbols[2]", text: "already"},
		{name: "known key", data: v6 + msg(8, num(1, 0), msg(2, strings.Repeat("K", 32))), offset: 2, path: "publicKeys[0]", text: "already"},
		{name: "key twice", data: v6 + msg(8, goodKey) + msg(8, goodKey), offset: 2 + 38, path: "publicKeys[1]", text: "already"},
		{name: "bad key", data: v6 + msg(8, num(1, 0), msg(2, "k")), at: msg(2, "k"), path: "publicKeys[0].key", text: "32"},

		{name: "fact without predicate", data: v6 + msg(4), offset: 4, path: "facts[0].predicate", text: "missing"},
		{name: "fact with two", data: v6 + msg(4, pred(1, 0), pred(1, 1)), at: pred(1, 1), path: "facts[0].predicate", text: "twice"},
		{name: "predicate without name", data: v6 + msg(4, msg(1, integer)), at: integer, path: "facts[0].predicate.name", text: "missing"},
		{name: "symbol 28", data: v6 + msg(4, pred(1, 28)), at: num(1, 28), path: "facts[0].predicate.name", text: "symbol 28"},
		{name: "symbol 1023", data: v6 + msg(4, pred(1, 1023)), at: num(1, 1023), path: "facts[0].predicate.name", text: "symbol 1023"},
		{name: "symbol of a later block", data: v6 + msg(4, pred(1, 1025)), at: num(1, 1025), path: "facts[0].predicate.name", text: "symbol 1025"},
		{name: "huge symbol", data: v6 + msg(4, pred(1, 1<<64-1)), at: num(1, 1<<64-1), path: "facts[0].predicate.name", text: "not defined"},
		{name: "name with a space", data: msg(1, "a b") + v6 + msg(4, pred(1, 1025)), at: num(1, 1025), path: "facts[0].predicate.name", text: "not a name"},
		{name: "empty name", data: msg(1) + v6 + msg(4, pred(1, 1025)), at: num(1, 1025), path: "facts[0].predicate.name", text: "not a name"},
		{name: "variable in fact", data: v6 + fact(integer, msg(2, num(1, 0))), at: num(1, 0) + "", offset: 0, path: "facts[0].predicate.terms[1].variable", text: "cannot stand"},

		{name: "empty term", data: term(""), offset: 10, path: "facts[0].predicate.terms[0]", text: "no member"},
		{name: "two members", data: term(num(2, 7) + num(4, 7)), at: num(4, 7), path: "facts[0].predicate.terms[0].date", text: "second"},
		{name: "bool 2", data: term(num(6, 2)), at: num(6, 2), path: "facts[0].predicate.terms[0].bool", text: "0 or 1"},
		{name: "string symbol", data: term(num(3, 500)), at: num(3, 500), path: "facts[0].predicate.terms[0].string", text: "symbol 500"},
		{name: "null with content", data: term(msg(8, num(1, 1))), at: num(1, 1), path: "facts[0].predicate.terms[0].null", text: "unknown field 1"},
		{name: "variable in set", data: x + msg(5, pred(1, 0), pred(2, 0, msg(2, msg(7, msg(1, num(1, 1025)))))), at: num(1, 1025), path: "rules[0].body[0].terms[0].set.set[0].variable", text: "cannot stand"},
		{name: "variable in array", data: x + msg(5, pred(1, 0), pred(2, 0, msg(2, msg(9, msg(1, num(1, 1025)))))), at: num(1, 1025), path: "rules[0].body[0].terms[0].array.array[0].variable", text: "cannot stand"},
		{name: "variable in map", data: x + msg(5, pred(1, 0), pred(2, 0, msg(2, msg(10, msg(1, msg(1, num(1, 0)), msg(2, num(1, 1025))))))), at: num(1, 1025), path: "rules[0].body[0].terms[0].map.entries[0].value.variable", text: "cannot stand"},
		{name: "mixed set", data: term(msg(7, msg(1, num(2, 7)), msg(1, num(4, 7)))), at: "\x3a", path: "facts[0].predicate.terms[0].set", text: "one type"},
		{name: "set of sets", data: term(msg(7, msg(1, msg(7)))), at: "\x3a\x04", path: "facts[0].predicate.terms[0].set", text: "sets"},
		{name: "set with duplicates", data: term(msg(7, msg(1, num(2, 7)), msg(1, num(2, 8)), msg(1, num(2, 7)))), at: "\x3a", path: "facts[0].predicate.terms[0].set", text: "twice"},
		{name: "map with duplicates", data: term(msg(10, msg(1, msg(1, num(1, 7)), msg(2, num(2, 0))), msg(1, msg(1, num(1, 7)), msg(2, num(2, 1))))), at: "\x52", path: "facts[0].predicate.terms[0].map", text: "twice"},
		{name: "map without key", data: term(msg(10, msg(1, msg(2, num(2, 0))))), at: msg(2, num(2, 0)), path: "facts[0].predicate.terms[0].map.entries[0].key", text: "missing"},
		{name: "map without value", data: term(msg(10, msg(1, msg(1, num(1, 5))))), offset: 18, path: "facts[0].predicate.terms[0].map.entries[0].value", text: "missing"},
		{name: "empty map key", data: term(msg(10, msg(1, msg(1), msg(2, num(2, 0))))), at: msg(2, num(2, 0)), path: "facts[0].predicate.terms[0].map.entries[0].key", text: "no member"},
		{name: "map key symbol", data: term(msg(10, msg(1, msg(1, num(2, 99)), msg(2, num(2, 0))))), at: num(2, 99), path: "facts[0].predicate.terms[0].map.entries[0].key.string", text: "symbol 99"},

		{name: "33-bit variable", data: x + msg(5, pred(1, 0), pred(2, 0, msg(2, num(1, 1<<32+1025)))), at: num(1, 1<<32+1025), path: "rules[0].body[0].terms[0].variable", text: "range"},
		{name: "unknown variable", data: x + msg(5, pred(1, 0), pred(2, 0, msg(2, num(1, 1026)))), at: num(1, 1026), path: "rules[0].body[0].terms[0].variable", text: "symbol 1026"},
		{name: "rule without head", data: v6 + msg(5, pred(2, 0)), at: pred(2, 0), path: "rules[0].head", text: "missing"},
		{name: "rule without body", data: v6 + msg(5, pred(1, 0)), offset: 2, path: "rules[0]", text: "without predicates"},
		{name: "query head symbol", data: v6 + msg(6, msg(1, pred(1, 99), msg(3, tru))), at: num(1, 99), path: "checks[0].queries[0].head.name", text: "symbol 99"},
		{name: "check without queries", data: v6 + msg(6), offset: 2, path: "checks[0]", text: "without queries"},
		{name: "check kind 3", data: v6 + msg(6, msg(1, pred(1, 27), msg(3, tru)), num(2, 3)), at: num(2, 3), path: "checks[0].kind", text: "kind of check 3"},
		{name: "empty scope", data: v6 + msg(7), offset: 4, path: "scope[0]", text: "no member"},
		{name: "scope type 2", data: v6 + msg(7, num(1, 2)), at: num(1, 2), path: "scope[0].scopeType", text: "type 2"},
		{name: "scope key", data: v6 + msg(7, num(2, 1)), at: num(2, 1), path: "scope[0].publicKey", text: "key 1"},
		{name: "negative scope key", data: v6 + msg(7, num(2, 1<<64-1)), at: num(2, 1<<64-1), path: "scope[0].publicKey", text: "key -1"},
		{name: "query scope key", data: v6 + msg(6, msg(1, pred(1, 27), msg(3, tru), msg(4, num(2, 5)))), at: num(2, 5), path: "checks[0].queries[0].scope[0].publicKey", text: "key 5"},
	} {
		t.Run(m.name, func(t *testing.T) {
			if m.name == "variable in fact" {
				m.at, m.offset = "", strings.LastIndex(m.data, num(1, 0))
			}
			before := Table{slices.Clone(table.Symbols), slices.Clone(table.Keys)}
			_, err := DecodeBlock([]byte(m.data), table, false, nil)
			m.check(t, err)
			if !slices.Equal(before.Symbols, table.Symbols) || !slices.Equal(before.Keys, table.Keys) {
				t.Error("the table changed")
			}
		})
	}
}

// TestTables: a first-party block reads the tables of those before it and extends
// them; a third-party block does neither.
func TestTables(t *testing.T) {
	uses := v6 + msg(4, pred(1, 1024)) + msg(7, num(2, 0)) // the first symbol and the first key
	declares := msg(1, "own") + uses + msg(8, goodKey)
	read := func(data string, table *Table, external bool) error {
		_, err := DecodeBlock([]byte(data), table, external, nil)
		return err
	}
	table := &Table{}
	if read(uses, table, false) == nil {
		t.Error("the first block uses tables that are empty")
	}
	if err := read(declares, table, true); err != nil || len(table.Symbols)+len(table.Keys) > 0 {
		t.Errorf("a third-party block extends the shared tables: %v, %v", table, err)
	}
	if err := read(declares, table, false); err != nil || len(table.Symbols) != 1 || len(table.Keys) != 1 {
		t.Errorf("a block leaves the shared tables alone: %v, %v", table, err)
	}
	if err := read(uses, table, false); err != nil {
		t.Errorf("a block does not see the tables before it: %v", err)
	}
	if read(uses, table, true) == nil {
		t.Error("a third-party block sees the shared tables")
	}
	if err := read(declares, table, true); err != nil {
		t.Errorf("a third-party block cannot declare what the shared tables have: %v", err)
	}
	if read(declares, table, false) == nil {
		t.Error("a block declares what is declared before it")
	}
}

func TestExpressionRefuses(t *testing.T) {
	deep := strings.Repeat(un(1), 65)
	for _, m := range []malformed{
		{name: "no ops", data: "", text: "no operations"},
		{name: "two values", data: one + one, text: "2 values remain"},
		{name: "closure alone", data: thunk(tru), text: "not a value"},
		{name: "unary on nothing", data: un(0), path: "ops[0].unary", text: "lacks"},
		{name: "binary on one", data: one + bin(0), path: "ops[1].Binary", text: "lacks"},
		{name: "empty op", data: msg(1), path: "ops[0]", text: "no member"},
		{name: "op with two members", data: msg(1, msg(1, num(2, 1)), msg(2, num(1, 0))), path: "ops[0].unary", text: "second"},
		{name: "unary kind 5", data: one + un(5), path: "ops[1].unary.kind", text: "operation 5"},
		{name: "binary kind 30", data: one + one + bin(30), path: "ops[2].Binary.kind", text: "operation 30"},
		{name: "negative kind", data: one + one + bin(1<<64-1), path: "ops[2].Binary.kind", text: "unknown operation"},
		{name: "unary without kind", data: one + msg(1, msg(2)), path: "ops[1].unary.kind", text: "missing"},
		{name: "name on a plain unary", data: one + msg(1, msg(2, num(1, 0), num(2, 0))), path: "ops[1].unary.ffiName", text: "only extern"},
		{name: "name on a plain binary", data: one + one + msg(1, msg(3, num(1, 0), num(2, 0))), path: "ops[2].Binary.ffiName", text: "only extern"},
		{name: "extern without name", data: one + un(4), path: "ops[1].unary.ffiName", text: "has a name"},
		{name: "binary extern without name", data: one + one + bin(28), path: "ops[2].Binary.ffiName", text: "has a name"},
		{name: "extern symbol", data: one + msg(1, msg(2, num(1, 4), num(2, 77))), path: "ops[1].unary.ffiName", text: "symbol 77"},
		{name: "unary on a closure", data: thunk(tru) + un(0), path: "ops[1].unary", text: "lacks"},
		{name: "closure left of &&", data: thunk(tru) + thunk(tru) + bin(23), path: "ops[2].Binary", text: "closure on the left"},
		{name: "eager right of &&", data: tru + tru + bin(23), path: "ops[2].Binary", text: "closure belongs"},
		{name: "mirrored ||", data: thunk(tru) + tru + bin(24), path: "ops[2].Binary", text: "closure on the left"},
		{name: "parameter for &&", data: tru + lambda(0, tru) + bin(23), path: "ops[2].Binary", text: "number of parameters, want 0"},
		{name: "closure right of +", data: one + thunk(one) + bin(9), path: "ops[2].Binary", text: "closure on the right"},
		{name: "eager all", data: ints + tru + bin(25), path: "ops[2].Binary", text: "closure with a parameter"},
		{name: "any without parameter", data: ints + thunk(tru) + bin(26), path: "ops[2].Binary", text: "want 1"},
		{name: "eager try", data: tru + tru + bin(29), path: "ops[2].Binary", text: "closure belongs"},
		{name: "mirrored try", data: tru + thunk(tru) + bin(29), path: "ops[2].Binary", text: "closure belongs"},
		{name: "lazy fallback", data: thunk(tru) + thunk(tru) + bin(29), path: "ops[2].Binary", text: "closure on the right"},
		{name: "parameter for try", data: lambda(0, tru) + tru + bin(29), path: "ops[2].Binary", text: "want 0"},
		{name: "two parameters", data: ints + closure(num(1, 0), num(1, 1), opIn(2, tru)) + bin(25), path: "ops[1].closure.params[1]", text: "at most one"},
		{name: "packed parameters", data: ints + closure(msg(1, "\x00"), opIn(2, tru)) + bin(25), path: "ops[1].closure.params", text: "wire type 2"},
		{name: "empty closure", data: tru + closure() + bin(23), path: "ops[1].closure", text: "no operations"},
		{name: "closure with two values", data: tru + closure(opIn(2, tru), opIn(2, tru)) + bin(23), path: "ops[1].closure", text: "2 values"},
		{name: "closure in closure alone", data: tru + closure(opIn(2, thunk(tru))) + bin(23), path: "ops[1].closure", text: "not a value"},
		{name: "closure reaching out", data: tru + closure(opIn(2, un(0))) + bin(23), path: "ops[1].closure.ops[0].unary", text: "lacks"},
		{name: "closure reaching out twice", data: tru + tru + closure(opIn(2, tru), opIn(2, bin(13))) + bin(23), path: "ops[2].closure.ops[1].Binary", text: "lacks"},
		{name: "deep empty closures", data: nest(65, closure(), func(s string) string { return closure(opIn(2, s)) }),
			path: strings.Repeat("ops[0].closure.", 64) + "ops[0].closure", text: "deeper than 64"},
		{name: "deep parentheses", data: tru + deep, text: "deeper than 64"},
	} {
		t.Run(m.name, func(t *testing.T) {
			m.path = strings.TrimSuffix("checks[0].queries[0].expressions[0]."+m.path, ".")
			m.data = v6 + check(m.data)
			_, err := DecodeBlock([]byte(m.data), nil, false, nil)
			e, ok := err.(*Error)
			if !ok {
				t.Fatal("accepted")
			}
			if e.Path != m.path || !strings.Contains(e.Msg, m.text) {
				t.Errorf("error %q, want %s: ..%s..", e, m.path, m.text)
			}
			if e.Offset < 2 || e.Offset > len(m.data) {
				t.Errorf("offset %d of %d", e.Offset, len(m.data))
			}
		})
	}
}

// TestVersions reads each feature in all versions.
func TestVersions(t *testing.T) {
	kind := func(k uint64) string { return msg(6, msg(1, pred(1, 27), msg(3, tru)), num(2, k)) }
	for _, test := range []struct {
		name, data string
		from       int
	}{
		{"fact", fact(integer), 3},
		{"check kind", kind(0), 4},
		{"check all", kind(1), 4},
		{"reject if", kind(2), 6},
		{"block scope", msg(7, num(1, 0)), 4},
		{"rule scope", msg(5, pred(1, 0), pred(2, 0), msg(4, num(1, 0))), 4},
		{"query scope", msg(6, msg(1, pred(1, 27), pred(2, 0), msg(4, num(1, 1)))), 4},
		{"&", check(one, one, bin(17)), 4},
		{"|", check(one, one, bin(18)), 4},
		{"^", check(one, one, bin(19)), 4},
		{"!==", check(one, one, bin(20)), 4},
		{"===", check(one, one, bin(4)), 3},
		{"eager and", check(tru, tru, bin(13)), 3},
		{"==", check(one, one, bin(21)), 6},
		{"!=", check(one, one, bin(22)), 6},
		{"&&", check(tru, thunk(tru), bin(23)), 6},
		{"||", check(tru, thunk(tru), bin(24)), 6},
		{"all", check(ints, lambda(0, tru), bin(25)), 6},
		{"any", check(ints, lambda(0, tru), bin(26)), 6},
		{"try_or", check(thunk(tru), tru, bin(29)), 6},
		{"type", check(one, un(3)), 6},
		{"extern", check(one, msg(1, msg(2, num(1, 4), num(2, 0)))), 6},
		{"binary extern", check(one, one, msg(1, msg(3, num(1, 28), num(2, 0)))), 6},
		{"null fact", fact(msg(2, msg(8))), 6},
		{"null in set", fact(msg(2, msg(7, msg(1, msg(8))))), 6},
		{"null in rule head", msg(5, pred(1, 0, msg(2, msg(8))), pred(2, 0)), 6},
		{"null in body", msg(6, msg(1, pred(1, 27), pred(2, 0, msg(2, msg(8))))), 6},
		{"null operand", check(val(msg(8))), 6},
	} {
		for version := 3; version <= 6; version++ {
			data := []byte(num(3, uint64(version)) + test.data)
			_, err := DecodeBlock(data, nil, false, nil)
			if (err == nil) != (version >= test.from) {
				t.Errorf("%s in version %d: %v", test.name, version, err)
			}
			if e, ok := err.(*Error); ok && (e.Unsupported || !strings.Contains(e.Msg, fmt.Sprintf("needs Datalog version %d", test.from))) {
				t.Errorf("%s in version %d: %v", test.name, version, err)
			}
			_, err = DecodeBlock(data, nil, true, nil)
			if (err == nil) != (version >= max(5, test.from)) {
				t.Errorf("%s in a third-party block of version %d: %v", test.name, version, err)
			}
		}
	}
}
