package delegation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/whittle-auth/whittle/token/datalog"
)

// maxPath bounds the length of a resource's path, in bytes.
const maxPath = 1024

// A Pattern is a set of resources: one path, or a path and all below it. Its
// text form is the path, with "/**" after it for all below.
type Pattern struct {
	Path    string
	Subtree bool
}

func (p Pattern) String() string {
	if p.Subtree {
		return p.Path + "/**"
	}
	return p.Path
}

func (p Pattern) validate() error {
	if strings.Contains(p.Path, "*") {
		return fmt.Errorf(`"*" stands only at the end, as in path/**, for all below a path`)
	}
	return ValidResource(p.Path)
}

// contains reports whether every resource of inner is one of p.
func (p Pattern) contains(inner Pattern) bool {
	if p.Path == inner.Path {
		return p.Subtree || !inner.Subtree
	}
	return p.Subtree && strings.HasPrefix(inner.Path, p.Path+"/")
}

// ValidResource returns why a path is no resource in the one canonical
// spelling: slash-separated segments, none of them empty, "." or "..", without
// percent-encoding, backslashes or control characters, in NFC, at most 1024
// bytes. A path in any other spelling is refused, never cleaned.
func ValidResource(path string) error {
	if len(path) > maxPath {
		return fmt.Errorf("a resource has at most %d bytes", maxPath)
	}
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "":
			return fmt.Errorf("a resource is a path such as a/b, without an empty segment")
		case ".", "..":
			return fmt.Errorf("a resource must not have the segment %q", segment)
		}
		if strings.TrimSpace(segment) != segment {
			return fmt.Errorf("the segment %q of a resource begins or ends with white space", segment)
		}
	}
	if i := strings.IndexAny(path, `%\`); i >= 0 {
		return fmt.Errorf("a resource must not contain %q", path[i])
	}
	return validText(path)
}

// Resources is the set of resources that a token allows, as alternatives.
type Resources struct{ Patterns []Pattern }

// Resource returns the caveat that every resource of a request matches one of
// the given patterns: "a/b" is that path, "a/b/**" is it and all below it.
func Resource(patterns ...string) Caveat {
	return Resources{parsePatterns(patterns)}
}

func parsePatterns(texts []string) []Pattern {
	patterns := make([]Pattern, len(texts))
	for i, text := range texts {
		path, subtree := strings.CutSuffix(text, "/**")
		patterns[i] = Pattern{path, subtree}
	}
	return patterns
}

func (r Resources) String() string { return "resource " + r.allowed() }

// Validate refuses an empty list, one longer than 256, duplicates, and paths that [ValidResource] refuses.
func (r Resources) Validate() error { return validList("resource", r.Patterns, Pattern.validate) }

// Check returns `check all resource($r), ..` with `$r == "a/x"` for a path,
// `$r == "a" || $r.starts_with("a/")` for a subtree, and `||` between them.
func (r Resources) Check() datalog.Check {
	return checkAll("resource", "r", patternGuard("r", r.Patterns))
}

func readResources(c datalog.Check) Caveat {
	name, guard := guardOf(c)
	if name != "resource" {
		return nil
	}
	return Resources{patternsOf(guard)}
}

// patternGuard is `$v == "a/x"` for a path, `$v == "a" || $v.starts_with("a/")`
// for a subtree, and `||` between them.
func patternGuard(v datalog.Variable, patterns []Pattern) datalog.Expr {
	var list []datalog.Expr
	for _, p := range patterns {
		list = append(list, compare(datalog.OpEqual, v, datalog.String(p.Path)))
		if p.Subtree {
			list = append(list, compare(datalog.OpPrefix, v, datalog.String(p.Path+"/")))
		}
	}
	return either(list)
}

// patternsOf is the inverse of patternGuard.
func patternsOf(guard datalog.Expr) []Pattern {
	var patterns []Pattern
	for _, a := range operands(datalog.OpOr, guard) {
		op, term := comparison(a)
		text, ok := term.(datalog.String)
		switch {
		case ok && op == datalog.OpEqual:
			patterns = append(patterns, Pattern{Path: string(text)})
		case ok && op == datalog.OpPrefix && len(patterns) > 0:
			patterns[len(patterns)-1].Subtree = true
		default:
			return nil
		}
	}
	return patterns
}

func (Resources) dimension() dimension { return dimension{kind: "resource"} }

func (r Resources) compare(outer Caveat) Relation {
	return within(allWithin(r.Patterns, outer.(Resources).Patterns))
}

func (r Resources) meet(other Caveat) (Caveat, bool) {
	both := overlap(r.Patterns, other.(Resources).Patterns)
	return Resources{both}, len(both) > 0
}

func (Resources) about() subject                   { return subject{predicate: "resource"} }
func (r Resources) admits(value datalog.Term) bool { return admitsPath(r.Patterns, value) }
func (r Resources) allowed() string                { return words(r.Patterns, Pattern.String) }

func (r Resources) members() map[string]any {
	return map[string]any{"kind": "resource", "one_of": textList(r.Patterns, Pattern.String)}
}

// admitsPath reports whether a string is matched by one of the patterns.
func admitsPath(patterns []Pattern, value datalog.Term) bool {
	path, ok := value.(datalog.String)
	return ok && slices.ContainsFunc(patterns, func(p Pattern) bool { return p.contains(Pattern{Path: string(path)}) })
}
