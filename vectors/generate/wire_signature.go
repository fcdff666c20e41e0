package main

import "slices"

// refusedSignatures are well-formed tokens with a signature that must not
// verify, or in a form that this version of the format does not have.
func refusedSignatures() []wireCase {
	var all []wireCase
	no := func(name, sibling, description, code string, root key, token []byte) {
		all = append(all, refused(name, sibling, description, "V1", code, root, token))
	}
	// forged is two blocks, the second with another signature.
	forged := func(forge func(payload, sig []byte) []byte) []byte {
		return new(chain).add(rightBlock(), link{signer: edRoot, next: ed1.publicKey}).
			add(resourceBlock(), link{signer: ed1, next: ed2.publicKey, forge: forge}).wire(secretProof(ed2.secret))
	}
	proof := secretProof(ed2.secret)

	no("signature-bit", "two-blocks", "One bit of the signature of block 1 is flipped.", signature, edRoot,
		forged(func(_, sig []byte) []byte { sig[0] ^= 1; return sig }))
	no("signature-bit-authority", "one-block", "One bit of the signature of block 0 is flipped.", signature, edRoot,
		new(chain).add(rightBlock(), link{signer: edRoot, next: ed1.publicKey,
			forge: func(_, sig []byte) []byte { sig[63] ^= 1; return sig }}).wire(secretProof(ed1.secret)))
	no("signature-s-plus-l", "two-blocks", "S of the signature of block 1 is larger by the order of the group.", signature, edRoot,
		forged(func(_, sig []byte) []byte { return addOrder(sig) }))
	no("signature-small-order-r", "two-blocks", "R of the signature of block 1 is the neutral element; the equation holds.", signature, edRoot,
		forged(func(payload, _ []byte) []byte { return smallOrderR(ed1, payload) }))
	no("signature-zero", "two-blocks", "The signature of block 1 is 64 zero bytes.", signature, edRoot,
		forged(func(_, sig []byte) []byte { return make([]byte, len(sig)) }))
	no("signature-other-root", "two-blocks", "The token is signed by another root.", signature, edKey("another root"),
		twoBlocks().wire(proof))
	no("signature-other-holder", "two-blocks", "Block 1 is signed by a key that block 0 does not name.", signature, edRoot,
		new(chain).add(rightBlock(), link{signer: edRoot, next: ed1.publicKey}).
			add(resourceBlock(), link{signer: ed3, next: ed2.publicKey}).wire(proof))

	changed := twoBlocks()
	other := new(chain).add(block{facts: []node{pred("right", str("file2"), str("read"))}}, link{signer: edRoot, next: ed1.publicKey})
	changed.blocks[0].fields = changed.blocks[0].fields.replaced(signedPayload, bytesField(1, other.blocks[0].payload))
	no("payload-changed", "two-blocks", "Block 0 speaks of another file than the one that was signed.", signature, edRoot, changed.wire(proof))
	swapped := twoBlocks()
	swapped.blocks[1].fields = swapped.blocks[1].fields.replaced(signedNext, bytesField(2, ed3.proto().bytes()))
	no("next-key-changed", "two-blocks", "Block 1 names another nextKey than the one that was signed, and the proof fits it.", signature, edRoot,
		swapped.wire(secretProof(ed3.secret)))
	unversioned := twoBlocks()
	unversioned.blocks[1].fields = unversioned.blocks[1].fields.without(signedVersion)
	no("version-stripped", "two-blocks", "Block 1 was signed in the form of version 1 and states none, which is version 0.", signature, edRoot,
		unversioned.wire(proof))

	three := twoBlocks().add(block{facts: []node{pred("user", str("file1"))}}, link{signer: ed2, next: ed3.publicKey})
	reordered := three.clone()
	reordered.blocks[1], reordered.blocks[2] = reordered.blocks[2], reordered.blocks[1]
	no("blocks-reordered", "three-blocks", "Blocks 1 and 2 have changed places.", signature, edRoot, reordered.wire(secretProof(ed2.secret)))
	dropped := three.clone()
	dropped.blocks = append(dropped.blocks[:1], dropped.blocks[2])
	no("block-dropped", "three-blocks", "Block 1 is missing.", signature, edRoot, dropped.wire(secretProof(ed3.secret)))
	truncated := three.clone()
	truncated.blocks = truncated.blocks[:2]
	no("blocks-truncated", "three-blocks", "Block 2 is missing, and the proof is the one of the whole token.", signature, edRoot,
		truncated.wire(secretProof(ed3.secret)))

	sameKey := new(chain).add(rightBlock(), link{signer: edRoot, next: ed1.publicKey}).
		add(resourceBlock(), link{signer: ed1, next: ed1.publicKey}).
		add(block{facts: []node{pred("user", str("file1"))}}, link{signer: ed1, next: ed1.publicKey})
	skipped := sameKey.clone()
	skipped.blocks = append(skipped.blocks[:1], skipped.blocks[2])
	no("block-dropped-same-key", "repeated-key", "Block 1 is missing though the same key signed blocks 1 and 2: version 1 covers the signature before.",
		signature, edRoot, skipped.wire(secretProof(ed1.secret)))

	no("p256-der-trailing", "p256", "A zero byte follows the signature of block 1.", signature, p256Root,
		p256Forged(func(_, sig []byte) []byte { return append(sig, 0) }))
	no("p256-der-long-integer", "p256", "The R of the signature of block 1 has a needless zero byte.", signature, p256Root,
		p256Forged(func(_, sig []byte) []byte {
			r := sig[4 : 4+sig[3]]
			out := append([]byte{sig[0], sig[1] + 1, 2, sig[3] + 1, 0}, r...)
			return append(out, sig[4+sig[3]:]...)
		}))
	for _, c := range []struct {
		name, description string
		change            func(sig []byte) []byte
	}{
		{"long-length", "The length of the signature of block 1 is written in two bytes.", func(sig []byte) []byte {
			return append([]byte{sig[0], 0x81}, sig[1:]...)
		}},
		{"inner-trailing", "A zero byte follows R and S inside the signature of block 1.", func(sig []byte) []byte {
			sig[1]++
			return append(sig, 0)
		}},
		{"set", "The signature of block 1 is a SET instead of a SEQUENCE.", func(sig []byte) []byte { sig[0] = 0x31; return sig }},
		{"octets", "R of the signature of block 1 is an OCTET STRING.", func(sig []byte) []byte { sig[2] = 0x04; return sig }},
		{"third-integer", "A third integer follows R and S in the signature of block 1.", func(sig []byte) []byte {
			sig[1] += 3
			return append(sig, 2, 1, 1)
		}},
		{"short", "The signature of block 1 lacks its last byte.", func(sig []byte) []byte { return sig[:len(sig)-1] }},
	} {
		no("p256-der-"+c.name, "p256", c.description, signature, p256Root,
			p256Forged(func(_, sig []byte) []byte { return c.change(slices.Clone(sig)) }))
	}
	no("signature-63-bytes", "two-blocks", "The signature of block 1 lacks its last byte.", signature, edRoot,
		forged(func(_, sig []byte) []byte { return sig[:63] }))
	no("signature-65-bytes", "two-blocks", "A zero byte follows the signature of block 1.", signature, edRoot,
		forged(func(_, sig []byte) []byte { return append(slices.Clone(sig), 0) }))
	no("p256-raw", "p256", "The signature of block 1 is R and S without DER.", signature, p256Root,
		p256Forged(func(_, sig []byte) []byte {
			v := parseDER(sig)
			out := make([]byte, 64)
			v.R.FillBytes(out[:32])
			v.S.FillBytes(out[32:])
			return out
		}))

	no("signature-version-2", "two-blocks", "Block 1 states signature version 2.", unsupported, edRoot,
		new(chain).add(rightBlock(), link{signer: edRoot, next: ed1.publicKey}).
			add(resourceBlock(), link{signer: ed1, next: ed2.publicKey, edit: func(m message) message {
				return m.replaced(signedVersion, uintField(5, 2))
			}}).wire(proof))

	all = append(all, refusedExternal()...)
	return all
}

