package interop

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

func sorted(items []string) []string {
	slices.Sort(items)
	return items
}

func firstRune(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return s[:n]
}

func lastRune(s string) string {
	_, n := utf8.DecodeLastRuneInString(s)
	return s[len(s)-n:]
}

// integers returns the literals of n consecutive integers.
func integers(first, n int) []string {
	items := make([]string, n)
	for i := range items {
		items[i] = integer(first + i)
	}
	return items
}

func arrayOf(items []string) string { return "[" + strings.Join(items, ", ") + "]" }

// setOf writes a set. A set of one word, as in {true} or {hex:00}, would be read
// as a parameter.
func setOf(items []string) string {
	if len(items) == 0 {
		return "{,}"
	}
	return "{" + strings.Join(items, ", ") + "}"
}

// choose returns yes or no, as wanted.
func choose[T any](want bool, yes, no T) T {
	if want {
		return yes
	}
	return no
}

func arrayTruths() []truth {
	return []truth{
		func(w *writer, want bool) string { // a set has no order and no duplicates
			return w.equality("{3, 1, 2}", "{3, 1, 2}", want)
		},
		func(w *writer, want bool) string {
			return w.equals("{2, 1, 2}", "{1, 2}", "{1, 2, 3}", want)
		},
		func(w *writer, want bool) string {
			n := w.between(1, 5)
			set := setOf(integers(w.between(-5, 5), n))
			return w.equals(set+".length()", integer(n), integer(n+1), want)
		},
		func(w *writer, want bool) string {
			first := w.between(-5, 5)
			return fmt.Sprintf("%s.contains(%d)", setOf(integers(first, 4)), choose(want, first+3, first+4))
		},
		func(w *writer, want bool) string { // a set contains its subsets
			return fmt.Sprintf("{1, 2, 3}.contains(%s)", choose(want, w.oneOf("{,}", "{2}", "{3, 1}", "{1, 2, 3}"), "{3, 4}"))
		},
		func(w *writer, want bool) string {
			return choose(want, w.oneOf(`{"a", "b"}.contains("b")`, "{true, false}.contains(true)", "{hex:00, hex:02}.contains(hex:00)",
				"{2026-03-01T00:00:00Z}.contains(2026-03-01T00:00:00Z)"), w.oneOf(`{"a", "b"}.contains("c")`, "{1}.contains(false)",
				"{hex:00, hex:02}.contains(hex:01)", "{1}.contains(2)", "{1}.contains(true)"))
		},
		func(w *writer, want bool) string {
			return w.equals("{1, 2, 3}.intersection({2, 3, 4})", "{2, 3}", "{3}", want)
		},
		func(w *writer, want bool) string {
			return w.equals(`{"b", "a"}.union({"c"})`, `{"a", "b", "c"}`, `{"a", "b"}`, want)
		},
		func(w *writer, want bool) string { return w.equals("{1}.intersection({2})", "{,}", "{1}", want) },
		func(w *writer, want bool) string { // order and number count in an array
			return w.equality("[1, 2]", w.oneOf("[1, 2]", "[2, 1]", "[1, 2, 2]"), want)
		},
		func(w *writer, want bool) string {
			n := w.between(0, 5)
			return w.equals(arrayOf(integers(0, n))+".length()", integer(n), integer(n+1), want)
		},
		func(w *writer, want bool) string {
			return fmt.Sprintf(`[1, "a", null, [2], true].contains(%s)`, choose(want, w.oneOf("1", `"a"`, "null", "[2]", "true"), w.oneOf("2", `"b"`, "[1]", "false", "{2}")))
		},
		func(w *writer, want bool) string {
			return fmt.Sprintf("[1, 2, 3].starts_with(%s)", choose(want, w.oneOf("[]", "[1]", "[1, 2]", "[1, 2, 3]"), w.oneOf("[2]", "[1, 2, 3, 4]")))
		},
		func(w *writer, want bool) string {
			return fmt.Sprintf("[1, 2, 3].ends_with(%s)", choose(want, w.oneOf("[]", "[3]", "[2, 3]"), w.oneOf("[2]", "[0, 1, 2, 3]")))
		},
		func(w *writer, want bool) string {
			i := w.between(0, 3)
			return w.equals(fmt.Sprintf("[10, 11, 12, 13].get(%d)", i), integer(10+i), integer(20), want)
		},
		func(w *writer, want bool) string { // out of range is null
			return fmt.Sprintf("[1, 2].get(%s) == %s", w.oneOf("2", "-1", "9223372036854775807"), choose(want, "null", "1"))
		},
		func(w *writer, want bool) string {
			return w.equality(`{"a": 1, 2: [true]}`, w.oneOf(`{"a": 1, 2: [true]}`, `{"a": 1, 2: [false]}`, `{"a": 1}`), want)
		},
		func(w *writer, want bool) string { return w.equals(`{1: "a", "k": 2}`, `{"k": 2, 1: "a"}`, `{}`, want) },
		func(w *writer, want bool) string {
			return w.equals(w.oneOf(`{"a": 1, "b": 2}.length()`, `{1: 1, "1": 1}.length()`), "2", "1", want)
		},
		func(w *writer, want bool) string {
			return fmt.Sprintf(`{"a": 1, 5: 2}.contains(%s)`, choose(want, w.oneOf(`"a"`, "5"), w.oneOf(`"b"`, "1", "true", "null")))
		},
		func(w *writer, want bool) string {
			return w.equals(`{"user": {"id": 7, "roles": ["admin", null]}}.get("user").get("roles").get(0)`, `"admin"`, `"user"`, want)
		},
		func(w *writer, want bool) string {
			return fmt.Sprintf(`{"a": 1, 5: 2}.get(%s) == %s`, w.oneOf(`"x"`, "1"), choose(want, "null", "1"))
		},
	}
}

