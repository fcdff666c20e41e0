package datalog

import (
	"slices"
	"unicode/utf8"
)

// ParseBlock reads the source of a block: an optional trusting clause, then
// facts, rules and checks in any order, each ended by a semicolon (the last one
// may do without). Context is left nil: it is no part of the text.
//
// Text above [MaxSource] bytes, text that is not UTF-8, nesting beyond
// [MaxDepth] and expressions beyond [MaxNodes] are refused. Errors are of type
// *[SyntaxError]. A variable of an expression that no predicate binds is not an
// error here but when the expression is evaluated, as is a closure's parameter
// that shadows another variable.
func ParseBlock(src string, params *Params) (*Block, error) {
	a, err := parse(src, params, func(p *parser) (*Authorizer, error) { return p.statements(false) })
	if err != nil {
		return nil, err
	}
	return &a.Block, nil
}

// ParseAuthorizer reads what [ParseBlock] reads, and policies.
func ParseAuthorizer(src string, params *Params) (*Authorizer, error) {
	return parse(src, params, func(p *parser) (*Authorizer, error) { return p.statements(true) })
}

// ParseFact reads one fact, with or without a semicolon after it.
func ParseFact(src string, params *Params) (Predicate, error) {
	return parse(src, params, single(func(p *parser) (Predicate, error) { return p.predicate(false) }))
}

// ParseRule reads one rule, with or without a semicolon after it.
func ParseRule(src string, params *Params) (Rule, error) {
	return parse(src, params, single((*parser).rule))
}

// ParseCheck reads one check, with or without a semicolon after it.
func ParseCheck(src string, params *Params) (Check, error) {
	return parse(src, params, single(func(p *parser) (Check, error) {
		if kind, ok, err := p.checkKind(); err != nil {
			return Check{}, err
		} else if ok {
			return p.check(kind)
		}
		return Check{}, p.unexpected("'check if', 'check all' or 'reject if'")
	}))
}

// ParsePolicy reads one policy, with or without a semicolon after it.
func ParsePolicy(src string, params *Params) (Policy, error) {
	return parse(src, params, single(func(p *parser) (Policy, error) {
		if kind, ok, err := p.policyKind(); err != nil {
			return Policy{}, err
		} else if ok {
			return p.policy(kind)
		}
		return Policy{}, p.unexpected("'allow if' or 'deny if'")
	}))
}

// ParseTerm reads one term, with or without a semicolon after it. A variable is
// a term.
func ParseTerm(src string, params *Params) (Term, error) {
	return parse(src, params, single(func(p *parser) (Term, error) { return p.term(true) }))
}

// parse runs read over the whole of src. On failure the result is the zero value.
func parse[T any](src string, params *Params, read func(*parser) (T, error)) (result T, err error) {
	var zero T
	if len(src) > MaxSource {
		return zero, &SyntaxError{Line: 1, Column: 1, Msg: "source is larger than 1 MiB"}
	}
	if !utf8.ValidString(src) {
		return zero, errorAt(src, invalidAt(src), "source is not valid UTF-8")
	}
	p := parsers.Get().(*parser)
	defer func() {
		*p = parser{}
		parsers.Put(p)
	}()
	p.src, p.params = src, newBindings(params)
	if result, err = read(p); err != nil {
		return zero, err
	}
	if err := p.params.unused(); err != nil {
		return zero, p.fail(p.pos, "%v", err)
	}
	return result, nil
}

// invalidAt returns the offset of the first byte that is not UTF-8.
func invalidAt(src string) int {
	for i, r := range src {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(src[i:]); size == 1 {
				return i
			}
		}
	}
	return len(src)
}

// single makes a reader of one element read the end of the text after it.
func single[T any](read func(*parser) (T, error)) func(*parser) (T, error) {
	return func(p *parser) (T, error) {
		var zero T
		if err := p.space(); err != nil {
			return zero, err
		}
		result, err := read(p)
		if err != nil {
			return zero, err
		}
		if err := p.end(); err != nil {
			return zero, err
		}
		if err := p.space(); err != nil {
			return zero, err
		}
		if p.pos < len(p.src) {
			return zero, p.unexpected("the end of the input")
		}
		return result, nil
	}
}

