package mcpauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/httpauth"
	"github.com/whittle-auth/whittle/verify/mcpauth"
	"github.com/whittle-auth/whittle/verify/replay"
	"github.com/whittle-auth/whittle/verify/toolcall"
)

// holder returns the middleware of a holder.
func holder(t testing.TB, held token.Chain, key token.Signer) mcp.Middleware {
	t.Helper()
	m, err := newMapping()
	if err != nil {
		t.Fatal(err)
	}
	middleware, err := mcpauth.Invoke(httpauth.Hold(held, key), m, held.Text)
	if err != nil {
		t.Fatal(err)
	}
	return middleware
}

// TestCalls: an agent calls what its token allows, a sub-agent what it was left, over each
// transport and in each revision of the protocol.
func TestCalls(t *testing.T) {
	w := newWorld(t)
	sub := key(t)
	amount, err := delegation.ParseCaveat("arg amount 1..100")
	if err != nil {
		t.Fatal(err)
	}
	narrow, err := attenuate.Handoff(w.held, w.agent, "agent:sub", sub.Public(), delegation.Operation("pay"), amount)
	if err != nil {
		t.Fatal(err)
	}
	for name, transport := range map[string]func(*testing.T) mcp.Transport{
		"http":  func(t *testing.T) mcp.Transport { return w.overHTTP(t, nil, nil) },
		"stdio": func(t *testing.T) mcp.Transport { return w.overStdio(t) },
	} {
		for _, version := range mcp.SupportedProtocolVersions() {
			t.Run(name+"/"+version, func(t *testing.T) {
				o := &mcp.ClientOptions{}
				connectAt := func(middleware mcp.Middleware) *mcp.ClientSession {
					client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, o)
					client.AddSendingMiddleware(middleware)
					session, err := client.Connect(t.Context(), transport(t), &mcp.ClientSessionOptions{ProtocolVersion: version})
					if err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { session.Close() })
					return session
				}
				boss, worker := connectAt(holder(t, w.held, w.agent)), connectAt(holder(t, narrow, sub))
				if names := tools(t, boss); !slices.Equal(names, []string{"pay", "read"}) {
					t.Errorf("the orchestrator sees %q", names)
				}
				if names := tools(t, worker); !slices.Equal(names, []string{"pay"}) {
					t.Errorf("the sub-agent sees %q", names)
				}
				for range 2 {
					c, err := call(t.Context(), boss, "pay", payment{5000, "bob"})
					if err != nil || c.Meta || c.Header || c.Delegator != "alice@example.com" || c.Operation != "pay" || string(c.Args) != `{"amount":5000,"to":"bob"}` {
						t.Errorf("%+v, %v", c, err)
					}
				}
				if c, err := call(t.Context(), worker, "pay", map[string]any{"amount": 100, "to": "böb\u2028"}); err != nil || string(c.Args) != `{"amount":100,"to":"böb\u2028"}` {
					t.Errorf("%+v, %v", c, err)
				}
				for what, f := range map[string]func() (*called, error){
					"another tool": func() (*called, error) { return call(t.Context(), worker, "read", file{"a"}) },
					"out of range": func() (*called, error) { return call(t.Context(), worker, "pay", payment{101, "bob"}) },
					"never given":  func() (*called, error) { return call(t.Context(), boss, "delete", file{"a"}) },
				} {
					c, err := f()
					number, data := refusal(err)
					if c != nil || number != 403 || data.Code != token.CodeCheckFailed || !strings.Contains(err.Error(), "denied: check_failed") || strings.Contains(err.Error(), "101") {
						t.Errorf("%s: %+v, %v", what, c, err)
					}
				}
				if _, err := boss.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "file:///secret"}); err == nil {
					t.Error("a resource is read")
				}
				if _, err := boss.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: "hello"}); err == nil {
					t.Error("a prompt is got")
				}
			})
		}
	}
	if log := w.log.String(); !strings.Contains(log, "amount 101, allowed: 1 to 100") || strings.Contains(log, narrow.Text()) {
		t.Errorf("the log says %s", log)
	}
}

