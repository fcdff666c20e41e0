package token

import (
	"slices"

	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/internal/wire"
)

// Next says who can go on after a block: see [HeldBy], [WithSecret] and
// [FreshKey].
type Next struct {
	key   PublicKey
	proof wire.Proof
}

// HeldBy makes the token's next block that of the owner of k: the token takes
// the held form, in which it is of no use to anybody else.
func HeldBy(k PublicKey) Next { return Next{key: k, proof: wire.Proof{Kind: wire.ProofEmpty}} }

// WithSecret puts a secret into the token's proof: whoever has the token can
// use it. For a new key see [FreshKey].
func WithSecret(k PrivateKey) Next {
	return Next{key: k.Public(), proof: wire.Proof{Kind: wire.ProofNextSecret, Data: k.Secret()}}
}

// FreshKey is [WithSecret] with a new random key: an ordinary Biscuit.
func FreshKey(alg datalog.Algorithm) (Next, error) {
	k, err := GenerateKey(alg)
	if err != nil {
		return Next{}, err
	}
	return WithSecret(k), nil
}

// SameNext keeps the key and the form that a token already has.
func SameNext(c Chain) Next { return c.next() }

// MintOptions are the less usual parts of a mint. A nil *MintOptions means none
// of them.
type MintOptions struct {
	// RootKeyID is a hint at the root key for whoever verifies.
	RootKeyID *uint32
}

// Mint signs block 0 of a new token with the root key. What was signed is
// verified before it is returned, whatever the signer.
func Mint(root Signer, block *datalog.Block, next Next, o *MintOptions) (*Token, error) {
	if root == nil || block == nil {
		return nil, Errorf(CodeProfile, 0, "a root key and a block are needed")
	}
	c := chain{container: new(wire.Container)}
	if o != nil && o.RootKeyID != nil {
		c.container.RootKeyID, c.container.HasRootKeyID = *o.RootKeyID, true
	}
	grown, err := c.grow(root, block, next)
	if err != nil {
		return nil, err
	}
	return &Token{*grown, root.Public()}, nil
}

// Append adds a block, signed with the key that the last block names: the
// signer's, or where signer is nil the secret in the token's own proof. What was
// signed is verified before it is returned. A sealed token cannot be extended.
// The result is a *Token.
func (t *Token) Append(signer Signer, block *datalog.Block, next Next) (Chain, error) {
	return t.appendTo(t, signer, block, next)
}

// Append is [Token.Append]; the result is *Unrooted.
func (u *Unrooted) Append(signer Signer, block *datalog.Block, next Next) (Chain, error) {
	return u.appendTo(u, signer, block, next)
}

// AppendThirdParty adds a block that a third party signed for this very token:
// contents is what [SignThirdParty] returned. The token's own signature is made
// as for [Token.Append].
func (t *Token) AppendThirdParty(signer Signer, contents []byte, next Next) (Chain, error) {
	return t.appendThirdParty(t, signer, contents, next)
}

// AppendThirdParty is [Token.AppendThirdParty].
func (u *Unrooted) AppendThirdParty(signer Signer, contents []byte, next Next) (Chain, error) {
	return u.appendThirdParty(u, signer, contents, next)
}

// Seal ends the chain with a final signature, made as for [Token.Append].
func (t *Token) Seal(signer Signer) (Chain, error) { return t.seal(t, signer) }

// Seal is [Token.Seal].
func (u *Unrooted) Seal(signer Signer) (Chain, error) { return u.seal(u, signer) }

// Request returns what a third party needs to sign a block for this token: a
// ThirdPartyBlockRequest, which tells nothing of the token but its last
// signature.
func (c *chain) Request() []byte {
	last := c.container.Blocks[len(c.container.Blocks)-1]
	return (&wire.ThirdPartyRequest{PreviousSignature: last.Signature}).Encode()
}

// SignThirdParty makes a block for the token that made the request, signed with
// a third party's key. The block has symbol and key tables of its own. Whoever
// signs so signs blind: the request does not show the token.
func SignThirdParty(request []byte, signer Signer, block *datalog.Block) (contents []byte, err error) {
	if k := signer.Public(); k.RootOnly() {
		return nil, Errorf(CodeUnsupported, -1, "keys of the algorithm %s are for roots: it cannot be a third party's", k.Algorithm())
	}
	r, err := wire.DecodeThirdPartyRequest(request, nil)
	if err != nil {
		return nil, wireError(err, -1)
	}
	payload, err := wire.EncodeBlock(block, nil, true)
	if err != nil {
		return nil, wireError(err, -1)
	}
	signature, err := sign(signer, externalPayload(nil, payload, r.PreviousSignature))
	if err != nil {
		return nil, err
	}
	c := wire.ThirdPartyContents{
		Payload:  payload,
		External: wire.External{Signature: signature, Key: signer.Public().Datalog()},
	}
	return c.Encode(), nil
}

func (c *chain) appendTo(self Chain, signer Signer, block *datalog.Block, next Next) (Chain, error) {
	signer, err := c.signer(signer)
	if err != nil {
		return nil, err
	}
	grown, err := c.grow(signer, block, next)
	if err != nil {
		return nil, err
	}
	return self.same(*grown), nil
}

