package agent_test

import (
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/attenuate/agent"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/httpauth"
	"github.com/whittle-auth/whittle/verify/replay"
)

var _ httpauth.SessionInvoker = (*agent.Invoker)(nil)

// TestTransports: an HTTP client whose keys are with the agent, for each request and for
// each connection.
func TestTransports(t *testing.T) {
	w := newWorld(t)
	memory, err := replay.NewMemory(time.Now(), &replay.Options{FirstStart: true})
	if err != nil {
		t.Fatal(err)
	}
	v, err := verify.New(service, w.roots, &verify.Options{Replay: memory})
	if err != nil {
		t.Fatal(err)
	}
	mapping, err := httpauth.NewMapping(httpauth.Route{Pattern: "POST /certs/{name}", Operation: "rotate", Resource: "payments/{name}", Fields: []string{"days", "share"}})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewTLSServer(httpauth.Protect(v, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		io.WriteString(rw, "done")
	}), &httpauth.Options{Mapping: mapping, AllowSessions: true, Logger: slog.New(slog.DiscardHandler)}))
	defer srv.Close()

	client, _ := serve(t, agent.NewKeyring(&agent.Options{Roots: w.roots}))
	if _, err := client.Add(t.Context(), "deploy", w.mint(time.Hour), w.key); err != nil {
		t.Fatal(err)
	}
	held, err := client.Narrow(t.Context(), agent.Which{Name: "deploy"}, delegation.Resource("payments/api"))
	if err != nil {
		t.Fatal(err)
	}
	each, err := httpauth.NewTransport(srv.URL, service, client.Invoker("deploy"), &httpauth.TransportOptions{Mapping: mapping, Base: srv.Client().Transport})
	if err != nil {
		t.Fatal(err)
	}
	base := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}}
	session, err := httpauth.NewSessionTransport(srv.URL, service, client.InvokerFor(held), &httpauth.SessionOptions{Base: base})
	if err != nil {
		t.Fatal(err)
	}
	defer session.CloseIdleConnections()
	for name, transport := range map[string]http.RoundTripper{"each request": each, "a session": session} {
		for path, status := range map[string]int{"/certs/api": 200, "/certs/web": map[string]int{"each request": 200, "a session": 403}[name], "/certs": 403} {
			res, err := (&http.Client{Transport: transport}).Post(srv.URL+path, "application/json", strings.NewReader(`{"days":30,"share":1.0}`))
			if err != nil {
				if path == "/certs" && name == "each request" {
					continue // no route: nothing is sent
				}
				t.Fatalf("%s: %v", name, err)
			}
			res.Body.Close()
			if res.StatusCode != status {
				t.Errorf("%s, %s: %d, want %d", name, path, res.StatusCode, status)
			}
		}
	}
}
