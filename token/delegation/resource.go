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
	r := Resources{make([]Pattern, len(patterns))}
	for i, text := range patterns {
		path, subtree := strings.CutSuffix(text, "/**")
		r.Patterns[i] = Pattern{path, subtree}
	}
	return r
}

func (r Resources) String() string {
	texts := make([]string, len(r.Patterns))
	for i, p := range r.Patterns {
		texts[i] = p.String()
	}
	return "resource " + joined(texts)
}

// Validate refuses an empty list, one longer than 256, duplicates, and paths that [ValidResource] refuses.
func (r Resources) Validate() error {
	if len(r.Patterns) == 0 {
		return fmt.Errorf("a resource caveat needs at least one resource")
	}
	if len(r.Patterns) > maxAlternatives {
		return fmt.Errorf("a resource caveat has at most %d resources", maxAlternatives)
	}
	for i, p := range r.Patterns {
		if err := p.validate(); err != nil {
			return fmt.Errorf("resource %q: %w", p, err)
		}
		if slices.Contains(r.Patterns[:i], p) {
			return fmt.Errorf("resource %q is listed twice", p)
		}
	}
	return nil
}

// Check returns `check all resource($r), ..` with `$r == "a/x"` for a path,
// `$r == "a" || $r.starts_with("a/")` for a subtree, and `||` between them.
func (r Resources) Check() datalog.Check {
	const v = datalog.Variable("r")
	var guard datalog.Expr
	or := func(e datalog.Expr) {
		if guard == nil {
			guard = e
			return
		}
		guard = datalog.Binary{Op: datalog.OpOr, Left: guard, Right: e}
	}
	for _, p := range r.Patterns {
		or(compare(datalog.OpEqual, v, datalog.String(p.Path)))
		if p.Subtree {
			or(compare(datalog.OpPrefix, v, datalog.String(p.Path+"/")))
		}
	}
	return checkAll("resource", v, guard)
}

func readResources(c datalog.Check) Caveat {
	name, guard := guardOf(c)
	if name != "resource" {
		return nil
	}
	var alternatives []datalog.Expr
	for {
		b, ok := guard.(datalog.Binary)
		if !ok || b.Op != datalog.OpOr {
			break
		}
		alternatives = append(alternatives, b.Right)
		guard = b.Left
	}
	alternatives = append(alternatives, guard)
	slices.Reverse(alternatives)

	var r Resources
	for _, a := range alternatives {
		op, term := comparison(a)
		text, ok := term.(datalog.String)
		switch {
		case ok && op == datalog.OpEqual:
			r.Patterns = append(r.Patterns, Pattern{Path: string(text)})
		case ok && op == datalog.OpPrefix && len(r.Patterns) > 0:
			r.Patterns[len(r.Patterns)-1].Subtree = true
		default:
			return nil
		}
	}
	return r
}

func (Resources) dimension() string { return "resource" }

func (r Resources) within(outer Caveat) bool {
	for _, p := range r.Patterns {
		if !slices.ContainsFunc(outer.(Resources).Patterns, func(o Pattern) bool { return o.contains(p) }) {
			return false
		}
	}
	return true
}

func (r Resources) meet(other Caveat) (Caveat, bool) {
	var both []Pattern
	add := func(p Pattern) {
		if !slices.ContainsFunc(both, func(b Pattern) bool { return b.contains(p) }) {
			both = append(both, p)
		}
	}
	for _, p := range r.Patterns {
		for _, q := range other.(Resources).Patterns {
			switch {
			case q.contains(p):
				add(p)
			case p.contains(q):
				add(q)
			}
		}
	}
	return Resources{both}, len(both) > 0
}