// p256Forged is p256Chain with another signature on block 1 only.
func p256Forged(forge func(payload, sig []byte) []byte) []byte {
	return new(chain).
		add(rightBlock(), link{signer: p256Root, next: p1.publicKey}).
		add(resourceBlock(), link{signer: p1, next: p2.publicKey, forge: forge}).wire(secretProof(p2.secret))
}

// refusedExternal break the signature of a third party or its place.
func refusedExternal() []wireCase {
	var all []wireCase
	no := func(name, description, code string, token []byte) {
		all = append(all, refused(name, "third-party", description, "V1", code, edRoot, token))
	}
	const external = 3
	group := block{facts: []node{pred("group", str("admin"))}}
	ask := func() *chain { return new(chain).add(askThird(edThird), link{signer: edRoot, next: ed1.publicKey}) }

	no("external-on-authority", "Block 0 has an external signature; the token is otherwise valid.", malformed,
		new(chain).add(rightBlock(), link{signer: edRoot, next: ed1.publicKey, edit: func(m message) message {
			sig := edThird.sign(m[signedPayload])
			return m.replaced(external, bytesField(4, message{
				bytesField(1, sig), bytesField(2, edThird.proto().bytes()),
			}.bytes()), m[external])
		}}).wire(secretProof(ed1.secret)))
	no("external-version-0", "The third-party block is signed in the form of version 0, which the format gave up for third parties.", unsupported,
		ask().add(group, link{signer: ed1, next: ed2.publicKey, external: &edThird, version0: true}).wire(secretProof(ed2.secret)))
	stripped := thirdPartyChain(edThird)
	stripped.blocks[1].fields = stripped.blocks[1].fields.without(external)
	no("external-stripped", "The external signature was taken away.", signature, stripped.wire(secretProof(ed2.secret)))

	// The holder signs over an external signature made for another token.
	other := new(chain).add(askThird(edThird), link{signer: edRoot, next: ed3.publicKey}).
		add(group, link{signer: ed3, next: ed2.publicKey, external: &edThird})
	moved := ask()
	payload := other.blocks[1].payload
	sig := edThird.sign(externalPayload(payload, other.blocks[0].signature, 1))
	prev := moved.blocks[0].signature
	moved.blocks = append(moved.blocks, signedBlock{fields: message{
		bytesField(1, payload),
		bytesField(2, ed2.proto().bytes()),
		bytesField(3, ed1.sign(blockPayload(payload, ed2.publicKey, prev, sig, 1))),
		bytesField(4, message{bytesField(1, sig), bytesField(2, edThird.proto().bytes())}.bytes()),
		uintField(5, 1),
	}})
	no("external-moved", "The external signature was made for another token; the holder's own signature is right.", signature,
		moved.wire(secretProof(ed2.secret)))
	return all
}

