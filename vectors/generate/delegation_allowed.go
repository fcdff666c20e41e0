package main

import (
	"encoding/base64"
	"time"
)

// allowedChains are chains of each length and shape, with both algorithms.
func allowedChains() []delegationCase {
	p256 := new(chain).
		add(grant(), link{signer: aliceP256, next: ciP256.publicKey}).
		handoff(ciP256, runnerP256, "agent:runner")
	p256Trust := trustLine(delegator, forWhittle, aliceP256.publicKey)
	aliceIsCI := new(chain).add(grant(), link{signer: alice, next: alice.publicKey})
	tight := to("read", certificate)

	return []delegationCase{
		allowed("direct", "Alice mints for agent:ci, which invokes.", "V4", mint(grant()).invoke(ci, usual())),
		allowed("one-handoff", "agent:ci hands the token on, agent:runner invokes.", "V3",
			mint(grant()).handoff(ci, runner, "agent:runner").invoke(runner, usual())),
		allowed("two-handoffs", "The token is handed on twice.", "V3",
			mint(grant()).handoff(ci, runner, "agent:runner").handoff(runner, tester, "agent:tester").invoke(tester, usual())),
		allowed("three-handoffs", "The token is handed on three times; the last hop narrows the operation.", "V3",
			mint(grant()).handoff(ci, runner, "agent:runner").handoff(runner, tester, "agent:tester").
				handoff(tester, stranger, "agent:other", operation("read")).invoke(stranger, tight), asked(tight.action)),
		allowed("narrowed", "The holder narrows the token to one operation and keeps it.", "V3",
			mint(grant()).narrow(ci, operation("rotate")).invoke(ci, usual())),
		allowed("narrowed-twice-handed", "The holder narrows twice, then hands on with an earlier expiry.", "V3",
			mint(wide()).narrow(ci, resource(under("payments/certs"))).narrow(ci, operation("rotate")).
				handoff(ci, runner, "agent:runner", expires(minted.Add(10*time.Minute))).invoke(runner, usual())),
		allowed("handed-back", "agent:ci hands on to agent:runner, which hands back: the keys repeat.", "V3",
			mint(grant()).handoff(ci, runner, "agent:runner").handoff(runner, ci, "agent:ci").invoke(ci, usual())),
		allowed("root-is-holder", "Alice names her own root key as that of the holder.", "V3", aliceIsCI.invoke(alice, usual())),
		allowed("p256-root", "The root key is P-256.", "V1",
			new(chain).add(grant(), link{signer: aliceP256, next: ci.publicKey}).invoke(ci, usual()), trusting(p256Trust)),
		allowed("p256-agent", "The agent's key is P-256.", "V1",
			new(chain).add(grant(), link{signer: alice, next: ciP256.publicKey}).invoke(ciP256, usual())),
		allowed("p256-all", "Root and two agents have P-256 keys.", "V1", p256.invoke(runnerP256, usual()), trusting(p256Trust)),
		allowed("narrowed-without-checks", "A hop without any check of its own.", "V3",
			mint(grant()).narrow(ci).invoke(ci, usual())),
	}
}

