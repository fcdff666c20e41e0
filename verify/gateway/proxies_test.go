package gateway_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify/gateway"
	"github.com/whittle-auth/whittle/verify/httpauth"
)

func TestCaddy(t *testing.T) { throughProxy(t, caddy(t)) }

func TestNginx(t *testing.T) {
	s := nginx(t)
	throughProxy(t, s)
	t.Run("internal redirect", func(t *testing.T) {
		text := s.invoke(delegation.Request{Operation: "read", Resource: "docs/again/a"})
		if status, header, _ := s.send(t, headers("GET /again/a", text), ""); status != 401 || !strings.Contains(header.Get("WWW-Authenticate"), "replay") {
			t.Errorf("%d %v", status, header)
		}
	})
	t.Run("named location", func(t *testing.T) {
		text := s.invoke(delegation.Request{Operation: "read", Resource: "docs/once/x"})
		if status, _, body := s.send(t, headers("GET /once/x", s.readA()), ""); status != 403 || strings.Contains(body, "nothing") {
			t.Errorf("denied: %d %s", status, body)
		}
		if status, _, body := s.send(t, headers("GET /once/x", text), ""); status != 404 || body != "nothing is there" {
			t.Errorf("allowed: %d %s", status, body)
		}
		if status, _, _ := s.send(t, headers("GET /once/x", text), ""); status != 401 {
			t.Errorf("again: %d", status)
		}
	})
}

// TestNginxForgets: whoever forgets a line of nginx's configuration notices, since honest
// requests are denied then.
func TestNginxForgets(t *testing.T) {
	needs(t, "nginx")
	s, values := newStand(t, "nginx")
	whole, err := os.ReadFile(s.fill(t, "nginx.conf", values))
	if err != nil {
		t.Fatal(err)
	}
	removed := 0
	for line := range strings.Lines(string(whole)) {
		if !strings.Contains(line, "proxy_set_header X-Original-") {
			continue
		}
		removed++
		t.Run(strings.Fields(line)[1], func(t *testing.T) {
			for _, socket := range []string{"http1", "http2"} {
				os.Remove(filepath.Join(s.dir, socket))
			}
			s.write("nginx.conf", strings.Replace(string(whole), line, "", 1))
			s.nginx(t, filepath.Join(s.dir, "nginx.conf"))
			if status, _, body := s.send(t, headers("GET /a", s.readA()), ""); status != 403 {
				t.Errorf("%d %s", status, body)
			}
		})
	}
	if removed != 5 {
		t.Errorf("%d lines were removed", removed)
	}
}

// throughProxy sends what is allowed and what is not through a real proxy.
func throughProxy(t *testing.T, s *stand) {
	t.Run("site", func(t *testing.T) { theSite(t, s) })
	t.Run("service", func(t *testing.T) { theService(t, s) })
	t.Run("bodies", func(t *testing.T) { bodiesThrough(t, s) })
	t.Run("slow", func(t *testing.T) { slowClient(t, s) })
	if strings.Contains(s.log.String(), "Bearer ") {
		t.Error("the log has a token")
	}
}

