package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// A served gateway runs the command in this process.
type servedGateway struct {
	dir          string
	proxy, admin string // addresses
	stop         context.CancelFunc
	code         chan int
	log          *logBuffer
	whittle      func(args ...string) string
}

type logBuffer struct {
	mu      sync.Mutex
	b       bytes.Buffer
	written chan struct{} // one for each write, as far as somebody waits
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.written <- struct{}{}:
	default:
	}
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

const servedConfig = `audience = "site:docs"
trust = "trust"
proxy = "caddy"
trusted_proxies = ["127.0.0.1"]
replay_file = "used"
[server]
listen = "127.0.0.1:0"
admin = "127.0.0.1:0"
[[route]]
match = "GET /{path...}"
operation = "read"
resource = "docs/{path...}"
`

// startServe makes keys and a token in a folder, and serves from there.
func startServe(t *testing.T) *servedGateway {
	g := &servedGateway{dir: t.TempDir(), code: make(chan int, 1), log: &logBuffer{written: make(chan struct{}, 1)}}
	g.whittle = func(args ...string) string {
		t.Helper()
		var out, msg bytes.Buffer
		if code := Run(t.Context(), args, Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &msg, Now: time.Now, folder: g.dir}); code != 0 {
			t.Fatalf("%q: exit code %d: %s", args, code, &msg)
		}
		return strings.TrimSpace(out.String())
	}
	g.whittle("keygen", "-o", "alice")
	g.whittle("keygen", "-o", "agent")
	public, err := os.ReadFile(filepath.Join(g.dir, "alice.pub"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"trust": `alice@example.com namespaces="whittle" ` + string(public), "gateway.toml": servedConfig} {
		if err := os.WriteFile(filepath.Join(g.dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	g.whittle("mint", "--key", "alice", "--delegator", "alice@example.com", "--agent", "agent:ci", "--agent-key", "agent.pub", "--resource", "docs/**", "--operation", "read", "--ttl", "1h", "-o", "token")

	ctx, stop := context.WithCancel(t.Context())
	g.stop = stop
	go func() {
		env := Env{Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: g.log, Now: time.Now, folder: g.dir}
		g.code <- Run(ctx, []string{"serve", "--config", "gateway.toml", "--first-start", "--log", "json", "--traces", "spans"}, env)
	}()
	listening := regexp.MustCompile(`"for":"(proxy|admin)","at":"([^"]+)"`)
	for g.proxy == "" || g.admin == "" {
		select {
		case <-g.log.written:
		case code := <-g.code:
			t.Fatalf("exit code %d: %s", code, g.log)
		}
		for _, m := range listening.FindAllStringSubmatch(g.log.String(), -1) {
			if m[1] == "proxy" {
				g.proxy = m[2]
			} else {
				g.admin = m[2]
			}
		}
	}
	return g
}

func (g *servedGateway) get(t *testing.T, url string, header http.Header) (int, string) {
	t.Helper()
	r, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		r.Header = header
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func (g *servedGateway) invoke(resource string) string {
	return g.whittle("invoke", "--key", "agent", "--operation", "read", "--resource", resource, "--audience", "site:docs", "token")
}

func forwarded(path, token string) http.Header {
	return http.Header{
		"X-Forwarded-Method": {"GET"}, "X-Forwarded-Uri": {path}, "X-Forwarded-Host": {"x"}, "X-Forwarded-Proto": {"http"},
		"Authorization": {"Bearer " + token},
	}
}

// TestServe: the command decides, counts and writes down what it decided, keeps all
// secrets to itself, and ends in order.
func TestServe(t *testing.T) {
	g := startServe(t)
	first := g.invoke("docs/secret-plan")
	for i, want := range []int{200, 401} {
		if status, body := g.get(t, "http://"+g.proxy+"/", forwarded("/secret-plan", first)); status != want {
			t.Errorf("%d: %d %s, want %d: %s", i, status, body, want, g.log)
		}
	}
	other := g.invoke("docs/b")
	if status, body := g.get(t, "http://"+g.proxy+"/", forwarded("/secret-plan?a="+strings.Repeat("x", 1000), other)); status != 403 || body != "{\"code\":\"check_failed\"}\n" {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := g.get(t, "http://"+g.proxy+"/", http.Header{"Authorization": {"Bearer " + strings.Repeat("A", 1<<20)}}); status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a megabyte: %d", status)
	}

	for path, want := range map[string]string{"/healthz": "alive\n", "/readyz": "ready\n"} {
		if status, body := g.get(t, "http://"+g.admin+path, nil); status != 200 || body != want {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	for _, path := range []string{"/metrics", "/healthz"} {
		if status, _ := g.get(t, "http://"+g.proxy+path, nil); status != 403 {
			t.Errorf("%s is there for proxies, too: %d", path, status)
		}
	}
	_, metrics := g.get(t, "http://"+g.admin+"/metrics", nil)
	for _, line := range []string{
		`whittle_decisions_total{code="allowed"} 1`, `whittle_decisions_total{code="replay"} 1`, `whittle_decisions_total{code="check_failed"} 3`,
		`whittle_decisions_total{code="limit"} 0`, "whittle_decision_duration_seconds_count 5",
		"whittle_config_good 1", "whittle_config_reloads_total 0", "whittle_chain_memory_hits_total 1", "whittle_chain_memory_misses_total 1",
	} {
		if !strings.Contains(metrics, line+"\n") {
			t.Errorf("the metrics have no %s", line)
		}
	}
	if strings.Contains(metrics, "secret") || strings.Contains(metrics, "alice") {
		t.Error("the metrics tell what was asked")
	}

	g.stop()
	if code := <-g.code; code != 0 {
		t.Errorf("exit code %d: %s", code, g.log)
	}
	spans, err := os.ReadFile(filepath.Join(g.dir, "spans"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(spans), `"Name":"whittle.decide"`); n != 5 || !strings.Contains(string(spans), `"whittle.operation"`) || !strings.Contains(string(spans), "site:docs") {
		t.Errorf("%d spans: %s", n, spans)
	}
	for line := range strings.Lines(g.log.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("%q is no JSON", line)
		}
	}
	for _, kept := range []string{first, other, "Bearer", "AAAAAAAA"} {
		if strings.Contains(g.log.String(), kept) || strings.Contains(string(spans), kept) {
			t.Errorf("the log or the spans have %.20s", kept)
		}
	}
	if strings.Contains(string(spans), "secret-plan") || !strings.Contains(g.log.String(), "secret-plan") {
		t.Error("spans tell what was asked, or the log does not")
	}
}
