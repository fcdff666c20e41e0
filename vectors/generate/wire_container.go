package main

import "google.golang.org/protobuf/encoding/protowire"

// Positions of fields in the messages that the chains here build.
const (
	biscuitAuthority = 0
	biscuitBlock     = 1
	biscuitProof     = 2

	signedPayload   = 0
	signedNext      = 1
	signedSignature = 2
	signedVersion   = 3
)

// refusedContainers break the encoding of the two outer messages, which no
// signature covers: all signatures here are good.
func refusedContainers() []wireCase {
	var all []wireCase
	no := func(name, description string, token []byte) {
		all = append(all, refused(name, "two-blocks", description, "V1", malformed, edRoot, token))
	}
	good := twoBlocks()
	proof := secretProof(ed2.secret)
	whole := good.container(proof)
	block1 := good.blocks[1].fields

	// inBlock1 is the token with another message in place of block 1.
	inBlock1 := func(fields message) []byte {
		return whole.replaced(biscuitBlock, bytesField(3, fields.bytes())).bytes()
	}

	no("varint-length", "The length of block 1 is a varint with a needless byte.",
		whole.replaced(biscuitBlock, longBytesField(3, block1.bytes())).bytes())
	no("varint-version", "The signature version of block 1 is a varint with a needless byte.",
		inBlock1(block1.replaced(signedVersion, longUintField(5, 1))))
	no("varint-tag", "The tag of the proof is a varint with a needless byte.",
		append(whole.without(biscuitProof).bytes(), append([]byte{4<<3 | 2 | 0x80, 0}, whole[biscuitProof][1:]...)...))
	no("varint-ten-bytes", "The signature version of block 1 is a varint above 64 bits.",
		inBlock1(block1.replaced(signedVersion, field{5 << 3, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02})))
	no("version-above-32-bits", "The signature version of block 1 is 2^32 + 1, which is 1 in 32 bits.",
		inBlock1(block1.replaced(signedVersion, uintField(5, 1<<32+1))))
	no("descending-outer", "The proof stands before block 1.", whole.swapped(biscuitBlock, biscuitProof).bytes())
	no("descending-signed-block", "The signature of block 1 stands before its nextKey.",
		inBlock1(block1.swapped(signedNext, signedSignature)))
	no("descending-public-key", "In the nextKey of block 1 the key stands before the algorithm.",
		inBlock1(block1.replaced(signedNext, bytesField(2, ed2.proto().swapped(0, 1).bytes()))))
	no("repeated-authority", "Block 0 stands twice.", whole.replaced(biscuitAuthority, whole[biscuitAuthority], whole[biscuitAuthority]).bytes())
	no("repeated-proof", "The proof stands twice.", whole.with(whole[biscuitProof]).bytes())
	no("repeated-signature", "Block 1 has its signature twice.",
		inBlock1(block1.replaced(signedSignature, block1[signedSignature], block1[signedSignature])))
	no("repeated-version", "Block 1 states its signature version twice.",
		inBlock1(block1.with(block1[signedVersion])))
	no("repeated-algorithm", "The nextKey of block 1 states its algorithm twice.",
		inBlock1(block1.replaced(signedNext, bytesField(2, ed2.proto().replaced(0, uintField(1, 0), uintField(1, 0)).bytes()))))
	no("unknown-outer", "The Biscuit message has a field 5.", whole.with(uintField(5, 1)).bytes())
	no("unknown-signed-block", "Block 1 has a field 6 beside its payload.", inBlock1(block1.with(uintField(6, 1))))
	no("unknown-public-key", "The nextKey of block 1 has a field 3.",
		inBlock1(block1.replaced(signedNext, bytesField(2, ed2.proto().with(uintField(3, 0)).bytes()))))
	no("unknown-proof", "The proof has a field 3 beside nextSecret.",
		good.wire(proof.with(uintField(3, 0))))
	no("wire-type", "The signature version of block 1 is a fixed32 instead of a varint.",
		inBlock1(block1.replaced(signedVersion, protowire.AppendFixed32(protowire.AppendTag(nil, 5, protowire.Fixed32Type), 1))))
	no("group", "A group that is empty stands at the end.", whole.with(field{6<<3 | 3, 6<<3 | 4}).bytes())
	no("field-number-zero", "A field numbered 0 stands at the end.", whole.with(field{0, 0}).bytes())
	no("truncated", "The last byte is missing.", good.wire(proof)[:len(good.wire(proof))-1])
	no("trailing-byte", "One zero byte follows the token.", append(good.wire(proof), 0))
	no("empty", "There are no bytes at all.", nil)
	no("absent-authority", "Block 0 is missing.", whole.without(biscuitAuthority).bytes())
	no("absent-payload", "Block 1 has no payload field.", inBlock1(block1.without(signedPayload)))
	no("absent-next-key", "Block 1 has no nextKey.", inBlock1(block1.without(signedNext)))
	no("absent-signature", "Block 1 has no signature field.", inBlock1(block1.without(signedSignature)))
	no("absent-algorithm", "The nextKey of block 1 does not state its algorithm.",
		inBlock1(block1.replaced(signedNext, bytesField(2, ed2.proto().without(0).bytes()))))
	no("absent-proof", "There is no proof field.", whole.without(biscuitProof).bytes())
	no("both-proofs", "The proof has both members, and both are right.",
		good.wire(proof.with(good.sealProof(ed2)...)))
	return all
}

