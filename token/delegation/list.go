package delegation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/whittle-auth/whittle/token/datalog"
)

// maxAlternatives bounds the list in one caveat: whether one is within another
// takes time in proportion to both.
const maxAlternatives = 256

// A region is a set of which any two are disjoint, or one contains the other: a
// path and all below it, a network, a domain.
type region[T any] interface{ contains(inner T) bool }

// allWithin reports whether each of inner lies in one of outer.
func allWithin[T region[T]](inner, outer []T) bool {
	for _, i := range inner {
		if !slices.ContainsFunc(outer, func(o T) bool { return o.contains(i) }) {
			return false
		}
	}
	return true
}

// overlap returns what lies in both: of each two the one inside the other. Each
// element of a and of b is looked for once among those found.
func overlap[T region[T]](a, b []T) []T {
	var both []T
	add := func(r T) {
		if !slices.ContainsFunc(both, func(o T) bool { return o.contains(r) }) {
			both = append(both, r)
		}
	}
	added := make([]bool, len(b))
	for _, p := range a {
		for i, q := range b {
			if q.contains(p) {
				add(p)
				break // what else lies in p is in there
			}
			if p.contains(q) && !added[i] {
				add(q)
				added[i] = true
			}
		}
	}
	return both
}

// common returns the elements of a that are also in b.
func common[T any](a, b []T, equal func(T, T) bool) []T {
	var both []T
	for _, x := range a {
		if slices.ContainsFunc(b, func(y T) bool { return equal(x, y) }) {
			both = append(both, x)
		}
	}
	return both
}

// validList refuses an empty list, one longer than 256, duplicates, and elements
// that are not valid.
func validList[T comparable](what string, list []T, valid func(T) error) error {
	if err := validLength(what, len(list)); err != nil {
		return err
	}
	seen := make(map[T]bool, len(list))
	for _, e := range list {
		if err := valid(e); err != nil {
			return fmt.Errorf("%s %q: %w", what, fmt.Sprint(e), err)
		}
		if seen[e] {
			return fmt.Errorf("%s %q is listed twice", what, fmt.Sprint(e))
		}
		seen[e] = true
	}
	return nil
}

func validLength(what string, n int) error {
	if n == 0 {
		return fmt.Errorf("a caveat on the %s needs at least one value", what)
	}
	if n > maxAlternatives {
		return fmt.Errorf("a caveat on the %s has at most %d values", what, maxAlternatives)
	}
	return nil
}

// containsGuard is `[..].contains($v)`. It is an array, since a set would contain
// its subsets too.
func containsGuard(array datalog.Array, v datalog.Variable) datalog.Expr {
	return datalog.Binary{Op: datalog.OpContains, Left: datalog.Value{Term: array}, Right: datalog.Value{Term: v}}
}

// arrayOf is the inverse of containsGuard.
func arrayOf(guard datalog.Expr) datalog.Array {
	b, _ := guard.(datalog.Binary)
	v, _ := b.Left.(datalog.Value)
	a, _ := v.Term.(datalog.Array)
	return a
}

// words lists alternatives for people and for [ParseCaveat].
func words[T any](list []T, text func(T) string) string {
	texts := make([]string, len(list))
	for i, e := range list {
		texts[i] = word(text(e))
	}
	return joined(texts)
}

func joined(alternatives []string) string { return strings.Join(alternatives, " or ") }

// textList lists texts as JSON has them.
func textList[T any](list []T, text func(T) string) []any {
	texts := make([]any, len(list))
	for i, e := range list {
		texts[i] = text(e)
	}
	return texts
}
