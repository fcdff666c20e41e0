package main

// acceptedForms are the containers, signatures and proofs that a plain Biscuit
// may have.
func acceptedForms() []wireCase {
	var all []wireCase
	ok := func(name, description string, root key, token []byte, source ...string) {
		all = append(all, accepted(name, description, "V1", root, token, source...))
	}

	ok("one-block", "One block, Ed25519, signature version 1, unsealed.", edRoot,
		oneBlock(rightBlock()), rightSource)
	ok("two-blocks", "A second block signed by the key that the first one names.", edRoot,
		twoBlocks().wire(secretProof(ed2.secret)), rightSource, resourceSource)
	three := twoBlocks().add(block{checks: []node{
		check(checkIf, query{body: []node{pred("operation", str("read"))}}),
	}}, link{signer: ed2, next: ed3.publicKey})
	ok("three-blocks", "Three blocks, each signed by the key that the one before names.", edRoot,
		three.wire(secretProof(ed3.secret)), rightSource, resourceSource, "check if operation(\"read\");\n")
	ok("repeated-key", "The second block keeps the nextKey of the first.", edRoot,
		new(chain).add(rightBlock(), link{signer: edRoot, next: ed1.publicKey}).
			add(resourceBlock(), link{signer: ed1, next: ed1.publicKey}).wire(secretProof(ed1.secret)),
		rightSource, resourceSource)

	zero, largest := uint32(0), uint32(1<<32-1)
	withID := twoBlocks()
	withID.rootKeyID = &zero
	ok("root-key-id-zero", "rootKeyId is present and 0.", edRoot,
		withID.wire(secretProof(ed2.secret)), rightSource, resourceSource)
	withID.rootKeyID = &largest
	ok("root-key-id-largest", "rootKeyId is present and 4294967295.", edRoot,
		withID.wire(secretProof(ed2.secret)), rightSource, resourceSource)

	sealed := twoBlocks()
	ok("sealed", "Two blocks and a final signature.", edRoot,
		sealed.wire(sealed.sealProof(ed2)), rightSource, resourceSource)
	sealedOne := new(chain).add(rightBlock(), link{signer: edRoot, next: ed1.publicKey})
	ok("sealed-one-block", "One block and a final signature.", edRoot,
		sealedOne.wire(sealedOne.sealProof(ed1)), rightSource)

	v0 := new(chain).
		add(rightBlock(), link{signer: edRoot, next: ed1.publicKey, version0: true}).
		add(resourceBlock(), link{signer: ed1, next: ed2.publicKey, version0: true})
	ok("version-0", "Both blocks are signed in the form of version 0.", edRoot,
		v0.wire(secretProof(ed2.secret)), rightSource, resourceSource)
	ok("version-0-sealed", "Version 0 signatures and a final signature.", edRoot,
		v0.wire(v0.sealProof(ed2)), rightSource, resourceSource)
	ok("version-0-then-1", "Block 0 is signed in the form of version 0, block 1 in that of version 1.", edRoot,
		new(chain).add(rightBlock(), link{signer: edRoot, next: ed1.publicKey, version0: true}).
			add(resourceBlock(), link{signer: ed1, next: ed2.publicKey}).wire(secretProof(ed2.secret)),
		rightSource, resourceSource)

	ok("p256", "Root and holders have P-256 keys.", p256Root,
		p256Chain(nil).wire(secretProof(p2.secret)), rightSource, resourceSource)
	p256Sealed := p256Chain(nil)
	ok("p256-sealed", "P-256 everywhere, and a P-256 final signature.", p256Root,
		p256Sealed.wire(p256Sealed.sealProof(p2)), rightSource, resourceSource)
	ok("p256-version-0", "P-256 keys under version 0 signatures.", p256Root,
		new(chain).add(rightBlock(), link{signer: p256Root, next: p1.publicKey, version0: true}).
			add(resourceBlock(), link{signer: p1, next: p2.publicKey, version0: true}).wire(secretProof(p2.secret)),
		rightSource, resourceSource)
	ok("p256-then-ed25519", "A P-256 root, an Ed25519 holder, then a P-256 holder.", p256Root,
		new(chain).add(rightBlock(), link{signer: p256Root, next: ed1.publicKey}).
			add(resourceBlock(), link{signer: ed1, next: p1.publicKey}).wire(secretProof(p1.secret)),
		rightSource, resourceSource)
	ok("p256-high-s", "Both signatures have S above half the order of the curve: plain Biscuit takes them.", p256Root,
		p256Chain(func(_, sig []byte) []byte { return flipS(sig) }).wire(secretProof(p2.secret)),
		rightSource, resourceSource)

	ok("third-party", "Block 1 is also signed by a third party that block 0 trusts.", edRoot,
		thirdPartyChain(edThird).wire(secretProof(ed2.secret)),
		"right(\"file1\", \"read\");\ncheck if group(\"admin\") trusting "+edThird.text()+";\n", "group(\"admin\");\n")
	ok("third-party-p256", "The third party has a P-256 key.", edRoot,
		thirdPartyChain(p256Third).wire(secretProof(ed2.secret)),
		"right(\"file1\", \"read\");\ncheck if group(\"admin\") trusting "+p256Third.text()+";\n", "group(\"admin\");\n")
	sealedThird := thirdPartyChain(edThird)
	ok("third-party-sealed", "A third-party block is the last of a sealed token.", edRoot,
		sealedThird.wire(sealedThird.sealProof(ed2)),
		"right(\"file1\", \"read\");\ncheck if group(\"admin\") trusting "+edThird.text()+";\n", "group(\"admin\");\n")
	return all
}

// p256Chain is twoBlocks with P-256 keys.
func p256Chain(forge func(payload, sig []byte) []byte) *chain {
	return new(chain).
		add(rightBlock(), link{signer: p256Root, next: p1.publicKey, forge: forge}).
		add(resourceBlock(), link{signer: p1, next: p2.publicKey, forge: forge})
}

// thirdPartyChain asks for a fact by a third party, which block 1 states.
func thirdPartyChain(third key) *chain {
	return new(chain).
		add(askThird(third), link{signer: edRoot, next: ed1.publicKey}).
		add(block{facts: []node{pred("group", str("admin"))}}, link{signer: ed1, next: ed2.publicKey, external: &third})
}

func askThird(third key) block {
	b := rightBlock()
	b.checks = []node{check(checkIf, query{
		body:   []node{pred("group", str("admin"))},
		scopes: []node{scopeKey(third.publicKey)},
	})}
	return b
}
