package main

// deniedFacts smuggle in what only the verifier, or nobody, may state.
func deniedFacts() []delegationCase {
	var out []delegationCase
	const smuggled = "block 0 states facts of the verifier"
	const ownFact = "a block states the fact its own check asks for"
	for _, f := range []struct {
		name string
		fact node
	}{
		{"operation", pred("operation", str("rotate"))},
		{"resource", pred("resource", str(certificate))},
		{"time", pred("time", date(uint64(usedAt.Unix())))},
		{"weekday", pred("weekday", integer(7))},
		{"minute", pred("minute", integer(725))},
		{"arg", pred("arg", str("n"), integer(1))},
		{"audience", pred("audience", str(serviceName))},
		{"agent", pred("agent", str("agent:ci"))},
		{"agent-key", pred("agent_key", str(ci.text()))},
		{"depth", pred("depth", integer(0))},
		{"context", pred("context", str("ticket"), str("T-123"))},
		{"request", pred("request", byteArray(make([]byte, 32)))},
		{"action", pred("action", byteArray(make([]byte, 32)))},
		{"unregistered", pred("role", str("buyer"))},
		{"approved", pred("approved", byteArray(make([]byte, 32)))},
		{"nonce", pred("nonce", byteArray(make([]byte, 16)))},
	} {
		b := grant()
		b.facts = append(b.facts, f.fact)
		out = append(out, denied("fact-in-authority-"+f.name, "direct", "Block 0 states a fact that is not its to state: "+f.name+".", "V6", profile,
			mint(b).invoke(ci, usual()), attack(smuggled)))
	}
	for _, f := range []struct {
		name string
		fact node
	}{
		{"operation", pred("operation", str("rotate"))},
		{"time", pred("time", date(uint64(usedAt.Unix())))},
		{"unregistered", pred("role", str("buyer"))},
		{"delegator", pred("delegator", str(delegator))},
		{"nonce", pred("nonce", byteArray(make([]byte, 16)))},
	} {
		h := handed("agent:runner")
		h.facts = append(h.facts, f.fact)
		out = append(out,
			denied("fact-in-hop-"+f.name, "one-handoff", "A hop states a fact that is not its to state: "+f.name+".", "V6", profile,
				mint(grant()).add(h, link{signer: ci, next: runner.publicKey}).invoke(runner, usual()), attack(ownFact)),
			denied("fact-in-narrowing-"+f.name, "narrowed", "A narrowing block states a fact: "+f.name+".", "V6", profile,
				mint(grant()).add(block{facts: []node{f.fact}}, link{signer: ci, next: ci.publicKey}).invoke(ci, usual()), attack(ownFact)))
	}

	ruleBlock := func(head node, body ...node) block {
		b := grant()
		b.rules = []node{rule(head, query{body: body})}
		return b
	}
	hopRule := handed("agent:runner")
	hopRule.rules = []node{rule(pred("resource", variable("a")), query{body: []node{pred("audience", variable("a"))}})}
	trusts := func(scope node) block { b := grant(); b.scopes = []node{scope}; return b }
	having := func(name, description, row string, c node) delegationCase {
		return denied(name, "hand-written-check", description, "V6", profile, mint(grant(c)).invoke(ci, usual()), attack(row))
	}
	operationIs := query{body: []node{pred("operation", str("rotate"))}}
	scoped := func(scope node) node { q := operationIs; q.scopes = []node{scope}; return check(checkIf, q) }
	return append(out,
		denied("rule-in-authority", "direct", "A rule in block 0 derives an operation.", "V6", profile,
			mint(ruleBlock(pred("operation", str("rotate")), pred("time", variable("t")))).invoke(ci, usual()), attack(smuggled)),
		denied("rule-of-own-fact", "direct", "A rule in block 0 derives a fact that nobody asks for.", "V6", profile,
			mint(ruleBlock(pred("seen", variable("o")), pred("operation", variable("o")))).invoke(ci, usual())),
		denied("rule-in-hop", "one-handoff", "A rule in a hop derives a resource.", "V6", profile,
			mint(grant()).add(hopRule, link{signer: ci, next: runner.publicKey}).invoke(runner, usual()), attack(ownFact)),
		denied("trusting-block-key", "direct", "Block 0 as a whole trusts a key.", "V7", profile,
			mint(trusts(scopeKey(stranger.publicKey))).invoke(ci, usual()), attack("block-level trusting")),
		denied("trusting-block-previous", "direct", "Block 0 as a whole trusts previous blocks.", "V7", profile,
			mint(trusts(scopeType(scopePrevious))).invoke(ci, usual()), attack("block-level trusting")),
		having("trusting-previous", "A check trusts the previous blocks.", "", scoped(scopeType(scopePrevious))),
		having("trusting-key", "A check that is no approval trusts a key.", "block-level trusting", scoped(scopeKey(stranger.publicKey))),
		having("extern-call", "A check calls a function of the host.", "", check(checkAll, query{
			body:  []node{pred("operation", variable("o"))},
			exprs: []expr{join(truth(true), expr{externOp(2, unExtern, "test")})},
		})),
	)
}

