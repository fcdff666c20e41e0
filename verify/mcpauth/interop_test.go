package mcpauth_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify/toolcall"
)

// command builds the whittle command.
func command(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "whittle")
	build := exec.Command("go", "build", "-o", name, "./cli/whittle")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return name
}

// TestProxies joins the SDK's client and server, each with and without its middleware, to the
// proxy in its place.
func TestProxies(t *testing.T) {
	whittle, w := command(t), newWorld(t)
	dir := t.TempDir()
	private, err := w.agent.MarshalOpenSSH("", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{"trust": w.trusted + "\n", "token": w.held.Text(), "key": string(private)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	guard := []string{whittle, "mcp-proxy", "--trust", "trust", "--audience", audience, "--"}
	hold := []string{whittle, "mcp-proxy", "--hold", "token", "--key", "key", "--trust", "trust", "--audience", audience, "--"}
	for name, c := range map[string]struct {
		command  []string
		server   string // the variable that makes it
		value    string
		invoking bool
	}{
		"the client's middleware, the server's proxy": {slices.Concat(guard, os.Args[:1]), plainServer, "", true},
		"the client's proxy, the server's middleware": {slices.Concat(hold, os.Args[:1]), protectedServer, w.trusted, false},
		"a proxy each": {slices.Concat(hold, guard, os.Args[:1]), plainServer, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(c.command[0], c.command[1:]...)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), c.server+"="+c.value, "XDG_STATE_HOME="+t.TempDir())
			var middleware mcp.Middleware
			if c.invoking {
				middleware = holder(t, w.held, w.agent)
			}
			s := connect(t, &mcp.CommandTransport{Command: cmd}, nil, middleware)
			if names := tools(t, s); !slices.Equal(names, []string{"pay", "read"}) {
				t.Errorf("there is %q", names)
			}
			called, err := call(t.Context(), s, "pay", payment{5, "böb\u2028"})
			if err != nil || string(called.Args) != `{"amount":5,"to":"böb\u2028"}` {
				t.Errorf("%+v, %v", called, err)
			}
			_, err = call(t.Context(), s, "delete", file{"a"})
			if number, data := refusal(err); number != 403 || data.Code != token.CodeCheckFailed {
				t.Error(err)
			}
			if _, err := s.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "file:///secret"}); err == nil {
				t.Error("a resource is read")
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestJavaScript: the official client of another language meets the middleware over HTTP.
func TestJavaScript(t *testing.T) {
	parts := filepath.Join("..", "..", "cli", "testdata", "mcp")
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed: no client in JavaScript is tried")
	}
	if _, err := os.Stat(filepath.Join(parts, "node_modules")); err != nil {
		t.Skip("no client in JavaScript is tried: npm ci --prefix cli/testdata/mcp")
	}
	w := newWorld(t)
	transport := w.overHTTP(t, nil, nil).(*mcp.StreamableClientTransport)
	var calls []map[string]any
	for _, amount := range []int{5, 6} {
		out, err := attenuate.Invoke(w.held, w.agent, delegation.Request{
			Operation: "pay", Resource: "tools/shop", Audience: audience, Args: map[string]any{"amount": 5, "to": "bob"},
		})
		if err != nil {
			t.Fatal(err)
		}
		calls = append(calls, map[string]any{
			"name": "pay", "arguments": map[string]any{"amount": amount, "to": "bob"}, "_meta": map[string]any{toolcall.MetaKey: out.Text()},
		})
	}
	text, err := json.Marshal(append(calls, calls[0], map[string]any{"name": "read", "arguments": map[string]any{"path": "a"}}))
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("node", filepath.Join(parts, "http-client.mjs"), transport.Endpoint, w.held.Text(), string(text)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := strings.Split(string(out), "\n")
	for i, want := range []string{
		"tools: pay read", `pay: done: {"tool":"pay"`, `pay: error 403: MCP error 403: denied: check_failed {"code":"check_failed"}`,
		`pay: error 401: MCP error 401: denied: replay {"code":"replay"}`, `read: error 401: MCP error 401: denied: not_presented {"code":"not_presented"}`,
	} {
		if !strings.HasPrefix(lines[min(i, len(lines)-1)], want) {
			t.Errorf("line %d is not %q:\n%s", i, want, out)
		}
	}
}
