package httpauth_test

import (
	"net/url"
	"reflect"
	"testing"

	"github.com/whittle-auth/whittle/verify/httpauth"
)

// TestQueryWithoutRoutes: every parameter is an argument, once, in a spelling that all
// readers read alike.
func TestQueryWithoutRoutes(t *testing.T) {
	for query, want := range map[string]map[string]any{
		"": {}, "a=1": {"a": "1"}, "a=": {"a": ""}, "a=1&b=x+y%20z%2B": {"a": "1", "b": "x y z+"}, "a-b_C=1": {"a-b_C": "1"}, "a=caf%C3%A9%0A": {"a": "café\n"},
		// What the encoders of Go and Python, of the forms of browsers, and of JavaScript make
		// of the same text, and what people write by hand.
		"a=%7E%21%2A%27%28%29%2F%3A%40%2C%24%3F": {"a": "~!*'()/:@,$?"}, "a=~!*'()/:@,$?": {"a": "~!*'()/:@,$?"},
		"a=%3D%26%23%3B%5B%5D%25": {"a": "=&#;[]%"},
		// Readers that split differently.
		"a=1#": nil, "a=1#&b=2": nil, "a=1;b=2": nil, "a=1=2": nil, "a": nil, "&&": nil, "a=1&": nil, "&a=1": nil, "a=1?b": {"a": "1?b"},
		// Readers of names that see others.
		"[a]=1": nil, "a[]=1": nil, "%5Ba%5D=1": nil, "a%5Bb=1": nil, "a.b=1": nil, "a+b=1": nil, "a%20b=1": nil, "%2Fa=1": nil, "=1": nil, "caf%C3%A9=1": nil,
		// Other spellings.
		"%61=1": nil, "a=%31": nil, "a=%5F": nil, "a=%2f": nil, "a=%": nil, "a=%2": nil, "a=%zz": nil, "a=%0": nil, "a=é": nil, "a=\x01": nil, "a=\x7f": nil,
		"a=[1]": nil, "a=\"1\"": nil, "a=|": nil, "a=\\": nil, "a={1}": nil, "a=^": nil, "a=`": nil, "a=<1>": nil,
		"a=%00": nil, "a=%FF": nil, "a=e%CC%81": nil,
		// Twice.
		"a=1&a=1": nil, "a=1&%61=2": nil, "a=1&A=1": nil, "kind=1&KIND=2": nil,
	} {
		req, err := mapped(t, nil, "GET /a?"+query+" HTTP/1.1", "")
		if want == nil && err == nil || want != nil && (err != nil || !reflect.DeepEqual(req.Args, want)) {
			t.Errorf("%s: %v %v, want %v", query, req, err, want)
		}
	}
}

// TestQueryOfRoutes: a route that names a parameter means exactly that name, whatever is
// in it.
func TestQueryOfRoutes(t *testing.T) {
	m := mapping(t, httpauth.Route{Pattern: "GET /a", Query: []string{"ids[]", "$top", "force"}})
	for query, want := range map[string]map[string]any{
		"ids%5B%5D=1&$top=2&force=3": {"ids[]": "1", "$top": "2", "force": "3"}, "%24top=2": {"$top": "2"},
		"ids[]=1": nil, "[force]=1": nil, "%5Bforce%5D=1": nil, "Force=1": nil, "force=1&FORCE=2": nil, "force": nil,
	} {
		req, err := mapped(t, m, "GET /a?"+query+" HTTP/1.1", "")
		if want == nil && err == nil || want != nil && (err != nil || !reflect.DeepEqual(req.Args, want)) {
			t.Errorf("%s: %v %v, want %v", query, req, err, want)
		}
	}
}

// FuzzQuery: what is accepted is what others read, and what Go's encoder makes of it is
// accepted too, as the same.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"a=1&b=x+y%20z", "a=1#&b=2", "a=%2B~!*'()", "[a]=1", "a=%zz", "a=1;b", "a=/:@,$?"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		request := func(raw string) map[string]any {
			r, err := read(t, "GET /a HTTP/1.1", "")
			if err != nil {
				t.Fatal(err)
			}
			r.URL.RawQuery = raw
			req, err := httpauth.RequestOf(nil, r, nil)
			if err != nil {
				return nil
			}
			return req.Args
		}
		args := request(raw)
		if len(args) == 0 {
			return
		}
		u, err := url.ParseRequestURI("/a?" + raw)
		if err != nil || u.RawQuery != raw {
			t.Fatalf("%q: %v %v", raw, u, err)
		}
		if whole, err := url.Parse("/a?" + raw); err != nil || whole.RawQuery != raw {
			t.Fatalf("%q is not the whole query to all readers", raw)
		}
		values := u.Query()
		if len(values) != len(args) {
			t.Fatalf("%q: %v and %v", raw, args, values)
		}
		for name, value := range args {
			if list := values[name]; len(list) != 1 || list[0] != value {
				t.Fatalf("%q: %v and %v", raw, args, values)
			}
		}
		if again := request(values.Encode()); !reflect.DeepEqual(again, args) {
			t.Fatalf("%q: %v, encoded %v", raw, args, again)
		}
	})
}
