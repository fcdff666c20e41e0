package engine

import (
	"cmp"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/whittle-auth/whittle/token/datalog"
)

// The expressions of the oracle, over terms.

func wrongType() (datalog.Term, fault) { return nil, fault{kind: InvalidType} }

func (o *oracle) eval(x datalog.Expr, vars bindings) (datalog.Term, fault) {
	switch x := x.(type) {
	case datalog.Value:
		v, ok := x.Term.(datalog.Variable)
		if !ok {
			return x.Term, fault{}
		}
		if t, ok := vars[v]; ok {
			return t, fault{}
		}
		return nil, fault{kind: UnknownVariable, detail: v.String()}
	case datalog.Unary:
		a, f := o.eval(x.Arg, vars)
		if f.kind != none {
			return nil, f
		}
		return o.unary(x, a)
	case datalog.Quantified:
		return o.quantified(x, vars)
	}
	b := x.(datalog.Binary)
	if b.Op == datalog.OpTryOr {
		fallback, f := o.eval(b.Right, vars)
		if f.kind != none {
			return nil, f
		}
		if t, f := o.eval(b.Left, vars); f.kind == none {
			return t, fault{}
		}
		return fallback, fault{}
	}
	l, f := o.eval(b.Left, vars)
	if f.kind != none {
		return nil, f
	}
	if b.Op == datalog.OpAnd || b.Op == datalog.OpOr {
		if l == datalog.Bool(b.Op == datalog.OpOr) {
			return l, fault{}
		}
		if _, ok := l.(datalog.Bool); !ok {
			return wrongType()
		}
		return o.eval(b.Right, vars)
	}
	r, f := o.eval(b.Right, vars)
	if f.kind != none {
		return nil, f
	}
	return o.binary(b, l, r)
}

func (o *oracle) quantified(x datalog.Quantified, vars bindings) (datalog.Term, fault) {
	over, f := o.eval(x.Over, vars)
	if f.kind != none {
		return nil, f
	}
	if _, ok := vars[x.Param]; ok {
		return nil, fault{kind: ShadowedVariable, detail: x.Param.String()}
	}
	var elems []datalog.Term
	switch over := over.(type) {
	case datalog.Set:
		elems = over
	case datalog.Array:
		elems = over
	case datalog.Map:
		for _, e := range over {
			elems = append(elems, datalog.Array{e.Key, e.Value})
		}
	default:
		return wrongType()
	}
	defer delete(vars, x.Param)
	for _, e := range elems {
		vars[x.Param] = e
		t, f := o.eval(x.Body, vars)
		if f.kind != none {
			return nil, f
		}
		if t == datalog.Bool(x.Op == datalog.OpAny) {
			return t, fault{}
		}
		if _, ok := t.(datalog.Bool); !ok {
			return wrongType()
		}
	}
	return datalog.Bool(x.Op == datalog.OpAll), fault{}
}

func (o *oracle) unary(x datalog.Unary, a datalog.Term) (datalog.Term, fault) {
	names := map[int]string{1: "integer", 2: "string", 3: "date", 4: "bytes", 5: "bool", 6: "set", 7: "null", 8: "array", 9: "map"}
	length, rank := -1, 0
	switch a := a.(type) {
	case datalog.Integer:
		rank = 1
	case datalog.String:
		rank, length = 2, len(a)
	case datalog.Date:
		rank = 3
	case datalog.Bytes:
		rank, length = 4, len(a)
	case datalog.Bool:
		rank = 5
		if x.Op == datalog.OpNegate {
			return !a, fault{}
		}
	case datalog.Set:
		rank, length = 6, len(a)
	case datalog.Null:
		rank = 7
	case datalog.Array:
		rank, length = 8, len(a)
	case datalog.Map:
		rank, length = 9, len(a)
	}
	switch x.Op {
	case datalog.OpParens:
		return a, fault{}
	case datalog.OpTypeOf:
		return datalog.String(names[rank]), fault{}
	case datalog.OpUnaryExtern:
		return o.extern(x.Extern, a, nil)
	case datalog.OpLength:
		if length >= 0 {
			return datalog.Integer(length), fault{}
		}
	}
	return wrongType()
}

func (o *oracle) extern(name string, l, r datalog.Term) (datalog.Term, fault) {
	fn, ok := o.externs[name]
	if !ok {
		return nil, fault{kind: UndefinedExtern, detail: name}
	}
	t, err := fn(l, r)
	if err != nil {
		return nil, fault{kind: ExternError, detail: name + ": " + err.Error()}
	}
	return t, fault{}
}

