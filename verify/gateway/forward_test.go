package gateway_test

import (
	"context"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify/gateway"
	"github.com/whittle-auth/whittle/verify/httpauth"
)

// asked is what each proxy asks about GET /a.
var asked = map[string]http.Header{
	"nginx": {
		"X-Original-Method": {"GET"}, "X-Original-Uri": {"/a"}, "X-Original-Host": {"docs.example.org"},
		"X-Original-Body": {"length= encoding="}, "X-Original-Upgrade": {"upgrade="},
	},
	"caddy": {
		"X-Forwarded-Method": {"GET"}, "X-Forwarded-Uri": {"/a"}, "X-Forwarded-Host": {"docs.example.org"},
		"X-Forwarded-Proto": {"https"}, "X-Forwarded-For": {"192.0.2.7"},
	},
	"traefik": {
		"X-Forwarded-Method": {"GET"}, "X-Forwarded-Uri": {"/a"}, "X-Forwarded-Host": {"docs.example.org"},
		"X-Forwarded-Proto": {"http"}, "X-Forwarded-For": {"192.0.2.7"}, "X-Forwarded-Port": {"80"},
		"X-Forwarded-Server": {"traefik"}, "X-Real-Ip": {"192.0.2.7"},
	},
}

// ask asks the gateway as a proxy does. A change to the headers comes last.
func ask(w *world, h http.Handler, from, proxy, text string, changes http.Header) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(w.t.Context(), "GET", "/auth", nil)
	r.RemoteAddr = from
	r.Header = maps.Clone(asked[proxy])
	r.Header.Set("Authorization", "Bearer "+text)
	for name, values := range changes {
		if values == nil {
			delete(r.Header, name)
		} else {
			r.Header[name] = values
		}
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

const trusted = "127.0.0.1:4711"

// TestForwardAuth: each dialect, and nothing that does not say clearly what was asked.
func TestForwardAuth(t *testing.T) {
	for proxy, headers := range asked {
		t.Run(proxy, func(t *testing.T) {
			w := newWorld(t)
			h := gateway.ForwardAuth(w.open(configuration(proxy)))
			text := w.readA()
			rec := ask(w, h, trusted, proxy, text, nil)
			if rec.Code != 200 || rec.Header().Get("X-Whittle-Delegator") != "alice@example.com" {
				t.Fatalf("status %d, %v: %s", rec.Code, rec.Header(), w.log.String())
			}
			for _, name := range gateway.UpstreamHeaders {
				if len(rec.Header()[name]) != 1 || rec.Header().Get(name) == "" {
					t.Errorf("%s is %q", name, rec.Header()[name])
				}
			}
			if rec := ask(w, h, trusted, proxy, text, nil); rec.Code != 401 || rec.Body.String() != "{\"code\":\"replay\"}\n" {
				t.Errorf("again: %d %s", rec.Code, rec.Body)
			}
			denied := func(name, from string, changes http.Header) {
				t.Helper()
				rec := ask(w, h, from, proxy, w.readA(), changes)
				if rec.Code != 403 || rec.Body.String() != "{\"code\":\"check_failed\"}\n" || rec.Header().Get("X-Whittle-Agent") != "" {
					t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
				}
			}
			denied("from elsewhere", "192.0.2.1:4711", nil)
			denied("from nowhere", "", nil)
			for name := range headers {
				switch name {
				case "X-Forwarded-For", "X-Forwarded-Port", "X-Forwarded-Server", "X-Real-Ip":
					continue // nothing is decided on these
				}
				denied("without "+name, trusted, http.Header{name: nil})
				denied("two of "+name, trusted, http.Header{name: {headers.Get(name), headers.Get(name)}})
				denied("another and "+name, trusted, http.Header{name: {"/b", headers.Get(name)}})
				if name != "X-Forwarded-Proto" {
					denied("empty "+name, trusted, http.Header{name: {""}})
				}
			}
			for other, theirs := range asked {
				for name, value := range theirs {
					if strings.HasSuffix(name, "-Method") || strings.HasSuffix(name, "-Uri") || name == "X-Original-Body" || name == "X-Original-Upgrade" {
						if _, own := headers[name]; !own {
							denied(name+" of "+other, trusted, http.Header{name: value})
						}
					}
				}
			}
			denied("X-Original-Url", trusted, http.Header{"X-Original-Url": {"/a"}})
			denied("X-Rewrite-Url", trusted, http.Header{"X-Rewrite-Url": {"/a"}})
			denied("an upgrade", trusted, http.Header{"Connection": {"Upgrade"}, "Upgrade": {"h2c"}})
			if proxy == "nginx" {
				denied("an upgrade that nginx tells of", trusted, http.Header{"X-Original-Upgrade": {"upgrade=h2c"}})
			}
		})
	}
}

// TestReplayAcrossHandlers: what one handler of a gateway has let through, another does
// not.
func TestReplayAcrossHandlers(t *testing.T) {
	w := newWorld(t)
	g := w.open(configuration("caddy"))
	text := w.readA()
	if rec := ask(w, gateway.ForwardAuth(g), trusted, "caddy", text, nil); rec.Code != 200 {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	if rec := ask(w, gateway.ForwardAuth(g), trusted, "caddy", text, nil); rec.Code != 401 || !strings.Contains(rec.Body.String(), "replay") {
		t.Errorf("by another handler: %d %s", rec.Code, rec.Body)
	}
}

// TestForwardAuthBodies: what announces a body needs a digest of it.
func TestForwardAuthBodies(t *testing.T) {
	w := newWorld(t)
	stated := httpauth.ContentDigest(digestOf("hello"))
	put := func() string {
		return w.invoke(delegation.Request{Operation: "write", Resource: "docs/a", BodyDigest: digestOf("hello")})
	}
	for proxy := range asked {
		t.Run(proxy, func(t *testing.T) {
			w.log = lockedBuffer{}
			h := gateway.ForwardAuth(w.open(configuration(proxy)))
			method := "X-Forwarded-Method"
			framing := []string(nil)
			if proxy == "nginx" {
				method, framing = "X-Original-Method", []string{"length=5 encoding="}
			}
			with := func(digest []string) http.Header {
				c := http.Header{method: {"PUT"}, "Content-Digest": digest}
				if framing != nil {
					c["X-Original-Body"] = framing
				}
				return c
			}
			if rec := ask(w, h, trusted, proxy, put(), with([]string{stated})); rec.Code != 200 || rec.Header().Get(httpauth.DecidedDigest) != stated {
				t.Errorf("by its digest: %d %v %s", rec.Code, rec.Header(), w.log.String())
			}
			if rec := ask(w, h, trusted, proxy, put(), with(nil)); rec.Code != 403 {
				t.Errorf("without a digest: %d", rec.Code)
			}
			if rec := ask(w, h, trusted, proxy, put(), with([]string{httpauth.ContentDigest(digestOf("hallo"))})); rec.Code != 403 {
				t.Errorf("another digest: %d", rec.Code)
			}
			// The proxy asks with a body of its own, or with the client's Content-Length.
			for name, length := range map[string]int64{"a length": 5, "chunked": -1} {
				r := httptest.NewRequestWithContext(t.Context(), "GET", "/auth", nil)
				r.RemoteAddr, r.ContentLength = trusted, length
				r.Header = maps.Clone(asked[proxy])
				r.Header.Set("Authorization", "Bearer "+w.readA())
				rec := httptest.NewRecorder()
				h.ServeHTTP(rec, r)
				if rec.Code != 403 || rec.Header().Get("Connection") != "close" {
					t.Errorf("%s: %d, %v", name, rec.Code, rec.Header())
				}
			}
		})
	}
	h := gateway.ForwardAuth(w.open(configuration("nginx")))
	for framing, status := range map[string]int{
		"length= encoding=": 200, "length=0 encoding=": 200, "length=1 encoding=": 403, "length=00 encoding=": 403,
		"length= encoding=chunked": 403, "length=0 encoding=chunked": 403, "length=": 403, "none": 403, "": 403,
	} {
		if rec := ask(w, h, trusted, "nginx", w.readA(), http.Header{"X-Original-Body": {framing}}); rec.Code != status {
			t.Errorf("%q: %d", framing, rec.Code)
		}
	}
}

// TestUnixSocket: whoever may open the socket is trusted by name only.
func TestUnixSocket(t *testing.T) {
	for config, code := range map[string]int{
		configuration("caddy"): 200,
		strings.Replace(configuration("caddy"), `, "unix"`, "", 1): 403,
	} {
		w := newWorld(t)
		listener, err := net.Listen("unix", w.dir+"/s")
		if err != nil {
			t.Fatal(err)
		}
		srv := &httptest.Server{Listener: listener, Config: &http.Server{Handler: gateway.ForwardAuth(w.open(config))}}
		srv.Start()
		client := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			return net.Dial("unix", w.dir+"/s")
		}}}
		r, err := http.NewRequest("GET", "http://gateway/auth", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = maps.Clone(asked["caddy"])
		r.Header.Set("Authorization", "Bearer "+w.readA())
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != code {
			t.Errorf("status %d, want %d", res.StatusCode, code)
		}
		client.CloseIdleConnections()
		srv.Close()
	}
}

// TestEnvoyDoesNotForward: a configuration for Envoy's protocol answers nobody over HTTP.
func TestEnvoyDoesNotForward(t *testing.T) {
	w := newWorld(t)
	h := gateway.ForwardAuth(w.open(configuration("envoy")))
	rec := ask(w, h, trusted, "caddy", w.readA(), nil)
	if rec.Code != 403 || !strings.Contains(rec.Body.String(), string(token.CodeCheckFailed)) {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}