func closureTruths() []truth {
	return []truth{
		func(w *writer, want bool) string {
			n := w.between(0, 9)
			return fmt.Sprintf("%s.all($p -> $p %s %d)", arrayOf(integers(n, 4)), choose(want, ">=", "<="), n)
		},
		func(w *writer, want bool) string {
			n := w.between(0, 9)
			return fmt.Sprintf("%s.any($p -> $p %s %d)", setOf(integers(n, 4)), choose(want, ">", "<"), n)
		},
		func(w *writer, want bool) string { // nothing to try
			return choose(want, w.oneOf("[]", "{,}", "{}")+".all($p -> $p == 1)", w.oneOf("[]", "{,}", "{}")+".any($p -> $p == 1)")
		},
		func(w *writer, want bool) string {
			return fmt.Sprintf(`{"a", "b", "c"}.any($p -> $p.ends_with(%s))`, choose(want, `"c"`, `"d"`))
		},
		func(w *writer, want bool) string { // pairs of key and value
			return fmt.Sprintf(`{"a": 1, "b": 2}.all($kv -> $kv.get(0).type() == "string" && $kv.get(1) < %d)`, choose(want, 3, 2))
		},
		func(w *writer, want bool) string {
			return fmt.Sprintf(`{1: "x", "k": "y"}.any($kv -> $kv == ["k", %s])`, choose(want, `"y"`, `"x"`))
		},
		func(w *writer, want bool) string { // an inner closure sees the outer parameter
			return fmt.Sprintf("[1, 2, 3].any($p -> {%d, 9}.any($q -> $p * 2 == $q))", choose(want, 6, 5))
		},
		func(w *writer, want bool) string { // decided before the division by zero is reached
			return choose(want, "[2, 0].any($p -> 4 / $p == 2)", "[2, 0].all($p -> 4 / $p == 1)")
		},
		func(w *writer, want bool) string { // sets go upward, whatever the text says
			return choose(want, "{3, 1, 2}.any($p -> 6 / (3 - $p) == 3)", "{3, 1, 2}.all($p -> 6 / (3 - $p) == 6)")
		},
		func(w *writer, want bool) string { // a parameter may come twice, one after the other
			return fmt.Sprintf("[1].any($p -> $p == 1) && [2].any($p -> $p == %d)", choose(want, 2, 3))
		},
		func(w *writer, want bool) string {
			return fmt.Sprintf("[1, 2].all($p -> (8 / ($p - 1) == 8).try_or(%v))", want)
		},
		func(w *writer, want bool) string {
			return fmt.Sprintf("(9223372036854775807 + 1).try_or(%d) == 3", choose(want, 3, 4))
		},
	}
}
