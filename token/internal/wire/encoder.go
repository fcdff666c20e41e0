package wire

import (
	"unicode/utf8"

	"github.com/whittle-auth/whittle/token/datalog"
)

// An encoder writes the messages of one block or authorizer. It interns symbols
// in the order of their first use and notes which version of Datalog it needed.
type encoder struct {
	in      *interner
	version uint32
}

// since notes the use of something that a version brought.
func (e *encoder) since(version uint32) { e.version = max(e.version, version) }

// refuse returns an error of the writer.
func refuse(format string, args ...any) *Error { return fail(-1, format, args...) }

// EncodeBlock returns the payload of a block.
//
// A first-party block is written with the table that the first-party blocks
// before it left in t, and extends t by the symbols and keys it declares. On an
// error t is unchanged; a nil t stands for the empty table. A third-party block
// (external) starts from an empty table and leaves t alone.
//
// The stated version is the lowest that brought everything the block uses, and
// at least 5 for a third-party block. EncodeBlock fails where [DecodeBlock]
// would refuse the result for other reasons than its size.
func EncodeBlock(b *datalog.Block, t *Table, external bool) ([]byte, error) {
	if external {
		t = nil
	}
	e := &encoder{in: newInterner(t), version: minVersion}
	if external {
		e.version = version32
	}
	body, err := e.statements(make([]byte, 0, 256), b, 4)
	if err != nil {
		return nil, err
	}
	symbols, keys := e.in.symbols.own, e.in.keys.own
	out, err := e.symbols(make([]byte, 0, len(body)+32*len(symbols)+64*len(keys)+16), 1)
	if err != nil {
		return nil, err
	}
	if out, err = appendContext(out, 2, b.Context); err != nil {
		return nil, err
	}
	out = appendVarintField(out, 3, uint64(e.version))
	out = append(out, body...)
	for _, k := range keys {
		var at int
		out, at = open(out, 8)
		out = shut(appendKey(out, k), at)
	}
	if t != nil {
		t.Extend(symbols, keys)
	}
	return out, nil
}

// symbols writes the symbols that were added.
func (e *encoder) symbols(b []byte, num int) ([]byte, *Error) {
	for i, s := range e.in.symbols.own {
		if !utf8.ValidString(s) {
			return nil, refuse("the string %q is not UTF-8", s).under("symbols", i)
		}
		b = appendStringField(b, num, s)
	}
	return b, nil
}

func appendContext(b []byte, num int, context *string) ([]byte, *Error) {
	if context == nil {
		return b, nil
	}
	if !utf8.ValidString(*context) {
		return nil, refuse("not UTF-8").under("context", -1)
	}
	return appendStringField(b, num, *context), nil
}

// statements writes facts, rules, checks and scopes to the fields from first on.
func (e *encoder) statements(b []byte, block *datalog.Block, first int) ([]byte, *Error) {
	b, err := e.facts(b, block.Facts, first)
	if err != nil {
		return nil, err
	}
	if b, err = e.rules(b, block.Rules, first+1); err != nil {
		return nil, err
	}
	if b, err = e.checks(b, block.Checks, first+2); err != nil {
		return nil, err
	}
	return e.scopes(b, block.Scopes, first+3)
}

func (e *encoder) facts(b []byte, facts []datalog.Predicate, num int) (_ []byte, err *Error) {
	for i := range facts {
		var at, inner int
		b, at = open(b, num)
		b, inner = open(b, 1)
		if b, err = e.predicate(b, &facts[i], place{}); err != nil {
			return nil, err.under("predicate", -1).under("facts", i)
		}
		b = shut(shut(b, inner), at)
	}
	return b, nil
}

func (e *encoder) rules(b []byte, rules []datalog.Rule, num int) (_ []byte, err *Error) {
	for i := range rules {
		var at, head int
		b, at = open(b, num)
		b, head = open(b, 1)
		if b, err = e.predicate(b, &rules[i].Head, place{variable: true}); err != nil {
			return nil, err.under("head", -1).under("rules", i)
		}
		b = shut(b, head)
		if b, err = e.body(b, &rules[i].Query); err != nil {
			return nil, err.under("rules", i)
		}
		b = shut(b, at)
	}
	return b, nil
}

