package gateway_test

import (
	"crypto/sha256"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify/gateway"
	"github.com/whittle-auth/whittle/verify/httpauth"
)

func digestOf(body string) []byte {
	sum := sha256.Sum256([]byte(body))
	return sum[:]
}

// TestDecide: what was invoked is allowed once, and the service behind the proxy learns
// by whom.
func TestDecide(t *testing.T) {
	w := newWorld(t)
	g := w.open(configuration("envoy"))
	text := w.invoke(delegation.Request{Operation: "read", Resource: "docs/caf\u00e9 b", Args: map[string]any{"page": "2"}})
	o := get("/caf%C3%A9%20b?page=2", text)
	a := g.Decide(t.Context(), o)
	if !a.Allowed() {
		t.Fatalf("denied: %s: %s", a.Code, w.log.String())
	}
	action := a.Decision.Action()
	want := http.Header{
		"X-Whittle-Delegator":      {"alice@example.com"},
		"X-Whittle-Agent":          {"agent:ci"},
		"X-Whittle-Operation":      {"read"},
		"X-Whittle-Resource":       {"docs/caf%C3%A9%20b"},
		"X-Whittle-Action":         {fmt.Sprintf("%x", action[:])},
		"X-Whittle-Content-Digest": {"sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"},
	}
	if !reflect.DeepEqual(a.Upstream, want) {
		t.Errorf("upstream %v, want %v", a.Upstream, want)
	}
	if len(a.Upstream) != len(gateway.UpstreamHeaders) {
		t.Error("not all headers are listed")
	}
	if a := g.Decide(t.Context(), o); a.Code != token.CodeReplay || a.Upstream != nil || a.Refusal.Status != 401 {
		t.Errorf("again: %+v", a)
	}
}

// TestNoAgentBound: a header is never empty, so that no proxy leaves the client's own.
func TestNoAgentBound(t *testing.T) {
	w := newWorld(t)
	w.write("agents", "")
	g := w.open(configuration("envoy"))
	if a := g.Decide(t.Context(), get("/a", w.readA())); a.Upstream.Get("X-Whittle-Agent") != "-" {
		t.Errorf("agent %q", a.Upstream)
	}
}

