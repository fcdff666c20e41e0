// Package mcpproxy stands in front of an MCP server, or of a client, that knows nothing
// of tokens: on standard streams, one JSON-RPC message a line.
//
// A [Guard] is the server's end. It decides each tools/call by the token in its _meta,
// takes the token out, shows of the tools those that a token's holder could call, and
// lets nothing else through that acts. A [Hold] is the client's end. It invokes the
// token for each call. Serve joins the streams:
//
//	client <-> Hold <-> Guard <-> server
//
// Whatever a server reads was written by its guard, from the values that were decided
// on: one object a line, in printable ASCII. So there is no line, whatever its bytes, in
// which the server could see another call than the guard did: see spec/mcp.md.
package mcpproxy
