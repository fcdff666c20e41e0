package main

import (
	"slices"
	"time"
)

// The people who approve.
var (
	bob     = edKey("bob")
	carol   = edKey("carol")
	dave    = edKey("dave")
	bobP256 = p256Key("bob")
)

// approvalBy is `check if action($a), approved($a) trusting ..`.
func approvalBy(keys ...key) node {
	return check(checkIf, query{
		body:   []node{pred("action", variable("a")), pred("approved", variable("a"))},
		scopes: scopesOf(keys),
	})
}

func scopesOf(keys []key) []node {
	var scopes []node
	for _, k := range keys {
		scopes = append(scopes, scopeKey(k.publicKey))
	}
	return scopes
}

// twoOfThree is any two of three people: each pair has one who approved.
func twoOfThree() []node {
	return []node{approvalBy(bob, carol), approvalBy(bob, dave), approvalBy(carol, dave)}
}

// approvalEnds is when the approvals end, unless said otherwise.
var approvalEnds = minted.Add(15 * time.Minute)

// approval is what an approver says of the token that c holds.
func approval(c *chain, a action) block {
	return block{
		facts:  []node{pred("approved", byteArray(a.actionDigest())), pred("parent", byteArray(c.prefixHash()))},
		checks: []node{expires(approvalEnds)},
	}
}

// approve appends an approval of the usual action.
func (c *chain) approve(holder key, people ...key) *chain {
	for _, k := range people {
		c.approveAs(holder, k, approval(c, usual().action))
	}
	return c
}

func (c *chain) approveAs(holder, approver key, b block) *chain {
	return c.add(b, link{signer: holder, next: holder.publicKey, external: &approver})
}

// needing is a token for agent:ci with one caveat, or several, about approval.
func needing(caveats ...node) *chain { return mint(grant(caveats...)) }

func allowedApprovals() []delegationCase {
	ok := func(name, description string, token string, options ...option) delegationCase {
		return allowed("approval-"+name, description, "V9", token, options...)
	}
	one := func() *chain { return needing(approvalBy(bob)) }
	craftedTrust, crafted := craftedRootOwn()
	read := to("read", certificate)
	both := one()
	both.approveAs(ci, bob, approval(both, read.action)).approve(ci, bob)
	shared := one()
	shared.approveAs(ci, bob, withKeys(approval(shared, usual().action), stranger, carol))

	return []delegationCase{
		ok("one", "Bob's approval is demanded, and he approves the very action.", one().approve(ci, bob).invoke(ci, usual())),
		ok("one-of-two", "Bob or Carol may approve; she does.", needing(approvalBy(bob, carol)).approve(ci, carol).invoke(ci, usual())),
		ok("two-of-three", "Two of three people are needed; Bob and Carol approve, one after the other.",
			needing(twoOfThree()...).approve(ci, bob, carol).invoke(ci, usual())),
		ok("two-of-three-others", "Two of three people are needed; Dave and Bob approve.",
			needing(twoOfThree()...).approve(ci, dave, bob).invoke(ci, usual())),
		ok("three-of-three", "All three are needed, and approve.",
			needing(approvalBy(bob), approvalBy(carol), approvalBy(dave)).approve(ci, bob, carol, dave).invoke(ci, usual())),
		ok("p256", "The approver's key is P-256.", needing(approvalBy(bobP256)).approve(ci, bobP256).invoke(ci, usual())),
		ok("in-hop", "The agent demands the approval when it hands on.",
			mint(grant()).handoff(ci, runner, "agent:runner", approvalBy(bob)).approve(runner, bob).invoke(runner, usual())),
		ok("then-narrowed", "The holder narrows after the approval.", one().approve(ci, bob).narrow(ci, operation("rotate")).invoke(ci, usual())),
		ok("then-handed-on", "The holder hands on after the approval, which stays good.",
			one().approve(ci, bob).handoff(ci, runner, "agent:runner").invoke(runner, usual())),
		ok("of-two-actions", "Bob has approved another action as well.", both.invoke(ci, usual())),
		ok("by-stranger-beside", "Somebody whom no caveat names has approved too.", one().approve(ci, stranger, bob).invoke(ci, usual())),
		ok("not-demanded", "An approval that no caveat demands.", mint(grant()).approve(ci, bob).invoke(ci, usual())),
		ok("no-hop", "Approvals do not count in depth.", needing(approvalBy(bob), depthAtMost(0)).approve(ci, bob, carol).invoke(ci, usual())),
		ok("own-keys", "Bob's block declares keys of its own, which mean nothing outside it.", shared.invoke(ci, usual())),
		ok("last-second", "One second before the approval ends.", one().approve(ci, bob).invoke(ci, at(approvalEnds.Add(-time.Second))),
			now(approvalEnds.Add(-time.Second))),
		ok("crafted-root-own", "The root key was made so that one signature fits two blocks; Bob approved this token.", crafted, trusting(craftedTrust)),
		ok("bearer", "Bob approves what anybody may do with a bearer token.",
			needing(approvalBy(bob)).add(block{}, link{signer: ci, next: tester.publicKey}).approve(tester, bob).text(secretProof(tester.secret)), withBearer),
	}
}

