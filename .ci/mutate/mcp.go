package main

// What spec/mcp.md demands of who decides tool calls, and of who invokes for them.
var mcpMutants = []mutant{
	{"mcp arguments in one case", "verify/toolcall/call.go", "return members, strictjson.OneCase(members)", "return members, nil", "./verify/toolcall", "^TestRefused$"},
	{"mcp params that are not allowed", "verify/toolcall/mapping.go", "if !slices.Contains(m.params, name) {", "if false {", "./verify/toolcall", "^TestRefused$"},
	{"mcp integers that are not rounded", "verify/toolcall/mapping.go", "if v > most || v < -most {", "if false {", "./verify/toolcall", "^TestRefused$"},
	{"mcp answers are signed", "verify/toolcall/mapping.go", "req.BodyDigest, err = c.further()", "_, err = c.further()", "./verify/toolcall", "^TestFurther$"},
	{"mcp arguments that a caveat names in another case", "verify/toolcall/case.go", "if name != step && strictjson", "if false && strictjson", "./verify/toolcall", "^TestOtherCase$"},
	{"mcp names that a caveat leaves open", "verify/toolcall/opennames.go", "!p.is(name, p.text) {", "false {", "./verify/toolcall", "^TestOpenNames$"},
	{"mcp open names that go elsewhere", "verify/toolcall/opennames.go", "isOpen(t, open) && !isName(p, i)", "isOpen(t, nil) && isName(p, i)", "./verify/toolcall", "^TestOpenNames$"},
	{"mcp open names that are asked for otherwise", "verify/toolcall/opennames.go", "o.other = o.other || isOpen(e.Term, open)", "_ = e", "./verify/toolcall", "^TestOpenNames$"},
	{"mcp a path that does not begin with a slash", "verify/toolcall/template.go", `case h.rooted != strings.HasPrefix(value, "/"):`, "case false:", "./verify/toolcall", "^TestRefused$"},
	{"mcp the token is taken out", "verify/toolcall/token.go", "delete(meta, MetaKey)", "", "./verify/mcpproxy", "^TestCall$"},
	{"mcp names stand once", "verify/internal/strictjson/strictjson.go", "if f := Fold(name); folded[f] {\n\t\t\treturn nil", "if f := Fold(name); false {\n\t\t\treturn nil", "./verify/mcpproxy", "^TestRefused$"},
	{"mcp members by their names only", "verify/mcpproxy/message.go", "\t\tdefault:\n\t\t\treturn m, protocolErrorf(invalidRequest, \"a message has", "\t\tcase \"\\xff\":\n\t\t\treturn m, protocolErrorf(invalidRequest, \"a message has", "./verify/mcpproxy", "^TestRefused$"},
	{"mcp lines of ASCII", "verify/internal/strictjson/strictjson.go", "case ' ' <= r && r <= '~':", "case ' ' <= r && r <= '~' || r == 0x2028:", "./verify/mcpproxy", "^TestCall$"},
	{"mcp other methods by name", "verify/mcpproxy/guard.go", "case g.passes(m.method) && ", "case ", "./verify/mcpproxy", "^TestRefused$"},
	{"mcp what the server asks", "verify/mcpproxy/server.go", "case !g.passes(name):", "case false:", "./verify/mcpproxy", "^TestServerAsks$"},
	{"mcp ids stand once", "verify/mcpproxy/guard.go", "if _, twice := g.pending[id]; twice {", "if false {", "./verify/mcpproxy", "^TestIDs$"},
	{"mcp what is cancelled is not waited for", "verify/mcpproxy/guard.go", "g.cancelled(m.params)", "_ = m.params", "./verify/mcpproxy", "^TestCancelled$"},
	{"mcp a late list answers nothing else", "verify/mcpproxy/server.go", "case p.late && hasTools(", "case false && hasTools(", "./verify/mcpproxy", "^TestCancelled$"},
	{"mcp only tokens are kept", "verify/mcpproxy/guard.go", "_, err = token.ParseText(raw, nil) //", "_, _ = token.ParseText(raw, nil) //", "./verify/mcpproxy", "^TestPendingTokens$"},
	{"mcp tokens are kept up to a bound", "verify/mcpproxy/guard.go", "if g.text+len(p.token) > maxPendingText {", "if false {", "./verify/mcpproxy", "^TestPendingTokens$"},
	{"mcp a list is chosen from", "verify/mcpproxy/server.go", `raw != "" && g.mapping.Visible(`, `raw != "" && true || g.mapping.Visible(`, "./verify/mcpproxy", "^TestList$"},
	{"mcp no held token for a call", "verify/mcpproxy/hold.go", "|| u.Form() == token.Held {", "|| u == nil {", "./verify/mcpproxy", "^TestHoldRefuses$"},
}
