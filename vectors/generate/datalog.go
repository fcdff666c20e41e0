package main

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// defaultSymbols is the table that each token starts from (specification,
// section "Symbol table"). Symbols that a token declares start at 1024.
var defaultSymbols = []string{
	"read", "write", "resource", "operation", "right", "time", "role", "owner",
	"tenant", "namespace", "user", "team", "service", "admin", "email", "group",
	"member", "ip_address", "client", "client_ip", "domain", "path", "version",
	"cluster", "node", "hostname", "nonce", "query",
}

const firstSymbol = 1024

// A table is what a block's symbol and key numbers refer to, and the lowest
// block version that the parts encoded so far can stand in.
type table struct {
	symbols []string
	keys    []publicKey
	version int
}

func (t *table) symbol(s string) uint64 {
	if i := slices.Index(defaultSymbols, s); i >= 0 {
		return uint64(i)
	}
	i := slices.Index(t.symbols, s)
	if i < 0 {
		i = len(t.symbols)
		t.symbols = append(t.symbols, s)
	}
	return uint64(firstSymbol + i)
}

func (t *table) key(k publicKey) uint64 {
	i := slices.IndexFunc(t.keys, func(o publicKey) bool { return o.text() == k.text() })
	if i < 0 {
		i = len(t.keys)
		t.keys = append(t.keys, k)
	}
	return uint64(i)
}

func (t *table) needs(version int) { t.version = max(t.version, version) }

// A node encodes one protobuf message of a block: a term, a predicate, an
// operation, a check and so on.
type node func(t *table) []byte

func variable(name string) node {
	return func(t *table) []byte { return uintField(1, t.symbol(name)) }
}

func integer(v int64) node {
	return func(*table) []byte { return uintField(2, uint64(v)) }
}

func str(s string) node {
	return func(t *table) []byte { return uintField(3, t.symbol(s)) }
}

// strIndex is a string by its number, whether or not that number is declared.
func strIndex(i uint64) node {
	return func(*table) []byte { return uintField(3, i) }
}

// date is a number of seconds since 1970.
func date(v uint64) node {
	return func(*table) []byte { return uintField(4, v) }
}

func byteArray(b []byte) node {
	return func(*table) []byte { return bytesField(5, b) }
}

func boolean(v bool) node {
	return func(*table) []byte {
		if v {
			return uintField(6, 1)
		}
		return uintField(6, 0)
	}
}

func set(elems ...node) node {
	return func(t *table) []byte { return bytesField(7, encodeAll(t, 1, elems).bytes()) }
}

func null() node {
	return func(t *table) []byte {
		t.needs(6)
		return bytesField(8, nil)
	}
}

func array(elems ...node) node {
	return func(t *table) []byte {
		t.needs(6)
		return bytesField(9, encodeAll(t, 1, elems).bytes())
	}
}

// A pair is an entry of a map. The key is an integer or a string.
type pair struct{ key, value node }

func mapping(pairs ...pair) node {
	return func(t *table) []byte {
		t.needs(6)
		var m message
		for _, p := range pairs {
			m = append(m, bytesField(1, message{
				bytesField(1, mapKey(p.key(t))),
				bytesField(2, p.value(t)),
			}.bytes()))
		}
		return bytesField(10, m.bytes())
	}
}

// mapKey turns an integer or string Term into the MapKey message, where they
// have the numbers 1 and 2 instead of 2 and 3.
func mapKey(term []byte) []byte {
	return append([]byte{term[0] - 1<<3}, term[1:]...)
}

// raw is an encoded message used as it is.
func raw(b []byte) node { return func(*table) []byte { return b } }

func encodeAll(t *table, num int, nodes []node) message {
	var m message
	for _, n := range nodes {
		m = append(m, bytesField(protowire.Number(num), n(t)))
	}
	return m
}

func pred(name string, terms ...node) node {
	return func(t *table) []byte {
		m := message{uintField(1, t.symbol(name))}
		return m.with(encodeAll(t, 2, terms)...).bytes()
	}
}

func predIndex(i uint64, terms ...node) node {
	return func(t *table) []byte {
		return message{uintField(1, i)}.with(encodeAll(t, 2, terms)...).bytes()
	}
}

// Numbers of scopes without a key.
const (
	scopeAuthority = 0
	scopePrevious  = 1
)

func scopeType(v uint64) node {
	return func(t *table) []byte {
		t.needs(4)
		return uintField(1, v)
	}
}

func scopeKey(k publicKey) node {
	return func(t *table) []byte {
		t.needs(4)
		return uintField(2, t.key(k))
	}
}

func scopeKeyIndex(i uint64) node {
	return func(t *table) []byte {
		t.needs(4)
		return uintField(2, i)
	}
}

// A query is the body of a rule or check.
type query struct {
	body   []node
	exprs  []expr
	scopes []node
}

func (q query) encode(t *table, head node) []byte {
	m := message{bytesField(1, head(t))}
	m = m.with(encodeAll(t, 2, q.body)...)
	for _, e := range q.exprs {
		m = m.with(bytesField(3, encodeAll(t, 1, e).bytes()))
	}
	return m.with(encodeAll(t, 4, q.scopes)...).bytes()
}

func rule(head node, q query) node {
	return func(t *table) []byte { return q.encode(t, head) }
}

// Kinds of checks.
const (
	checkIf  = 0
	checkAll = 1
	rejectIf = 2
)

// check writes each query with the head query(), and the kind only where it is
// not checkIf, as the reference does.
func check(kind uint64, queries ...query) node {
	return func(t *table) []byte {
		var m message
		for _, q := range queries {
			m = append(m, bytesField(1, q.encode(t, pred("query"))))
		}
		switch kind {
		case checkIf:
			return m.bytes()
		case checkAll:
			t.needs(4)
		default:
			t.needs(6)
		}
		return m.with(uintField(2, kind)).bytes()
	}
}

// A block is the content of one block.
type block struct {
	context string
	version int      // 0 means the lowest that suffices
	declare []string // symbols declared first, needed or not
	keys    []publicKey
	facts   []node // predicates
	rules   []node
	checks  []node
	scopes  []node

	// edit changes the fields after they were encoded and before they are
	// signed.
	edit func(message) message
}

// encode writes the block and adds its symbols and keys to the table.
func (b block) encode(t *table, external bool) []byte {
	firstSym, firstKey := len(t.symbols), len(t.keys)
	t.version = 3
	if external {
		t.version = 5
	}
	t.symbols = append(t.symbols, b.declare...)
	t.keys = append(t.keys, b.keys...)

	var body message
	for _, f := range b.facts {
		body = append(body, bytesField(4, message{bytesField(1, f(t))}.bytes()))
	}
	body = body.with(encodeAll(t, 5, b.rules)...)
	body = body.with(encodeAll(t, 6, b.checks)...)
	body = body.with(encodeAll(t, 7, b.scopes)...)

	var m message
	for _, s := range t.symbols[firstSym:] {
		m = append(m, bytesField(1, []byte(s)))
	}
	if b.context != "" {
		m = append(m, bytesField(2, []byte(b.context)))
	}
	version := b.version
	if version == 0 {
		version = t.version
	}
	m = append(m, uintField(3, uint64(version)))
	m = m.with(body...)
	for _, k := range t.keys[firstKey:] {
		m = append(m, bytesField(8, k.proto().bytes()))
	}
	if b.edit != nil {
		m = b.edit(m)
	}
	return m.bytes()
}
