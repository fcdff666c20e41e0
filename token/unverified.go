package token

import (
	"bytes"
	"errors"
	"slices"
	"strconv"

	"github.com/whittle-auth/whittle/token/internal/wire"
)

// Limits bounds what is read. Zero fields, and a nil *Limits, mean the
// defaults.
type Limits struct {
	Bytes   int // of the whole token; 64 KiB, 1 MiB for a snapshot
	Blocks  int // block 0 included; 32
	Symbols int // in one table; 1024, 8192 for a snapshot
	Keys    int // in one table; 256
	Terms   int // elements of one block; 8192, 65536 for all of a snapshot
	Text    int // bytes of one block's text, symbols written out; 256 KiB, 4 MiB for all of a snapshot
	Depth   int // of nesting; 64 at most
	Nodes   int // of one expression; 8192 at most
}

func (l *Limits) wire() *wire.Limits { return (*wire.Limits)(l) }

// defaultBytes bounds a token where the limits do not say.
const defaultBytes = 64 << 10

func maxBytes(l *Limits) int {
	if l == nil || l.Bytes <= 0 {
		return defaultBytes
	}
	return l.Bytes
}

// Unverified is a token whose container was decoded and of which nothing has
// been verified: anyone can have written it. Verify it to get on.
type Unverified struct {
	container *wire.Container
	limits    *Limits
	next      []PublicKey // of each block
	external  []PublicKey // of each block, the zero key where there is none
	keys      *KeyMemory  // nil: nothing is known of the keys beforehand
	pool      *Pool       // nil: nobody helps
	prefixes  [][32]byte  // the prefix hash of 0, 1, .. blocks; nil until asked for
}

// Remember makes verification faster for keys that the memory knows, and lets it
// learn from this token. What verifies stays the same.
func (u *Unverified) Remember(keys *KeyMemory) { u.keys = keys }

// Parse decodes a token's container. It copies nothing: data must not change
// afterwards. Errors are of type [*Error], with the code malformed or
// unsupported.
func Parse(data []byte, limits *Limits) (*Unverified, error) {
	c, err := wire.DecodeContainer(data, limits.wire())
	if err != nil {
		return nil, wireError(err, -1)
	}
	keys := make([]PublicKey, 2*len(c.Blocks))
	u := &Unverified{container: c, limits: limits, next: keys[:len(c.Blocks)], external: keys[len(c.Blocks):]}
	for i := range c.Blocks {
		b := &c.Blocks[i]
		if u.next[i], err = publicKeyFromWire(b.NextKey); err != nil {
			return nil, &Error{Code: CodeMalformed, Block: i, Msg: "next key", Err: err}
		}
		if b.External == nil {
			continue
		}
		if u.external[i], err = publicKeyFromWire(b.External.Key); err != nil {
			return nil, &Error{Code: CodeMalformed, Block: i, Msg: "external key", Err: err}
		}
	}
	return u, nil
}

// Form says who could use the token if it were genuine.
func (u *Unverified) Form() Form { return formOf(u.container) }

// Text returns the token's text form.
func (u *Unverified) Text() string { return textOf(u.container) }

// RootKeyID returns the hint at the root key.
func (u *Unverified) RootKeyID() (id uint32, ok bool) {
	return u.container.RootKeyID, u.container.HasRootKeyID
}

// Len returns the number of blocks.
func (u *Unverified) Len() int { return len(u.container.Blocks) }

// BlockSize returns how many bytes a block takes on the wire, its key and signatures
// included. It panics unless 0 <= block < Len().
func (u *Unverified) BlockSize(block int) int { return len(u.container.Blocks[block].Message) }

// UnverifiedSignature returns the signature that a block comes with, of which nobody
// knows whose it is. It must not be changed.
func (u *Unverified) UnverifiedSignature(block int) []byte {
	return slices.Clip(u.container.Blocks[block].Signature)
}

// PrefixHash is [Chain].PrefixHash for blocks that nobody may have signed. Once asked
// for, all of them are known, also to the token that u turns out to be.
func (u *Unverified) PrefixHash(blocks int) [32]byte {
	if u.prefixes == nil {
		u.prefixes = prefixHashes(u.container.Blocks)
	}
	return u.prefixes[blocks]
}

