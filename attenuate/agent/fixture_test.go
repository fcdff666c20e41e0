package agent_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/attenuate/agent"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/replay"
)

const service = "svc:certs"

// A world is a person whose root key is trusted, an agent to whom tokens are minted,
// and a service.
type world struct {
	t     testing.TB
	root  token.PrivateKey
	key   token.PrivateKey
	roots *trust.Roots
}

func newKey(t testing.TB) token.PrivateKey {
	t.Helper()
	k, err := token.GenerateKey(datalog.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, root: newKey(t), key: newKey(t)}
	w.roots = trusting(t, w.root)
	return w
}

func trusting(t testing.TB, root token.PrivateKey) *trust.Roots {
	t.Helper()
	roots, err := trust.Parse([]byte(`alice@example.com namespaces="whittle" ` + root.Public().AuthorizedKey("")))
	if err != nil {
		t.Fatal(err)
	}
	return roots
}

// mint returns the text of a token for the agent.
func (w *world) mint(ttl time.Duration) string {
	w.t.Helper()
	c, err := attenuate.Mint(w.root, attenuate.Grant{
		Delegator: "alice@example.com", Agent: "agent:ci", AgentKey: w.key.Public(), TTL: ttl,
	}, delegation.Resource("payments/**"), delegation.Operation("rotate", "read"))
	if err != nil {
		w.t.Fatal(err)
	}
	return c.Text()
}

func rotate() delegation.Request {
	return delegation.Request{Operation: "rotate", Resource: "payments/api", Audience: service}
}

// decide is what the service says to a token.
func (w *world) decide(text string, req delegation.Request, s verify.State) token.Code {
	w.t.Helper()
	memory, err := replay.NewMemory(time.Now(), &replay.Options{FirstStart: true})
	if err != nil {
		w.t.Fatal(err)
	}
	v, err := verify.New(service, w.roots, &verify.Options{Replay: memory})
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = v.VerifyWith(w.t.Context(), text, req, s)
	if err == nil {
		return ""
	}
	return verify.CodeOf(err)
}

// A lines is a log that tests look into.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// folder returns a folder for a socket, whose path has a limit that t.TempDir can
// exceed.
func folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "whittle-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// serve starts an agent to which programs may do all but hand on, and returns its client
// and its log.
func serve(t testing.TB, ring *agent.Keyring) (*agent.Client, *lines) {
	t.Helper()
	return serveWith(t, ring, &agent.ServeOptions{AllowChanges: true})
}

func serveWith(t testing.TB, ring *agent.Keyring, o *agent.ServeOptions) (*agent.Client, *lines) {
	t.Helper()
	path := filepath.Join(folder(t), "s")
	log := serveAt(t, path, ring, o)
	c, err := agent.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return c, log
}

func serveAt(t testing.TB, path string, ring *agent.Keyring, o *agent.ServeOptions) *lines {
	t.Helper()
	socket, err := agent.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	if o == nil {
		o = &agent.ServeOptions{}
	}
	log := new(lines)
	o.Logger = slog.New(slog.NewTextHandler(log, nil))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- agent.Serve(ctx, socket, ring, o) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the agent ended with %v", err)
		}
	})
	return log
}

// contextOfStdin returns a context that ends with standard input.
func contextOfStdin() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	return ctx, cancel
}

// A recorder keeps an answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newRecorder() *recorder { return &recorder{header: http.Header{}} }

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }
