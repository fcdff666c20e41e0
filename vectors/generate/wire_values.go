package main

import "math"

// acceptedTerms has one vector for each type of term and its edges.
func acceptedTerms() []wireCase {
	var all []wireCase
	for _, c := range []struct {
		name, text string
		term       node
	}{
		{"integer-zero", "0", integer(0)},
		{"integer-negative", "-1", integer(-1)},
		{"integer-smallest", "-9223372036854775808", integer(math.MinInt64)},
		{"integer-largest", "9223372036854775807", integer(math.MaxInt64)},
		{"string", `"file1"`, str("file1")},
		{"string-empty", `""`, str("")},
		{"string-unicode", `"räume/会議室/🗝"`, str("räume/会議室/🗝")},
		{"string-default-first", `"read"`, str("read")},
		{"string-default-last", `"query"`, str("query")},
		{"date-zero", "1970-01-01T00:00:00Z", date(0)},
		{"date", "2026-03-01T12:00:00Z", date(1772366400)},
		{"date-leap-day", "2024-02-29T23:59:59Z", date(1709251199)},
		{"bytes", "hex:00ff10", byteArray([]byte{0, 255, 16})},
		{"bytes-empty", "hex:", byteArray(nil)},
		{"bool-true", "true", boolean(true)},
		{"bool-false", "false", boolean(false)},
		{"null", "null", null()},
		{"set-integers", "{1, 2, 3}", set(integer(1), integer(2), integer(3))},
		{"set-strings", `{"a", "b"}`, set(str("a"), str("b"))},
		{"set-bools", "{false, true}", set(boolean(false), boolean(true))},
		{"set-bytes", "{hex:01, hex:02}", set(byteArray([]byte{1}), byteArray([]byte{2}))},
		{"set-dates", "{1970-01-01T00:00:00Z, 1970-01-01T00:00:01Z}", set(date(0), date(1))},
		{"set-null", "{null}", func(t *table) []byte { return set(null())(t) }},
		{"set-empty", "{,}", set()},
		{"array", `[1, "a", true, null]`, array(integer(1), str("a"), boolean(true), null())},
		{"array-empty", "[]", array()},
		{"array-nested", "[[1], [[2]], {1, 2}]",
			array(array(integer(1)), array(array(integer(2))), set(integer(1), integer(2)))},
		{"array-repeats", "[1, 1]", array(integer(1), integer(1))},
		{"map-strings", `{"a": 1, "b": hex:02}`, mapping(pair{str("a"), integer(1)}, pair{str("b"), byteArray([]byte{2})})},
		{"map-integers", `{-1: "x", 2: "y"}`, mapping(pair{integer(-1), str("x")}, pair{integer(2), str("y")})},
		{"map-mixed-keys", `{1: "x", "1": "y"}`, mapping(pair{integer(1), str("x")}, pair{str("1"), str("y")})},
		{"map-empty", "{}", mapping()},
		{"map-nested", `{"a": {"b": [1]}}`, mapping(pair{str("a"), mapping(pair{str("b"), array(integer(1))})})},
	} {
		all = append(all, accepted("term-"+c.name, "A fact with one term: "+c.name+".", "V1", edRoot,
			oneBlock(factBlock(c.term)), "v("+c.text+");\n"))
	}
	return append(all,
		accepted("term-array-depth-8", "Arrays nested 8 deep.", "V1", edRoot,
			oneBlock(factBlock(nestedArrays(8))), "v([[[[[[[[]]]]]]]]);\n"),
		accepted("fact-no-terms", "A fact without terms, which the text form of the reference cannot spell but the wire can.", "V1",
			edRoot, oneBlock(factBlock()), "v();\n"),
		accepted("fact-many-terms", "A fact with several terms of different types.", "V1", edRoot,
			oneBlock(factBlock(integer(1), str("a"), boolean(true))), "v(1, \"a\", true);\n"),
	)
}

// nestedArrays is an empty array inside depth-1 others.
func nestedArrays(depth int) node {
	n := array()
	for range depth - 1 {
		n = array(n)
	}
	return n
}

// Constants and variables as expressions.
func num(v int64) expr   { return val(integer(v)) }
func text(v string) expr { return val(str(v)) }
func truth(v bool) expr  { return val(boolean(v)) }
func ref(n string) expr  { return val(variable(n)) }