// TestDenied goes through what must not be decided on, or is no good here.
func TestDenied(t *testing.T) {
	w := newWorld(t)
	g := w.open(configuration("envoy"))
	with := func(change func(*gateway.Original)) gateway.Original {
		o := get("/a", w.readA())
		o.Header = o.Header.Clone()
		change(&o)
		return o
	}
	ten := slices.Repeat([]string{"Bearer " + w.readA()}, 10)
	for name, c := range map[string]struct {
		o    gateway.Original
		code token.Code
	}{
		"no peer":               {with(func(o *gateway.Original) { o.Peer = nil }), token.CodeCheckFailed},
		"another peer":          {with(func(o *gateway.Original) { o.Peer = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)} }), token.CodeCheckFailed},
		"a peer of another net": {with(func(o *gateway.Original) { o.Peer = &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)} }), token.CodeCheckFailed},
		"another audience":      {get("/a", w.invoke(delegation.Request{Operation: "read", Resource: "docs/a", Audience: "site:other"})), token.CodeAudience},
		"held":                  {get("/a", w.held.Text()), token.CodeNotPresented},
		"a stranger's root":     {get("/a", newWorld(t).readA()), token.CodeUntrustedRoot},
		"another path":          {get("/b", w.readA()), token.CodeCheckFailed},
		"another query":         {get("/a?page=2", w.readA()), token.CodeCheckFailed},
		"query not mapped":      {get("/a?other=2", w.readA()), token.CodeCheckFailed},
		"no token":              {with(func(o *gateway.Original) { o.Header.Del("Authorization") }), token.CodeNotPresented},
		"ten tokens":            {with(func(o *gateway.Original) { o.Header["Authorization"] = ten }), token.CodeMalformed},
		"another scheme":        {with(func(o *gateway.Original) { o.Header.Set("Authorization", "Basic eDp5") }), token.CodeNotPresented},
		"a megabyte":            {get("/a", strings.Repeat("A", 1<<20)), token.CodeMalformed},
		"another method":        {with(func(o *gateway.Original) { o.Method = "POST" }), token.CodeCheckFailed},
		"lower case":            {with(func(o *gateway.Original) { o.Method = "get" }), token.CodeCheckFailed},
		"no method":             {with(func(o *gateway.Original) { o.Method = "" }), token.CodeCheckFailed},
		"dots":                  {get("/x/../a", w.readA()), token.CodeCheckFailed},
		"encoded dots":          {get("/x/%2e%2e/a", w.readA()), token.CodeCheckFailed},
		"two slashes":           {get("//a", w.readA()), token.CodeCheckFailed},
		"an encoded letter":     {get("/%61", w.readA()), token.CodeCheckFailed},
		"an encoded slash":      {get("/x%2fa", w.readA()), token.CodeCheckFailed},
		"a fragment in a query": {get("/a?page=2#", w.invoke(delegation.Request{Operation: "read", Resource: "docs/a", Args: map[string]any{"page": "2#"}})), token.CodeCheckFailed},
		"dots, parameters":      {get("/x/..;/a", w.readA()), token.CodeCheckFailed},
		"a slash behind":        {get("/a/", w.readA()), token.CodeCheckFailed},
		"a fragment":            {get("/a#b", w.readA()), token.CodeCheckFailed},
		"a backslash":           {get(`/x\..\a`, w.readA()), token.CodeCheckFailed},
		"absolute":              {get("http://docs.example.org/a", w.readA()), token.CodeCheckFailed},
		"no target":             {get("", w.readA()), token.CodeCheckFailed},
		"an asterisk":           {get("*", w.readA()), token.CodeCheckFailed},
		"another host":          {with(func(o *gateway.Original) { o.Host = "other.example.org" }), token.CodeCheckFailed},
		"no host":               {with(func(o *gateway.Original) { o.Host = "" }), token.CodeCheckFailed},
		"a host with a dot":     {with(func(o *gateway.Original) { o.Host = "docs.example.org." }), token.CodeCheckFailed},
		"a kelvin sign":         {with(func(o *gateway.Original) { o.Host = "docs.example.org\u212a" }), token.CodeCheckFailed},
		"our own header":        {with(func(o *gateway.Original) { o.Header.Set("X-Whittle-Agent", "agent:root") }), token.CodeCheckFailed},
		"our header, folded":    {with(func(o *gateway.Original) { o.Header["x_WHITTLE-agent"] = []string{"agent:root"} }), token.CodeCheckFailed},
		"an upgrade":            {with(func(o *gateway.Original) { o.Header.Set("Upgrade", "h2c") }), token.CodeCheckFailed},
		"settings of HTTP/2":    {with(func(o *gateway.Original) { o.Header.Set("HTTP2-Settings", "x") }), token.CodeCheckFailed},
		"a header to be lost":   {with(func(o *gateway.Original) { o.Header.Set("Connection", "close, Content-Digest") }), token.CodeCheckFailed},
	} {
		a := g.Decide(t.Context(), c.o)
		if a.Code != c.code || a.Upstream != nil {
			t.Errorf("%s: %q, want %q", name, a.Code, c.code)
		}
	}
	for _, host := range []string{"docs.example.org", "DOCS.Example.ORG", "docs.example.org:8443"} {
		o := get("/a", w.readA())
		o.Host = host
		if a := g.Decide(t.Context(), o); !a.Allowed() {
			t.Errorf("the host %s is denied: %s", host, a.Code)
		}
	}
	for _, peer := range []net.Addr{
		&net.TCPAddr{IP: net.ParseIP("::ffff:127.0.0.1")}, &net.TCPAddr{IP: net.ParseIP("::1"), Zone: "lo"},
		&net.TCPAddr{IP: net.IPv4(10, 255, 0, 1)}, &net.UnixAddr{Net: "unix"},
	} {
		o := get("/a", w.readA())
		o.Peer = peer
		if a := g.Decide(t.Context(), o); !a.Allowed() {
			t.Errorf("the peer %s is denied: %s", peer, a.Code)
		}
	}
	if strings.Contains(w.log.String(), "Bearer ") || strings.Contains(w.log.String(), ten[0][7:]) {
		t.Error("the log has a token")
	}
}

