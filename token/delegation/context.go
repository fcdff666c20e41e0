package delegation

import (
	"fmt"

	"github.com/whittle-auth/whittle/token/datalog"
)

// ContextOneOf is the list of values that a piece of the service's own state may
// have, such as the open ticket.
type ContextOneOf struct {
	Name   string
	Values []datalog.Term // strings, integers, booleans and null
}

// Context returns the caveat that the service's state of the given name is one of
// the values: strings, integers, booleans or nil.
func Context(name string, values ...any) Caveat { return ContextOneOf{name, scalars(values)} }

func (c ContextOneOf) String() string { return "context " + word(c.Name) + " " + c.allowed() }

// Validate refuses a name that [ValidName] refuses, an empty list, one longer than
// 256, duplicates, and values of other types.
func (c ContextOneOf) Validate() error {
	if err := ValidName(c.Name); err != nil {
		return fmt.Errorf("context %q: %w", c.Name, err)
	}
	return validScalars("context", c.Values)
}

// Check returns `check all context("ticket", $v), $v == "T-123"`, and
// `[..].contains($v)` for several values.
func (c ContextOneOf) Check() datalog.Check {
	return checkNamed("context", c.Name, "v", scalarGuard(c.Values))
}

func readContext(c datalog.Check) Caveat {
	predicate, name, guard := namedOf(c)
	if predicate != "context" {
		return nil
	}
	return ContextOneOf{name, scalarsOf(guard)}
}

func (c ContextOneOf) dimension() dimension { return dimension{"context", c.Name} }

func (c ContextOneOf) compare(outer Caveat) Relation {
	return within(len(common(c.Values, outer.(ContextOneOf).Values, datalog.Equal)) == len(c.Values))
}

func (c ContextOneOf) meet(other Caveat) (Caveat, bool) {
	both := common(c.Values, other.(ContextOneOf).Values, datalog.Equal)
	return ContextOneOf{c.Name, both}, len(both) > 0
}

func (c ContextOneOf) about() subject                 { return subject{"context", &c.Name} }
func (c ContextOneOf) admits(value datalog.Term) bool { return containsTerm(c.Values, value) }
func (c ContextOneOf) allowed() string                { return scalarWords(c.Values) }

func (c ContextOneOf) members() map[string]any {
	return map[string]any{"kind": "context", "name": c.Name, "one_of": scalarJSON(c.Values)}
}
