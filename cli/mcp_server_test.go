package cli_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

// mcpServer is an MCP server as small as it gets, which knows nothing of tokens: a tool
// says what it was called with. Its first argument is the exit code at its end.
func mcpServer() {
	out := json.NewEncoder(os.Stdout)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	fmt.Fprintln(os.Stderr, "the server has started")
	for lines.Scan() {
		var m struct {
			ID     json.RawMessage `json:"id"`
			Method string          `json:"method"`
			Params json.RawMessage `json:"params"`
		}
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			fmt.Fprintln(os.Stderr, "the server cannot read", lines.Text())
			os.Exit(1)
		}
		var result any
		switch m.Method {
		case "initialize":
			result = map[string]any{"protocolVersion": "2025-11-25", "capabilities": map[string]any{"tools": map[string]any{}}, "serverInfo": map[string]any{"name": "test", "version": "1"}}
		case "tools/list":
			result = map[string]any{"tools": []any{
				map[string]any{"name": "read", "inputSchema": map[string]any{"type": "object"}},
				map[string]any{"name": "pay", "inputSchema": map[string]any{"type": "object"}},
				map[string]any{"name": "delete", "inputSchema": map[string]any{"type": "object"}},
			}}
		case "tools/call":
			result = map[string]any{"content": []any{map[string]any{"type": "text", "text": "called with " + string(m.Params)}}}
		default:
			continue
		}
		if m.ID != nil {
			_ = out.Encode(map[string]any{"jsonrpc": "2.0", "id": m.ID, "result": result})
		}
	}
	if len(os.Args) > 1 {
		os.Exit(int(os.Args[1][0] - '0'))
	}
}
