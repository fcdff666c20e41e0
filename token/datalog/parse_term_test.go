package datalog

import (
	"math"
	"strings"
	"testing"
)

func mustSet(elems ...Term) Set {
	s, err := NewSet(elems...)
	if err != nil {
		panic(err)
	}
	return s
}

func mustMap(entries ...MapEntry) Map {
	m, err := NewMap(entries...)
	if err != nil {
		panic(err)
	}
	return m
}

func TestTerms(t *testing.T) {
	for _, c := range []struct {
		src     string
		want    Term
		printed string // "" when it is src
	}{
		{"$x", Variable("x"), ""},
		{"$0", Variable("0"), ""},
		{"$a::b_1", Variable("a::b_1"), ""},
		{"$éλ", Variable("éλ"), ""},
		{"0", Integer(0), ""},
		{"-0", Integer(0), "0"},
		{"007", Integer(7), "7"},
		{"9223372036854775807", Integer(math.MaxInt64), ""},
		{"-9223372036854775808", Integer(math.MinInt64), ""},
		{`""`, String(""), ""},
		{`"a\\b\"c\nd"`, String("a\\b\"c\nd"), ""},
		{"\"line\nbreak\ttab\x00é😁\"", String("line\nbreak\ttab\x00é😁"), "\"line\\nbreak\ttab\x00é😁\""},
		{`"// no comment /* "`, String("// no comment /* "), ""},
		{"hex:", Bytes(""), ""},
		{"hex:00ffAB", Bytes("\x00\xff\xab"), "hex:00ffab"},
		{"true", Bool(true), ""},
		{"false", Bool(false), ""},
		{"null", Null{}, ""},
		{"[]", Array{}, ""},
		{"[ ]", Array{}, "[]"},
		{`[1, "a", [null], {}, {,}]`, Array{Integer(1), String("a"), Array{Null{}}, Map{}, Set{}}, ""},
		{"{}", Map{}, ""},
		{"{ }", Map{}, "{}"},
		{"{,}", Set{}, ""},
		{"{ , }", Set{}, "{,}"},
		{"{true}", mustSet(Bool(true)), ""},
		{"{null}", mustSet(Null{}), ""},
		{"{hex:ab}", mustSet(Bytes("\xab")), ""},
		{"{3,1,2,1}", mustSet(Integer(1), Integer(2), Integer(3)), "{1, 2, 3}"},
		{"{true, false}", mustSet(Bool(false), Bool(true)), "{false, true}"},
		{"{[2], [1]}", mustSet(Array{Integer(1)}, Array{Integer(2)}), "{[1], [2]}"},
		{`{{"a": 1}, {}}`, mustSet(Map{}, mustMap(MapEntry{String("a"), Integer(1)})), `{{}, {"a": 1}}`},
		{`{"b":1,1:{2},"a" : null}`, mustMap(
			MapEntry{Integer(1), mustSet(Integer(2))},
			MapEntry{String("a"), Null{}},
			MapEntry{String("b"), Integer(1)}), `{1: {2}, "a": null, "b": 1}`},
		{"{1:true}", mustMap(MapEntry{Integer(1), Bool(true)}), "{1: true}"},
		{"{-1:2}", mustMap(MapEntry{Integer(-1), Integer(2)}), "{-1: 2}"},
		{" /* a */ 1 // b", Integer(1), "1"},
		{"1;", Integer(1), "1"},
	} {
		got, err := ParseTerm(c.src, nil)
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
			continue
		}
		if !Equal(got, c.want) {
			t.Errorf("%s: read as %v, want %v", c.src, got, c.want)
		}
		if c.printed == "" {
			c.printed = c.src
		}
		if printed := string(appendTerm(nil, got)); printed != c.printed {
			t.Errorf("%s: printed as %s, want %s", c.src, printed, c.printed)
		}
	}
}

func TestTermErrors(t *testing.T) {
	for _, c := range []struct {
		src, msg string
		offset   int
	}{
		{"9223372036854775808", "does not fit in 64 bits", 0},
		{"-9223372036854775809", "does not fit in 64 bits", 0},
		{"1_000", "unexpected '_000' after an integer", 1},
		{"١", "expected a term", 0},
		{`"abc`, "string is not closed", 0},
		{`"abc\"`, "string is not closed", 0},
		{`"a\tb"`, "unknown escape", 2},
		{`"\`, "unknown escape", 1},
		{"hex:a", "even number", 0},
		{"hex:zz", "even number", 0},
		{"hex:éé", "even number", 0},
		{"[1", "',' or ']'", 2},
		{"[1,]", "expected a term, found ']'", 3},
		{"[1 2]", "',' or ']', found '2'", 3},
		{"{,1}", "'}' to end the empty set", 2},
		{"{1,}", "expected a term, found '}'", 3},
		{"{1, \"a\"}", "same type", 0},
		{"{{1}}", "cannot contain other sets", 0},
		{"{{,}}", "cannot contain other sets", 0},
		{"{1: 2, 1: 3}", "a map key appears twice", 0},
		{`{"a": 1, "a": 1}`, "a map key appears twice", 0},
		{"{true: 1}", "expected a term, found 'true:'", 1},
		{"{null : 1}", "map keys must be", 0},
		{"{1: 2, 3}", "':' after the key", 8},
		{"{1, 2: 3}", "',' or '}'", 5},
		{"{name}", "parameter '{name}' has no term", 0},
		{"{ name}", "expected a term, found 'name'", 2},
		{"{name }", "expected a term, found 'name'", 1},
		{"{1name}", "unexpected 'name' after an integer", 2},
		{strings.Repeat("é", 30), "found '" + strings.Repeat("é", 20) + "..'", 0},
		{strings.Repeat("a", 39) + "é", "found '" + strings.Repeat("a", 39) + "..'", 0},
		{"1 2", "expected ';', found '2'", 2},
		{"1;;", "expected the end of the input, found ';'", 2},
		{"1; 2", "expected the end of the input, found '2'", 3},
	} {
		got, err := ParseTerm(c.src, nil)
		if err == nil {
			t.Errorf("%s: read as %v, want an error", c.src, got)
			continue
		}
		wantError(t, c.src, err, c.offset, c.msg)
		if got != nil {
			t.Errorf("%s: a term beside the error", c.src)
		}
	}
}