// UnverifiedBlocks decodes the blocks for display. Nothing in them is known to
// be true.
func (u *Unverified) UnverifiedBlocks() ([]Block, error) {
	var c chain
	err := u.decode(&chain{}, &c)
	return c.blocks, err
}

// Verify checks every signature and the proof, starting from the root key, and
// then decodes the blocks (specification, "Verifying"). Errors are of type
// [*Error].
func (u *Unverified) Verify(root PublicKey) (*Token, error) {
	s := u.share(1)
	defer s.end()
	if err := u.signedBy(root); err != nil {
		return nil, &Error{Code: CodeSignature, Block: 0, Msg: "not signed by the root key", Err: err}
	}
	return u.verifyFrom(root, s)
}

// VerifyAny is [Unverified.Verify] with the first of several root keys that
// signed block 0. If none did, the error has the code untrusted_root.
func (u *Unverified) VerifyAny(roots []PublicKey) (*Token, error) {
	s := u.share(1)
	defer s.end()
	for _, root := range roots {
		if u.signedBy(root) == nil {
			return u.verifyFrom(root, s)
		}
	}
	return nil, Errorf(CodeUntrustedRoot, 0, "signed by none of the trusted root keys")
}

// signedBy checks the signature of block 0.
func (u *Unverified) signedBy(root PublicKey) error {
	b := &u.container.Blocks[0]
	return u.keys.Verify(root, blockPayload(make([]byte, 0, 1024), b, nil), b.Signature)
}

// verifyFrom verifies the rest of a chain whose block 0 the root signed.
func (u *Unverified) verifyFrom(root PublicKey, s *shared) (*Token, error) {
	c, err := u.verifyRest(1, &chain{}, s)
	if err != nil {
		return nil, err
	}
	return &Token{*c, root}, nil
}

// VerifyAfter is [Unverified.Verify] for a token of which the first blocks are
// known: those of a token that has been verified, byte for byte. Only what follows
// them, and the proof, is checked and decoded, under the limits that known was read
// with. It fails where the token does not begin with all of known's blocks.
func (u *Unverified) VerifyAfter(known *Token) (*Token, error) {
	if !u.Continues(known) {
		return nil, Errorf(CodeSignature, -1, "the token does not begin with the blocks that are known")
	}
	s := u.share(len(known.blocks))
	defer s.end()
	c, err := u.verifyRest(len(known.blocks), &known.chain, s)
	if err != nil {
		return nil, err
	}
	return &Token{*c, known.root}, nil
}

// Continues reports whether the token begins with all the blocks of one that is known,
// byte for byte.
func (u *Unverified) Continues(known *Token) bool {
	blocks := known.container.Blocks
	if len(u.container.Blocks) < len(blocks) {
		return false
	}
	for i := range blocks {
		if !bytes.Equal(blocks[i].Message, u.container.Blocks[i].Message) {
			return false
		}
	}
	return true
}

// VerifyUnrooted checks every signature and the proof but the signature of
// block 0, for holders that do not know the root key.
func (u *Unverified) VerifyUnrooted() (*Unrooted, error) {
	s := u.share(1)
	defer s.end()
	c, err := u.verifyRest(1, &chain{}, s)
	if err != nil {
		return nil, err
	}
	return &Unrooted{*c}, nil
}

// verifyRest verifies the signatures from one block on, which is not block 0, and
// decodes the blocks that are not known. The bodies come last: what nobody signed
// is not worth reading. s has those who help, or is nil.
func (u *Unverified) verifyRest(from int, known *chain, s *shared) (*chain, error) {
	buf := make([]byte, 0, 1024)
	var err error
	if s != nil {
		err = s.finish(buf)
	} else {
		err = u.checkFrom(from, buf)
	}
	if err != nil {
		return nil, err
	}
	c := &chain{container: u.container, prefixes: u.prefixes}
	if c.prefixes == nil {
		c.prefixes = known.prefixes
	}
	if err := u.decode(known, c); err != nil {
		return nil, err
	}
	return c, nil
}

// checkFrom checks the blocks from one on, and the proof, in order.
func (u *Unverified) checkFrom(from int, buf []byte) (err error) {
	for i := from; i < len(u.container.Blocks); i++ {
		if buf, err = u.checkBlock(i, buf); err != nil {
			return err
		}
	}
	return u.verifyProof(buf)
}

