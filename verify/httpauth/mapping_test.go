package httpauth_test

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify/httpauth"
)

// read reads a request as it stands on the wire.
func read(t testing.TB, head, body string) (*http.Request, error) {
	t.Helper()
	return http.ReadRequest(bufio.NewReader(strings.NewReader(
		strings.ReplaceAll(head, "\n", "\r\n") + fmt.Sprintf("\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(body), body))))
}

// mapped maps it.
func mapped(t testing.TB, m *httpauth.Mapping, head, body string) (*delegation.Request, error) {
	t.Helper()
	r, err := read(t, head, body)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := httpauth.RequestOf(m, r, data)
	if err != nil {
		return nil, err
	}
	req.Audience = service
	_, err = req.Check() // as a verifier and whoever invokes do
	return req, err
}

func mapping(t testing.TB, routes ...httpauth.Route) *httpauth.Mapping {
	t.Helper()
	m, err := httpauth.NewMapping(routes...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestPaths: one spelling for each resource; any other is refused, never cleaned.
func TestPaths(t *testing.T) {
	for target, want := range map[string]string{
		"/a": "a", "/a/b": "a/b", "/a.b/..c": "a.b/..c", "/a%20b": "a b", "/caf%C3%A9": "café",
		"/ab,c:d@e&f=g+h$i": "ab,c:d@e&f=g+h$i", "/a?": "a", "http://other/a": "a", "/A": "A", "/a~-_": "a~-_", "/%5Bx%5D": "[x]",
		"/": "", "*": "", "/a/": "", "//a": "", "/a//b": "", "/.": "", "/..": "", "/a/../b": "", "/a/./b": "", "/a/..": "",
		"/%2e": "", "/a/%2e%2e/b": "", "/a/.%2e/b": "", "/a%2Fb": "", "/a%2fb": "", "/a%5Cb": "", `/a\b`: "", "/a%25b": "", "/a%2520b": "",
		"/%61": "", "/caf%c3%a9": "", "/café": "", "/cafe%CC%81": "", "/a%00": "", "/a%0A": "", "/a%FF": "", "/a%20": "", "/[x]": "", "/a#b": "",
		"/a;b": "", "/a;": "", "/..;/b": "", "/a/..;x=1/b": "", "/a/.;/b": "", "/a%3Bb": "", "/..%3B/b": "",
		"/a%7Eb": "", "/a%2Bb": "", "http://other": "", "/" + strings.Repeat("a", 1025): "",
	} {
		req, err := mapped(t, nil, "GET "+target+" HTTP/1.1", "")
		if want == "" && err == nil {
			t.Errorf("%s is mapped to %q", target, req.Resource)
		}
		if want != "" && (err != nil || req.Resource != want) {
			t.Errorf("%s: %v %v, want %q", target, req, err, want)
		}
	}
}

// TestMethods: the operation is the method in lower case, and no two methods have
// one operation.
func TestMethods(t *testing.T) {
	for method, want := range map[string]string{
		"GET": "get", "HEAD": "head", "DELETE": "delete", "M-SEARCH": "m-search",
		"get": "", "Get": "", "gET": "", "POSt": "", strings.Repeat("A", 65): "",
	} {
		req, err := mapped(t, nil, method+" /a HTTP/1.1", "")
		if want == "" && err == nil || want != "" && (err != nil || req.Operation != want) {
			t.Errorf("%s: %v %v, want %q", method, req, err, want)
		}
	}
	for _, target := range []string{"x:1", "/a"} {
		if req, err := mapped(t, nil, "CONNECT "+target+" HTTP/1.1", ""); err == nil {
			t.Errorf("CONNECT %s: %v", target, req)
		}
	}
}

// TestOneHop: what would make the connection carry more than was decided on, or make a
// proxy drop headers.
func TestOneHop(t *testing.T) {
	for headers, allowed := range map[string]bool{
		"Connection: close": true, "Connection: Keep-Alive, TE": true, "Connection:": true, "Upgrade-Insecure-Requests: 1": true,
		"Connection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABk": false,
		"Upgrade: websocket": false, "upgrade:": false, "HTTP2-Settings: x": false, "Connection: upgrade": false, "Connection: close,\tUPGRADE": false,
		"Connection: Authorization": false, "Connection: Content-Digest": false, "Connection: X-Whittle-Agent": false,
		"Connection: close\nConnection: keep-alive, x": false, "Connection: \"close\"": false,
	} {
		req, err := mapped(t, nil, "GET /a HTTP/1.1\n"+headers, "")
		if (err == nil) != allowed {
			t.Errorf("%q: %v %v", headers, req, err)
		}
	}
}

// TestRoutes: patterns, wildcards and chosen parameters.
func TestRoutes(t *testing.T) {
	m := mapping(t,
		httpauth.Route{Pattern: "GET /", Resource: "index"},
		httpauth.Route{Pattern: "POST /v1/{account}/pay", Operation: "pay", Resource: "accounts/{account}", Query: []string{"note"}, QueryIntegers: []string{"n"}},
		httpauth.Route{Pattern: "GET /files/{path...}", Operation: "read", Resource: "store/{path...}"},
		httpauth.Route{Pattern: "GET /v1/{account}", Resource: "first/{account}"},
		httpauth.Route{Pattern: "GET /v1/special", Resource: "never"},
		httpauth.Route{Pattern: "PUT /v1/{x}/{y}"},
		httpauth.Route{Pattern: "DELETE /{all...}"},
		httpauth.Route{Pattern: "PATCH /x/{all...}", Resource: "x"},
	)
	for line, want := range map[string]string{
		"GET /":                                "get index map[]",
		"POST /v1/x/pay":                       "pay accounts/x map[]",
		"POST /v1/x/pay?note=1&n=-1":           "pay accounts/x map[n:-1 note:1]",
		"GET /files/a/b/c":                     "read store/a/b/c map[]",
		"GET /files/a":                         "read store/a map[]",
		"GET /v1/special":                      "get first/special map[]",
		"PUT /v1/a/b":                          "put v1/a/b map[]",
		"DELETE /a/b":                          "delete a/b map[]",
		"DELETE /":                             "",
		"GET /files":                           "",
		"GET /files/":                          "",
		"PATCH /x/a/b":                         "patch x map[]",
		"PATCH /x/a/../b":                      "",
		"PATCH /x/a//b":                        "",
		"PATCH /x/a/":                          "",
		"GET /files/a/../b":                    "",
		"HEAD /files/a":                        "",
		"POST /v1/x/pay/more":                  "",
		"POST /v1/x":                           "",
		"GET /other":                           "",
		"POST /v1/x/pay?other=1":               "",
		"POST /v1/x/pay?Note=1":                "",
		"POST /v1/x/pay?=1":                    "",
		"GET /files/a?n=1":                     "",
		"POST /v1/x/pay?n=1&n=1":               "",
		"POST /v1/x/pay?n=01":                  "",
		"POST /v1/x/pay?n=%2B1":                "",
		"POST /v1/x/pay?n=-0":                  "",
		"POST /v1/x/pay?n=1.0":                 "",
		"POST /v1/x/pay?n=":                    "",
		"POST /v1/x/pay?n=9007199254740993":    "pay accounts/x map[n:9007199254740993]",
		"POST /v1/x/pay?n=9223372036854775807": "pay accounts/x map[n:9223372036854775807]",
		"POST /v1/x/pay?n=9223372036854775808": "",
	} {
		req, err := mapped(t, m, line+" HTTP/1.1", "")
		got := ""
		if err == nil {
			got = fmt.Sprint(req.Operation, " ", req.Resource, " ", req.Args)
		}
		if got != want {
			t.Errorf("%s: %q (%v), want %q", line, got, err, want)
		}
	}
	for name, r := range map[string]httpauth.Route{
		"empty": {}, "no method": {Pattern: "/a"}, "no slash": {Pattern: "GET a"}, "lower case": {Pattern: "get /a"},
		"root without a resource": {Pattern: "GET /"}, "dots": {Pattern: "GET /a/.."}, "trailing slash": {Pattern: "GET /a/"}, "escape": {Pattern: "GET /a%20b"}, "parameters of a segment": {Pattern: "GET /a;b"},
		"part of a segment": {Pattern: "GET /a{b}"}, "no name": {Pattern: "GET /{}"}, "two alike": {Pattern: "GET /{a}/{a}"}, "many inside": {Pattern: "GET /{a...}/b"},
		"unknown wildcard": {Pattern: "GET /{a}", Resource: "x/{b}"}, "bad resource": {Pattern: "GET /a", Resource: "x//y"}, "part of a resource": {Pattern: "GET /{a}", Resource: "x{a}"},
		"bad operation": {Pattern: "GET /a", Operation: " x"}, "argument twice": {Pattern: "GET /a", Query: []string{"a"}, Fields: []string{"a"}},
		"argument in two cases": {Pattern: "GET /a", Fields: []string{"a", "A"}}, "a pointer": {Pattern: "GET /a", Fields: []string{"/a"}},
	} {
		if _, err := httpauth.NewMapping(r); err == nil {
			t.Errorf("%s: %+v is accepted", name, r)
		}
	}
	if _, err := httpauth.NewMapping(); err == nil {
		t.Error("no routes are accepted")
	}
}

// TestBodies: digested, or taken apart into arguments; never ignored.
func TestBodies(t *testing.T) {
	const json = "\nContent-Type: application/json"
	m := mapping(t, httpauth.Route{Pattern: "POST /a", Query: []string{"q"}, Fields: []string{"amount", "to"}}, httpauth.Route{Pattern: "POST /b"},
		httpauth.Route{Pattern: "POST /none", Fields: []string{}})
	for _, c := range []struct {
		mapping    *httpauth.Mapping
		head, body string
		want       string // empty where it is refused
	}{
		{nil, "POST /a HTTP/1.1", "x", "map[] " + hex.EncodeToString(digestOf("x"))},
		{nil, "GET /a HTTP/1.1", "x", "map[] " + hex.EncodeToString(digestOf("x"))},
		{nil, "POST /a HTTP/1.1", "", "map[] "},
		{nil, "POST /a HTTP/1.1" + json, `{"a":1}`, "map[] " + hex.EncodeToString(digestOf(`{"a":1}`))},
		{nil, "POST /a HTTP/1.1\nContent-Type: application/x-www-form-urlencoded", "a=1", "map[] " + hex.EncodeToString(digestOf("a=1"))},
		{nil, "POST /a?a=1 HTTP/1.1\nContent-Type: application/x-www-form-urlencoded", "a=2", ""},
		{nil, "POST /a?a=1 HTTP/1.1\nContent-Type: Application/X-WWW-Form-Urlencoded; x", "a=2", ""},
		{nil, "POST /a?a=1 HTTP/1.1\nContent-Type: multipart/form-data; boundary=x", "--x--", ""},
		{nil, "POST /a?a=1 HTTP/1.1\nContent-Type: multipart/mixed; boundary=x", "--x--", ""},
		{nil, "POST /a?a=1 HTTP/1.1\nContent-Type: application/x-www-form-urlencoded; a=b; a=c", "a=2", ""},
		{nil, "POST /a?a=1 HTTP/1.1\nContent-Type: application/x-www-form-urlencoded, text/plain", "a=2", ""},
		{nil, "POST /a?a=1 HTTP/1.1\nContent-Type: text/plain\nContent-Type: application/x-www-form-urlencoded", "a=2", ""},
		{nil, "POST /a?a=1 HTTP/1.1\nContent-Type: text/plain; =", "a=2", ""},
		{nil, "POST /a?a=1 HTTP/1.1\nContent-Type:", "a=2", ""},
		{nil, "POST /a?a=1 HTTP/1.1", "a=2", ""},
		{nil, "POST /a?a=1 HTTP/1.1\nContent-Type: Text/Plain; charset=utf-8", "a=2", "map[a:1] " + hex.EncodeToString(digestOf("a=2"))},
		{nil, "POST /a?a=1 HTTP/1.1" + json, "{}", "map[a:1] " + hex.EncodeToString(digestOf("{}"))},
		{m, "POST /b HTTP/1.1" + json, `{"a":1}`, "map[] " + hex.EncodeToString(digestOf(`{"a":1}`))},
		{m, "POST /a HTTP/1.1" + json, `{"amount":9007199254740993,"to":"x"}`, "map[amount:9007199254740993 to:x] "},
		{m, "POST /a HTTP/1.1" + json + "; charset=utf-8", ` { "amount" : 1 } `, "map[amount:1] "},
		{m, "POST /a HTTP/1.1\nContent-Type: Application/JSON;Charset=\"UTF-8\"", `{"amount":1}`, "map[amount:1] "},
		{m, "POST /a HTTP/1.1" + json + "; charset=utf-7", `{"amount":1}`, ""},
		{m, "POST /a HTTP/1.1" + json + "; charset=utf-16", `{"amount":1}`, ""},
		{m, "POST /a HTTP/1.1" + json + "; charset=utf-8; charset=utf-7", `{"amount":1}`, ""},
		{m, "POST /a HTTP/1.1" + json + "; charset", `{"amount":1}`, ""},
		{m, "POST /a HTTP/1.1" + json + "; profile=x", `{"amount":1}`, ""},
		{m, "POST /a HTTP/1.1" + json + "; charset*=utf-8''utf-8", `{"amount":1}`, ""},
		{m, "POST /a HTTP/1.1" + json + ", text/plain", `{"amount":1}`, ""},
		{m, "POST /a HTTP/1.1" + json + "\nContent-Encoding:\nContent-Encoding: gzip", `{"amount":1}`, ""},
		{m, "POST /a?q=1 HTTP/1.1" + json, `{"amount":1}`, "map[amount:1 q:1] "},
		{m, "POST /a HTTP/1.1", "", "map[] "},
		{m, "POST /a HTTP/1.1" + json, `{"amount":9223372036854775808}`, ""},
		{m, "POST /a HTTP/1.1" + json, `{"amount":1,"amount":2}`, ""},
		{m, "POST /a HTTP/1.1" + json, `{"amount":1,"\u0061mount":2}`, ""},
		{m, "POST /a HTTP/1.1" + json, `{"amount":1,"AMOUNT":2}`, ""},
		{m, "POST /a HTTP/1.1" + json, `{"Amount":1}`, ""},
		{m, "POST /a HTTP/1.1" + json, `{"amount":1,"other":2}`, ""},
		{m, "POST /a HTTP/1.1" + json, `{"to":{"a":1,"A":2}}`, ""},
		{m, "POST /a HTTP/1.1" + json, `{"to":[{"k":1,"\u212a":2}]}`, ""},
		{m, "POST /a HTTP/1.1" + json, `{"to":{"a":1,"b":2}}`, "map[to:map[a:1 b:2]] "},
		{m, "POST /a HTTP/1.1" + json, `[1]`, ""},
		{m, "POST /a HTTP/1.1" + json, `null`, ""},
		{m, "POST /a HTTP/1.1" + json, `{} {}`, ""},
		{m, "POST /a HTTP/1.1" + json, `{`, ""},
		{m, "POST /a HTTP/1.1" + json, "{\"to\":\"\xff\"}", ""},
		{m, "POST /a HTTP/1.1" + json, strings.Repeat(`[`, 100000), ""},
		{m, "POST /a HTTP/1.1", `{"amount":1}`, ""},
		{m, "POST /a HTTP/1.1\nContent-Type: text/plain", `{"amount":1}`, ""},
		{m, "POST /a HTTP/1.1" + json + "\nContent-Type: text/plain", `{"amount":1}`, ""},
		{m, "POST /a HTTP/1.1" + json + "\nContent-Encoding: gzip", `{"amount":1}`, ""},
		{m, "POST /none HTTP/1.1" + json, `{}`, "map[] "},
		{m, "POST /none HTTP/1.1" + json, `{"a":1}`, ""},
	} {
		req, err := mapped(t, c.mapping, c.head, c.body)
		got := ""
		if err == nil {
			got = fmt.Sprintf("%v %x", req.Args, req.BodyDigest)
		}
		if got != c.want {
			t.Errorf("%s %.60s: %q (%v), want %q", c.head, c.body, got, err, c.want)
		}
	}
}

// TestRangeOnFields: a caveat sees into a body that is mapped to arguments, exactly
// also where a double is not.
func TestRangeOnFields(t *testing.T) {
	bound, err := delegation.ParseCaveat("arg amount 1..9007199254740992")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, bound)
	h := w.protected(&httpauth.Options{Mapping: mapping(t, httpauth.Route{Pattern: "POST /pay/{x}", Operation: "pay", Fields: []string{"amount"}})})
	for amount, code := range map[int64]token.Code{1 << 53: "", 1<<53 + 1: token.CodeCheckFailed} {
		text := w.invoke(delegation.Request{Operation: "pay", Resource: "pay/a", Args: map[string]any{"amount": amount}})
		r := raw(t, fmt.Sprintf("POST /pay/a\n{\"amount\":%d}", amount))
		r.Header.Set("Content-Type", "application/json")
		status := 200
		if code != "" {
			status = 403
		}
		expect(t, fmt.Sprint(amount), w.send(h, text, r), status, code)
	}
}

// TestSpecification: the examples of spec/http.md.
func TestSpecification(t *testing.T) {
	page, err := os.ReadFile("../../spec/http.md")
	if err != nil {
		t.Fatal(err)
	}
	m := mapping(t, httpauth.Route{Pattern: "POST /v1/certs/{name}/rotate", Operation: "rotate", Resource: "payments/certs/{name}", Fields: []string{"days", "reason"}})
	found := regexp.MustCompile("(?s)```http\n(.*?)\n\n(.*?)```\n.*?```json\n(.*?)```").FindAllSubmatch(page, -1)
	if len(found) != 2 {
		t.Fatalf("%d examples", len(found))
	}
	for i, f := range found {
		head := regexp.MustCompile(`(?m)^(Host|Authorization): .*\n?`).ReplaceAllString(string(f[1]), "")
		req, err := mapped(t, []*httpauth.Mapping{nil, m}[i], strings.TrimRight(head, "\n"), strings.TrimRight(string(f[2]), "\n"))
		if err != nil {
			t.Fatal(err)
		}
		want, err := delegation.ParseArgs(f[3])
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]any{"operation": req.Operation, "resources": []any{req.Resource}, "args": req.Args, "body": nil}
		if req.BodyDigest != nil {
			got["body"] = hex.EncodeToString(req.BodyDigest)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("example %d: %v, want %v", i, got, want)
		}
	}
}

// FuzzPath: what is mapped has one spelling, and is what net/http hands to a handler.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{"/a/b", "/a%20b", "/a/%2e%2e/b", "/a/..;/b", "//a", "/a?b=c", "/caf%C3%A9"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		if strings.ContainsAny(target, " \r\n") || !strings.HasPrefix(target, "/") {
			return
		}
		req, err := mapped(t, nil, "GET "+target+" HTTP/1.1", "")
		if err != nil {
			return
		}
		path, _, _ := strings.Cut(target, "?")
		r, err := read(t, "GET "+path+" HTTP/1.1", "")
		if err != nil || r.URL.Path != "/"+req.Resource || r.URL.String() != path {
			t.Errorf("%q is mapped to %q: %v", target, req.Resource, err)
		}
		for segment := range strings.SplitSeq(path, "/") {
			// What is left once a reader has taken the parameters off, and has unescaped.
			segment, _, _ = strings.Cut(segment, ";")
			if clean, err := url.PathUnescape(segment); err != nil || clean == "." || clean == ".." || strings.Contains(clean, ";") {
				t.Errorf("%q is a path to some readers, and another to those who know parameters: %v", target, err)
			}
		}
	})
}