func (e *encoder) checks(b []byte, checks []datalog.Check, num int) (_ []byte, err *Error) {
	for i := range checks {
		c := &checks[i]
		var at int
		b, at = open(b, num)
		if b, err = e.queries(b, c.Queries); err != nil {
			return nil, err.under("checks", i)
		}
		switch c.Kind {
		case datalog.CheckIf:
		case datalog.CheckAll:
			e.since(version31)
			b = appendVarintField(b, 2, uint64(c.Kind))
		case datalog.RejectIf:
			e.since(version33)
			b = appendVarintField(b, 2, uint64(c.Kind))
		default:
			return nil, refuse("unknown kind of check %d", c.Kind).under("kind", -1).under("checks", i)
		}
		b = shut(b, at)
	}
	return b, nil
}

func (e *encoder) policies(b []byte, policies []datalog.Policy, name string, num int) (_ []byte, err *Error) {
	for i := range policies {
		p := &policies[i]
		if p.Kind > datalog.Deny {
			return nil, refuse("unknown kind of policy %d", p.Kind).under("kind", -1).under(name, i)
		}
		var at int
		b, at = open(b, num)
		if b, err = e.queries(b, p.Queries); err != nil {
			return nil, err.under(name, i)
		}
		b = shut(appendVarintField(b, 2, uint64(p.Kind)), at)
	}
	return b, nil
}

// queries writes the queries of a check or policy, each under the head query().
func (e *encoder) queries(b []byte, queries []datalog.Query) (_ []byte, err *Error) {
	if len(queries) == 0 {
		return nil, refuse("no queries")
	}
	for i := range queries {
		var at, head int
		b, at = open(b, 1)
		b, head = open(b, 1)
		b = shut(appendVarintField(b, 1, querySymbol), head)
		if b, err = e.body(b, &queries[i]); err != nil {
			return nil, err.under("queries", i)
		}
		b = shut(b, at)
	}
	return b, nil
}

// body writes the fields of a Rule message other than the head.
func (e *encoder) body(b []byte, q *datalog.Query) (_ []byte, err *Error) {
	if len(q.Body) == 0 && len(q.Exprs) == 0 {
		return nil, refuse("a rule or query without predicates and expressions")
	}
	var at int
	for i := range q.Body {
		b, at = open(b, 2)
		if b, err = e.predicate(b, &q.Body[i], place{variable: true}); err != nil {
			return nil, err.under("body", i)
		}
		b = shut(b, at)
	}
	for i, x := range q.Exprs {
		nodes, depth := datalog.Measure(x)
		if nodes > datalog.MaxNodes || depth > datalog.MaxDepth {
			return nil, refuse("an expression of more than %d nodes or %d levels", datalog.MaxNodes, datalog.MaxDepth).
				under("expressions", i)
		}
		b, at = open(b, 3)
		if b, err = e.expression(b, x, 1, 0); err != nil {
			return nil, err.under("expressions", i)
		}
		b = shut(b, at)
	}
	return e.scopes(b, q.Scopes, 4)
}

func (e *encoder) scopes(b []byte, scopes []datalog.Scope, num int) ([]byte, *Error) {
	for i, s := range scopes {
		e.since(version31)
		var at int
		b, at = open(b, num)
		switch s.Kind {
		case datalog.ScopeAuthority, datalog.ScopePrevious:
			b = appendVarintField(b, 1, uint64(s.Kind))
		case datalog.ScopeKey:
			if msg := keyFault(s.Key); msg != "" {
				return nil, refuse("%s", msg).under("publicKey", -1).under("scope", i)
			}
			b = appendVarintField(b, 2, e.in.key(s.Key))
		default:
			return nil, refuse("unknown kind of scope %d", s.Kind).under("scope", i)
		}
		b = shut(b, at)
	}
	return b, nil
}

func (e *encoder) predicate(b []byte, p *datalog.Predicate, where place) (_ []byte, err *Error) {
	name, err := e.name(p.Name)
	if err != nil {
		return nil, err.under("name", -1)
	}
	b = appendVarintField(b, 1, name)
	for i, t := range p.Terms {
		if b, err = e.term(b, 2, t, where); err != nil {
			return nil, err.under("terms", i)
		}
	}
	return b, nil
}

// name interns the name of a predicate, variable or function.
func (e *encoder) name(s string) (uint64, *Error) {
	if !isName(s) {
		return 0, refuse("%q is not a name", s)
	}
	return e.in.symbol(s), nil
}
