package serve_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/verify/gateway"
	"github.com/whittle-auth/whittle/verify/gateway/serve"
)

var quiet = slog.New(slog.DiscardHandler)

// TestAdmin: a bad configuration shows in the metrics, and a closed gateway is not ready.
func TestAdmin(t *testing.T) {
	dir := t.TempDir()
	root, err := token.GenerateKey(datalog.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const config = "audience = \"a\"\ntrust = \"trust\"\nproxy = \"nginx\"\ntrusted_proxies = [\"unix\"]\n[[route]]\nmatch = \"GET /a\"\n"
	write("trust", `alice@example.com namespaces="whittle" `+root.Public().AuthorizedKey("")+"\n")
	write("gateway.toml", config)
	now := time.Now()
	metrics := serve.NewMetrics()
	g, err := gateway.Open(filepath.Join(dir, "gateway.toml"), &gateway.Options{Logger: quiet, Observe: metrics.Observe, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	admin := serve.Admin(g, metrics)
	get := func(path string) (int, string) {
		rec := httptest.NewRecorder()
		admin.ServeHTTP(rec, httptest.NewRequest("GET", path, nil))
		return rec.Code, rec.Body.String()
	}
	expect := func(step string, lines ...string) {
		t.Helper()
		_, body := get("/metrics")
		for _, line := range lines {
			if !strings.Contains(body, "\n"+line+"\n") {
				t.Errorf("%s: the metrics have no %q", step, line)
			}
		}
	}
	expect("good", "whittle_config_good 1", "whittle_file_failures_total 0", "whittle_revocations_good 1", "whittle_config_failures_total 0", "whittle_config_reloads_total 0")
	write("gateway.toml", "audience = 7\n")
	now = now.Add(time.Second)
	expect("bad", "whittle_config_good 0", "whittle_config_failures_total 1", "whittle_config_reloads_total 0")
	write("gateway.toml", config+"query = [\"q\"]\n")
	now = now.Add(time.Second)
	expect("good again", "whittle_config_good 1", "whittle_config_failures_total 1", "whittle_config_reloads_total 1")
	if status, _ := get("/readyz"); status != 200 {
		t.Errorf("ready: %d", status)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if status, _ := get("/readyz"); status != 503 {
		t.Errorf("closed: %d", status)
	}
	if status, _ := get("/healthz"); status != 200 {
		t.Errorf("alive: %d", status)
	}
	if status, _ := get("/"); status != 404 {
		t.Errorf("/: %d", status)
	}
}

// TestRun: whoever asked before the end gets an answer.
func TestRun(t *testing.T) {
	l, err := serve.Listen(gateway.Address{Network: "tcp", Address: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	shutting := make(chan struct{})
	server := serve.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		stop()
		<-shutting
		io.WriteString(w, "answered")
	}), quiet)
	server.RegisterOnShutdown(func() { close(shutting) })
	ended := make(chan error, 1)
	go func() { ended <- serve.Run(ctx, quiet, serve.Service{Name: "test", Listener: l, Server: server}) }()
	res, err := http.Get("http://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err != nil || string(body) != "answered" {
		t.Errorf("%q, %v", body, err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
		t.Error("it listens after its end")
	}
}

// TestRunFails: when one of the servers fails the others end too.
func TestRunFails(t *testing.T) {
	good, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	bad, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	bad.Close()
	err = serve.Run(t.Context(), quiet,
		serve.Service{Name: "good", Listener: good, Server: serve.NewServer(http.NotFoundHandler(), quiet)},
		serve.Service{Name: "bad", Listener: bad, Server: serve.NewServer(http.NotFoundHandler(), quiet)})
	if err == nil {
		t.Error("no error")
	}
	if _, err := net.Dial("tcp", good.Addr().String()); err == nil {
		t.Error("the other server goes on")
	}
}

// TestSlowClient: a request that does not come to its end is given up, in the server's
// time, which passes at once here.
func TestSlowClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, sent := range []string{"", "GET / HT", "GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bea", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"} {
			client, served := net.Pipe()
			l := &once{conn: served, closed: make(chan struct{})}
			server := serve.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }), quiet)
			go server.Serve(l)
			if _, err := io.WriteString(client, sent); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			if _, err := io.ReadAll(client); err != nil {
				t.Errorf("%q: %v", sent, err)
			}
			// Between requests a proxy may keep a connection for longer.
			if took := time.Since(start); took > 10*time.Second && sent != "GET / HTTP/1.1\r\nHost: x\r\n\r\n" || took > 2*time.Minute {
				t.Errorf("%q: given up after %s", sent, took)
			}
			client.Close()
			server.Close()
		}
	})
}

// once is a listener that accepts one connection.
type once struct {
	conn   net.Conn
	closed chan struct{}
	end    sync.Once
}

func (l *once) Accept() (net.Conn, error) {
	if conn := l.conn; conn != nil {
		l.conn = nil
		return conn, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}

func (l *once) Close() error   { l.end.Do(func() { close(l.closed) }); return nil }
func (l *once) Addr() net.Addr { return &net.UnixAddr{Net: "unix", Name: "pipe"} }
