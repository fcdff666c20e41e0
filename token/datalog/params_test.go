package datalog

import (
	"strings"
	"testing"
)

func mustKey(s string) Key {
	k, err := ParseKey(s)
	if err != nil {
		panic(err)
	}
	return k
}

func TestParamsStandWhereTermsAndKeysDo(t *testing.T) {
	params := &Params{
		Terms: map[string]Term{
			"s": String(`"); allow if true; //`), "n": Integer(-1), "m::1_": mustMap(MapEntry{String("k"), Null{}}), "key": String("é"),
		},
		Keys: map[string]Key{"key": mustKey(keyA), "other": mustKey(keyB)},
	}
	b, err := ParseBlock(`trusting {key}; f({s}, [{n}, {s}], {{n}}, {{key}: {m::1_}, {n}: {n}});
		check if p({s}), {n} + 1 == 0 trusting {other}, {key};`, params)
	if err != nil {
		t.Fatal(err)
	}
	want := `trusting ` + keyA + `;
f("\"); allow if true; //", [-1, "\"); allow if true; //"], {-1}, {-1: -1, "é": {"k": null}});
check if p("\"); allow if true; //"), -1 + 1 == 0 trusting ` + keyB + `, ` + keyA + `;
`
	if got := b.String(); got != want {
		t.Errorf("prints as\n%s\nwant\n%s", got, want)
	}
	for _, name := range []string{"hex", "trueish", "or", "authority"} {
		src := "{" + name + "}"
		if got, err := ParseTerm(src, &Params{Terms: map[string]Term{name: Integer(1)}}); err != nil || got != Integer(1) {
			t.Errorf("%s: %v, %v", src, got, err)
		}
	}
}

func TestParamErrors(t *testing.T) {
	deep, deepMap, deepSet := Term(Integer(1)), Term(Integer(1)), Term(Integer(1))
	for i := range MaxDepth {
		deep = Array{deep}
		deepMap = Map{{Integer(1), deepMap}}
		if i%2 == 0 {
			deepSet = Array{deepSet}
		} else {
			deepSet = Set{deepSet}
		}
	}
	terms := func(name string, t Term) *Params { return &Params{Terms: map[string]Term{name: t}} }
	key := func(name string, k Key) *Params { return &Params{Keys: map[string]Key{name: k}} }
	for _, c := range []struct {
		src, msg string
		offset   int
		params   *Params
	}{
		{"f({a})", "parameter '{a}' has no term", 2, nil},
		{"f({a})", "parameter '{a}' has no term", 2, key("a", mustKey(keyA))},
		{"f(1)", "the term of parameter '{a}' is not used", 4, terms("a", Null{})},
		{"f(1)", "the key of parameter '{a}' is not used", 4, key("a", mustKey(keyA))},
		{"f({a})", "the key of parameter '{a}' is not used", 6, &Params{
			Terms: map[string]Term{"a": Null{}}, Keys: map[string]Key{"a": mustKey(keyA)}}},
		{`f("{a}")`, "not used", 8, terms("a", Null{})},
		{"f(1) // {a}", "not used", 11, terms("a", Null{})},
		{"f({true})", "not used", 9, terms("true", Null{})},
		{"f({hex:ab})", "not used", 11, terms("hex:ab", Null{})},
		{"f({a})", "no term", 2, terms("a", nil)},
		{"f({a})", "a variable is not a value", 2, terms("a", Variable("x"))},
		{"check if f({a})", "a variable is not a value", 11, terms("a", Variable("x"))},
		{"f({a})", "a variable is not a value", 2, terms("a", Array{Integer(1), Variable("x")})},
		{"f({a})", "not valid UTF-8", 2, terms("a", String("\xff"))},
		{"f({a})", "not valid UTF-8", 2, terms("a", Map{{String("\xff"), Null{}}})},
		{"f({a})", "no term", 2, terms("a", Set{nil})},
		{"f({a})", "set is not ordered", 2, terms("a", Set{Integer(2), Integer(1)})},
		{"f({a})", "set is not ordered", 2, terms("a", Set{Integer(1), Integer(1)})},
		{"f({a})", "same type", 2, terms("a", Set{Integer(1), Null{}})},
		{"f({a})", "map is not ordered", 2, terms("a", Map{{String("a"), Null{}}, {Integer(1), Null{}}})},
		{"f({a})", "twice", 2, terms("a", Map{{Integer(1), Null{}}, {Integer(1), Null{}}})},
		{"f({a})", "map keys must be", 2, terms("a", Map{{Null{}, Null{}}})},
		{"f([{a}])", "nested more than 64 deep", 3, terms("a", deep)},
		{"f([{a}])", "nested more than 64 deep", 3, terms("a", deepMap)},
		{"f([{a}])", "nested more than 64 deep", 3, terms("a", deepSet)},
		{"f({{a}})", "cannot contain other sets", 2, terms("a", Set{})},
		{"f({{a}: 1})", "map keys must be", 2, terms("a", Null{})},
		{"f({{a}: 1, {b}: 2})", "twice", 2, &Params{Terms: map[string]Term{"a": String("x"), "b": String("x")}}},
		{"trusting {a}", "5 bytes, want 32", 9, key("a", Key{Ed25519, "short"})},
		{"trusting {a}", "unknown key algorithm", 9, key("a", Key{Algorithm: 7})},
		{"f({" + strings.Repeat("a", 100) + "})", "parameter '{" + strings.Repeat("a", 39) + "..'", 2, nil},
	} {
		b, err := ParseBlock(c.src, c.params)
		if err == nil {
			t.Errorf("%s: read as %v, want an error", c.src, b)
			continue
		}
		wantError(t, c.src, err, c.offset, c.msg)
	}
	for _, value := range []Term{deep, deepMap, deepSet} {
		if _, err := ParseBlock("f({a})", terms("a", value)); err != nil {
			t.Errorf("a parameter nested as deep as allowed: %v", err)
		}
	}
}
