package delegation

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"testing"

	"pgregory.net/rapid"

	"github.com/whittle-auth/whittle/token/datalog"
)

// TestWorkOfComparingIsBounded: however many lists a chain has, no more than so many
// elements are held against each other, and each list is kept. Times still come to
// the one that holds, which a verifier relies upon.
func TestWorkOfComparingIsBounded(t *testing.T) {
	var s Scope
	for i := range 100 {
		list := ArgOneOf{Arg: "n"}
		for j := range maxAlternatives {
			list.Values = append(list.Values, datalog.Integer(1000*i+j))
		}
		s.Narrow(list, i)
	}
	if s.work > maxWork || len(s.Bounds) != 100 {
		t.Errorf("%d steps, at most %d; %d bounds", s.work, maxWork, len(s.Bounds))
	}
	clone := s.Clone()
	for _, scope := range []*Scope{&s, clone} {
		before := scope.work
		scope.Narrow(ArgOneOf{"m", make([]datalog.Term, maxAlternatives)}, 100)
		scope.Narrow(ArgOneOf{"m", make([]datalog.Term, maxAlternatives)}, 101)
		if before == 0 || len(scope.Bounds) != 102 {
			t.Errorf("after %d steps %d bounds", before, len(scope.Bounds))
		}
	}
	for _, at := range []uint64{7, 5, 9} {
		s.Narrow(Expiry{at}, 102)
		s.Narrow(NotBefore{at}, 102)
	}
	s.Narrow(ArgRange{"r", 1, math.MaxInt64}, 102)
	s.Narrow(ArgRange{"r", math.MinInt64, 9}, 103)
	if expires, _ := s.Expires(); expires.At != 5 || len(s.Bounds) != 105 {
		t.Errorf("expires at %d, %d bounds", expires.At, len(s.Bounds))
	}
	if from, _ := s.NotBefore(); from.At != 9 {
		t.Errorf("from %d", from.At)
	}
}

// TestBoundsMoveUp: where several bounds become one, the others are still found.
func TestBoundsMoveUp(t *testing.T) {
	for _, others := range []int{0, indexed} { // whether or not there is an index
		var s Scope
		for i := range others {
			s.Narrow(ArgPrefix{fmt.Sprint("other ", i), "a/"}, 0)
		}
		for block, c := range []Caveat{
			ArgPrefix{"n", "a/"}, ArgSubtree{"n", []string{"a", "b"}}, ArgRange{"m", 1, 9}, Depth{3},
			ArgOneOf{"n", []datalog.Term{datalog.String("a/b")}}, ArgRange{"m", 2, 9}, Depth{2}, ArgRange{"k", 1, 2},
		} {
			s.Narrow(c, block)
		}
		want := []Bound{{ArgOneOf{"n", []datalog.Term{datalog.String("a/b")}}, 4}, {ArgRange{"m", 2, 9}, 5}, {Depth{2}, 6}, {ArgRange{"k", 1, 2}, 7}}
		if got := s.Bounds[others:]; !reflect.DeepEqual(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
}

// A span counts how often it is asked what it contains.
type span struct {
	from, to int
	asked    *int
}

func (s span) contains(inner span) bool {
	*s.asked++
	return s.from <= inner.from && inner.to <= s.to
}

// TestStepsOfOverlap: what is taken off for two lists is enough for the worst of them:
// one nests, and the other lies within all of it.
func TestStepsOfOverlap(t *testing.T) {
	const n = 64
	var asked int
	var nested, inside []span
	for i := range n {
		nested = append(nested, span{-n + i, 3*n - i, &asked})
		inside = append(inside, span{i, i, &asked})
	}
	for name, lists := range map[string][2][]span{"nested and inside": {nested, inside}, "inside and nested": {inside, nested}, "nested twice": {nested, nested}, "apart": {inside, inside}} {
		asked = 0
		overlap(lists[0], lists[1])
		if t.Logf("%s: %d", name, asked); asked > 4*n*n {
			t.Errorf("%s: %d steps for twice %d", name, asked, n)
		}
	}
}

// TestStraysIsStray: the reading of a path agrees with the expression in the token.
func TestStraysIsStray(t *testing.T) {
	pattern := regexp.MustCompile(stray)
	path := rapid.StringOfN(rapid.RuneFrom([]rune("//..a %\\\x00\x1f\x7fé\n")), 0, 6, -1)
	counts := map[bool]int{}
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.OneOf(path, rapid.StringMatching(`[a. ]{1,3}(/[a. ]{1,3}){0,2}`), rapid.StringMatching(`a(/[a.]{1,3}){1,3}`)).Draw(t, "path")
		counts[strays(p)]++
		if strays(p) != pattern.MatchString(p) {
			t.Fatalf("%q: %v, the expression says %v", p, strays(p), pattern.MatchString(p))
		}
	})
	if counts[true] == 0 || counts[false] == 0 {
		t.Error(counts)
	}
}
