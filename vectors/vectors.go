// Package vectors holds Whittle's own test vectors: tokens made byte for byte by
// an independent generator, and what a verifier must answer to each. README.md
// describes the files for readers in other languages.
//
// Regenerate them with
//
//	go run ./vectors/generate
package vectors

import (
	"bytes"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Files holds wire.json, delegation.json, digest.json, mldsa.json and state.json, the same in CBOR
// (wire.cbor and so on), and schema.json, which describes the JSON.
//
//go:embed *.json *.cbor
var Files embed.FS

// Hex is a byte string that JSON spells in hexadecimal.
type Hex []byte

// UnmarshalText decodes hexadecimal digits.
func (h *Hex) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	*h = b
	return err
}

// A WireCase is a plain Biscuit, to be decoded and verified under one root key.
type WireCase struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Rule        string   `json:"rule"`    // of the verifier, as in "V1"
	Sibling     string   `json:"sibling"` // the accepted case it derives from; none when accepted
	Root        string   `json:"root"`    // ed25519/HEX or secp256r1/HEX
	Token       Hex      `json:"token"`
	Expect      string   `json:"expect"` // "ok" or a code
	Source      []string `json:"source"` // text of each block; absent where it is not compared
}

// A DelegationCase is a Whittle token offered to a service.
type DelegationCase struct {
	Name        string    `json:"name"`
	Description string    `json:"description"`
	Rule        string    `json:"rule"`
	Attack      string    `json:"attack"`  // the attack that it carries out, if any
	Sibling     string    `json:"sibling"` // the allowed case it derives from; none when allowed
	Token       string    `json:"token"`   // text form
	Trust       string    `json:"trust"`   // an allowed_signers file
	Service     string    `json:"service"` // the verifier's own name
	Now         time.Time `json:"now"`
	Request     Request   `json:"request"`
	AllowBearer bool      `json:"allow_bearer"`

	// What the service knows besides the request.
	Directory  string         `json:"directory"`   // of agents, an allowed_signers file; empty for none
	Context    map[string]any `json:"context"`     // its state, with values as in Request
	Channel    string         `json:"channel"`     // the connection, as kind:HEX; empty when it is not known
	Facts      []Fact         `json:"facts"`       // what it states besides
	TokenFacts []string       `json:"token_facts"` // what block 0 may tell, as name(type, ..)

	Expect Expectation `json:"expect"`
}

// A Request is what the service is asked to do. The values of Args are nil, bool,
// string, [json.Number], []any and map[string]any; a number without fraction and
// exponent is an integer of 64 bits, any other a float.
type Request struct {
	Operation string         `json:"operation"`
	Resources []string       `json:"resources"`
	Args      map[string]any `json:"args"`
}

// A Fact is one that the service states. Terms are as the values of Args.
type Fact struct {
	Name  string `json:"name"`
	Terms []any  `json:"terms"`
}

// An Expectation is what the verifier answers. A denial without a code may have
// any.
type Expectation struct {
	Allowed bool   `json:"allowed"`
	Code    string `json:"code"`
}

// A DigestCase is one computation of a digest. Kind says which fields count:
// Blocks for "prefix", all but Blocks for "request", and of these all but Prefix
// and Nonce for "action".
type DigestCase struct {
	Name        string         `json:"name"`
	Description string         `json:"description"`
	Kind        string         `json:"kind"`
	Blocks      []Hex          `json:"blocks"` // SignedBlock messages
	Prefix      Hex            `json:"prefix"`
	Operation   string         `json:"operation"`
	Resources   []string       `json:"resources"`
	Audience    string         `json:"audience"`
	Nonce       Hex            `json:"nonce"`
	Args        map[string]any `json:"args"` // as in Request
	Body        Hex            `json:"body"` // digest of the body; none means null
	CBOR        Hex            `json:"cbor"` // what follows the label and, for "request", the prefix
	Digest      Hex            `json:"digest"`
}

// A StateCase is a service that is asked several times, one request after the other,
// and that knows what it has been asked and what is revoked.
type StateCase struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Rule        string   `json:"rule"`
	Attack      string   `json:"attack"`
	Trust       string   `json:"trust"`
	Service     string   `json:"service"`
	AllowBearer bool     `json:"allow_bearer"`
	Began       string   `json:"began"`    // when its memory began, RFC 3339; empty if nothing was used before
	Revoked     []string `json:"revoked"`  // revocation lists
	BadList     bool     `json:"bad_list"` // the first of them must not be read
	Steps       []Step   `json:"steps"`
}

// A Step is one request.
type Step struct {
	Now     time.Time   `json:"now"`
	Token   string      `json:"token"`
	Request Request     `json:"request"`
	Expect  Expectation `json:"expect"`
}

// State returns the cases of state.json. It fails when there are none.
func State() ([]StateCase, error) { return load[StateCase]("state.json") }

// Wire returns the cases of wire.json. It fails when there are none.
func Wire() ([]WireCase, error) { return load[WireCase]("wire.json") }

// Delegation returns the cases of delegation.json. It fails when there are none.
func Delegation() ([]DelegationCase, error) { return load[DelegationCase]("delegation.json") }

// Digests returns the cases of digest.json. It fails when there are none.
func Digests() ([]DigestCase, error) { return load[DigestCase]("digest.json") }

// MLDSA returns the cases of mldsa.json, of the form of [Delegation]: tokens from
// post-quantum roots, which not every implementation knows. It fails when there
// are none.
func MLDSA() ([]DelegationCase, error) { return load[DelegationCase]("mldsa.json") }

func load[T any](name string) ([]T, error) {
	b, err := Files.ReadFile(name)
	if err != nil {
		return nil, err
	}
	cases, err := decode[T](b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return cases, nil
}

// decode reads one JSON array that is not empty and has no unknown member.
func decode[T any](b []byte) ([]T, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	d.UseNumber()
	var cases []T
	if err := d.Decode(&cases); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("something follows the array")
	}
	if len(cases) == 0 {
		return nil, fmt.Errorf("no cases")
	}
	return cases, nil
}
