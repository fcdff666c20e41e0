package main

import (
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"math/big"
)

// approvalPlaces are approvals where none may stand.
func approvalPlaces() []delegationCase {
	const place, changes = "an approval after the invocation", "an approval that changes nextKey or adds holder"
	one := func() *chain { return needing(approvalBy(bob)) }
	moving := func(next key) *chain {
		c := one()
		return c.add(approval(c, usual().action), link{signer: ci, next: next.publicKey, external: &bob})
	}
	naming := one()
	named := approval(naming, usual().action)
	named.facts = append(named.facts, pred("holder", str("agent:runner")))
	naming.add(named, link{signer: ci, next: runner.publicKey, external: &bob})
	after := one()
	after.add(usual().block(after), link{signer: ci, next: ending.publicKey})
	after.approveAs(ending, bob, approval(after, usual().action))
	both := one()
	invoked := usual().block(both)
	invoked.facts = append(invoked.facts, approval(both, usual().action).facts...)
	both.add(invoked, link{signer: ci, next: ending.publicKey, external: &bob})
	return []delegationCase{
		noApproval("changes-next-key", "The approval's block names another nextKey.", profile, changes, moving(runner).invoke(runner, usual())),
		noApproval("changes-next-key-and-holder", "The approval's block hands the token on and names the holder.", profile, changes, naming.invoke(runner, usual())),
		noApproval("ends-the-chain", "The approval's block names the invocation key.", profile, place, moving(ending).presented()),
		noApproval("after-invocation", "The approval stands behind the invocation.", profile, place, after.presented()),
		noApproval("is-invocation", "Bob signed the invocation too, which says what he approves.", profile, place, both.presented()),
	}
}

// approvalSigners are approvals by those who must not approve.
func approvalSigners() []delegationCase {
	const own = "the approver is the holder"
	no := func(name, description string, token string, options ...option) delegationCase {
		return noApproval(name, description, profile, own, token, options...)
	}
	said := needing(approvalBy(bob))
	said.add(approval(said, usual().action), link{signer: ci, next: ci.publicKey})
	highS := needing(approvalBy(bobP256))
	p256 := denied("approval-high-s", "approval-p256", "The approver's signature is high-S.", "V1", profile, forgedApproval(highS))
	aliceBoth := needing(approvalBy(alice))
	return []delegationCase{
		no("by-holder", "The holder approves what it asks for.", needing(approvalBy(ci)).approve(ci, ci).invoke(ci, usual())),
		no("by-root", "Alice, who minted, approves.", aliceBoth.approve(ci, alice).invoke(ci, usual())),
		no("by-earlier-holder", "agent:ci hands on, and approves what agent:runner does.",
			needing(approvalBy(ci)).handoff(ci, runner, "agent:runner").approve(runner, ci).invoke(runner, usual())),
		no("by-later-holder", "Bob approves, and then the token is handed to him.",
			needing(approvalBy(bob)).approve(ci, bob).handoff(ci, bob, "agent:bob").invoke(bob, usual())),
		no("by-holder-beside", "Bob approves as demanded, and the holder approves too.", needing(approvalBy(bob)).approve(ci, bob, ci).invoke(ci, usual())),
		no("by-anybody", "The approver's key is the published invocation key.", needing(approvalBy(bob)).approve(ci, bob, ending).invoke(ci, usual())),
		no("said-by-holder", "The holder says in a block of its own what only Bob may.", said.invoke(ci, usual())),
		p256,
	}
}

// forgedApproval has the other signature of the approver, with the holder's own
// signature right.
func forgedApproval(c *chain) string {
	payload := approval(c, usual().action).encode(new(table), true)
	previous := c.last().signature
	external := flipS(bobP256.sign(externalPayload(payload, previous, 1)))
	sig := ci.sign(blockPayload(payload, ci.publicKey, previous, external, 1))
	c.blocks = append(c.blocks, signedBlock{
		fields: message{
			bytesField(1, payload), bytesField(2, ci.proto().bytes()), bytesField(3, sig),
			bytesField(4, message{bytesField(1, external), bytesField(2, bobP256.proto().bytes())}.bytes()), uintField(5, 1),
		},
		payload: payload, next: ci.publicKey, signature: sig,
	})
	return c.invoke(ci, usual())
}

