package main

// An expr is an expression as the wire has it: operations in postfix order.
type expr []node

// Operators with one argument, as numbered in the schema.
const (
	unNegate = 0
	unParens = 1
	unLength = 2
	unTypeOf = 3
	unExtern = 4
)

// Operators with two arguments, as numbered in the schema.
const (
	binLessThan       = 0
	binGreaterThan    = 1
	binLessOrEqual    = 2
	binGreaterOrEqual = 3
	binStrictEqual    = 4
	binContains       = 5
	binPrefix         = 6
	binSuffix         = 7
	binRegex          = 8
	binAdd            = 9
	binSub            = 10
	binMul            = 11
	binDiv            = 12
	binEagerAnd       = 13
	binEagerOr        = 14
	binIntersection   = 15
	binUnion          = 16
	binBitAnd         = 17
	binBitOr          = 18
	binBitXor         = 19
	binStrictNotEqual = 20
	binEqual          = 21
	binNotEqual       = 22
	binAnd            = 23
	binOr             = 24
	binAll            = 25
	binAny            = 26
	binGet            = 27
	binExtern         = 28
	binTryOr          = 29
)

func val(term node) expr {
	return expr{func(t *table) []byte { return bytesField(1, term(t)) }}
}

func unaryOp(kind uint64) node {
	return func(t *table) []byte {
		if kind >= unTypeOf {
			t.needs(6)
		}
		return bytesField(2, uintField(1, kind))
	}
}

func binaryOp(kind uint64) node {
	return func(t *table) []byte {
		switch {
		case kind >= binEqual:
			t.needs(6)
		case kind >= binBitAnd:
			t.needs(4)
		}
		return bytesField(3, uintField(1, kind))
	}
}

// externOp calls a function of the host: num is 2 with one argument (kind 4)
// and 3 with two (kind 28).
func externOp(num int, kind uint64, name string) node {
	return func(t *table) []byte {
		t.needs(6)
		inner := message{uintField(1, kind), uintField(2, t.symbol(name))}
		if num == 2 {
			return bytesField(2, inner.bytes())
		}
		return bytesField(3, inner.bytes())
	}
}

func closureOp(params []string, body expr) node {
	return func(t *table) []byte {
		t.needs(6)
		var m message
		for _, p := range params {
			m = append(m, uintField(1, t.symbol(p)))
		}
		return bytesField(4, m.with(encodeAll(t, 2, body)...).bytes())
	}
}

func join(parts ...expr) expr {
	var out expr
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func apply(kind uint64, arg expr) expr { return join(arg, expr{unaryOp(kind)}) }

func infix(kind uint64, left, right expr) expr {
	return join(left, right, expr{binaryOp(kind)})
}

// lazy writes && and ||: the right operand is a closure without parameters.
func lazy(kind uint64, left, right expr) expr {
	return join(left, expr{closureOp(nil, right), binaryOp(kind)})
}

// tryOr writes left.try_or(right): what is tried is a closure.
func tryOr(left, right expr) expr {
	return join(expr{closureOp(nil, left)}, right, expr{binaryOp(binTryOr)})
}

func quantified(kind uint64, over expr, param string, body expr) expr {
	return join(over, expr{closureOp([]string{param}, body), binaryOp(kind)})
}