func theSite(t *testing.T, s *stand) {
	text := s.readA()
	if status, _, body := s.send(t, headers("GET /a", text), ""); status != 200 || body != "the file a" {
		t.Fatalf("%d %s: %s", status, body, s.log.String())
	}
	if status, header, body := s.send(t, headers("GET /a", text), ""); status != 401 || !strings.Contains(header.Get("WWW-Authenticate"), "replay") || strings.Contains(body, "file") {
		t.Errorf("again: %d %v %s", status, header, body)
	}
	read := func(path string) string {
		return s.invoke(delegation.Request{Operation: "read", Resource: path})
	}
	for name, c := range map[string]struct {
		head   string
		status int
	}{
		"no token":            {strings.Split(headers("GET /a", "x"), "\nAuthorization")[0], 401},
		"rubbish":             {headers("GET /a", "x"), 401},
		"another's file":      {headers("GET /b", s.readA()), 403},
		"another audience":    {headers("GET /a", s.invoke(delegation.Request{Operation: "read", Resource: "docs/a", Audience: "site:other"})), 401},
		"dots":                {headers("GET /x/../a", s.readA()), 403},
		"dots to another":     {headers("GET /a/../b", s.readA()), 403},
		"encoded dots":        {headers("GET /x/%2e%2e/a", s.readA()), 403},
		"an encoded slash":    {headers("GET /a%2f..%2fb", s.readA()), 403},
		"two slashes":         {headers("GET //a", s.readA()), 403},
		"an encoded letter":   {headers("GET /%61", s.readA()), 403},
		"a fragment":          {headers("GET /b#/../a", s.readA()), 403},
		"a query":             {headers("GET /a?x=1", s.readA()), 403},
		"another method":      {headers("POST /a", s.readA()), 403},
		"a method of itself":  {headers("GET /b", s.readA(), "X-Original-Method: GET", "X-Original-URI: /a"), 403},
		"a URI of itself":     {headers("GET /b", s.readA(), "X-Original-URI: /a"), 403},
		"URL of itself":       {headers("GET /b", s.readA(), "X-Original-URL: /a"), 403},
		"forwarded by itself": {headers("GET /b", s.readA(), "X-Forwarded-Method: GET", "X-Forwarded-Uri: /a", "X-Forwarded-Host: docs.example.org", "X-Forwarded-Proto: http"), 403},
		"forwarded for":       {headers("GET /b", s.readA(), "X-Forwarded-For: 127.0.0.1", "Forwarded: for=127.0.0.1"), 403},
		"hop by hop":          {headers("GET /b", s.readA(), "Connection: X-Original-URI, X-Forwarded-Uri, X-Forwarded-Method"), 403},
		"a host of its own":   {strings.Replace(headers("GET /a", s.readA()), "docs.example.org", "other.example.org", 1), 403},
		"a host in capitals":  {strings.Replace(headers("GET /a", s.readA()), "docs.example.org", "DOCS.Example.org", 1), 200},
		"a range":             {headers("GET /a", s.readA(), "Range: bytes=0-2"), 206},
		"absolute":            {headers("GET http://docs.example.org/b", s.readA()), 403},
		"a path of the agent": {headers("GET /notes/../a", read("docs/a")), 403},
	} {
		status, header, body := s.send(t, c.head, "")
		if status != c.status || status >= 400 && strings.Contains(body, "the file") {
			t.Errorf("%s: %d %s, want %d", name, status, body, c.status)
		}
		if status >= 400 && (strings.Contains(body, "alice") || strings.Contains(header.Get("WWW-Authenticate"), "docs")) {
			t.Errorf("%s: a reason leaks: %v %s", name, header, body)
		}
	}
	ten := headers("GET /a", s.readA()) + strings.Repeat("\nAuthorization: Bearer "+s.readA(), 9)
	if status, _, body := s.send(t, ten, ""); status < 400 || status >= 500 || strings.Contains(body, "the file") {
		t.Errorf("ten tokens: %d %s", status, body)
	}
	// Whichever of the two it is that refuses, nothing is served.
	if status, _, body := s.send(t, headers("GET /a", strings.Repeat("A", 1<<20)), ""); status < 400 || strings.Contains(body, "the file") {
		t.Errorf("a megabyte: %d %s", status, body)
	}
}

// TestCaddyForgets: what Caddy's configuration takes away before it asks, the gateway
// denies.
func TestCaddyForgets(t *testing.T) {
	s := caddyWith(t, "request_header -Upgrade", "request_header -HTTP2-Settings")
	upgrade := strings.Replace(headers("GET /reports/1", s.invoke(delegation.Request{Operation: "read", Resource: "docs/reports/1"}), tunnel), "Connection: close\n", "", 1)
	if status, _, _ := s.send(t, upgrade, ""); status != 403 || len(s.took()) != 0 {
		t.Errorf("an upgrade: %d", status)
	}
}

// tunnel asks for another protocol on the same connection. Caddy itself answers those
// who ask for h2c here, since its configuration speaks that, and passes on the others.
const tunnel = "Connection: Upgrade, HTTP2-Settings\nUpgrade: websocket\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"

