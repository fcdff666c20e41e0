package gateway_test

import (
	"bytes"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify/gateway"
)

const audience = "site:docs"

// A world is a folder with a configuration, and an agent that holds a token for the
// service.
type world struct {
	t     testing.TB
	dir   string
	agent token.PrivateKey
	held  token.Chain
	log   lockedBuffer
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

// newWorld mints a token for everything below docs.
func newWorld(t testing.TB, caveats ...delegation.Caveat) *world {
	t.Helper()
	root := key(t)
	w := &world{t: t, dir: t.TempDir(), agent: key(t)}
	w.write("trust", `alice@example.com namespaces="whittle" `+root.Public().AuthorizedKey("")+"\n")
	w.write("agents", `agent:ci namespaces="whittle-agent" `+w.agent.Public().AuthorizedKey("")+"\n")
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

func (w *world) write(name, content string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// configuration is one for a proxy that everything but its dialect is the same of.
func configuration(proxy string) string {
	return `audience = "site:docs"
trust = "trust"
directory = "agents"
proxy = "` + proxy + `"
trusted_proxies = ["127.0.0.1", "10.0.0.0/8", "::1", "unix"]
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
`
}

// open writes the configuration and opens it.
func (w *world) open(config string) *gateway.Gateway {
	w.t.Helper()
	return w.openWith(config, gateway.Options{FirstStart: true})
}

func (w *world) openWith(config string, o gateway.Options) *gateway.Gateway {
	w.t.Helper()
	w.write("gateway.toml", config)
	o.Logger = slog.New(slog.NewTextHandler(&w.log, nil))
	g, err := gateway.Open(filepath.Join(w.dir, "gateway.toml"), &o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { g.Close() })
	return g
}

// invoke makes the token that is presented with a request.
func (w *world) invoke(req delegation.Request) string {
	w.t.Helper()
	if req.Audience == "" {
		req.Audience = audience
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

var proxyAddress = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4711}

// get is an original request with a token.
func get(uri, text string) gateway.Original {
	return gateway.Original{
		Peer: proxyAddress, Method: "GET", URI: uri, Host: "docs.example.org",
		Header: http.Header{"Authorization": {"Bearer " + text}},
	}
}