// deniedHolders have delegator and holder facts where they do not belong, or
// none where they do.
func deniedHolders() []delegationCase {
	facts := func(facts ...node) block { b := grant(); b.facts = facts; return b }
	byAlice, toCI := pred("delegator", str(delegator)), pred("holder", str("agent:ci"))
	authority := func(name, description string, b block) delegationCase {
		return denied(name, "direct", description, "V3", profile, mint(b).invoke(ci, usual()))
	}
	hop := func(name, sibling, description string, b block, next key, invoker key) delegationCase {
		return denied(name, sibling, description, "V3", profile,
			mint(grant()).add(b, link{signer: ci, next: next.publicKey}).invoke(invoker, usual()))
	}
	twice := handed("agent:runner")
	twice.facts = append(twice.facts, pred("holder", str("agent:other")))
	const anyone = "a hop whose nextKey is the invocation key"

	return []delegationCase{
		authority("delegator-none", "Block 0 names no delegator.", facts(toCI)),
		authority("delegator-two", "Block 0 names two delegators.", facts(byAlice, pred("delegator", str("bob@example.com")), toCI)),
		authority("delegator-twice", "Block 0 names the delegator twice.", facts(byAlice, byAlice, toCI)),
		authority("delegator-integer", "The delegator is an integer.", facts(pred("delegator", integer(1)), toCI)),
		authority("delegator-two-terms", "The delegator has two terms.", facts(pred("delegator", str(delegator), str("bob@example.com")), toCI)),
		authority("holder-none", "Block 0 names no holder.", facts(byAlice)),
		authority("holder-two", "Block 0 names two holders.", facts(byAlice, toCI, pred("holder", str("agent:other")))),
		authority("holder-integer", "The holder is an integer.", facts(byAlice, pred("holder", integer(1)))),
		hop("holder-missing-in-hop", "one-handoff", "A block changes nextKey and names no holder.", block{}, runner, runner),
		hop("holder-two-in-hop", "one-handoff", "A hop names two holders.", twice, runner, runner),
		hop("holder-in-narrowing", "narrowed", "A block keeps nextKey and names a holder.", handed("agent:ci"), ci, ci),
		denied("handoff-to-invocation-key", "one-handoff", "The last block names a holder whose key is the invocation key.", "V4", profile,
			mint(grant()).end(handed("agent:anyone"), ci), attack(anyone)),
		denied("handoff-to-invocation-key-invoked", "one-handoff", "A hop names the invocation key as holder, and it invokes.", "V4", profile,
			mint(grant()).add(handed("agent:anyone"), link{signer: ci, next: ending.publicKey}).invoke(ending, usual()), attack(anyone)),
		denied("authority-to-invocation-key", "direct", "Block 0 names the invocation key.", "V3", profile,
			new(chain).add(grant(), link{signer: alice, next: ending.publicKey}).presented(), attack(anyone)),
		denied("authority-to-invocation-key-invoked", "direct", "Block 0 names the invocation key, and it invokes.", "V3", profile,
			new(chain).add(grant(), link{signer: alice, next: ending.publicKey}).invoke(ending, usual()), attack(anyone)),
		denied("narrowed-to-invocation-key", "narrowed", "The last block only narrows and ends in the invocation key.", "V4", profile,
			mint(grant()).end(block{checks: []node{operation("rotate")}}, ci), attack(anyone)),
		denied("bearer-invoked", "bearer-fresh-key", "A bearer token was invoked.", "V4", profile, bearer().invoke(tester, usual())),
	}
}

