package delegation

import (
	"regexp"

	"github.com/whittle-auth/whittle/token/datalog"
)

// ArgMatches says that an argument is a string that the regular expression
// matches as a whole. See [ValidRegex] for the syntax.
type ArgMatches struct{ Arg, Pattern string }

const (
	wholeBegin = "^(?:"
	wholeEnd   = ")$"
)

func (a ArgMatches) String() string { return argText(a.Arg, "matches "+quote(a.Pattern)) }

// Validate refuses names that no argument can have, and what [ValidRegex]
// refuses.
func (a ArgMatches) Validate() error {
	if err := validArg(a.Arg); err != nil {
		return err
	}
	return ValidRegex(a.Pattern)
}

// Check returns `check all arg("n", $v), $v.type() == "string" && $v.matches("^(?:..)$")`.
func (a ArgMatches) Check() datalog.Check {
	whole := datalog.String(wholeBegin + a.Pattern + wholeEnd)
	return checkNamed("arg", a.Arg, "v", both(isString("v"), compare(datalog.OpRegex, "v", whole)))
}

func (a ArgMatches) name() string                     { return a.Arg }
func (a ArgMatches) dimension() dimension             { return argDimension(a.Arg) }
func (a ArgMatches) compare(outer Caveat) Relation    { return compareArgs(a, outer.(argument)) }
func (a ArgMatches) meet(other Caveat) (Caveat, bool) { return meetArgs(a, other.(argument)) }
func (a ArgMatches) about() subject                   { return subject{"arg", &a.Arg} }
func (a ArgMatches) allowed() string                  { return "text matching " + quote(a.Pattern) }

func (a ArgMatches) admits(value datalog.Term) bool {
	s, ok := value.(datalog.String)
	if !ok {
		return false
	}
	re, err := regexp.Compile(wholeBegin + a.Pattern + wholeEnd)
	return err == nil && re.MatchString(string(s))
}

// holds tries no pattern: a token can hold many of them and many values, and would
// have a verifier try each at each before any limit of the engine.
func (a ArgMatches) holds(value datalog.Term) (ok, known bool) {
	_, text := value.(datalog.String)
	return false, !text
}

func (a ArgMatches) members() map[string]any {
	return map[string]any{"kind": "arg_matches", "arg": a.Arg, "pattern": a.Pattern}
}