// TestBodies: a body counts by its digest or not at all, and the service is told which
// was decided on.
func TestBodies(t *testing.T) {
	w := newWorld(t)
	g := w.open(configuration("envoy"))
	hello := digestOf("hello")
	put := func(signed []byte, body gateway.Body, digests ...string) gateway.Original {
		o := get("/a", w.invoke(delegation.Request{Operation: "write", Resource: "docs/a", BodyDigest: signed}))
		o.Method, o.Body = "PUT", body
		if digests != nil {
			o.Header["Content-Digest"] = digests
		}
		return o
	}
	// What the agent signed agrees with what it says: the route alone takes no body.
	read := func(signed []byte, body gateway.Body, digests ...string) gateway.Original {
		o := get("/a", w.invoke(delegation.Request{Operation: "read", Resource: "docs/a", BodyDigest: signed}))
		o.Body = body
		o.Header["Content-Digest"] = digests
		return o
	}
	stated := httpauth.ContentDigest(hello)
	empty := httpauth.ContentDigest(digestOf(""))
	announced := gateway.Body{Announced: true}
	for name, c := range map[string]struct {
		o    gateway.Original
		told string // empty where it is denied
	}{
		"by its digest":               {put(hello, announced, stated), stated},
		"by its digest, hidden":       {put(hello, gateway.Body{}, stated), stated},
		"known":                       {put(hello, gateway.Body{Known: true, Bytes: []byte("hello")}), stated},
		"none":                        {put(nil, gateway.Body{}), empty},
		"none, and its digest":        {put(nil, gateway.Body{}, empty), empty},
		"known to be none":            {put(nil, gateway.Body{Known: true}), empty},
		"another is known":            {put(hello, gateway.Body{Known: true, Bytes: []byte("hallo")}, stated), ""},
		"another was signed":          {put(digestOf("hallo"), announced, stated), ""},
		"none was signed":             {put(nil, announced, stated), ""},
		"without a digest":            {put(nil, announced), ""},
		"without a digest, signed":    {put(hello, announced), ""},
		"hidden, signed":              {put(hello, gateway.Body{}), ""},
		"said to be empty":            {put(nil, announced, empty), ""},
		"two digests":                 {put(hello, announced, stated, stated), ""},
		"two in one":                  {put(hello, announced, stated+", "+stated), ""},
		"another algorithm":           {put(hello, announced, strings.Replace(stated, "256", "512", 1)), ""},
		"another besides":             {put(hello, announced, stated+", sha-512=:AA==:"), ""},
		"parameters":                  {put(hello, announced, stated+";a"), ""},
		"no digest in it":             {put(hello, announced, "sha-256=::"), ""},
		"an empty value":              {put(hello, announced, ""), ""},
		"unpadded":                    {put(hello, announced, strings.Replace(stated, "=:", ":", 1)), ""},
		"a line break in it":          {put(hello, announced, stated[:20]+"\n"+stated[20:]), ""},
		"a route without a body":      {read(nil, gateway.Body{}), empty},
		"there, the empty digest":     {read(nil, gateway.Body{}, empty), empty},
		"there, a digest":             {read(hello, gateway.Body{}, stated), ""},
		"there, announced":            {read(nil, announced), ""},
		"there, announced, but empty": {read(nil, announced, empty), ""},
		"there, known":                {read(hello, gateway.Body{Known: true, Bytes: []byte("hello")}), ""},
	} {
		a := g.Decide(t.Context(), c.o)
		if got := a.Upstream.Get(httpauth.DecidedDigest); got != c.told || a.Allowed() != (c.told != "") {
			t.Errorf("%s: code %q, the service is told %q, want %q", name, a.Code, got, c.told)
		}
	}
}

// TestFields: where the proxy hands a body over, a route may read arguments out of it.
func TestFields(t *testing.T) {
	w := newWorld(t, delegation.ArgRange{Arg: "pages", Min: 1, Max: 9})
	g := w.open(configuration("envoy") + `
[[route]]
match = "POST /print"
operation = "write"
resource = "docs/print"
body = "digest"
fields = ["pages"]
`)
	print := func(body string) gateway.Original {
		o := get("/print", w.invoke(delegation.Request{Operation: "write", Resource: "docs/print", Args: map[string]any{"pages": 3}}))
		o.Method, o.Body = "POST", gateway.Body{Known: true, Bytes: []byte(body)}
		o.Header.Set("Content-Type", "application/json")
		return o
	}
	hidden := print("")
	hidden.Body = gateway.Body{Announced: true}
	hidden.Header.Set("Content-Digest", httpauth.ContentDigest(digestOf(`{"pages": 3}`)))
	for name, c := range map[string]struct {
		o    gateway.Original
		code token.Code
	}{
		"as invoked": {print(`{"pages": 3}`), ""},
		"more":       {print(`{"pages": 4}`), token.CodeCheckFailed},
		"twice":      {print(`{"pages": 3, "pages": 3}`), token.CodeCheckFailed},
		"others":     {print(`{"pages": 3, "copies": 2}`), token.CodeCheckFailed},
		"none":       {print(""), token.CodeCheckFailed},
		"hidden":     {hidden, token.CodeCheckFailed},
	} {
		if a := g.Decide(t.Context(), c.o); a.Code != c.code {
			t.Errorf("%s: %q, want %q: %s", name, a.Code, c.code, w.log.String())
		}
	}
}
