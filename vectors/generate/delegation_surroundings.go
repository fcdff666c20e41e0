package main

import (
	"encoding/hex"
	"fmt"
	"time"
)

// A stated fact is one that the service states besides, with terms as arguments
// have them.
type statedFact struct {
	Name  string `json:"name"`
	Terms []any  `json:"terms"`
}

func knowing(directory string) option {
	return func(c *delegationCase) { c.Directory = directory }
}
func inContext(state map[string]any) option {
	return func(c *delegationCase) { c.Context = state }
}
func arrivedOn(kind string, value []byte) option {
	return func(c *delegationCase) { c.Channel = kind + ":" + hex.EncodeToString(value) }
}
func stating(facts ...statedFact) option { return func(c *delegationCase) { c.Facts = facts } }
func registering(types ...string) option { return func(c *delegationCase) { c.TokenFacts = types } }

const forAgents = `namespaces="whittle-agent"`

// called is the caveat on the agent's name: the name itself or one below it.
func called(name string) node {
	return all("agent", "a", lazy(binOr, infix(binEqual, ref("a"), text(name)), infix(binPrefix, ref("a"), text(name+"/"))))
}

func contextIs(name string, value node) node {
	return check(checkAll, query{body: []node{pred("context", str(name), variable("v"))}, exprs: []expr{equals(value)}})
}

const (
	tlsExporter = "tls-exporter"
	clientCert  = "client-cert"
)

var (
	connection = sum([]byte("whittle vectors connection"))
	elsewhere  = sum([]byte("whittle vectors another connection"))
)

// channelCheck binds a session to a connection.
func channelCheck(kind string, value []byte) node {
	return check(checkAll, query{
		body: []node{pred("channel", str(kind), variable("c"))}, exprs: []expr{infix(binEqual, ref("c"), val(byteArray(value)))}})
}

// sessionBlock is the usual invocation with the connection in the place of the
// request.
func sessionBlock(c *chain, in invocation, kind string, value []byte) block {
	b := in.block(c)
	b.checks[invokeRequest] = channelCheck(kind, value)
	return b
}

// session is the usual session of agent:ci.
func session(b block, kind string, value []byte) string {
	c := mint(b)
	return c.end(sessionBlock(c, usual(), kind, value), ci)
}

