package delegation_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/whittle-auth/whittle/token/delegation"
)

func checked(t *testing.T, change func(*delegation.Request)) (*delegation.Checked, error) {
	t.Helper()
	r := delegation.Request{Operation: "op", Resource: "a/b", Audience: "svc"}
	change(&r)
	return r.Check()
}

func digest(t *testing.T, change func(*delegation.Request)) string {
	t.Helper()
	c, err := checked(t, change)
	if err != nil {
		t.Fatal(err)
	}
	d, err := c.Digest([32]byte{}, []byte("nonce"))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", d)
}

// TestNoTwoRequestsShareADigest: values that a careless encoding would confuse.
func TestNoTwoRequestsShareADigest(t *testing.T) {
	arg := func(v any) func(*delegation.Request) {
		return func(r *delegation.Request) { r.Args = map[string]any{"a": v} }
	}
	seen := map[string]string{}
	for name, change := range map[string]func(*delegation.Request){
		"nothing":          func(*delegation.Request) {},
		"integer":          arg(1),
		"float":            arg(1.0),
		"text":             arg("1"),
		"true":             arg(true),
		"null":             arg(nil),
		"list":             arg([]any{1}),
		"object":           arg(map[string]any{"b": 1}),
		"dotted":           func(r *delegation.Request) { r.Args = map[string]any{"a.b": 1} },
		"two lists":        arg([]any{[]any{1}, 2}),
		"nested otherwise": arg([]any{1, []any{2}}),
		"text of a list":   arg("[1]"),
		"large":            arg(int64(math.MaxInt64)),
		"less large":       arg(int64(math.MaxInt64 - 1)),
		"as float":         arg(float64(math.MaxInt64)),
		"body":             func(r *delegation.Request) { r.BodyDigest = []byte{1} },
		"empty body":       func(r *delegation.Request) { r.BodyDigest = []byte{} },
		"operation":        func(r *delegation.Request) { r.Operation = "other" },
		"resource":         func(r *delegation.Request) { r.Resource = "a" },
		"resources":        func(r *delegation.Request) { r.Resource, r.Resources = "", []string{"a", "b"} },
		"resources turned": func(r *delegation.Request) { r.Resource, r.Resources = "", []string{"b", "a"} },
		"audience":         func(r *delegation.Request) { r.Audience = "other" },
	} {
		d := digest(t, change)
		if other, ok := seen[d]; ok {
			t.Errorf("%q and %q share a digest", name, other)
		}
		seen[d] = name
	}
	same := digest(t, func(r *delegation.Request) { r.Resource, r.Resources = "", []string{"a/b"} })
	if same != digest(t, func(*delegation.Request) {}) {
		t.Error("one resource in a list is not the same request")
	}
}

