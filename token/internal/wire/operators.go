package wire

import "github.com/whittle-auth/whittle/token/datalog"

// operands says what an operation takes from the stack.
type operands uint8

const (
	plain      operands = iota // values
	lazyRight                  // right: a closure without parameters
	lazyLeft                   // left: a closure without parameters
	quantified                 // right: a closure with one parameter
	extern                     // values, and a function's name
)

// An operator describes one member of OpUnary.Kind or OpBinary.Kind. Op is a
// datalog.UnaryOp, BinaryOp or QuantOp.
type operator struct {
	op    uint8
	takes operands

	// reads is the version from which blocks may hold the operator. writes is
	// the version that brought it: the reference puts .get() into older blocks.
	reads, writes uint32
}

// unaryOperators stand at their numbers in the schema.
var unaryOperators = [...]operator{
	0: {uint8(datalog.OpNegate), plain, 3, 3},
	1: {uint8(datalog.OpParens), plain, 3, 3},
	2: {uint8(datalog.OpLength), plain, 3, 3},
	3: {uint8(datalog.OpTypeOf), plain, 6, 6},
	4: {uint8(datalog.OpUnaryExtern), extern, 6, 6},
}

// binaryOperators stand at their numbers in the schema.
var binaryOperators = [...]operator{
	0:  {uint8(datalog.OpLessThan), plain, 3, 3},
	1:  {uint8(datalog.OpGreaterThan), plain, 3, 3},
	2:  {uint8(datalog.OpLessOrEqual), plain, 3, 3},
	3:  {uint8(datalog.OpGreaterOrEqual), plain, 3, 3},
	4:  {uint8(datalog.OpStrictEqual), plain, 3, 3},
	5:  {uint8(datalog.OpContains), plain, 3, 3},
	6:  {uint8(datalog.OpPrefix), plain, 3, 3},
	7:  {uint8(datalog.OpSuffix), plain, 3, 3},
	8:  {uint8(datalog.OpRegex), plain, 3, 3},
	9:  {uint8(datalog.OpAdd), plain, 3, 3},
	10: {uint8(datalog.OpSub), plain, 3, 3},
	11: {uint8(datalog.OpMul), plain, 3, 3},
	12: {uint8(datalog.OpDiv), plain, 3, 3},
	13: {uint8(datalog.OpEagerAnd), plain, 3, 3},
	14: {uint8(datalog.OpEagerOr), plain, 3, 3},
	15: {uint8(datalog.OpIntersection), plain, 3, 3},
	16: {uint8(datalog.OpUnion), plain, 3, 3},
	17: {uint8(datalog.OpBitAnd), plain, 4, 4},
	18: {uint8(datalog.OpBitOr), plain, 4, 4},
	19: {uint8(datalog.OpBitXor), plain, 4, 4},
	20: {uint8(datalog.OpStrictNotEqual), plain, 4, 4},
	21: {uint8(datalog.OpEqual), plain, 6, 6},
	22: {uint8(datalog.OpNotEqual), plain, 6, 6},
	23: {uint8(datalog.OpAnd), lazyRight, 6, 6},
	24: {uint8(datalog.OpOr), lazyRight, 6, 6},
	25: {uint8(datalog.OpAll), quantified, 6, 6},
	26: {uint8(datalog.OpAny), quantified, 6, 6},
	27: {uint8(datalog.OpGet), plain, 3, 6},
	28: {uint8(datalog.OpExtern), extern, 6, 6},
	29: {uint8(datalog.OpTryOr), lazyLeft, 6, 6},
}

// kindOf returns the number in the schema of an operator in one of the tables
// above, or -1. The quantifiers share their table with the other operators but
// are numbered on their own in package datalog.
func kindOf(table []operator, op uint8, quantifier bool) int {
	for kind, o := range table {
		if o.op == op && (o.takes == quantified) == quantifier {
			return kind
		}
	}
	return -1
}
