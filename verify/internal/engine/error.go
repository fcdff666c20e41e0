package engine

import (
	"fmt"

	"github.com/whittle-auth/whittle/token/datalog"
)

// An ErrorKind says why an evaluation could not be completed. The numeric order
// is the precedence among the solutions of one query.
type ErrorKind uint8

const (
	// none is the absence of an error inside the evaluator.
	none ErrorKind = iota

	// TooManySteps: the work budget is used up, or a regular expression is too
	// large to try. try_or does not catch it.
	TooManySteps

	// UnknownVariable: an expression reached a variable that is in no predicate
	// of the body.
	UnknownVariable

	// InvalidType: an operator does not exist for its operands, or an
	// expression's value is not a bool.
	InvalidType

	// Overflow: an integer operation left the range of 64 bits.
	Overflow

	// DivideByZero: a division by zero, and also the smallest integer divided
	// by -1, as in the reference implementation.
	DivideByZero

	// ShadowedVariable: a closure's parameter has the name of a variable that
	// is already in scope.
	ShadowedVariable

	// UndefinedExtern: no external function of that name was given.
	UndefinedExtern

	// ExternError: an external function failed or returned no valid term.
	ExternError

	// UnboundHead: a variable in the head of a rule is in no predicate of its
	// body.
	UnboundHead

	// Malformed: a tree that neither the parser nor the token decoder produces,
	// such as a variable in a fact, or an unusable option.
	Malformed

	// TooManyFacts and TooManyIterations: see [Limits].
	TooManyFacts
	TooManyIterations
)

var kindNames = [...]string{
	none:              "no error",
	TooManySteps:      "too many steps",
	UnknownVariable:   "unknown variable",
	InvalidType:       "invalid type",
	Overflow:          "integer overflow",
	DivideByZero:      "division by zero",
	ShadowedVariable:  "shadowed variable",
	UndefinedExtern:   "undefined external function",
	ExternError:       "external function failed",
	UnboundHead:       "unbound variable in the head of a rule",
	Malformed:         "malformed input",
	TooManyFacts:      "too many facts",
	TooManyIterations: "too many iterations",
}

// String returns the kind in words.
func (k ErrorKind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("error kind %d", uint8(k))
}

// IsLimit reports whether the kind is a limit on work or size rather than a
// fault in the program evaluated.
func (k ErrorKind) IsLimit() bool {
	return k == TooManySteps || k == TooManyFacts || k == TooManyIterations
}

// A Place is the sort of element that an [Error] arose in.
type Place uint8

const (
	InBlock  Place = iota // the block as a whole
	InFact                // Index counts the block's facts
	InRule                // Index counts the block's rules
	InCheck               // Index counts the block's checks
	InPolicy              // Index counts the policies
	InQuery               // a query on a [Result]
)

var placeNames = [...]string{InFact: "fact", InRule: "rule", InCheck: "check", InPolicy: "policy"}

// An Error is an evaluation that could not be completed; it denies. Index
// counts from 0.
type Error struct {
	Kind   ErrorKind
	Block  uint64 // the block whose element failed, or AuthorizerBlock
	Place  Place
	Index  int
	Detail string        // a name or a reason, may be empty
	Rule   *datalog.Rule // the rule, for UnboundHead
	Err    error         // what an external function returned, for ExternError
}

func (e *Error) Error() string {
	s := "authorizer"
	if e.Block != AuthorizerBlock {
		s = fmt.Sprintf("block %d", e.Block)
	}
	switch e.Place {
	case InBlock:
	case InFact, InRule, InCheck, InPolicy:
		s += fmt.Sprintf(", %s %d", placeNames[e.Place], e.Index)
	case InQuery:
		s = "query"
	}
	s += ": " + e.Kind.String()
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

// Unwrap returns what an external function returned, if that is the cause.
func (e *Error) Unwrap() error { return e.Err }

// A fault is an error that does not know its place yet. The zero fault is none.
type fault struct {
	kind   ErrorKind
	detail string
	err    error
}

// before reports whether f takes precedence over g as the error of a query.
func (f *fault) before(g *fault) bool {
	if f.kind != g.kind {
		return f.kind != none && (g.kind == none || f.kind < g.kind)
	}
	return f.detail < g.detail
}

func (f *fault) at(block uint64, place Place, index int) *Error {
	return &Error{Kind: f.kind, Block: block, Place: place, Index: index, Detail: f.detail, Err: f.err}
}

func malformed(detail string) fault { return fault{kind: Malformed, detail: detail} }
