package gateway

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzConfig: reading a configuration ends, and what is accepted has the line of each of
// its keys.
func FuzzConfig(f *testing.F) {
	for _, seed := range []string{
		"", "audience = \"a\"\n", "[limits]\nmax_ttl = \"1h\"\n", "[[route]]\nmatch = \"GET /a\"\nquery = [\"b\"]\n[[route]]\n",
		"limits.facts = 7\n", "limits = {}\n", "route = [[]]\n", "\"audience\" = 'x'\n", "server.listen = \"\"\"\na\"\"\"\n", "a.b.c.d = 1\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSource("file", []byte(text))
		if err != nil {
			if e, ok := err.(*ConfigError); !ok || e.Line < 1 || e.Line > 1+strings.Count(text, "\n") {
				t.Fatalf("%v names no line", err)
			}
			return
		}
		if s.Audience != "" && s.lines["audience"] == 0 {
			t.Fatal("audience has no line")
		}
		for i, r := range s.Routes {
			if s.lines.of("route", i+1) == 0 || r.Match != "" && s.lines[keyName([]any{"route", i + 1, "match"})] == 0 {
				t.Fatalf("route %d has no line", i+1)
			}
		}
	})
}

// FuzzForwarded: what a dialect makes of headers is what stands in each of them once.
func FuzzForwarded(f *testing.F) {
	f.Add("nginx", "X-Original-Uri: /a\nX-Original-Method: GET\nX-Original-Body: length= encoding=\nX-Original-Upgrade: upgrade=")
	f.Add("caddy", "X-Forwarded-Uri: /a\nX-Forwarded-Method: GET\nX-Forwarded-Host: x\nX-Forwarded-Proto: http")
	f.Add("traefik", "X-Forwarded-Uri: /a\nX-Original-Uri: /b")
	f.Fuzz(func(t *testing.T, proxy, headers string) {
		d, err := dialectOf(proxy)
		if err != nil {
			return
		}
		r := httptest.NewRequest("GET", "/auth", nil)
		given := map[string]int{}
		for line := range strings.Lines(headers) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			r.Header.Add(name, value)
			given[http.CanonicalHeaderKey(name)]++
		}
		o := &Original{}
		if d.read(r, o) != nil {
			return
		}
		if given[d.method] != 1 || given[d.uri] != 1 || given[d.host] > 1 || d.name == "nginx" && (given["X-Original-Body"] != 1 || r.Header.Get("X-Original-Upgrade") != "upgrade=") {
			t.Fatalf("%v was read as %+v", r.Header, o)
		}
		if given["X-Original-Uri"] > 0 && given["X-Forwarded-Uri"] > 0 {
			t.Fatal("two dialects at a time")
		}
	})
}