// TestCredential lists where a token may travel.
func TestCredential(t *testing.T) {
	w := newWorld(t)
	invoke := func() string {
		out, err := attenuate.Invoke(w.held, w.agent, delegation.Request{
			Operation: "pay", Resource: "tools/shop", Audience: audience, Args: map[string]any{"amount": 5, "to": "bob"},
		})
		if err != nil {
			t.Fatal(err)
		}
		return out.Text()
	}
	used := invoke()
	other := newWorld(t)
	for _, c := range []struct {
		name   string
		meta   any
		header []string
		allow  bool
		code   token.Code
	}{
		{"in _meta", used, nil, false, ""},
		{"in the header", nil, []string{"Bearer " + invoke()}, false, ""},
		{"in the header, lower case", nil, []string{"bearer " + invoke()}, false, ""},
		{"beside somebody else's", invoke(), []string{"Bearer oauth"}, true, ""},
		{"nowhere", nil, nil, false, token.CodeNotPresented},
		{"another scheme", nil, []string{"Basic " + invoke()}, false, token.CodeNotPresented},
		{"two headers", nil, []string{"Bearer " + invoke(), "Bearer " + invoke()}, false, token.CodeMalformed},
		{"in both", invoke(), []string{"Bearer " + invoke()}, false, token.CodeMalformed},
		{"beside another scheme", invoke(), []string{"Basic x"}, false, token.CodeMalformed},
		{"in a header that is somebody else's", nil, []string{"Bearer " + invoke()}, true, token.CodeNotPresented},
		{"no string", 5, nil, false, token.CodeMalformed},
		{"held", w.held.Text(), nil, false, token.CodeNotPresented},
		{"of another root", func() string {
			out, err := attenuate.Invoke(other.held, other.agent, delegation.Request{Operation: "pay", Resource: "tools/shop", Audience: audience, Args: map[string]any{"amount": 5, "to": "bob"}})
			if err != nil {
				t.Fatal(err)
			}
			return out.Text()
		}(), nil, false, token.CodeUntrustedRoot},
	} {
		t.Run(c.name, func(t *testing.T) {
			var calling atomic.Bool
			transport := w.overHTTP(t, &mcpauth.Options{AllowOtherAuthorization: c.allow}, &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				if calling.Load() {
					r = r.Clone(r.Context())
					r.Header["Authorization"] = c.header
				}
				return http.DefaultTransport.RoundTrip(r)
			})})
			s := connect(t, transport, nil, nil)
			calling.Store(true)
			params := &mcp.CallToolParams{Name: "pay", Arguments: payment{5, "bob"}}
			if c.meta != nil {
				params.Meta = mcp.Meta{toolcall.MetaKey: c.meta}
			}
			result, err := s.CallTool(t.Context(), params)
			_, data := refusal(err)
			if (err == nil) != (c.code == "") || data.Code != c.code {
				t.Fatalf("%v", err)
			}
			if err != nil {
				return
			}
			var got called
			if err := json.Unmarshal([]byte(result.Content[0].(*mcp.TextContent).Text), &got); err != nil || got.Meta || got.Header != c.allow {
				t.Errorf("the tool sees %+v, %v", got, err)
			}
			if _, err := s.CallTool(t.Context(), params); err == nil {
				t.Error("a token is taken twice")
			}
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestArguments: what is signed is what the tool gets, and arguments without one reading are
// refused at both ends.
func TestArguments(t *testing.T) {
	w := newWorld(t, delegation.ArgUnset{Arg: "force"})
	s := connect(t, w.overHTTP(t, nil, nil), nil, holder(t, w.held, w.agent))
	for _, args := range []string{`{"path":"a","path":"b"}`, `{"path":"a","Path":"b"}`, `[]`, `"x"`, `{"path":"e\u0301"}`, `{"path":"a","n":9007199254740992}`, `{"path":"a","/x":1}`} {
		if _, err := call(t.Context(), s, "read", json.RawMessage(args)); err == nil || !strings.HasPrefix(err.Error(), "mcpauth: ") {
			t.Errorf("%s is sent: %v", args, err)
		}
	}
	// A careless client signs something else, or sends its arguments as they are.
	for args, code := range map[string]token.Code{
		`{"path":"a"}`: "", `{"path":"b"}`: token.CodeCheckFailed, `{"path":"b","path":"a"}`: token.CodeCheckFailed, `{"path":"a","FORCE":true}`: token.CodeCheckFailed,
	} {
		signed := map[string]any{"path": "a"}
		if strings.Contains(args, "FORCE") {
			signed["FORCE"] = true
		}
		out, err := attenuate.Invoke(w.held, w.agent, delegation.Request{Operation: "read", Resource: "tools/shop", Audience: audience, Args: signed})
		if err != nil {
			t.Fatal(err)
		}
		careless := connect(t, w.overHTTP(t, nil, nil), nil, nil)
		_, err = careless.CallTool(t.Context(), &mcp.CallToolParams{
			Name: "read", Arguments: json.RawMessage(args), Meta: mcp.Meta{toolcall.MetaKey: out.Text()},
		})
		if _, data := refusal(err); data.Code != code || (err == nil) != (code == "") {
			t.Errorf("%s: %v", args, err)
		}
	}
}

// TestInvokeRefuses: nothing is sent with a token of somebody else's, or with none to be had.
func TestInvokeRefuses(t *testing.T) {
	w := newWorld(t)
	m, err := newMapping()
	if err != nil {
		t.Fatal(err)
	}
	for name, invoker := range map[string]invokerFunc{
		"fails": func(context.Context, delegation.Request) (string, error) { return "", errors.New("no key") },
		"leaks": func(context.Context, delegation.Request) (string, error) { return w.held.Text(), nil },
		"lies":  func(context.Context, delegation.Request) (string, error) { return "abc", nil },
	} {
		middleware, err := mcpauth.Invoke(invoker, m, nil)
		if err != nil {
			t.Fatal(err)
		}
		s := connect(t, w.overHTTP(t, nil, nil), nil, middleware)
		if _, err := call(t.Context(), s, "pay", payment{5, "bob"}); err == nil || !strings.HasPrefix(err.Error(), "mcpauth: ") {
			t.Errorf("%s: %v", name, err)
		}
		if names := tools(t, s); len(names) > 0 {
			t.Errorf("without a token there is %q", names)
		}
	}
	s := connect(t, w.overHTTP(t, nil, nil), nil, holder(t, w.held, w.agent))
	for _, meta := range []mcp.Meta{{toolcall.MetaKey: "x"}, {strings.ToUpper(toolcall.MetaKey): "x"}} {
		if _, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: "pay", Meta: meta}); err == nil || !strings.HasPrefix(err.Error(), "mcpauth: ") {
			t.Errorf("%v: %v", meta, err)
		}
	}
	params := &mcp.CallToolParams{Name: "pay", Arguments: payment{5, "bob"}, Meta: mcp.Meta{"x": "y"}}
	for range 2 { // the caller's params are its own
		if _, err := s.CallTool(t.Context(), params); err != nil {
			t.Error(err)
		}
	}
	if _, ok := params.Meta[toolcall.MetaKey]; ok {
		t.Error("the caller's params have the token")
	}
	if _, err := mcpauth.Invoke(nil, m, nil); err == nil {
		t.Error("no invoker, and no error")
	}
}