// refusedProofs have a good chain of blocks and a proof that does not fit it.
func refusedProofs() []wireCase {
	var all []wireCase
	no := func(name, sibling, description, code string, root key, token []byte) {
		all = append(all, refused(name, sibling, description, "V1", code, root, token))
	}
	good := twoBlocks()
	no("next-secret-short", "two-blocks", "nextSecret has 31 bytes.", malformed, edRoot, good.wire(secretProof(ed2.secret[:31])))
	no("next-secret-long", "two-blocks", "nextSecret has 33 bytes.", malformed, edRoot, good.wire(secretProof(append(ed2.secret[:32:32], 0))))
	no("next-secret-empty", "two-blocks", "nextSecret is present and has no bytes.", malformed, edRoot, good.wire(secretProof(nil)))
	no("next-secret-other", "two-blocks", "nextSecret belongs to another key.", signature, edRoot, good.wire(secretProof(edKey("another holder").secret)))
	no("next-secret-earlier", "two-blocks", "nextSecret belongs to the key that block 0 names.", signature, edRoot, good.wire(secretProof(ed1.secret)))
	no("next-secret-p256-zero", "p256", "nextSecret of a P-256 key is the number 0.", malformed, p256Root,
		p256Chain(nil).wire(secretProof(make([]byte, 32))))
	no("final-signature-bit", "sealed", "One bit of the final signature is flipped.", signature, edRoot,
		good.wire(flipped(good.sealProof(ed2))))
	no("final-signature-other-key", "sealed", "The final signature is by another key.", signature, edRoot, good.wire(good.sealProof(ed3)))
	shorter := new(chain).add(rightBlock(), link{signer: edRoot, next: ed1.publicKey})
	no("final-signature-other-token", "sealed-one-block", "The final signature was made for one more block.", signature, edRoot,
		shorter.wire(good.sealProof(ed1)))
	return all
}

// flipped changes the last bit of a final signature.
func flipped(proof message) message {
	proof[0][len(proof[0])-1] ^= 1
	return proof
}
