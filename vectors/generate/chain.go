package main

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// A signedBlock is one link of a chain. Its fields are those of the SignedBlock
// message, in order: block, nextKey, signature, external signature if any, and
// version unless it is 0.
type signedBlock struct {
	fields    message
	payload   []byte
	next      publicKey
	signature []byte
}

// A chain is the blocks of a token and its shared tables.
type chain struct {
	rootKeyID *uint32
	blocks    []signedBlock
	table     table
}

// A link says how a block is signed.
type link struct {
	signer   key
	next     publicKey
	external *key // a third party that signs the block as well
	version0 bool // sign in the deprecated form

	// forge replaces the signature; it gets the signed payload and the proper
	// signature.
	forge func(payload, sig []byte) []byte

	// edit changes the SignedBlock message after signing.
	edit func(message) message
}

// add encodes, signs and appends a block. It changes c and returns it.
func (c *chain) add(b block, l link) *chain {
	t := &c.table
	if l.external != nil {
		t = new(table)
	}
	return c.addPayload(b.encode(t, l.external != nil), l)
}

// addPayload signs and appends an encoded block.
func (c *chain) addPayload(payload []byte, l link) *chain {
	var prev []byte
	if n := len(c.blocks); n > 0 {
		prev = c.blocks[n-1].signature
	}
	version := uint32(1)
	if l.version0 {
		version = 0
	}
	var external []byte
	if l.external != nil {
		external = l.external.sign(externalPayload(payload, prev, version))
	}
	signed := blockPayload(payload, l.next, prev, external, version)
	sig := l.signer.sign(signed)
	if l.forge != nil {
		sig = l.forge(signed, sig)
	}
	fields := message{
		bytesField(1, payload),
		bytesField(2, l.next.proto().bytes()),
		bytesField(3, sig),
	}
	if external != nil {
		fields = fields.with(bytesField(4, message{
			bytesField(1, external),
			bytesField(2, l.external.proto().bytes()),
		}.bytes()))
	}
	if version > 0 {
		fields = fields.with(uintField(5, uint64(version)))
	}
	if l.edit != nil {
		fields = l.edit(fields)
	}
	c.blocks = append(c.blocks, signedBlock{fields, payload, l.next, sig})
	return c
}

// blockPayload is what a block's signature covers (specification, section
// "Signed payload generation"; for version 0 in the order that the reference
// implementation uses: algorithm before key). Block 0 has no previous signature.
func blockPayload(payload []byte, next publicKey, prev, external []byte, version uint32) []byte {
	if version == 0 {
		return slices.Concat(payload, external, next.algorithm(), next.bytes)
	}
	out := slices.Concat(
		[]byte("\x00BLOCK\x00\x00VERSION\x00"), binary.LittleEndian.AppendUint32(nil, version),
		[]byte("\x00PAYLOAD\x00"), payload,
		[]byte("\x00ALGORITHM\x00"), next.algorithm(),
		[]byte("\x00NEXTKEY\x00"), next.bytes)
	if prev != nil {
		out = slices.Concat(out, []byte("\x00PREVSIG\x00"), prev)
	}
	if external != nil {
		out = slices.Concat(out, []byte("\x00EXTERNALSIG\x00"), external)
	}
	return out
}

// externalPayload is what a third party signs.
func externalPayload(payload, prev []byte, version uint32) []byte {
	return slices.Concat(
		[]byte("\x00EXTERNAL\x00\x00VERSION\x00"), binary.LittleEndian.AppendUint32(nil, version),
		[]byte("\x00PAYLOAD\x00"), payload,
		[]byte("\x00PREVSIG\x00"), prev)
}

func (c *chain) last() *signedBlock { return &c.blocks[len(c.blocks)-1] }

// clone copies the chain so that two tokens can grow from one stem.
func (c *chain) clone() *chain {
	return &chain{
		rootKeyID: c.rootKeyID,
		blocks:    slices.Clone(c.blocks),
		table:     table{slices.Clone(c.table.symbols), slices.Clone(c.table.keys), 0},
	}
}

// The proofs of a token, as Proof messages. A held token has an empty one.
func heldProof() message                { return message{} }
func secretProof(secret []byte) message { return message{bytesField(1, secret)} }

// sealProof signs the last block and its signature with the last key.
func (c *chain) sealProof(k key) message {
	l := c.last()
	return message{bytesField(2, k.sign(slices.Concat(l.payload, l.next.algorithm(), l.next.bytes, l.signature)))}
}

// container is the Biscuit message: rootKeyId if any, blocks, proof.
func (c *chain) container(proof message) message {
	var m message
	if c.rootKeyID != nil {
		m = append(m, uintField(1, uint64(*c.rootKeyID)))
	}
	for i, b := range c.blocks {
		num := 3
		if i == 0 {
			num = 2
		}
		m = append(m, encodeAll(nil, num, []node{raw(b.fields.bytes())})...)
	}
	return m.with(bytesField(4, proof.bytes()))
}

// wire is the token's bytes.
func (c *chain) wire(proof message) []byte { return c.container(proof).bytes() }

// prefixHash binds what is signed later to the blocks so far.
func (c *chain) prefixHash() []byte {
	var blocks [][]byte
	for _, b := range c.blocks {
		blocks = append(blocks, b.fields.bytes())
	}
	return prefixHash(blocks)
}

func prefixHash(blocks [][]byte) []byte {
	h := sha256.New()
	h.Write([]byte("whittle/1 prefix\x00"))
	for _, b := range blocks {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(b))))
		h.Write(b)
	}
	return h.Sum(nil)
}
