package datalog

import (
	"testing"

	"pgregory.net/rapid"
)

// Texts that differ in one thing each: no two of them are equal, each equals itself.
func TestEqualTellsTreesApart(t *testing.T) {
	texts := []string{
		"", "trusting authority", "trusting previous", "trusting " + keyA, "trusting authority, previous", "trusting previous, authority",
		"f(1)", "g(1)", "f()", "f(2)", "f(1, 1)", "f(1); f(1)", "f(1); f(2)", "f(2); f(1)", `f("1")`, "f([1])", "f({1})",
		"f(1) <- f(1)", "f(2) <- f(1)", "f(1) <- f(2)", "f(1) <- f(1), f(1)", "f(1) <- f(1), 1", "f(1) <- f(1) trusting previous",
		"check if f(1)", "check all f(1)", "reject if f(1)", "check if f(1) or f(1)", "check if f(1) trusting authority",
		"allow if f(1)", "deny if f(1)", "allow if f(1) or f(1)", "allow if f(1); deny if f(1)", "deny if f(1); allow if f(1)",
		"check if 1", "check if (1)", "check if !1", "check if 1.length()", "check if 1.type()", "check if 1.extern::f()", "check if 1.extern::g()",
		"check if 1, 1", "check if 1 + 1", "check if 1 - 1", "check if 2 + 1", "check if 1 + 2", "check if 1.extern::f(1)", "check if 1.extern::g(1)",
		"check if $x.all($x -> 1)", "check if $x.any($x -> 1)", "check if $y.all($x -> 1)", "check if $x.all($y -> 1)", "check if $x.all($x -> 2)",
	}
	var trees []*Authorizer
	for _, text := range texts {
		a, err := ParseAuthorizer(text, nil)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		trees = append(trees, a)
	}
	for i, a := range trees {
		for j, b := range trees {
			if a.Equal(*b) != (i == j) {
				t.Errorf("%q and %q: equal is %t", texts[i], texts[j], a.Equal(*b))
			}
		}
	}
}

func TestEqualLooksAtTheContext(t *testing.T) {
	one, same, two := "1", "1", "2"
	for _, c := range []struct {
		a, b *string
		want bool
	}{
		{nil, nil, true}, {&one, &same, true}, {&one, nil, false}, {nil, &one, false}, {&one, &two, false},
	} {
		if got := (Block{Context: c.a}).Equal(Block{Context: c.b}); got != c.want {
			t.Errorf("%v and %v: %t", c.a, c.b, got)
		}
	}
}

func TestEqualIgnoresWhetherAListIsAbsentOrEmpty(t *testing.T) {
	a := Authorizer{}
	b := Authorizer{Block{nil, []Scope{}, []Predicate{}, []Rule{}, []Check{}}, []Policy{}}
	if !a.Equal(b) {
		t.Error("absent lists differ from empty ones")
	}
}

func TestEqualAgreesWithPrinting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := normalExpr(t), normalExpr(t)
		if EqualExpr(a, b) != (string(appendExpr(nil, a)) == string(appendExpr(nil, b))) {
			t.Fatalf("%v and %v: equal is %t", a, b, EqualExpr(a, b))
		}
		if !EqualExpr(a, a) {
			t.Fatalf("%v is not equal to itself", a)
		}
	})
}
