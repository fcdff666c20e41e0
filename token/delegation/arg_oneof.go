package delegation

import "github.com/whittle-auth/whittle/token/datalog"

// ArgOneOf is the list of values that an argument may have. It must be there.
type ArgOneOf struct {
	Arg    string
	Values []datalog.Term // strings, integers, booleans and null
}

// ArgIs returns the caveat that an argument is one of the values: strings,
// integers, booleans or nil. "5" and 5 are two values.
func ArgIs(name string, values ...any) Caveat { return ArgOneOf{name, scalars(values)} }

func (a ArgOneOf) String() string { return argText(a.Arg, a.allowed()) }

// Validate refuses names that no argument can have, an empty list, one longer
// than 256, duplicates, values of other types, and strings of more than 1024
// bytes or not in NFC.
func (a ArgOneOf) Validate() error {
	if err := validArg(a.Arg); err != nil {
		return err
	}
	return validScalars("argument", a.Values)
}

// Check returns `check all arg("n", $v), $v == 5`, and `[..].contains($v)` for
// several values.
func (a ArgOneOf) Check() datalog.Check {
	return checkNamed("arg", a.Arg, "v", scalarGuard(a.Values))
}

func readArgOneOf(c datalog.Check) Caveat {
	predicate, name, guard := namedOf(c)
	if predicate != "arg" {
		return nil
	}
	return ArgOneOf{name, scalarsOf(guard)}
}

// filter returns the values that another caveat on the argument lets through.
func (a ArgOneOf) filter(by argument) (kept []datalog.Term, known bool) {
	for _, v := range a.Values {
		ok, known := by.holds(v)
		if !known {
			return nil, false
		}
		if ok {
			kept = append(kept, v)
		}
	}
	return kept, true
}

func (a ArgOneOf) meetArg(other argument) (Caveat, bool) {
	kept, known := a.filter(other)
	if !known {
		return nil, true
	}
	return ArgOneOf{a.Arg, kept}, len(kept) > 0
}

func (a ArgOneOf) name() string                              { return a.Arg }
func (a ArgOneOf) dimension() dimension                      { return argDimension(a.Arg) }
func (a ArgOneOf) compare(outer Caveat) Relation             { return compareArgs(a, outer.(argument)) }
func (a ArgOneOf) meet(other Caveat) (Caveat, bool)          { return meetArgs(a, other.(argument)) }
func (a ArgOneOf) about() subject                            { return subject{"arg", &a.Arg} }
func (a ArgOneOf) admits(value datalog.Term) bool            { return containsTerm(a.Values, value) }
func (a ArgOneOf) holds(value datalog.Term) (ok, known bool) { return a.admits(value), true }
func (a ArgOneOf) allowed() string                           { return scalarWords(a.Values) }

func (a ArgOneOf) members() map[string]any {
	return map[string]any{"kind": "arg_one_of", "arg": a.Arg, "one_of": scalarJSON(a.Values)}
}