// withKeys declares keys in a block's own table, needed or not.
func withKeys(b block, keys ...key) block {
	for _, k := range keys {
		b.keys = append(b.keys, k.publicKey)
	}
	return b
}

func deniedApprovals() []delegationCase {
	return slices.Concat(approvalsMissing(), approvalsElsewhere(), approvalContents(), approvalPlaces(), approvalSigners(), approvalCaveats())
}

// noApproval is a vector that differs from one with Bob's approval.
func noApproval(name, description, code, row, token string, options ...option) delegationCase {
	return denied("approval-"+name, "approval-one", description, "V9", code, token, append(options, attack(row))...)
}

// approvalsMissing lack an approval that a caveat demands.
func approvalsMissing() []delegationCase {
	one := func() *chain { return needing(approvalBy(bob)) }
	two := func() *chain { return needing(twoOfThree()...) }
	ofThree := func(name, description, token string) delegationCase {
		c := noApproval(name, description, checkFailed, "", token)
		c.Sibling = "approval-two-of-three"
		return c
	}
	of := func(change func(*action)) string {
		a := usual().action
		change(&a)
		c := one()
		return c.approveAs(ci, bob, approval(c, a)).invoke(ci, usual())
	}
	digest := one()
	b := approval(digest, usual().action)
	b.facts[0] = pred("approved", byteArray(usual().requestDigest(digest.prefixHash(), usual().nonce)))
	return []delegationCase{
		noApproval("missing", "Nobody has approved.", checkFailed, "", one().invoke(ci, usual())),
		noApproval("by-stranger", "Somebody has approved whom no caveat names.", checkFailed, "", one().approve(ci, stranger).invoke(ci, usual())),
		ofThree("one-of-three", "Only Bob has approved, of the two that are needed.", two().approve(ci, bob).invoke(ci, usual())),
		ofThree("one-person-twice", "Bob has approved twice, and counts for one.", two().approve(ci, bob, bob).invoke(ci, usual())),
		ofThree("one-and-stranger", "Bob has approved, and somebody whom no caveat names.", two().approve(ci, bob, stranger).invoke(ci, usual())),
		noApproval("other-operation", "Bob has approved another operation.", checkFailed, "", of(func(a *action) { a.operation = "read" })),
		noApproval("other-resource", "Bob has approved the same on another resource.", checkFailed, "", of(func(a *action) { a.resources = []string{"payments/certs/web"} })),
		noApproval("other-resource-added", "Bob has approved the same on one resource more.", checkFailed, "",
			of(func(a *action) { a.resources = append(slices.Clone(a.resources), "payments/certs/web") })),
		noApproval("other-argument", "Bob has approved the same with an argument.", checkFailed, "", of(func(a *action) { a.args = map[string]any{"n": 1} })),
		noApproval("other-audience", "Bob has approved the same at another service.", checkFailed, "", of(func(a *action) { a.audience = "svc:other" })),
		noApproval("other-body", "Bob has approved the same with a body.", checkFailed, "", of(func(a *action) { a.body = sum([]byte("a body")) })),
		noApproval("of-request-digest", "What is approved is the digest of the request instead of the action.", checkFailed, "",
			digest.approveAs(ci, bob, b).invoke(ci, usual())),
		noApproval("key-confusion", "A stranger approves in a block in whose own table his key has the number of Bob's.", checkFailed, "",
			confused().invoke(ci, usual())),
	}
}

