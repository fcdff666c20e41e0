package token

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/internal/wire"
)

// Form says who can use a token, which its proof decides.
type Form uint8

const (
	// Held tokens have an empty proof: only the owner of the last next key can
	// go on, and no service accepts one as it is.
	Held Form = iota
	// Attenuable tokens carry the secret of the last next key: whoever has the
	// bytes can use and extend them.
	Attenuable
	// Sealed tokens carry a final signature: whoever has the bytes can use
	// them, nobody can extend them.
	Sealed
)

func (f Form) String() string {
	switch f {
	case Held:
		return "held"
	case Attenuable:
		return "attenuable"
	case Sealed:
		return "sealed"
	}
	return "unknown"
}

// MaxName bounds the names in a token, of people, agents, operations and services,
// in bytes.
const MaxName = 256

// A Block is one block of a token, decoded.
type Block struct {
	Datalog *datalog.Block

	// Version is the block's language version: 3 for 3.0 up to 6 for 3.3.
	Version uint32
	// Symbols and Keys are the tables as this block declares them.
	Symbols []string
	Keys    []datalog.Key

	// Next is the key that must sign the next block.
	Next PublicKey
	// External is the key of a third party that signed this block too; the zero
	// key for the token's own blocks.
	External PublicKey

	// Signature is the block's signature. It is also its revocation id.
	Signature        []byte
	SignatureVersion uint32
	// ExternalSignature is the third party's signature, or nil.
	ExternalSignature []byte
}

// A Chain is a token whose signatures have been verified: from a known root
// ([*Token]) or all but the first ([*Unrooted]). No other type implements it.
type Chain interface {
	// Form says who can use the token.
	Form() Form
	// Blocks returns the decoded blocks. They must not be changed.
	Blocks() []Block
	// NextKey returns the key that must sign the next block: the holder's.
	NextKey() PublicKey
	// RootKeyID returns the unauthenticated hint at the root key.
	RootKeyID() (id uint32, ok bool)
	// Root returns the root key that verified block 0, the zero key when none
	// has.
	Root() PublicKey
	// PrefixHash identifies the chain of the first n blocks, whatever the
	// proof. It panics unless 0 <= n <= len(Blocks()).
	PrefixHash(n int) [32]byte
	// Bytes returns the token as it travels.
	Bytes() []byte
	// Text returns the token's text form.
	Text() string

	// Append adds a block. See [Token.Append].
	Append(signer Signer, block *datalog.Block, next Next) (Chain, error)
	// AppendThirdParty adds a block signed by a third party too. See
	// [Token.AppendThirdParty].
	AppendThirdParty(signer Signer, contents []byte, next Next) (Chain, error)
	// Seal ends the chain. See [Token.Seal].
	Seal(signer Signer) (Chain, error)
	// Request returns what a third party needs to sign a block for this token.
	Request() []byte

	// same returns the chain as the same type as the receiver's.
	same(c chain) Chain
	next() Next
}

// A Token is a chain that verifies from a known root key. The zero value is no
// token: see [IsZero].
type Token struct {
	chain
	root PublicKey
}

// Unrooted is a chain all of whose signatures verify but the first. Whoever
// minted it is unknown: it may be narrowed and handed on, not decided upon.
type Unrooted struct{ chain }

// IsZero reports whether c is nil, a nil pointer or a zero value: no token, whose
// methods panic. Packages delegation, attenuate and verify refuse one.
func IsZero(c Chain) bool {
	switch c := c.(type) {
	case *Token:
		return c == nil || len(c.blocks) == 0
	case *Unrooted:
		return c == nil || len(c.blocks) == 0
	}
	return c == nil
}

// Root returns the root key that verified block 0.
func (t *Token) Root() PublicKey { return t.root }

// First returns the token that the first n blocks make, in held form: what its
// holder had in hand. It panics unless 1 <= n <= len(Blocks()).
func (t *Token) First(n int) *Token {
	c := *t.container
	c.Blocks, c.Proof = c.Blocks[:n:n], wire.Proof{Kind: wire.ProofEmpty}
	first := chain{container: &c, blocks: t.blocks[:n:n]}
	first.prefixes = t.prefixes[:min(n+1, len(t.prefixes))]
	for i := range first.blocks {
		if b := &first.blocks[i]; b.External.IsZero() {
			first.table.Extend(b.Symbols, b.Keys)
		}
	}
	return &Token{first, t.root}
}

// Root returns the zero key: none has verified block 0.
func (*Unrooted) Root() PublicKey { return PublicKey{} }

func (t *Token) same(c chain) Chain  { return &Token{c, t.root} }
func (*Unrooted) same(c chain) Chain { return &Unrooted{c} }

// chain is a verified list of blocks. It is never changed once made.
type chain struct {
	container *wire.Container
	blocks    []Block
	table     wire.Table // the symbols and keys that the token's own blocks share
	prefixes  [][32]byte // the prefix hash of 0, 1, .. blocks, as far as they are known
}

func (c *chain) Form() Form { return formOf(c.container) }

func (c *chain) Blocks() []Block { return c.blocks }

func (c *chain) NextKey() PublicKey { return c.blocks[len(c.blocks)-1].Next }

func (c *chain) RootKeyID() (uint32, bool) {
	return c.container.RootKeyID, c.container.HasRootKeyID
}

func (c *chain) Bytes() []byte { return c.container.Encode() }

func (c *chain) Text() string { return textOf(c.container) }

func (c *chain) PrefixHash(blocks int) [32]byte {
	if blocks < len(c.prefixes) {
		return c.prefixes[blocks]
	}
	return prefixHashes(c.container.Blocks[:blocks])[blocks]
}

// prefixHashes returns the prefix hash of 0, 1, .. and all blocks. It covers the
// blocks exactly as they stand on the wire, so that no two chains share one whatever
// freedom a signature algorithm leaves.
func prefixHashes(blocks []wire.SignedBlock) [][32]byte {
	h := sha256.New()
	h.Write([]byte("whittle/1 prefix\x00"))
	sums := make([][32]byte, len(blocks)+1)
	h.Sum(sums[0][:0])
	var length [4]byte
	for i := range blocks {
		binary.BigEndian.PutUint32(length[:], uint32(len(blocks[i].Message)))
		h.Write(length[:])
		h.Write(blocks[i].Message)
		h.Sum(sums[i+1][:0])
	}
	return sums
}

// RevocationIDs returns the signature of each block, by which a block can be
// revoked. For tokens of ours it is unambiguous. In a plain Biscuit a P-256
// signature (r, s) can be replaced by (r, n-s), which is valid too.
func RevocationIDs(c Chain) [][]byte {
	blocks := c.Blocks()
	ids, size := make([][]byte, len(blocks)), 0
	for i := range blocks {
		size += len(blocks[i].Signature)
	}
	all := make([]byte, 0, size)
	for i := range blocks {
		n := len(all)
		all = append(all, blocks[i].Signature...)
		ids[i] = slices.Clip(all[n:])
	}
	return ids
}

func formOf(c *wire.Container) Form {
	switch c.Proof.Kind {
	case wire.ProofNextSecret:
		return Attenuable
	case wire.ProofFinalSignature:
		return Sealed
	default:
		return Held
	}
}

func textOf(c *wire.Container) string {
	text := base64Text.EncodeToString(c.Encode())
	if formOf(c) == Held {
		return heldPrefix + text
	}
	return text
}
