package mcpproxy

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify/internal/strictjson"
)

// fromServer hands a line of the server on as it is, with two exceptions: the tools of a
// list are chosen, and what the server asks of the client is refused unless it is
// allowed by name. What is no message, or answers nothing, is dropped.
func (g *Guard) fromServer(ctx context.Context, line []byte) (toServer, toClient []byte) {
	drop := func(reason string) ([]byte, []byte) {
		g.options.Logger.LogAttrs(ctx, slog.LevelWarn, "line of the server dropped", slog.String("reason", clip(reason)))
		return nil, nil
	}
	members, err := strictjson.Members(line)
	if err != nil {
		return drop(err.Error())
	}
	rawID, hasID := members["id"]
	id, idErr := "", error(nil)
	if hasID {
		id, idErr = parseID(rawID)
	}
	if rawMethod, ok := members["method"]; ok {
		method, _ := delegation.ParseValue(rawMethod)
		name, _ := method.(string)
		if !hasID {
			if name == cancelled {
				g.answered(cancelledID(members["params"]))
			}
			return nil, append(line, '\n')
		}
		switch {
		case idErr != nil:
			return drop("a request whose id is " + idErr.Error())
		case !g.passes(name):
			g.options.Logger.LogAttrs(ctx, slog.LevelWarn, "request of the server refused", slog.String("method", clip(name)))
			return errorLine(id, methodNotFound, "the method is not let through", nil), nil
		case !g.ask(id):
			return errorLine(id, invalidRequest, "too many requests, or one of this id, were not answered yet", nil), nil
		}
		return nil, append(line, '\n')
	}
	if _, isError := members["error"]; isError && string(rawID) == "null" {
		return nil, append(line, '\n') // the server could not read something
	}
	if !hasID || idErr != nil {
		return drop("an answer without a proper id")
	}
	p, ok := g.done(id)
	switch {
	case !ok:
		return drop("an answer to nothing that was asked")
	case p.list && members["result"] == nil:
		if members["error"] == nil {
			return drop("an answer without a result")
		}
		return nil, fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"error":%s}`+"\n", id, members["error"])
	case p.list:
		filtered, err := g.choose(ctx, p.token, members["result"])
		if err != nil {
			g.options.Logger.LogAttrs(ctx, slog.LevelWarn, "list of tools refused", slog.String("reason", clip(err.Error())))
			return nil, errorLine(id, internalError, "the server's list of tools cannot be read", nil)
		}
		return nil, fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"result":%s}`+"\n", id, filtered)
	case p.late && hasTools(members["result"]):
		g.options.Logger.LogAttrs(ctx, slog.LevelWarn, "list of tools refused", slog.String("reason", "it answers something else"))
		return nil, errorLine(id, internalError, "the server's answer is that to a request that was cancelled", nil)
	}
	return nil, append(line, '\n')
}

// hasTools reports whether a result may be that of a tools/list.
func hasTools(result json.RawMessage) bool {
	if len(result) == 0 || result[0] != '{' {
		return false
	}
	members, err := strictjson.Members(result)
	for name := range members {
		if strictjson.Fold(name) == strictjson.Fold("tools") {
			return true
		}
	}
	return err != nil // no one reading
}

// choose returns the result of a tools/list with the tools only that the holder of the
// token could call. The rest of it stays as it is, but for a promise that the list is
// the same for everybody.
func (g *Guard) choose(ctx context.Context, raw string, result json.RawMessage) ([]byte, error) {
	members, err := strictjson.Members(result)
	if err != nil {
		return nil, err
	}
	var tools []json.RawMessage
	if err := json.Unmarshal(members["tools"], &tools); err != nil {
		return nil, fmt.Errorf("tools: %w", err)
	}
	state, err := g.state()
	if err != nil {
		return nil, err
	}
	shown := []json.RawMessage{}
	for _, tool := range tools {
		described, err := strictjson.Members(tool)
		if err != nil {
			return nil, fmt.Errorf("a tool: %w", err)
		}
		value, err := delegation.ParseValue(described["name"])
		name, ok := value.(string)
		if err != nil || !ok {
			return nil, fmt.Errorf("a tool without a name")
		}
		if raw == "" && g.options.AllowListing || raw != "" && g.mapping.Visible(ctx, g.verifier, raw, state, name) {
			shown = append(shown, tool)
		}
	}
	if members["tools"], err = json.Marshal(shown); err != nil {
		return nil, err
	}
	if _, ok := members["cacheScope"]; ok {
		members["cacheScope"] = json.RawMessage(`"private"`)
	}
	return json.Marshal(members)
}

// ask remembers a request of the server until the client answers it.
func (g *Guard) ask(id string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.asked[id] || len(g.asked) >= maxPending {
		return false
	}
	g.asked[id] = true
	return true
}
