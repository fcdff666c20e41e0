package wire

import "github.com/whittle-auth/whittle/token/datalog"

// expression writes the operations of a tree to field num, in postfix order.
// Closures is the number of closures around it, which counts for the depth of
// its terms.
func (e *encoder) expression(b []byte, x datalog.Expr, num, closures int) (_ []byte, err *Error) {
	switch x := x.(type) {
	case datalog.Value:
		var at int
		b, at = open(b, num)
		if b, err = e.term(b, 1, x.Term, place{depth: closures, variable: true}); err != nil {
			return nil, err
		}
		b = shut(b, at)
	case datalog.Unary:
		kind := kindOf(unaryOperators[:], uint8(x.Op), false)
		if kind < 0 {
			return nil, refuse("unknown operation %d", x.Op)
		}
		if b, err = e.expression(b, x.Arg, num, closures); err != nil {
			return nil, err
		}
		b, err = e.operator(b, num, 2, unaryOperators[kind], kind, x.Extern)
	case datalog.Binary:
		kind := kindOf(binaryOperators[:], uint8(x.Op), false)
		if kind < 0 {
			return nil, refuse("unknown operation %d", x.Op)
		}
		op := binaryOperators[kind]
		if b, err = e.operand(b, x.Left, num, closures, op.takes == lazyLeft, ""); err != nil {
			return nil, err
		}
		if b, err = e.operand(b, x.Right, num, closures, op.takes == lazyRight, ""); err != nil {
			return nil, err
		}
		b, err = e.operator(b, num, 3, op, kind, x.Extern)
	case datalog.Quantified:
		kind := kindOf(binaryOperators[:], uint8(x.Op), true)
		if kind < 0 {
			return nil, refuse("unknown operation %d", x.Op)
		}
		if !isName(string(x.Param)) {
			return nil, refuse("%q is not a name", string(x.Param))
		}
		if b, err = e.operand(b, x.Over, num, closures, false, ""); err != nil {
			return nil, err
		}
		if b, err = e.operand(b, x.Body, num, closures, true, x.Param); err != nil {
			return nil, err
		}
		b, err = e.operator(b, num, 3, binaryOperators[kind], kind, "")
	default:
		return nil, refuse("no expression")
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

// operand writes an operand, inside a closure where the operator is lazy.
func (e *encoder) operand(b []byte, x datalog.Expr, num, closures int, lazy bool, param datalog.Variable) (_ []byte, err *Error) {
	if !lazy {
		return e.expression(b, x, num, closures)
	}
	e.since(version33)
	b, at := open(b, num)
	b, inner := open(b, 4)
	if param != "" {
		b = appendVarintField(b, 1, e.in.symbol(string(param)))
	}
	if b, err = e.expression(b, x, 2, closures+1); err != nil {
		return nil, err
	}
	return shut(shut(b, inner), at), nil
}

// operator writes an OpUnary or OpBinary message to field member of an Op.
func (e *encoder) operator(b []byte, num, member int, op operator, kind int, name string) ([]byte, *Error) {
	e.since(op.writes)
	b, at := open(b, num)
	b, inner := open(b, member)
	b = appendVarintField(b, 1, uint64(kind))
	if op.takes == extern {
		id, err := e.name(name)
		if err != nil {
			return nil, err
		}
		b = appendVarintField(b, 2, id)
	} else if name != "" {
		return nil, refuse("only extern calls have a name")
	}
	return shut(shut(b, inner), at), nil
}