func (o *oracle) binary(x datalog.Binary, l, r datalog.Term) (datalog.Term, fault) {
	type (
		integer = datalog.Integer
		date    = datalog.Date
		str     = datalog.String
		boolean = datalog.Bool
		set     = datalog.Set
		array   = datalog.Array
	)
	same := reflect.TypeOf(l) == reflect.TypeOf(r)
	switch x.Op {
	case datalog.OpEqual:
		return boolean(datalog.Equal(l, r)), fault{}
	case datalog.OpNotEqual:
		return boolean(!datalog.Equal(l, r)), fault{}
	case datalog.OpExtern:
		return o.extern(x.Extern, l, r)
	case datalog.OpStrictEqual:
		if same {
			return boolean(datalog.Equal(l, r)), fault{}
		}
		return wrongType()
	case datalog.OpStrictNotEqual:
		if same {
			return boolean(!datalog.Equal(l, r)), fault{}
		}
		return wrongType()
	case datalog.OpGet:
		if a, ok := l.(array); ok {
			if i, ok := r.(integer); ok {
				if i < 0 || i >= integer(len(a)) {
					return datalog.Null{}, fault{}
				}
				return a[i], fault{}
			}
			return wrongType()
		}
	}
	switch l := l.(type) {
	case integer:
		if r, ok := r.(integer); ok {
			return oracleIntegers(x.Op, int64(l), int64(r))
		}
	case date:
		if r, ok := r.(date); ok {
			return oracleOrder(x.Op, cmp.Compare(l, r))
		}
	case str:
		if r, ok := r.(str); ok {
			s, p := string(l), string(r)
			switch x.Op {
			case datalog.OpContains:
				return boolean(strings.Contains(s, p)), fault{}
			case datalog.OpPrefix:
				return boolean(strings.HasPrefix(s, p)), fault{}
			case datalog.OpSuffix:
				return boolean(strings.HasSuffix(s, p)), fault{}
			case datalog.OpAdd:
				return l + r, fault{}
			case datalog.OpRegex:
				re, err := regexp.Compile(p)
				return boolean(err == nil && re.MatchString(s)), fault{}
			}
		}
	case boolean:
		if r, ok := r.(boolean); ok {
			switch x.Op {
			case datalog.OpEagerAnd:
				return l && r, fault{}
			case datalog.OpEagerOr:
				return l || r, fault{}
			}
		}
	case set:
		in := func(s set) func(datalog.Term) bool {
			return func(t datalog.Term) bool {
				return slices.ContainsFunc(s, func(u datalog.Term) bool { return datalog.Equal(t, u) })
			}
		}
		rs, ok := r.(set)
		switch x.Op {
		case datalog.OpContains:
			switch r.(type) {
			case integer, date, str, boolean, datalog.Bytes:
				return boolean(in(l)(r)), fault{}
			}
			if ok {
				return boolean(!slices.ContainsFunc(rs, func(t datalog.Term) bool { return !in(l)(t) })), fault{}
			}
		case datalog.OpIntersection:
			if ok {
				return slices.DeleteFunc(slices.Clone(l), func(t datalog.Term) bool { return !in(rs)(t) }), fault{}
			}
		case datalog.OpUnion:
			if ok {
				u := append(slices.Clone(l), slices.DeleteFunc(slices.Clone(rs), in(l))...)
				slices.SortFunc(u, datalog.Compare)
				return u, fault{}
			}
		}
	case array:
		equal := func(a, b array) bool { return slices.EqualFunc(a, b, datalog.Equal) }
		ra, ok := r.(array)
		switch x.Op {
		case datalog.OpContains:
			return boolean(slices.ContainsFunc(l, func(t datalog.Term) bool { return datalog.Equal(t, r) })), fault{}
		case datalog.OpPrefix:
			if ok {
				return boolean(len(l) >= len(ra) && equal(l[:len(ra)], ra)), fault{}
			}
		case datalog.OpSuffix:
			if ok {
				return boolean(len(l) >= len(ra) && equal(l[len(l)-len(ra):], ra)), fault{}
			}
		}
	case datalog.Map:
		var found datalog.Term
		for _, e := range l {
			if datalog.Equal(e.Key, r) {
				found = e.Value
			}
		}
		switch x.Op {
		case datalog.OpContains:
			return boolean(found != nil), fault{}
		case datalog.OpGet:
			switch r.(type) {
			case integer, str:
				if found == nil {
					found = datalog.Null{}
				}
				return found, fault{}
			}
		}
	}
	return wrongType()
}

func oracleOrder(op datalog.BinaryOp, c int) (datalog.Term, fault) {
	switch op {
	case datalog.OpLessThan:
		return datalog.Bool(c < 0), fault{}
	case datalog.OpGreaterThan:
		return datalog.Bool(c > 0), fault{}
	case datalog.OpLessOrEqual:
		return datalog.Bool(c <= 0), fault{}
	case datalog.OpGreaterOrEqual:
		return datalog.Bool(c >= 0), fault{}
	}
	return wrongType()
}

// oracleIntegers calculates without a limit on size first.
func oracleIntegers(op datalog.BinaryOp, a, b int64) (datalog.Term, fault) {
	x, y, z := big.NewInt(a), big.NewInt(b), new(big.Int)
	tooLarge := Overflow
	switch op {
	case datalog.OpAdd:
		z.Add(x, y)
	case datalog.OpSub:
		z.Sub(x, y)
	case datalog.OpMul:
		z.Mul(x, y)
	case datalog.OpDiv:
		tooLarge = DivideByZero
		if b == 0 {
			return nil, fault{kind: DivideByZero}
		}
		z.Quo(x, y)
	case datalog.OpBitAnd:
		z.And(x, y)
	case datalog.OpBitOr:
		z.Or(x, y)
	case datalog.OpBitXor:
		z.Xor(x, y)
	default:
		return oracleOrder(op, cmp.Compare(a, b))
	}
	if !z.IsInt64() {
		return nil, fault{kind: tooLarge}
	}
	return datalog.Integer(z.Int64()), fault{}
}
