package httpauth_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/httpauth"
	"github.com/whittle-auth/whittle/verify/replay"
)

const service = "svc:payments"

// A world is a service with one person's root, and an agent that holds a token.
type world struct {
	t        testing.TB
	verifier *verify.Verifier
	agent    token.PrivateKey
	held     token.Chain

	log    bytes.Buffer
	mu     sync.Mutex
	served []served // what reached the service behind Protect
}

// served is what the protected handler saw.
type served struct {
	body          string
	length        int64
	authorization string
	decision      *verify.Decision
	request       *delegation.Request
	proto         string
}

func key(t testing.TB) token.PrivateKey {
	t.Helper()
	k, err := token.GenerateKey(datalog.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// newWorld mints a token that allows everything below pay, as far as the caveats go.
func newWorld(t testing.TB, caveats ...delegation.Caveat) *world {
	t.Helper()
	root, w := key(t), &world{t: t, agent: key(t)}
	memory, err := replay.NewMemory(time.Now(), &replay.Options{FirstStart: true})
	if err != nil {
		t.Fatal(err)
	}
	roots, err := trust.Parse([]byte(`alice@example.com namespaces="whittle" ` + root.Public().AuthorizedKey("")))
	if err != nil {
		t.Fatal(err)
	}
	if w.verifier, err = verify.New(service, roots, &verify.Options{Replay: memory}); err != nil {
		t.Fatal(err)
	}
	caveats = append([]delegation.Caveat{
		delegation.Resource("pay/**"), delegation.Operation("get", "head", "post", "put", "pay"),
	}, caveats...)
	if w.held, err = attenuate.Mint(root, attenuate.Grant{
		Delegator: "alice@example.com", Agent: "agent:ci", AgentKey: w.agent.Public(), TTL: time.Hour,
	}, caveats...); err != nil {
		t.Fatal(err)
	}
	return w
}

// protected is the service, which answers "done" to what is allowed.
func (w *world) protected(o *httpauth.Options) http.Handler {
	if o == nil {
		o = &httpauth.Options{}
	}
	o.Logger = slog.New(slog.NewTextHandler(&w.log, nil))
	return httpauth.Protect(w.verifier, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.t.Errorf("the handler cannot read the body: %v", err)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.served = append(w.served, served{
			string(body), r.ContentLength, r.Header.Get("Authorization"), httpauth.DecisionFrom(r.Context()), httpauth.RequestFrom(r.Context()), r.Proto,
		})
		io.WriteString(rw, "done")
	}), o)
}

// invoke makes the token that is presented with a request.
func (w *world) invoke(req delegation.Request) string {
	w.t.Helper()
	if req.Audience == "" {
		req.Audience = service
	}
	c, err := attenuate.Invoke(w.held, w.agent, req)
	if err != nil {
		w.t.Fatal(err)
	}
	return c.Text()
}

// send gives a request with a token to a handler without a network.
func (w *world) send(h http.Handler, text string, r *http.Request) *httptest.ResponseRecorder {
	r.Header.Set("Authorization", "Bearer "+text)
	return answer(h, r)
}

func answer(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

// expect holds status and code of a response against what is wanted; the code is
// empty for what is allowed. A denied client must not learn more.
func expect(t *testing.T, name string, rec *httptest.ResponseRecorder, status int, code token.Code) {
	t.Helper()
	if rec.Code != status {
		t.Errorf("%s: status %d, want %d: %s", name, rec.Code, status, rec.Body)
		return
	}
	if code == "" {
		if rec.Body.String() != "done" {
			t.Errorf("%s: %s", name, rec.Body)
		}
		return
	}
	var body map[string]string
	if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil || len(body) != 1 || body["code"] != string(code) {
		t.Errorf("%s: %s, want the code %s and nothing else", name, rec.Body, code)
	}
	challenge := map[int]string{
		401: `Bearer error="invalid_token", error_description="` + string(code) + `"`,
		403: `Bearer error="insufficient_scope", error_description="` + string(code) + `"`,
	}[status]
	if got := rec.Header().Get("WWW-Authenticate"); got != challenge && !(got == "Bearer" && code == token.CodeNotPresented) {
		t.Errorf("%s: challenge %s, want %s", name, got, challenge)
	}
}

// raw reads a request as a server does.
func raw(t testing.TB, text string) *http.Request {
	t.Helper()
	r := httptest.NewRequest(parseTarget(text)).WithContext(t.Context())
	if r.Body != nil && r.Body != http.NoBody {
		r.Header.Set("Content-Type", "text/plain")
	}
	return r
}

func parseTarget(text string) (method, target string, body io.Reader) {
	head, content, _ := strings.Cut(text, "\n")
	method, target, _ = strings.Cut(head, " ")
	if content != "" {
		body = strings.NewReader(content)
	}
	return method, target, body
}