// deniedGrants lack a caveat that block 0 must have, or have it in another form.
func deniedGrants() []delegationCase {
	without := func(i int) block {
		b := grant()
		b.checks = append(b.checks[:i:i], b.checks[i+1:]...)
		return b
	}
	with := func(i int, c node) block { b := grant(); b.checks[i] = c; return b }
	no := func(name, description string, b block) delegationCase {
		return denied(name, "direct", description, "V7", profile, mint(b).invoke(ci, usual()), attack("expired tokens live"))
	}
	timeQuery := query{body: []node{pred("time", variable("t"))}, exprs: []expr{infix(binLessThan, ref("t"), moment(expiry))}}
	always := query{exprs: []expr{truth(true)}}
	orTrue := func(e expr) expr { return lazy(binOr, e, truth(true)) }
	isResource := exactly(certificate)[0]

	return []delegationCase{
		no("expiry-missing", "Block 0 sets no expiry.", without(grantExpiry)),
		no("resource-missing", "Block 0 sets no resource.", without(grantResource)),
		no("operation-missing", "Block 0 sets no operation.", without(grantOperation)),
		denied("expiry-in-hop-only", "one-handoff", "The expiry stands in a hop and not in block 0.", "V7", profile,
			mint(without(grantExpiry)).handoff(ci, runner, "agent:runner", expires(expiry)).invoke(runner, usual())),
		no("expiry-or-true", "The expiry is one of two queries, the other of which always holds.", with(grantExpiry, check(checkAll, timeQuery, always))),
		no("expiry-or-time", "The expiry is one of two queries, the other of which asks for any time.",
			with(grantExpiry, check(checkAll, timeQuery, query{body: []node{pred("time", variable("t"))}}))),
		no("expiry-lazy-or-true", "The expiry's expression ends in a true alternative.", with(grantExpiry, all("time", "t", orTrue(timeQuery.exprs[0])))),
		no("expiry-check-if", "The expiry is a check if: one more time fact would do.", with(grantExpiry, check(checkIf, timeQuery))),
		no("expiry-inclusive", "The expiry is written with less or equal.", with(grantExpiry, all("time", "t", infix(binLessOrEqual, ref("t"), moment(expiry))))),
		no("expiry-reversed", "The expiry is written from right to left.", with(grantExpiry, all("time", "t", infix(binGreaterThan, moment(expiry), ref("t"))))),
		no("expiry-parenthesised", "The expiry's expression stands in parentheses.", with(grantExpiry, all("time", "t", apply(unParens, timeQuery.exprs[0])))),
		no("expiry-two-predicates", "The expiry asks for an operation as well.", with(grantExpiry, check(checkAll, query{
			body: []node{pred("time", variable("t")), pred("operation", variable("o"))}, exprs: timeQuery.exprs}))),
		no("expiry-unbound", "The expiry speaks of a constant time instead of the variable.", with(grantExpiry, all("time", "t", infix(binLessThan, moment(minted), moment(expiry))))),
		no("expiry-trusting-key", "The expiry trusts a key.", with(grantExpiry, check(checkAll, query{
			body: timeQuery.body, exprs: timeQuery.exprs, scopes: []node{scopeKey(stranger.publicKey)}}))),
		no("resource-or-true", "The resource's expression ends in a true alternative.", with(grantResource, all("resource", "r", orTrue(isResource)))),
		no("resource-check-if", "The resource is a check if: one of two resources would do.", with(grantResource, check(checkIf, query{
			body: []node{pred("resource", variable("r"))}, exprs: []expr{isResource}}))),
		no("resource-constant", "The resource stands in the predicate instead of an expression.", with(grantResource, check(checkAll, query{body: []node{pred("resource", str(certificate))}}))),
		no("resource-subtree-no-slash", "The subtree has no slash at its end.", with(grantResource, all("resource", "r", lazy(binOr, isResource, infix(binPrefix, ref("r"), text(certificate)))))),
		no("operation-or-true", "The operation's expression ends in a true alternative.", with(grantOperation, all("operation", "o", orTrue(oneOf("o", "rotate"))))),
		no("operation-set", "The operations are a set, which would contain its subsets.", with(grantOperation, all("operation", "o", infix(binContains, val(set(str("read"), str("rotate"))), ref("o"))))),
		no("operation-equals", "The operation is compared and not listed.", with(grantOperation, all("operation", "o", infix(binEqual, ref("o"), text("rotate"))))),
		no("operation-check-if", "The operation is a check if.", with(grantOperation, check(checkIf, query{
			body: []node{pred("operation", variable("o"))}, exprs: []expr{oneOf("o", "rotate")}}))),
		no("operation-substring", "The operation is looked for in a string.", with(grantOperation, all("operation", "o", infix(binContains, text("rotate,read"), ref("o"))))),
	}
}
