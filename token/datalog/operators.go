package datalog

// Binding strengths of expressions, weakest first. An operand is read at the
// level that its place demands, and printed in parentheses if its own is lower.
const (
	levelOr = iota
	levelAnd
	levelComparison // not associative
	levelXor
	levelBitOr
	levelBitAnd
	levelSum
	levelProduct
	levelNegation
	levelMethod
)

// An infix is an operator written between its operands.
type infix struct {
	sign  string
	op    BinaryOp
	level int
}

// infixes are ordered so that the first sign that matches is the longest.
var infixes = [...]infix{
	{"||", OpOr, levelOr},
	{"&&", OpAnd, levelAnd},
	{"===", OpStrictEqual, levelComparison},
	{"!==", OpStrictNotEqual, levelComparison},
	{"==", OpEqual, levelComparison},
	{"!=", OpNotEqual, levelComparison},
	{"<=", OpLessOrEqual, levelComparison},
	{">=", OpGreaterOrEqual, levelComparison},
	{"<", OpLessThan, levelComparison},
	{">", OpGreaterThan, levelComparison},
	{"^", OpBitXor, levelXor},
	{"|", OpBitOr, levelBitOr},
	{"&", OpBitAnd, levelBitAnd},
	{"+", OpAdd, levelSum},
	{"-", OpSub, levelSum},
	{"*", OpMul, levelProduct},
	{"/", OpDiv, levelProduct},
}

func infixOf(op BinaryOp) (infix, bool) {
	for _, x := range infixes {
		if x.op == op {
			return x, true
		}
	}
	return infix{}, false
}

const externPrefix = "extern::"

var unaryMethods = [...]struct {
	name string
	op   UnaryOp
}{
	{"length", OpLength},
	{"type", OpTypeOf},
}

var binaryMethods = [...]struct {
	name string
	op   BinaryOp
}{
	{"contains", OpContains},
	{"starts_with", OpPrefix},
	{"ends_with", OpSuffix},
	{"matches", OpRegex},
	{"intersection", OpIntersection},
	{"union", OpUnion},
	{"get", OpGet},
	{"try_or", OpTryOr},
	{"eager_and", OpEagerAnd},
	{"eager_or", OpEagerOr},
}

var quantMethods = [...]struct {
	name string
	op   QuantOp
}{
	{"all", OpAll},
	{"any", OpAny},
}

const invalidName = "invalid"

// String returns the operator as it is written, without operands: ! or length.
func (op UnaryOp) String() string {
	switch op {
	case OpNegate:
		return "!"
	case OpParens:
		return "()"
	case OpUnaryExtern:
		return "extern"
	}
	for _, m := range unaryMethods {
		if m.op == op {
			return m.name
		}
	}
	return invalidName
}

// String returns the operator as it is written, without operands: == or contains.
func (op BinaryOp) String() string {
	if x, ok := infixOf(op); ok {
		return x.sign
	}
	if op == OpExtern {
		return "extern"
	}
	for _, m := range binaryMethods {
		if m.op == op {
			return m.name
		}
	}
	return invalidName
}

// String returns all or any.
func (op QuantOp) String() string {
	for _, m := range quantMethods {
		if m.op == op {
			return m.name
		}
	}
	return invalidName
}
