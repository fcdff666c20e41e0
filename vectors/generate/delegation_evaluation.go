package main

import "math"

// that is `check if condition, condition..`.
func that(conditions ...expr) node { return check(checkIf, query{exprs: conditions}) }

func not(x expr) expr { return apply(unNegate, x) }

// same is ===, which wants both sides of one type.
func same(left, right expr) expr { return infix(binStrictEqual, left, right) }

func list(v ...int64) expr {
	var terms []node
	for _, x := range v {
		terms = append(terms, integer(x))
	}
	return val(array(terms...))
}

func setOf(v ...int64) expr {
	var terms []node
	for _, x := range v {
		terms = append(terms, integer(x))
	}
	return val(set(terms...))
}

func ofType(name string, x expr) expr { return same(apply(unTypeOf, x), text(name)) }
func length(n int64, x expr) expr     { return same(apply(unLength, x), num(n)) }
func within(left, right expr) expr    { return infix(binContains, left, right) }
func matching(s, pattern string) expr { return infix(binRegex, text(s), text(pattern)) }
func matchesNot(s, pattern string) expr {
	return not(matching(s, pattern))
}

// failing is an expression that cannot be evaluated.
var failing = infix(binDiv, num(1), num(0))

// allowedEvaluation are hand-written checks that hold, by the type that they are
// about. No expression of theirs is false and none fails.
func allowedEvaluation() []delegationCase {
	holds := func(name, description string, checks ...node) delegationCase {
		return allowed("evaluate-"+name, description, "V10", mint(wide(checks...)).invoke(ci, usual()))
	}
	nothing := val(null())
	one := val(mapping(pair{str("a"), integer(1)}, pair{integer(7), str("b")}))
	early, late := val(date(0)), val(date(math.MaxUint64))

	return []delegationCase{
		holds("integers", "Integers are exact to 64 bits, division cuts towards zero.", that(
			same(infix(binAdd, num(math.MaxInt64-1), num(1)), num(math.MaxInt64)),
			same(infix(binSub, num(2), num(3)), num(-1)),
			same(infix(binMul, num(-4), num(1<<61)), num(math.MinInt64)),
			same(infix(binDiv, num(7), num(2)), num(3)),
			same(infix(binDiv, num(-7), num(2)), num(-3)),
			same(infix(binBitAnd, num(-1), num(255)), num(255)),
			same(infix(binBitOr, num(6), num(3)), num(7)),
			same(infix(binBitXor, num(6), num(3)), num(5)),
			infix(binLessThan, num(math.MinInt64), num(math.MaxInt64)),
			infix(binLessOrEqual, num(1), num(1)),
			infix(binGreaterThan, num(0), num(-1)),
			infix(binGreaterOrEqual, num(0), num(0)),
			infix(binStrictNotEqual, num(9007199254740993), num(9007199254740992)),
			ofType("integer", num(1)))),
		holds("dates", "Dates are unsigned 64-bit numbers of seconds.", that(
			infix(binLessThan, early, late), infix(binGreaterOrEqual, late, early), infix(binGreaterThan, late, early),
			infix(binLessOrEqual, late, late), same(early, early), infix(binStrictNotEqual, early, late), ofType("date", early))),
		holds("strings", "Strings compare by code points, their length counts bytes of UTF-8.", that(
			infix(binPrefix, text("straße"), text("stra")), infix(binSuffix, text("straße"), text("ße")), infix(binPrefix, text("a"), text("")),
			within(text("straße"), text("aß")), not(within(text("a"), text("ab"))), not(infix(binSuffix, text("a"), text("ba"))),
			same(infix(binAdd, text("a"), text("b")), text("ab")), length(7, text("straße")), length(0, text("")), length(4, text("🗝")),
			infix(binStrictNotEqual, text("é"), text("e\u0301")), ofType("string", text("")))),
		holds("regex", "A regular expression is searched for.", that(
			matching("abc", "b"), matching("abc", "^abc$"), matchesNot("abc", "^b"), matching("ab", "^(?:a|b)+$"), matching("aaa", "^a{2,3}$"),
			matchesNot("aaaa", "^a{2,3}$"), matching("x-9_", "^[a-z]-[0-9]_$"), matching("é", "^.$"), matching("🗝", "^[^a]$"), matchesNot("\n", "."),
			matching("\n", "^[^a]$"), matchesNot("x\ny", "^y"), matchesNot("y\n", "y$"), matching("a.b", `a\.b`), matchesNot("axb", `a\.b`), matching("", "^$"),
			matching("aXb", "a.*?b"), matching("AxB", `^\x41[a-z][^a-z]$`), matching("a-", "^[a-]+$"), matching("b", "a|b|c"), matching("", "()*"),
			matching("aaaa", "^(a{2}){2}$"), matchesNot("b", "a+"), matching("^", `[\^]`), matching("\t", `^\t$`))),
		holds("bytes-bools-null", "Bytes, bools and null have few operators.", that(
			length(2, val(byteArray([]byte{0, 255}))), same(val(byteArray([]byte{1})), val(byteArray([]byte{1}))), ofType("bytes", val(byteArray(nil))),
			not(truth(false)), infix(binEagerAnd, truth(true), truth(true)), infix(binEagerOr, truth(false), truth(true)), ofType("bool", truth(false)),
			same(nothing, nothing), ofType("null", nothing))),
		holds("equality", "== and != take any two values and find those of different types unequal.", that(
			not(infix(binEqual, num(1), text("1"))), infix(binNotEqual, num(0), truth(false)), infix(binNotEqual, nothing, num(0)),
			not(infix(binEqual, list(1), setOf(1))), infix(binNotEqual, early, num(0)), infix(binEqual, list(1, 2), list(1, 2)),
			infix(binStrictNotEqual, list(1, 2), list(2, 1)), not(same(setOf(1), setOf(2))), not(same(val(mapping()), one)))),
		holds("sets", "Sets contain elements and subsets, in whatever order they stand on the wire.", that(
			same(setOf(1, 2), setOf(2, 1)), within(setOf(1, 2), num(2)), not(within(setOf(1, 2), num(3))), not(within(setOf(1), text("1"))),
			within(setOf(1, 2, 3), setOf(3, 1)), within(setOf(1), val(set())), not(within(setOf(1), setOf(1, 2))),
			same(infix(binIntersection, setOf(1, 2), setOf(2, 3)), setOf(2)), same(infix(binUnion, setOf(1, 2), setOf(2, 3)), setOf(1, 2, 3)),
			length(2, setOf(1, 2)), ofType("set", val(set())))),
		holds("arrays", "Arrays keep their order; beyond their ends there is null.", that(
			within(list(1, 2), num(2)), not(within(list(1, 2), list(1))), same(infix(binGet, list(5, 6), num(1)), num(6)),
			same(infix(binGet, list(5), num(1)), nothing), same(infix(binGet, list(5), num(-1)), nothing), same(infix(binGet, list(5), num(math.MinInt64)), nothing),
			infix(binPrefix, list(1, 2, 3), list(1, 2)), infix(binSuffix, list(1, 2, 3), list(2, 3)), infix(binSuffix, list(1), list()),
			not(infix(binPrefix, list(1), list(1, 2))), not(infix(binSuffix, list(1), list(2, 1))), length(3, list(1, 1, 1)), ofType("array", list()))),
		holds("maps", "Maps are asked for keys; a key that is missing gives null.", that(
			within(one, text("a")), within(one, num(7)), not(within(one, num(1))), not(within(one, truth(true))), same(infix(binGet, one, text("a")), num(1)),
			same(infix(binGet, one, num(7)), text("b")), same(infix(binGet, one, text("7")), nothing), length(2, one), ofType("map", val(mapping())))),
		holds("closures", "Closures see the variables around them; of maps they are given key and value.",
			that(
				quantified(binAll, list(), "x", truth(false)), not(quantified(binAny, list(), "x", truth(true))),
				quantified(binAny, list(1, 2), "x", quantified(binAll, list(1, 2), "y", infix(binLessOrEqual, ref("y"), ref("x")))),
				quantified(binAll, setOf(1, 2), "x", infix(binLessThan, ref("x"), num(3))),
				quantified(binAny, one, "p", infix(binEqual, infix(binGet, ref("p"), num(0)), num(7))),
				quantified(binAll, one, "p", length(2, ref("p")))),
			check(checkAll, query{body: []node{pred("operation", variable("o"))}, exprs: []expr{
				quantified(binAny, val(array(str("rotate"))), "x", infix(binEqual, ref("x"), ref("o"))),
			}})),
		holds("lazy", "What the left side decides, or an earlier element, leaves the rest alone, though that would fail.", that(
			lazy(binOr, truth(true), failing), not(lazy(binAnd, truth(false), failing)),
			quantified(binAny, list(1, 0), "x", infix(binEqual, infix(binDiv, num(1), ref("x")), num(1))),
			not(quantified(binAll, setOf(0, 5), "x", infix(binLessThan, infix(binDiv, num(10), infix(binSub, num(5), ref("x"))), num(0)))))),
		holds("try-or", "An error becomes the value given for it.", that(
			tryOr(infix(binEqual, failing, num(1)), truth(true)), same(tryOr(failing, num(3)), num(3)), same(tryOr(num(2), num(3)), num(2)),
			tryOr(same(num(1), text("1")), truth(true)))),
		holds("first-query-decides", "The first query of a check holds; the second would fail.",
			check(checkIf, query{exprs: []expr{truth(true)}}, query{exprs: []expr{infix(binEqual, failing, num(1))}})),
		holds("false-before-error", "An expression is false before one that would fail, in a query beside another.",
			check(checkIf, query{exprs: []expr{truth(false), infix(binEqual, failing, num(1))}}, query{exprs: []expr{truth(true)}})),
		holds("check-all-each", "Each fact that matches satisfies the condition.",
			check(checkAll, query{body: []node{pred("resource", variable("r"))}, exprs: []expr{infix(binPrefix, ref("r"), text("payments"))}})),
		holds("reject-if-none", "Nothing matches what is rejected.",
			check(rejectIf, query{body: []node{pred("operation", variable("o"))}, exprs: []expr{infix(binEqual, ref("o"), text("delete"))}})),
		holds("same-variable", "A variable that stands twice is one value.",
			check(checkIf, query{body: []node{pred("operation", variable("x")), pred("operation", variable("x"))}}),
			check(rejectIf, query{body: []node{pred("operation", variable("x")), pred("resource", variable("x"))}})),
	}
}