// theService learns by whom it is asked from the gateway alone, and sees no token.
func theService(t *testing.T, s *stand) {
	report := func() string {
		return s.invoke(delegation.Request{Operation: "read", Resource: "docs/reports/1"})
	}
	for _, path := range []string{"/reports/1", "/notes/1"} {
		text := s.invoke(delegation.Request{Operation: "read", Resource: "docs" + path})
		if status, _, _ := s.send(t, headers("GET "+path, text, "x-custom: kept"), ""); status != 200 {
			t.Fatalf("%s: %d: %s", path, status, s.log.String())
		}
		took := s.took()
		if len(took) != 1 || took[0].path != path {
			t.Fatalf("%s: the service got %+v", path, took)
		}
		h := took[0].header
		if h.Get("X-Whittle-Agent") != "agent:ci" || h.Get("X-Whittle-Resource") != "docs"+path || h.Get("X-Custom") != "kept" || h["Authorization"] != nil {
			t.Errorf("%s: the service got %v", path, h)
		}
		for _, name := range gateway.UpstreamHeaders {
			if len(h[name]) != 1 {
				t.Errorf("%s: %s is %q", path, name, h[name])
			}
		}
	}
	for _, forged := range []string{"X-Whittle-Agent: agent:root", "X-Whittle-Delegator: root@example.com", "x_whittle_agent: agent:root", "X-WHITTLE-Content-Digest: " + httpauth.ContentDigest(digestOf("x"))} {
		status, _, _ := s.send(t, headers("GET /reports/1", report(), forged), "")
		took := s.took()
		// A proxy may take the header away, or the gateway denies.
		if status != 403 && (status != 200 || len(took) != 1 || took[0].header.Get("X-Whittle-Agent") != "agent:ci" || took[0].header.Get("X-Whittle-Delegator") != "alice@example.com" ||
			took[0].header["X_whittle_agent"] != nil || took[0].header.Get(httpauth.DecidedDigest) != httpauth.ContentDigest(digestOf(""))) {
			t.Errorf("%s: %d, the service got %+v", forged, status, took)
		}
	}
	// The proxy takes the wish away, or the gateway denies.
	upgrade := strings.Replace(headers("GET /reports/1", report(), tunnel), "Connection: close\n", "", 1)
	status, _, _ := s.send(t, upgrade, "")
	if took := s.took(); status != 403 && (status != 200 || len(took) != 1 || took[0].header["Upgrade"] != nil || took[0].header["Http2-Settings"] != nil) {
		t.Errorf("an upgrade: %d, the service got %+v", status, took)
	}
	if status, _, _ := s.send(t, headers("GET /reports/1", report(), "Connection: X-Whittle-Agent, X-Whittle-Content-Digest"), ""); status == 200 {
		for _, took := range s.took() {
			if agent := took.header.Get("X-Whittle-Agent"); agent != "" && agent != "agent:ci" {
				t.Errorf("the service got the agent %q", agent)
			}
		}
	}
}

