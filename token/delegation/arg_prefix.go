package delegation

import (
	"fmt"
	"strings"

	"github.com/whittle-auth/whittle/token/datalog"
)

// ArgPrefix says that an argument is a string that begins with Prefix. For paths
// it is the wrong caveat, since "a/" is also how "a/../b" begins: see
// [ArgSubtree].
type ArgPrefix struct{ Arg, Prefix string }

func (a ArgPrefix) String() string { return argText(a.Arg, "prefix "+word(a.Prefix)) }

// Validate refuses names that no argument can have, and a prefix that is empty,
// longer than 1024 bytes or not in NFC.
func (a ArgPrefix) Validate() error {
	if err := validArg(a.Arg); err != nil {
		return err
	}
	if a.Prefix == "" {
		return fmt.Errorf("a prefix must not be empty")
	}
	return validValue(a.Prefix)
}

// Check returns `check all arg("n", $v), $v.type() == "string" && $v.starts_with("p")`.
func (a ArgPrefix) Check() datalog.Check {
	return checkNamed("arg", a.Arg, "v", both(isString("v"), compare(datalog.OpPrefix, "v", datalog.String(a.Prefix))))
}

// readArgText reads what compares a string with one other: a prefix or a regular
// expression.
func readArgText(c datalog.Check) Caveat {
	predicate, name, guard := namedOf(c)
	list := operands(datalog.OpAnd, guard)
	if predicate != "arg" || len(list) != 2 {
		return nil
	}
	op, term := comparison(list[1])
	text, ok := term.(datalog.String)
	switch {
	case ok && op == datalog.OpPrefix:
		return ArgPrefix{name, string(text)}
	case ok && op == datalog.OpRegex:
		return ArgMatches{name, strings.TrimSuffix(strings.TrimPrefix(string(text), wholeBegin), wholeEnd)}
	}
	return nil
}

func (a ArgPrefix) meetPrefix(b ArgPrefix) (Caveat, bool) {
	switch {
	case strings.HasPrefix(a.Prefix, b.Prefix):
		return a, true
	case strings.HasPrefix(b.Prefix, a.Prefix):
		return b, true
	}
	return nil, false
}

func (a ArgPrefix) name() string                              { return a.Arg }
func (a ArgPrefix) dimension() dimension                      { return argDimension(a.Arg) }
func (a ArgPrefix) compare(outer Caveat) Relation             { return compareArgs(a, outer.(argument)) }
func (a ArgPrefix) meet(other Caveat) (Caveat, bool)          { return meetArgs(a, other.(argument)) }
func (a ArgPrefix) about() subject                            { return subject{"arg", &a.Arg} }
func (a ArgPrefix) holds(value datalog.Term) (ok, known bool) { return a.admits(value), true }
func (a ArgPrefix) allowed() string                           { return "text beginning with " + quote(a.Prefix) }

func (a ArgPrefix) admits(value datalog.Term) bool {
	s, ok := value.(datalog.String)
	return ok && strings.HasPrefix(string(s), a.Prefix)
}

func (a ArgPrefix) members() map[string]any {
	return map[string]any{"kind": "arg_prefix", "arg": a.Arg, "prefix": a.Prefix}
}