// confused is approved by a stranger, whose block declares his key with the number
// that Bob's has in the token.
func confused() *chain {
	c := needing(approvalBy(bob))
	return c.approveAs(ci, stranger, withKeys(approval(c, usual().action), stranger))
}

// approvalsElsewhere were given for something else than the token they stand in.
func approvalsElsewhere() []delegationCase {
	one := func() *chain { return needing(approvalBy(bob)) }
	const moved = "an approval moved to another token"
	stripped := one().approve(ci, bob)
	stripped.blocks[1].fields = stripped.blocks[1].fields.without(3)
	removed := one().approve(ci, bob)
	removed.add(usual().block(removed), link{signer: ci, next: ending.publicKey})
	removed.blocks = slices.Delete(removed.blocks, 1, 2)

	parent := func(prefix []byte) string {
		c := one()
		b := approval(c, usual().action)
		b.facts[1] = pred("parent", byteArray(prefix))
		return c.approveAs(ci, bob, b).invoke(ci, usual())
	}
	other := needing(approvalBy(bob), operation("rotate"))
	narrowed := one().narrow(ci)
	shorter := approval(one(), usual().action)
	crafted, craftedApproval := craftedRoot()
	return []delegationCase{
		noApproval("moved", "Bob's block was signed for another token; the holder's own signature is right.", signature, moved, movedApproval(other, one())),
		noApproval("stripped", "Bob's signature was taken off.", signature, "a stripped external signature", stripped.invoke(ci, usual())),
		noApproval("removed", "Bob's block was taken out after the invocation.", signature, "", removed.presented()),
		noApproval("parent-other", "Bob names another token as the one he approves.", profile, moved, parent(other.prefixHash())),
		noApproval("parent-zero", "Bob names no token that there is.", profile, moved, parent(make([]byte, 32))),
		noApproval("parent-shorter", "Bob names the token as it was before it was narrowed.", profile, moved,
			narrowed.approveAs(ci, bob, shorter).invoke(ci, usual())),
		denied("approval-crafted-root", "approval-crafted-root-own", "The root key was made so that one signature fits a narrow and a wide block 0; Bob approved the narrow token.",
			"V9", profile, craftedApproval, attack("one P-256 signature valid for two messages under a crafted root key"), trusting(crafted)),
	}
}

// movedApproval puts the block that Bob signed for one token into another.
func movedApproval(from, to *chain) string {
	theirs := from.approve(ci, bob).last()
	external := bob.sign(externalPayload(theirs.payload, from.blocks[0].signature, 1))
	previous := to.last().signature
	sig := ci.sign(blockPayload(theirs.payload, ci.publicKey, previous, external, 1))
	to.blocks = append(to.blocks, signedBlock{
		fields: message{
			bytesField(1, theirs.payload), bytesField(2, ci.proto().bytes()), bytesField(3, sig),
			bytesField(4, message{bytesField(1, external), bytesField(2, bob.proto().bytes())}.bytes()), uintField(5, 1),
		},
		payload: theirs.payload, next: ci.publicKey, signature: sig,
	})
	return to.invoke(ci, usual())
}