// bodiesThrough: a body gets to the service if it is the one that was invoked, whatever
// the proxy hides of it.
func bodiesThrough(t *testing.T, s *stand) {
	note := func(signed string) string {
		req := delegation.Request{Operation: "write", Resource: "docs/1"}
		if signed != "" {
			req.BodyDigest = digestOf(signed)
		}
		return s.invoke(req)
	}
	hello := "Content-Digest: " + httpauth.ContentDigest(digestOf("hello"))
	for name, c := range map[string]struct {
		signed string
		more   []string
		body   string
		taken  string // empty where nothing must be taken
	}{
		"invoked":             {"hello", []string{hello, "Content-Length: 5"}, "hello", "hello"},
		"chunked":             {"hello", []string{hello, "Transfer-Encoding: chunked"}, "5\r\nhello\r\n0\r\n\r\n", "hello"},
		"changed":             {"hello", []string{hello, "Content-Length: 5"}, "hallo", ""},
		"changed, chunked":    {"hello", []string{hello, "Transfer-Encoding: chunked"}, "5\r\nhallo\r\n0\r\n\r\n", ""},
		"another signed":      {"hallo", []string{hello, "Content-Length: 5"}, "hello", ""},
		"no digest":           {"hello", []string{"Content-Length: 5"}, "hello", ""},
		"none invoked":        {"", []string{"Content-Length: 5"}, "hello", ""},
		"none, chunked":       {"", []string{"Transfer-Encoding: chunked"}, "5\r\nhello\r\n0\r\n\r\n", ""},
		"none, hidden digest": {"", []string{"Content-Length: 5", "Connection: Content-Digest", hello}, "hello", ""},
		"two digests":         {"hello", []string{hello, hello, "Content-Length: 5"}, "hello", ""},
		"digest of another":   {"hello", []string{hello, "Content-Length: 11"}, "hello world", ""},
		"length and chunked":  {"hello", []string{hello, "Content-Length: 3", "Transfer-Encoding: chunked"}, "5\r\nhallo\r\n0\r\n\r\n", ""},
		"two lengths":         {"hello", []string{hello, "Content-Length: 5", "Content-Length: 6"}, "hello!", ""},
		"a signed length":     {"hello", []string{hello, "Content-Length: +5"}, "hello", ""},
		"a lower coding":      {"hello", []string{hello, "Transfer-Encoding: xchunked"}, "5\r\nhallo\r\n0\r\n\r\n", ""},
	} {
		status, _, _ := s.send(t, headers("PUT /notes/1", note(c.signed), c.more...), c.body)
		took := s.took()
		if c.taken == "" {
			if len(took) != 0 || status < 400 {
				t.Errorf("%s: %d, the service got %+v", name, status, took)
			}
		} else if len(took) != 1 || took[0].body != c.taken || status != 200 {
			t.Errorf("%s: %d, the service got %+v: %s", name, status, took, s.log.String())
		}
	}
	// The service under /reports takes no bodies, and checks nothing.
	post := func() string {
		return s.invoke(delegation.Request{Operation: "write", Resource: "docs/reports/1"})
	}
	for name, c := range map[string]struct{ more, body string }{
		"length":    {"Content-Length: 5", "hello"},
		"chunked":   {"Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n"},
		"digest":    {hello + "\nContent-Length: 5", "hello"},
		"no length": {"Content-Length: 0", "GET /reports/2 HTTP/1.1\r\nHost: x\r\n\r\n"},
	} {
		s.send(t, headers("POST /reports/1", post(), c.more), c.body)
		for _, took := range s.took() {
			if took.body != "" || took.path != "/reports/1" {
				t.Errorf("%s: the service got %+v", name, took)
			}
		}
	}
	// HTTP/2 needs no header for a body.
	for name, c := range map[string]struct{ method, path, text, digest, taken string }{
		"hidden from notes":   {"PUT", "/notes/1", note(""), "", ""},
		"hidden from reports": {"POST", "/reports/1", post(), "", ""},
		"by its digest":       {"PUT", "/notes/1", note("hello"), httpauth.ContentDigest(digestOf("hello")), "hello"},
	} {
		r, err := http.NewRequest(c.method, "http://docs.example.org"+c.path, io.MultiReader(strings.NewReader("hello"))) // of a length that is not known
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+c.text)
		if c.digest != "" {
			r.Header.Set("Content-Digest", c.digest)
		}
		res, err := s.http2.Do(r)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		res.Body.Close()
		if res.ProtoMajor != 2 {
			t.Fatalf("%s: %s", name, res.Proto)
		}
		got := ""
		for _, took := range s.took() {
			got += took.body
		}
		if got != c.taken {
			t.Errorf("%s: the service got %q, want %q (%d): %s", name, got, c.taken, res.StatusCode, s.log.String())
		}
	}
}

// slowClient: one that never ends its request holds nobody else up.
func slowClient(t *testing.T, s *stand) {
	conn, err := s.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "PUT /notes/1 HTTP/1.1\r\nHost: docs.example.org\r\nContent-Length: 100\r\nAuthorization: Bea"); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := s.send(t, headers("GET /a", s.readA()), ""); status != 200 {
		t.Errorf("%d", status)
	}
	if len(s.took()) != 0 {
		t.Error("half a request was served")
	}
}
