package delegation

import "github.com/whittle-auth/whittle/token/datalog"

// ArgSet says that an argument is there, whatever its value.
type ArgSet struct{ Arg string }

// ArgUnset says that an argument is not there.
type ArgUnset struct{ Arg string }

func (a ArgSet) String() string   { return argText(a.Arg, "set") }
func (a ArgUnset) String() string { return argText(a.Arg, "unset") }

// Validate refuses names that no argument can have.
func (a ArgSet) Validate() error { return validArg(a.Arg) }

// Validate refuses names that no argument can have.
func (a ArgUnset) Validate() error { return validArg(a.Arg) }

// Check returns `check all arg("n", $v)`.
func (a ArgSet) Check() datalog.Check { return checkNamed("arg", a.Arg, "v", nil) }

// Check returns `reject if arg("n", $v)`.
func (a ArgUnset) Check() datalog.Check {
	return checkBody(datalog.RejectIf, fact("arg", datalog.String(a.Arg), datalog.Variable("v")), nil)
}

func readArgSet(c datalog.Check) Caveat {
	predicate, name, _ := namedOf(c)
	switch {
	case predicate != "arg":
		return nil
	case c.Kind == datalog.RejectIf:
		return ArgUnset{name}
	}
	return ArgSet{name}
}

func (a ArgSet) name() string   { return a.Arg }
func (a ArgUnset) name() string { return a.Arg }

func (a ArgSet) dimension() dimension   { return argDimension(a.Arg) }
func (a ArgUnset) dimension() dimension { return argDimension(a.Arg) }

func (a ArgSet) compare(outer Caveat) Relation   { return compareArgs(a, outer.(argument)) }
func (a ArgUnset) compare(outer Caveat) Relation { return compareArgs(a, outer.(argument)) }

func (a ArgSet) meet(other Caveat) (Caveat, bool)   { return meetArgs(a, other.(argument)) }
func (a ArgUnset) meet(other Caveat) (Caveat, bool) { return meetArgs(a, other.(argument)) }

func (a ArgSet) about() subject   { return subject{"arg", &a.Arg} }
func (a ArgUnset) about() subject { return subject{"arg", &a.Arg} }

func (ArgSet) admits(datalog.Term) bool   { return true }
func (ArgUnset) admits(datalog.Term) bool { return false }

func (ArgSet) holds(datalog.Term) (ok, known bool)   { return true, true }
func (ArgUnset) holds(datalog.Term) (ok, known bool) { return false, true }

func (ArgSet) allowed() string   { return "any value" }
func (ArgUnset) allowed() string { return "none" }

func (a ArgSet) members() map[string]any { return map[string]any{"kind": "arg_set", "arg": a.Arg} }
func (a ArgUnset) members() map[string]any {
	return map[string]any{"kind": "arg_unset", "arg": a.Arg}
}