type invokerFunc func(context.Context, delegation.Request) (string, error)

func (f invokerFunc) Invoke(ctx context.Context, req delegation.Request) (string, error) {
	return f(ctx, req)
}

// TestOptions: what the owner of the server says counts.
func TestOptions(t *testing.T) {
	w := newWorld(t, delegation.Context("ticket", "T-1"))
	ticket, failed := verify.State{}, error(nil)
	s := connect(t, w.overHTTP(t, &mcpauth.Options{
		State:        func(context.Context, mcp.Request) (verify.State, error) { return ticket, failed },
		Allow:        []string{"resources/read"},
		AllowListing: true,
	}, nil), nil, holder(t, w.held, w.agent))
	if _, err := s.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "file:///secret"}); err != nil {
		t.Error(err)
	}
	_, err := call(t.Context(), s, "pay", payment{5, "bob"})
	if _, data := refusal(err); data.Code != token.CodeCheckFailed {
		t.Error(err)
	}
	failed = errors.New("nobody knows")
	_, err = call(t.Context(), s, "pay", payment{5, "bob"})
	if number, data := refusal(err); number != 503 || data.Code != token.CodeUnavailable || strings.Contains(err.Error(), "nobody") {
		t.Error(err)
	}
	ticket, failed = verify.State{Context: map[string]any{"ticket": "T-1"}}, nil
	if _, err = call(t.Context(), s, "pay", payment{5, "bob"}); err != nil {
		t.Error(err)
	}
	open := connect(t, w.overHTTP(t, &mcpauth.Options{AllowListing: true}, nil), nil, nil)
	if names := tools(t, open); len(names) != 3 {
		t.Errorf("listing is allowed: %q", names)
	}
	if _, err := protection(w.trusted, &mcpauth.Options{Allow: []string{"tools/call"}}); err == nil {
		t.Error("calls are let through")
	}
}

