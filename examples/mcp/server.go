package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/mcpauth"
	"github.com/whittle-auth/whittle/verify/replay"
	"github.com/whittle-auth/whittle/verify/toolcall"
)

// audience is what the server calls itself, and what its clients know it by.
const audience = "shop"

type order struct {
	Order int `json:"order"`
}

type refund struct {
	Order  int `json:"order"`
	Amount int `json:"amount"`
}

// newServer returns an MCP server with three tools, each call of which a token must
// allow. Only the last lines know of tokens.
func newServer(trusted string, log io.Writer) (http.Handler, error) {
	server := mcp.NewServer(&mcp.Implementation{Name: "shop", Version: "1"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "find_order"}, func(_ context.Context, _ *mcp.CallToolRequest, in order) (*mcp.CallToolResult, any, error) {
		return text("order %d: two books, 40 paid", in.Order), nil, nil
	})
	mcp.AddTool(server, &mcp.Tool{Name: "refund"}, func(ctx context.Context, _ *mcp.CallToolRequest, in refund) (*mcp.CallToolResult, any, error) {
		return text("%d refunded for order %d, for %s", in.Amount, in.Order, mcpauth.DecisionFrom(ctx).Delegator), nil, nil
	})
	mcp.AddTool(server, &mcp.Tool{Name: "delete_order"}, func(_ context.Context, _ *mcp.CallToolRequest, in order) (*mcp.CallToolResult, any, error) {
		return text("order %d is gone", in.Order), nil, nil
	})

	roots, err := trust.Parse([]byte(trusted))
	if err != nil {
		return nil, err
	}
	// It is the very first start. A service that is started again opens a file, with
	// replay.OpenFile.
	memory, err := replay.NewMemory(time.Now(), &replay.Options{FirstStart: true})
	if err != nil {
		return nil, err
	}
	v, err := verify.New(audience, roots, &verify.Options{Replay: memory})
	if err != nil {
		return nil, err
	}
	mapping, err := toolcall.NewMapping(audience, nil)
	if err != nil {
		return nil, err
	}
	protect, err := mcpauth.Protect(v, mapping, &mcpauth.Options{Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{ReplaceAttr: brief}))})
	if err != nil {
		return nil, err
	}
	server.AddReceivingMiddleware(protect)
	return mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil), nil
}

func text(format string, args ...any) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: fmt.Sprintf(format, args...)}}}
}

// brief leaves of the log the first reason, without the check as it stands in the token.
func brief(_ []string, a slog.Attr) slog.Attr {
	reasons, ok := a.Value.Any().([]string)
	if !ok {
		return slog.Attr{}
	}
	reason, _, _ := strings.Cut(reasons[0], " (check ")
	return slog.String("server", reason)
}
