package extauthz_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify/extauthz"
	"github.com/whittle-auth/whittle/verify/httpauth"
)

// site is the service behind Envoy.
type site struct {
	mu       sync.Mutex
	requests []*http.Request
	bodies   []string
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests, s.bodies = append(s.requests, r), append(s.bodies, string(body))
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
	}
}

// taken returns what came in since.
func (s *site) taken() (requests []*http.Request, bodies []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests, bodies = s.requests, s.bodies
	s.requests, s.bodies = nil, nil
	return requests, bodies
}

// startEnvoy starts Envoy with the configuration that the README shows, in front of a site
// and beside a gateway, and returns the address that it listens at. Changes to the
// configuration are pairs of what is there and what is to be instead.
func startEnvoy(t *testing.T, gateway string, site *httptest.Server, cert tls.Certificate, changes ...string) string {
	t.Helper()
	program, err := exec.LookPath("envoy")
	if err != nil {
		t.Skip("envoy is not installed")
	}
	dir := t.TempDir()
	der, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	config, err := os.ReadFile("envoy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	edits := map[string]string{
		"/etc/envoy/cert.pem":                file("cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})),
		"/etc/envoy/key.pem":                 file("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"address: 0.0.0.0, port_value: 8443": "address: 127.0.0.1, port_value: 0",
		"port_value: 9180":                   "port_value: " + port(t, gateway),
		"port_value: 8081":                   "port_value: " + port(t, site.Listener.Addr().String()),
	}
	for i := 0; i < len(changes); i += 2 {
		edits[changes[i]] = changes[i+1]
	}
	for old, new := range edits {
		if bytes.Count(config, []byte(old)) != 1 {
			t.Fatalf("envoy.yaml does not have %q once", old)
		}
		config = bytes.Replace(config, []byte(old), []byte(new), 1)
	}
	admin := filepath.Join(dir, "admin")
	var log lockedBuffer
	envoy := exec.CommandContext(t.Context(), program, "-c", file("envoy.yaml", config), "--admin-address-path", admin,
		"--config-yaml", "admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}",
		"--disable-hot-restart", "--concurrency", "1", "--log-level", "warning")
	envoy.Stdout, envoy.Stderr = &log, &log
	if err := envoy.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- envoy.Wait() }()
	t.Cleanup(func() {
		envoy.Process.Kill()
		<-ended
		if t.Failed() {
			t.Logf("envoy: %s", log.String())
		}
	})
	for {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("envoy ended: %v\n%s", err, log.String())
		case <-time.After(20 * time.Millisecond):
		}
		if address := listener(admin); address != "" {
			return address
		}
	}
}

// listener asks Envoy where it listens, empty as long as it is not ready.
func listener(admin string) string {
	address, err := os.ReadFile(admin)
	if err != nil || len(address) == 0 {
		return ""
	}
	ready, err := http.Get("http://" + string(address) + "/ready")
	if err != nil {
		return ""
	}
	ready.Body.Close()
	if ready.StatusCode != http.StatusOK {
		return ""
	}
	res, err := http.Get("http://" + string(address) + "/listeners?format=json")
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	var listeners struct {
		Statuses []struct {
			Local struct {
				Socket struct {
					Port int `json:"port_value"`
				} `json:"socket_address"`
			} `json:"local_address"`
		} `json:"listener_statuses"`
	}
	if err := json.NewDecoder(res.Body).Decode(&listeners); err != nil || len(listeners.Statuses) != 1 {
		return ""
	}
	return fmt.Sprintf("127.0.0.1:%d", listeners.Statuses[0].Local.Socket.Port)
}

