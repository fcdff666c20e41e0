package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	checks "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
)

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func key(t *testing.T) token.PrivateKey {
	t.Helper()
	k, err := token.GenerateKey(datalog.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// A folder has a configuration, and invokes for what it allows.
type folder struct {
	dir, config string
	read        func() string // an invocation for GET /a
}

func newFolder(t *testing.T, replace ...string) *folder {
	t.Helper()
	root, agent := key(t), key(t)
	f := &folder{dir: t.TempDir()}
	f.config = filepath.Join(f.dir, "gateway.toml")
	for name, content := range map[string]string{
		"trust": `alice@example.com namespaces="whittle" ` + root.Public().AuthorizedKey("") + "\n",
		"gateway.toml": strings.NewReplacer(replace...).Replace(`audience = "site:docs"
trust = "trust"
proxy = "envoy"
trusted_proxies = ["unix"]
replay_file = "used"

[server]
listen = "unix:socket"
admin = "unix:admin"

[[route]]
match = "GET /{path...}"
operation = "read"
resource = "docs/{path...}"
`),
	} {
		if err := os.WriteFile(filepath.Join(f.dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	held, err := attenuate.Mint(root, attenuate.Grant{
		Delegator: "alice@example.com", Agent: "agent:ci", AgentKey: agent.Public(), TTL: time.Hour,
	}, delegation.Resource("docs/**"), delegation.Operation("read"))
	if err != nil {
		t.Fatal(err)
	}
	f.read = func() string {
		c, err := attenuate.Invoke(held, agent, delegation.Request{Operation: "read", Resource: "docs/a", Audience: "site:docs"})
		if err != nil {
			t.Fatal(err)
		}
		return c.Text()
	}
	return f
}

// serve runs the command until the returned function is called, which returns its exit
// code.
func (f *folder) serve(t *testing.T, args ...string) (*grpc.ClientConn, *lockedBuffer, func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var log lockedBuffer
	code := make(chan int, 1)
	running, ended := context.WithCancel(t.Context())
	go func() {
		defer ended()
		code <- run(ctx, append([]string{"--config", f.config}, args...), &log, &log)
	}()
	conn, err := grpc.NewClient("unix:"+filepath.Join(f.dir, "socket"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	stop := sync.OnceValue(func() int { cancel(); return <-code })
	t.Cleanup(func() { stop(); conn.Close() })
	status, err := checks.NewHealthClient(conn).Check(running, &checks.HealthCheckRequest{}, grpc.WaitForReady(true))
	if err != nil || status.Status != checks.HealthCheckResponse_SERVING {
		t.Fatalf("health: %v, %v; %s", status, err, log.String())
	}
	return conn, &log, stop
}

func check(t *testing.T, conn *grpc.ClientConn, ctx context.Context, text string) codes.Code {
	t.Helper()
	ctx = metadata.AppendToOutgoingContext(ctx, "whittle-body", "whole")
	res, err := auth.NewAuthorizationClient(conn).Check(ctx, &auth.CheckRequest{Attributes: &auth.AttributeContext{Request: &auth.AttributeContext_Request{
		Http: &auth.AttributeContext_HttpRequest{Method: "GET", Path: "/a", Headers: map[string]string{"authorization": "Bearer " + text}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return codes.Code(res.GetStatus().GetCode())
}

// TestServe: it answers, remembers across a restart, tells whoever operates it, and ends
// in order.
func TestServe(t *testing.T) {
	f := newFolder(t)
	conn, log, stop := f.serve(t, "--first-start", "--log", "json")
	once := f.read()
	if code := check(t, conn, t.Context(), once); code != codes.OK {
		t.Errorf("allowed: %v; %s", code, log.String())
	}
	if code := check(t, conn, t.Context(), "x"); code != codes.Unauthenticated {
		t.Errorf("rubbish: %v", code)
	}
	admin := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(f.dir, "admin"))
	}}}
	defer admin.CloseIdleConnections()
	res, err := admin.Get("http://admin/metrics")
	if err != nil {
		t.Fatal(err)
	}
	var metrics bytes.Buffer
	if _, err := metrics.ReadFrom(res.Body); err != nil || !strings.Contains(metrics.String(), `whittle_decisions_total{code="allowed"} 1`) {
		t.Errorf("metrics: %v %s", err, &metrics)
	}
	res.Body.Close()
	if code := stop(); code != 0 {
		t.Errorf("exit code %d: %s", code, log.String())
	}
	if strings.Contains(log.String(), once) || !strings.Contains(log.String(), `"msg":"listening"`) {
		t.Errorf("log: %s", log.String())
	}
	conn, _, stop = f.serve(t)
	if code := check(t, conn, t.Context(), once); code != codes.Unauthenticated {
		t.Errorf("after a restart: %v", code)
	}
	if code := stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestUsage: what is wrong is said, with the exit code 2.
func TestUsage(t *testing.T) {
	f := newFolder(t)
	for name, c := range map[string]struct {
		args []string
		code int
		say  string
	}{
		"nothing":           {nil, 2, "hint: whittle-envoy --config FILE"},
		"help":              {[]string{"--help"}, 0, "whittle-envoy --config FILE"},
		"a flag too many":   {[]string{"--config", f.config, "--x"}, 2, "error: flag provided but not defined"},
		"a word too many":   {[]string{"--config", f.config, "x"}, 2, "error: --config FILE is needed"},
		"no such file":      {[]string{"--config", f.config + "x"}, 2, "no such file"},
		"no log":            {[]string{"--config", f.config, "--log", "x"}, 2, "neither text nor json"},
		"good":              {[]string{"--config", f.config, "--check"}, 0, "is good"},
		"bad":               {[]string{"--config", newFolder(t, `"trust"`, `"nothing"`).config, "--check"}, 2, "line 2"},
		"for another proxy": {[]string{"--config", newFolder(t, `"envoy"`, `"caddy"`).config}, 2, "hint: proxy = \"envoy\", or run whittle serve"},
		"nowhere":           {[]string{"--config", newFolder(t, `listen = "unix:socket"`, "").config}, 2, "does not say where to listen"},
		"no such folder":    {[]string{"--config", newFolder(t, "unix:socket", "unix:no/socket").config}, 2, "no/socket"},
		"no admin":          {[]string{"--config", newFolder(t, "unix:admin", "unix:no/admin").config}, 2, "no/admin"},
	} {
		var out lockedBuffer
		if code := run(t.Context(), c.args, &out, &out); code != c.code || !strings.Contains(out.String(), c.say) {
			t.Errorf("%s: exit code %d, %s, want %d with %q", name, code, out.String(), c.code, c.say)
		}
	}
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")
	var out lockedBuffer
	if code := run(t.Context(), []string{"--config", f.config}, &out, &out); code != 2 || !strings.Contains(out.String(), "by grpc only") {
		t.Errorf("another protocol: %d %s", code, out.String())
	}
}

// sink is a collector of spans.
type sink struct {
	collector.UnimplementedTraceServiceServer
	mu  sync.Mutex
	all []*spans.ResourceSpans
}

func (s *sink) Export(_ context.Context, r *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, r.ResourceSpans...)
	return &collector.ExportTraceServiceResponse{}, nil
}

// TestTraces: a span of each decision reaches the collector, below Envoy's own, and says
// nothing of the request but its operation.
func TestTraces(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, got := grpc.NewServer(), &sink{}
	collector.RegisterTraceServiceServer(s, got)
	go s.Serve(l)
	defer s.Stop()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+l.Addr().String())
	t.Setenv("OTEL_SERVICE_NAME", "gate")
	f := newFolder(t)
	conn, log, stop := f.serve(t, "--first-start")
	ctx := metadata.AppendToOutgoingContext(t.Context(), "traceparent", "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01")
	once := f.read()
	if code := check(t, conn, ctx, once); code != codes.OK {
		t.Error(code)
	}
	if code := stop(); code != 0 {
		t.Errorf("exit code %d: %s", code, log.String())
	}
	if len(got.all) != 1 || len(got.all[0].ScopeSpans) != 1 || len(got.all[0].ScopeSpans[0].Spans) != 1 {
		t.Fatalf("spans %v", got.all)
	}
	span := got.all[0].ScopeSpans[0].Spans[0]
	if string(span.TraceId) != "\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef" || string(span.ParentSpanId) != "\x01\x23\x45\x67\x89\xab\xcd\xef" {
		t.Errorf("the span is not below Envoy's: %v", span)
	}
	text := got.all[0].String()
	for _, want := range []string{"gate", "whittle.decide", "whittle.operation", "read", "site:docs"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	if strings.Contains(text, "docs/a") || strings.Contains(text, once) {
		t.Errorf("the span says too much: %s", text)
	}
}
