package engine

import (
	"errors"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token/datalog"
)

// outcome evaluates one expression as the only condition of an allow policy and
// returns "true", "false" or the kind of error.
func outcome(t *testing.T, expr string) string {
	t.Helper()
	r, err := authorizer(t, `v("x"); allow if v($v), `+expr+`;`).Evaluate(nil, nil, &Options{Externs: testExterns})
	var e *Error
	switch {
	case errors.As(err, &e):
		if r == nil || r.Allowed() || r.Policy != -1 || e.Place != InPolicy {
			t.Errorf("%s: result %+v beside error %v", expr, r, err)
		}
		return e.Kind.String()
	case r.Allowed():
		return "true"
	}
	return "false"
}

func TestExpressions(t *testing.T) {
	const (
		yes, no  = "true", "false"
		typeErr  = "invalid type"
		overflow = "integer overflow"
		byZero   = "division by zero"
	)
	for _, c := range []struct{ expr, want string }{
		// Equality: lenient across types, strict an error across types.
		{`1 == 1`, yes}, {`1 == 2`, no}, {`1 == "1"`, no}, {`1 != "1"`, yes}, {`null == null`, yes}, {`null == 1`, no},
		{`1 === 1`, yes}, {`1 === "1"`, typeErr}, {`1 !== "1"`, typeErr}, {`null === null`, yes}, {`null === 1`, typeErr},
		{`[1, "a"] === [1]`, no}, {`[1, "a"] !== [1]`, yes}, {`{1, 2} === {2, 1}`, yes}, {`{1} === {"a"}`, no}, {`{,} == {}`, no},
		{`{"a": 1} === {"a": 2}`, no}, {`{"a": 1, 2: 3} === {2: 3, "a": 1}`, yes}, {`true === true`, yes},
		{`hex:00 == hex:00`, yes}, {`hex:00 == hex:01`, no}, {`[hex:00] == [hex:00]`, yes}, {`hex:61 == "a"`, no},
		{`1970-01-01T00:00:01Z == 1`, no}, {`[[{"a": {1}}]] == [[{"a": {1}}]]`, yes},

		// Order exists on integers and dates.
		{`1 < 2`, yes}, {`2 <= 1`, no}, {`2 > 1`, yes}, {`1 >= 1`, yes}, {`-1 < 1`, yes}, {`"a" < "b"`, typeErr}, {`hex:00 < hex:01`, typeErr},
		{`2020-01-01T00:00:00Z < 2021-01-01T00:00:00Z`, yes}, {`2020-01-01T00:00:00Z < 5`, typeErr}, {`true < false`, typeErr},

		// Integers are checked.
		{`9223372036854775807 + 1 == 0`, overflow}, {`-9223372036854775808 - 1 == 0`, overflow}, {`9223372036854775807 * 2 == 0`, overflow},
		{`-9223372036854775808 * -1 == 0`, overflow}, {`-1 * -9223372036854775808 == 0`, overflow}, {`-9223372036854775808 / -1 == 0`, byZero},
		{`1 / 0 == 0`, byZero}, {`-7 / 2 == -3`, yes}, {`9223372036854775807 + -1 == 9223372036854775806`, yes}, {`0 - 9223372036854775807 == -9223372036854775807`, yes},
		{`0 - -9223372036854775808 == 0`, overflow}, {`3 * -4 == -12`, yes}, {`1 + "a" == 2`, typeErr},
		{`9 & 10 == 8`, yes}, {`1 | 2 == 3`, yes}, {`1 ^ 3 == 2`, yes}, {`true & true == 1`, typeErr}, {`1 + null == 1`, typeErr},

		// Text. Lengths count bytes.
		{`"é".length() == 2`, yes}, {`hex:0001.length() == 2`, yes}, {`{1, 2}.length() == 2`, yes}, {`[1, 1].length() == 2`, yes}, {`{"a": 1}.length() == 1`, yes},
		{`1.length() == 1`, typeErr}, {`null.length() == 0`, typeErr}, {`"a" + "b" == "ab"`, yes}, {`"ab" - "b" == "a"`, typeErr},
		{`"abc".starts_with("ab")`, yes}, {`"abc".ends_with("bc")`, yes}, {`"abc".contains("b")`, yes}, {`"abc".contains("")`, yes}, {`"abc".contains(1)`, typeErr},
		{`"abc".starts_with(1)`, typeErr}, {`1.starts_with(1)`, typeErr}, {`hex:00.starts_with(hex:00)`, typeErr},
		{`"abc".matches("^a.c$")`, yes}, {`"abc".matches("b")`, yes}, {`"abc".matches("(")`, no}, {`"abc".matches(1)`, typeErr}, {`!"abc".matches("(")`, yes},

		// Sets.
		{`{1, 2}.contains(1)`, yes}, {`{1, 2}.contains("1")`, no}, {`{1, 2}.contains({1})`, yes}, {`{1}.contains({1, 2})`, no}, {`{,}.contains({,})`, yes},
		{`{null}.contains(null)`, typeErr}, {`{[1]}.contains([1])`, typeErr}, {`{1}.contains([1])`, typeErr}, {`{1}.contains({})`, typeErr},
		{`{1, 2}.union({3, 1}) == {1, 2, 3}`, yes}, {`{1, 2}.intersection({2, 3}) == {2}`, yes}, {`{1}.intersection({2}) == {,}`, yes},
		{`{1}.union({"a"}).length() == 2`, yes}, {`{1}.union({"a"}) == {"a"}.union({1})`, yes}, {`{1}.union([1]) == {1}`, typeErr},
		{`{hex:00, hex:01}.contains(hex:01)`, yes}, {`{true}.contains(true)`, yes}, {`{2020-01-01T00:00:00Z}.contains(2020-01-01T00:00:00Z)`, yes},

		// Arrays and maps.
		{`[1, "a"].contains("a")`, yes}, {`[1].contains(null)`, no}, {`[{1}].contains({1})`, yes}, {`[1].contains("1")`, no},
		{`[1, 2, 3].starts_with([1, 2])`, yes}, {`[1, 2, 3].ends_with([2, 3])`, yes}, {`[1].starts_with([1, 2])`, no}, {`[1].ends_with([])`, yes}, {`[1].starts_with(1)`, typeErr},
		{`[1, 2].get(1) == 2`, yes}, {`[1].get(1) == null`, yes}, {`[1].get(-1) == null`, yes}, {`[1].get("a") == null`, typeErr},
		{`{"a": 1, 2: "b"}.get("a") == 1`, yes}, {`{"a": 1, 2: "b"}.get(2) == "b"`, yes}, {`{"a": 1}.get("b") == null`, yes}, {`{"a": 1}.get(true) == null`, typeErr},
		{`{"a": 1}.contains("a")`, yes}, {`{"a": 1}.contains(1)`, no}, {`{"a": 1}.contains([1])`, no}, {`{1}.get(0) == 1`, typeErr}, {`"a".get(0) == 1`, typeErr},
		{`[1] + [2] == [1, 2]`, typeErr},

		// Booleans: lazy operators look at the right operand only as needed and
		// return it as it is.
		{`!false`, yes}, {`!1`, typeErr}, {`(true)`, yes}, {`1`, typeErr}, {`true && 5`, typeErr}, {`(true && 5) == 5`, yes}, {`(false || 5) == 5`, yes},
		{`false && 5`, no}, {`true || 5`, yes}, {`false && 1 / 0 == 0`, no}, {`true || 1 / 0 == 0`, yes}, {`1 && true`, typeErr}, {`null || true`, typeErr},
		{`true.eager_and(false)`, no}, {`true.eager_and(1)`, typeErr}, {`false.eager_or(1 / 0 == 0)`, byZero}, {`false.eager_or(true)`, yes},

		// Quantifiers.
		{`[1, 2].all($x -> $x > 0)`, yes}, {`[1, 2].any($x -> $x > 1)`, yes}, {`[].all($x -> 1)`, yes}, {`{,}.any($x -> true)`, no},
		{`[1].all($x -> 1)`, typeErr}, {`1.all($x -> true)`, typeErr}, {`"a".any($x -> true)`, typeErr}, {`[1, "a"].any($x -> $x === 1)`, yes}, {`["a", 1].any($x -> $x === 1)`, typeErr},
		{`{"a": 1}.all($p -> $p == ["a", 1])`, yes}, {`{"a": 1}.any($p -> $p.get(0) == "a" && $p.get(1) == 1)`, yes},
		{`[[1], [2]].any($x -> $x.any($y -> $y == 2))`, yes}, {`[1].any($x -> [2].any($x -> true))`, "shadowed variable"}, {`[1].any($v -> true)`, "shadowed variable"},
		{`[].any($x -> [2].any($x -> true))`, no}, {`1.any($v -> true)`, "shadowed variable"}, {`[1].any($x -> true) && [2].any($x -> $x == 2)`, yes},
		{`true || [1].any($v -> true)`, yes}, {`[1].any($x -> $x == 1) && $x == 1`, "unknown variable"}, {`$nobody == 1`, "unknown variable"},
		{`{2, 1}.all($x -> $x == 1 && (1 / 0 == 0).try_or(true) || $x == 2)`, yes},

		// Types and try_or.
		{`1.type() == "integer"`, yes}, {`"".type() == "string"`, yes}, {`hex:.type() == "bytes"`, yes}, {`true.type() == "bool"`, yes}, {`{,}.type() == "set"`, yes},
		{`null.type() == "null"`, yes}, {`[].type() == "array"`, yes}, {`{}.type() == "map"`, yes}, {`(2020-01-01T00:00:00Z).type() == "date"`, yes},
		{`(1 / 0).try_or(5) == 5`, yes}, {`(1 / 1).try_or(5) == 1`, yes}, {`true.try_or(1 / 0) == true`, byZero}, {`$nobody.try_or(1) == 1`, yes},
		{`[1].any($v -> true).try_or(false)`, no}, {`1.extern::none().try_or(2) == 2`, yes}, {`(1 === "a").try_or(true)`, yes},

		// External functions.
		{`1.extern::same() == 1`, yes}, {`1.extern::pair({"a"}) == [1, {"a"}]`, yes}, {`1.extern::pair() == 1`, "external function failed"}, {`1.extern::none()`, "undefined external function"},
	} {
		if got := outcome(t, c.expr); got != c.want {
			t.Errorf("%s: %s, want %s", c.expr, got, c.want)
		}
	}
}

