package main

import "encoding/base64"

// deniedRoots are signed by nobody whom the trust file lets speak for alice.
func deniedRoots() []delegationCase {
	token := mint(grant()).invoke(ci, usual())
	no := func(name, sibling, description, trust string) delegationCase {
		return denied("trust-"+name, "trust-"+sibling, description, "V2", untrustedRoot, token, trusting(trust), attack("trust file too wide"))
	}
	entry := func(principals, options string) string { return trustLine(principals, options, alice.publicKey) }
	byStranger := new(chain).add(grant(), link{signer: stranger, next: ci.publicKey})
	named := func(name string) string {
		b := grant()
		b.facts[0] = pred("delegator", str(name))
		return mint(b).invoke(ci, usual())
	}
	malformedName := func(what, description, name string) delegationCase {
		return denied("delegator-"+what, "trust-domain", description, "V2", profile, named(name),
			trusting(trustLine("*@example.com", forWhittle, alice.publicKey)), attack("wildcards, case variants"))
	}

	return []delegationCase{
		denied("trust-unknown-root", "direct", "The root key is not in the trust file.", "V2", untrustedRoot, byStranger.invoke(ci, usual())),
		no("no-namespace", "several-entries", "The entry does not say what for.", entry(delegator, "")),
		no("git-namespace", "several-namespaces", "The entry is for signing in git only.", entry(delegator, `namespaces="git"`)),
		no("namespace-prefix", "several-namespaces", "The entry is for a namespace that begins like ours.", entry(delegator, `namespaces="whittle2"`)),
		no("other-principal", "several-principals", "The root key is that of another person.", entry("bob@example.com", forWhittle)),
		no("principal-case", "several-principals", "The entry spells the person in capitals.", entry("ALICE@example.com", forWhittle)),
		no("other-domain", "domain", "The entry is for another domain.", entry("*@example.org", forWhittle)),
		no("parent-domain", "domain", "The entry is for a domain of which the person's is the end.", entry("*@ple.com", forWhittle)),
		no("expired", "valid-now", "The entry ended yesterday.", entry(delegator, forWhittle+`,valid-before="20260228000000Z"`)),
		no("not-yet", "valid-now", "The entry begins tomorrow.", entry(delegator, forWhittle+`,valid-after="20260302000000Z"`)),
		no("ninth-candidate", "ninth-candidate-hinted", "Nine keys may speak for Alice; the ninth signed, and the token gives no hint.", candidates(8)+aliceTrust()),
		denied("trust-subdomain", "trust-domain", "The person belongs to a domain below that of the entry.", "V2", untrustedRoot,
			named("alice@eu.example.com"), trusting(entry("*@example.com", forWhittle))),
		malformedName("space", "The delegator's name has a space.", "ali ce@example.com"),
		malformedName("comma", "The delegator's name has a comma.", "bob,alice@example.com"),
		malformedName("wildcard", "The delegator's name is a pattern.", "*@example.com"),
		malformedName("control", "The delegator's name has a control character.", "alice\u0007@example.com"),
		malformedName("not-nfc", "The delegator's name is spelled with a combining mark.", "zoe\u0308@example.com"),
	}
}