func allowedSurroundings() []delegationCase {
	named := mint(grant(called("agent:ci"))).invoke(ci, usual())
	agent := func(name, description, directory string) delegationCase {
		return allowed("directory-"+name, description, "V6", named, knowing(directory))
	}
	bound := trustLine("agent:ci", forAgents, ci.publicKey)
	const workload = "spiffe://example.org/ns/ci"
	read := to("read", certificate)
	handed := mint(grant()).handoff(ci, runner, "agent:runner")
	spanning := mint(grant())
	ten := usual()
	ten.from, ten.until = usedAt.Add(-skew), usedAt.Add(10*time.Minute)
	told := grant()
	told.facts = append(told.facts, pred("role", str("buyer")), pred("limit", str("day"), integer(500)))
	asking := grant(check(checkIf, query{body: []node{pred("role", str("buyer"))}}))
	asking.facts = append(asking.facts, pred("role", str("buyer")))
	maintenance := grant(check(checkIf, query{body: []node{pred("maintenance", str("payments"), integer(2))}}))

	return []delegationCase{
		agent("agent", "The directory binds the name to the key that invokes.", bound),
		agent("agent-below", "The directory binds a name below the wanted one.", trustLine("agent:ci/build-7", forAgents, ci.publicKey)),
		agent("agent-two-keys", "The name has two keys, of which the second invokes.",
			trustLine("agent:ci", forAgents, tester.publicKey)+bound),
		agent("agent-named-twice", "Two lines bind the same name to the key.", bound+bound),
		agent("agent-other-name-ended", "Another name of the key has ended.",
			trustLine("agent:old", forAgents+`,valid-before="20260101Z"`, ci.publicKey)+bound),
		agent("agent-also-root", "One line is a root's and an agent's.", trustLine("agent:ci", `namespaces="whittle,whittle-agent"`, ci.publicKey)),
		allowed("directory-spiffe", "The name is a SPIFFE id.", "V6", mint(grant(called(workload))).invoke(ci, usual()),
			knowing(trustLine(workload, forAgents, ci.publicKey))),
		allowed("directory-last-holder", "The name is that of the last holder, whatever the one before called it.", "V6",
			mint(grant()).handoff(ci, runner, "agent:other", called("agent:runner")).invoke(runner, usual()),
			knowing(bound+trustLine("agent:runner", forAgents, runner.publicKey))),
		allowed("directory-not-asked", "A directory that knows nobody, and no caveat asks.", "V6", mint(grant()).invoke(ci, usual()), knowing("# nobody\n")),
		allowed("bearer-with-directory", "A bearer token where the directory knows the key that it was made with.", "V4",
			bearer().text(secretProof(tester.secret)), withBearer, knowing(trustLine("agent:tester", forAgents, tester.publicKey))),

		allowed("session-exporter", "A session bound to a TLS exporter.", "V8", session(grant(), tlsExporter, connection), arrivedOn(tlsExporter, connection)),
		allowed("session-client-cert", "A session bound to a client certificate.", "V8", session(grant(), clientCert, connection), arrivedOn(clientCert, connection)),
		allowed("session-other-request", "The same session with another request that the token allows.", "V8", session(grant(), tlsExporter, connection),
			asked(read.action), arrivedOn(tlsExporter, connection)),
		allowed("session-after-handoff", "agent:runner opens a session.", "V8",
			handed.end(sessionBlock(handed, usual(), tlsExporter, connection), runner), arrivedOn(tlsExporter, connection)),
		allowed("session-ten-minutes", "A session that lasts ten minutes from now.", "V8",
			spanning.end(sessionBlock(spanning, ten, tlsExporter, connection), ci), arrivedOn(tlsExporter, connection)),
		allowed("channel-not-asked", "The service knows the connection, the invocation is bound to the request.", "V8",
			mint(grant()).invoke(ci, usual()), arrivedOn(tlsExporter, connection)),
		allowed("channel-caveat", "The token is for one connection, the invocation for one request on it.", "V8",
			mint(grant(channelCheck(tlsExporter, connection))).invoke(ci, usual()), arrivedOn(tlsExporter, connection)),

		allowed("context-string", "The service's state is as the caveat wants it.", "V13",
			mint(grant(contextIs("ticket", str("T-123")))).invoke(ci, usual()), inContext(map[string]any{"ticket": "T-123", "epoch": 7})),
		allowed("context-integer", "An integer of the service's state.", "V13",
			mint(grant(contextIs("epoch", integer(7)))).invoke(ci, usual()), inContext(map[string]any{"epoch": 7})),
		allowed("context-not-asked", "State that no caveat speaks of.", "V13",
			mint(grant()).invoke(ci, usual()), inContext(map[string]any{"a": nil, "b": true, "c": []any{1, "x"}, "d": map[string]any{"e": -1}})),
		allowed("service-fact", "The service states a further fact that a check asks for.", "V13",
			mint(maintenance).invoke(ci, usual()), stating(statedFact{"maintenance", []any{"payments", 2}})),

		allowed("token-fact", "Block 0 tells facts that the service has registered.", "V6", mint(told).invoke(ci, usual()),
			registering("role(string)", "limit(string, integer)")),
		allowed("token-fact-asked", "A check of block 0 asks for the fact that block 0 tells.", "V6", mint(asking).invoke(ci, usual()),
			registering("role(string)")),
		allowed("token-fact-handed", "A token with such a fact is handed on.", "V6",
			mint(asking).handoff(ci, runner, "agent:runner").invoke(runner, usual()), registering("role(string)")),
		allowed("depth-eight", "The token changed hands eight times.", "V3", passedOn(8)),
		allowed("blocks-24", "The token has 24 blocks.", "V3", narrowedOften(22)),
	}
}

