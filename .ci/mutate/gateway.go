package main

// What spec/gateway.md demands of a gateway and of a service behind it.
var gatewayMutants = []mutant{
	{"gateway a trusted proxy", "verify/gateway/decide.go", "if !r.proxies.trust(o.Peer) {", "if false {", "./verify/gateway", "^TestDenied$"},
	{"gateway a Unix socket by name", "verify/gateway/proxies.go", "return p.unix && a != nil", "return a != nil", "./verify/gateway", "^TestUnixSocket$"},
	{"gateway headers of its own", "verify/gateway/decide.go", "if strings.HasPrefix(strings.ReplaceAll(strings.ToLower(name)", "if false && strings.HasPrefix(strings.ReplaceAll(strings.ToLower(name)", "./verify/gateway", "^TestDenied$"},
	{"gateway hosts that are listed", "verify/gateway/decide.go", "if len(r.hosts) > 0 &&", "if len(r.hosts) < 0 &&", "./verify/gateway", "^TestDenied$"},
	{"gateway a body that is announced", "verify/gateway/decide.go", "if o.Body.Announced &&", "if false &&", "./verify/gateway", "^TestBodies$"},
	{"gateway no body unless said", "verify/gateway/build.go", "compiled.NoBody = true", "", "./verify/gateway", "^TestBodies$"},
	{"gateway one header of each", "verify/gateway/forward.go", "n != 1 {", "n == 0 {", "./verify/gateway", "^TestForwardAuth$"},
	{"gateway one dialect", "verify/gateway/forward.go", "name != d.upgrade && len(r.Header.Values(name)) > 0 {", "name != d.upgrade && false {", "./verify/gateway", "^TestForwardAuth$"},
	{"gateway nginx tells of a body", "verify/gateway/forward.go", `r.ContentLength != 0 || d.framing != "" &&`, `r.ContentLength != 0 || false &&`, "./verify/gateway", "^TestForwardAuthBodies$"},
	{"gateway nginx tells of an upgrade", "verify/gateway/forward.go", `if d.upgrade != "" && r.Header`, `if false && r.Header`, "./verify/gateway", "^TestForwardAuth$"},
	{"gateway what outlives a configuration", "verify/gateway/gateway.go", `if key := fixed(s, old.source); key != "" {`, `if key := fixed(s, old.source); key != "" && false {`, "./verify/gateway", "^TestReload$"},
	{"gateway keys in lower case", "verify/gateway/lines.go", "if name != strings.ToLower(name) {", "if false {", "./verify/gateway", "^TestConfigErrors$"},
	{"gateway leaves a busy socket", "verify/gateway/serve/listen.go", "if !errors.Is(err, syscall.ECONNREFUSED) {", "if errors.Is(err, syscall.ENOENT) {", "./verify/gateway/serve", "^TestBusySocket$"},
	{"gateway listens on this machine", "verify/gateway/address.go", "case !at.Addr().IsLoopback() &&", "case false &&", "./verify/gateway", "^TestAddresses$"},

	{"gateway the body decided on", "verify/httpauth/contentdigest.go", "case !bytes.Equal(digest(body), sum):", "case !bytes.Equal(digest(body), sum) && false:", "./verify/httpauth", "^TestCheckContentDigest$"},
	{"gateway one digest", "verify/httpauth/contentdigest.go", "len(values) > 1 || !ok", "!ok", "./verify/httpauth", "^TestCheckContentDigest$"},
	{"gateway fields that nobody sees", "verify/httpauth/proxied.go", "if c.Fields != nil {", "if false {", "./verify/httpauth", "^TestRequestByDigest$"},
}
