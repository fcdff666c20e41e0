package wire

import "github.com/whittle-auth/whittle/token/datalog"

// Block is a decoded block.
type Block struct {
	Datalog *datalog.Block
	Version uint32 // of Datalog: 3 to 6

	// Symbols and Keys are what the block declares itself. First-party blocks
	// may refer to those declared before them as well.
	Symbols []string
	Keys    []datalog.Key
}

// DecodeBlock reads the payload of a block.
//
// A first-party block is read with the table that the first-party blocks before
// it left in t, and extends t by its own symbols and keys. On an error t is
// unchanged; a nil t stands for the empty table. A third-party block (external)
// starts from an empty table and leaves t alone.
//
// Heads of queries carry no meaning. They are checked and dropped.
func DecodeBlock(payload []byte, t *Table, external bool, l *Limits) (*Block, error) {
	r := NewBlockReader(t, l)
	defer r.Release()
	return r.Read(payload, external)
}

// block reads the payload in two passes: keys stand last on the wire and are
// needed by what comes before them.
func (d *decoder) block(in *interner, external bool) (*Block, *Error) {
	n := d.counts(0, len(d.buf))
	if n[1] > 0 && n[1] <= d.lim.Symbols {
		in.symbols.own = make([]string, 0, n[1])
	}
	read := new(struct { // one allocation for both
		Block
		body datalog.Block
	})
	body, versionAt := &read.body, 0
	f := d.over(msgBlock, 0, len(d.buf))
	for f.next() {
		var err *Error
		switch f.num {
		case 1:
			err = f.declare(in)
		case 2:
			body.Context, err = f.context()
		case 3:
			versionAt = f.at
			d.version, err = f.datalogVersion()
		case 8:
			err = f.declareKey(in)
		default:
			if d.version == 0 {
				return nil, noVersion(f.at)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	if f.err != nil {
		return nil, f.err
	}
	if d.version == 0 {
		return nil, noVersion(len(d.buf))
	}
	if external && d.version < version32 {
		return nil, fail(versionAt, "third-party blocks need Datalog version %d, the block states %d", version32, d.version).
			under("version", -1)
	}
	d.symbols, d.keys = in.symbols, in.keys
	f = d.over(msgBlock, 0, len(d.buf))
	for f.next() {
		if 4 <= f.num && f.num <= 7 {
			if err := f.statement(body, f.num-4, &n, 4); err != nil {
				return nil, err
			}
		}
	}
	read.Block = Block{Datalog: body, Version: d.version, Symbols: in.symbols.own, Keys: in.keys.own}
	return &read.Block, nil
}

func (f *fields) context() (*string, *Error) {
	s, err := f.text()
	if err != nil {
		return nil, err
	}
	return &s, nil
}

// statement adds the current field to a block: a fact, rule, check or scope for
// which = 0 to 3. There are n[first+which] of them.
func (f *fields) statement(b *datalog.Block, which int, n *[11]int, first int) *Error {
	count := n[first+which]
	if f.index == 0 {
		if err := f.d.spend(count, f.at); err != nil {
			return f.in(err)
		}
	}
	switch which {
	case 0:
		if b.Facts == nil {
			b.Facts = make([]datalog.Predicate, 0, count)
		}
		b.Facts = append(b.Facts, datalog.Predicate{})
		return f.fact(&b.Facts[len(b.Facts)-1])
	case 1:
		if b.Rules == nil {
			b.Rules = make([]datalog.Rule, 0, count)
		}
		b.Rules = append(b.Rules, datalog.Rule{})
		return f.rule(&b.Rules[len(b.Rules)-1], false)
	case 2:
		if b.Checks == nil {
			b.Checks = make([]datalog.Check, 0, count)
		}
		b.Checks = append(b.Checks, datalog.Check{})
		return f.check(&b.Checks[len(b.Checks)-1])
	}
	if b.Scopes == nil {
		b.Scopes = make([]datalog.Scope, 0, count)
	}
	b.Scopes = append(b.Scopes, datalog.Scope{})
	return f.scope(&b.Scopes[len(b.Scopes)-1])
}

func (f *fields) fact(p *datalog.Predicate) *Error {
	m := f.d.over(msgFact, f.start, f.stop)
	for m.next() {
		if err := m.predicate(p, place{}); err != nil {
			return f.in(err)
		}
	}
	return f.in(m.err)
}

func (f *fields) predicate(p *datalog.Predicate, where place) *Error {
	d := f.d
	n := d.counts(f.start, f.stop)[2]
	if err := d.spend(n, f.at); err != nil {
		return f.in(err)
	}
	if n > 0 {
		p.Terms = d.terms.take(n)
	}
	m := d.over(msgPredicate, f.start, f.stop)
	for m.next() {
		switch m.num {
		case 1:
			var err *Error
			if p.Name, err = m.name(); err != nil {
				return f.in(err)
			}
		case 2:
			term, err := m.term(where)
			if err != nil {
				return f.in(err)
			}
			p.Terms = append(p.Terms, term)
		}
	}
	return f.in(m.err)
}

// rule reads a Rule message: a rule, or a query, whose head the caller drops. Variables
// of the head need not be bound, which is for the user of the rule to refuse.
func (f *fields) rule(r *datalog.Rule, query bool) *Error {
	d := f.d
	n := d.counts(f.start, f.stop)
	if err := d.spend(n[2]+n[3]+n[4], f.at); err != nil {
		return f.in(err)
	}
	m := d.over(msgRule, f.start, f.stop)
	for m.next() {
		var err *Error
		switch m.num {
		case 1:
			// The reference does not gate what stands in the head of a query.
			err = m.predicate(&r.Head, place{variable: true, ungated: query})
		case 2:
			if r.Body == nil {
				r.Body = d.bodies.take(n[2])
			}
			r.Body = append(r.Body, datalog.Predicate{})
			err = m.predicate(&r.Body[len(r.Body)-1], place{variable: true})
		case 3:
			if r.Exprs == nil {
				r.Exprs = d.exprs.take(n[3])
			}
			var e datalog.Expr
			e, err = m.expression()
			r.Exprs = append(r.Exprs, e)
		case 4:
			if r.Scopes == nil {
				r.Scopes = make([]datalog.Scope, 0, n[4])
			}
			r.Scopes = append(r.Scopes, datalog.Scope{})
			err = m.scope(&r.Scopes[len(r.Scopes)-1])
		}
		if err != nil {
			return f.in(err)
		}
	}
	if m.err != nil {
		return f.in(m.err)
	}
	if len(r.Body) == 0 && len(r.Exprs) == 0 {
		return f.failf("a rule or query without predicates and expressions")
	}
	return nil
}

func (f *fields) check(c *datalog.Check) *Error {
	m := f.d.over(msgCheck, f.start, f.stop)
	queries, err := f.queries()
	if err != nil {
		return err
	}
	c.Queries = queries
	for m.next() {
		var err *Error
		switch m.num {
		case 1:
			err = m.query(&c.Queries)
		case 2:
			switch m.val {
			case uint64(datalog.CheckIf), uint64(datalog.CheckAll):
				err = m.since(version31, "the kind of a check")
			case uint64(datalog.RejectIf):
				err = m.since(version33, "reject if")
			default:
				err = m.failf("unknown kind of check %d", m.val)
			}
			c.Kind = datalog.CheckKind(m.val)
		}
		if err != nil {
			return f.in(err)
		}
	}
	if m.err != nil {
		return f.in(m.err)
	}
	if len(c.Queries) == 0 {
		return f.failf("a check without queries")
	}
	return nil
}

// queries makes room for the queries of the current field, a Check or Policy.
func (f *fields) queries() ([]datalog.Query, *Error) {
	n := f.d.counts(f.start, f.stop)[1]
	if err := f.d.spend(n, f.at); err != nil {
		return nil, f.in(err)
	}
	return f.d.queries.take(n), nil
}

// query reads the current field as a query.
func (f *fields) query(to *[]datalog.Query) *Error {
	var r datalog.Rule
	err := f.rule(&r, true)
	*to = append(*to, r.Query)
	return err
}

func (f *fields) scope(s *datalog.Scope) *Error {
	if err := f.since(version31, "a scope"); err != nil {
		return err
	}
	m := f.d.over(msgScope, f.start, f.stop)
	for m.next() {
		switch m.num {
		case 1:
			if m.val > uint64(datalog.ScopePrevious) {
				return f.in(m.failf("unknown scope type %d", m.val))
			}
			s.Kind = datalog.ScopeKind(m.val)
		case 2:
			key, ok := f.d.keys.at(m.val)
			if !ok {
				return f.in(m.failf("public key %d is not defined here", int64(m.val)))
			}
			*s = datalog.Scope{Kind: datalog.ScopeKey, Key: key}
		}
	}
	return f.in(m.err)
}
