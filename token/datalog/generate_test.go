package datalog

import (
	"pgregory.net/rapid"
)

// Generators of trees. Those named normal make what the parser could have made:
// they follow the grammar, and know nothing of the printer.

var genName = rapid.OneOf(
	rapid.SampledFrom([]string{"a", "b", "p", "or", "check", "if", "trusting", "true", "null", "hex:ab", "hex:", "1", "0x1", "ns::f", "é", "_"}),
	rapid.StringMatching(`[\p{L}\p{Nd}_:]{1,6}`),
)

var genVariable = rapid.Custom(func(t *rapid.T) Variable { return Variable(genName.Draw(t, "variable")) })

var genScalar = rapid.OneOf(
	rapid.Custom(func(t *rapid.T) Term { return Integer(rapid.Int64().Draw(t, "integer")) }),
	rapid.Custom(func(t *rapid.T) Term { return String(rapid.String().Draw(t, "string")) }),
	rapid.Custom(func(t *rapid.T) Term { return String(rapid.StringMatching(`[\\"\n\ra{};,/*]*`).Draw(t, "string")) }),
	rapid.Custom(func(t *rapid.T) Term { return Date(rapid.Uint64().Draw(t, "date")) }),
	rapid.Custom(func(t *rapid.T) Term {
		return Bytes(rapid.SliceOfN(rapid.Byte(), 0, 8).Draw(t, "bytes"))
	}),
	rapid.Custom(func(t *rapid.T) Term { return Bool(rapid.Bool().Draw(t, "bool")) }),
	rapid.Just[Term](Null{}),
)

// genValue makes terms without variables, nested up to the given depth.
func genValue(depth int) *rapid.Generator[Term] {
	if depth == 0 {
		return genScalar
	}
	inner := genValue(depth - 1)
	return rapid.OneOf(
		genScalar,
		rapid.Custom(func(t *rapid.T) Term { return Array(rapid.SliceOfN(inner, 0, 3).Draw(t, "array")) }),
		rapid.Custom(func(t *rapid.T) Term {
			var elems []Term
			for _, e := range rapid.SliceOfN(inner, 0, 5).Draw(t, "set") {
				if _, ok := e.(Set); !ok && (len(elems) == 0 || rank(e) == rank(elems[0])) {
					elems = append(elems, e)
				}
			}
			return mustSet(elems...)
		}),
		rapid.Custom(func(t *rapid.T) Term {
			var entries []MapEntry
			for _, k := range rapid.SliceOfNDistinct(rapid.Int64Range(-2, 5), 0, 3, rapid.ID[int64]).Draw(t, "integer keys") {
				entries = append(entries, MapEntry{Integer(k), inner.Draw(t, "value")})
			}
			for _, k := range rapid.SliceOfNDistinct(rapid.String(), 0, 3, rapid.ID[string]).Draw(t, "string keys") {
				entries = append(entries, MapEntry{String(k), inner.Draw(t, "value")})
			}
			return mustMap(entries...)
		}),
	)
}

var genTerm = rapid.OneOf(
	rapid.Custom(func(t *rapid.T) Term { return genVariable.Draw(t, "variable") }),
	genValue(3),
)

// normalExpr makes an expression of the grammar.
func normalExpr(t *rapid.T) Expr {
	budget := rapid.IntRange(1, 20).Draw(t, "budget")
	return normalAt(t, levelOr, &budget, false)
}

// normalAt makes an expression whose outermost operator binds at least as
// tightly as level. With closed, it does not end in a negation that would take
// in a sum after it. Once the budget is spent, only terms are made.
func normalAt(t *rapid.T, level int, budget *int, closed bool) Expr {
	*budget--
	if *budget <= 0 {
		return Value{genTerm.Filter(isNoDate).Draw(t, "term")}
	}
	switch level = rapid.IntRange(level, levelMethod).Draw(t, "level"); level {
	case levelMethod:
		return normalMethods(t, budget)
	case levelNegation:
		if closed {
			return normalMethods(t, budget)
		}
		return Unary{Op: OpNegate, Arg: normalAt(t, levelSum, budget, false)}
	case levelComparison:
		left := normalAt(t, level+1, budget, closed)
		return Binary{Op: opAt(t, level), Left: left, Right: normalAt(t, level+1, budget, closed)}
	}
	n := rapid.IntRange(2, 3).Draw(t, "operands")
	greedy := level >= levelSum
	e := normalAt(t, level+1, budget, closed || greedy)
	for i := 1; i < n; i++ {
		last := i == n-1
		e = Binary{Op: opAt(t, level), Left: e, Right: normalAt(t, level+1, budget, closed || greedy && !last)}
	}
	return e
}

func isNoDate(t Term) bool {
	_, ok := t.(Date)
	return !ok
}

func opAt(t *rapid.T, level int) BinaryOp {
	var ops []BinaryOp
	for _, x := range infixes {
		if x.level == level {
			ops = append(ops, x.op)
		}
	}
	return rapid.SampledFrom(ops).Draw(t, "operator")
}

