package delegation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/whittle-auth/whittle/token/datalog"
)

// ArgSubtree says that an argument is one of the paths or lies below one. Nothing
// gets out: a value with an empty, "." or ".." segment, a segment that begins or
// ends with a space, percent-encoding, a backslash or an ASCII control character
// does not pass, whatever it begins with.
type ArgSubtree struct {
	Arg   string
	Paths []string
}

// ArgUnder returns the caveat that an argument is one of the paths or below one.
func ArgUnder(name string, paths ...string) Caveat { return ArgSubtree{name, paths} }

// stray finds what does not belong into a path. Arguments, unlike resources, are
// not refused for their spelling, so the caveat has to do it.
const stray = `(^|/)(\.{0,2}(/|$)| )| (/|$)|[%\\\x00-\x1f\x7f]`

// strays says what stray does. A token can have it asked of many values.
func strays(path string) bool {
	if strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f || r == '%' || r == '\\' }) {
		return true
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "" || segment == "." || segment == ".." || segment[0] == ' ' || segment[len(segment)-1] == ' ' {
			return true
		}
	}
	return false
}

func (a ArgSubtree) String() string { return argText(a.Arg, "under "+words(a.Paths, itself)) }

// Validate refuses names that no argument can have, an empty list, one longer
// than 256, duplicates, and paths that [ValidResource]
// refuses or that have a "*".
func (a ArgSubtree) Validate() error {
	if err := validArg(a.Arg); err != nil {
		return err
	}
	return validList("path", a.Paths, func(p string) error {
		if strings.Contains(p, "*") {
			return fmt.Errorf(`"*" is no wildcard here: under a includes all below a`)
		}
		return ValidResource(p)
	})
}

// Check returns `check all arg("n", $v), $v == "a" || $v.type() == "string" &&
// $v.starts_with("a/") && !$v.matches(stray)`, and `||` between paths. See
// spec/caveats.md for the regular expression.
func (a ArgSubtree) Check() datalog.Check {
	var list []datalog.Expr
	for _, p := range a.Paths {
		begins := compare(datalog.OpPrefix, "v", datalog.String(p+"/"))
		clean := datalog.Unary{Op: datalog.OpNegate, Arg: compare(datalog.OpRegex, "v", datalog.String(stray))}
		list = append(list, compare(datalog.OpEqual, "v", datalog.String(p)), both(both(isString("v"), begins), clean))
	}
	return checkNamed("arg", a.Arg, "v", either(list))
}

func readArgSubtree(c datalog.Check) Caveat {
	predicate, name, guard := namedOf(c)
	if predicate != "arg" {
		return nil
	}
	a := ArgSubtree{Arg: name}
	for _, e := range operands(datalog.OpOr, guard) {
		op, term := comparison(e)
		if p, ok := term.(datalog.String); ok && op == datalog.OpEqual {
			a.Paths = append(a.Paths, string(p))
		}
	}
	return a
}

func (a ArgSubtree) patterns() []Pattern {
	patterns := make([]Pattern, len(a.Paths))
	for i, p := range a.Paths {
		patterns[i] = Pattern{p, true}
	}
	return patterns
}

func subtrees(arg string, patterns []Pattern) (Caveat, bool) {
	a := ArgSubtree{Arg: arg}
	for _, p := range patterns {
		a.Paths = append(a.Paths, p.Path)
	}
	return a, len(a.Paths) > 0
}

// meetPrefix returns no caveat where the prefix ends somewhere below a path.
func (a ArgSubtree) meetPrefix(prefix ArgPrefix) (Caveat, bool) {
	both := ArgSubtree{Arg: a.Arg}
	for _, p := range a.Paths {
		switch {
		case strings.HasPrefix(p, prefix.Prefix):
			both.Paths = append(both.Paths, p)
		case strings.HasPrefix(prefix.Prefix, p+"/"):
			return nil, true
		}
	}
	return both, len(both.Paths) > 0
}

func (a ArgSubtree) name() string                              { return a.Arg }
func (a ArgSubtree) dimension() dimension                      { return argDimension(a.Arg) }
func (a ArgSubtree) compare(outer Caveat) Relation             { return compareArgs(a, outer.(argument)) }
func (a ArgSubtree) meet(other Caveat) (Caveat, bool)          { return meetArgs(a, other.(argument)) }
func (a ArgSubtree) about() subject                            { return subject{"arg", &a.Arg} }
func (a ArgSubtree) holds(value datalog.Term) (ok, known bool) { return a.admits(value), true }
func (a ArgSubtree) allowed() string                           { return "a path under " + words(a.Paths, itself) }

func (a ArgSubtree) admits(value datalog.Term) bool {
	s, ok := value.(datalog.String)
	if !ok || slices.Contains(a.Paths, string(s)) {
		return ok
	}
	below := func(p string) bool {
		rest, begins := strings.CutPrefix(string(s), p)
		return begins && strings.HasPrefix(rest, "/")
	}
	return slices.ContainsFunc(a.Paths, below) && !strays(string(s))
}

func (a ArgSubtree) members() map[string]any {
	return map[string]any{"kind": "arg_subtree", "arg": a.Arg, "paths": textList(a.Paths, itself)}
}
