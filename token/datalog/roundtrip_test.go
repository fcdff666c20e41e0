package datalog

import (
	"testing"

	"pgregory.net/rapid"
)

func TestTermsParseBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := genTerm.Draw(t, "term")
		src := string(appendTerm(nil, want))
		got, err := ParseTerm(src, nil)
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		if !Equal(got, want) {
			t.Fatalf("%s reads as %v", src, got)
		}
	})
}

func TestNormalExpressionsParseBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := normalExpr(t)
		src := string(appendExpr(nil, want))
		got, err := parseExpr(src)
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		if !EqualExpr(got, want) {
			t.Fatalf("%s reads as %s, want %s", src, shape(got), shape(want))
		}
	})
}

// withoutParens removes all parentheses from a tree.
func withoutParens(e Expr) Expr {
	switch e := e.(type) {
	case Unary:
		if e.Op == OpParens {
			return withoutParens(e.Arg)
		}
		e.Arg = withoutParens(e.Arg)
		return e
	case Binary:
		e.Left, e.Right = withoutParens(e.Left), withoutParens(e.Right)
		return e
	case Quantified:
		e.Over, e.Body = withoutParens(e.Over), withoutParens(e.Body)
		return e
	}
	return e
}

func TestAnyExpressionKeepsItsMeaning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree := anyExpr(t, rapid.IntRange(0, 5).Draw(t, "depth"))
		src := string(appendExpr(nil, tree))
		got, err := parseExpr(src)
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		if !EqualExpr(withoutParens(got), withoutParens(tree)) {
			t.Fatalf("%s reads as %s, want %s", src, shape(got), shape(tree))
		}
		if again := string(appendExpr(nil, got)); again != src {
			t.Fatalf("%s reads and prints as %s", src, again)
		}
		// Of what was printed, every parenthesis is in the tree that was read.
		nodes, depth := Measure(tree)
		gotNodes, gotDepth := Measure(got)
		if nodes != gotNodes || depth != gotDepth {
			t.Fatalf("%s: %d nodes, depth %d; once read %d, %d", src, nodes, depth, gotNodes, gotDepth)
		}
		if n := countNodes(got); n != nodes {
			t.Fatalf("%s: %d nodes, measured %d", src, n, nodes)
		}
	})
}

func countNodes(e Expr) int {
	switch e := e.(type) {
	case Unary:
		return 1 + countNodes(e.Arg)
	case Binary:
		return 1 + countNodes(e.Left) + countNodes(e.Right)
	case Quantified:
		return 1 + countNodes(e.Over) + countNodes(e.Body)
	}
	return 1
}

// What Measure finds within the limit of depth parses, what it finds beyond does
// not: both count the same things.
func TestMeasureAgreesWithTheParser(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := anyExpr(t, 3)
		for {
			_, depth := Measure(e)
			_, err := parseExpr(string(appendExpr(nil, e)))
			if (err == nil) != (depth <= MaxDepth) {
				t.Fatalf("depth %d: %v", depth, err)
			}
			if err != nil {
				return
			}
			switch rapid.IntRange(0, 4).Draw(t, "wrap") {
			case 0:
				e = Unary{Op: OpNegate, Arg: e}
			case 1:
				e = Unary{Op: OpParens, Arg: e}
			case 2:
				e = Binary{Op: OpGet, Left: Value{Null{}}, Right: e}
			case 3:
				e = Quantified{Op: OpAll, Over: Value{Null{}}, Param: "x", Body: e}
			case 4:
				e = Binary{Op: OpSub, Left: Value{Integer(1)}, Right: Binary{Op: OpSub, Left: e, Right: Value{Integer(2)}}}
			}
		}
	})
}

func TestAuthorizersParseBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := genAuthorizer.Draw(t, "authorizer")
		src := want.String()
		got, err := ParseAuthorizer(src, nil)
		if err != nil {
			t.Fatalf("%v in\n%s", err, src)
		}
		if !got.Equal(want) {
			t.Fatalf("prints as\n%sreads as\n%s", src, got)
		}
		if again := got.String(); again != src {
			t.Fatalf("prints as\n%sthen as\n%s", src, again)
		}
		block, err := ParseBlock(want.Block.String(), nil)
		if err != nil || !block.Equal(want.Block) {
			t.Fatalf("block\n%s%v", want.Block, err)
		}
	})
}
