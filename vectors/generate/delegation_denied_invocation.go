package main

import "slices"

// deniedInvocations have a last block that is not exactly an invocation, or one
// for another token.
func deniedInvocations() []delegationCase {
	// changed is the usual invocation after a change of its block.
	changed := func(name, description string, change func(*block)) delegationCase {
		c := mint(grant())
		b := usual().block(c)
		change(&b)
		return denied("invocation-"+name, "direct", description, "V8", profile, c.end(b, ci))
	}
	without := func(i int) func(*block) {
		return func(b *block) { b.checks = slices.Delete(b.checks, i, i+1) }
	}
	also := func(c node) func(*block) {
		return func(b *block) { b.checks = append(b.checks, c) }
	}
	// nonce is an invocation whose digest covers a nonce of n bytes.
	nonce := func(name, description string, n int) delegationCase {
		in := usual()
		in.nonce = in.nonce[:n]
		return denied("invocation-"+name, "direct", description, "V8", profile, mint(grant()).invoke(ci, in))
	}
	in := usual()
	until := infix(binLessThan, ref("t"), moment(in.until))
	from := infix(binGreaterOrEqual, ref("t"), moment(in.from))

	wider := mint(wide())
	narrow := mint(grant())
	spliced := usual()
	spliced.prefix = narrow.prefixHash()

	return []delegationCase{
		changed("no-nonce", "The invocation has no nonce.", func(b *block) { b.facts = nil }),
		nonce("nonce-15-bytes", "The nonce has 15 bytes.", 15),
		nonce("nonce-empty", "The nonce is empty.", 0),
		changed("nonce-string", "The nonce is a string.", func(b *block) { b.facts[0] = pred("nonce", str("sixteen byte text")) }),
		changed("nonce-two", "The invocation has two nonces.", func(b *block) {
			b.facts = append(b.facts, pred("nonce", byteArray(make([]byte, 16))))
		}),
		changed("fact-operation", "The invocation states an operation.", func(b *block) { b.facts = append(b.facts, pred("operation", str("rotate"))) }),
		changed("fact-request", "The invocation states the request that it asks for.", func(b *block) {
			c := mint(grant())
			b.facts = append(b.facts, pred("request", byteArray(usual().requestDigest(c.prefixHash(), usual().nonce))))
		}),
		changed("fact-holder", "The invocation names a holder.", func(b *block) { b.facts = append(b.facts, pred("holder", str("agent:ci"))) }),
		changed("fact-delegator", "The invocation names a delegator.", func(b *block) { b.facts = append(b.facts, pred("delegator", str(delegator))) }),
		changed("rule", "The invocation has a rule.", func(b *block) {
			b.rules = []node{rule(pred("seen", variable("o")), query{body: []node{pred("operation", variable("o"))}})}
		}),
		changed("scope", "The invocation as a whole trusts previous blocks.", func(b *block) { b.scopes = []node{scopeType(scopePrevious)} }),
		changed("check-added", "The invocation has a fourth check, which holds.", also(operation("rotate"))),
		changed("check-twice", "The invocation has its audience check twice.", also(all("audience", "a", infix(binEqual, ref("a"), text(serviceName))))),
		changed("no-request", "The invocation binds no request.", without(invokeRequest)),
		changed("no-audience", "The invocation names no service.", without(invokeAudience)),
		changed("no-time", "The invocation has no window.", without(invokeTime)),
		changed("no-checks", "The invocation has no checks.", func(b *block) { b.checks = nil }),
		changed("no-lower-bound", "The window has no lower bound.", func(b *block) { b.checks[invokeTime] = all("time", "t", until) }),
		changed("no-upper-bound", "The window has no upper bound.", func(b *block) { b.checks[invokeTime] = all("time", "t", from) }),
		changed("request-or-true", "The request check has an alternative that always holds.", func(b *block) {
			b.checks[invokeRequest] = check(checkAll, query{body: []node{pred("request", variable("q"))}}, query{exprs: []expr{truth(true)}})
		}),
		changed("request-any", "The request check asks for any request.", func(b *block) {
			b.checks[invokeRequest] = check(checkAll, query{body: []node{pred("request", variable("q"))}})
		}),
		changed("audience-list", "The audience check lists two services.", func(b *block) { b.checks[invokeAudience] = audience(serviceName, "svc:other") }),
		changed("audience-check-if", "The audience check is a check if.", func(b *block) {
			b.checks[invokeAudience] = check(checkIf, query{
				body: []node{pred("audience", variable("a"))}, exprs: []expr{infix(binEqual, ref("a"), text(serviceName))}})
		}),
		changed("time-or-true", "The window's expression ends in a true alternative.", func(b *block) {
			b.checks[invokeTime] = all("time", "t", lazy(binOr, lazy(binAnd, from, until), truth(true)))
		}),

		denied("invocation-of-other-token", "resource-subtree", "The request digest was made for another token of the same holder.", "V8", checkFailed,
			wider.invoke(ci, spliced), attack("a victim's key named as holder")),
		denied("invocation-of-shorter-token", "narrowed", "The request digest was made before the token was narrowed.", "V8", checkFailed,
			func() string {
				in := usual()
				c := mint(grant())
				in.prefix = c.prefixHash()
				return c.narrow(ci, operation("rotate")).invoke(ci, in)
			}()),
		afterInvocation("block-after-invocation", "The invocation key appends a block that keeps it.", profile,
			func(c *chain) string { return c.narrow(ending, operation("rotate")).presented() }),
		afterInvocation("invocation-twice", "The invocation key invokes once more.", profile,
			func(c *chain) string { return c.invoke(ending, usual()) }),
		afterInvocation("handoff-after-invocation", "The invocation key hands on to a stranger, who invokes.", profile,
			func(c *chain) string { return c.handoff(ending, stranger, "agent:other").invoke(stranger, usual()) }),
		afterInvocation("bearer-after-invocation", "The invocation key appends a block that ends in a fresh key; bearer tokens are allowed.", profile,
			func(c *chain) string {
				return c.add(block{}, link{signer: ending, next: stranger.publicKey}).text(secretProof(stranger.secret))
			}, withBearer),
	}
}

