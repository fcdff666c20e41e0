package interop

import (
	"fmt"
	"strings"
	"time"
)

// A truth writes an expression without variables whose value is want and whose
// evaluation cannot fail. Knowing the value is what lets a program hold many
// expressions and still be allowed.
type truth func(w *writer, want bool) string

// truth writes an expression of known value, from every line of the tables in
// turn, sometimes inside others.
func (w *writer) truth(want bool) string {
	tables := [][]truth{integerTruths(), textTruths(), valueTruths(), arrayTruths(), closureTruths()}
	table := tables[w.turn%len(tables)]
	e := table[w.turn/len(tables)%len(table)](w, want)
	w.turn++
	if w.IntN(3) == 0 {
		e = w.nested(e, want)
	}
	return e
}

// nested puts an expression of known value into a larger one of the same value.
func (w *writer) nested(e string, want bool) string {
	switch w.IntN(7) {
	case 0:
		return fmt.Sprintf("(%s) && true", e)
	case 1:
		return fmt.Sprintf("false || (%s)", e)
	case 2:
		return fmt.Sprintf("!(!(%s))", e)
	case 3:
		return fmt.Sprintf("(%s).try_or(%v)", e, !want)
	case 4:
		return fmt.Sprintf("[0].any($outer -> %s)", e)
	case 5:
		return fmt.Sprintf("{7}.all($outer -> (%s) && $outer == 7)", e)
	}
	return fmt.Sprintf("(%s) == true", e)
}

// equality writes a comparison for equality of two literals of one type, which
// are equal just when their texts are.
func (w *writer) equality(a, b string, want bool) string {
	switch same := a == b; {
	case same == want:
		return a + w.oneOf(" == ", " === ") + b
	default:
		return a + w.oneOf(" != ", " !== ") + b
	}
}

// order writes a comparison of literal(i) and literal(j) for any i and j, where
// the literals are in the order of their numbers.
func (w *writer) order(want bool, literal func(int) string) string {
	i, j := w.between(-30, 30), w.between(-30, 30)
	if w.IntN(4) == 0 {
		j = i
	}
	var fitting []string
	for op, value := range map[string]bool{
		"<": i < j, "<=": i <= j, ">": i > j, ">=": i >= j,
		"==": i == j, "===": i == j, "!=": i != j, "!==": i != j,
	} {
		if value == want {
			fitting = append(fitting, op)
		}
	}
	return fmt.Sprintf("%s %s %s", literal(i), w.oneOf(sorted(fitting)...), literal(j))
}

// equals writes a comparison of e, whose value is written value, with value or,
// to be false, with other.
func (w *writer) equals(e, value, other string, want bool) string {
	if !want {
		value = other
	}
	return e + w.oneOf(" == ", " === ") + value
}

func integer(i int) string { return fmt.Sprint(i) }

// date returns a moment i hours from a fixed one, sometimes with an offset.
func date(i int) string {
	t := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Hour)
	if i%3 == 0 {
		t = t.In(time.FixedZone("", 5400))
	}
	return t.Format(time.RFC3339)
}

func integerTruths() []truth {
	// calculation writes e == its value.
	calculation := func(e string, value int) truth {
		return func(w *writer, want bool) string {
			return w.equals(e, integer(value), integer(value+1), want)
		}
	}
	return []truth{
		func(w *writer, want bool) string { return w.order(want, integer) },
		func(w *writer, want bool) string {
			a, b := w.between(-99, 99), w.between(-99, 99)
			return calculation(fmt.Sprintf("%d + %d", a, b), a+b)(w, want)
		},
		func(w *writer, want bool) string {
			a, b, c := w.between(-99, 99), w.between(-99, 99), w.between(0, 9)
			return calculation(fmt.Sprintf("%d - %d - %d", a, b, c), a-b-c)(w, want)
		},
		func(w *writer, want bool) string {
			a, b, c := w.between(0, 99), w.between(-99, 99), w.between(-9, 9)
			return calculation(fmt.Sprintf("%d + %d * %d", a, b, c), a+b*c)(w, want)
		},
		func(w *writer, want bool) string {
			a, b, c := w.between(-99, 99), w.between(-99, 99), w.between(-9, 9)
			return calculation(fmt.Sprintf("(%d + %d) * %d", a, b, c), (a+b)*c)(w, want)
		},
		func(w *writer, want bool) string { // towards zero, whatever the signs
			a, b := w.between(-99, 99), w.between(1, 9)
			if w.coin() {
				b = -b
			}
			return calculation(fmt.Sprintf("%d / %d", a, b), a/b)(w, want)
		},
		func(w *writer, want bool) string {
			a, b := w.between(-9, 99), w.between(0, 99)
			return calculation(fmt.Sprintf("(%d & %d)", a, b), a&b)(w, want)
		},
		func(w *writer, want bool) string {
			a, b := w.between(-9, 99), w.between(0, 99)
			return calculation(fmt.Sprintf("(%d | %d)", a, b), a|b)(w, want)
		},
		func(w *writer, want bool) string {
			a, b := w.between(-9, 99), w.between(0, 99)
			return calculation(fmt.Sprintf("(%d ^ %d)", a, b), a^b)(w, want)
		},
		func(w *writer, want bool) string { // & binds before |, and | before ^
			a, b, c, d := w.between(0, 15), w.between(0, 15), w.between(0, 15), w.between(0, 15)
			return calculation(fmt.Sprintf("%d ^ %d | %d & %d", a, b, c, d), a^(b|(c&d)))(w, want)
		},
		func(w *writer, want bool) string {
			return w.equals("9223372036854775806 + 1", "9223372036854775807", "-9223372036854775808", want)
		},
		func(w *writer, want bool) string {
			return w.equals("-9223372036854775807 - 1", "-9223372036854775808", "0", want)
		},
	}
}

