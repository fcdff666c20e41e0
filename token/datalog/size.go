package datalog

// Measure returns what the printed form of e takes of the parser's limits: the
// number of operators and terms, to hold against [MaxNodes], and the depth of
// nesting, to hold against [MaxDepth]. Parentheses that printing must add count.
// An expression within both limits prints to text that parses.
func Measure(e Expr) (nodes, depth int) {
	switch e := e.(type) {
	case Value:
		return 1, depthOf(e.Term)
	case Unary:
		switch e.Op {
		case OpNegate:
			nodes, depth = measureOperand(e.Arg, asNegated)
			return nodes + 1, depth + 1
		case OpParens:
			nodes, depth = Measure(e.Arg)
			return nodes + 1, depth + 1
		}
		nodes, depth = measureOperand(e.Arg, asReceiver)
		return nodes + 1, depth
	case Binary:
		left, right, added := asReceiver, place{}, 1
		if x, ok := infixOf(e.Op); ok {
			left, right, added = asLeft(x), asRight(x), 0
		}
		n, d := measureOperand(e.Left, left)
		nodes, depth = measureOperand(e.Right, right)
		return n + nodes + 1, max(d, depth+added)
	case Quantified:
		n, d := measureOperand(e.Over, asReceiver)
		nodes, depth = Measure(e.Body)
		return n + nodes + 1, max(d, depth+1)
	}
	return 1, 0
}

func measureOperand(e Expr, at place) (nodes, depth int) {
	nodes, depth = Measure(e)
	if needsParens(e, at) {
		return nodes + 1, depth + 1
	}
	return nodes, depth
}

// depthOf returns the nesting of a term: 0 for a scalar.
func depthOf(t Term) int {
	inner := -1
	switch t := t.(type) {
	case Set:
		for _, e := range t {
			inner = max(inner, depthOf(e))
		}
	case Array:
		for _, e := range t {
			inner = max(inner, depthOf(e))
		}
	case Map:
		for _, e := range t {
			inner = max(inner, depthOf(e.Value))
		}
	default:
		return 0
	}
	return max(inner, 0) + 1
}
