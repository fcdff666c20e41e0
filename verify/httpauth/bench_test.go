package httpauth_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"testing"

	"github.com/whittle-auth/whittle/verify/httpauth"
)

// BenchmarkTransports sends one request after the other over HTTP/1.1 and TLS on
// loopback: without any token, with one for each request, and with one for the
// connection.
func BenchmarkTransports(b *testing.B) {
	w := newWorld(b)
	done := http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { io.WriteString(rw, "done") })
	protected := httpauth.Protect(w.verifier, done, &httpauth.Options{AllowSessions: true})
	bare, srv := startTLS(b, done, false, tls.VersionTLS13), startTLS(b, protected, false, tls.VersionTLS13)
	each, err := httpauth.NewTransport(srv.URL, service, httpauth.Hold(w.held, w.agent), &httpauth.TransportOptions{Base: srv.Client().Transport})
	if err != nil {
		b.Fatal(err)
	}
	session, _ := w.sessions(srv, httpauth.Hold(w.held, w.agent), 0)
	for _, side := range []struct {
		name   string
		client *http.Client
		url    string
	}{{"none", bare.Client(), bare.URL}, {"request", &http.Client{Transport: each}, srv.URL}, {"session", session, srv.URL}} {
		b.Run(side.name, func(b *testing.B) {
			for b.Loop() {
				res, err := side.client.Get(side.url + "/pay/a")
				if err != nil {
					b.Fatal(err)
				}
				body, err := io.ReadAll(res.Body)
				res.Body.Close()
				if err != nil || string(body) != "done" {
					b.Fatalf("%s, %v", body, err)
				}
			}
		})
	}
}
