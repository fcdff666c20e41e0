package datalog

import (
	"fmt"
	"strings"
	"testing"
)

// shape writes a tree as nested lists, which show what binds to what.
func shape(e Expr) string {
	switch e := e.(type) {
	case Value:
		return fmt.Sprint(e.Term)
	case Unary:
		return fmt.Sprintf("(%s%s %s)", e.Op, e.Extern, shape(e.Arg))
	case Binary:
		return fmt.Sprintf("(%s%s %s %s)", e.Op, e.Extern, shape(e.Left), shape(e.Right))
	case Quantified:
		return fmt.Sprintf("(%s %s %s %s)", e.Op, shape(e.Over), e.Param, shape(e.Body))
	}
	return "?"
}

func parseExpr(src string) (Expr, error) {
	return parse(src, nil, single((*parser).expression))
}

func TestExpressionShapes(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"$a", "$a"},
		{"$a || $b || $c", "(|| (|| $a $b) $c)"},
		{"$a || $b && $c", "(|| $a (&& $b $c))"},
		{"$a && $b || $c && $d", "(|| (&& $a $b) (&& $c $d))"},
		{"$a == 1 && $b != 2", "(&& (== $a 1) (!= $b 2))"},
		{"$a === 1 || $b !== 2", "(|| (=== $a 1) (!== $b 2))"},
		{"$a <= 1 && $b >= 2 && $c < 3 && $d > 4", "(&& (&& (&& (<= $a 1) (>= $b 2)) (< $c 3)) (> $d 4))"},
		{"1 < 2 == true || true", ""},
		{"(1 < 2) == true", "(== (() (< 1 2)) true)"},
		{"1 ^ 2 | 3 & 4", "(^ 1 (| 2 (& 3 4)))"},
		{"1 & 2 | 3 ^ 4", "(^ (| (& 1 2) 3) 4)"},
		{"1 | 2 ^ 3 === 0", "(=== (^ (| 1 2) 3) 0)"},
		{"1 & 2 + 3", "(& 1 (+ 2 3))"},
		{"1 + 2 * 3 - 4 / 2 === 5", "(=== (- (+ 1 (* 2 3)) (/ 4 2)) 5)"},
		{"1 - 2 - 3", "(- (- 1 2) 3)"},
		{"8 / 4 / 2", "(/ (/ 8 4) 2)"},
		{"1|2||3&4&&5", "(|| (| 1 2) (&& (& 3 4) 5))"},
		{"1||!2", "(|| 1 (! 2))"},
		{"1&&!2", "(&& 1 (! 2))"},
		{"1!=!2", "(!= 1 (! 2))"},

		// Negation takes in what binds at least as tightly as a sum.
		{"!$a + $b", "(! (+ $a $b))"},
		{"!$a * $b", "(! (* $a $b))"},
		{"!$a & $b", "(& (! $a) $b)"},
		{"!$a == $b", "(== (! $a) $b)"},
		{"!$a && $b", "(&& (! $a) $b)"},
		{"$a * !$b + $c", "(* $a (! (+ $b $c)))"},
		{"!!$a", "(! (! $a))"},
		{"! ! $a", "(! (! $a))"},
		{"!$a.length()", "(! (length $a))"},
		{"!-1", "(! -1)"},
		{"!($a).get(1)", "(! (get (() $a) 1))"},

		// Minus and digits without a space are one literal where a term may stand.
		{"1 -2", "(- 1 2)"},
		{"1 - -2", "(- 1 -2)"},
		{"1--2", "(- 1 -2)"},
		{"1-2", "(- 1 2)"},
		{"-1 - 1", "(- -1 1)"},
		{"-1.type()", "(type -1)"},
		{"2019-12-04", "(- (- 2019 12) 4)"},
		{"2019-12-04T09:46:41Z", "2019-12-04T09:46:41Z"},
		{"$t<2019-12-04T09:46:41Z&&true", "(&& (< $t 2019-12-04T09:46:41Z) true)"},
		{"$a <-5", "(< $a -5)"},

		{"$a.length()", "(length $a)"},
		{"$a.type()", "(type $a)"},
		{"$a.length( )", "(length $a)"},
		{"$a.contains($b).contains( $c )", "(contains (contains $a $b) $c)"},
		{"$a.starts_with($b)", "(starts_with $a $b)"},
		{"$a.ends_with($b)", "(ends_with $a $b)"},
		{"$a.matches($b)", "(matches $a $b)"},
		{"$a.intersection($b)", "(intersection $a $b)"},
		{"$a.union($b)", "(union $a $b)"},
		{"$a.get($b)", "(get $a $b)"},
		{"$a.try_or($b || $c)", "(try_or $a (|| $b $c))"},
		{"$a.eager_and($b)", "(eager_and $a $b)"},
		{"$a.eager_or($b)", "(eager_or $a $b)"},
		{"$a.all($x -> $x > 1 && $b)", "(all $a $x (&& (> $x 1) $b))"},
		{"$a.any( $x->$x )", "(any $a $x $x)"},
		{"$a.any($a -> $a.all($a -> $a))", "(any $a $a (all $a $a $a))"},
		{"$a.extern::f()", "(externf $a)"},
		{"$a.extern::f::g($b)", "(externf::g $a $b)"},
		{"1 + 2.type()", "(+ 1 (type 2))"},
		{"(2019-12-04T09:46:41Z).type()", "(type (() 2019-12-04T09:46:41Z))"},
		{"hex:12ab.length()", "(length hex:12ab)"},
		{"{}.length() + {,}.length() + [].length()", "(+ (+ (length {}) (length {,})) (length []))"},
		{"((($a)))", "(() (() (() $a)))"},
		{"$a /* x */ + // y\n $b", "(+ $a $b)"},
	} {
		e, err := parseExpr(c.src)
		if c.want == "" {
			if err == nil {
				t.Errorf("%s: read as %s, want an error", c.src, shape(e))
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
		} else if got := shape(e); got != c.want {
			t.Errorf("%s: read as %s, want %s", c.src, got, c.want)
		}
	}
}

