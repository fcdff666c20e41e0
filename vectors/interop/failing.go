package interop

// failure writes an expression without variables whose evaluation fails,
// whatever stands around it.
func (w *writer) failure() string {
	table := failing()
	e := table[w.turn%len(table)]
	w.turn++
	return "(" + e + ")"
}

func failing() []string {
	return []string{
		// overflow
		"9223372036854775807 + 1 == 0",
		"-9223372036854775808 - 1 < 0",
		"4611686018427387904 * 2 != 0",
		"-9223372036854775808 / -1 == 0",
		// division by zero
		"1 / 0 == 0",
		"0 / (3 - 3) == 0",
		// strict equality across types
		`1 === "1"`, "true !== 1", "null === 0", "null !== false", `[1] === {1}`, `{1: 1} !== [1]`,
		// no order
		`"a" < "b"`, "hex:00 >= hex:01", "true > false", "null <= null", "[1] < [2]", "1 < 2026-03-01T00:00:00Z",
		// operators on the wrong types
		"1 + true == 2", `"a" - "a" == ""`, `"a" * 2 == "aa"`, `hex:00 + hex:01 == hex:0001`, "[1] + [2] == [1, 2]",
		"(1 & true) == 1", `("a" | "b") == "a"`, "(null ^ 1) == 1",
		"!1", "!null", "1 && true", `"true" || true`, "null || true",
		// methods on the wrong types
		"1.length() == 1", "null.length() == 0", "true.length() == 1", "(2026-03-01T00:00:00Z).length() == 1",
		"1.contains(1)", `"a".contains(1)`, "{1}.contains(null)", "1.starts_with(1)", `"a".starts_with(hex:61)`, `[1].starts_with(1)`,
		"hex:00.ends_with(hex:00)", "1.matches(\"1\")", `"1".matches(1)`, "[1].intersection([1]) == [1]", "{1}.union([1]) == {1}",
		`"a".get(0) == "a"`, "{1}.get(0) == 1", `[1].get("0") == 1`, "{1: 1}.get(true) == null",
		// closures
		"[1].all($p -> 1)", "{1}.any($p -> null)", "1.all($p -> true)", `"a".any($p -> true)`,
		"[1].any($p -> [2].any($p -> true))", "[0, 1].any($p -> 1 / $p == 1)", "{1, 0}.all($p -> 1 / $p == 1)",
		// fallbacks are evaluated, and not caught
		"true.try_or(1 / 0 == 0)", "(1 / 0 == 0).try_or(1 / 0 == 0)",
		// extern functions
		"1.extern::missing() == 1", "1.extern::missing(2) == 1", `1.extern::test("a") == 1`,
	}
}

// notBoolean lists expressions that are fine in themselves, but decide nothing.
func notBoolean() []string {
	return []string{"1", `"true"`, "null", "[true]", "{true, false}", "true && 1", "false || null", "(1 / 0).try_or(1)", "1 + 1", `"x".type()`}
}