// allowedCaveats meet each caveat of the plain vocabulary.
func allowedCaveats() []delegationCase {
	// having invokes a wide grant with one more caveat.
	having := func(name, description string, in invocation, more ...node) delegationCase {
		return allowed(name, description, "V7", mint(wide(more...)).invoke(ci, in), asked(in.action))
	}
	integers := passing(map[string]any{"days": 30})
	strings := passing(map[string]any{"reason": "audit/2026"})
	nested := passing(map[string]any{"opts": map[string]any{"level": 3, "tags": []any{"a", "b"}}})

	return []delegationCase{
		having("resource-subtree", "The resource lies below the granted one.", usual()),
		having("resource-subtree-itself", "The resource is the granted one itself.", to("rotate", "payments")),
		having("resource-one-of", "The resource is the second of two.", usual(), resource(exactly("payments/a"), exactly(certificate))),
		having("resource-one-of-subtrees", "The resource lies below the second of two.", usual(), resource(under("payments/a"), under("payments/certs"))),
		having("resource-unicode", "The resource has letters beyond ASCII, in NFC.", to("rotate", "payments/räume/会議室")),
		having("resources-two", "A request on two resources, both granted.", to("rotate", "payments/from", "payments/to")),
		having("operation-one-of", "The operation is the second of two.", to("read", certificate)),
		having("audience-caveat", "The token is for this service.", usual(), audience(serviceName)),
		having("audience-caveat-one-of", "The token is for this service or another.", usual(), audience("svc:other", serviceName)),
		having("agent-key-caveat", "The token is for the key that invokes.", usual(), agentKey(ci.text())),
		having("depth-caveat", "No handoff is allowed, and none was made.", usual(), depthAtMost(0)),
		having("weekday-caveat", "The token is for Sundays.", usual(),
			all("weekday", "d", infix(binContains, val(array(integer(6), integer(7))), ref("d")))),
		having("minute-caveat", "The token is for the hour after noon.", usual(), minutes(720, 780)),
		having("hand-written-check", "A check that no caveat has the form of binds as well.", usual(),
			check(checkIf, query{body: []node{pred("operation", str("rotate")), pred("resource", str(certificate))}})),
		having("hand-written-or-unused", "A check with two queries, the second of which holds.", usual(),
			check(checkIf, query{body: []node{pred("operation", str("read"))}}, query{body: []node{pred("operation", str("rotate"))}})),

		having("args-unnamed", "Arguments that no caveat speaks of.", passing(map[string]any{"a": 1, "b": "x", "c": true, "d": nil})),
		having("args-float-unnamed", "A float that no caveat speaks of.", passing(map[string]any{"a": float("1.5")})),
		having("arg-integer", "An integer has the value.", integers, argument("days", equals(integer(30)))),
		having("arg-integer-largest", "The largest integer, which a double cannot hold.", passing(map[string]any{"n": 9223372036854775807}),
			argument("n", equals(integer(9223372036854775807)))),
		having("arg-integer-negative", "A negative integer.", passing(map[string]any{"n": -5}), argument("n", equals(integer(-5)))),
		having("arg-string", "A string has the value.", strings, argument("reason", equals(str("audit/2026")))),
		having("arg-bool", "A boolean has the value.", passing(map[string]any{"force": false}), argument("force", equals(boolean(false)))),
		having("arg-one-of", "An argument is one of several.", integers,
			argument("days", infix(binContains, val(array(integer(7), integer(30))), ref("v")))),
		having("arg-range", "An integer lies in a range, at its upper end.", integers, argument("days", between(1, 30))),
		having("arg-prefix", "A string begins as demanded.", strings,
			argument("reason", typed("string", infix(binPrefix, ref("v"), text("audit"))))),
		having("arg-set", "An argument is there.", integers, argument("days")),
		having("arg-unset", "An argument is not there.", integers, unset("force")),
		having("arg-map", "A nested argument has the value as a whole.", nested, argument("opts", equals(mapping(
			pair{str("level"), integer(3)}, pair{str("tags"), array(str("a"), str("b"))})))),
		having("arg-pointer", "A value inside a nested argument.", nested, argument("/opts/level", equals(integer(3)))),
		having("arg-pointer-array", "An element of an array inside a nested argument.", nested, argument("/opts/tags/1", equals(str("b")))),
	}
}

func minutes(from, until int64) node {
	return all("minute", "m", lazy(binAnd,
		infix(binGreaterOrEqual, ref("m"), num(from)), infix(binLessThan, ref("m"), num(until))))
}

// between is the range of an integer argument, ends included.
func between(low, high int64) expr {
	return lazy(binAnd,
		typed("integer", infix(binGreaterOrEqual, ref("v"), num(low))),
		infix(binLessOrEqual, ref("v"), num(high)))
}

