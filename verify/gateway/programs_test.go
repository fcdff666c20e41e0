package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"text/template"
	"time"

	"github.com/whittle-auth/whittle/verify/gateway"
	"github.com/whittle-auth/whittle/verify/httpauth"
)

// A stand is a real proxy in front of a site of files and of a service, and the gateway
// that it asks.
type stand struct {
	*world
	gateway *gateway.Gateway
	dial    func() (net.Conn, error)
	http2   *http.Client

	mu     sync.Mutex
	served []served
}

// served is what reached the service.
type served struct {
	method, path, body string
	header             http.Header
}

func (s *stand) took() []served {
	s.mu.Lock()
	defer s.mu.Unlock()
	took := s.served
	s.served = nil
	return took
}

// newStand starts everything but the proxy.
func newStand(t *testing.T, proxy string) (s *stand, names map[string]any) {
	s = &stand{world: newWorld(t)}
	s.gateway = s.open(strings.Replace(configuration(proxy), `"PUT /{path...}"`, `"PUT /notes/{path...}"`, 1) + routes)
	if err := os.Mkdir(filepath.Join(s.dir, "site"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.write("site/a", "the file a")
	s.write("site/b", "the file b")
	asks := httptest.NewServer(gateway.ForwardAuth(s.gateway))
	t.Cleanup(asks.Close)
	record := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("the service cannot read the body: %v", err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.served = append(s.served, served{r.Method, r.RequestURI, string(body), r.Header})
		io.WriteString(w, "served")
	})
	checked := httpauth.CheckContentDigest(record, &httpauth.CheckOptions{Logger: slog.New(slog.NewTextHandler(&s.log, nil))})
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/notes/") {
			checked.ServeHTTP(w, r)
		} else {
			record.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(service.Close)
	return s, map[string]any{
		"Dir": s.dir, "Gateway": asks.Listener.Addr().String(), "Service": service.Listener.Addr().String(),
	}
}

// routes are further ones of the stand: what the service does under /notes and /reports.
const routes = `
[[route]]
match = "POST /reports/{path...}"
operation = "write"
resource = "docs/reports/{path...}"
`

// program starts a proxy, and waits until it listens.
func (s *stand) program(t *testing.T, dial func() (net.Conn, error), name string, args ...string) (started bool) {
	t.Helper()
	cmd := exec.Command(name, args...)
	var out lockedBuffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Env = append(os.Environ(), "HOME="+s.dir, "XDG_CONFIG_HOME="+s.dir, "XDG_DATA_HOME="+s.dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
	})
	for {
		conn, err := dial()
		if err == nil {
			conn.Close()
			s.dial = dial
			return true
		}
		select {
		case <-ended:
			t.Logf("%s ended: %s", name, out.String())
			return false
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// fill writes a template of testdata into the folder.
func (s *stand) fill(t *testing.T, name string, values map[string]any) string {
	t.Helper()
	tmpl, err := template.ParseFiles(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := tmpl.Execute(&b, values); err != nil {
		t.Fatal(err)
	}
	s.write(name, b.String())
	return filepath.Join(s.dir, name)
}

func needs(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("%s is not installed", program)
	}
}

func nginx(t *testing.T) *stand {
	needs(t, "nginx")
	s, values := newStand(t, "nginx")
	return s.nginx(t, s.fill(t, "nginx.conf", values))
}

// nginx starts nginx with a configuration.
func (s *stand) nginx(t *testing.T, conf string) *stand {
	dial := func(socket string) func() (net.Conn, error) {
		return func() (net.Conn, error) { return net.Dial("unix", filepath.Join(s.dir, socket)) }
	}
	if !s.program(t, dial("http1"), "nginx", "-p", s.dir, "-e", filepath.Join(s.dir, "error.log"), "-c", conf) {
		t.Fatal("nginx does not start")
	}
	s.http2 = clear2(dial("http2"))
	return s
}

func caddy(t *testing.T) *stand { return caddyWith(t) }

// caddyWith starts Caddy with a configuration that lacks some lines.
func caddyWith(t *testing.T, without ...string) *stand {
	needs(t, "caddy")
	s, values := newStand(t, "caddy")
	for range 10 { // between the choice of a port and its use somebody may take it
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := l.Addr().(*net.TCPAddr)
		l.Close()
		values["Port"] = address.Port
		conf := s.fill(t, "Caddyfile", values)
		text, err := os.ReadFile(conf)
		if err != nil {
			t.Fatal(err)
		}
		shorter := string(text)
		for _, line := range without {
			if !strings.Contains(shorter, line) {
				t.Fatalf("no line has %q", line)
			}
			shorter = strings.ReplaceAll(shorter, line, "")
		}
		s.write("Caddyfile", shorter)
		dial := func() (net.Conn, error) { return net.Dial("tcp", address.String()) }
		if s.program(t, dial, "caddy", "run", "--config", conf, "--adapter", "caddyfile") {
			s.http2 = clear2(dial)
			return s
		}
	}
	t.Fatal("caddy does not start")
	return nil
}

// clear2 is a client of HTTP/2 without TLS.
func clear2(dial func() (net.Conn, error)) *http.Client {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Client{Transport: &http.Transport{
		Protocols:   protocols,
		DialContext: func(context.Context, string, string) (net.Conn, error) { return dial() },
	}}
}

// send writes a request, byte for byte, and returns the response.
func (s *stand) send(t *testing.T, head, body string) (status int, header http.Header, content string) {
	t.Helper()
	conn, err := s.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// A proxy may answer and close before all is written.
	go io.WriteString(conn, strings.ReplaceAll(head, "\n", "\r\n")+"\r\n\r\n"+body)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%.100s: %v", head, err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(data)
}

// headers are those of a request to the site with a token.
func headers(line, text string, more ...string) string {
	return fmt.Sprintf("%s HTTP/1.1\nHost: docs.example.org\nConnection: close\nAuthorization: Bearer %s%s", line, text, strings.Join(append([]string{""}, more...), "\n"))
}
