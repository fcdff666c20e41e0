package toolcall_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/whittle-auth/whittle/verify/toolcall"
)

// FuzzCall: a call that is accepted has one spelling, which asks for the same.
func FuzzCall(f *testing.F) {
	for _, seed := range []string{
		`{"name":"pay","arguments":{"amount":5,"rate":1.50,"to":"b\u00f6b\u2028"},"_meta":{"progressToken":1}}`,
		`{"name":"read","arguments":{"path":"/a/b"},"inputResponses":{"q":{"action":"accept","n":1e2}}}`,
		`{"name":"read","arguments":{"path":["/a","/b"]}}`, `{"name":"x","Name":"y"}`, `{"name":"x","arguments":{"a":[{"b":-0}]}}`,
	} {
		f.Add([]byte(seed))
	}
	m := mapping(f, &toolcall.Options{AllowParams: []string{"inputResponses"}, Resources: map[string][]string{"read": {"data{path...}"}}})
	f.Fuzz(func(t *testing.T, params []byte) {
		call, err := toolcall.ParseCall(params)
		if err != nil {
			t.Skip()
		}
		text := call.Params()
		if bytes.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Fatalf("%q is written as %q", params, text)
		}
		again, err := toolcall.ParseCall(text)
		if err != nil {
			t.Fatalf("%q is written as %q: %v", params, text, err)
		}
		if len(call.Meta) == 0 {
			call.Meta, again.Meta = nil, nil // an empty one is left out
		}
		if !reflect.DeepEqual(call, again) || !bytes.Equal(again.Params(), text) {
			t.Fatalf("%q is written as %q, which says something else", params, text)
		}
		one, err := m.Request(call)
		two, err2 := m.Request(again)
		if (err == nil) != (err2 == nil) || !reflect.DeepEqual(one, two) {
			t.Fatalf("%q asks for %+v, %v; as %q for %+v, %v", params, one, err, text, two, err2)
		}
		if err != nil {
			return
		}
		checked, err := one.Check()
		if err != nil {
			t.Fatalf("%q is mapped to what cannot be decided on: %v", params, err)
		}
		if _, err := checked.ActionDigest(); err != nil {
			t.Fatalf("%q has no digest: %v", params, err)
		}
	})
}
