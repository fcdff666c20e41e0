package delegation

import (
	"fmt"
	"math"
	"strconv"

	"github.com/whittle-auth/whittle/token/datalog"
)

// ArgRange says that an argument is an integer from Min to Max, inclusive.
// [math.MinInt64] and [math.MaxInt64] mean no bound.
type ArgRange struct {
	Arg      string
	Min, Max int64
}

func (a ArgRange) String() string {
	lo, hi := "", ""
	if a.hasMin() {
		lo = strconv.FormatInt(a.Min, 10)
	}
	if a.hasMax() {
		hi = strconv.FormatInt(a.Max, 10)
	}
	return argText(a.Arg, lo+".."+hi)
}

func (a ArgRange) hasMin() bool { return a.Min != math.MinInt64 }
func (a ArgRange) hasMax() bool { return a.Max != math.MaxInt64 }

// hasExactly reports whether the range has n integers.
func (a ArgRange) hasExactly(n int) bool {
	return n > 0 && uint64(a.Max)-uint64(a.Min) == uint64(n-1)
}

// Validate refuses names that no argument can have, a range without integers, and
// one without bounds.
func (a ArgRange) Validate() error {
	if err := validArg(a.Arg); err != nil {
		return err
	}
	if a.Min > a.Max {
		return fmt.Errorf("no integer is at least %d and at most %d", a.Min, a.Max)
	}
	if !a.hasMin() && !a.hasMax() {
		return fmt.Errorf("a range needs a bound")
	}
	return nil
}

// Check returns `check all arg("n", $v), $v.type() == "integer" && $v >= 1 && $v
// <= 100`, without the bounds that are missing.
func (a ArgRange) Check() datalog.Check {
	guard := hasType("v", "integer")
	if a.hasMin() {
		guard = both(guard, compare(datalog.OpGreaterOrEqual, "v", datalog.Integer(a.Min)))
	}
	if a.hasMax() {
		guard = both(guard, compare(datalog.OpLessOrEqual, "v", datalog.Integer(a.Max)))
	}
	return checkNamed("arg", a.Arg, "v", guard)
}

func readArgRange(c datalog.Check) Caveat {
	predicate, name, guard := namedOf(c)
	if predicate != "arg" {
		return nil
	}
	a := ArgRange{name, math.MinInt64, math.MaxInt64}
	for _, e := range operands(datalog.OpAnd, guard)[1:] {
		op, term := comparison(e)
		n, ok := term.(datalog.Integer)
		switch {
		case ok && op == datalog.OpGreaterOrEqual:
			a.Min = int64(n)
		case ok && op == datalog.OpLessOrEqual:
			a.Max = int64(n)
		}
	}
	return a
}

func (a ArgRange) meetRange(b ArgRange) (Caveat, bool) {
	r := ArgRange{a.Arg, max(a.Min, b.Min), min(a.Max, b.Max)}
	return r, r.Min <= r.Max
}

func (a ArgRange) name() string                              { return a.Arg }
func (a ArgRange) dimension() dimension                      { return argDimension(a.Arg) }
func (a ArgRange) compare(outer Caveat) Relation             { return compareArgs(a, outer.(argument)) }
func (a ArgRange) meet(other Caveat) (Caveat, bool)          { return meetArgs(a, other.(argument)) }
func (a ArgRange) about() subject                            { return subject{"arg", &a.Arg} }
func (a ArgRange) holds(value datalog.Term) (ok, known bool) { return a.admits(value), true }

func (a ArgRange) admits(value datalog.Term) bool {
	n, ok := value.(datalog.Integer)
	return ok && int64(n) >= a.Min && int64(n) <= a.Max
}

func (a ArgRange) allowed() string {
	switch {
	case !a.hasMin():
		return fmt.Sprintf("at most %d", a.Max)
	case !a.hasMax():
		return fmt.Sprintf("at least %d", a.Min)
	}
	return fmt.Sprintf("%d to %d", a.Min, a.Max)
}

func (a ArgRange) members() map[string]any {
	m := map[string]any{"kind": "arg_range", "arg": a.Arg}
	if a.hasMin() {
		m["min"] = a.Min
	}
	if a.hasMax() {
		m["max"] = a.Max
	}
	return m
}
