package extauthz_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	checks "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify/extauthz"
	"github.com/whittle-auth/whittle/verify/gateway"
)

const configuration = `audience = "site:docs"
trust = "trust"
directory = "agents"
proxy = "envoy"
trusted_proxies = ["127.0.0.1"]
hosts = ["docs.example.org"]

[[route]]
match = "GET /{path...}"
operation = "read"
resource = "docs/{path...}"
query = ["page"]

[[route]]
match = "PUT /{path...}"
operation = "write"
resource = "docs/{path...}"
body = "digest"

[[route]]
match = "POST /{path...}"
operation = "write"
resource = "docs/{path...}"
body = "digest"
fields = ["size", "force"]
`

// A world is a gateway, an Envoy that asks it, and an agent that holds a token.
type world struct {
	t       testing.TB
	dir     string
	agent   token.PrivateKey
	held    token.Chain
	log     lockedBuffer
	envoy   auth.AuthorizationClient
	close   func() error // the gateway
	stop    func()       // its server
	address string
}

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

func key(t testing.TB) token.PrivateKey {
	t.Helper()
	k, err := token.GenerateKey(datalog.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// newFolder is a world whose gateway nobody has started.
func newFolder(t testing.TB, config string, caveats ...delegation.Caveat) *world {
	t.Helper()
	root := key(t)
	w := &world{t: t, dir: t.TempDir(), agent: key(t)}
	w.write("trust", `alice@example.com namespaces="whittle" `+root.Public().AuthorizedKey("")+"\n")
	w.write("agents", `agent:ci namespaces="whittle-agent" `+w.agent.Public().AuthorizedKey("")+"\n")
	w.write("gateway.toml", config)
	caveats = append([]delegation.Caveat{delegation.Resource("docs/**"), delegation.Operation("read", "write")}, caveats...)
	var err error
	w.held, err = attenuate.Mint(root, attenuate.Grant{
		Delegator: "alice@example.com", Agent: "agent:ci", AgentKey: w.agent.Public(), TTL: time.Hour,
	}, caveats...)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// newWorld has one that answers on the loopback.
func newWorld(t testing.TB, config string, caveats ...delegation.Caveat) *world {
	t.Helper()
	w := newFolder(t, config, caveats...)
	g, err := gateway.Open(filepath.Join(w.dir, "gateway.toml"), &gateway.Options{
		FirstStart: true, Logger: slog.New(slog.NewTextHandler(&w.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	auth.RegisterAuthorizationServer(s, extauthz.New(g))
	checks.RegisterHealthServer(s, health.NewServer())
	go s.Serve(l)
	t.Cleanup(func() { s.Stop(); g.Close() })
	w.close, w.stop, w.address = g.Close, s.Stop, l.Addr().String()
	w.envoy = auth.NewAuthorizationClient(dial(t, l.Addr().String()))
	return w
}

func dial(t testing.TB, target string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func (w *world) write(name, content string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// invoke makes the token that is presented with a request.
func (w *world) invoke(req delegation.Request) string {
	w.t.Helper()
	if req.Audience == "" {
		req.Audience = "site:docs"
	}
	c, err := attenuate.Invoke(w.held, w.agent, req)
	if err != nil {
		w.t.Fatal(err)
	}
	return c.Text()
}

func (w *world) readA() string {
	return w.invoke(delegation.Request{Operation: "read", Resource: "docs/a"})
}

func (w *world) writeA(body string) string {
	return w.invoke(delegation.Request{Operation: "write", Resource: "docs/a", BodyDigest: digest(body)})
}

func digest(body string) []byte {
	sum := sha256.Sum256([]byte(body))
	return sum[:]
}

// asked is what Envoy asks of a request with a token.
func asked(method, path, text string) *auth.AttributeContext_HttpRequest {
	return &auth.AttributeContext_HttpRequest{
		Method: method, Path: path, Host: "docs.example.org", Scheme: "https",
		Headers: map[string]string{":method": method, ":path": path, ":authority": "docs.example.org", "authorization": "Bearer " + text},
	}
}

// with sets a header.
func with(r *auth.AttributeContext_HttpRequest, name, value string) *auth.AttributeContext_HttpRequest {
	r.Headers[name] = value
	return r
}

// shown has the whole body.
func shown(r *auth.AttributeContext_HttpRequest, body string) *auth.AttributeContext_HttpRequest {
	r.RawBody = []byte(body)
	return with(r, "x-envoy-auth-partial-body", "false")
}

// raw has the headers as encode_raw_headers does.
func raw(r *auth.AttributeContext_HttpRequest, more ...string) *auth.AttributeContext_HttpRequest {
	r.HeaderMap = &core.HeaderMap{}
	add := func(name, value string) {
		r.HeaderMap.Headers = append(r.HeaderMap.Headers, &core.HeaderValue{Key: name, RawValue: []byte(value)})
	}
	for name, value := range r.Headers {
		add(name, value)
	}
	for i := 0; i < len(more); i += 2 {
		add(more[i], more[i+1])
	}
	r.Headers = nil
	return r
}

// whole is the context of an Envoy whose owner asserts that it shows whole bodies.
func whole(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, extauthz.WholeBodies, "whole")
}

func (w *world) ask(ctx context.Context, r *auth.AttributeContext_HttpRequest) *auth.CheckResponse {
	w.t.Helper()
	res, err := w.envoy.Check(ctx, &auth.CheckRequest{Attributes: &auth.AttributeContext{Request: &auth.AttributeContext_Request{Http: r}}})
	if err != nil {
		w.t.Fatal(err) // whatever it is, Envoy would decide itself
	}
	return res
}

// expect holds an answer against a code, empty for what is allowed, and returns the
// headers that the service gets.
func expect(t testing.TB, name string, res *auth.CheckResponse, status int, code token.Code) map[string]string {
	t.Helper()
	if code == "" {
		if res.GetStatus().GetCode() != int32(codes.OK) || res.GetOkResponse() == nil {
			t.Errorf("%s: %v, want it allowed", name, res)
		}
		return headers(t, res.GetOkResponse().GetHeaders())
	}
	denied := res.GetDeniedResponse()
	if res.GetStatus().GetCode() == int32(codes.OK) || denied == nil || res.GetOkResponse() != nil ||
		int(denied.GetStatus().GetCode()) != status || denied.GetBody() != `{"code":"`+string(code)+"\"}\n" {
		t.Errorf("%s: %v, want %d with %s", name, res, status, code)
	}
	if strings.Contains(res.String(), "alice") {
		t.Errorf("%s: the client is told %v", name, res)
	}
	return headers(t, denied.GetHeaders())
}

func headers(t testing.TB, all []*core.HeaderValueOption) map[string]string {
	t.Helper()
	m := map[string]string{}
	for _, h := range all {
		name := h.GetHeader().GetKey()
		if _, twice := m[name]; twice || name != strings.ToLower(name) || h.AppendAction != core.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD {
			t.Errorf("header %v does not stand in place of the client's", h)
		}
		m[name] = h.GetHeader().GetValue()
	}
	return m
}