func port(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// TestEnvoy: the configuration of the README, in an Envoy, over HTTP/1.1 and HTTP/2.
func TestEnvoy(t *testing.T) {
	w := newWorld(t, strings.Replace(configuration, `hosts = ["docs.example.org"]`, `hosts = ["127.0.0.1"]`, 1))
	behind := &site{}
	site := httptest.NewServer(behind)
	defer site.Close()
	front := httptest.NewTLSServer(nil) // for its certificate
	defer front.Close()
	address := startEnvoy(t, w.address, site, front.TLS.Certificates[0])
	mapping, err := httpauth.NewMapping(
		httpauth.Route{Pattern: "GET /{path...}", Operation: "read", Resource: "docs/{path...}", Query: []string{"page"}},
		httpauth.Route{Pattern: "PUT /{path...}", Operation: "write", Resource: "docs/{path...}"},
	)
	if err != nil {
		t.Fatal(err)
	}
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(protocol, func(t *testing.T) {
			base := front.Client().Transport.(*http.Transport).Clone()
			base.ForceAttemptHTTP2 = protocol == "HTTP/2.0"
			if !base.ForceAttemptHTTP2 {
				base.TLSClientConfig.NextProtos = []string{"http/1.1"}
			}
			defer base.CloseIdleConnections()
			plain := &http.Client{Transport: base}
			transport, err := httpauth.NewTransport("https://"+address, "site:docs", httpauth.Hold(w.held, w.agent), &httpauth.TransportOptions{Mapping: mapping, Base: base})
			if err != nil {
				t.Fatal(err)
			}
			agent := &http.Client{Transport: transport}
			send := func(client *http.Client, method, path string, body io.Reader, header ...string) (int, string, http.Header) {
				t.Helper()
				r, err := http.NewRequestWithContext(t.Context(), method, "https://"+address+path, body)
				if err != nil {
					t.Fatal(err)
				}
				for i := 0; i < len(header); i += 2 {
					r.Header.Add(header[i], header[i+1])
				}
				res, err := client.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				text, err := io.ReadAll(res.Body)
				if err != nil || res.Proto != protocol {
					t.Fatalf("%v over %s", err, res.Proto)
				}
				return res.StatusCode, string(text), res.Header
			}
			bearer := func(text string) []string { return []string{"Authorization", "Bearer " + text} }

			// What is allowed.
			for _, c := range []struct{ method, path, body, resource string }{
				{"GET", "/a?page=2", "", "docs/a"}, {"GET", "/caf%C3%A9/b", "", "docs/caf%C3%A9/b"}, {"PUT", "/a", "be\xffhold", "docs/a"},
			} {
				var body io.Reader
				if c.body != "" {
					body = strings.NewReader(c.body)
				}
				if status, text, _ := send(agent, c.method, c.path, body); status != 200 {
					t.Errorf("%s %s: %d %s", c.method, c.path, status, text)
				}
				requests, bodies := behind.taken()
				if len(requests) != 1 || bodies[0] != c.body || requests[0].RequestURI != c.path {
					t.Errorf("%s %s: the service got %v %q", c.method, c.path, requests, bodies)
					continue
				}
				h := requests[0].Header
				if h.Values("Authorization") != nil || h.Get("X-Whittle-Agent") != "agent:ci" || h.Get("X-Whittle-Resource") != c.resource ||
					h.Get("X-Whittle-Content-Digest") != "sha-256=:"+base64.StdEncoding.EncodeToString(digest(c.body))+":" {
					t.Errorf("%s %s: the service got %v", c.method, c.path, h)
				}
			}
			once := w.readA()
			if status, _, _ := send(plain, "GET", "/a", nil, bearer(once)...); status != 200 {
				t.Errorf("once: %d", status)
			}
			behind.taken()

			// What is not.
			ten := bearer(w.readA())
			for range 9 {
				ten = append(ten, bearer(w.readA())...)
			}
			hidden := w.invoke(delegation.Request{Operation: "write", Resource: "docs/a"})
			for name, c := range map[string]struct {
				method, path string
				body         io.Reader
				header       []string
				status       int
				code         string
			}{
				"no token":                {"GET", "/a", nil, nil, 401, "not_presented"},
				"again":                   {"GET", "/a", nil, bearer(once), 401, "replay"},
				"another path":            {"GET", "/b", nil, bearer(w.readA()), 403, "check_failed"},
				"two slashes":             {"GET", "//a", nil, bearer(w.readA()), 403, "check_failed"},
				"an escape too many":      {"GET", "/%61", nil, bearer(w.readA()), 403, "check_failed"},
				"ten tokens":              {"GET", "/a", nil, ten, 401, "malformed"},
				"identity":                {"GET", "/a", nil, append(bearer(w.readA()), "X-Whittle-Agent", "agent:root"), 403, "check_failed"},
				"another body":            {"PUT", "/a", strings.NewReader("other"), bearer(w.writeA("body")), 403, "check_failed"},
				"a body of hidden length": {"PUT", "/a", io.MultiReader(strings.NewReader("body")), bearer(hidden), 403, "check_failed"},
				"a partial body, the client says": {"PUT", "/a", strings.NewReader("other"),
					append(bearer(hidden), "X-Envoy-Auth-Partial-Body", "false"), 403, "check_failed"},
				"too much": {"PUT", "/a", strings.NewReader(strings.Repeat("x", 2<<20)), bearer(w.writeA(strings.Repeat("x", 2<<20))), 413, ""},
			} {
				status, text, h := send(plain, c.method, c.path, c.body, c.header...)
				if status != c.status || c.code != "" && text != `{"code":"`+c.code+"\"}\n" {
					t.Errorf("%s: %d %s, want %d with %s", name, status, text, c.status, c.code)
				}
				if status != 413 && h.Get("Www-Authenticate") == "" {
					t.Errorf("%s: no challenge", name)
				}
				if requests, _ := behind.taken(); len(requests) > 0 {
					t.Errorf("%s: the service got %v", name, requests[0])
				}
			}
		})
	}

	// What no client of Go's says.
	for name, c := range map[string]struct{ head, status string }{
		"dots":            {"GET /x/../a HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + w.readA(), "403"},
		"escaped dots":    {"GET /x/%2e%2e/a HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + w.readA(), "403"},
		"another host":    {"GET /a HTTP/1.1\r\nHost: evil.example\r\nAuthorization: Bearer " + w.readA(), "403"},
		"an upgrade":      {"GET /a HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\nAuthorization: Bearer " + w.readA(), "403"},
		"an underscore":   {"GET /a HTTP/1.1\r\nHost: 127.0.0.1\r\nx_whittle_agent: agent:root\r\nAuthorization: Bearer " + w.readA(), "400"},
		"a dropped agent": {"GET /a HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close, X-Whittle-Agent\r\nAuthorization: Bearer " + w.readA(), "200"},
	} {
		conn, err := tls.Dial("tcp", address, &tls.Config{RootCAs: front.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, ServerName: "example.com"})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "%s\r\n\r\n", c.head)
		line := make([]byte, len("HTTP/1.1 403"))
		if _, err := io.ReadFull(conn, line); err != nil || !regexp.MustCompile(`^HTTP/1.1 `+c.status).Match(line) {
			t.Errorf("%s: %s %v, want %s", name, line, err, c.status)
		}
		conn.Close()
		requests, _ := behind.taken()
		if c.status == "200" && len(requests) == 1 && requests[0].Header.Get("X-Whittle-Agent") == "agent:ci" {
			continue
		}
		if c.status == "200" || len(requests) > 0 {
			t.Errorf("%s: the service got %v", name, requests)
		}
	}

	// When nobody answers, nobody gets in.
	w.stop()
	r, err := http.NewRequest("GET", "https://"+address+"/a", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.readA())
	res, err := front.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if requests, _ := behind.taken(); res.StatusCode < 400 || len(requests) > 0 {
		t.Errorf("without a gateway: %d, the service got %v", res.StatusCode, requests)
	}
}

// TestEnvoyThatShowsNoBodies: where Envoy was not told to show bodies, none passes for no
// body, in HTTP/1.1 either, whose headers Envoy takes away that say so. Then nothing is
// allowed: nobody asserts that there is none.
func TestEnvoyThatShowsNoBodies(t *testing.T) {
	w := newWorld(t, strings.Replace(configuration, `hosts = ["docs.example.org"]`, `hosts = ["127.0.0.1"]`, 1))
	behind := &site{}
	site := httptest.NewServer(behind)
	defer site.Close()
	front := httptest.NewTLSServer(nil)
	defer front.Close()
	address := startEnvoy(t, w.address, site, front.TLS.Certificates[0],
		`              with_request_body:
                max_request_bytes: 1048576
                allow_partial_message: false  # larger ones get 413
                pack_as_bytes: true           # text would be another body where it is no UTF-8
`, "", "{key: whittle-body, value: whole}", "{key: whittle-body, value: none}")
	hidden := func() string { return w.invoke(delegation.Request{Operation: "write", Resource: "docs/a"}) }
	for _, c := range []struct {
		protocol, method, text, body string
		status                       int
	}{
		{"h2", "PUT", hidden(), "body", 403},
		{"h2", "GET", w.readA(), "", 403},
		{"http/1.1", "PUT", hidden(), "body", 403},
		{"http/1.1 says false", "PUT", hidden(), "body", 403},
		{"h2 says false", "PUT", hidden(), "body", 403},
		{"http/1.1", "PUT", hidden(), "", 403},
		{"http/1.1", "GET", w.readA(), "", 403},
	} {
		protocol, says, _ := strings.Cut(c.protocol, " says ")
		transport := front.Client().Transport.(*http.Transport).Clone()
		transport.ForceAttemptHTTP2 = protocol == "h2"
		transport.TLSClientConfig.NextProtos = []string{protocol}
		var body io.Reader
		if c.body != "" {
			body = io.MultiReader(strings.NewReader(c.body)) // of no length that is known before
		}
		r, err := http.NewRequest(c.method, "https://"+address+"/a", body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+c.text)
		if says != "" { // what only Envoy says
			r.Header.Set("X-Envoy-Auth-Partial-Body", says)
			r.Header.Set(extauthz.WholeBodies, "whole")
		}
		res, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		transport.CloseIdleConnections()
		if requests, _ := behind.taken(); res.StatusCode != c.status || len(requests) > 0 || (res.ProtoMajor == 2) != (protocol == "h2") {
			t.Errorf("%s %s with %q: %d by %s, the service got %v, want %d", c.protocol, c.method, c.body, res.StatusCode, res.Proto, requests, c.status)
		}
	}
}
