package delegation

import "github.com/whittle-auth/whittle/token/datalog"

// writes reports whether a caveat's Check is the given check. Those that nearly every
// token has are compared in place, without being written again.
func writes(cv Caveat, c datalog.Check) bool {
	switch cv := cv.(type) {
	case Expiry:
		guard, ok := allOf(c, "time", "t")
		return ok && compares(guard, datalog.OpLessThan, "t", datalog.Date(cv.At))
	case NotBefore:
		guard, ok := allOf(c, "time", "t")
		return ok && compares(guard, datalog.OpGreaterOrEqual, "t", datalog.Date(cv.At))
	case Operations:
		guard, ok := allOf(c, "operation", "o")
		return ok && containsNames(guard, cv.Names, "o")
	case Audiences:
		guard, ok := allOf(c, "audience", "a")
		return ok && containsNames(guard, cv.Names, "a")
	case Resources:
		guard, ok := allOf(c, "resource", "r")
		return ok && matchesPatterns(guard, "r", cv.Patterns)
	}
	return cv.Check().Equal(c)
}

// allOf returns the guard of a check that [checkAll] writes with one.
func allOf(c datalog.Check, name string, v datalog.Variable) (guard datalog.Expr, ok bool) {
	if c.Kind != datalog.CheckAll || len(c.Queries) != 1 {
		return nil, false
	}
	q := &c.Queries[0]
	if len(q.Body) != 1 || len(q.Exprs) != 1 || len(q.Scopes) != 0 {
		return nil, false
	}
	p := &q.Body[0]
	if p.Name != name || len(p.Terms) != 1 {
		return nil, false
	}
	if t, ok := p.Terms[0].(datalog.Variable); !ok || t != v {
		return nil, false
	}
	return q.Exprs[0], true
}

// operation returns the operands of an expression with the given operator.
func operation(e datalog.Expr, op datalog.BinaryOp) (left, right datalog.Expr, ok bool) {
	b, ok := e.(datalog.Binary)
	return b.Left, b.Right, ok && b.Op == op && b.Extern == ""
}

// is reports whether an expression is nothing but a term.
func is[T interface {
	comparable
	datalog.Term
}](e datalog.Expr, t T) bool {
	v, _ := e.(datalog.Value)
	term, ok := v.Term.(T)
	return ok && term == t
}

// compares reports whether an expression is what [compare] writes.
func compares[T interface {
	comparable
	datalog.Term
}](e datalog.Expr, op datalog.BinaryOp, v datalog.Variable, t T) bool {
	left, right, ok := operation(e, op)
	return ok && is(left, v) && is(right, t)
}

// containsNames reports whether an expression is what [containsGuard] writes of strings.
func containsNames(e datalog.Expr, names []string, v datalog.Variable) bool {
	left, right, ok := operation(e, datalog.OpContains)
	list, isValue := left.(datalog.Value)
	array, isArray := list.Term.(datalog.Array)
	if !ok || !isValue || !isArray || len(array) != len(names) || !is(right, v) {
		return false
	}
	for i, name := range names {
		if s, ok := array[i].(datalog.String); !ok || string(s) != name {
			return false
		}
	}
	return true
}

// matchesPatterns reports whether an expression is what [patternGuard] writes. It goes
// from the last alternative to the first, as they are nested.
func matchesPatterns(e datalog.Expr, v datalog.Variable, patterns []Pattern) bool {
	alternative := func(first bool, op datalog.BinaryOp, path string) bool {
		last := e
		if !first {
			var ok bool
			if e, last, ok = operation(e, datalog.OpOr); !ok {
				return false
			}
		}
		return compares(last, op, v, datalog.String(path))
	}
	for i := len(patterns) - 1; i >= 0; i-- {
		p := patterns[i]
		if p.Subtree && !alternative(false, datalog.OpPrefix, p.Path+"/") {
			return false
		}
		if !alternative(i == 0, datalog.OpEqual, p.Path) {
			return false
		}
	}
	return len(patterns) > 0
}
