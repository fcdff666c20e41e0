package mcpproxy

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
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
	"github.com/whittle-auth/whittle/verify/toolcall"
)

const server = "files"

// A world is a guard, and an agent that holds a token.
type world struct {
	t       testing.TB
	mapping *toolcall.Mapping
	guard   *Guard
	root    token.PrivateKey
	agent   token.PrivateKey
	held    token.Chain
	log     bytes.Buffer
}

func key(t testing.TB) token.PrivateKey {
	t.Helper()
	k, err := token.GenerateKey(datalog.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// newWorld mints a token for the tools read and pay, as far as the caveats go.
func newWorld(t testing.TB, o *GuardOptions, caveats ...delegation.Caveat) *world {
	t.Helper()
	w := &world{t: t, root: key(t), agent: key(t)}
	memory, err := replay.NewMemory(time.Now(), &replay.Options{FirstStart: true})
	if err != nil {
		t.Fatal(err)
	}
	roots, err := trust.Parse([]byte(`alice@example.com namespaces="whittle" ` + w.root.Public().AuthorizedKey("")))
	if err != nil {
		t.Fatal(err)
	}
	v, err := verify.New(server, roots, &verify.Options{Replay: memory})
	if err != nil {
		t.Fatal(err)
	}
	if w.mapping, err = toolcall.NewMapping(server, &toolcall.Options{AllowParams: []string{"inputResponses"}}); err != nil {
		t.Fatal(err)
	}
	if o == nil {
		o = &GuardOptions{}
	}
	o.Logger = slog.New(slog.NewTextHandler(&w.log, nil))
	if w.guard, err = NewGuard(v, w.mapping, o); err != nil {
		t.Fatal(err)
	}
	caveats = append([]delegation.Caveat{delegation.Resource("tools/**"), delegation.Operation("read", "pay")}, caveats...)
	if w.held, err = attenuate.Mint(w.root, attenuate.Grant{
		Delegator: "alice@example.com", Agent: "agent:ci", AgentKey: w.agent.Public(), TTL: time.Hour,
	}, caveats...); err != nil {
		t.Fatal(err)
	}
	return w
}

// token returns the text of an invocation for the params of a call.
func (w *world) token(params string) string {
	w.t.Helper()
	c, err := toolcall.ParseCall([]byte(params))
	if err != nil {
		w.t.Fatal(err)
	}
	req, err := w.mapping.Request(c)
	if err != nil {
		w.t.Fatal(err)
	}
	text, err := httpauth.Hold(w.held, w.agent).Invoke(w.t.Context(), *req)
	if err != nil {
		w.t.Fatal(err)
	}
	return text
}

// call returns the line of a tools/call with a token for it.
func (w *world) call(id, params string) string {
	w.t.Helper()
	return callWith(id, params, w.token(params))
}

func callWith(id, params, token string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":"tools/call","params":%s,"_meta":{%q:%q}}}`, id, strings.TrimSuffix(params, "}"), toolcall.MetaKey, token)
}

func (w *world) send(line string) (toServer, toClient string) {
	s, c := w.guard.fromClient(context.Background(), []byte(line))
	return string(s), string(c)
}

func (w *world) answer(line string) (toServer, toClient string) {
	s, c := w.guard.fromServer(context.Background(), []byte(line))
	return string(s), string(c)
}

// failure takes an error line apart.
func failure(t testing.TB, line string) (id string, number int, data map[string]any) {
	t.Helper()
	var m struct {
		ID    json.RawMessage
		Error *struct {
			Code    int
			Message string
			Data    map[string]any
		}
	}
	if err := json.Unmarshal([]byte(line), &m); err != nil || m.Error == nil {
		t.Fatalf("%q is no error: %v", line, err)
	}
	return string(m.ID), m.Error.Code, m.Error.Data
}
