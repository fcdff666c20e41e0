package delegation

import (
	"slices"

	"github.com/whittle-auth/whittle/token/datalog"
)

// Operations is the list of operations that a token allows, one of which each
// request names.
type Operations struct{ Names []string }

// Audiences is the list of services that a token may be used at.
type Audiences struct{ Names []string }

// Operation returns the caveat that the operation is one of the given ones.
func Operation(names ...string) Caveat { return Operations{names} }

// Audience returns the caveat that the service is one of the given ones.
func Audience(names ...string) Caveat { return Audiences{names} }

func (o Operations) String() string { return "operation " + o.allowed() }
func (a Audiences) String() string  { return "audience " + a.allowed() }

// Validate refuses an empty list, one longer than 256, duplicates, and names that [ValidName] refuses.
func (o Operations) Validate() error { return validList("operation", o.Names, ValidName) }

// Validate refuses an empty list, one longer than 256, duplicates, and names that [ValidName] refuses.
func (a Audiences) Validate() error { return validList("audience", a.Names, ValidName) }

// Check returns `check all operation($o), ["x", "y"].contains($o)`.
func (o Operations) Check() datalog.Check {
	return checkAll("operation", "o", containsGuard(stringArray(o.Names), "o"))
}

// Check returns `check all audience($a), ["x", "y"].contains($a)`.
func (a Audiences) Check() datalog.Check {
	return checkAll("audience", "a", containsGuard(stringArray(a.Names), "a"))
}

func readNames(c datalog.Check) Caveat {
	name, guard := guardOf(c)
	names := stringsOf(arrayOf(guard))
	switch name {
	case "operation":
		return Operations{names}
	case "audience":
		return Audiences{names}
	}
	return nil
}

func (Operations) dimension() dimension { return dimension{kind: "operation"} }
func (Audiences) dimension() dimension  { return dimension{kind: "audience"} }

func (o Operations) compare(outer Caveat) Relation {
	return within(subset(o.Names, outer.(Operations).Names))
}

func (a Audiences) compare(outer Caveat) Relation {
	return within(subset(a.Names, outer.(Audiences).Names))
}

func (o Operations) meet(other Caveat) (Caveat, bool) {
	both := common(o.Names, other.(Operations).Names, equalStrings)
	return Operations{both}, len(both) > 0
}

func (a Audiences) meet(other Caveat) (Caveat, bool) {
	both := common(a.Names, other.(Audiences).Names, equalStrings)
	return Audiences{both}, len(both) > 0
}

func (Operations) about() subject { return subject{predicate: "operation"} }
func (Audiences) about() subject  { return subject{predicate: "audience"} }

func (o Operations) admits(value datalog.Term) bool { return contains(o.Names, value) }
func (a Audiences) admits(value datalog.Term) bool  { return contains(a.Names, value) }

func (o Operations) allowed() string { return words(o.Names, itself) }
func (a Audiences) allowed() string  { return words(a.Names, itself) }

func (o Operations) members() map[string]any {
	return map[string]any{"kind": "operation", "one_of": textList(o.Names, itself)}
}

func (a Audiences) members() map[string]any {
	return map[string]any{"kind": "audience", "one_of": textList(a.Names, itself)}
}

func itself(s string) string        { return s }
func equalStrings(a, b string) bool { return a == b }
func subset(inner, outer []string) bool {
	return !slices.ContainsFunc(inner, func(n string) bool { return !slices.Contains(outer, n) })
}

func contains(names []string, value datalog.Term) bool {
	name, ok := value.(datalog.String)
	return ok && slices.Contains(names, string(name))
}

func stringArray(elems []string) datalog.Array {
	a := make(datalog.Array, len(elems))
	for i, e := range elems {
		a[i] = datalog.String(e)
	}
	return a
}

// stringsOf is the inverse of stringArray. What is no string is left out.
func stringsOf(a datalog.Array) []string {
	var elems []string
	for _, t := range a {
		if s, ok := t.(datalog.String); ok {
			elems = append(elems, string(s))
		}
	}
	return elems
}
