// Package engine evaluates Datalog: the facts, rules and checks of a token's
// blocks together with what a service brings, up to a decision.
//
//	a, err := engine.Compile(authorizer)            // once
//	r, err := a.Evaluate(blocks, requestFacts, nil) // for each request
//	if err == nil && r.Allowed() { .. }
//
// It follows SPECIFICATIONS.md of eclipse-biscuit/biscuit, sections "Scopes",
// "Checks", "Expressions" and "Datalog fact generation", and differs from the
// Rust implementation where that one's answer depends on the order of a hash
// table:
//
//   - All solutions of a query are enumerated. An error in one of them is an
//     error of the query, whether or not another one matches. Among several
//     errors the lowest [ErrorKind] is reported, then the smallest detail.
//   - A reject if with several queries fails when any of them matches.
//
// Evaluation is a pure function of its input. It reads no clock, starts no
// goroutine, and its work is bounded by integers (see [Limits]). Neither the
// result nor the number of steps depends on the order of facts in a block.
package engine

import (
	"math"

	"github.com/whittle-auth/whittle/token/datalog"
)

// AuthorizerBlock is the block number of the authorizer in origins, failed
// checks and errors.
const AuthorizerBlock uint64 = math.MaxUint64

// MaxBlocks is the largest number of blocks that Evaluate accepts.
const MaxBlocks = 1024

// A Block is one verified block of a token. External is the key of its external
// signature, nil for a first-party block.
type Block struct {
	Datalog  *datalog.Block
	External *datalog.Key
}

// An Extern is a function that expressions call by name. The right operand is
// nil for a call with one operand. It must be a pure function: how often it is
// called, and in which order, is not promised. A panic in it is not recovered.
type Extern func(left, right datalog.Term) (datalog.Term, error)

// Limits bound one evaluation. Zero means the default; negative is refused.
type Limits struct {
	// Facts is the number of facts that the world may hold, given and derived.
	// The same fact with two origins counts twice. Default 1000.
	Facts int

	// Iterations is the number of rounds of rule application, counting those
	// that found a new fact. As in the reference implementation, reaching the
	// limit is an error, so that the default of 100 allows 99 rounds.
	Iterations int

	// Steps is an amount of work: one step for each candidate fact tried (in the
	// first round of a rule each fact of the relation, found by an index or not), each
	// node of an expression evaluated, each element visited; for text, steps in
	// proportion to its bytes, and for regular expressions in proportion to the
	// text times the size of the expanded pattern. Default 1,000,000, which
	// takes milliseconds.
	Steps int
}

const (
	defaultFacts      = 1000
	defaultIterations = 100
	defaultSteps      = 1_000_000
)

// Options adjusts an evaluation. A nil *Options means the default limits and no
// external functions.
type Options struct {
	Limits  Limits
	Externs map[string]Extern
}

// withDefaults fills in the zero fields.
func (l Limits) withDefaults() (Limits, error) {
	if l.Facts < 0 || l.Iterations < 0 || l.Steps < 0 {
		return l, &Error{Kind: Malformed, Block: AuthorizerBlock, Detail: "a limit is negative"}
	}
	if l.Facts == 0 {
		l.Facts = defaultFacts
	}
	if l.Iterations == 0 {
		l.Iterations = defaultIterations
	}
	if l.Steps == 0 {
		l.Steps = defaultSteps
	}
	return l, nil
}