// allowedTrust are the ways in which a trust file may name a root.
func allowedTrust() []delegationCase {
	token := mint(grant()).invoke(ci, usual())
	hinted := mint(grant())
	id := alice.rootKeyID()
	hinted.rootKeyID = &id
	other := trustLine("bob@example.com", forWhittle, edKey("bob").publicKey)
	ok := func(name, description, trust string) delegationCase {
		return allowed("trust-"+name, description, "V2", token, trusting(trust))
	}
	return []delegationCase{
		ok("domain", "The entry is for everyone of the domain.", trustLine("*@example.com", forWhittle, alice.publicKey)),
		ok("several-principals", "The entry names several people.", trustLine("bob@example.com,"+delegator, forWhittle, alice.publicKey)),
		ok("several-namespaces", "The entry is for signing in git as well.", trustLine(delegator, `namespaces="git,whittle"`, alice.publicKey)),
		ok("several-entries", "Entries of others, a comment and an empty line stand around the entry.",
			"# roots\n\n"+other+trustLine(delegator, `namespaces="git"`, stranger.publicKey)+aliceTrust()+other),
		ok("second-key", "Two keys may speak for Alice, the second signed.",
			trustLine(delegator, forWhittle, aliceP256.publicKey)+aliceTrust()),
		ok("valid-now", "The entry is valid for this year.", trustLine(delegator,
			forWhittle+`,valid-after="20260101Z",valid-before="20270101000000Z"`, alice.publicKey)),
		ok("eighth-candidate", "Eight keys may speak for Alice; the eighth signed.", candidates(7)+aliceTrust()),
		allowed("trust-root-key-id", "The token hints at the root key.", "V2", hinted.invoke(ci, usual())),
		allowed("trust-ninth-candidate-hinted", "Nine keys may speak for Alice; the ninth signed, and the token hints at it.", "V2",
			hintedToken(), trusting(candidates(8)+aliceTrust())),
	}
}

func hintedToken() string {
	c := mint(grant())
	id := alice.rootKeyID()
	c.rootKeyID = &id
	return c.invoke(ci, usual())
}

// candidates are n entries for alice with keys that sign nothing.
func candidates(n int) string {
	var out string
	for i := range n {
		out += trustLine(delegator, forWhittle, edKey("candidate "+string(rune('a'+i))).publicKey)
	}
	return out
}

// allowedForms are the text forms, the edges in time, and bearer tokens where
// they are allowed.
func allowedForms() []delegationCase {
	padded := mint(grant()).add(usual().block(mint(grant())), link{signer: ci, next: ending.publicKey})
	spanning := func(from, until time.Time) string {
		in := usual()
		in.from, in.until = from, until
		return mint(grant()).invoke(ci, in)
	}
	day := grant()
	day.checks[grantExpiry] = expires(minted.Add(23 * time.Hour))
	last := expiry.Add(-time.Second)
	longNonce := usual()
	longNonce.nonce = sum([]byte("a nonce of 32 bytes"))
	sealed := mint(grant())

	return []delegationCase{
		allowed("text-padded", "The text is padded.", "V1",
			base64.URLEncoding.EncodeToString(padded.wire(secretProof(ending.secret)))),
		allowed("text-biscuit-prefix", "The text begins with biscuit:.", "V1", "biscuit:"+padded.presented()),
		allowed("last-second", "One second before the token expires.", "V8", mint(grant()).invoke(ci, at(last)), now(last)),
		allowed("first-second", "At the moment from which the token is valid.", "V8", mint(grant()).invoke(ci, at(earlier)), now(earlier)),
		allowed("window-first-second", "At the moment from which the invocation is valid.", "V8", spanning(usedAt, usedAt.Add(time.Minute))),
		allowed("window-last-second", "One second before the invocation ends.", "V8", spanning(usedAt.Add(-time.Minute), usedAt.Add(time.Second))),
		allowed("window-four-minutes", "The invocation lasts four minutes.", "V8", spanning(usedAt.Add(-skew), usedAt.Add(210*time.Second))),
		allowed("lifetime-23-hours", "The token lasts 23 hours.", "V8", mint(day).invoke(ci, usual())),
		allowed("nonce-32-bytes", "The nonce has 32 bytes.", "V8", mint(grant()).invoke(ci, longNonce)),
		allowed("presented-where-bearer-is-allowed", "A verifier that allows bearer tokens takes presented ones too.", "V4",
			mint(grant()).invoke(ci, usual()), withBearer),
		allowed("bearer-fresh-key", "The last block ends in a fresh key without a holder, whose secret is published.", "V4",
			bearer().text(secretProof(tester.secret)), withBearer),
		allowed("bearer-sealed", "The holder sealed the token.", "V4", sealed.text(sealed.sealProof(ci)), withBearer),
	}
}

// bearer is a chain whose last block names a fresh key and no holder.
func bearer() *chain {
	return mint(grant()).add(block{checks: []node{operation("rotate")}}, link{signer: ci, next: tester.publicKey})
}
