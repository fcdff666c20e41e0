package mcpproxy

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify/httpauth"
	"github.com/whittle-auth/whittle/verify/toolcall"
)

type invokerFunc func(context.Context, delegation.Request) (string, error)

func (f invokerFunc) Invoke(ctx context.Context, req delegation.Request) (string, error) {
	return f(ctx, req)
}

func hold(t *testing.T, invoker httpauth.Invoker, m *toolcall.Mapping, o HoldOptions) *Hold {
	t.Helper()
	o.Logger = slog.New(slog.DiscardHandler)
	h, err := NewHold(invoker, m, &o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestHold: what a client writes goes out with a token for each call, which the guard accepts,
// and with the held one for each list.
func TestHold(t *testing.T) {
	w := newWorld(t, nil)
	h := hold(t, httpauth.Hold(w.held, w.agent), w.mapping, HoldOptions{Held: func() (string, error) { return w.held.Text(), nil }})
	through := func(line string) (toServer, toClient string) {
		t.Helper()
		toGuard, toClientFirst := h.fromClient(t.Context(), []byte(line))
		if len(toGuard) == 0 {
			return "", string(toClientFirst)
		}
		return w.send(strings.TrimSuffix(string(toGuard), "\n"))
	}
	for _, line := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"arguments":{"amount":5,"rate":0.1,"to":"b\u00f6b"},"name":"pay"}}`,
		`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"_meta":{"progressToken":1},"inputResponses":{"q":{"action":"accept"}},"name":"read"}}`,
		`{"jsonrpc":"2.0","id":3,"method":"ping"}`, `{"jsonrpc":"2.0","method":"notifications/initialized"}`,
	} {
		if toServer, toClient := through(line); toServer != line+"\n" {
			t.Errorf("%s: the server reads %q, the client %q", line, toServer, toClient)
		}
	}
	if toServer, toClient := through(`{"jsonrpc":"2.0","id":4,"method":"tools/list"}`); toServer != `{"jsonrpc":"2.0","id":4,"method":"tools/list","params":{}}`+"\n" {
		t.Errorf("the server reads %q, the client %q", toServer, toClient)
	}
	if _, toClient := w.answer(`{"jsonrpc":"2.0","id":4,"result":{"tools":[{"name":"pay"},{"name":"delete"}]}}`); toClient != `{"jsonrpc":"2.0","id":4,"result":{"tools":[{"name":"pay"}]}}`+"\n" {
		t.Errorf("the client reads %q", toClient)
	}
	if _, toClient := through(`{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"delete"}}`); !strings.Contains(toClient, "denied: check_failed") {
		t.Errorf("the client reads %q", toClient)
	}
	if toServer, toClient := h.fromServer(t.Context(), []byte("anything")); len(toServer) > 0 || string(toClient) != "anything\n" {
		t.Errorf("the client reads %q", toClient)
	}
}

// TestHoldRefuses: nothing goes out that has no one reading, a token already, or none to be had.
func TestHoldRefuses(t *testing.T) {
	w := newWorld(t, nil)
	good := httpauth.Hold(w.held, w.agent)
	fails := invokerFunc(func(context.Context, delegation.Request) (string, error) { return "", errors.New("no key") })
	leaks := invokerFunc(func(context.Context, delegation.Request) (string, error) { return w.held.Text(), nil })
	call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pay"}}`
	for name, c := range map[string]struct {
		invoker httpauth.Invoker
		line    string
		want    string
	}{
		"no reading":     {good, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pay","arguments":{"a":1,"a":2}}}`, "denied: check_failed"},
		"no operation":   {good, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":""}}`, "denied: check_failed"},
		"a token":        {good, w.call("1", `{"name":"pay"}`), "denied: malformed"},
		"a list's token": {good, `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"` + toolcall.MetaKey + `":"x"}}}`, "denied: malformed"},
		"no meta":        {good, `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":5}}`, "-32602"},
		"a batch":        {good, "[" + call + "]", "-32600"},
		"no key":         {fails, call, "denied: unavailable"},
		"a held token":   {leaks, call, "denied: unavailable"},
	} {
		h := hold(t, c.invoker, w.mapping, HoldOptions{Held: func() (string, error) { return w.held.Text(), nil }})
		toServer, toClient := h.fromClient(t.Context(), []byte(c.line))
		if len(toServer) > 0 || !strings.Contains(string(toClient), c.want) || strings.Contains(string(toClient), "no key") {
			t.Errorf("%s: the server reads %q, the client %q", name, toServer, toClient)
		}
	}
	h := hold(t, good, w.mapping, HoldOptions{Lacks: func(delegation.Request) ([]string, *delegation.ApprovalRequest) {
		return []string{"approval by bob"}, nil
	}})
	if toServer, toClient := h.fromClient(t.Context(), []byte(call)); len(toServer) > 0 || !strings.Contains(string(toClient), `"message":"denied: check_failed: this very call needs approval by bob","data":{"code":"check_failed","needs":["approval by bob"]}`) {
		t.Errorf("the server reads %q, the client %q", toServer, toClient)
	}
}
