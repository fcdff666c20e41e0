package main

// What spec/http.md demands of a service and of its agents.
var httpauthMutants = []mutant{
	{"http one Authorization", "verify/httpauth/handler.go", "if len(values) > 1 {", "if false {", "./verify/httpauth", "Credential"},
	{"http the scheme is Bearer", "verify/httpauth/handler.go", `if !strings.EqualFold(scheme, "Bearer") {`, "if _ = scheme; false {", "./verify/httpauth", "Credential"},
	{"http no token is handed on", "verify/httpauth/handler.go", `next.Header.Del("Authorization")`, "", "./verify/httpauth", "TestProtect$"},
	{"http the body is handed on", "verify/httpauth/handler.go", "\tif len(body) > 0 {\n\t\tnext.Body", "\tif false {\n\t\tnext.Body", "./verify/httpauth", "TestProtect$"},
	{"http sessions by name only", "verify/httpauth/handler.go", "if h.options.AllowSessions && s.Channel", "if s.Channel", "./verify/httpauth", "TestSessionOnConnection"},
	{"http an error of the state denies", "verify/httpauth/handler.go", "\t\tif s, err = h.options.State(r); err != nil {\n", "\t\tif s, err = h.options.State(r); false {\n", "./verify/httpauth", "TestState"},
	{"http state is stated", "verify/httpauth/handler.go", "VerifyWith(r.Context(), raw, *req, state)", "VerifyWith(r.Context(), raw, *req, verify.State{Facts: state.Facts})", "./verify/httpauth", "TestState|Session"},

	{"http method in capitals", "verify/httpauth/mapping.go", "strings.ToUpper(method) != method ||", "", "./verify/httpauth", "Methods"},
	{"http one way to escape", "verify/httpauth/mapping.go", `if u.RawPath != "" && u.RawPath != `, `if u.RawPath != "" && false && u.RawPath != `, "./verify/httpauth", "Paths"},
	{"http a path is a resource", "verify/httpauth/mapping.go", "if err := delegation.ValidResource(path); err != nil {", "if err := delegation.ValidResource(path); err != nil && false {", "./verify/httpauth", "TestRoutes|Paths"},
	{"http the target is a path", "verify/httpauth/mapping.go", "if !ok || u.Opaque", "if ok && false || u.Opaque", "./verify/httpauth", "Methods|Paths"},
	{"http what no route matches", "verify/httpauth/mapping.go", "if len(segments) != len(c.path) {", "if false {", "./verify/httpauth", "TestRoutes"},
	{"http the method of a route", "verify/httpauth/mapping.go", "if c.method != method {", "if false {", "./verify/httpauth", "TestRoutes"},
	{"http a parameter stands once", "verify/httpauth/mapping.go", "if len(list) != 1 {", "if false {", "./verify/httpauth", "Query|Routes"},
	{"http a bad query", "verify/httpauth/mapping.go", "\tif err != nil {\n\t\treturn fmt.Errorf(\"query: ", "\tif false {\n\t\treturn fmt.Errorf(\"query: ", "./verify/httpauth", "Query"},
	{"http a query that is not mapped", "verify/httpauth/mapping.go", "c.anyQuery || slices.Contains", "true || slices.Contains", "./verify/httpauth", "TestRoutes"},
	{"http one spelling of an integer", "verify/httpauth/mapping.go", "|| strconv.FormatInt(n, 10) != list[0] {", "{", "./verify/httpauth", "TestRoutes"},
	{"http arguments differ in more than case", "verify/httpauth/mapping.go", "names[folded] || strings", "strings", "./verify/httpauth", "TestRoutes"},
	{"http no body is ignored", "verify/httpauth/mapping.go", "req.BodyDigest = sum", "", "./verify/httpauth", "Bodies|AnotherRequest"},
	{"http no form beside a query", "verify/httpauth/mapping.go", "if len(req.Args) > 0 && isForm(h) {", "if false {", "./verify/httpauth", "Bodies"},

	{"http a field that is not mapped", "verify/httpauth/body.go", "if !slices.Contains(c.Fields, name) {", "if !slices.Contains(c.Fields, name) && false {", "./verify/httpauth", "Bodies"},
	{"http fields are of JSON", "verify/httpauth/body.go", `len(kind) != 1 || mediaType(h) != "application/json" {`, "len(kind) != 1 {", "./verify/httpauth", "Bodies"},
	{"http one content type", "verify/httpauth/body.go", "len(kind) != 1 ||", "kind == nil ||", "./verify/httpauth", "Bodies"},
	{"http fields are not encoded", "verify/httpauth/body.go", `if h.Get("Content-Encoding") != "" {`, "if false {", "./verify/httpauth", "Bodies"},
	{"http names differ in more than case", "verify/httpauth/body.go", "if err := strictjson.OneCase(value); err != nil {", "if err := strictjson.OneCase(value); false {", "./verify/httpauth", "Bodies"},
	{"http a body has a limit", "verify/httpauth/body.go", "if int64(len(data)) > most {", "if false {", "./verify/httpauth", "TestBody$"},
	{"http an endless body", "verify/httpauth/body.go", "io.LimitReader(r.Body, most+1)", "io.LimitReader(r.Body, 1<<20)", "./verify/httpauth", "TestBody$"},
	{"http a body that is cut off", "verify/httpauth/body.go", "\tif err != nil {\n\t\treturn nil, fmt.Errorf(\"the body cannot", "\tif false {\n\t\treturn nil, fmt.Errorf(\"the body cannot", "./verify/httpauth", "TestBody$|Lies"},

	{"http no reason for the client", "verify/httpauth/refuse.go", `{"code":"` + "` + string(code) +", `{"code":"` + "` + err.Error() +", "./verify/httpauth", "NothingLeaks"},
	{"http a line of the log is bounded", "verify/httpauth/refuse.go", "if len(s) <= maxLogged {", "if true {", "./verify/httpauth", "NothingLeaks"},
	{"http the status of a denial", "verify/httpauth/refuse.go", "case token.CodeCheckFailed, token.CodePolicy", "case token.CodePolicy", "./verify/httpauth", "Denied"},

	{"http one origin", "verify/httpauth/transport.go", "|| hostOf(r.URL) != t.host:", "|| false:", "./verify/httpauth", "TransportRefuses"},
	{"http one scheme", "verify/httpauth/transport.go", "r.URL.Scheme != t.scheme ||", "", "./verify/httpauth", "TransportRefuses"},
	{"http tokens over TLS", "verify/httpauth/transport.go", `u.Scheme == "http" && !allowPlainHTTP:`, `u.Scheme == "http" && false:`, "./verify/httpauth", "NewTransport"},
	{"http no redirect with a token", "verify/httpauth/transport.go", "case r.Response != nil:", "case false:", "./verify/httpauth", "Redirect|TransportRefuses"},
	{"http one credential goes out", "verify/httpauth/transport.go", `case len(r.Header.Values("Authorization")) > 0 ||`, "case false ||", "./verify/httpauth", "TransportRefuses"},
	{"http no held token goes out", "verify/httpauth/transport.go", "|| u.Form() == token.Held {", "|| u == nil {", "./verify/httpauth", "TransportRefuses"},
	{"http the body is closed", "verify/httpauth/transport.go", "r.Body.Close()", "_ = r", "./verify/httpauth", "TransportRefuses"},
}