func textTruths() []truth {
	words := []string{"file1", "a b c", "élan", "日本語", "x", "read", "Ünï cödé", "🙂 ok"}
	word := func(w *writer) string { return words[w.IntN(len(words))] }
	method := func(name string, hold func(string) (yes, no string)) truth {
		return func(w *writer, want bool) string {
			s := word(w)
			yes, no := hold(s)
			if !want {
				yes = no
			}
			return fmt.Sprintf("%s.%s(%s)", quoted(s), name, quoted(yes))
		}
	}
	return []truth{
		func(w *writer, want bool) string { return w.equality(quoted(word(w)), quoted(word(w)), want) },
		func(w *writer, want bool) string { // found anew among the symbols, or made
			a, b := word(w), word(w)
			return w.equals(quoted(a)+" + "+quoted(b), quoted(a+b), quoted(b+a+"-"), want)
		},
		func(w *writer, want bool) string { // bytes, not characters
			s := word(w)
			return w.equals(quoted(s)+".length()", integer(len(s)), integer(len(s)+1), want)
		},
		method("starts_with", func(s string) (string, string) { return firstRune(s), s + "." }),
		method("ends_with", func(s string) (string, string) { return lastRune(s), "." + s }),
		method("contains", func(s string) (string, string) { return lastRune(s), "zz" }),
		method("contains", func(s string) (string, string) { return "", s + s }),
		method("matches", func(s string) (string, string) { return "^" + firstRune(s), "^q" }),
		method("matches", func(s string) (string, string) { return lastRune(s) + "$", lastRune(s) + "[0-9]{40}" }),
		method("matches", func(s string) (string, string) { return "^(nothing|.*)$", "(" }), // no regular expression is false
		func(w *writer, want bool) string {
			n := w.between(0, 999)
			pattern := "^file[0-9]{1,3}[.](txt|md)$"
			if !want {
				pattern = "^file[0-9]{4}"
			}
			return fmt.Sprintf("%s.matches(%s)", quoted(fmt.Sprintf("file%d.txt", n)), quoted(pattern))
		},
	}
}

func valueTruths() []truth {
	return []truth{
		func(w *writer, want bool) string { return w.order(want, date) },
		func(w *writer, want bool) string {
			return w.equals("2026-03-01T02:00:00.75+02:00", "2026-03-01T00:00:00Z", "2026-03-01T00:00:01Z", want)
		},
		func(w *writer, want bool) string {
			return w.equality(w.oneOf("hex:00", "hex:0001", "hex:ff"), w.oneOf("hex:00", "hex:0001", "hex:ff"), want)
		},
		func(w *writer, want bool) string {
			return w.equals("hex:aBcD", w.oneOf("hex:abcd", "hex:ABCD"), "hex:abce", want)
		},
		func(w *writer, want bool) string {
			n := w.between(1, 9)
			return w.equals("hex:"+strings.Repeat("a0", n)+".length()", integer(n), integer(n+1), want)
		},
		func(w *writer, want bool) string {
			return w.equality(w.oneOf("true", "false"), w.oneOf("true", "false"), want)
		},
		func(w *writer, want bool) string { return fmt.Sprintf("!%v", !want) },
		func(w *writer, want bool) string { return w.equality("null", "null", want) },
		func(w *writer, want bool) string { // equality between types
			a := w.oneOf("null", "1", `"1"`, "true", "hex:01", "2026-03-01T00:00:00Z")
			b := w.oneOf("[1]", "{1}", "{1: 1}", "{,}", "{}", "[]")
			return a + map[bool]string{true: " != ", false: " == "}[want] + b
		},
		func(w *writer, want bool) string {
			types := [][2]string{
				{"1", "integer"}, {`"x"`, "string"}, {"(2026-03-01T00:00:00Z)", "date"}, {"hex:00", "bytes"}, {"true", "bool"},
				{"null", "null"}, {"{1}", "set"}, {"{,}", "set"}, {"[1]", "array"}, {"{}", "map"}, {`{"k": 1}`, "map"},
			}
			t := types[w.IntN(len(types))]
			return w.equals(t[0]+".type()", quoted(t[1]), quoted("variable"), want)
		},
		func(w *writer, want bool) string { // the other side is never looked at
			if want {
				return "true || " + w.failure()
			}
			return "false && " + w.failure()
		},
		func(w *writer, want bool) string { return fmt.Sprintf("(%s).try_or(%v)", w.failure(), want) },
		func(w *writer, want bool) string { // the fallback does not come to bear
			return fmt.Sprintf("%s.try_or(0) == %d", "5", map[bool]int{true: 5, false: 0}[want])
		},
		func(w *writer, want bool) string { // conjunction binds before disjunction
			if want {
				return "true || false && false"
			}
			return "false && true || false"
		},
		func(w *writer, want bool) string {
			return w.equals(`"a".extern::test("a")`, `"equal strings"`, `"different strings"`, want)
		},
		func(w *writer, want bool) string { return fmt.Sprintf("%v.extern::test()", want) },
	}
}