// afterInvocation is a token that was invoked and then goes on.
func afterInvocation(name, description, code string, goOn func(*chain) string, options ...option) delegationCase {
	c := mint(grant())
	c.add(usual().block(c), link{signer: ci, next: ending.publicKey})
	return denied(name, "direct", description, "V4", code, goOn(c), options...)
}

// deniedSignatures have a link that the right key did not sign, or not there.
func deniedSignatures() []delegationCase {
	by := func(name, sibling, description, token string) delegationCase {
		return denied(name, sibling, description, "V1", signature, token)
	}
	chainOf := func() *chain {
		return mint(grant()).handoff(ci, runner, "agent:runner").handoff(runner, tester, "agent:tester")
	}
	forgedHop := mint(grant()).add(handed("agent:runner"), link{signer: stranger, next: runner.publicKey})
	dropped := chainOf()
	dropped.add(usual().block(dropped), link{signer: tester, next: ending.publicKey})
	dropped.blocks = slices.Delete(dropped.blocks, 1, 2)
	truncated := mint(grant())
	truncated.add(usual().block(truncated), link{signer: ci, next: ending.publicKey})
	truncated.blocks = truncated.blocks[:1]
	narrowed := mint(wide()).narrow(ci, operation("read"))
	narrowed.add(usual().block(narrowed), link{signer: ci, next: ending.publicKey})
	narrowed.blocks = slices.Delete(narrowed.blocks, 1, 2)

	// The same holder has a narrow and a wide token.
	narrow, wider := mint(grant()), mint(wide())
	narrow.add(usual().block(narrow), link{signer: ci, next: ending.publicKey})
	spliced := wider.clone()
	spliced.blocks = append(spliced.blocks, narrow.blocks[1])
	hop := mint(grant(depthAtMost(1))).handoff(ci, runner, "agent:runner")
	hopSpliced := mint(wide())
	hopSpliced.blocks = append(hopSpliced.blocks, hop.blocks[1])

	// A token that ci minted as a root of its own.
	own := new(chain).add(grant(), link{signer: ci, next: runner.publicKey})
	asHop := mint(grant())
	asHop.blocks = append(asHop.blocks, own.blocks[0])
	asHop.table = own.table
	promoted := chainOf()
	promoted.blocks = promoted.blocks[1:2]

	changed := mint(grant())
	changed.add(usual().block(changed), link{signer: ci, next: ending.publicKey})
	changed.blocks[0].fields = changed.blocks[0].fields.replaced(signedPayload, bytesField(1, mint(wide()).blocks[0].payload))
	identity := new(chain).add(grant(), link{signer: alice, next: identityKey()})
	identity.add(usual().block(identity), link{signer: stranger, next: ending.publicKey,
		forge: func(_, _ []byte) []byte { return universalSignature() }})
	const swapping = "wider authority with valid signatures"

	return []delegationCase{
		by("invoked-by-stranger", "direct", "A key that is not the holder's invokes.", mint(grant()).invoke(stranger, usual())),
		by("invoked-by-earlier-holder", "one-handoff", "agent:ci handed the token on and invokes it all the same.",
			mint(grant()).handoff(ci, runner, "agent:runner").invoke(ci, usual())),
		by("invoked-by-delegator", "direct", "Alice invokes the token that she minted for agent:ci.", mint(grant()).invoke(alice, usual())),
		by("invoked-by-invocation-key", "direct", "The invocation key itself signs the invocation.", mint(grant()).invoke(ending, usual())),
		by("hop-forged", "one-handoff", "A stranger signs the hop to agent:runner.", forgedHop.invoke(runner, usual())),
		by("hop-dropped", "two-handoffs", "The first of two hops is missing.", dropped.presented()),
		by("narrowing-dropped", "narrowed", "The block that excludes the operation is missing; its signer invoked.", narrowed.presented()),
		by("invocation-dropped", "direct", "The invocation is missing, its proof is there.", truncated.presented()),
		by("handoff-truncated", "one-handoff", "The hop to agent:runner is missing, and agent:runner invokes.", mint(grant()).invoke(runner, usual())),
		denied("invocation-spliced", "direct", "The invocation of a narrow token stands on a wide one of the same holder.", "V1", signature, spliced.presented(), attack(swapping)),
		denied("hop-spliced", "one-handoff", "The hop of a narrow token stands on a wide one of the same holder.", "V1", signature,
			hopSpliced.invoke(runner, usual()), attack(swapping)),
		denied("mint-as-hop", "one-handoff", "A token that agent:ci minted stands as its hop.", "V1", signature, asHop.invoke(runner, usual()), attack(swapping)),
		denied("hop-as-authority", "two-handoffs", "A hop that agent:ci signed stands as block 0; the trust file lets agent:ci mint for alice.", "V1", untrustedRoot,
			promoted.invoke(runner, usual()), trusting(trustLine(delegator, forWhittle, ci.publicKey)), attack(swapping)),
		denied("authority-changed", "direct", "Block 0 grants more than what alice signed.", "V2", untrustedRoot, changed.presented()),
		denied("identity-key-as-holder", "direct", "The holder's key is the neutral element, under which one signature fits each message.", "V1", malformed,
			identity.presented(), attack("small-order key with a universal signature")),
		denied("symbol-forward", "direct", "Block 0 grants an operation whose symbol the invocation declares.", "V5", malformed, forwardSymbol(), attack("the holder chooses what block 0 means")),
	}
}