// TestApproval: a client is told what its own token demands.
func TestApproval(t *testing.T) {
	bob := key(t)
	w := newWorld(t, delegation.Approval{Keys: []token.PublicKey{bob.Public()}})
	s := connect(t, w.overHTTP(t, nil, nil), nil, holder(t, w.held, w.agent))
	_, err := call(t.Context(), s, "pay", payment{5, "bob"})
	if _, data := refusal(err); data.Code != token.CodeCheckFailed || len(data.Needs) != 1 || !strings.Contains(data.Needs[0], bob.Public().String()) {
		t.Error(err)
	}
	if names := tools(t, s); len(names) != 2 {
		t.Errorf("what can be approved is not shown: %q", names)
	}
}

// TestAnswers: a tool asks back, and the client answers by calling again. The answer is signed;
// a client that repeats its token is denied.
func TestAnswers(t *testing.T) {
	w := newWorld(t)
	m, err := toolcall.NewMapping(audience, &toolcall.Options{AllowParams: []string{"inputResponses", "requestState"}})
	if err != nil {
		t.Fatal(err)
	}
	roots, err := trust.Parse([]byte(w.trusted))
	if err != nil {
		t.Fatal(err)
	}
	memory, err := replay.NewMemory(time.Now(), &replay.Options{FirstStart: true})
	if err != nil {
		t.Fatal(err)
	}
	v, err := verify.New(audience, roots, &verify.Options{Replay: memory})
	if err != nil {
		t.Fatal(err)
	}
	invoke, err := mcpauth.Invoke(httpauth.Hold(w.held, w.agent), m, w.held.Text)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		allowed, automatic bool
		code               token.Code
	}{
		"signed": {true, false, ""}, "not allowed at the server": {false, false, token.CodeCheckFailed}, "repeated": {true, true, token.CodeCheckFailed},
	} {
		t.Run(name, func(t *testing.T) {
			atServer := m
			if !c.allowed {
				if atServer, err = newMapping(); err != nil {
					t.Fatal(err)
				}
			}
			protect, err := mcpauth.Protect(v, atServer, &mcpauth.Options{Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			server := mcp.NewServer(&mcp.Implementation{Name: "test", Version: "1"}, nil)
			server.AddTool(&mcp.Tool{Name: "pay", InputSchema: json.RawMessage(`{"type":"object"}`)}, func(_ context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
				if answer, ok := req.Params.InputResponses["sure"].(*mcp.ElicitResult); ok {
					return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: answer.Action + req.Params.RequestState}}}, nil
				}
				return &mcp.CallToolResult{InputRequests: mcp.InputRequestMap{"sure": &mcp.ElicitParams{Message: "sure?"}}, RequestState: "s"}, nil
			})
			server.AddReceivingMiddleware(protect)
			serverEnd, clientEnd := mcp.NewInMemoryTransports()
			if _, err := server.Connect(t.Context(), serverEnd, nil); err != nil {
				t.Fatal(err)
			}
			s := connect(t, clientEnd, &mcp.ClientOptions{
				MultiRoundTrip: &mcp.MultiRoundTripOptions{Disabled: !c.automatic},
				ElicitationHandler: func(context.Context, *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
					return &mcp.ElicitResult{Action: "accept"}, nil
				},
			}, invoke)
			result, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: "pay"})
			if !c.automatic {
				if err != nil || result.InputRequests["sure"] == nil {
					t.Fatalf("the tool does not ask: %+v, %v", result, err)
				}
				result, err = s.CallTool(t.Context(), &mcp.CallToolParams{
					Name: "pay", InputResponses: mcp.InputResponseMap{"sure": &mcp.ElicitResult{Action: "accept"}}, RequestState: result.RequestState,
				})
			}
			if _, data := refusal(err); data.Code != c.code || (err == nil) != (c.code == "") {
				t.Fatal(err)
			}
			if err == nil && result.Content[0].(*mcp.TextContent).Text != "accepts" {
				t.Errorf("%+v", result)
			}
		})
	}
}
