package datalog

import (
	"encoding/hex"
	"strconv"
)

// The String methods write source text in the form of the reference
// implementation: one space after a comma and around an operator, one statement
// on a line.
//
// A name that text cannot spell, which only a hand-made token can hold, is
// written in double quotes. That reads well and parses nowhere, so such a name
// cannot pass for something else.

func (t Variable) String() string { return string(appendTerm(nil, t)) }
func (t Integer) String() string  { return string(appendTerm(nil, t)) }

// String returns the literal, in quotes and with escapes.
func (t String) String() string { return string(appendTerm(nil, t)) }

// String returns the date in UTC as RFC 3339 writes it, with as many digits in
// the year as it takes.
func (t Date) String() string { return string(appendTerm(nil, t)) }

// String returns hex: and the bytes in hexadecimal.
func (t Bytes) String() string { return string(appendTerm(nil, t)) }
func (t Bool) String() string  { return string(appendTerm(nil, t)) }
func (t Null) String() string  { return string(appendTerm(nil, t)) }
func (t Set) String() string   { return string(appendTerm(nil, t)) }
func (t Array) String() string { return string(appendTerm(nil, t)) }
func (t Map) String() string   { return string(appendTerm(nil, t)) }

func appendTerm(b []byte, t Term) []byte {
	switch t := t.(type) {
	case Variable:
		return appendName(append(b, '$'), string(t))
	case Integer:
		return strconv.AppendInt(b, int64(t), 10)
	case String:
		return appendText(b, string(t))
	case Date:
		return appendDate(b, t)
	case Bytes:
		return hex.AppendEncode(append(b, "hex:"...), []byte(t))
	case Bool:
		return strconv.AppendBool(b, bool(t))
	case Null:
		return append(b, "null"...)
	case Set:
		if len(t) == 0 {
			return append(b, "{,}"...)
		}
		return append(appendTerms(append(b, '{'), t), '}')
	case Array:
		return append(appendTerms(append(b, '['), t), ']')
	case Map:
		b = append(b, '{')
		for i, e := range t {
			b = appendComma(b, i)
			b = append(appendTerm(b, e.Key), ": "...)
			b = appendTerm(b, e.Value)
		}
		return append(b, '}')
	}
	return append(b, "<no term>"...)
}

func appendTerms(b []byte, terms []Term) []byte {
	for i, t := range terms {
		b = appendTerm(appendComma(b, i), t)
	}
	return b
}

// appendComma separates element i of a list from the one before.
func appendComma(b []byte, i int) []byte {
	if i == 0 {
		return b
	}
	return append(b, ", "...)
}

func appendName(b []byte, name string) []byte {
	if isName(name) {
		return append(b, name...)
	}
	return strconv.AppendQuote(b, name)
}

// String returns name(t0, t1, ..).
func (p Predicate) String() string { return string(p.append(nil)) }

func (p Predicate) append(b []byte) []byte {
	b = append(appendName(b, p.Name), '(')
	return append(appendTerms(b, p.Terms), ')')
}

// String returns the body of a rule. The query without a body and expressions,
// which always holds and which text cannot write, is printed as true.
func (q Query) String() string { return string(q.append(nil)) }

func (q Query) append(b []byte) []byte {
	for i, p := range q.Body {
		b = p.append(appendComma(b, i))
	}
	for i, e := range q.Exprs {
		b = appendExpr(appendComma(b, len(q.Body)+i), e)
	}
	if len(q.Body)+len(q.Exprs) == 0 {
		b = append(b, "true"...)
	}
	if len(q.Scopes) > 0 {
		b = appendTrusting(append(b, ' '), q.Scopes)
	}
	return b
}

// appendQueries appends alternatives. None at all, which never hold and which
// text cannot write, are printed as false.
func appendQueries(b []byte, queries []Query) []byte {
	for i, q := range queries {
		if i > 0 {
			b = append(b, " or "...)
		}
		b = q.append(b)
	}
	if len(queries) == 0 {
		b = append(b, "false"...)
	}
	return b
}

func appendTrusting(b []byte, scopes []Scope) []byte {
	b = append(b, "trusting "...)
	for i, s := range scopes {
		b = append(appendComma(b, i), s.String()...)
	}
	return b
}

// String returns head <- body.
func (r Rule) String() string { return string(r.append(nil)) }

func (r Rule) append(b []byte) []byte {
	return r.Query.append(append(r.Head.append(b), " <- "...))
}

// String returns the check without a semicolon.
func (c Check) String() string { return string(c.append(nil)) }

func (c Check) append(b []byte) []byte {
	return appendQueries(append(append(b, c.Kind.String()...), ' '), c.Queries)
}

// String returns the policy without a semicolon.
func (p Policy) String() string { return string(p.append(nil)) }

func (p Policy) append(b []byte) []byte {
	return appendQueries(append(append(b, p.Kind.String()...), " if "...), p.Queries)
}

// String returns authority, previous or the text form of the key.
func (s Scope) String() string {
	if s.Kind == ScopeKey {
		return s.Key.String()
	}
	return s.Kind.String()
}

// String returns check if, check all or reject if.
func (k CheckKind) String() string {
	switch k {
	case CheckIf:
		return "check if"
	case CheckAll:
		return "check all"
	case RejectIf:
		return "reject if"
	}
	return invalidName
}

// String returns allow or deny.
func (k PolicyKind) String() string {
	switch k {
	case Allow:
		return "allow"
	case Deny:
		return "deny"
	}
	return invalidName
}

// String returns authority, previous or key.
func (k ScopeKind) String() string {
	switch k {
	case ScopeAuthority:
		return "authority"
	case ScopePrevious:
		return "previous"
	case ScopeKey:
		return "key"
	}
	return invalidName
}