// end reads the end of a statement: a semicolon, or the end of the text.
func (p *parser) end() error {
	if ended, err := p.next(";"); ended || err != nil {
		return err
	}
	if p.pos < len(p.src) {
		return p.unexpected("';'")
	}
	return nil
}

// statements reads all statements of a block, and policies if they are allowed.
func (p *parser) statements(policies bool) (*Authorizer, error) {
	a := &Authorizer{}
	for first := true; ; first = false {
		if err := p.space(); err != nil {
			return nil, err
		}
		if p.pos == len(p.src) {
			return a, nil
		}
		if err := p.statement(a, first, policies); err != nil {
			return nil, err
		}
		if err := p.end(); err != nil {
			return nil, err
		}
	}
}

// statement reads one statement into a. No keyword is reserved: a name followed
// by a parenthesis begins a fact or a rule, whatever the name.
func (p *parser) statement(a *Authorizer, first, policies bool) error {
	if ok, err := p.atPredicate(); err != nil {
		return err
	} else if ok {
		return p.factOrRule(a)
	}
	start := p.pos
	if first && p.word("trusting") {
		scopes, err := p.scopes()
		a.Scopes = scopes
		return err
	}
	if kind, ok, err := p.checkKind(); err != nil {
		return err
	} else if ok {
		c, err := p.check(kind)
		a.Checks = append(a.Checks, c)
		return err
	}
	if kind, ok, err := p.policyKind(); err != nil {
		return err
	} else if ok {
		if !policies {
			return p.fail(start, "a block has no policies: only an authorizer does")
		}
		policy, err := p.policy(kind)
		a.Policies = append(a.Policies, policy)
		return err
	}
	if p.word("trusting") {
		return p.fail(start, "the trusting clause must be the first statement")
	}
	return p.unexpected("a fact, a rule or a check")
}

func (p *parser) factOrRule(a *Authorizer) error {
	start := p.pos
	head, err := p.predicate(true)
	if err != nil {
		return err
	}
	if isRule, err := p.next("<-"); err != nil {
		return err
	} else if isRule {
		r, err := p.ruleAfterHead(start, head)
		a.Rules = append(a.Rules, r)
		return err
	}
	if hasVariable(head.Terms) {
		// Read once more, for the place of the variable that may not be there.
		p.pos = start
		_, err := p.predicate(false)
		return err
	}
	if a.Facts == nil {
		a.Facts = make([]Predicate, 0, 4)
	}
	a.Facts = append(a.Facts, head)
	return nil
}

// hasVariable reports whether one of the terms of a predicate is a variable;
// what nests in them has none.
func hasVariable(terms []Term) bool {
	return slices.ContainsFunc(terms, func(t Term) bool { _, ok := t.(Variable); return ok })
}

func (p *parser) rule() (Rule, error) {
	start := p.pos
	head, err := p.predicate(true)
	if err != nil {
		return Rule{}, err
	}
	if err := p.expect("<-", "'<-'"); err != nil {
		return Rule{}, err
	}
	return p.ruleAfterHead(start, head)
}

// ruleAfterHead reads the body of a rule whose head began at start.
func (p *parser) ruleAfterHead(start int, head Predicate) (Rule, error) {
	q, err := p.query()
	if err != nil {
		return Rule{}, err
	}
	bound := map[Variable]bool{}
	for _, b := range q.Body {
		for _, t := range b.Terms {
			if v, ok := t.(Variable); ok {
				bound[v] = true
			}
		}
	}
	for _, t := range head.Terms {
		if v, ok := t.(Variable); ok && !bound[v] {
			return Rule{}, p.fail(start, "variable %s of the head is in no predicate of the body", quoteName("$"+string(v)))
		}
	}
	return Rule{Head: head, Query: q}, nil
}
