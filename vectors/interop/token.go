package interop

import (
	"encoding/hex"
	"encoding/json"
)

// Hex is bytes that travel as hexadecimal text.
type Hex []byte

// MarshalText implements [encoding.TextMarshaler].
func (h Hex) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (h *Hex) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	*h = b
	return err
}

// NextKey says which key signs the block after this one. Private, as in
// "ed25519-private/..", wins; else a fresh key of Algorithm, "ed25519" (which
// the empty string means) or "secp256r1".
type NextKey struct {
	Algorithm string `json:"next_alg,omitempty"`
	Private   string `json:"next_private,omitempty"`
}

// A Block is a block to append while generating a token. With a third-party
// key the block carries an external signature by it.
type Block struct {
	Code    string  `json:"code"`
	Context *string `json:"context,omitempty"`
	NextKey
	ThirdPartyPrivate string `json:"third_party_private,omitempty"`
}

// Generate describes a token to be made.
type Generate struct {
	RootPrivate          string  `json:"root_private"`
	RootKeyID            *uint32 `json:"root_key_id,omitempty"`
	Authority            string  `json:"authority"`
	Context              *string `json:"context,omitempty"`
	AuthorityNextAlg     string  `json:"authority_next_alg,omitempty"`
	AuthorityNextPrivate string  `json:"authority_next_private,omitempty"`
	Blocks               []Block `json:"blocks,omitempty"`
	Seal                 bool    `json:"seal"`
}

// A Token is a token that the reference wrote, with the revocation id of each
// block.
type Token struct {
	Token         Hex   `json:"token"`
	RevocationIDs []Hex `json:"revocation_ids"`
}

// Inspection is what a token says, with nothing verified.
type Inspection struct {
	RootKeyID     *uint32          `json:"root_key_id"`
	Sealed        bool             `json:"sealed"`
	Blocks        []InspectedBlock `json:"blocks"`
	RevocationIDs []Hex            `json:"revocation_ids"`
}

// InspectedBlock is one block of an [Inspection]. Code is printed by the
// reference: without the block's own scopes, and with strings not escaped.
type InspectedBlock struct {
	Code        string   `json:"code"`
	Version     uint32   `json:"version"`
	Context     *string  `json:"context"`
	ExternalKey *string  `json:"external_key"`
	Symbols     []string `json:"symbols"`
	PublicKeys  []string `json:"public_keys"`
}

// PublicKey returns the text form of a private key's public half.
func (o *Oracle) PublicKey(private string) (string, error) {
	var reply struct {
		Public string `json:"public"`
	}
	err := o.call("public_key", map[string]any{"private": private}, &reply)
	return reply.Public, err
}

// Generate makes a token. Keys that g does not name are random.
func (o *Oracle) Generate(g Generate) (Token, error) {
	var reply Token
	err := o.call("generate", g, &reply)
	return reply, err
}

// Append verifies a token and appends a first-party block.
func (o *Oracle) Append(token []byte, rootPublic, code string, next NextKey) (Token, error) {
	var reply Token
	err := o.call("append", struct {
		Token      Hex    `json:"token"`
		RootPublic string `json:"root_public"`
		Code       string `json:"code"`
		NextKey
	}{token, rootPublic, code, next}, &reply)
	return reply, err
}

// Seal verifies a token and seals it.
func (o *Oracle) Seal(token []byte, rootPublic string) (Token, error) {
	var reply Token
	err := o.call("seal", map[string]any{"token": Hex(token), "root_public": rootPublic}, &reply)
	return reply, err
}

// ThirdPartyRequest returns the request that a third party answers with a block
// for this token, which is not verified.
func (o *Oracle) ThirdPartyRequest(token []byte) ([]byte, error) {
	var reply struct {
		Request Hex `json:"request"`
	}
	err := o.call("third_party_request", map[string]any{"token": Hex(token)}, &reply)
	return reply.Request, err
}

// ThirdPartyBlock signs a block for a request and returns its contents.
func (o *Oracle) ThirdPartyBlock(request []byte, private, code string) ([]byte, error) {
	var reply struct {
		Contents Hex `json:"contents"`
	}
	err := o.call("third_party_block", map[string]any{"request": Hex(request), "private": private, "code": code}, &reply)
	return reply.Contents, err
}

// AppendThirdParty appends a third-party block to a token and verifies the
// result.
func (o *Oracle) AppendThirdParty(token []byte, rootPublic string, contents []byte, next NextKey) (Token, error) {
	var reply Token
	err := o.call("append_third_party", struct {
		Token      Hex    `json:"token"`
		RootPublic string `json:"root_public"`
		Contents   Hex    `json:"contents"`
		NextKey
	}{token, rootPublic, contents, next}, &reply)
	return reply, err
}

// InspectUnverified reads a token without verifying anything.
func (o *Oracle) InspectUnverified(token []byte) (Inspection, error) {
	var reply Inspection
	err := o.call("inspect", map[string]any{"token": Hex(token)}, &reply)
	return reply, err
}

// SourceKind says what a source text is.
type SourceKind string

const (
	BlockSource      SourceKind = "block"
	AuthorizerSource SourceKind = "authorizer"
)

// Parsed is a source text as the reference prints it. Scopes are those of a
// leading trusting clause, which the reference's own parser drops from blocks
// and refuses in authorizers.
type Parsed struct {
	Code   string   `json:"code"`
	Scopes []string `json:"scopes"`
}

// Parse reads a source text.
func (o *Oracle) Parse(kind SourceKind, code string) (Parsed, error) {
	var reply Parsed
	err := o.call("parse", map[string]any{"kind": kind, "code": code}, &reply)
	return reply, err
}

// Raw sends any request and returns the answer, for what the other methods do
// not cover. Fields may be nil.
func (o *Oracle) Raw(op string, fields map[string]any) (json.RawMessage, error) {
	var reply json.RawMessage
	if fields == nil {
		fields = map[string]any{}
	}
	err := o.call(op, fields, &reply)
	return reply, err
}
