package datalog

import "strings"

// checkKind consumes the keywords of a check, if they come next.
func (p *parser) checkKind() (CheckKind, bool, error) {
	switch {
	case p.keyword("check"):
		if err := p.space(); err != nil {
			return 0, false, err
		}
		switch {
		case p.keyword("if"):
			return CheckIf, true, nil
		case p.keyword("all"):
			return CheckAll, true, nil
		}
		return 0, false, p.unexpected("'if' or 'all'")
	case p.keyword("reject"):
		return RejectIf, true, p.keywordIf()
	}
	return 0, false, nil
}

// policyKind consumes the keywords of a policy, if they come next.
func (p *parser) policyKind() (PolicyKind, bool, error) {
	switch {
	case p.keyword("allow"):
		return Allow, true, p.keywordIf()
	case p.keyword("deny"):
		return Deny, true, p.keywordIf()
	}
	return 0, false, nil
}

func (p *parser) keywordIf() error {
	if err := p.space(); err != nil {
		return err
	}
	if !p.keyword("if") {
		return p.unexpected("'if'")
	}
	return nil
}

func (p *parser) check(kind CheckKind) (Check, error) {
	queries, err := p.queries()
	return Check{kind, queries}, err
}

func (p *parser) policy(kind PolicyKind) (Policy, error) {
	queries, err := p.queries()
	return Policy{kind, queries}, err
}

// queries reads one or more queries with "or" between them.
func (p *parser) queries() ([]Query, error) {
	var queries []Query
	for {
		q, err := p.query()
		if err != nil {
			return nil, err
		}
		queries = append(queries, q)
		if err := p.space(); err != nil {
			return nil, err
		}
		if !p.keyword("or") {
			return queries, nil
		}
	}
}

// query reads the body of a rule: one or more predicates and expressions, and
// perhaps a trusting clause.
func (p *parser) query() (Query, error) {
	var q Query
	from := len(p.bodies.room)
	for {
		if err := p.element(&q, &from); err != nil {
			return Query{}, err
		}
		if more, err := p.next(","); err != nil {
			return Query{}, err
		} else if !more {
			break
		}
	}
	if body := p.bodies.list(from); len(body) > 0 {
		q.Body = body
	}
	if p.word("trusting") {
		scopes, err := p.scopes()
		if err != nil {
			return Query{}, err
		}
		q.Scopes = scopes
	}
	return q, nil
}

// element reads a predicate or an expression into q, whose body begins at from.
func (p *parser) element(q *Query, from *int) error {
	if err := p.space(); err != nil {
		return err
	}
	if ok, err := p.atPredicate(); err != nil {
		return err
	} else if ok {
		pred, err := p.predicate(true)
		p.bodies.add(from, pred)
		return err
	}
	e, err := p.expression()
	q.Exprs = append(q.Exprs, e)
	return err
}

// atPredicate reports whether a name and a parenthesis come next. It consumes
// nothing.
func (p *parser) atPredicate() (bool, error) {
	name := nameAt(p.src, p.pos)
	if name == "" {
		return false, nil
	}
	ahead := p.lexer
	ahead.pos += len(name)
	return ahead.next("(")
}

// predicate reads a name and its terms, of which there may be none.
func (p *parser) predicate(variables bool) (Predicate, error) {
	name := nameAt(p.src, p.pos)
	if name == "" {
		return Predicate{}, p.unexpected("the name of a predicate")
	}
	p.pos += len(name)
	if err := p.expect("(", "'('"); err != nil {
		return Predicate{}, err
	}
	from, count := len(p.terms.room), 0
	for ; ; count++ {
		if done, err := p.next(")"); done || err != nil {
			return Predicate{Name: name, Terms: p.terms.list(from)}, err
		}
		if count > 0 {
			if err := p.expect(",", "',' or ')'"); err != nil {
				return Predicate{}, err
			}
		}
		t, err := p.term(variables)
		if err != nil {
			return Predicate{}, err
		}
		p.terms.add(&from, t)
	}
}

// scopes reads the elements of a trusting clause, after the word.
func (p *parser) scopes() ([]Scope, error) {
	var scopes []Scope
	for {
		if err := p.space(); err != nil {
			return nil, err
		}
		s, err := p.scope()
		if err != nil {
			return nil, err
		}
		scopes = append(scopes, s)
		if more, err := p.next(","); !more || err != nil {
			return scopes, err
		}
	}
}

func (p *parser) scope() (Scope, error) {
	start := p.pos
	if p.accept("{") {
		name := nameAt(p.src, p.pos)
		p.pos += len(name)
		if !isParamName(name) || !p.accept("}") {
			return Scope{}, p.fail(start, "expected the name of a parameter in braces")
		}
		key, err := p.params.key(name)
		if err != nil {
			return Scope{}, p.fail(start, "%v", err)
		}
		return Scope{Kind: ScopeKey, Key: key}, nil
	}
	name := nameAt(p.src, p.pos)
	p.pos += len(name)
	switch {
	case strings.HasPrefix(p.src[p.pos:], "/"):
		if name != Ed25519.String() && name != Secp256r1.String() {
			return Scope{}, p.fail(start, "unknown key algorithm %s", quoteName(name))
		}
		digits := nameAt(p.src, p.pos+1)
		key, err := ParseKey(name + "/" + digits)
		if err != nil {
			return Scope{}, p.fail(start, "%v", err)
		}
		p.pos += 1 + len(digits)
		return Scope{Kind: ScopeKey, Key: key}, nil
	case name == "authority":
		return Scope{Kind: ScopeAuthority}, nil
	case name == "previous":
		return Scope{Kind: ScopePrevious}, nil
	}
	p.pos = start
	return Scope{}, p.unexpected("authority, previous, a public key or a parameter")
}
