package datalog

// The String methods of expressions print a tree that the parser made exactly
// as it was written, but for white space. A tree without the parentheses that
// its shape needs, which a token can hold, gets them.

// String returns the term.
func (e Value) String() string { return string(appendExpr(nil, e)) }

// String returns the expression as source text.
func (e Unary) String() string { return string(appendExpr(nil, e)) }

// String returns the expression as source text.
func (e Binary) String() string { return string(appendExpr(nil, e)) }

// String returns the expression as source text.
func (e Quantified) String() string { return string(appendExpr(nil, e)) }

func appendExpr(b []byte, e Expr) []byte {
	switch e := e.(type) {
	case Value:
		return appendTerm(b, e.Term)
	case Unary:
		switch e.Op {
		case OpNegate:
			return appendOperand(append(b, '!'), e.Arg, asNegated)
		case OpParens:
			return append(appendExpr(append(b, '('), e.Arg), ')')
		}
		b = append(appendOperand(b, e.Arg, asReceiver), '.')
		return append(appendMethod(b, e.Op.String(), e.Op == OpUnaryExtern, e.Extern), "()"...)
	case Binary:
		if x, ok := infixOf(e.Op); ok {
			b = appendOperand(b, e.Left, asLeft(x))
			b = append(append(append(b, ' '), x.sign...), ' ')
			return appendOperand(b, e.Right, asRight(x))
		}
		b = append(appendOperand(b, e.Left, asReceiver), '.')
		b = append(appendMethod(b, e.Op.String(), e.Op == OpExtern, e.Extern), '(')
		return append(appendExpr(b, e.Right), ')')
	case Quantified:
		b = append(appendOperand(b, e.Over, asReceiver), '.')
		b = append(append(b, e.Op.String()...), '(')
		b = append(appendTerm(b, e.Param), " -> "...)
		return append(appendExpr(b, e.Body), ')')
	}
	return append(b, "<no expression>"...)
}

func appendMethod(b []byte, name string, extern bool, function string) []byte {
	if extern {
		return appendName(append(b, externPrefix...), function)
	}
	return append(b, name...)
}

// A place is where an operand stands.
type place struct {
	level int // the weakest operator that may stand there without parentheses

	// greedy says that a sum or product follows. An unclosed negation there would
	// take it in: !a + b is !(a + b).
	greedy bool
}

var (
	asNegated  = place{level: levelSum}
	asReceiver = place{level: levelMethod}
)

func asLeft(x infix) place {
	level := x.level
	if level == levelComparison {
		level++
	}
	return place{level: level, greedy: x.level >= levelSum}
}

func asRight(x infix) place { return place{level: x.level + 1} }

func appendOperand(b []byte, e Expr, at place) []byte {
	if needsParens(e, at) {
		return append(appendExpr(append(b, '('), e), ')')
	}
	return appendExpr(b, e)
}

func needsParens(e Expr, at place) bool {
	return levelOf(e) < at.level ||
		at.greedy && endsInNegation(e) ||
		at.level == levelMethod && needsReceiverParens(e)
}

// levelOf returns how tightly the outermost operator of e binds.
func levelOf(e Expr) int {
	switch e := e.(type) {
	case Unary:
		if e.Op == OpNegate {
			return levelNegation
		}
	case Binary:
		if x, ok := infixOf(e.Op); ok {
			return x.level
		}
	}
	return levelMethod
}

// endsInNegation reports whether the last operand of e, as printed, is a
// negation without parentheses around it.
func endsInNegation(e Expr) bool {
	switch e := e.(type) {
	case Unary:
		return e.Op == OpNegate
	case Binary:
		x, ok := infixOf(e.Op)
		return ok && !needsParens(e.Right, asRight(x)) && endsInNegation(e.Right)
	}
	return false
}
