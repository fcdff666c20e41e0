package strictjson_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify/internal/strictjson"
)

func TestMembers(t *testing.T) {
	members, err := strictjson.Members([]byte(` {"a" : [1, {"b":2}], "c":null} `))
	if err != nil || len(members) != 2 || string(members["a"]) != `[1, {"b":2}]` || string(members["c"]) != "null" {
		t.Errorf("%q, %v", members, err)
	}
	for _, bad := range []string{
		"", "null", "[]", `"a"`, "{", `{"a":1`, `{"a":1}}`, `{"a":1} {}`, `{"a" 1}`, `{1:2}`, `{"a":1,}`, `{'a':1}`,
		`{"a":1,"a":1}`, `{"a":1,"\u0061":1}`, `{"a":1,"A":1}`, `{"k":1,"` + "\u212a" + `":1}`,
		"{\"a\":\"\xff\"}", `{"a":NaN}`, `{"a":01}`, "\ufeff{}", "{\x00}", `{/**/}`,
	} {
		if _, err := strictjson.Members([]byte(bad)); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

func TestOneCase(t *testing.T) {
	for text, ok := range map[string]bool{
		`{"a":{"b":1},"b":1}`:         true,
		`{"a":[{"b":1},{"B":1}]}`:     true,
		`{"a":[{"b":1,"B":1}]}`:       false,
		`{"a":1,"A":1}`:               false,
		`{"a":{"s":1,"\u017f":1}}`:    false,
		`[[{"x":{"Yes":1,"yes":1}}]]`: false,
	} {
		value, err := delegation.ParseValue([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := strictjson.OneCase(value); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// FuzzAppend: what is written is read back as the same value, and nothing but printable
// ASCII is written.
func FuzzAppend(f *testing.F) {
	for _, seed := range []string{
		`{"b":1,"a":[null,true,-0,9223372036854775807,1.0,1e2,-0.0,1e300,5e-324]}`,
		`"\u2028\u0085\n\r\u0000\"\\/\ud83d\ude00é"`, `{}`, `[]`, `""`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		value, err := delegation.ParseValue(data)
		if err != nil {
			t.Skip()
		}
		text := strictjson.Append(nil, value)
		if i := strings.IndexFunc(string(text), func(r rune) bool { return r < ' ' || r > '~' }); i >= 0 {
			t.Fatalf("%q has a byte that is no printable ASCII", text)
		}
		again, err := delegation.ParseValue(text)
		if err != nil || !reflect.DeepEqual(again, value) {
			t.Fatalf("%q is read back from %q as %v, %v", data, text, again, err)
		}
		if second := strictjson.Append(nil, again); string(second) != string(text) {
			t.Fatalf("%q is written as %q too", text, second)
		}
	})
}