func TestRequestsThatCannotBeDecided(t *testing.T) {
	for name, change := range map[string]func(*delegation.Request){
		"space before dots":    func(r *delegation.Request) { r.Resource = "a/\u00a0../b" },
		"space after dots":     func(r *delegation.Request) { r.Resource = "a/.. /b" },
		"space at the end":     func(r *delegation.Request) { r.Resource = "a/b " },
		"wide space in a name": func(r *delegation.Request) { r.Operation = "op\u3000" },
		"empty segment":        func(r *delegation.Request) { r.Resource = "a//b" },
		"leading slash":        func(r *delegation.Request) { r.Resource = "/a" },
		"trailing slash":       func(r *delegation.Request) { r.Resource = "a/" },
		"dot":                  func(r *delegation.Request) { r.Resource = "a/./b" },
		"dots":                 func(r *delegation.Request) { r.Resource = "a/../b" },
		"percent":              func(r *delegation.Request) { r.Resource = "a/%2e%2e/b" },
		"backslash":            func(r *delegation.Request) { r.Resource = `a\b` },
		"control":              func(r *delegation.Request) { r.Resource = "a/\x00b" },
		"bidirectional":        func(r *delegation.Request) { r.Resource = "a/\u202eb" },
		"decomposed":           func(r *delegation.Request) { r.Resource = "a/e\u0301" },
		"not UTF-8":            func(r *delegation.Request) { r.Resource = "a/\xff" },
		"long":                 func(r *delegation.Request) { r.Resource = strings.Repeat("a", 1025) },
		"second one bad":       func(r *delegation.Request) { r.Resource, r.Resources = "", []string{"a", "../b"} },
		"decomposed operation": func(r *delegation.Request) { r.Operation = "e\u0301" },
		"decomposed argument":  func(r *delegation.Request) { r.Args = map[string]any{"a": "e\u0301"} },
		"decomposed name":      func(r *delegation.Request) { r.Args = map[string]any{"e\u0301": 1} },
		"decomposed inside":    func(r *delegation.Request) { r.Args = map[string]any{"a": map[string]any{"e\u0301": 1}} },
		"broken argument":      func(r *delegation.Request) { r.Args = map[string]any{"a": []any{"\xff"}} },
		"not a number":         func(r *delegation.Request) { r.Args = map[string]any{"a": math.NaN()} },
		"infinite":             func(r *delegation.Request) { r.Args = map[string]any{"a": math.Inf(1)} },
		"unsigned":             func(r *delegation.Request) { r.Args = map[string]any{"a": uint64(math.MaxUint64)} },
		"number beyond":        func(r *delegation.Request) { r.Args = map[string]any{"a": json.Number("9223372036854775808")} },
		"hexadecimal":          func(r *delegation.Request) { r.Args = map[string]any{"a": json.Number("0x1.8p1")} },
		"with underscores":     func(r *delegation.Request) { r.Args = map[string]any{"a": json.Number("1_0.5")} },
		"no number":            func(r *delegation.Request) { r.Args = map[string]any{"a": json.Number("")} },
		"true as a number":     func(r *delegation.Request) { r.Args = map[string]any{"a": json.Number("true")} },
		"pointer":              func(r *delegation.Request) { r.Args = map[string]any{"/a": 1} },
	} {
		if _, err := checked(t, change); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	list := []string{"a"}
	c, err := checked(t, func(r *delegation.Request) { r.Resource, r.Resources = "", list })
	if err != nil {
		t.Fatal(err)
	}
	if list[0] = "../b"; c.Resources()[0] != "a" {
		t.Error("a checked request changes with the caller's memory")
	}
	for depth, want := range map[int]bool{15: true, 16: false} {
		source := []byte(`{"a":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + `}`)
		args, err := delegation.ParseArgs(source)
		if err == nil {
			_, err = checked(t, func(r *delegation.Request) { r.Args = args })
		}
		if (err == nil) != want {
			t.Errorf("%d lists in an argument: %v", depth, err)
		}
	}
	deep := any("x")
	for range 100000 {
		deep = []any{deep}
	}
	if _, err := checked(t, func(r *delegation.Request) { r.Args = map[string]any{"a": deep} }); err == nil {
		t.Error("deep nesting accepted")
	}
}

// TestFacts: what the verifier states, and what it must not.
func TestFacts(t *testing.T) {
	c, err := checked(t, func(r *delegation.Request) {
		r.Args = map[string]any{
			"int": 5, "float": 5.0, "text": "x", "null": nil, "list": []any{1, "a", nil}, "object": map[string]any{"b": 2, "a": true, "x/y": 3, "t~": 4},
			"with float": []any{1, 2.5}, "empty": map[string]any{}, "": false,
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	places := delegation.Mentions{Pointers: []string{"/object/b", "/object/x~1y", "/object/t~0", "/object/t~", "/list/1", "/list/01", "/list/9", "/object/none", "/with float/0", "/float", "/text/0", "/", "/list/-1"}}
	var got []string
	for _, f := range append(c.Facts(), c.Inside(&places)...) {
		got = append(got, f.String())
	}
	want := []string{
		`operation("op")`, `audience("svc")`, `resource("a/b")`,
		`arg("", false)`, `arg("empty", {})`, `arg("int", 5)`, `arg("list", [1, "a", null])`, `arg("null", null)`,
		`arg("object", {"a": true, "b": 2, "t~": 4, "x/y": 3})`, `arg("text", "x")`,
		`arg("/object/b", 2)`, `arg("/object/x~1y", 3)`, `arg("/object/t~0", 4)`, `arg("/list/1", "a")`, `arg("/with float/0", 1)`, `arg("/", false)`,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("states\n%q\nwant\n%q", got, want)
	}
}

func TestParseArgs(t *testing.T) {
	for source, want := range map[string]string{
		`{}`:                                `map[]`,
		`{"a":1}`:                           `map[a:int64 1]`,
		`{"a":-9223372036854775808}`:        `map[a:int64 -9223372036854775808]`,
		`{"a":1.0}`:                         `map[a:float64 1]`,
		`{"a":1e2}`:                         `map[a:float64 100]`,
		`{"a":[1,"x",null,true,{}]}`:        `map[a:[]interface {} [1 x <nil> true map[]]]`,
		`{"a":9223372036854775808}`:         ``,
		`{"a":1,"a":2}`:                     ``,
		`{"a":{"b":1,"b":1}}`:               ``,
		`{"a":[{"b":1,"b":1}]}`:             ``,
		`{"a":1e400}`:                       ``,
		`{"a":1} {}`:                        ``,
		`{"a":1}]`:                          ``,
		`[]`:                                ``,
		`{`:                                 ``,
		`{"a"`:                              ``,
		`{"a":`:                             ``,
		``:                                  ``,
		"{\"a\":\"\xff\"}":                  ``,
		`{"a":NaN}`:                         ``,
		`{"a":` + strings.Repeat("[", 5000): ``,
	} {
		args, err := delegation.ParseArgs([]byte(source))
		if want == "" {
			if err == nil {
				t.Errorf("%.40s: read as %v", source, args)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		got := "map[]"
		if v, ok := args["a"]; ok {
			got = fmt.Sprintf("map[a:%T %v]", v, v)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", source, got, want)
		}
	}
}

// TestIntegersAreExact: the integers around 2^53, where float64 ends to tell them
// apart, and at the ends of 64 bits are different requests; beyond is none.
func TestIntegersAreExact(t *testing.T) {
	seen := map[delegation.Digest]string{}
	for _, n := range []string{
		"9007199254740991", "9007199254740992", "9007199254740993", "-9007199254740992", "-9007199254740993",
		"9223372036854775806", "9223372036854775807", "-9223372036854775808", "-9223372036854775807",
	} {
		args, err := delegation.ParseArgs([]byte(`{"n":` + n + `}`))
		if err != nil {
			t.Fatalf("%s: %v", n, err)
		}
		c, err := checked(t, func(r *delegation.Request) { r.Args = args })
		if err != nil {
			t.Fatalf("%s: %v", n, err)
		}
		digest, err := c.ActionDigest()
		if err != nil {
			t.Fatal(err)
		}
		if other, twice := seen[digest]; twice {
			t.Errorf("%s and %s are one request", n, other)
		}
		seen[digest] = n
		stated := false
		for _, f := range c.Facts() {
			stated = stated || f.String() == `arg("n", `+n+`)`
		}
		if !stated {
			t.Errorf("%s is not stated as it is: %v", n, c.Facts())
		}
	}
	for _, n := range []string{"9223372036854775808", "-9223372036854775809", "18446744073709551616"} {
		if args, err := delegation.ParseArgs([]byte(`{"n":` + n + `}`)); err == nil {
			t.Errorf("%s is read as %v", n, args)
		}
	}
}

// TestArgsRoundTrip: what JSON says arrives in the digest unchanged, whatever the
// order of names and the spelling of the text.
func TestArgsRoundTrip(t *testing.T) {
	values := rapid.Deferred(func() *rapid.Generator[any] { return someValue(3) })
	rapid.Check(t, func(t *rapid.T) {
		args := rapid.MapOfN(rapid.StringMatching(`[a-z"\\\n]{1,5}`), values, 0, 4).Draw(t, "args")
		encoded, err := json.Marshal(args)
		if err != nil {
			t.Fatal(err)
		}
		read, err := delegation.ParseArgs(encoded)
		if err != nil {
			t.Fatal(err)
		}
		of := func(args map[string]any) delegation.Digest {
			r := delegation.Request{Operation: "op", Resource: "a", Audience: "svc", Args: args}
			c, err := r.Check()
			if err != nil {
				t.Fatal(err)
			}
			d, err := c.ActionDigest()
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
		if of(args) != of(read) {
			t.Fatalf("%s reads as another request", encoded)
		}
	})
}

func someValue(depth int) *rapid.Generator[any] {
	scalars := rapid.OneOf(
		rapid.Int64().AsAny(), rapid.Bool().AsAny(), rapid.StringMatching(`[ -~]{0,6}`).AsAny(), rapid.Just[any](nil),
	)
	if depth == 0 {
		return scalars
	}
	return rapid.OneOf(scalars,
		rapid.Map(rapid.SliceOfN(someValue(depth-1), 0, 3), func(l []any) any { return l }),
		rapid.Map(rapid.MapOfN(rapid.StringMatching(`[a-z]{1,3}`), someValue(depth-1), 0, 3), func(m map[string]any) any { return m }))
}

func FuzzParseValue(f *testing.F) {
	for _, seed := range []string{`{"a":[1,2.5,"x",null,{"b":true}]}`, `"\ud800"`, `[[[[`, `{"a":1,"a":2}`, `-0`, `1e5`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		value, err := delegation.ParseValue(data)
		if err != nil {
			return
		}
		r := delegation.Request{Operation: "op", Resource: "a", Audience: "svc", Args: map[string]any{"v": value}}
		c, err := r.Check()
		if err != nil {
			return // several spellings
		}
		if _, err := c.ActionDigest(); err != nil {
			t.Errorf("%s cannot be digested: %v", data, err)
		}
		c.Inside(&delegation.Mentions{Pointers: []string{"/v/0", "/v/a"}})
		c.Facts()
	})
}