func (c *chain) appendThirdParty(self Chain, signer Signer, contents []byte, next Next) (Chain, error) {
	signer, err := c.signer(signer)
	if err != nil {
		return nil, err
	}
	third, err := wire.DecodeThirdPartyContents(contents, nil)
	if err != nil {
		return nil, wireError(err, -1)
	}
	key, err := PublicKeyFromDatalog(third.External.Key)
	if err != nil {
		return nil, &Error{Code: CodeMalformed, Block: -1, Msg: "external key", Err: err}
	}
	previous := c.container.Blocks[len(c.container.Blocks)-1].Signature
	if err := key.Verify(externalPayload(nil, third.Payload, previous), third.External.Signature); err != nil {
		return nil, &Error{Code: CodeSignature, Block: -1, Msg: "the block was not signed by the third party for this token", Err: err}
	}
	grown, err := c.growBy(signer, third.Payload, &third.External, next)
	if err != nil {
		return nil, err
	}
	return self.same(*grown), nil
}

func (c *chain) seal(self Chain, signer Signer) (Chain, error) {
	signer, err := c.signer(signer)
	if err != nil {
		return nil, err
	}
	last := &c.container.Blocks[len(c.container.Blocks)-1]
	signature, err := sign(signer, sealPayload(nil, last))
	if err != nil {
		return nil, err
	}
	sealed := *c
	container := *c.container
	container.Proof = wire.Proof{Kind: wire.ProofFinalSignature, Data: signature}
	sealed.container = &container
	return self.same(sealed), nil
}

func (c *chain) next() Next { return Next{key: c.NextKey(), proof: c.container.Proof} }

// signer returns who signs the next block: the given one, which must own the
// key that the last block names, or the owner of the secret in the proof.
func (c *chain) signer(given Signer) (Signer, error) {
	if c.Form() == Sealed {
		return nil, Errorf(CodeProfile, -1, "the token is sealed: nothing can be added to it")
	}
	if given == nil {
		if c.Form() != Attenuable {
			return nil, Errorf(CodeProfile, -1, "the token is held: its holder's key is needed to go on")
		}
		return NewPrivateKey(c.NextKey().Algorithm(), c.container.Proof.Data)
	}
	if given.Public() != c.NextKey() {
		return nil, Errorf(CodeProfile, -1, "this key is not the holder's: the token is held by %s, the key is %s", c.NextKey(), given.Public().Brief())
	}
	return given, nil
}

func (c *chain) grow(signer Signer, block *datalog.Block, next Next) (*chain, error) {
	table := c.table.Clone()
	payload, err := wire.EncodeBlock(block, table, false)
	if err != nil {
		return nil, &Error{Code: CodeMalformed, Block: len(c.blocks), Err: err}
	}
	return c.growBy(signer, payload, nil, next)
}

// growBy signs an encoded block and returns the chain with it.
func (c *chain) growBy(signer Signer, payload []byte, external *wire.External, next Next) (*chain, error) {
	number := len(c.blocks)
	if next.key.IsZero() || next.proof.Kind == wire.ProofFinalSignature {
		return nil, Errorf(CodeProfile, number, "no key is named for the next block")
	}
	if next.key.RootOnly() {
		return nil, Errorf(CodeUnsupported, number, "keys of the algorithm %s are for roots: it cannot be the next key", next.key.Algorithm())
	}
	if err := next.key.checkPoint(); err != nil {
		return nil, &Error{Code: CodeMalformed, Block: number, Msg: "next key", Err: err}
	}
	signed := wire.SignedBlock{
		Payload:  payload,
		NextKey:  next.key.Datalog(),
		External: external,
		Version:  signatureV1,
	}
	var previous []byte
	if number > 0 {
		previous = c.container.Blocks[number-1].Signature
	}
	var err error
	if signed.Signature, err = sign(signer, blockPayload(nil, &signed, previous)); err != nil {
		return nil, err
	}
	signed.Message = wire.EncodeSignedBlock(&signed)

	// Reading the block back shows at once what a verifier would refuse.
	table := c.table.Clone()
	body, err := wire.DecodeBlock(payload, table, external != nil, nil)
	if err != nil {
		return nil, wireError(err, number)
	}
	var externalKey PublicKey
	if external != nil {
		if externalKey, err = PublicKeyFromDatalog(external.Key); err != nil {
			return nil, &Error{Code: CodeMalformed, Block: number, Msg: "external key", Err: err}
		}
	}
	container := *c.container
	container.Blocks = append(slices.Clip(container.Blocks), signed)
	container.Proof = next.proof
	if _, err := wire.DecodeContainer(container.Encode(), nil); err != nil {
		return nil, wireError(err, number)
	}
	return &chain{
		container: &container,
		blocks:    append(slices.Clip(c.blocks), makeBlock(body, &signed, next.key, externalKey)),
		table:     *table,
	}, nil
}

// sign signs and verifies what was signed: keys live in agents and HSMs, and a
// faulty signature would only be noticed by the service.
func sign(signer Signer, payload []byte) ([]byte, error) {
	signature, err := signer.Sign(payload)
	if err != nil {
		return nil, err
	}
	if err := signer.Public().Verify(payload, signature); err != nil {
		return nil, &Error{Code: CodeSignature, Block: -1, Msg: "the signer " + signer.Public().Brief() + " returned something else than its signature", Err: err}
	}
	return signature, nil
}