// deniedForms are whole and rightly signed, but not in the presented form, or
// they use what a plain Biscuit may and ours may not.
func deniedForms() []delegationCase {
	direct := mint(grant())
	heldText := direct.held()
	sealed := mint(grant())
	revealed := mint(grant()).handoff(ci, runner, "agent:runner")
	invokedSealed := mint(grant())
	invokedSealed.add(usual().block(invokedSealed), link{signer: ci, next: ending.publicKey})
	const blamed = "bearer use blamed on an agent"
	highS := func(_, sig []byte) []byte { return flipS(sig) }
	p256Trust := trusting(trustLine(delegator, forWhittle, aliceP256.publicKey))
	authority0 := new(chain).add(grant(), link{signer: alice, next: ci.publicKey, version0: true})
	hop0 := mint(grant()).add(handed("agent:runner"), link{signer: ci, next: runner.publicKey, version0: true})
	last0 := mint(grant())
	last0.add(usual().block(last0), link{signer: ci, next: ending.publicKey, version0: true})
	highHop := new(chain).add(grant(), link{signer: alice, next: ciP256.publicKey}).
		add(handed("agent:runner"), link{signer: ciP256, next: runner.publicKey, forge: highS})
	const versions = "version 0 blocks"
	const spellings = "many spellings of one token"

	return []delegationCase{
		denied("held", "direct", "The held form is presented: nobody invoked it.", "V4", notPresented, heldText),
		denied("held-without-prefix", "direct", "The held form is presented without its prefix.", "V4", notPresented, direct.text(heldProof())),
		denied("held-where-bearer-is-allowed", "bearer-sealed", "The held form is presented where bearer tokens are allowed.", "V4", notPresented, heldText, withBearer),
		denied("held-after-handoff", "one-handoff", "The held form of a token that was handed on.", "V4", notPresented, revealed.held()),
		denied("sealed", "bearer-sealed", "A sealed token.", "V4", notPresented, sealed.text(sealed.sealProof(ci)), attack(blamed)),
		denied("bearer", "bearer-fresh-key", "A bearer token.", "V4", notPresented, bearer().text(secretProof(tester.secret)), attack(blamed)),
		denied("holder-secret-revealed", "one-handoff", "The proof is the holder's own secret.", "V4", notPresented, revealed.text(secretProof(runner.secret)), attack(blamed)),
		denied("invocation-sealed", "direct", "The invocation key sealed the token instead of being published.", "V4", profile,
			invokedSealed.text(invokedSealed.sealProof(ending)), attack(blamed)),

		denied("version-0-authority", "direct", "Block 0 is signed in the form of version 0.", "V1", profile, authority0.invoke(ci, usual()), attack(versions)),
		denied("version-0-hop", "one-handoff", "A hop is signed in the form of version 0.", "V1", profile, hop0.invoke(runner, usual()), attack(versions)),
		denied("version-0-invocation", "direct", "The invocation is signed in the form of version 0.", "V1", profile, last0.presented(), attack(versions)),
		denied("high-s-authority", "p256-root", "The P-256 signature of block 0 is high-S.", "V1", profile,
			new(chain).add(grant(), link{signer: aliceP256, next: ci.publicKey, forge: highS}).invoke(ci, usual()), p256Trust, attack(spellings)),
		denied("high-s-hop", "p256-agent", "The P-256 signature of a hop is high-S.", "V1", profile, highHop.invoke(runner, usual()), attack(spellings)),

		denied("text-trailing-bits", "direct", "The last character of the text has bits that stand for nothing.", "V1", malformed, trailingBits(), attack(spellings)),
		denied("text-standard-alphabet", "direct", "The text is base64 with the alphabet of plus and slash.", "V1", malformed, standardAlphabet(), attack(spellings)),
		denied("text-held-prefix", "direct", "A presented token's text begins with whittle:, as a held one's does.", "V1", malformed,
			"whittle:"+mint(grant()).invoke(ci, usual()), attack(spellings)),
		denied("text-space", "direct", "A space precedes the text.", "V1", malformed, " "+mint(grant()).invoke(ci, usual()), attack(spellings)),
		denied("text-newline", "direct", "A newline follows the text.", "V1", malformed, mint(grant()).invoke(ci, usual())+"\n", attack(spellings)),
		denied("text-empty", "direct", "The text is empty.", "V1", malformed, ""),
	}
}

// trailingBits sets a bit of the last character that belongs to no byte. The
// nonce is varied until the token has such bits.
func trailingBits() string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	in := usual()
	for len(mint(grant()).invoke(ci, in))%4 == 0 {
		in.nonce = append(in.nonce, 0)
	}
	text := mint(grant()).invoke(ci, in)
	last := text[len(text)-1]
	for i := range len(alphabet) {
		if alphabet[i] == last {
			return text[:len(text)-1] + string(alphabet[i|1])
		}
	}
	panic("text is no base64url")
}

// standardAlphabet is a token whose text differs between the alphabets. Nonces
// are tried until it does.
func standardAlphabet() string {
	in := usual()
	for {
		c := mint(grant())
		c.add(in.block(c), link{signer: ci, next: ending.publicKey})
		b := c.wire(secretProof(ending.secret))
		text := base64.RawStdEncoding.EncodeToString(b)
		if text != base64.RawURLEncoding.EncodeToString(b) {
			return text
		}
		in.nonce = sum(in.nonce)[:16]
	}
}
