// Package mcpauth puts a verifier into an MCP server made with the Go SDK
// (github.com/modelcontextprotocol/go-sdk), and invokes a token for each call of a
// client made with it.
//
// A server:
//
//	v, err := verify.New("files", roots, nil)
//	m, err := toolcall.NewMapping("files", nil)
//	protect, err := mcpauth.Protect(v, m, nil)
//	server.AddReceivingMiddleware(protect)
//
// An agent:
//
//	invoke, err := mcpauth.Invoke(httpauth.Hold(held, key), m, held.Text)
//	client.AddSendingMiddleware(invoke)
//
// Both work over standard streams and over HTTP. The token travels in _meta of each
// message; a server over HTTP also takes it from the header. What a call asks for is
// said by package toolcall, and spec/mcp.md: the same that whittle mcp-proxy decides
// on, in front of servers that cannot be changed.
//
// The SDK has read a message before a middleware sees it, and acts on what it read; of
// its members only the arguments are still as they were sent. So a name that stands
// twice in params is not noticed, but in the arguments it is refused; and what the SDK
// does not know is lost to both.
//
// What the server asks of the client in the course of a call is the server's own affair.
// Over the protocol's revision 2026-07-28 the client answers by calling again, and its
// answers are signed. The SDK's client repeats a call by itself behind every middleware,
// with the token that was used already, which is denied: set
// [mcp.MultiRoundTripOptions].Disabled, and call again with the answers.
package mcpauth
