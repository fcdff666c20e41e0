// Command mcp is a story: an MCP server with three tools, an orchestrator that may use
// two of them, and a sub-agent that it hands less to and that tries to get more. See
// README.md.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify/httpauth"
	"github.com/whittle-auth/whittle/verify/mcpauth"
	"github.com/whittle-auth/whittle/verify/toolcall"
)

func main() {
	if err := tell(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// tell plays all parts, the server over HTTP on loopback.
func tell(ctx context.Context, out io.Writer) error {
	var keys [3]token.PrivateKey
	for i := range keys {
		var err error
		if keys[i], err = token.GenerateKey(datalog.Ed25519); err != nil {
			return err
		}
	}
	alice, orchestrator, worker := keys[0], keys[1], keys[2]

	handler, err := newServer(`alice@example.com namespaces="whittle" `+alice.Public().AuthorizedKey(""), out)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadTimeout: time.Minute}
	defer server.Close()
	go func() { _ = server.Serve(listener) }()
	url := "http://" + listener.Addr().String()

	// Alice lets her orchestrator look orders up and refund them.
	tok, err := attenuate.Mint(alice, attenuate.Grant{
		Delegator: "alice@example.com", Agent: "agent:orchestrator", AgentKey: orchestrator.Public(), TTL: time.Hour,
	}, delegation.Resource("tools/"+audience), delegation.Operation("find_order", "refund"))
	if err != nil {
		return err
	}
	// The orchestrator hands on the refunds only, of order 7 and up to 100.
	narrow, err := attenuate.Handoff(tok, orchestrator, "agent:worker", worker.Public(),
		delegation.Operation("refund"), delegation.ArgIs("order", 7), delegation.ArgRange{Arg: "amount", Min: 1, Max: 100})
	if err != nil {
		return err
	}
	for _, part := range []struct {
		name  string
		held  token.Chain
		key   token.Signer
		calls []mcp.CallToolParams
	}{
		{"orchestrator", tok, orchestrator, []mcp.CallToolParams{
			{Name: "find_order", Arguments: order{7}}, {Name: "refund", Arguments: refund{7, 400}}, {Name: "delete_order", Arguments: order{7}},
		}},
		{"worker", narrow, worker, []mcp.CallToolParams{
			{Name: "refund", Arguments: refund{7, 40}}, {Name: "refund", Arguments: refund{7, 400}}, {Name: "refund", Arguments: refund{8, 40}}, {Name: "find_order", Arguments: order{7}},
		}},
	} {
		fmt.Fprintf(out, "\n%s\n", part.name)
		if err := play(ctx, out, url, part.held, part.key, part.calls); err != nil {
			return err
		}
	}
	return nil
}

// play is an agent that lists the tools and makes some calls.
func play(ctx context.Context, out io.Writer, url string, held token.Chain, key token.Signer, calls []mcp.CallToolParams) error {
	mapping, err := toolcall.NewMapping(audience, nil)
	if err != nil {
		return err
	}
	invoke, err := mcpauth.Invoke(httpauth.Hold(held, key), mapping, held.Text)
	if err != nil {
		return err
	}
	client := mcp.NewClient(&mcp.Implementation{Name: "agent", Version: "1"}, nil)
	client.AddSendingMiddleware(invoke)
	session, err := client.Connect(ctx, &mcp.StreamableClientTransport{Endpoint: url}, nil)
	if err != nil {
		return err
	}
	defer session.Close()
	list, err := session.ListTools(ctx, nil)
	if err != nil {
		return err
	}
	var names []string
	for _, tool := range list.Tools {
		names = append(names, tool.Name)
	}
	slices.Sort(names)
	fmt.Fprintf(out, "  sees %s\n", strings.Join(names, ", "))
	for _, call := range calls {
		fmt.Fprintf(out, "  %s %v\n", call.Name, call.Arguments)
		result, err := session.CallTool(ctx, &call)
		if err != nil {
			fmt.Fprintf(out, "    %v\n", err)
			continue
		}
		for _, content := range result.Content {
			if said, ok := content.(*mcp.TextContent); ok {
				fmt.Fprintf(out, "    %s\n", said.Text)
			}
		}
	}
	return nil
}
