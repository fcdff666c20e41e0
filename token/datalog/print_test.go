package datalog

import (
	"fmt"
	"testing"
)

func TestPrintAddsTheParenthesesThatMeaningNeeds(t *testing.T) {
	a, b, c := Value{Variable("a")}, Value{Variable("b")}, Value{Variable("c")}
	bin := func(op BinaryOp, l, r Expr) Expr { return Binary{Op: op, Left: l, Right: r} }
	not := func(e Expr) Expr { return Unary{Op: OpNegate, Arg: e} }
	for _, x := range []struct {
		e    Expr
		want string
	}{
		{bin(OpAnd, bin(OpOr, a, b), c), "($a || $b) && $c"},
		{bin(OpOr, bin(OpAnd, a, b), c), "$a && $b || $c"},
		{bin(OpOr, a, bin(OpOr, b, c)), "$a || ($b || $c)"},
		{bin(OpSub, a, bin(OpSub, b, c)), "$a - ($b - $c)"},
		{bin(OpSub, bin(OpSub, a, b), c), "$a - $b - $c"},
		{bin(OpEqual, bin(OpLessThan, a, b), c), "($a < $b) == $c"},
		{bin(OpEqual, a, bin(OpLessThan, b, c)), "$a == ($b < $c)"},
		{bin(OpMul, bin(OpAdd, a, b), c), "($a + $b) * $c"},
		{bin(OpBitXor, bin(OpBitOr, a, b), c), "$a | $b ^ $c"},
		{bin(OpBitOr, bin(OpBitXor, a, b), c), "($a ^ $b) | $c"},
		{not(bin(OpAdd, a, b)), "!$a + $b"},
		{not(bin(OpBitAnd, a, b)), "!($a & $b)"},
		{bin(OpAdd, not(a), b), "(!$a) + $b"},
		{bin(OpAdd, a, not(b)), "$a + !$b"},
		{bin(OpAdd, bin(OpMul, a, not(b)), c), "($a * !$b) + $c"},
		{bin(OpMul, bin(OpMul, a, not(b)), c), "($a * !$b) * $c"},
		{bin(OpBitAnd, bin(OpMul, a, not(b)), c), "$a * !$b & $c"},
		{bin(OpAdd, bin(OpMul, a, bin(OpAdd, b, not(c))), a), "$a * ($b + !$c) + $a"},
		{bin(OpAnd, not(a), b), "!$a && $b"},
		{Unary{Op: OpLength, Arg: not(a)}, "(!$a).length()"},
		{not(Unary{Op: OpLength, Arg: a}), "!$a.length()"},
		{bin(OpContains, bin(OpAdd, a, b), bin(OpOr, b, c)), "($a + $b).contains($b || $c)"},
		{bin(OpEagerAnd, bin(OpEagerOr, a, b), c), "$a.eager_or($b).eager_and($c)"},
		{bin(OpTryOr, bin(OpEqual, a, b), c), "($a == $b).try_or($c)"},
		{Quantified{OpAll, bin(OpAdd, a, b), "x", bin(OpOr, a, b)}, "($a + $b).all($x -> $a || $b)"},
		{Unary{Op: OpTypeOf, Arg: Value{Date(0)}}, "(1970-01-01T00:00:00Z).type()"},
		{bin(OpExtern, a, b), `$a.extern::""($b)`},
		{Unary{Op: OpUnaryExtern, Extern: "f", Arg: a}, "$a.extern::f()"},
		{Unary{Op: OpParens, Arg: Unary{Op: OpParens, Arg: a}}, "(($a))"},
	} {
		if got := fmt.Sprint(x.e); got != x.want {
			t.Errorf("%s printed as %s, want %s", shape(x.e), got, x.want)
		}
	}
}

// A name from a hand-made token must not look like other source, nor parse.
func TestHostileNamesDoNotParse(t *testing.T) {
	for _, name := range []string{"", "a b", "admin(true); x", "a\nb", "\xff", "a-b", "$a", `"`, "a.b", "\u202e", "true)", "{x}"} {
		if s := (Predicate{Name: name}).String(); !refused("fact", s) {
			t.Errorf("predicate %q prints as %s, which parses", name, s)
		}
		q := Query{Body: []Predicate{{name, []Term{Integer(1)}}}, Exprs: []Expr{Value{Bool(true)}}}
		if s := (Check{CheckIf, []Query{q}}).String(); !refused("check", s) {
			t.Errorf("predicate %q prints as %s, which parses", name, s)
		}
		if s := Variable(name).String(); !refused("term", s) {
			t.Errorf("variable %q prints as %s, which parses", name, s)
		}
		q = Query{Exprs: []Expr{Unary{Op: OpUnaryExtern, Extern: name, Arg: Value{Null{}}}}}
		if s := (Check{CheckIf, []Query{q}}).String(); !refused("check", s) {
			t.Errorf("function %q prints as %s, which parses", name, s)
		}
	}
}

func refused(kind, src string) bool {
	_, err := reprint(kind, src)
	return err != nil
}

func TestPrintOfWhatTextCannotWrite(t *testing.T) {
	for _, c := range []struct {
		tree fmt.Stringer
		want string
	}{
		{Query{}, "true"},
		{Rule{Head: Predicate{Name: "a"}}, "a() <- true"},
		{Check{Kind: CheckAll, Queries: []Query{{}}}, "check all true"},
		{Check{Kind: CheckIf}, "check if false"},
		{Check{Kind: RejectIf}, "reject if false"},
		{Policy{Kind: Allow}, "allow if false"},
		{Policy{Kind: Deny, Queries: []Query{{}}}, "deny if true"},
		{Query{Scopes: []Scope{{Kind: ScopePrevious}}}, "true trusting previous"},
		{CheckKind(9), "invalid"},
		{PolicyKind(9), "invalid"},
		{ScopeKind(9), "invalid"},
		{ScopeKey, "key"},
		{UnaryOp(99), "invalid"},
		{BinaryOp(99), "invalid"},
		{QuantOp(99), "invalid"},
		{Value{}, "<no term>"},
		{Unary{}, "!<no expression>"},
		{Block{}, ""},
		{Authorizer{}, ""},
	} {
		if got := c.tree.String(); got != c.want {
			t.Errorf("%#v prints as %s, want %s", c.tree, got, c.want)
		}
	}
}

func TestEveryOperatorHasItsSpelling(t *testing.T) {
	seen := map[string]bool{}
	check := func(s string) {
		if s == invalidName || seen[s] {
			t.Errorf("spelling %s of an operator", s)
		}
		seen[s] = true
	}
	for op := OpNegate; op < OpUnaryExtern; op++ {
		check(op.String())
	}
	for op := OpLessThan; op <= OpExtern; op++ {
		check(op.String())
	}
	check(OpAll.String())
	check(OpAny.String())
	if got := (OpExtern + 1).String(); got != invalidName {
		t.Errorf("an operator beyond the last is spelled %s", got)
	}
}
