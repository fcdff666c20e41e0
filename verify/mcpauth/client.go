package mcpauth

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/httpauth"
	"github.com/whittle-auth/whittle/verify/toolcall"
)

// Invoke returns a sending middleware that invokes a token for each tools/call of a
// client: the first to be added, so that no other changes a call behind it. The mapping
// must be the server's. held returns the text of the held token, which goes with
// tools/list so that the server can show what can be called; nil sends none.
//
// A call that has a token already, or that has no one reading, is an error, and nothing
// is sent.
func Invoke(invoker httpauth.Invoker, m *toolcall.Mapping, held func() string) (mcp.Middleware, error) {
	if invoker == nil || m == nil {
		return nil, fmt.Errorf("mcpauth: nil invoker or mapping")
	}
	return func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			var err error
			params := req.GetParams()
			switch method {
			case "tools/call":
				params, err = invoked(ctx, invoker, m, params)
			case "tools/list":
				if held != nil {
					params, err = shown(held(), params)
				}
			default:
				return next(ctx, method, req)
			}
			session, ok := req.GetSession().(*mcp.ClientSession)
			if err == nil && !ok {
				err = fmt.Errorf("the middleware of Invoke is for a client: client.AddSendingMiddleware adds it")
			}
			if err != nil {
				return nil, fmt.Errorf("mcpauth: %w", err)
			}
			return next(ctx, method, &mcp.ClientRequest[mcp.Params]{Session: session, Params: params})
		}
	}, nil
}

// invoked returns the params of a call with a token of its own.
func invoked(ctx context.Context, invoker httpauth.Invoker, m *toolcall.Mapping, of mcp.Params) (mcp.Params, error) {
	sent, ok := of.(*mcp.CallToolParams)
	if !ok || sent == nil {
		return nil, fmt.Errorf("the params of a tools/call are %T, and not *mcp.CallToolParams", of)
	}
	params := *sent
	meta, err := free(params.Meta)
	if err != nil {
		return nil, err
	}
	params.Meta = nil
	text, err := json.Marshal(&params)
	if err != nil {
		return nil, err
	}
	call, err := toolcall.ParseCall(text)
	if err != nil {
		return nil, err
	}
	req, err := m.Request(call)
	if err != nil {
		return nil, err
	}
	presented, err := invoker.Invoke(ctx, *req)
	if err != nil {
		return nil, fmt.Errorf("invoking the token: %w", err)
	}
	if u, err := token.ParseText(presented, nil); err != nil || u.Form() == token.Held {
		return nil, fmt.Errorf("what the invoker returned is no presented token")
	}
	meta[toolcall.MetaKey] = presented
	params.Meta = meta
	if arguments := call.Arguments(); arguments != nil {
		params.Arguments = arguments
	}
	return &params, nil
}

// shown returns the params of a tools/list with the held token.
func shown(held string, of mcp.Params) (mcp.Params, error) {
	params := mcp.ListToolsParams{}
	if sent, ok := of.(*mcp.ListToolsParams); ok && sent != nil {
		params = *sent
	}
	meta, err := free(params.Meta)
	if err != nil {
		return nil, err
	}
	meta[toolcall.MetaKey] = held
	params.Meta = meta
	return &params, nil
}

// free returns a copy of _meta, which has no token yet.
func free(meta map[string]any) (map[string]any, error) {
	meta = maps.Clone(meta)
	if meta == nil {
		meta = map[string]any{}
	}
	if _, err := toolcall.TakeToken(meta); verify.CodeOf(err) != token.CodeNotPresented {
		return nil, fmt.Errorf("the message has a token already")
	}
	return meta, nil
}
