package mcpauth_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/httpauth"
	"github.com/whittle-auth/whittle/verify/mcpauth"
	"github.com/whittle-auth/whittle/verify/replay"
	"github.com/whittle-auth/whittle/verify/toolcall"
)

// A server that decides each call, and an agent that invokes its token for each. Over
// HTTP it is the same, with other transports.
func Example() {
	ctx := context.Background()
	alice, agent := newKey(), newKey()
	tok, err := attenuate.Mint(alice, attenuate.Grant{
		Delegator: "alice@example.com", Agent: "agent:helper", AgentKey: agent.Public(), TTL: time.Hour,
	}, delegation.Resource("tools/shop"), delegation.Operation("pay"), delegation.ArgRange{Arg: "amount", Min: 1, Max: 100})
	check(err)

	// The server.
	roots, err := trust.Parse([]byte(`alice@example.com namespaces="whittle" ` + alice.Public().AuthorizedKey("")))
	check(err)
	memory, err := replay.NewMemory(time.Now(), &replay.Options{FirstStart: true})
	check(err)
	v, err := verify.New("shop", roots, &verify.Options{Replay: memory})
	check(err)
	m, err := toolcall.NewMapping("shop", nil)
	check(err)
	protect, err := mcpauth.Protect(v, m, &mcpauth.Options{Logger: slog.New(slog.DiscardHandler)})
	check(err)
	server := mcp.NewServer(&mcp.Implementation{Name: "shop", Version: "1"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "pay"}, func(ctx context.Context, _ *mcp.CallToolRequest, in payment) (*mcp.CallToolResult, any, error) {
		text := fmt.Sprintf("%d paid to %s for %s", in.Amount, in.To, mcpauth.DecisionFrom(ctx).Delegator)
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}, nil, nil
	})
	server.AddReceivingMiddleware(protect)

	// The agent.
	invoke, err := mcpauth.Invoke(httpauth.Hold(tok, agent), m, tok.Text)
	check(err)
	client := mcp.NewClient(&mcp.Implementation{Name: "helper", Version: "1"}, nil)
	client.AddSendingMiddleware(invoke)

	serverEnd, clientEnd := mcp.NewInMemoryTransports()
	_, err = server.Connect(ctx, serverEnd, nil)
	check(err)
	session, err := client.Connect(ctx, clientEnd, nil)
	check(err)
	defer session.Close()
	for _, amount := range []int{50, 5000} {
		result, err := session.CallTool(ctx, &mcp.CallToolParams{Name: "pay", Arguments: payment{amount, "bob"}})
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(result.Content[0].(*mcp.TextContent).Text)
	}
	// Output:
	// 50 paid to bob for alice@example.com
	// calling "tools/call": denied: check_failed
}

func newKey() token.PrivateKey {
	k, err := token.GenerateKey(datalog.Ed25519)
	check(err)
	return k
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
