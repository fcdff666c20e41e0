package toolcall_test

import (
	"encoding/hex"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/httpauth"
	"github.com/whittle-auth/whittle/verify/toolcall"
)

func mapping(t testing.TB, o *toolcall.Options) *toolcall.Mapping {
	t.Helper()
	m, err := toolcall.NewMapping("files", o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestRequest lists what calls ask for.
func TestRequest(t *testing.T) {
	type args = map[string]any
	mapped := &toolcall.Options{Resources: map[string][]string{
		"read":  {"data/{path...}"},
		"fetch": {"data{path...}"},
		"open":  {"rooms/{room}/door"},
		"move":  {"data{from...}", "data{to...}"},
		"look":  {"data{paths...}"},
	}}
	for name, c := range map[string]struct {
		options   *toolcall.Options
		params    string
		resources []string
		args      args
	}{
		"nothing said":         {nil, `{"name":"time"}`, []string{"tools/files"}, nil},
		"arguments":            {nil, `{"name":"pay","arguments":{"amount":5,"to":"bob","dry":null,"rate":1.0}}`, []string{"tools/files"}, args{"amount": int64(5), "to": "bob", "dry": nil, "rate": 1.0}},
		"an exact integer":     {&toolcall.Options{AllowBigIntegers: true}, `{"name":"n","arguments":{"n":9007199254740993}}`, []string{"tools/files"}, args{"n": int64(9007199254740993)}},
		"the largest safe one": {nil, `{"name":"n","arguments":{"n":-9007199254740991}}`, []string{"tools/files"}, args{"n": int64(-9007199254740991)}},
		"another resource":     {&toolcall.Options{Resource: "shop/tools"}, `{"name":"n"}`, []string{"shop/tools"}, nil},
		"a path":               {mapped, `{"name":"read","arguments":{"path":"a/b.txt"}}`, []string{"data/a/b.txt"}, args{"path": "a/b.txt"}},
		"a rooted path":        {mapped, `{"name":"fetch","arguments":{"path":"/a/b.txt"}}`, []string{"data/a/b.txt"}, args{"path": "/a/b.txt"}},
		"a segment":            {mapped, `{"name":"open","arguments":{"room":"12"}}`, []string{"rooms/12/door"}, args{"room": "12"}},
		"two resources":        {mapped, `{"name":"move","arguments":{"from":"/a","to":"/b"}}`, []string{"data/a", "data/b"}, args{"from": "/a", "to": "/b"}},
		"many resources":       {mapped, `{"name":"look","arguments":{"paths":["/b","/a"]}}`, []string{"data/b", "data/a"}, args{"paths": []any{"/b", "/a"}}},
		"not mapped":           {mapped, `{"name":"time"}`, []string{"tools/files"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			call, err := toolcall.ParseCall([]byte(c.params))
			if err != nil {
				t.Fatal(err)
			}
			req, err := mapping(t, c.options).Request(call)
			if err != nil {
				t.Fatal(err)
			}
			if req.Operation != call.Name || req.Audience != "files" || req.BodyDigest != nil || !slices.Equal(req.Resources, c.resources) || !reflect.DeepEqual(req.Args, map[string]any(c.args)) {
				t.Errorf("%+v", req)
			}
			again, err := toolcall.ParseCall(call.Params())
			if err != nil || !reflect.DeepEqual(again, call) {
				t.Errorf("%s is read back as %+v, %v", call.Params(), again, err)
			}
		})
	}
}

// TestRefused lists calls that have no one reading.
func TestRefused(t *testing.T) {
	options := &toolcall.Options{AllowParams: []string{"inputResponses", "requestState"}, Resources: map[string][]string{
		"read": {"data/{path...}"}, "fetch": {"data{path...}"}, "open": {"rooms/{room}/door"},
	}}
	for _, params := range []string{
		``, `null`, `[]`, `"read"`, `{}`, `{"name":5}`, `{"name":null}`, `{"name":""}`, `{"name":" x"}`, `{"name":"a\nb"}`, `{"name":"e\u0301"}`, `{"name":"` + strings.Repeat("n", 257) + `"}`,
		`{"name":"x","name":"y"}`, `{"name":"x","Name":"y"}`, `{"Name":"x"}`, `{"name":"x","ARGUMENTS":{}}`, `{"name":"x","_Meta":{}}`,
		`{"name":"x","arguments":null}`, `{"name":"x","arguments":[]}`, `{"name":"x","arguments":"{}"}`,
		`{"name":"x","arguments":{"a":1,"a":2}}`, `{"name":"x","arguments":{"a":{"b":1,"b":2}}}`, `{"name":"x","arguments":{"a":1,"A":2}}`, `{"name":"x","arguments":{"o":[{"a":1,"A":2}]}}`,
		`{"name":"x","arguments":{"a":9223372036854775808}}`, `{"name":"x","arguments":{"a":1e400}}`, `{"name":"x","arguments":{"a":9007199254740992}}`, `{"name":"x","arguments":{"a":[{"b":-9007199254740992}]}}`,
		`{"name":"x","arguments":{"/a":1}}`, `{"name":"x","arguments":{"a":"e\u0301"}}`, `{"name":"x","arguments":{"a":"\ud800"}}`, "{\"name\":\"x\",\"arguments\":{\"a\":\"\xff\"}}",
		`{"name":"x","_meta":[]}`, `{"name":"x","_meta":{"a":1,"a":1}}`, `{"name":"x","_meta":{"a":1,"A":1}}`,
		`{"name":"x","requestState":"a","RequestState":"b"}`, `{"name":"x","inputResponses":{"a":1,"A":1}}`, `{"name":"x","inputResponses":{"a":9007199254740992}}`, `{"name":"x","task":{"ttl":1}}`, `{"name":"x","extra":null}`,
		`{"name":"x"} {}`, `{"name":"x"}}`,
		`{"name":"read"}`, `{"name":"read","arguments":{"path":5}}`, `{"name":"read","arguments":{"path":"/a"}}`, `{"name":"read","arguments":{"path":"a/../b"}}`, `{"name":"read","arguments":{"path":""}}`, `{"name":"read","arguments":{"path":"a//b"}}`,
		`{"name":"read","arguments":{"path":[]}}`, `{"name":"read","arguments":{"path":["a",5]}}`, `{"name":"read","arguments":{"path":["a","../b"]}}`,
		`{"name":"fetch","arguments":{"path":"a"}}`, `{"name":"fetch","arguments":{"path":"2/a"}}`, `{"name":"fetch","arguments":{"path":"/../a"}}`, `{"name":"fetch","arguments":{"path":"//a"}}`, `{"name":"fetch","arguments":{"path":"/a%2fb"}}`,
		`{"name":"open","arguments":{"room":"1/2"}}`, `{"name":"open","arguments":{"room":".."}}`, `{"name":"open","arguments":{"room":""}}`,
	} {
		call, err := toolcall.ParseCall([]byte(params))
		if err == nil {
			_, err = mapping(t, options).Request(call)
		}
		if verify.CodeOf(err) != token.CodeCheckFailed {
			t.Errorf("%s: %v", params, err)
		}
	}
}

// TestFurther: what a client answers to the server's questions is part of what is signed.
func TestFurther(t *testing.T) {
	digest := func(params string) string {
		call, err := toolcall.ParseCall([]byte(params))
		if err != nil {
			t.Fatal(err)
		}
		req, err := mapping(t, &toolcall.Options{AllowParams: []string{"requestState", "inputResponses", "task"}}).Request(call)
		if err != nil {
			t.Fatal(err)
		}
		return hex.EncodeToString(req.BodyDigest)
	}
	seen := map[string]string{}
	for _, params := range []string{
		`{"name":"x","requestState":"a"}`, `{"name":"x","requestState":"b"}`, `{"name":"x","requestState":null}`,
		`{"name":"x","inputResponses":{"q":{"action":"accept","content":{"amount":5}}}}`,
		`{"name":"x","inputResponses":{"q":{"action":"accept","content":{"amount":5.0}}}}`,
		`{"name":"x","task":{"ttl":1}}`,
	} {
		d := digest(params)
		if other, twice := seen[d]; twice || len(d) != 64 {
			t.Errorf("%s and %s have the digest %q", params, other, d)
		}
		seen[d] = params
	}
	if digest(`{"name":"x","task":{"a":1,"b":2},"requestState":"s"}`) != digest(`{"requestState":"s","task":{"b":2,"a":1},"name":"x","_meta":{"y":1},"arguments":{"z":1}}`) {
		t.Error("the digest depends on the order of names, on _meta or on the arguments")
	}
}

func TestNewMapping(t *testing.T) {
	for audience, o := range map[string]*toolcall.Options{
		"": nil, " x": nil, "a//b": nil,
		"resource":     {Resource: "a/../b"},
		"tool":         {Resources: map[string][]string{"": {"a"}}},
		"no template":  {Resources: map[string][]string{"x": nil}},
		"empty":        {Resources: map[string][]string{"x": {""}}},
		"open brace":   {Resources: map[string][]string{"x": {"a/{b"}}},
		"closed brace": {Resources: map[string][]string{"x": {"a/b}"}}},
		"no name":      {Resources: map[string][]string{"x": {"a/{}"}}},
		"only dots":    {Resources: map[string][]string{"x": {"a/{...}"}}},
		"nested":       {Resources: map[string][]string{"x": {"a/{{b}}"}}},
		"half before":  {Resources: map[string][]string{"x": {"a/b{c}"}}},
		"half behind":  {Resources: map[string][]string{"x": {"a/{b}c"}}},
		"side by side": {Resources: map[string][]string{"x": {"a/{b}{c}"}}},
		"many inside":  {Resources: map[string][]string{"x": {"a/{b...}/c"}}},
		"both ways":    {Resources: map[string][]string{"x": {"{a}/b{a...}"}}},
		"dots":         {Resources: map[string][]string{"x": {"../{a}"}}},
		"rooted":       {Resources: map[string][]string{"x": {"/{a}"}}},
	} {
		if _, err := toolcall.NewMapping(audience, o); err == nil {
			t.Errorf("%q: no error", audience)
		}
	}
}

func TestTakeToken(t *testing.T) {
	for name, c := range map[string]struct {
		meta map[string]any
		code token.Code
	}{
		"one":          {map[string]any{toolcall.MetaKey: "abc", "progressToken": int64(1)}, ""},
		"none":         {map[string]any{"progressToken": int64(1)}, token.CodeNotPresented},
		"no meta":      {nil, token.CodeNotPresented},
		"no string":    {map[string]any{toolcall.MetaKey: []any{"abc"}}, token.CodeMalformed},
		"two":          {map[string]any{toolcall.MetaKey: "abc", strings.ToUpper(toolcall.MetaKey): "abc"}, token.CodeMalformed},
		"another case": {map[string]any{strings.ToUpper(toolcall.MetaKey): "abc"}, token.CodeMalformed},
	} {
		meta := maps.Clone(c.meta)
		text, err := toolcall.TakeToken(meta)
		if verify.CodeOf(err) != c.code || (text == "abc") != (c.code == "") {
			t.Errorf("%s: %q, %v", name, text, err)
		}
		if _, still := meta[toolcall.MetaKey]; still {
			t.Errorf("%s: the token is still there", name)
		}
	}
}

// TestOpenNames: nor one that leaves the name open and asks for it afterwards.
func TestOpenNames(t *testing.T) {
	for _, c := range []struct {
		check    string
		passes   []string
		refusals []string
	}{
		{`reject if arg($n, $v), $v == "a"`, []string{"force", "FORCE", "A"}, nil},
		{`reject if arg($n, $v), $n == "force"`, []string{"force", "other", "forces"}, []string{"FORCE", "forCe"}},
		{`reject if arg($n, $v), ("force") === ($n)`, []string{"force"}, []string{"Force"}},
		{`reject if arg($n, $v), arg($n, $w), !($n != "force") || $w == 1`, []string{"other"}, []string{"Force"}},
		{`check all arg($n, $v), ["to", "fromTokyo", "ask"].contains($n)`, []string{"to", "fromTokyo"}, []string{"To", "fromtokyo", "as\u212a"}},
		{`check all arg($n, $v), {"to"}.contains($n) && $v != 1`, []string{"to"}, []string{"To"}},
		{`reject if arg($n, $v), $n.starts_with("for")`, []string{"force", "forCE", "inform", "inFORm"}, []string{"FORCE", "fOrce"}},
		{`reject if arg($n, $v), $n.ends_with("Id")`, []string{"userId", "identity"}, []string{"userid", "USERID"}},
		{`reject if arg($n, $v), $n.contains("or")`, []string{"force", "to"}, []string{"FORCE"}},
		{`reject if arg($n, $v), $n.matches("^for")`, []string{"123"}, []string{"force", "\u00e4"}},
		{`reject if arg($n, $v), "force".contains($n)`, []string{"1"}, []string{"For"}},
		{`reject if arg($n, $v), ["force"].any($x -> $x == $n)`, []string{"1"}, []string{"FORCE"}},
		{`reject if arg($n, $v), operation($n)`, []string{"1"}, []string{"PAY"}},
		{`reject if arg("of", $n), arg($n, $v)`, []string{"1"}, []string{"A"}},
	} {
		check, err := delegation.ParseCheck(c.check)
		if err != nil {
			t.Fatal(err)
		}
		var scope delegation.Scope
		scope.Narrow(check, 0)
		for _, name := range c.passes {
			if err := toolcall.OtherCase(&scope, nil, map[string]any{name: int64(1)}); err != nil {
				t.Errorf("%s: %q: %v", c.check, name, err)
			}
		}
		for _, name := range c.refusals {
			if err := toolcall.OtherCase(&scope, nil, map[string]any{name: int64(1)}); verify.CodeOf(err) != token.CodeCheckFailed {
				t.Errorf("%s: %q: %v", c.check, name, err)
			}
		}
	}
	policy, err := datalog.ParseAuthorizer(`bad($n) <- arg($n, $v); deny if arg("x", $v); deny if bad("force"); allow if true;`, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := toolcall.OtherCase(&delegation.Scope{}, policy, map[string]any{"FORCE": true}); err == nil {
		t.Error("a policy's rule that hands names on")
	}
}

// TestOtherCase: a caveat on an argument cannot be evaded by writing its name otherwise.
func TestOtherCase(t *testing.T) {
	var scope delegation.Scope
	for i, text := range []string{"arg force unset", "arg amount 1..5", "arg to/er prefix \"a\""} {
		caveat, err := delegation.ParseCaveat(text)
		if err != nil {
			caveat = delegation.ArgPrefix{Arg: "to/er", Prefix: "a"}
		}
		scope.Narrow(caveat, i)
	}
	inside, err := delegation.ParseCheck(`reject if arg("/order/lines/urgent", $v)`)
	if err != nil {
		t.Fatal(err)
	}
	scope.Narrow(inside, 3)
	for text, ok := range map[string]bool{
		`{"amount":1}`: true, `{"other":1,"OTHER2":1}`: true, `{"order":{"lines":[{"n":1}]}}`: true,
		`{"FORCE":1}`: false, `{"Amount":1}`: false, `{"To/Er":"a"}`: false,
		`{"Order":{}}`: false, `{"order":{"Lines":[]}}`: false, `{"order":{"lines":{"URGENT":true}}}`: false,
	} {
		args, err := delegation.ParseArgs([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := toolcall.OtherCase(&scope, nil, args); (err == nil) != ok || err != nil && verify.CodeOf(err) != token.CodeCheckFailed {
			t.Errorf("%s: %v", text, err)
		}
	}
	if err := toolcall.OtherCase(&delegation.Scope{}, nil, map[string]any{"FORCE": true}); err != nil {
		t.Error(err)
	}
}

// TestNumbers: the number of a denial is the status that it has over HTTP.
func TestNumbers(t *testing.T) {
	for _, code := range []token.Code{
		token.CodeMalformed, token.CodeUnsupported, token.CodeSignature, token.CodeUntrustedRoot, token.CodeNotPresented, token.CodeProfile,
		token.CodeAudience, token.CodeWindow, token.CodeExpired, token.CodeRevoked, token.CodeStale, token.CodeReplay, token.CodeCheckFailed,
		token.CodePolicy, token.CodeEvaluation, token.CodeLimit, token.CodeUnavailable,
	} {
		if got, want := toolcall.NewRefusal(code).Number, httpauth.RefusalOf(&token.Error{Code: code, Block: -1}).Status; got != want {
			t.Errorf("%s: %d, over HTTP %d", code, got, want)
		}
	}
}