// approvalCaveats are checks that say trusting and are not quite approval caveats.
func approvalCaveats() []delegationCase {
	const trust = "block-level trusting plus a block signed by that key"
	no := func(name, description string, c node) delegationCase {
		d := noApproval("caveat-"+name, description, profile, trust, needing(c).approve(ci, bob).invoke(ci, usual()))
		d.Rule = "V7"
		return d
	}
	body := func(names ...string) []node {
		var body []node
		for _, n := range names {
			body = append(body, pred(n, variable("a")))
		}
		return body
	}
	trusting := scopesOf([]key{bob})
	asked := query{body: body("action", "approved"), scopes: trusting}
	return []delegationCase{
		no("check-all", "The approval caveat is a check all.", check(checkAll, asked)),
		no("reject-if", "The approval caveat is a reject if.", check(rejectIf, asked)),
		no("swapped", "approved stands before action.", check(checkIf, query{body: body("approved", "action"), scopes: trusting})),
		no("no-action", "The caveat asks for any approval.", check(checkIf, query{body: body("approved"), scopes: trusting})),
		no("other-variable", "The variable has another name.", check(checkIf, query{
			body: []node{pred("action", variable("x")), pred("approved", variable("x"))}, scopes: trusting})),
		no("two-variables", "The caveat asks for an approval of anything.", check(checkIf, query{
			body: []node{pred("action", variable("a")), pred("approved", variable("b"))}, scopes: trusting})),
		no("two-queries", "The caveat has a second query, by another key.", check(checkIf, asked,
			query{body: body("action", "approved"), scopes: scopesOf([]key{carol})})),
		no("expression", "The caveat holds an expression.", check(checkIf, query{body: body("action", "approved"), exprs: []expr{truth(true)}, scopes: trusting})),
		no("key-twice", "The caveat names one key twice.", check(checkIf, query{body: body("action", "approved"), scopes: scopesOf([]key{bob, bob})})),
		no("nine-keys", "The caveat names nine keys.", approvalBy(bob, carol, dave, ci, runner, tester, alice, stranger, edKey("erin"))),
		no("previous", "The caveat trusts the previous blocks too.", check(checkIf, query{
			body: body("action", "approved"), scopes: append(scopesOf([]key{bob}), scopeType(scopePrevious))})),
		no("anybody", "The caveat names the published invocation key.", approvalBy(bob, ending)),
		no("small-order-key", "The caveat names a key under which one signature fits each message.",
			approvalBy(bob, key{publicKey: identityKey()})),
	}
}

// craftedRoot returns the trust file of a P-256 root key made so that one signature
// fits both a narrow and a wide block 0, and a wide token with an approval that Bob
// gave the narrow one.
func craftedRoot() (trust, token string) {
	root, signature, narrow, wide := craft()
	c := craftedChain(root, signature, wide)
	b := approval(craftedChain(root, signature, narrow), usual().action)
	return trustLine(delegator, forWhittle, root.publicKey), c.approveAs(ci, bob, b).invoke(ci, usual())
}

// craftedRootOwn is the wide token with an approval of its own.
func craftedRootOwn() (trust, token string) {
	root, signature, _, wide := craft()
	return trustLine(delegator, forWhittle, root.publicKey), craftedChain(root, signature, wide).approve(ci, bob).invoke(ci, usual())
}

func craftedChain(root key, signature []byte, b block) *chain {
	return new(chain).add(b, link{signer: alice, next: ci.publicKey, forge: func([]byte, []byte) []byte { return signature }})
}

// craft makes the key and its signature: R = kG and -R share their x, and the secret
// is chosen so that s comes out the same for both messages.
func craft() (root key, signature []byte, narrow, wide block) {
	narrow, wide = grant(approvalBy(bob)), grant(approvalBy(bob))
	narrow.checks[grantResource] = resource(exactly("payments/certs/web"))
	digest := func(b block) *big.Int {
		sum := sha256.Sum256(blockPayload(b.encode(new(table), false), ci.publicKey, nil, nil, 1))
		return new(big.Int).SetBytes(sum[:])
	}
	h1, h2 := digest(narrow), digest(wide)
	curve := elliptic.P256()
	n := curve.Params().N
	k := new(big.Int).Mod(new(big.Int).SetBytes(sum([]byte("some k"))), n)
	//lint:ignore SA1019 the attack is about the group itself
	r, _ := curve.ScalarBaseMult(k.Bytes())
	r.Mod(r, n)
	d := new(big.Int).Add(h1, h2)
	d.Neg(d).Mul(d, new(big.Int).ModInverse(new(big.Int).Lsh(r, 1), n)).Mod(d, n)
	s := new(big.Int).Mul(r, d)
	s.Add(s, h1).Mul(s, new(big.Int).ModInverse(k, n)).Mod(s, n)
	if s.Cmp(new(big.Int).Rsh(n, 1)) > 0 {
		s.Sub(n, s)
	}
	signature, err := asn1.Marshal(ecdsaSignature{r, s})
	if err != nil {
		panic(fmt.Sprintf("DER signature: %v", err))
	}
	return p256KeyFromScalar(d.FillBytes(make([]byte, 32))), signature, narrow, wide
}
