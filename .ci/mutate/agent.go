package main

// What spec/agent.md demands of an agent and its programs, and spec/http.md of sessions.
// Rules about other users need root, without whom their tests are skipped.
var agentMutants = []mutant{
	{"agent only its own user", "attenuate/agent/listen.go", "if uid != os.Geteuid() {", "if uid < 0 {", "./attenuate/agent", "^(TestAnotherUser|TestRootIsAnotherUser)$"},
	{"agent a folder of its own", "attenuate/agent/listen.go", "case info.Mode().Perm()&0o077 != 0:", "case false:", "./attenuate/agent", "^TestSocket$"},
	{"agent a live socket stays", "attenuate/agent/listen.go", "\t\treturn ErrRunning\n", "\t\treturn os.Remove(path)\n", "./attenuate/agent", "^TestSocket$"},
	{"agent another's socket stays", "attenuate/agent/listen.go", "|| !os.SameFile(now, s.made) {", "|| !os.SameFile(now, now) {", "./attenuate/agent", "^TestSocket$"},
	{"agent tokens come from a trusted root", "attenuate/agent/keyring.go", "\t\troots = k.options.Roots.Roots()\n", "", "./attenuate/agent", "^TestRefused$"},
	{"agent a root is trusted at each use", "attenuate/agent/keyring.go", "MaySpeak(h.chain.Root(), h.read.Delegator, now); err != nil {", "MaySpeak(h.chain.Root(), h.read.Delegator, now); err != nil && false {", "./attenuate/agent", "^TestRootIsTrustedAtEachUse$"},
	{"agent what has expired is forgotten", "attenuate/agent/keyring.go", "\t\tdelete(k.tokens, w.Name)\n", "", "./attenuate/agent", "^TestExpired$"},
	{"agent handing on is allowed by name", "attenuate/agent/operations.go", "if !h.options.AllowHandoff {", "if false {", "./attenuate/agent", "^TestRefused$"},
	{"agent a member stands once", "attenuate/agent/protocol.go", "if _, twice := found[name]; twice {", "if false {", "./attenuate/agent", "^TestHostile$"},
	{"agent nothing is added unless allowed", "attenuate/agent/operations.go", "\tif !h.options.AllowChanges {\n\t\treturn nil, fmt.Errorf(\"%w: add ", "\tif false {\n\t\treturn nil, fmt.Errorf(\"%w: add ", "./attenuate/agent", "^TestFixed$"},
	{"agent messages have a limit", "attenuate/agent/serve.go", "http.MaxBytesReader(w, r.Body, maxMessage)", "r.Body", "./attenuate/agent", "^TestHostile$"},

	{"session for this connection", "verify/httpauth/session_token.go", "inv.Channel != channel ||", "", "./verify/httpauth", "^TestSessionTransportRefuses$"},
	{"session for this service", "verify/httpauth/session_token.go", "|| inv.Audience != audience {", "{", "./verify/httpauth", "^TestSessionTransportRefuses$"},
	{"session is renewed", "verify/httpauth/session_token.go", `if s.text != "" && now.Before(s.renew) {`, `if s.text != "" {`, "./verify/httpauth", "^TestSessionIsRenewed$"},
	{"session without a proxy", "verify/httpauth/session.go", "base.Proxy, base.TLSNextProto = nil, nil", "base.TLSNextProto = nil", "./verify/httpauth", "^TestSessionTransport$"},
}
