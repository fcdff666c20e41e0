package delegation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/whittle-auth/whittle/token/datalog"
)

// An argument is a caveat on one argument of a request, named at the top or by a
// JSON pointer.
type argument interface {
	Caveat
	name() string

	// holds reports whether an argument of this value passes. known is false
	// where finding out would cost too much.
	holds(value datalog.Term) (ok, known bool)
}

// validArg refuses names that no argument can have, and pointers that lead
// nowhere.
func validArg(name string) error {
	if len(name) > maxValue {
		return fmt.Errorf("the name of an argument has at most %d bytes", maxValue)
	}
	if err := validString(name); err != nil {
		return fmt.Errorf("argument %q: %w", name, err)
	}
	if strings.HasPrefix(name, "/") {
		for step := range strings.SplitSeq(name[1:], "/") {
			if _, ok := unescape(step); !ok {
				return fmt.Errorf("argument %q: in a JSON pointer ~ stands in ~0 and ~1 only", name)
			}
		}
	}
	return nil
}

// argText is the text form of a caveat on an argument.
func argText(name, rest string) string { return "arg " + word(name) + " " + rest }

func argDimension(name string) dimension { return dimension{"arg", name} }

// isString guards what follows, so that another type denies instead of failing.
func isString(v datalog.Variable) datalog.Expr { return hasType(v, "string") }

func hasType(v datalog.Variable, name string) datalog.Expr {
	return datalog.Binary{
		Op:    datalog.OpEqual,
		Left:  datalog.Unary{Op: datalog.OpTypeOf, Arg: datalog.Value{Term: v}},
		Right: datalog.Value{Term: datalog.String(name)},
	}
}

// compareArgs compares caveats on the same argument, whatever they ask of it.
func compareArgs(inner, outer argument) Relation {
	_, bound := outer.(ArgSet)
	switch i := inner.(type) {
	case ArgUnset:
		_, unset := outer.(ArgUnset)
		return within(unset)
	case ArgSet:
		return within(bound)
	case ArgOneOf:
		kept, known := i.filter(outer)
		if !known {
			return Incomparable
		}
		return within(len(kept) == len(i.Values))
	}
	if bound {
		return Within
	}
	if o, ok := outer.(ArgOneOf); ok {
		kept, known := o.filter(inner)
		if _, regex := inner.(ArgMatches); regex || !known {
			return Incomparable
		}
		r, ok := inner.(ArgRange)
		return within(ok && r.hasExactly(len(kept)))
	}
	both, ok := meetArgs(inner, outer)
	if ok && both == nil {
		return Incomparable
	}
	return within(ok && covers(inner, outer))
}

// covers reports whether outer holds wherever inner does. Both are regions, and
// what they meet in can be said.
func covers(inner, outer argument) bool {
	switch i := inner.(type) {
	case ArgRange:
		o, ok := outer.(ArgRange)
		return ok && i.Min >= o.Min && i.Max <= o.Max
	case ArgPrefix:
		o, ok := outer.(ArgPrefix)
		return ok && strings.HasPrefix(i.Prefix, o.Prefix)
	case ArgSubtree:
		switch o := outer.(type) {
		case ArgSubtree:
			return allWithin(i.patterns(), o.patterns())
		case ArgPrefix:
			return !slices.ContainsFunc(i.Paths, func(p string) bool { return !strings.HasPrefix(p, o.Prefix) })
		}
	case ArgCIDR:
		o, ok := outer.(ArgCIDR)
		return ok && allWithin(i.networks(), o.networks())
	case ArgHost:
		o, ok := outer.(ArgHost)
		return ok && allWithin(i.Hosts, o.Hosts)
	case ArgMatches:
		return inner == outer
	}
	return false
}

// meetArgs is [Caveat.meet] for caveats on the same argument.
func meetArgs(a, b argument) (Caveat, bool) {
	_, unsetA := a.(ArgUnset)
	_, unsetB := b.(ArgUnset)
	if unsetA || unsetB {
		return a, unsetA && unsetB
	}
	if _, ok := a.(ArgSet); ok {
		return b, true
	}
	if _, ok := b.(ArgSet); ok {
		return a, true
	}
	if list, ok := a.(ArgOneOf); ok {
		return list.meetArg(b)
	}
	if list, ok := b.(ArgOneOf); ok {
		return list.meetArg(a)
	}
	_, integerA := a.(ArgRange)
	_, integerB := b.(ArgRange)
	if integerA != integerB {
		return nil, false // an integer and a string
	}
	switch a := a.(type) {
	case ArgRange:
		return a.meetRange(b.(ArgRange))
	case ArgPrefix:
		switch b := b.(type) {
		case ArgPrefix:
			return a.meetPrefix(b)
		case ArgSubtree:
			return b.meetPrefix(a)
		}
	case ArgSubtree:
		switch b := b.(type) {
		case ArgPrefix:
			return a.meetPrefix(b)
		case ArgSubtree:
			return subtrees(a.Arg, overlap(a.patterns(), b.patterns()))
		}
	case ArgCIDR:
		if b, ok := b.(ArgCIDR); ok {
			return networks(a.Arg, overlap(a.networks(), b.networks()))
		}
	case ArgHost:
		if b, ok := b.(ArgHost); ok {
			both := overlap(a.Hosts, b.Hosts)
			return ArgHost{a.Arg, both}, len(both) > 0
		}
	case ArgMatches:
		if a == b {
			return a, true
		}
	}
	return nil, true
}
