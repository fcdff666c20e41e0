package datalog

import "slices"

// Equality is that of meaning in the narrow sense: same shape, same names, same
// terms by [Equal], same order of everything. Parentheses count. Absent and
// empty lists are equal.

// Equal reports whether two predicates have the same name and terms.
func (p Predicate) Equal(q Predicate) bool {
	return p.Name == q.Name && slices.EqualFunc(p.Terms, q.Terms, Equal)
}

// Equal reports whether two queries are the same, in order.
func (q Query) Equal(r Query) bool {
	return slices.EqualFunc(q.Body, r.Body, Predicate.Equal) &&
		slices.EqualFunc(q.Exprs, r.Exprs, EqualExpr) &&
		slices.Equal(q.Scopes, r.Scopes)
}

// Equal reports whether two rules are the same, in order.
func (r Rule) Equal(s Rule) bool { return r.Head.Equal(s.Head) && r.Query.Equal(s.Query) }

// Equal reports whether two checks are the same, in order.
func (c Check) Equal(d Check) bool {
	return c.Kind == d.Kind && slices.EqualFunc(c.Queries, d.Queries, Query.Equal)
}

// Equal reports whether two policies are the same, in order.
func (p Policy) Equal(q Policy) bool {
	return p.Kind == q.Kind && slices.EqualFunc(p.Queries, q.Queries, Query.Equal)
}

// Equal reports whether two blocks are the same, in order, context included.
func (b Block) Equal(c Block) bool {
	if (b.Context == nil) != (c.Context == nil) || b.Context != nil && *b.Context != *c.Context {
		return false
	}
	return slices.Equal(b.Scopes, c.Scopes) &&
		slices.EqualFunc(b.Facts, c.Facts, Predicate.Equal) &&
		slices.EqualFunc(b.Rules, c.Rules, Rule.Equal) &&
		slices.EqualFunc(b.Checks, c.Checks, Check.Equal)
}

// Equal reports whether two authorizers are the same, in order.
func (a Authorizer) Equal(b Authorizer) bool {
	return a.Block.Equal(b.Block) && slices.EqualFunc(a.Policies, b.Policies, Policy.Equal)
}

// EqualExpr reports whether two expressions are the same tree.
func EqualExpr(a, b Expr) bool {
	switch a := a.(type) {
	case Value:
		b, ok := b.(Value)
		return ok && Equal(a.Term, b.Term)
	case Unary:
		b, ok := b.(Unary)
		return ok && a.Op == b.Op && a.Extern == b.Extern && EqualExpr(a.Arg, b.Arg)
	case Binary:
		b, ok := b.(Binary)
		return ok && a.Op == b.Op && a.Extern == b.Extern &&
			EqualExpr(a.Left, b.Left) && EqualExpr(a.Right, b.Right)
	case Quantified:
		b, ok := b.(Quantified)
		return ok && a.Op == b.Op && a.Param == b.Param &&
			EqualExpr(a.Over, b.Over) && EqualExpr(a.Body, b.Body)
	}
	return a == nil && b == nil
}