// acceptedExpressions has one vector for each operator.
func acceptedExpressions() []wireCase {
	ints := func(v ...int64) expr {
		var terms []node
		for _, x := range v {
			terms = append(terms, integer(x))
		}
		return val(set(terms...))
	}
	list := val(array(integer(1), integer(2)))
	var all []wireCase
	for _, c := range []struct {
		name, text string
		e          expr
	}{
		{"negate", "!false", apply(unNegate, truth(false))},
		{"parens", "(1 + 2) * 3 === 9", infix(binStrictEqual, infix(binMul, apply(unParens, infix(binAdd, num(1), num(2))), num(3)), num(9))},
		{"length", `"abc".length() === 3`, infix(binStrictEqual, apply(unLength, text("abc")), num(3))},
		{"type", `1.type() == "integer"`, infix(binEqual, apply(unTypeOf, num(1)), text("integer"))},
		{"extern-unary", `1.extern::test()`, join(num(1), expr{externOp(2, unExtern, "test")})},
		{"less-than", "1 < 2", infix(binLessThan, num(1), num(2))},
		{"greater-than", "2 > 1", infix(binGreaterThan, num(2), num(1))},
		{"less-or-equal", "1 <= 2", infix(binLessOrEqual, num(1), num(2))},
		{"greater-or-equal", "2 >= 1", infix(binGreaterOrEqual, num(2), num(1))},
		{"strict-equal", "1 === 1", infix(binStrictEqual, num(1), num(1))},
		{"strict-not-equal", "1 !== 2", infix(binStrictNotEqual, num(1), num(2))},
		{"equal", "1 == 1", infix(binEqual, num(1), num(1))},
		{"not-equal", "1 != true", infix(binNotEqual, num(1), truth(true))},
		{"contains", "{1, 2}.contains(1)", infix(binContains, ints(1, 2), num(1))},
		{"starts-with", `"abc".starts_with("a")`, infix(binPrefix, text("abc"), text("a"))},
		{"ends-with", `"abc".ends_with("c")`, infix(binSuffix, text("abc"), text("c"))},
		{"matches", `"abc".matches("^a.c$")`, infix(binRegex, text("abc"), text("^a.c$"))},
		{"add", "1 + 2 === 3", infix(binStrictEqual, infix(binAdd, num(1), num(2)), num(3))},
		{"sub", "1 - 2 === -1", infix(binStrictEqual, infix(binSub, num(1), num(2)), num(-1))},
		{"mul", "2 * 3 === 6", infix(binStrictEqual, infix(binMul, num(2), num(3)), num(6))},
		{"div", "6 / 3 === 2", infix(binStrictEqual, infix(binDiv, num(6), num(3)), num(2))},
		{"intersection", "{1, 2}.intersection({2, 3}) === {2}", infix(binStrictEqual, infix(binIntersection, ints(1, 2), ints(2, 3)), ints(2))},
		{"union", "{1}.union({2}) === {1, 2}", infix(binStrictEqual, infix(binUnion, ints(1), ints(2)), ints(1, 2))},
		{"bit-and", "6 & 3 === 2", infix(binStrictEqual, infix(binBitAnd, num(6), num(3)), num(2))},
		{"bit-or", "6 | 3 === 7", infix(binStrictEqual, infix(binBitOr, num(6), num(3)), num(7))},
		{"bit-xor", "6 ^ 3 === 5", infix(binStrictEqual, infix(binBitXor, num(6), num(3)), num(5))},
		{"and", "true && false", lazy(binAnd, truth(true), truth(false))},
		{"or", "true || false", lazy(binOr, truth(true), truth(false))},
		{"or-chain", "false || false || true", lazy(binOr, lazy(binOr, truth(false), truth(false)), truth(true))},
		{"all", "[1, 2].all($x -> $x > 0)", quantified(binAll, list, "x", infix(binGreaterThan, ref("x"), num(0)))},
		{"any", "[1, 2].any($x -> $x > 1)", quantified(binAny, list, "x", infix(binGreaterThan, ref("x"), num(1)))},
		{"any-nested", "[1, 2].any($x -> [1, 2].all($y -> $y <= $x))", quantified(binAny, list, "x",
			quantified(binAll, list, "y", infix(binLessOrEqual, ref("y"), ref("x"))))},
		{"get", "[1, 2].get(0) == 1", infix(binEqual, infix(binGet, list, num(0)), num(1))},
		{"extern-binary", "1.extern::test(2)", join(num(1), num(2), expr{externOp(3, binExtern, "test")})},
		{"try-or", "(true === 12).try_or(true)", tryOr(apply(unParens, infix(binStrictEqual, truth(true), num(12))), truth(true))},
	} {
		all = append(all, accepted("expression-"+c.name, "A check of one expression: "+c.name+".", "V1", edRoot,
			oneBlock(exprBlock(c.e)), "check if "+c.text+";\n"))
	}
	return append(all,
		accepted("expression-eager-and", "The eager form of and, which has no spelling in the language: the text is not compared.", "V1",
			edRoot, oneBlock(exprBlock(infix(binEagerAnd, truth(true), truth(true))))),
		accepted("expression-eager-or", "The eager form of or, which has no spelling in the language: the text is not compared.", "V1",
			edRoot, oneBlock(exprBlock(infix(binEagerOr, truth(true), truth(false))))),
	)
}
