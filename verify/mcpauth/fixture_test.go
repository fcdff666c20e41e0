package mcpauth_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/mcpauth"
	"github.com/whittle-auth/whittle/verify/replay"
	"github.com/whittle-auth/whittle/verify/toolcall"
)

const audience = "shop"

// The tests start themselves as servers on standard streams.
const (
	protectedServer = "WHITTLE_TEST_PROTECTED" // its value is a trust file
	plainServer     = "WHITTLE_TEST_PLAIN"
)

func TestMain(m *testing.M) {
	trusted, protected := os.LookupEnv(protectedServer)
	if _, plain := os.LookupEnv(plainServer); !plain && !protected {
		os.Exit(m.Run())
	}
	server := newServer()
	if protected {
		protect, err := protection(trusted, nil)
		if err != nil {
			panic(err)
		}
		server.AddReceivingMiddleware(protect)
	}
	if err := server.Run(context.Background(), &mcp.StdioTransport{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

func newMapping() (*toolcall.Mapping, error) { return toolcall.NewMapping(audience, nil) }

func protection(trusted string, o *mcpauth.Options) (mcp.Middleware, error) {
	roots, err := trust.Parse([]byte(trusted))
	if err != nil {
		return nil, err
	}
	memory, err := replay.NewMemory(time.Now(), &replay.Options{FirstStart: true})
	if err != nil {
		return nil, err
	}
	v, err := verify.New(audience, roots, &verify.Options{Replay: memory})
	if err != nil {
		return nil, err
	}
	m, err := newMapping()
	if err != nil {
		return nil, err
	}
	return mcpauth.Protect(v, m, o)
}

type payment struct {
	Amount int    `json:"amount"`
	To     string `json:"to"`
}

type file struct {
	Path string `json:"path"`
}

// newServer has three tools, which say what they were called with, a resource and a
// prompt.
func newServer() *mcp.Server {
	server := mcp.NewServer(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	addTool[file](server, "read")
	addTool[payment](server, "pay")
	addTool[file](server, "delete")
	server.AddResource(&mcp.Resource{Name: "secret", URI: "file:///secret"}, func(context.Context, *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
		return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{{URI: "file:///secret", Text: "secret"}}}, nil
	})
	server.AddPrompt(&mcp.Prompt{Name: "hello"}, func(context.Context, *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		return &mcp.GetPromptResult{}, nil
	})
	return server
}

// called is what a tool says.
type called struct {
	Tool      string          `json:"tool"`
	Args      json.RawMessage `json:"args"`
	Meta      bool            `json:"meta"`   // whether _meta has a token
	Header    bool            `json:"header"` // whether the header does
	Delegator string          `json:"delegator"`
	Operation string          `json:"operation"`
}

func addTool[In any](server *mcp.Server, name string) {
	mcp.AddTool(server, &mcp.Tool{Name: name}, func(ctx context.Context, req *mcp.CallToolRequest, in In) (*mcp.CallToolResult, any, error) {
		args, err := json.Marshal(in)
		if err != nil {
			return nil, nil, err
		}
		c := called{Tool: name, Args: args}
		_, c.Meta = req.Params.Meta[toolcall.MetaKey]
		c.Header = req.Extra != nil && req.Extra.Header.Get("Authorization") != ""
		if d := mcpauth.DecisionFrom(ctx); d != nil {
			c.Delegator, c.Operation = d.Delegator, mcpauth.RequestFrom(ctx).Operation
		}
		text, err := json.Marshal(c)
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: string(text)}}}, nil, err
	})
}

// A world is a person's root, and an agent that holds a token for the tools read and pay.
type world struct {
	root, agent token.PrivateKey
	trusted     string
	held        token.Chain
	log         *lockedBuffer
}

func key(t testing.TB) token.PrivateKey {
	t.Helper()
	k, err := token.GenerateKey(datalog.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newWorld(t testing.TB, caveats ...delegation.Caveat) *world {
	t.Helper()
	w := &world{root: key(t), agent: key(t), log: &lockedBuffer{}}
	w.trusted = `alice@example.com namespaces="whittle" ` + w.root.Public().AuthorizedKey("")
	var err error
	if w.held, err = attenuate.Mint(w.root, attenuate.Grant{
		Delegator: "alice@example.com", Agent: "agent:boss", AgentKey: w.agent.Public(), TTL: time.Hour,
	}, append([]delegation.Caveat{delegation.Resource("tools/shop"), delegation.Operation("read", "pay")}, caveats...)...); err != nil {
		t.Fatal(err)
	}
	return w
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

// overHTTP returns a transport to a new server that is protected.
func (w *world) overHTTP(t testing.TB, o *mcpauth.Options, client *http.Client) mcp.Transport {
	t.Helper()
	if o == nil {
		o = &mcpauth.Options{}
	}
	o.Logger = slog.New(slog.NewTextHandler(w.log, nil))
	protect, err := protection(w.trusted, o)
	if err != nil {
		t.Fatal(err)
	}
	server := newServer()
	server.AddReceivingMiddleware(protect)
	s := httptest.NewServer(mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil))
	t.Cleanup(s.Close)
	return &mcp.StreamableClientTransport{Endpoint: s.URL, HTTPClient: client}
}

// overStdio returns a transport to a server of its own process, which is protected.
func (w *world) overStdio(t testing.TB) mcp.Transport {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), protectedServer+"="+w.trusted)
	return &mcp.CommandTransport{Command: cmd}
}

// connect returns a session, with the middleware unless it is nil.
func connect(t testing.TB, transport mcp.Transport, o *mcp.ClientOptions, middleware mcp.Middleware) *mcp.ClientSession {
	t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, o)
	if middleware != nil {
		client.AddSendingMiddleware(middleware)
	}
	session, err := client.Connect(t.Context(), transport, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	return session
}

func call(ctx context.Context, s *mcp.ClientSession, tool string, args any) (*called, error) {
	result, err := s.CallTool(ctx, &mcp.CallToolParams{Name: tool, Arguments: args})
	if err != nil {
		return nil, err
	}
	text, ok := result.Content[0].(*mcp.TextContent)
	if !ok || result.IsError {
		return nil, fmt.Errorf("the tool failed: %v", text)
	}
	c := &called{}
	return c, json.Unmarshal([]byte(text.Text), c)
}

// refusal takes an error of the server apart.
func refusal(err error) (number int64, data toolcall.RefusalData) {
	if e, ok := errors.AsType[*jsonrpc.Error](err); ok {
		_ = json.Unmarshal(e.Data, &data)
		return e.Code, data
	}
	return 0, data
}

func tools(t testing.TB, s *mcp.ClientSession) (names []string) {
	t.Helper()
	list, err := s.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range list.Tools {
		names = append(names, tool.Name)
	}
	return names
}