// deniedEvaluation are hand-written checks that do not hold or that fail.
func deniedEvaluation() []delegationCase {
	against := func(name, sibling, description, code string, checks ...node) delegationCase {
		return denied("evaluate-"+name, sibling, description, "V10", code, mint(wide(checks...)).invoke(ci, usual()))
	}
	var cases []delegationCase
	for _, c := range []struct {
		name, sibling, description string
		condition                  expr
	}{
		{"add-overflow", "evaluate-integers", "The sum does not fit 64 bits.", infix(binGreaterThan, infix(binAdd, num(math.MaxInt64), num(1)), num(0))},
		{"sub-overflow", "evaluate-integers", "The difference does not fit 64 bits.", infix(binLessThan, infix(binSub, num(math.MinInt64), num(1)), num(0))},
		{"mul-overflow", "evaluate-integers", "The product does not fit 64 bits.", infix(binGreaterThan, infix(binMul, num(1<<62), num(2)), num(0))},
		{"mul-smallest", "evaluate-integers", "The smallest integer times -1 does not fit 64 bits.",
			infix(binGreaterThan, infix(binMul, num(math.MinInt64), num(-1)), num(0))},
		{"div-zero", "evaluate-integers", "Division by zero.", infix(binGreaterThan, failing, num(0))},
		{"div-smallest", "evaluate-integers", "The smallest integer divided by -1 does not fit 64 bits.",
			infix(binGreaterThan, infix(binDiv, num(math.MinInt64), num(-1)), num(0))},
		{"add-types", "evaluate-integers", "An integer plus a string.", infix(binEqual, infix(binAdd, num(1), text("1")), text("11"))},
		{"less-strings", "evaluate-strings", "Strings have no order.", infix(binLessThan, text("a"), text("b"))},
		{"less-date-integer", "evaluate-dates", "A date is no integer.", infix(binLessThan, val(date(1)), num(2))},
		{"add-dates", "evaluate-dates", "Dates cannot be added.", infix(binEqual, infix(binAdd, val(date(1)), val(date(1))), val(date(2)))},
		{"strict-types", "evaluate-equality", "=== of two types fails instead of being false.", not(same(num(1), text("1")))},
		{"strict-not-types", "evaluate-equality", "!== of two types fails instead of being true.", infix(binStrictNotEqual, num(1), text("1"))},
		{"matches-integer", "evaluate-regex", "A regular expression on an integer.", infix(binRegex, num(1), text("1"))},
		{"negate-integer", "evaluate-bytes-bools-null", "The negation of an integer.", not(num(0))},
		{"length-integer", "evaluate-strings", "The length of an integer.", length(1, num(1))},
		{"bit-bools", "evaluate-bytes-bools-null", "A bitwise operator on bools.", infix(binBitAnd, truth(true), truth(true))},
		{"eager-integer", "evaluate-bytes-bools-null", "The eager or of a bool and an integer.", infix(binEagerOr, truth(true), num(1))},
		{"lazy-integer", "evaluate-lazy", "The lazy or of an integer.", lazy(binOr, num(1), truth(true))},
		{"not-a-bool", "evaluate-integers", "An expression that gives no bool.", num(1)},
		{"contains-integer", "evaluate-sets", "An integer contains nothing.", not(within(num(1), num(1)))},
		{"contains-null", "evaluate-sets", "Whether a set contains null.", not(within(setOf(1), val(null())))},
		{"contains-array", "evaluate-sets", "Whether a set contains an array.", not(within(setOf(1), list(1)))},
		{"union-array", "evaluate-sets", "The union of a set and an array.", infix(binEqual, infix(binUnion, setOf(1), list(1)), setOf(1))},
		{"get-set", "evaluate-arrays", "An element of a set by its number.", infix(binEqual, infix(binGet, setOf(1), num(0)), num(1))},
		{"get-string", "evaluate-arrays", "An element of an array by a string.", infix(binEqual, infix(binGet, list(1), text("0")), val(null()))},
		{"prefix-types", "evaluate-arrays", "Whether an array begins with a string.", not(infix(binPrefix, list(1), text("1")))},
		{"all-integer", "evaluate-closures", "All of an integer.", quantified(binAll, num(1), "x", truth(true))},
		{"all-not-a-bool", "evaluate-closures", "A closure that gives no bool.", quantified(binAll, list(1), "x", ref("x"))},
		{"shadow", "evaluate-closures", "A closure whose parameter is in scope already.",
			quantified(binAny, list(1), "x", quantified(binAny, list(1), "x", truth(true)))},
		{"unbound", "evaluate-closures", "A variable that nothing binds.", infix(binEqual, ref("nobody"), num(1))},
		{"out-of-scope", "evaluate-closures", "A closure's parameter outside of it.",
			lazy(binAnd, quantified(binAll, list(1), "x", truth(true)), infix(binEqual, ref("x"), num(1)))},
		{"any-error-first", "evaluate-lazy", "An element fails before the one that would decide.",
			quantified(binAny, list(0, 1), "x", infix(binEqual, infix(binDiv, num(1), ref("x")), num(1)))},
		{"set-ascending", "evaluate-lazy", "In ascending order the element that fails is the first, though it stands last on the wire.",
			quantified(binAny, val(set(integer(1), integer(0))), "x", infix(binEqual, infix(binDiv, num(1), ref("x")), num(1)))},
		{"try-or-fallback", "evaluate-try-or", "The value given for an error fails itself, though nothing else does.", tryOr(truth(true), infix(binEqual, failing, num(1)))},
	} {
		cases = append(cases, against(c.name, c.sibling, c.description, failed, that(c.condition)))
	}

	hundred := make([]int64, 100)
	for i := range hundred {
		hundred[i] = int64(i)
	}
	bothMoves := to("rotate", "payments/from", "payments/to")
	mixed := check(checkIf, query{body: []node{pred("resource", variable("r"))}, exprs: []expr{
		infix(binEqual, infix(binDiv, num(1), infix(binSub, apply(unLength, ref("r")), num(int64(len("payments/from"))))), num(0)),
	}})
	return append(cases,
		denied("evaluate-error-beside-match", "resources-two", "One resource fails the query, the other satisfies it: in no order is that a match.", "V10", failed,
			mint(wide(mixed)).invoke(ci, bothMoves), asked(bothMoves.action), attack("an error that depends on the order of facts")),
		against("error-in-reject-if", "evaluate-reject-if-none", "A query to be rejected fails: that it holds nowhere is not known.", failed,
			check(rejectIf, query{exprs: []expr{infix(binEqual, failing, num(1))}})),
		against("error-in-second-query", "evaluate-first-query-decides", "The first query does not hold, the second fails.", failed,
			check(checkIf, query{exprs: []expr{truth(false)}}, query{exprs: []expr{infix(binEqual, failing, num(1))}})),
		against("error-in-hop", "evaluate-integers", "A check of block 0 is false and a later one fails: the error is reported.", failed,
			that(truth(false)), that(infix(binEqual, failing, num(1)))),
		against("check-all-without-match", "evaluate-check-all-each", "A check all of a fact that nobody states.", checkFailed,
			check(checkAll, query{body: []node{pred("nobody", variable("x"))}})),
		denied("evaluate-check-all-one-other", "resources-two", "One of two facts that match does not satisfy the condition.", "V10", checkFailed,
			mint(wide(check(checkAll, query{body: []node{pred("resource", variable("r"))}, exprs: []expr{infix(binEqual, ref("r"), text("payments/from"))}}))).
				invoke(ci, bothMoves), asked(bothMoves.action)),
		against("check-all-false", "evaluate-check-all-each", "A check all without predicates whose condition is false.", checkFailed, check(checkAll, query{exprs: []expr{truth(false)}})),
		against("reject-if-second", "evaluate-reject-if-none", "The second of two queries to be rejected holds.", checkFailed,
			check(rejectIf, query{exprs: []expr{truth(false)}}, query{exprs: []expr{truth(true)}})),
		against("same-variable-other", "evaluate-same-variable", "No value is operation and resource at once.", checkFailed,
			check(checkIf, query{body: []node{pred("operation", variable("x")), pred("resource", variable("x"))}})),
		against("other-number-of-terms", "evaluate-same-variable", "A fact of another number of terms is another fact.", checkFailed,
			check(checkIf, query{body: []node{pred("operation", variable("x"), variable("y"))}})),
		against("steps", "evaluate-closures", "A million closures within closures: more than a verifier has the patience for.", overLimit, that(
			quantified(binAll, list(hundred...), "x", quantified(binAll, list(hundred...), "y", quantified(binAll, list(hundred...), "z", truth(true)))))),
		against("steps-tried", "evaluate-try-or", "The end of patience is no error that try_or catches.", overLimit, that(
			tryOr(quantified(binAll, list(hundred...), "x", quantified(binAll, list(hundred...), "y", quantified(binAll, list(hundred...), "z", truth(true)))), truth(true)))),
	)
}