// passedOn changes hands n times, among two keys.
func passedOn(n int) string {
	owners := []key{ci, runner}
	c := mint(grant())
	for i := range n {
		c.handoff(owners[i%2], owners[(i+1)%2], fmt.Sprintf("agent:%d", i))
	}
	return c.invoke(owners[n%2], usual())
}

// narrowedOften has n blocks between the first and the invocation.
func narrowedOften(n int) string {
	c := mint(grant())
	for range n {
		c.narrow(ci)
	}
	return c.invoke(ci, usual())
}

func deniedSurroundings() []delegationCase {
	named := mint(grant(called("agent:ci"))).invoke(ci, usual())
	const claims = "an agent whose name is not allowed hands on to a key of its own under an allowed name"
	agent := func(name, description, directory string) delegationCase {
		return denied("directory-"+name, "directory-agent", description, "V6", checkFailed, named, knowing(directory))
	}
	bound := trustLine("agent:ci", forAgents, ci.publicKey)
	const shared = "a session bound to a connection that others share"
	onChannel := func(name, description, code string, c delegationCase) delegationCase {
		c.Name, c.Description, c.Rule, c.Sibling = "session-"+name, description, "V8", "session-exporter"
		c.Expect = caseExpectation{Code: code}
		return c
	}
	usualSession := session(grant(), tlsExporter, connection)
	// shaped is the usual session after a change of its block.
	shaped := func(name, description string, change func(*block)) delegationCase {
		c := mint(grant())
		b := sessionBlock(c, usual(), tlsExporter, connection)
		change(&b)
		return denied("session-"+name, "session-exporter", description, "V8", profile, c.end(b, ci), arrivedOn(tlsExporter, connection))
	}
	bind := func(c node) func(*block) { return func(b *block) { b.checks[invokeRequest] = c } }
	sessionFrom := func(name, description, code string, in invocation) delegationCase {
		c := mint(grant())
		return denied("session-"+name, "session-exporter", description, "V8", code,
			c.end(sessionBlock(c, in, tlsExporter, connection), ci), arrivedOn(tlsExporter, connection))
	}
	long := usual()
	long.from, long.until = usedAt.Add(-skew), usedAt.Add(10*time.Minute+time.Second)
	elsewhereNamed := usual()
	elsewhereNamed.audience = "svc:other"
	is := infix(binEqual, ref("c"), val(byteArray(connection)))

	return []delegationCase{
		denied("directory-none", "directory-agent", "The verifier has no directory.", "V6", checkFailed, named),
		agent("other-key", "The directory binds the name to another key.", trustLine("agent:ci", forAgents, tester.publicKey)),
		agent("other-name", "The directory binds another name, that begins alike.", trustLine("agent:cicd", forAgents, ci.publicKey)),
		agent("two-names", "The directory binds two names to the key.", trustLine("agent:ci,agent:other", forAgents, ci.publicKey)),
		agent("two-names-two-lines", "Two lines bind different names to the key.", bound+trustLine("agent:other", forAgents, ci.publicKey)),
		agent("ended", "The line has ended.", trustLine("agent:ci", forAgents+`,valid-before="20260228Z"`, ci.publicKey)),
		agent("not-yet", "The line is not valid yet.", trustLine("agent:ci", forAgents+`,valid-after="20260302Z"`, ci.publicKey)),
		agent("namespace-of-roots", "A trust file stands in the place of the directory.", trustLine("agent:ci", forWhittle, ci.publicKey)),
		agent("namespace-any", "The line is for any namespace.", trustLine("agent:ci", `namespaces="*"`, ci.publicKey)),
		denied("trust-agent-namespace", "direct", "A directory stands in the place of the trust file.", "V2", untrustedRoot,
			mint(grant()).invoke(ci, usual()), trusting(trustLine(delegator, forAgents, alice.publicKey))),
		denied("directory-claimed", "directory-last-holder", "agent:ci calls a key of its own by the wanted name.", "V6", checkFailed,
			mint(grant(called("agent:runner"))).handoff(ci, tester, "agent:runner").invoke(tester, usual()),
			knowing(bound+trustLine("agent:runner", forAgents, runner.publicKey)), attack(claims)),
		denied("directory-earlier-holder", "directory-last-holder", "The wanted name is that of an earlier holder.", "V6", checkFailed,
			mint(grant(called("agent:ci"))).handoff(ci, runner, "agent:ci").invoke(runner, usual()),
			knowing(bound+trustLine("agent:runner", forAgents, runner.publicKey))),
		denied("bearer-agent", "bearer-with-directory", "A bearer token asks for the name of the key that it was made with.", "V4", checkFailed,
			mint(grant()).add(block{checks: []node{called("agent:tester")}}, link{signer: ci, next: tester.publicKey}).text(secretProof(tester.secret)),
			withBearer, knowing(trustLine("agent:tester", forAgents, tester.publicKey))),

		onChannel("other-connection", "The request comes in on another connection.", checkFailed,
			newCase("", "", "", usualSession, []option{arrivedOn(tlsExporter, elsewhere), attack(shared)})),
		onChannel("unknown-connection", "The service does not say on which connection the request came in.", checkFailed,
			newCase("", "", "", usualSession, nil)),
		onChannel("certificate-as-exporter", "The digest of a certificate has the bytes of the exporter.", checkFailed,
			newCase("", "", "", usualSession, []option{arrivedOn(clientCert, connection), attack(shared)})),
		onChannel("exporter-as-certificate", "An exporter has the bytes of the digest of the certificate.", checkFailed,
			newCase("", "", "", session(grant(), clientCert, connection), []option{arrivedOn(tlsExporter, connection), attack(shared)})),
		onChannel("beyond-the-token", "The request is none that the token allows.", checkFailed,
			newCase("", "", "", usualSession, []option{asked(to("delete", certificate).action), arrivedOn(tlsExporter, connection)})),
		onChannel("request-caveat", "A caveat asks for the digest of a request, and a session is for none.", checkFailed,
			newCase("", "", "", session(grant(check(checkAll, query{body: []node{pred("request", variable("q"))}})), tlsExporter, connection),
				[]option{arrivedOn(tlsExporter, connection)})),
		sessionFrom("audience-other", "The session is with another service.", wrongAudience, elsewhereNamed),
		sessionFrom("too-long", "The session lasts a second longer than ten minutes from now.", window, long),
		sessionFrom("past", "The session has ended.", window, at(usedAt.Add(-5*time.Minute))),
		sessionFrom("future", "The session has not begun.", window, at(usedAt.Add(5*time.Minute))),
		shaped("beside-request", "The session is bound to a request as well.", func(b *block) {
			c := mint(grant())
			b.checks = append(b.checks, usual().block(c).checks[invokeRequest])
		}),
		shaped("any-connection", "The check asks for any connection.", bind(check(checkAll, query{body: []node{pred("channel", str(tlsExporter), variable("c"))}}))),
		shaped("any-kind", "The kind is a variable.", bind(check(checkAll, query{body: []node{pred("channel", variable("k"), variable("c"))}, exprs: []expr{is}}))),
		shaped("unknown-kind", "The kind is none that there is.", bind(channelCheck("tls-unique", connection))),
		shaped("check-if", "The check is a check if.", bind(check(checkIf, query{body: []node{pred("channel", str(tlsExporter), variable("c"))}, exprs: []expr{is}}))),
		shaped("or-true", "The check has an alternative that always holds.", bind(check(checkAll,
			query{body: []node{pred("channel", str(tlsExporter), variable("c"))}, exprs: []expr{is}}, query{exprs: []expr{truth(true)}}))),
		shaped("31-bytes", "The value has 31 bytes.", bind(channelCheck(tlsExporter, connection[:31]))),
		shaped("all-zero", "The value is all zero.", bind(channelCheck(tlsExporter, make([]byte, 32)))),
		shaped("states-channel", "The session states its own channel.", func(b *block) {
			b.facts = append(b.facts, pred("channel", str(tlsExporter), byteArray(connection)))
		}),
		shaped("no-nonce", "The session has no nonce.", func(b *block) { b.facts = nil }),

		denied("context-other-value", "context-string", "The service's state has another value.", "V13", checkFailed,
			mint(grant(contextIs("ticket", str("T-123")))).invoke(ci, usual()), inContext(map[string]any{"ticket": "T-124"})),
		denied("context-other-type", "context-integer", "The service's state is text where the caveat wants an integer.", "V13", checkFailed,
			mint(grant(contextIs("epoch", integer(7)))).invoke(ci, usual()), inContext(map[string]any{"epoch": "7"})),
		denied("context-absent", "context-string", "The service says nothing of what the caveat asks for.", "V13", checkFailed,
			mint(grant(contextIs("ticket", str("T-123")))).invoke(ci, usual()), inContext(map[string]any{"epoch": 7})),
		denied("context-from-arguments", "context-string", "The request has an argument of the name, the service has no such state.", "V13", checkFailed,
			mint(grant(contextIs("ticket", str("T-123")))).invoke(ci, passing(map[string]any{"ticket": "T-123"})),
			asked(passing(map[string]any{"ticket": "T-123"}).action)),
		denied("context-float", "context-not-asked", "The service's state holds a float, which no fact can.", "V13", "",
			mint(grant()).invoke(ci, usual()), inContext(map[string]any{"load": float("0.5")})),
		denied("service-fact-time", "service-fact", "The service states a time of its own.", "V13", "",
			mint(grant()).invoke(ci, usual()), stating(statedFact{"time", []any{1}})),
		denied("service-fact-absent", "service-fact", "The service does not state the fact that a check asks for.", "V13", checkFailed,
			mint(grant(check(checkIf, query{body: []node{pred("maintenance", str("payments"), integer(2))}}))).invoke(ci, usual()),
			stating(statedFact{"maintenance", []any{"payments", 3}})),

		deniedTokenFact("unregistered", "The service has registered another fact.", pred("role", str("buyer")), "roles(string)"),
		deniedTokenFact("other-type", "The fact is of another type than the registered one.", pred("role", integer(1)), "role(string)"),
		deniedTokenFact("other-arity", "The fact has a term too many.", pred("role", str("buyer"), str("x")), "role(string)"),
		denied("token-fact-in-hop", "token-fact-handed", "A hop tells a fact that only block 0 may.", "V6", profile,
			mint(grant()).add(block{facts: []node{pred("holder", str("agent:runner")), pred("role", str("buyer"))}},
				link{signer: ci, next: runner.publicKey}).invoke(runner, usual()), registering("role(string)")),
		denied("token-fact-in-narrowing", "token-fact-handed", "A narrowing block tells a fact that only block 0 may.", "V6", profile,
			mint(grant()).add(block{facts: []node{pred("role", str("buyer"))}}, link{signer: ci, next: ci.publicKey}).invoke(ci, usual()), registering("role(string)")),
		denied("depth-nine", "depth-eight", "The token changed hands nine times.", "V3", overLimit, passedOn(9)),
		denied("blocks-25", "blocks-24", "The token has 25 blocks.", "V3", overLimit, narrowedOften(23)),
	}
}

func deniedTokenFact(name, description string, fact node, registered string) delegationCase {
	b := grant()
	b.facts = append(b.facts, fact)
	return denied("token-fact-"+name, "token-fact", description, "V6", profile, mint(b).invoke(ci, usual()), registering(registered))
}