// refusedKeys carry a key that is none, or of an unknown kind.
func refusedKeys() []wireCase {
	var all []wireCase
	no := func(name, sibling, description, code string, root key, token []byte) {
		all = append(all, refused(name, sibling, description, "V1", code, root, token))
	}
	// withNext is two blocks of which the first names the given key. forged is
	// the signature of the second.
	withNext := func(root key, next publicKey, forged []byte) []byte {
		return new(chain).add(rightBlock(), link{signer: root, next: next}).
			add(resourceBlock(), link{signer: ed1, next: ed2.publicKey, forge: func(_, sig []byte) []byte {
				if forged != nil {
					return forged
				}
				return sig
			}}).wire(secretProof(ed2.secret))
	}

	no("key-unknown-algorithm", "two-blocks", "The nextKey of block 0 has algorithm 2.", unsupported, edRoot,
		withNext(edRoot, publicKey{2, ed1.bytes}, nil))
	no("key-mldsa44", "two-blocks", "The nextKey of block 0 is an ML-DSA key, which can be a root and nothing else.", unsupported, edRoot,
		new(chain).add(rightBlock(), link{signer: edRoot, next: mldsaHop.publicKey}).
			add(resourceBlock(), link{signer: mldsaHop, next: ed2.publicKey}).wire(secretProof(ed2.secret)))
	no("key-short", "two-blocks", "The nextKey of block 0 has 31 bytes.", malformed, edRoot,
		withNext(edRoot, publicKey{algEd25519, ed1.bytes[:31]}, nil))
	no("key-long", "two-blocks", "The nextKey of block 0 has 33 bytes.", malformed, edRoot,
		withNext(edRoot, publicKey{algEd25519, append(ed1.bytes[:32:32], 0)}, nil))
	no("key-empty", "two-blocks", "The nextKey of block 0 has no bytes.", malformed, edRoot,
		withNext(edRoot, publicKey{algEd25519, nil}, nil))
	no("key-identity", "two-blocks",
		"The nextKey of block 0 is the neutral element, and block 1 has the signature that fits each message under it.",
		malformed, edRoot, withNext(edRoot, identityKey(), universalSignature()))
	no("key-identity-not-canonical", "two-blocks",
		"The nextKey of block 0 is the neutral element, spelled with y = p + 1.",
		malformed, edRoot, withNext(edRoot, longIdentityKey(), universalSignature()))
	no("key-not-canonical", "one-block", "The nextKey of the only block is spelled with y = p + 3.", malformed, edRoot,
		new(chain).add(rightBlock(), link{signer: edRoot, next: longKey()}).wire(secretProof(ed1.secret)))
	uncompressed := new(chain).
		add(rightBlock(), link{signer: p256Root, next: publicKey{algP256, p1.uncompressed()}}).
		add(resourceBlock(), link{signer: p1, next: p2.publicKey})
	no("p256-uncompressed", "p256", "The nextKey of block 0 is an uncompressed point; block 1 is signed by it.", malformed, p256Root,
		uncompressed.wire(secretProof(p2.secret)))
	respelled := p256Chain(nil)
	respelled.blocks[0].fields = respelled.blocks[0].fields.replaced(signedNext,
		bytesField(2, publicKey{algP256, p1.uncompressed()}.proto().bytes()))
	no("p256-uncompressed-after-signing", "p256", "The nextKey of block 0 was signed as a compressed point and is spelled uncompressed.", malformed, p256Root,
		respelled.wire(secretProof(p2.secret)))
	no("p256-prefix", "p256", "The nextKey of the last block begins with 05.", malformed, p256Root,
		new(chain).add(rightBlock(), link{signer: p256Root, next: publicKey{algP256, append([]byte{5}, p1.bytes[1:]...)}}).
			wire(secretProof(p1.secret)))
	no("p256-off-curve", "p256", "The nextKey of the last block has an x that is on no point.", malformed, p256Root,
		new(chain).add(rightBlock(), link{signer: p256Root, next: offCurveP256()}).wire(secretProof(p1.secret)))
	no("p256-as-ed25519", "p256", "The nextKey of block 0 is a P-256 key called Ed25519.", malformed, p256Root,
		withNext(p256Root, publicKey{algEd25519, p1.bytes}, nil))
	return all
}
