// Package toolcall says what an MCP tools/call asks for, where its token travels, and
// which tools a token leaves visible. It knows the Model Context Protocol's messages
// and none of its transports: see package mcpproxy for the proxy in front of a server
// on standard streams, and module mcpauth for servers made with the Go SDK.
//
//	{"name": "read_file", "arguments": {"path": "notes/a.txt"}}
//
// is, at a server named files, the operation "read_file" on the resource
// "tools/files" with the argument path "notes/a.txt". Both ends make the same
// [delegation.Request] of the same call, by a [Mapping]: see spec/mcp.md.
package toolcall