func TestExpressionErrors(t *testing.T) {
	for _, c := range []struct {
		src, msg string
		offset   int
	}{
		{"", "expected a term, found the end of the input", 0},
		{"1 <", "expected a term", 3},
		{"1 < 2 < 3", "comparisons do not chain", 6},
		{"1 == 2 != 3", "comparisons do not chain", 7},
		{"1 < = 2", "expected a term, found '='", 4},
		{"1 | |2", "expected a term, found '|'", 4},
		{"1 &&& 2", "expected a term, found '&'", 4},
		{"(1", "expected an operator or ')', found the end of the input", 2},
		{"(1, 2)", "expected an operator or ')', found ','", 2},
		{"()", "expected a term, found ')'", 1},
		{"- 1", "expected a term, found '-'", 0},
		{"-$a", "expected a term, found '-'", 0},
		{"$a .length()", "expected ';', found '.'", 3},
		{"$a. length()", "expected a method's name", 3},
		{"$a.length ()", "expected a method's name", 9},
		{"$a.length(1)", "takes no argument", 10},
		{"$a.lengths()", "unknown method 'lengths'", 3},
		{"$a.contains()", "expected a term", 12},
		{"$a.contains(1, 2)", "expected an operator or ')'", 13},
		{"$a.all(1)", "expected a variable and '->'", 7},
		{"$a.all($x, $y -> 1)", "expected '->'", 9},
		{"$a.contains($x -> 1)", "expected a term, found '>'", 16},
		{"$a.extern::()", "unknown method 'extern::'", 3},
		{"2019-12-04T09:46:41Z.type()", "must stand in parentheses", 0},
		{"1.5", "expected a method's name", 3},
		{"$", "expected the name of a variable", 1},
		{"foo", "expected a term, found 'foo'", 0},
		{"True", "expected a term, found 'True'", 0},
		{"1a", "unexpected 'a' after an integer", 1},
		{"$a &&", "expected a term", 5},
		{"[$a]", "a variable may stand only", 1},
		{"{$a}", "a variable may stand only", 1},
		{"/* 1", "comment is not closed", 0},
		{"1 /* ", "comment is not closed", 2},
	} {
		e, err := parseExpr(c.src)
		if err == nil {
			t.Errorf("%s: read as %s, want an error", c.src, shape(e))
			continue
		}
		wantError(t, c.src, err, c.offset, c.msg)
	}
}

// wantError checks an error's type, place and message.
func wantError(t *testing.T, src string, err error, offset int, msg string) {
	t.Helper()
	syntax, ok := err.(*SyntaxError)
	if !ok {
		t.Errorf("%.60q: error of type %T", src, err)
		return
	}
	if syntax.Offset != offset || !strings.Contains(syntax.Msg, msg) {
		t.Errorf("%.60q: offset %d, %q; want offset %d, %q", src, syntax.Offset, syntax.Msg, offset, msg)
	}
}
