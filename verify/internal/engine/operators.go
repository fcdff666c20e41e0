package engine

import (
	"math"
	"slices"
	"strings"

	"github.com/whittle-auth/whittle/token/datalog"
)

// binary applies an operator to two values. Which types it accepts is that of
// the reference implementation; all else is InvalidType.
func (e *evaluation) binary(n *node, op datalog.BinaryOp, a, b value) (value, ErrorKind) {
	switch op {
	case datalog.OpEqual:
		return boolean(a == b), none
	case datalog.OpNotEqual:
		return boolean(a != b), none
	case datalog.OpExtern:
		return e.extern(n, a, b)
	case datalog.OpStrictEqual:
		if a.kind == b.kind {
			return boolean(a == b), none
		}
	case datalog.OpStrictNotEqual:
		if a.kind == b.kind {
			return boolean(a != b), none
		}
	case datalog.OpContains:
		return e.contains(a, b)
	case datalog.OpGet:
		return e.get(a, b)
	default:
		if a.kind != b.kind {
			break
		}
		switch a.kind {
		case kindInteger:
			return e.integerOp(op, int64(a.num), int64(b.num))
		case kindDate:
			return e.dateOp(op, a.num, b.num)
		case kindString:
			return e.stringOp(op, a, b)
		case kindBool:
			switch op {
			case datalog.OpEagerAnd:
				return boolean(a.num&b.num == 1), none
			case datalog.OpEagerOr:
				return boolean(a.num|b.num == 1), none
			}
		case kindSet:
			switch op {
			case datalog.OpIntersection, datalog.OpUnion:
				return e.merge(a, b, op == datalog.OpUnion), none
			}
		case kindArray:
			x, y := e.elements(a), e.elements(b)
			switch op {
			case datalog.OpPrefix:
				e.charge(len(y))
				return boolean(len(x) >= len(y) && equalValues(x[:len(y)], y)), none
			case datalog.OpSuffix:
				e.charge(len(y))
				return boolean(len(x) >= len(y) && equalValues(x[len(x)-len(y):], y)), none
			}
		}
	}
	return value{}, e.fail(InvalidType, "")
}

func (e *evaluation) integerOp(op datalog.BinaryOp, a, b int64) (value, ErrorKind) {
	var c int64
	ok := true
	switch op {
	case datalog.OpLessThan:
		return boolean(a < b), none
	case datalog.OpGreaterThan:
		return boolean(a > b), none
	case datalog.OpLessOrEqual:
		return boolean(a <= b), none
	case datalog.OpGreaterOrEqual:
		return boolean(a >= b), none
	case datalog.OpBitAnd:
		c = a & b
	case datalog.OpBitOr:
		c = a | b
	case datalog.OpBitXor:
		c = a ^ b
	case datalog.OpAdd:
		c = a + b
		ok = (c > a) == (b > 0)
	case datalog.OpSub:
		c = a - b
		ok = (c < a) == (b > 0)
	case datalog.OpMul:
		c = a * b
		ok = a == 0 || (c/a == b && !(a == -1 && b == math.MinInt64))
	case datalog.OpDiv:
		if b == 0 || (a == math.MinInt64 && b == -1) {
			return value{}, e.fail(DivideByZero, "")
		}
		c = a / b
	default:
		return value{}, e.fail(InvalidType, "")
	}
	if !ok {
		return value{}, e.fail(Overflow, "")
	}
	return integer(c), none
}

func (e *evaluation) dateOp(op datalog.BinaryOp, a, b uint64) (value, ErrorKind) {
	switch op {
	case datalog.OpLessThan:
		return boolean(a < b), none
	case datalog.OpGreaterThan:
		return boolean(a > b), none
	case datalog.OpLessOrEqual:
		return boolean(a <= b), none
	case datalog.OpGreaterOrEqual:
		return boolean(a >= b), none
	}
	return value{}, e.fail(InvalidType, "")
}

func (e *evaluation) stringOp(op datalog.BinaryOp, a, b value) (value, ErrorKind) {
	s, t := e.text(a.num), e.text(b.num)
	switch op {
	case datalog.OpPrefix:
		e.charge(len(t) / 64)
		return boolean(strings.HasPrefix(s, t)), none
	case datalog.OpSuffix:
		e.charge(len(t) / 64)
		return boolean(strings.HasSuffix(s, t)), none
	case datalog.OpRegex:
		return e.matches(s, b)
	case datalog.OpAdd:
		// The new string is kept until the evaluation ends, so its bytes are
		// paid for before it is made.
		if e.charge((len(s) + len(t)) / 8); e.spent() {
			return value{}, e.fail(TooManySteps, "")
		}
		return value{kindString, uint64(e.symbol(s + t))}, none
	}
	return value{}, e.fail(InvalidType, "")
}

func (e *evaluation) contains(a, b value) (value, ErrorKind) {
	switch a.kind {
	case kindString:
		if b.kind == kindString {
			s := e.text(a.num)
			e.charge(len(s) / 8)
			return boolean(strings.Contains(s, e.text(b.num))), none
		}
	case kindArray:
		elems := e.elements(a)
		e.charge(len(elems))
		return boolean(slices.Contains(elems, b)), none
	case kindMap:
		_, ok := e.entry(a, b)
		return boolean(ok), none
	case kindSet:
		elems := e.elements(a)
		switch b.kind {
		case kindInteger, kindDate, kindBool, kindString, kindBytes:
			e.charge(len(elems))
			return boolean(slices.Contains(elems, b)), none
		case kindSet:
			return boolean(e.merge(a, b, true) == a), none
		}
	}
	return value{}, e.fail(InvalidType, "")
}

func (e *evaluation) get(a, b value) (value, ErrorKind) {
	switch {
	case a.kind == kindArray && b.kind == kindInteger:
		elems := e.elements(a)
		if i := int64(b.num); i >= 0 && i < int64(len(elems)) {
			return elems[i], none
		}
		return null, none
	case a.kind == kindMap && (b.kind == kindInteger || b.kind == kindString):
		v, _ := e.entry(a, b)
		return v, none
	}
	return value{}, e.fail(InvalidType, "")
}

// entry finds the value at a key of a map, or null.
func (e *evaluation) entry(m, key value) (value, bool) {
	elems := e.elements(m)
	e.charge(len(elems))
	for ; len(elems) > 0; elems = elems[2:] {
		if elems[0] == key {
			return elems[1], true
		}
	}
	return null, false
}

// merge returns the union or the intersection of two sets.
func (e *evaluation) merge(a, b value, union bool) value {
	x, y := e.elements(a), e.elements(b)
	out := make([]value, 0, len(x)+len(y))
	for len(x) > 0 && len(y) > 0 {
		switch c := e.compare(x[0], y[0]); {
		case c == 0:
			out = append(out, x[0])
			x, y = x[1:], y[1:]
		case c < 0:
			if union {
				out = append(out, x[0])
			}
			x = x[1:]
		default:
			if union {
				out = append(out, y[0])
			}
			y = y[1:]
		}
	}
	if union {
		out = append(append(out, x...), y...)
	}
	return e.composite(kindSet, out)
}
