package delegation

import (
	"fmt"
	"strings"

	"github.com/whittle-auth/whittle/token/datalog"
)

// A Caveat is one restriction on what a token allows. The set of types is
// closed: [Expiry], [NotBefore], [Resources], [Operations], [Approval] and [Custom].
type Caveat interface {
	// Check returns the caveat as Datalog, in its canonical form.
	Check() datalog.Check

	// String returns a line for people, such as "resource a/b or c/**".
	String() string

	// Validate returns why the caveat cannot be written into a token, or nil.
	Validate() error

	// dimension names what the caveat bounds. Two caveats of one dimension can
	// be compared; caveats of the empty dimension cannot.
	dimension() string

	// within reports whether whatever this caveat allows, outer allows too.
	// Both have the same dimension.
	within(outer Caveat) bool

	// meet returns a caveat that allows what both allow; ok is false when
	// that is nothing. Both have the same dimension.
	meet(other Caveat) (both Caveat, ok bool)
}

// ReadCaveat recognises a check. What is not exactly the canonical form of a
// typed caveat is [Custom].
func ReadCaveat(c datalog.Check) Caveat {
	for _, read := range []func(datalog.Check) Caveat{readTime, readResources, readOperations, readApproval} {
		// A reader only has to find the values: a caveat is recognised when
		// writing them again gives the very same check.
		if cv := read(c); cv != nil && cv.Validate() == nil && cv.Check().Equal(c) {
			return cv
		}
	}
	return Custom{Source: c}
}

// checkAll is `check all name($v), guard`: it holds only if there is a fact of
// that name and every one of them passes, so that one more fact can only deny.
func checkAll(name string, v datalog.Variable, guard datalog.Expr) datalog.Check {
	return datalog.Check{
		Kind: datalog.CheckAll,
		Queries: []datalog.Query{{
			Body:  []datalog.Predicate{{Name: name, Terms: []datalog.Term{v}}},
			Exprs: []datalog.Expr{guard},
		}},
	}
}

// guardOf returns the predicate's name and the only expression of a check that
// looks like [checkAll]'s.
func guardOf(c datalog.Check) (name string, guard datalog.Expr) {
	if c.Kind != datalog.CheckAll || len(c.Queries) != 1 {
		return "", nil
	}
	q := c.Queries[0]
	if len(q.Body) != 1 || len(q.Exprs) != 1 {
		return "", nil
	}
	return q.Body[0].Name, q.Exprs[0]
}

// A Custom caveat is a check that somebody wrote by hand. It binds like any
// other, but its meaning is known to the engine only: nothing is said of
// whether it narrows or repeats what stood before.
type Custom struct{ Source datalog.Check }

// Check returns the check as it was written.
func (c Custom) Check() datalog.Check { return c.Source }

func (c Custom) String() string { return c.Source.String() }

// Validate refuses what a token of ours must not contain: calls of functions
// that only one service knows, and trust in other blocks.
func (c Custom) Validate() error {
	if len(c.Source.Queries) == 0 {
		return fmt.Errorf("a check needs at least one query")
	}
	for _, q := range c.Source.Queries {
		if len(q.Scopes) > 0 {
			return fmt.Errorf("a check must not say trusting")
		}
		for _, e := range q.Exprs {
			if name, ok := externIn(e); ok {
				return fmt.Errorf("a check must not call extern::%s", name)
			}
		}
	}
	return nil
}

func (Custom) dimension() string          { return "" }
func (Custom) within(Caveat) bool         { return false }
func (Custom) meet(Caveat) (Caveat, bool) { return nil, false }

// ParseCheck reads a hand-written check, which may turn out to be the canonical
// form of a typed caveat.
func ParseCheck(source string) (Caveat, error) {
	c, err := datalog.ParseCheck(source, nil)
	if err != nil {
		return nil, err
	}
	cv := ReadCaveat(c)
	if err := cv.Validate(); err != nil {
		return nil, err
	}
	return cv, nil
}

// externIn finds a call of an extern function.
func externIn(e datalog.Expr) (name string, found bool) {
	switch e := e.(type) {
	case datalog.Value:
		return "", false
	case datalog.Unary:
		if e.Op == datalog.OpUnaryExtern {
			return e.Extern, true
		}
		return externIn(e.Arg)
	case datalog.Binary:
		if e.Op == datalog.OpExtern {
			return e.Extern, true
		}
		if name, found = externIn(e.Left); found {
			return name, true
		}
		return externIn(e.Right)
	case datalog.Quantified:
		if name, found = externIn(e.Over); found {
			return name, true
		}
		return externIn(e.Body)
	}
	return "", false
}

// joined lists alternatives for people.
func joined(alternatives []string) string { return strings.Join(alternatives, " or ") }
