package datalog

// An Expr is an expression. The set of types is closed: [Value], [Unary],
// [Binary] and [Quantified].
//
// On the wire an expression is a sequence of postfix operations, and lazy
// operands are closures; here it is a tree in which laziness follows from the
// operator, so that an expression cannot be built that has no meaning.
type Expr interface{ expr() }

// Value is a term as an expression.
type Value struct{ Term Term }

// Unary applies an operator to one argument.
type Unary struct {
	Op     UnaryOp
	Extern string // name of the function, for UnaryExtern only
	Arg    Expr
}

// Binary applies an operator to two arguments. For [OpAnd] and [OpOr] the right
// one is evaluated only as needed; for [OpTryOr] Left is what is tried and
// Right, always evaluated, stands in for its failure.
type Binary struct {
	Op     BinaryOp
	Extern string // name of the function, for OpExtern only
	Left   Expr
	Right  Expr
}

// Quantified is over.all($param -> body) or over.any($param -> body). Param must
// not be a variable that is in scope already.
type Quantified struct {
	Op    QuantOp
	Over  Expr
	Param Variable
	Body  Expr
}

func (Value) expr()      {}
func (Unary) expr()      {}
func (Binary) expr()     {}
func (Quantified) expr() {}

// UnaryOp is an operator with one argument.
type UnaryOp uint8

const (
	OpNegate      UnaryOp = iota // !a
	OpParens                     // (a)
	OpLength                     // a.length()
	OpTypeOf                     // a.type(), since 3.3
	OpUnaryExtern                // a.extern::name(), since 3.3
)

// BinaryOp is an operator with two arguments.
type BinaryOp uint8

const (
	OpLessThan       BinaryOp = iota // a < b
	OpGreaterThan                    // a > b
	OpLessOrEqual                    // a <= b
	OpGreaterOrEqual                 // a >= b
	OpStrictEqual                    // a === b
	OpStrictNotEqual                 // a !== b, since 3.1
	OpEqual                          // a == b, since 3.3
	OpNotEqual                       // a != b, since 3.3
	OpContains                       // a.contains(b)
	OpPrefix                         // a.starts_with(b)
	OpSuffix                         // a.ends_with(b)
	OpRegex                          // a.matches(b)
	OpAdd                            // a + b
	OpSub                            // a - b
	OpMul                            // a * b
	OpDiv                            // a / b
	OpAnd                            // a && b, lazy, since 3.3
	OpOr                             // a || b, lazy, since 3.3
	OpEagerAnd                       // a.eager_and(b): our spelling, the language has none
	OpEagerOr                        // a.eager_or(b)
	OpIntersection                   // a.intersection(b)
	OpUnion                          // a.union(b)
	OpBitAnd                         // a & b, since 3.1
	OpBitOr                          // a | b, since 3.1
	OpBitXor                         // a ^ b, since 3.1
	OpGet                            // a.get(b), since 3.3
	OpTryOr                          // a.try_or(b), since 3.3
	OpExtern                         // a.extern::name(b), since 3.3
)

// QuantOp is an operator over the elements of a set, array or map.
type QuantOp uint8

const (
	OpAll QuantOp = iota // a.all($x -> ..), since 3.3
	OpAny                // a.any($x -> ..), since 3.3
)
