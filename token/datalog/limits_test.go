package datalog

import (
	"fmt"
	"strings"
	"testing"
)

func TestNestingIsLimited(t *testing.T) {
	for _, c := range []struct{ name, before, open, inner, shut string }{
		{"array", "f(", "[", "1", "]"},
		{"map", "f(", `{1: `, "1", "}"},
		{"set", "f(", "{[", "1", "]}"},
		{"parentheses", "check if f(1), ((true) || ", "(", "true", ")"},
		{"negation", "check if (", "!", "true", ""},
		{"spaced negation", "check if (", "! ", "true", ""},
		{"method", "check if (", "1.get(", "1", ")"},
		{"closure", "check if (", "$x.all($y -> ", "true", ")"},
		{"mixed", "check if (", "!(1.get(", "1", "))"},
	} {
		levels := strings.Count(c.open, "[") + strings.Count(c.open, "{") + strings.Count(c.open, "(") + strings.Count(c.open, "!")
		room := MaxDepth
		if strings.HasPrefix(c.before, "check") {
			room--
		}
		build := func(n int) string {
			return c.before + strings.Repeat(c.open, n) + c.inner + strings.Repeat(c.shut, n) + ")"
		}
		if _, err := ParseBlock(build(room/levels), nil); err != nil {
			t.Errorf("%s: nesting within the limit: %v", c.name, err)
		}
		for _, n := range []int{room/levels + 1, 1000} {
			_, err := ParseBlock(build(n), nil)
			if err == nil || !strings.Contains(err.Error(), "nested more than 64 deep") {
				t.Errorf("%s: %d levels: error %v", c.name, n*levels, err)
			}
		}
	}
}

// Whatever fills the largest source, nothing recurses or grows beyond the limits.
func TestLargestSourcesAreQuickErrors(t *testing.T) {
	for _, unit := range []string{"(", "[", "!", "{", "{{", "! ", "!(", "/*", "\"", "-", "$", "a", "1", ".", "a(", "1.get(",
		"{1:", "a(1)<-", "check if ", "trusting ", "or ", "hex:", ":", "1+", "1-", "1||", "1<", "\\", "é"} {
		for _, before := range []string{"", "f(", "check if ", "check if 1 + ", "f(1) <- "} {
			src := before + strings.Repeat(unit, (MaxSource-len(before))/len(unit))
			if _, err := ParseAuthorizer(src, nil); err == nil {
				t.Errorf("%s%s.. is accepted", before, unit)
			} else if len(err.Error()) > 250 {
				t.Errorf("%s%s..: message of %d bytes", before, unit, len(err.Error()))
			}
		}
	}
}

func TestSourceSizeIsLimited(t *testing.T) {
	full := "f(1);" + strings.Repeat(" ", MaxSource-5)
	if _, err := ParseBlock(full, nil); err != nil {
		t.Errorf("source of the largest size: %v", err)
	}
	for _, src := range []string{full + " ", strings.Repeat("(", 4<<20), strings.Repeat("\xff", 4<<20)} {
		_, err := ParseBlock(src, nil)
		if err == nil {
			t.Fatal("a larger source is accepted")
		}
		wantError(t, src, err, 0, "larger than 1 MiB")
	}
}

func TestExpressionSizeIsLimited(t *testing.T) {
	chain := func(nodes int) string { return "1" + strings.Repeat(" + 1", (nodes-1)/2) }
	for _, sep := range []string{", ", " or "} {
		// The limit is one of each expression, not of a query or a check.
		src := "check if " + chain(MaxNodes-1) + sep + chain(MaxNodes-1)
		if c, err := ParseCheck(src, nil); err != nil {
			t.Errorf("expressions within the limit: %v", err)
		} else if c.String() != src {
			t.Error("expressions of the largest size print otherwise")
		}
	}
	for _, expr := range []string{chain(MaxNodes + 1), "1" + strings.Repeat(".length()", MaxNodes)} {
		if _, err := ParseCheck("check if "+expr, nil); err == nil || !strings.Contains(err.Error(), "more than 8192 operators") {
			t.Errorf("larger expression: error %v", err)
		}
	}
}

func TestMeasure(t *testing.T) {
	for _, c := range []struct {
		src          string
		nodes, depth int
	}{
		{"1", 1, 0},
		{"[]", 1, 1},
		{`{1: [2, {"a": {}}]}`, 1, 4},
		{"{,}", 1, 1},
		{"$a + $b * $c", 5, 0},
		{"($a)", 2, 1},
		{"!!$a", 3, 2},
		{"$a.length().type().extern::f()", 4, 0},
		{"$a.get(1).get([2])", 5, 2},
		{"$a.extern::f((1))", 4, 2},
		{"$a.all($x -> $x.any($y -> $y))", 5, 2},
		{"(1 < 2) == ((true))", 8, 2},
	} {
		e, err := parseExpr(c.src)
		if err != nil {
			t.Fatal(err)
		}
		if nodes, depth := Measure(e); nodes != c.nodes || depth != c.depth {
			t.Errorf("%s: %d nodes, depth %d; want %d, %d", c.src, nodes, depth, c.nodes, c.depth)
		}
	}
	added := Unary{Op: OpLength, Arg: Unary{Op: OpNegate, Arg: Value{Bool(true)}}}
	if nodes, depth := Measure(added); nodes != 4 || depth != 2 {
		t.Errorf("%s: %d nodes, depth %d", fmt.Sprint(added), nodes, depth)
	}
}