// forwardSymbol leaves an operation of block 0 undefined until the next block.
func forwardSymbol() string {
	full := mint(grant())
	missing := uint64(firstSymbol + len(full.table.symbols))
	b := grant()
	b.checks[grantOperation] = all("operation", "o", infix(binContains, val(array(str("rotate"), str("read"), strIndex(missing))), ref("o")))
	return mint(b).invoke(ci, usual())
}

// deniedThirdParty have third-party blocks that are no approvals, or stand where
// none may.
func deniedThirdParty() []delegationCase {
	const states = "an approval that states more than its approval"
	signed := func(b block) string {
		return mint(grant()).add(b, link{signer: ci, next: ci.publicKey, external: &stranger}).invoke(ci, usual())
	}
	no := func(name, description, token string) delegationCase {
		return denied("third-party-"+name, "narrowed", description, "V9", profile, token, attack(states))
	}
	last := mint(grant())
	last.add(usual().block(last), link{signer: ci, next: ending.publicKey, external: &stranger})
	after := mint(grant())
	after.add(usual().block(after), link{signer: ci, next: ending.publicKey})
	after.add(block{checks: []node{operation("rotate")}}, link{signer: ending, next: ending.publicKey, external: &stranger})

	return []delegationCase{
		no("operation", "A third party states an operation.", signed(block{facts: []node{pred("operation", str("pay"))}})),
		no("role", "A third party states a fact of its own.", signed(block{facts: []node{pred("role", str("buyer"))}})),
		no("empty", "A third-party block holds nothing.", signed(block{})),
		no("check", "A third-party block holds only a check.", signed(block{checks: []node{operation("rotate")}})),
		no("rule", "A third-party block holds a rule.", signed(block{
			rules: []node{rule(pred("operation", variable("a")), query{body: []node{pred("audience", variable("a"))}})}})),
		no("holder", "A third-party block changes nextKey and names a holder.",
			mint(grant()).add(handed("agent:runner"), link{signer: ci, next: runner.publicKey, external: &stranger}).invoke(runner, usual())),
		no("invocation", "The invocation is also signed by a third party.", last.presented()),
		no("after-invocation", "A third-party block follows the invocation.", after.presented()),
	}
}