func normalMethods(t *rapid.T, budget *int) Expr {
	var e Expr
	if rapid.Bool().Draw(t, "parentheses") {
		e = Unary{Op: OpParens, Arg: normalAt(t, levelOr, budget, false)}
	} else {
		e = Value{genTerm.Draw(t, "term")}
		if !isNoDate(e.(Value).Term) {
			return e
		}
	}
	for range rapid.IntRange(0, 2).Draw(t, "methods") {
		e = drawMethod(t, e, func() Expr { return normalAt(t, levelOr, budget, false) })
	}
	return e
}

// drawMethod makes a call of a method on an expression.
func drawMethod(t *rapid.T, on Expr, argument func() Expr) Expr {
	switch rapid.IntRange(0, 4).Draw(t, "kind of method") {
	case 0:
		return Unary{Op: rapid.SampledFrom([]UnaryOp{OpLength, OpTypeOf}).Draw(t, "method"), Arg: on}
	case 1:
		return Unary{Op: OpUnaryExtern, Extern: genName.Draw(t, "function"), Arg: on}
	case 2:
		return Binary{Op: OpExtern, Extern: genName.Draw(t, "function"), Left: on, Right: argument()}
	case 3:
		op := rapid.SampledFrom([]QuantOp{OpAll, OpAny}).Draw(t, "quantifier")
		return Quantified{Op: op, Over: on, Param: genVariable.Draw(t, "parameter"), Body: argument()}
	}
	m := rapid.SampledFrom(binaryMethods[:]).Draw(t, "method")
	return Binary{Op: m.op, Left: on, Right: argument()}
}

// anyExpr makes any tree a token can hold, with few parentheses or none.
func anyExpr(t *rapid.T, depth int) Expr {
	if depth == 0 {
		return Value{genTerm.Draw(t, "term")}
	}
	inner := func() Expr { return anyExpr(t, depth-1) }
	switch rapid.IntRange(0, 6).Draw(t, "kind") {
	case 0:
		return Value{genTerm.Draw(t, "term")}
	case 1, 2:
		return Unary{Op: OpNegate, Arg: inner()}
	case 3:
		return drawMethod(t, inner(), inner)
	case 4:
		return Unary{Op: OpParens, Arg: inner()}
	}
	x := rapid.SampledFrom(infixes[:]).Draw(t, "operator")
	return Binary{Op: x.op, Left: inner(), Right: inner()}
}

func genPredicate(term *rapid.Generator[Term]) *rapid.Generator[Predicate] {
	return rapid.Custom(func(t *rapid.T) Predicate {
		return Predicate{Name: genName.Draw(t, "name"), Terms: rapid.SliceOfN(term, 0, 3).Draw(t, "terms")}
	})
}

var genScope = rapid.Custom(func(t *rapid.T) Scope {
	switch rapid.IntRange(0, 3).Draw(t, "scope") {
	case 0:
		return Scope{Kind: ScopeAuthority}
	case 1:
		return Scope{Kind: ScopePrevious}
	case 2:
		return Scope{ScopeKey, Key{Ed25519, string(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key"))}}
	}
	return Scope{ScopeKey, Key{Secp256r1, string(rapid.SliceOfN(rapid.Byte(), 33, 33).Draw(t, "key"))}}
})

var genQuery = rapid.Custom(func(t *rapid.T) Query {
	var q Query
	q.Body = rapid.SliceOfN(genPredicate(genTerm), 0, 2).Draw(t, "body")
	least := 0
	if len(q.Body) == 0 {
		least = 1
	}
	for range rapid.IntRange(least, 2).Draw(t, "expressions") {
		q.Exprs = append(q.Exprs, normalExpr(t))
	}
	q.Scopes = rapid.SliceOfN(genScope, 0, 2).Draw(t, "scopes")
	return q
})

var genQueries = rapid.SliceOfN(genQuery, 1, 3)

var genRule = rapid.Custom(func(t *rapid.T) Rule {
	r := Rule{Query: genQuery.Draw(t, "query")}
	r.Head = genPredicate(genValue(2)).Draw(t, "head")
	for _, p := range r.Body {
		for _, v := range p.Terms {
			if _, ok := v.(Variable); ok {
				r.Head.Terms = append(r.Head.Terms, v)
			}
		}
	}
	return r
})

var genAuthorizer = rapid.Custom(func(t *rapid.T) Authorizer {
	var a Authorizer
	a.Scopes = rapid.SliceOfN(genScope, 0, 2).Draw(t, "scopes")
	a.Facts = rapid.SliceOfN(genPredicate(genValue(3)), 0, 3).Draw(t, "facts")
	a.Rules = rapid.SliceOfN(genRule, 0, 2).Draw(t, "rules")
	for _, queries := range rapid.SliceOfN(genQueries, 0, 2).Draw(t, "checks") {
		kind := rapid.SampledFrom([]CheckKind{CheckIf, CheckAll, RejectIf}).Draw(t, "kind")
		a.Checks = append(a.Checks, Check{kind, queries})
	}
	for _, queries := range rapid.SliceOfN(genQueries, 0, 2).Draw(t, "policies") {
		kind := rapid.SampledFrom([]PolicyKind{Allow, Deny}).Draw(t, "kind")
		a.Policies = append(a.Policies, Policy{kind, queries})
	}
	return a
})