// TestExternResults: what an external function returns is not trusted to be a
// term.
func TestExternResults(t *testing.T) {
	deep := datalog.Term(datalog.Integer(1))
	for range datalog.MaxDepth + 1 {
		deep = datalog.Array{deep}
	}
	failure := errors.New("out of order")
	for name, c := range map[string]struct {
		term datalog.Term
		err  error
		ok   bool
	}{
		"term":         {term: datalog.Map{{Key: datalog.String("b"), Value: datalog.Null{}}, {Key: datalog.Integer(1), Value: datalog.Null{}}}, ok: true},
		"unsorted set": {term: datalog.Set{datalog.Integer(2), datalog.Integer(1), datalog.Integer(2)}, ok: true},
		"nothing":      {},
		"variable":     {term: datalog.Variable("x")},
		"hidden":       {term: datalog.Array{datalog.Variable("x")}},
		"nested set":   {term: datalog.Set{datalog.Set{}}},
		"map key":      {term: datalog.Map{{Key: datalog.Bool(true), Value: datalog.Null{}}}},
		"twice":        {term: datalog.Map{{Key: datalog.Integer(1), Value: datalog.Null{}}, {Key: datalog.Integer(1), Value: datalog.Null{}}}},
		"deep":         {term: deep},
		"pointer":      {term: new(datalog.Integer)},
		"error":        {err: failure},
	} {
		externs := map[string]Extern{"f": func(l, r datalog.Term) (datalog.Term, error) { return c.term, c.err }}
		r, err := authorizer(t, `allow if 1.extern::f() == {1: null, "b": null} || 1.extern::f() == {1, 2};`).Evaluate(nil, nil, &Options{Externs: externs})
		if c.ok {
			if err != nil || !r.Allowed() {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		var e *Error
		if !errors.As(err, &e) || e.Kind != ExternError {
			t.Errorf("%s: %v, want %v", name, err, ExternError)
		}
		if c.err != nil && !errors.Is(err, failure) {
			t.Errorf("%s: %v does not wrap the cause", name, err)
		}
	}
}

// TestErrorPrecedence: the error of a query is the same whichever fact comes
// first.
func TestErrorPrecedence(t *testing.T) {
	a := authorizer(t, `check if p($x), $x.get("k") / 0 == 1; allow if true;`)
	for _, order := range []string{
		`p({"k": 1}); p("text"); p({"k": 9223372036854775807});`,
		`p("text"); p({"k": 9223372036854775807}); p({"k": 1});`,
	} {
		_, err := a.Evaluate(token(t, order), nil, nil)
		if err == nil || err.Error() != "authorizer, check 0: invalid type" {
			t.Errorf("%s: %v", order, err)
		}
	}
	// An error in one solution is an error though another one holds.
	for _, order := range []string{`p(1); p("a");`, `p("a"); p(1);`} {
		_, err := authorizer(t, `allow if p($x), $x > 0;`).Evaluate(token(t, order), nil, nil)
		var e *Error
		if !errors.As(err, &e) || e.Kind != InvalidType || e.Place != InPolicy {
			t.Errorf("%s: %v", order, err)
		}
		// Nor does a false one hide it from check all.
		_, err = authorizer(t, `check all p($x), $x < 0; allow if true;`).Evaluate(token(t, order), nil, nil)
		if !errors.As(err, &e) || e.Kind != InvalidType {
			t.Errorf("%s: %v", order, err)
		}
	}
}

func TestErrorText(t *testing.T) {
	_, err := authorizer(t, `allow if true;`).Evaluate(token(t, `check if true; check if $x == 1`), nil, nil)
	if want := "block 0, check 1: unknown variable: $x"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	for k := none; k <= TooManyIterations; k++ {
		if s := k.String(); s == "" || strings.HasPrefix(s, "error kind") {
			t.Errorf("kind %d has no name", k)
		}
	}
}
