package gateway

import (
	"fmt"
	"maps"
	"net/http"
)

// A dialect is how a proxy tells of the request that came to it.
type dialect struct {
	name string
	// method, uri and host name the headers that say so; host may be empty.
	method, uri, host string
	// also names headers that must be there besides, exactly once.
	also []string
	// framing names the one that says what the client's headers told of a body, upgrade
	// the one that says whether they ask for another protocol, where the proxy does not
	// pass that on by itself.
	framing, upgrade string
	// body says that the proxy can hand the body over.
	body bool
}

var dialects = []dialect{
	{name: "nginx", method: "X-Original-Method", uri: "X-Original-Uri", host: "X-Original-Host", framing: "X-Original-Body", upgrade: "X-Original-Upgrade"},
	{name: "caddy", method: "X-Forwarded-Method", uri: "X-Forwarded-Uri", host: "X-Forwarded-Host", also: []string{"X-Forwarded-Host", "X-Forwarded-Proto"}},
	{name: "traefik", method: "X-Forwarded-Method", uri: "X-Forwarded-Uri", host: "X-Forwarded-Host", also: []string{"X-Forwarded-Host", "X-Forwarded-Proto"}},
	{name: "envoy", body: true},
}

func dialectOf(name string) (dialect, error) {
	for _, d := range dialects {
		if d.name == name {
			return d, nil
		}
	}
	return dialect{}, fmt.Errorf("proxy is nginx, caddy, traefik or envoy: how the request is told")
}

// ForwardAuth returns the handler that a proxy asks about each request, by nginx's
// auth_request, Caddy's forward_auth or Traefik's ForwardAuth, whichever the
// configuration names. It answers 200 with the headers of [Answer].Upstream, or with the
// refusal. A request of another proxy, of another dialect or of a mixture is denied.
//
// It never reads a body. The server must bound the time that reading a request takes, and
// the size of its headers.
func ForwardAuth(g *Gateway) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			// Else the server waits for a body that a proxy announced and keeps back.
			w.Header().Set("Connection", "close")
		}
		a := g.forward(r)
		if !a.Allowed() {
			a.Refusal.Write(w)
			return
		}
		maps.Copy(w.Header(), a.Upstream)
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusOK)
	})
}

func (g *Gateway) forward(r *http.Request) *Answer {
	rules := g.rules()
	o := Original{Peer: PeerOf(r), Method: r.Method, URI: r.RequestURI}
	if rules != nil {
		o.unclear = rules.dialect.read(r, &o)
	}
	return g.answer(r.Context(), rules, &o)
}

// read takes the original request out of the one that the proxy made. What came from
// whom cannot be told of a request that has a header twice, or those of two dialects.
func (d *dialect) read(r *http.Request, o *Original) error {
	if d.uri == "" {
		return fmt.Errorf("the configuration is for %s, which does not ask over HTTP", d.name)
	}
	for _, other := range dialects {
		for _, name := range []string{other.method, other.uri, other.framing, other.upgrade, "X-Original-Url", "X-Rewrite-Url"} {
			if name != d.method && name != d.uri && name != d.framing && name != d.upgrade && len(r.Header.Values(name)) > 0 {
				return fmt.Errorf("the request has %s, of which %s knows nothing", name, d.name)
			}
		}
	}
	for _, name := range d.needed() {
		if n := len(r.Header.Values(name)); n != 1 {
			return fmt.Errorf("the request has %d headers %s, and needs one", n, name)
		}
	}
	if len(r.Header.Values(d.host)) > 1 {
		return fmt.Errorf("the request has several headers %s", d.host)
	}
	if d.upgrade != "" && r.Header.Get(d.upgrade) != "upgrade=" {
		return fmt.Errorf("the request asks for another protocol, which is not decided on")
	}
	o.Method, o.URI, o.Host = r.Header.Get(d.method), r.Header.Get(d.uri), r.Header.Get(d.host)
	o.Header = r.Header
	o.Body.Announced = r.ContentLength != 0 || d.framing != "" && !noBody(r.Header.Get(d.framing))
	return nil
}

func (d *dialect) needed() []string {
	names := []string{d.method, d.uri}
	for _, name := range []string{d.framing, d.upgrade} {
		if name != "" {
			names = append(names, name)
		}
	}
	return append(names, d.also...)
}

// noBody reports whether the headers that the client sent with its request, as nginx tells
// of them, announce no body.
func noBody(framing string) bool {
	return framing == "length= encoding=" || framing == "length=0 encoding="
}
