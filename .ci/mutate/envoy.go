package main

// What spec/gateway.md demands where Envoy asks.
var envoyMutants = []mutant{
	{"envoy a body that is cut off", "verify/extauthz/original.go", `partial[0] == "false"`, "true", ".", "^TestBodies$"},
	{"envoy a body as text", "verify/extauthz/original.go", `&& request.GetBody() == "":`, ":", ".", "^TestBodies$"},
	{"envoy no body by assertion only", "verify/extauthz/original.go", "if !whole {", "if false {", ".", "^TestBodies$"},
	{"envoy headers in place of the client's", "verify/extauthz/extauthz.go", "core.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD", "core.HeaderValueOption_APPEND_IF_EXISTS_OR_ADD", ".", "^TestCheck$"},
	{"envoy no token is handed on", "verify/extauthz/extauthz.go", `HeadersToRemove: []string{"authorization"},`, "", ".", "^TestCheck$"},
}