// checkBlock checks the signatures of a block that is not block 0. It uses the memory
// of buf, and returns what became of it.
func (u *Unverified) checkBlock(i int, buf []byte) ([]byte, error) {
	b, previous := &u.container.Blocks[i], u.container.Blocks[i-1].Signature
	buf = blockPayload(buf[:0], b, previous)
	if err := u.keys.Verify(u.next[i-1], buf, b.Signature); err != nil {
		return buf, u.refuse(u.next[i-1], i, "not signed by the key that block "+strconv.Itoa(i-1)+" names", err)
	}
	if b.External == nil {
		return buf, nil
	}
	buf = externalPayload(buf[:0], b.Payload, previous)
	if err := u.keys.Verify(u.external[i], buf, b.External.Signature); err != nil {
		return buf, u.refuse(u.external[i], i, "external signature", err)
	}
	return buf, nil
}

// proofIsSecret reports whether the proof is a secret from which the public key has to
// be computed.
func (u *Unverified) proofIsSecret() bool {
	return u.container.Proof.Kind == wire.ProofNextSecret && !IsInvocationKey(u.next[len(u.next)-1])
}

func (u *Unverified) verifyProof(buf []byte) error {
	last := len(u.next) - 1
	key, proof := u.next[last], u.container.Proof
	switch proof.Kind {
	case wire.ProofNextSecret:
		if IsInvocationKey(key) && string(proof.Data) == invocationSecret() {
			return nil
		}
		secret, err := NewPrivateKey(key.Algorithm(), proof.Data)
		if err != nil {
			return &Error{Code: CodeMalformed, Block: -1, Msg: "proof", Err: err}
		}
		if secret.Public() != key {
			return u.refuse(key, -1, "proof", errors.New("the secret is not that of the last block's next key"))
		}
		return nil
	case wire.ProofFinalSignature:
		buf = sealPayload(buf[:0], &u.container.Blocks[last])
		if err := key.Verify(buf, proof.Data); err != nil {
			return u.refuse(key, -1, "final signature", err)
		}
		return nil
	case wire.ProofEmpty:
		// No signature is verified against this key, which would check it too.
		if err := key.checkPoint(); err != nil {
			return &Error{Code: CodeMalformed, Block: last, Msg: "next key", Err: err}
		}
		return nil
	}
	return Errorf(CodeMalformed, -1, "unknown proof")
}

// refuse returns the error for a signature that does not verify with a key that
// the token names: the key may be no point on its curve, which is only looked
// at now.
func (u *Unverified) refuse(key PublicKey, block int, msg string, err error) error {
	if point := key.checkPoint(); point != nil {
		return &Error{Code: CodeMalformed, Block: block, Msg: msg, Err: point}
	}
	return &Error{Code: CodeSignature, Block: block, Msg: msg, Err: err}
}

// decode decodes the bodies of all blocks that are not known into c.
func (u *Unverified) decode(known, c *chain) error {
	c.table = *known.table.Clone()
	blocks := make([]Block, len(u.container.Blocks))
	r := wire.NewBlockReader(&c.table, u.limits.wire())
	defer r.Release()
	for i := copy(blocks, known.blocks); i < len(blocks); i++ {
		b := &u.container.Blocks[i]
		body, err := r.Read(b.Payload, b.External != nil)
		if err != nil {
			return wireError(err, i)
		}
		blocks[i] = makeBlock(body, b, u.next[i], u.external[i])
	}
	c.blocks = blocks
	return nil
}

func makeBlock(body *wire.Block, b *wire.SignedBlock, next, external PublicKey) Block {
	block := Block{
		Datalog:          body.Datalog,
		Version:          body.Version,
		Symbols:          body.Symbols,
		Keys:             body.Keys,
		Next:             next,
		External:         external,
		Signature:        slices.Clip(b.Signature),
		SignatureVersion: b.Version,
	}
	if b.External != nil {
		block.ExternalSignature = slices.Clip(b.External.Signature)
	}
	return block
}

// wireError gives a decoding error its code.
func wireError(err error, block int) error {
	code := CodeMalformed
	if e, ok := errors.AsType[*wire.Error](err); ok && e.Unsupported {
		code = CodeUnsupported
	}
	return &Error{Code: code, Block: block, Err: err}
}