// approvalContents hold something else than an approval does.
func approvalContents() []delegationCase {
	const states = "an approval that states more than its approval"
	no := func(name, description string, change func(*block)) delegationCase {
		c := needing(approvalBy(bob))
		b := approval(c, usual().action)
		change(&b)
		return noApproval(name, description, profile, states, c.approveAs(ci, bob, b).invoke(ci, usual()))
	}
	digest := usual().actionDigest()
	approved := func(terms ...node) func(*block) { return func(b *block) { b.facts[0] = pred("approved", terms...) } }
	adding := func(facts ...node) func(*block) { return func(b *block) { b.facts = append(b.facts, facts...) } }
	checking := func(checks ...node) func(*block) { return func(b *block) { b.checks = checks } }
	return []delegationCase{
		no("states-operation", "The approval states an operation.", adding(pred("operation", str("pay")))),
		no("states-time", "The approval states a time.", adding(pred("time", date(uint64(usedAt.Unix()))))),
		no("states-holder", "The approval names a holder.", adding(pred("holder", str("agent:ci")))),
		no("states-nonce", "The approval holds a nonce.", adding(pred("nonce", byteArray(make([]byte, 16))))),
		no("two-approved", "The approval approves a second action.", adding(pred("approved", byteArray(make([]byte, 32))))),
		no("two-parents", "The approval names a second parent.", adding(pred("parent", byteArray(make([]byte, 32))))),
		no("no-approved", "The approval approves nothing.", func(b *block) { b.facts = b.facts[1:] }),
		no("no-parent", "The approval names no parent.", func(b *block) { b.facts = b.facts[:1] }),
		no("facts-swapped", "The parent stands before what is approved.", func(b *block) { b.facts[0], b.facts[1] = b.facts[1], b.facts[0] }),
		no("approved-string", "What is approved is a string.", approved(str("rotate"))),
		no("approved-31-bytes", "What is approved has 31 bytes.", approved(byteArray(digest[:31]))),
		no("approved-two-terms", "What is approved has two terms.", approved(byteArray(digest), byteArray(digest))),
		no("rule", "The approval holds a rule.", func(b *block) {
			b.rules = []node{rule(pred("approved", variable("a")), query{body: []node{pred("action", variable("a"))}})}
		}),
		no("trusting", "The approval as a whole trusts another key.", func(b *block) { b.scopes = scopesOf([]key{stranger}) }),
		no("context", "The approval has a context.", func(b *block) { b.context = "for tonight" }),
		no("no-expiry", "The approval does not end.", checking()),
		no("two-expiries", "The approval ends twice.", checking(expires(approvalEnds), expires(approvalEnds))),
		no("expiry-check-if", "The approval's expiry is a check if.", checking(check(checkIf, query{
			body: []node{pred("time", variable("t"))}, exprs: []expr{infix(binLessThan, ref("t"), moment(approvalEnds))}}))),
		no("expiry-or-true", "The approval's expiry says || true.", checking(all("time", "t", lazy(binOr, infix(binLessThan, ref("t"), moment(approvalEnds)), truth(true))))),
		no("check-more", "The approval holds one more check.", checking(expires(approvalEnds), operation("rotate"))),
		no("demands-approval", "The approval demands another approval.", checking(expires(approvalEnds), approvalBy(carol))),
		denied("approval-expired", "approval-one", "The approval has ended, and the token that has it ends with it.", "V9", expired,
			needing(approvalBy(bob)).approve(ci, bob).invoke(ci, at(approvalEnds)), now(approvalEnds)),
		denied("approval-expired-and-new", "approval-one", "An approval has ended; a new one stands behind it.", "V9", expired, expiredAndNew(), now(approvalEnds)),
	}
}

// expiredAndNew has an approval of the usual end, and one that ends later.
func expiredAndNew() string {
	c := needing(approvalBy(bob)).approve(ci, bob)
	b := approval(c, usual().action)
	b.checks = []node{expires(expiry)}
	return c.approveAs(ci, bob, b).invoke(ci, at(approvalEnds))
}
