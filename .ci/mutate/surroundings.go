package main

// surroundingsMutants are about the directory of agents, sessions, what a service
// states besides the request, registered facts, and trust files that change.
var surroundingsMutants = []mutant{
	// The directory.
	{"the directory has a namespace of its own", "token/trust/directory.go", `const AgentNamespace = "whittle-agent"`, "const AgentNamespace = Namespace", "./token/trust ./verify", "Directory|Vectors"},
	{"one name a key", "token/trust/directory.go", "len(names) == 1 {", "len(names) >= 1 {", "./verify", "TestDirectory$|Vectors"},
	{"agents are bound for a time", "token/trust/directory.go", "if !d.entries[i].ValidAt(now) {", "if false {", "./verify", "TestDirectory$|Vectors"},
	{"agents have names, no patterns", "token/trust/directory.go", "if err := CanonicalAgent(p); err != nil {", "if err := error(nil); err != nil {", "./token/trust", "Directory"},
	{"SPIFFE ids have one spelling", "token/trust/directory.go", `segment == "" || segment == "." || segment == ".." ||`, "", "./token/trust", "CanonicalAgent"},
	{"the name is that of who presents", "verify/chain.go", "directory.Agent(inv.By, a.now)", "directory.Agent(a.chain.Links[0].Key, a.now)", "./verify", "WhoPresents|Vectors"},
	{"V4 bearer tokens have no agent", "verify/evaluate.go", "\tif inv == nil {\n\t\treturn nil\n\t}", "\tif inv == nil {\n\t\tinv = &delegation.Invocation{By: a.chain.Links[len(a.chain.Links)-1].Key}\n\t}", "./verify", "WhoPresents|Vectors"},

	// Sessions.
	{"V8 the connection is compared outside the engine", "verify/state.go", "case inv.Channel != channel:", "case false:", "./verify", "SessionComparedOutside"},
	{"V8 a session wants a known connection", "verify/state.go", "case channel == delegation.Channel{}:", "case channel == delegation.Channel{}:\n\t\treturn nil\n\tcase false:", "./verify", "SessionComparedOutside"},
	{"V8 the kind of a channel is part of it", "verify/state.go", "case inv.Channel != channel:", "case inv.Channel.Value != channel.Value:", "./verify", "SessionComparedOutside"},
	{"V8 a session has its canonical check", "token/delegation/channel.go", "return c, c.Validate() == nil\n}", "return c, true\n}", "./verify", "SessionOfAnotherShape|Vectors"},
	{"V8 longest session", "verify/verifier.go", "longest = a.v.options.MaxSession", "longest = 24 * time.Hour", "./verify", "SessionWindows|Vectors"},
	{"a session lasts longer than a request", "verify/verifier.go", "longest = a.v.options.MaxSession", "_ = a.v.options.MaxSession", "./verify", "SessionWindows|Vectors"},
	{"V12 sessions are exempt from replay", "verify/used.go", "inv != nil && !inv.IsSession()", "inv != nil", "./verify", "TestSession$"},
	{"no request is stated for a session", "verify/steps.go", "if inv == nil || inv.IsSession() {", "if inv == nil {", "./verify", "TestSession$|Vectors"},
	{"RFC 9266, the label", "token/delegation/channel.go", `"EXPORTER-Channel-Binding"`, `"EXPORTER-channel-binding"`, "./verify", "SessionOverTLS"},
	{"RFC 9266, the context is empty, not absent", "token/delegation/channel.go", "exporterLabel, []byte{}, sha256.Size", "exporterLabel, nil, sha256.Size", "./verify", "SessionOverTLS"},
	{"a connection made up by hand has no exporter", "token/delegation/channel.go", "if recover() != nil {", "if false {", "./token/delegation", "ChannelOf"},
	{"the client's certificate is the first", "token/delegation/channel.go", "cs.PeerCertificates[0]", "cs.PeerCertificates[len(cs.PeerCertificates)-1]", "./token/delegation", "ChannelOf"},
	{"a session is written for ten minutes at most", "attenuate/session.go", "from, until, delegation.MaxSession)", "from, until, 24*time.Hour)", "./attenuate", "Session"},
	{"a session names its service", "attenuate/session.go", "if err := delegation.ValidName(audience); err != nil {", "if err := error(nil); err != nil {", "./attenuate", "Session"},
	{"a session names its connection", "attenuate/session.go", "if err := channel.Validate(); err != nil {", "if err := error(nil); err != nil {", "./attenuate", "Session"},

	// What a service states.
	{"context that no fact can hold denies", "token/delegation/context_facts.go", "\t\tif !ok {\n\t\t\treturn nil,", "\t\tif !ok {\n\t\t\tcontinue\n\t\t}\n\t\tif false {\n\t\t\treturn nil,", "./verify", "TestContext$"},
	{"names of context have one spelling", "token/delegation/context_facts.go", "if err := ValidName(name); err != nil {", "if err := error(nil); err != nil {", "./verify", "TestContext$"},
	{"a service states no fact of the vocabulary", "verify/state.go", "err = delegation.FurtherFact(s.Facts[i])", "err = nil", "./verify", "StateFacts"},
	{"a channel that is none denies", "verify/state.go", "err = s.Channel.Validate()", "err = nil", "./verify", "TestContext$"},

	// Facts of block 0.
	{"V6 registered by type", "token/delegation/vocabulary.go", "if typeOf(t) != f.Types[i] {", "if _, _ = i, t; false {", "./verify", "TokenFacts|Vectors"},
	{"V6 registered by arity", "token/delegation/vocabulary.go", "if p.Name != f.Name || len(p.Terms) != len(f.Types) {", "if p.Name != f.Name || len(p.Terms) < len(f.Types) {", "./verify", "TokenFacts|Vectors"},
	{"V6 told by block 0 only", "token/delegation/read.go", "case authority && r.further(p):", "case r.further(p):", "./verify", "TokenFacts|Vectors"},
	{"V6 the vocabulary cannot be registered", "token/delegation/vocabulary.go", "func (f FactType) Validate() error {\n\tif Reserved(f.Name) {", "func (f FactType) Validate() error {\n\tif false {", "./verify", "RefusesTokenFacts"},
	{"A2 a minter tells no fact of the vocabulary", "attenuate/attenuate.go", "if err := delegation.FurtherFact(p); err != nil {", "if err := error(nil); err != nil {", "./attenuate", "MintFacts"},

	// Chains.
	{"longest chain", "verify/chain.go", "n > o.MaxBlocks {", "false && n > o.MaxBlocks {", "./verify", "LongChains|Vectors"},
	{"deepest chain", "verify/chain.go", "a.chain.Depth > o.MaxDepth {", "false {", "./verify", "LongChains|Vectors"},

	// Files that change.
	{"V2 a removed root stops at once", "token/trust/file.go", "now.Sub(w.checked) >= reloadInterval || now.Before(w.checked) {", "false {\n\t\t\t_ = now", "./verify", "RemovedRoot"},
	{"a file is read once a second", "token/trust/file.go", "now.Sub(w.checked) >= reloadInterval || now.Before(w.checked) {", "true {", "./token/trust", "OnceASecond"},
	{"a clock set back keeps no old list", "token/trust/file.go", ">= reloadInterval || now.Before(w.checked) {", ">= reloadInterval {", "./token/trust", "OnceASecond"},
	{"a bad file changes nothing", "token/trust/file.go", "\tif err != nil {\n\t\treturn fmt.Errorf(\"%s: %w\", w.path, err)\n\t}\n\tw.data", "\tif err != nil {\n\t\tlist = new(T)\n\t}\n\tw.data", "./token/trust", "BadFile"},
	{"a bad file is reported", "token/trust/file.go", "\t\tw.options.OnError(err)\n", "", "./token/trust", "BadFile"},
	{"what changed is found by its bytes", "token/trust/file.go", "bytes.Equal(data, w.data) {", "bytes.Equal(data[:0], w.data[:0]) && len(data) == len(w.data) {", "./token/trust", "ReadAgain"},
}
