package engine

import "github.com/whittle-auth/whittle/token/datalog"

// fail notes the detail of an error and returns its kind.
func (e *evaluation) fail(k ErrorKind, detail string) ErrorKind {
	e.detail, e.cause = detail, nil
	return k
}

// eval evaluates one node with the current variables (specification, section
// "Expressions"). Operands are evaluated left to right, except that the
// fallback of try_or comes before what is tried.
func (e *evaluation) eval(i int32) (value, ErrorKind) {
	if e.charge(1); e.spent() {
		return value{}, e.fail(TooManySteps, "")
	}
	n := &e.nodes[i]
	switch n.op {
	case opVariable:
		return e.slots[n.a], none
	case opUnknown:
		return value{}, e.fail(UnknownVariable, "$"+e.text(n.val.num))
	case opUnary:
		a, k := e.eval(n.a)
		if k != none {
			return value{}, k
		}
		return e.unary(n, a)
	case opBinary:
		return e.evalBinary(n)
	case opQuantify:
		over, k := e.eval(n.a)
		if k != none {
			return value{}, k
		}
		return e.quantify(n, over)
	case opShadow:
		if _, k := e.eval(n.a); k != none {
			return value{}, k
		}
		return value{}, e.fail(ShadowedVariable, "$"+e.text(n.val.num))
	}
	return n.val, none
}

func (e *evaluation) evalBinary(n *node) (value, ErrorKind) {
	op := datalog.BinaryOp(n.sub)
	if op == datalog.OpTryOr {
		fallback, k := e.eval(n.b)
		if k != none {
			return value{}, k
		}
		v, k := e.eval(n.a)
		if k == TooManySteps {
			return value{}, k
		}
		if k != none {
			return fallback, none
		}
		return v, none
	}
	a, k := e.eval(n.a)
	if k != none {
		return value{}, k
	}
	if op == datalog.OpAnd || op == datalog.OpOr {
		if a.kind != kindBool {
			return value{}, e.fail(InvalidType, "")
		}
		if (a.num == 1) == (op == datalog.OpOr) {
			return a, none
		}
		return e.eval(n.b)
	}
	b, k := e.eval(n.b)
	if k != none {
		return value{}, k
	}
	return e.binary(n, op, a, b)
}

// quantify evaluates all and any. Each element must give a bool; the first that
// decides ends the loop.
func (e *evaluation) quantify(n *node, over value) (value, ErrorKind) {
	stride := 1
	switch over.kind {
	case kindSet, kindArray:
	case kindMap:
		stride = 2
	default:
		return value{}, e.fail(InvalidType, "")
	}
	decides := boolean(datalog.QuantOp(n.sub) == datalog.OpAny)
	for elems := e.elements(over); len(elems) > 0; elems = elems[stride:] {
		elem := elems[0]
		if stride == 2 {
			elem = e.composite(kindArray, elems[:2])
		}
		e.slots[n.val.num] = elem
		v, k := e.eval(n.b)
		switch {
		case k != none:
			return value{}, k
		case v.kind != kindBool:
			return value{}, e.fail(InvalidType, "")
		case v == decides:
			return v, none
		}
	}
	return boolean(datalog.QuantOp(n.sub) == datalog.OpAll), none
}

var typeNames = [...]string{
	kindInteger: "integer",
	kindString:  "string",
	kindDate:    "date",
	kindBytes:   "bytes",
	kindBool:    "bool",
	kindSet:     "set",
	kindNull:    "null",
	kindArray:   "array",
	kindMap:     "map",
}

func (e *evaluation) unary(n *node, a value) (value, ErrorKind) {
	switch datalog.UnaryOp(n.sub) {
	case datalog.OpNegate:
		if a.kind == kindBool {
			return boolean(a.num == 0), none
		}
	case datalog.OpParens:
		return a, none
	case datalog.OpLength:
		switch a.kind {
		case kindString, kindBytes:
			return integer(int64(len(e.text(a.num)))), none
		case kindSet, kindArray:
			return integer(int64(len(e.elements(a)))), none
		case kindMap:
			return integer(int64(len(e.elements(a)) / 2)), none
		}
	case datalog.OpTypeOf:
		return value{kindString, uint64(e.symbol(typeNames[a.kind]))}, none
	case datalog.OpUnaryExtern:
		return e.extern(n, a, value{})
	}
	return value{}, e.fail(InvalidType, "")
}

// extern calls an external function. A right operand of no kind means none.
func (e *evaluation) extern(n *node, left, right value) (value, ErrorKind) {
	name := e.text(n.val.num)
	fn := e.externs[name]
	if fn == nil {
		return value{}, e.fail(UndefinedExtern, name)
	}
	l := e.term(left)
	var r datalog.Term
	if right.kind != 0 {
		r = e.term(right)
	}
	if e.spent() {
		return value{}, e.fail(TooManySteps, "")
	}
	t, err := fn(l, r)
	if err != nil {
		e.detail, e.cause = name+": "+err.Error(), err
		return value{}, ExternError
	}
	v, f := e.intern(t)
	if f.kind != none {
		return value{}, e.fail(ExternError, name+": "+f.detail)
	}
	if e.spent() {
		return value{}, e.fail(TooManySteps, "")
	}
	return v, none
}
