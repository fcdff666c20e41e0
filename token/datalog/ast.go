package datalog

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// Limits on what the parser and the token decoder accept, whatever the source.
const (
	// MaxDepth bounds the nesting of terms, parentheses and closures.
	MaxDepth = 64

	// MaxNodes bounds the number of nodes in one expression.
	MaxNodes = 8192
)

// A Predicate is a name applied to terms: name(t0, t1, ..). Without variables
// it is a fact.
type Predicate struct {
	Name  string
	Terms []Term
}

// A Query is the body of a rule: it matches wherever facts match all of Body
// and every expression is true. Scopes, where present, replace the scopes of
// the surrounding block.
type Query struct {
	Body   []Predicate
	Exprs  []Expr
	Scopes []Scope
}

// A Rule derives the fact Head for each solution of its query. Every variable
// of the head must appear in the body.
type Rule struct {
	Head Predicate
	Query
}

// CheckKind says what a check demands of its queries.
type CheckKind uint8

const (
	// CheckIf holds when one of the queries has a solution.
	CheckIf CheckKind = iota

	// CheckAll holds when, for one of the queries, the body matches at least
	// once and the expressions are true for every match. Since 3.1.
	CheckAll

	// RejectIf holds when no query has a solution. Since 3.3.
	RejectIf
)

// A Check must hold for a request to be allowed.
type Check struct {
	Kind    CheckKind
	Queries []Query
}

// PolicyKind is what a matching policy decides.
type PolicyKind uint8

const (
	Allow PolicyKind = iota
	Deny
)

// A Policy decides when one of its queries has a solution. Policies are tried
// in the order in which they are written; the first that matches decides.
type Policy struct {
	Kind    PolicyKind
	Queries []Query
}

// ScopeKind tells the sorts of [Scope] apart.
type ScopeKind uint8

const (
	// ScopeAuthority trusts block 0.
	ScopeAuthority ScopeKind = iota

	// ScopePrevious trusts all blocks before the current one. An authorizer
	// ignores it.
	ScopePrevious

	// ScopeKey trusts the blocks that carry an external signature by Key.
	ScopeKey
)

// A Scope is one element of a trusting clause. The current block and the
// authorizer are always trusted.
type Scope struct {
	Kind ScopeKind
	Key  Key // for ScopeKey only
}

// A Block is the content of one block of a token, or what an authorizer states.
type Block struct {
	// Context is free text that takes no part in any decision; nil when absent.
	Context *string

	// Scopes are the default scopes of the block's rules and checks.
	Scopes []Scope

	Facts  []Predicate
	Rules  []Rule
	Checks []Check
}

// An Authorizer is what a service brings to a decision: its own block, and the
// policies that decide once all checks hold.
type Authorizer struct {
	Block
	Policies []Policy
}

// An Algorithm is a signature algorithm, numbered as in the Biscuit schema.
type Algorithm int32

const (
	Ed25519   Algorithm = 0
	Secp256r1 Algorithm = 1

	// MLDSA44 and MLDSA65 are not in the Biscuit schema. Their numbers are those
	// of TLS, out of 0x0900 to 0x09ff, which we keep for algorithms of our own
	// (spec/algorithms.md). They are for root keys: no key in a token has them, so
	// no clause can trust one.
	MLDSA44 Algorithm = 0x0904
	MLDSA65 Algorithm = 0x0905
)

// String returns the algorithm's name in the text form of keys.
func (a Algorithm) String() string {
	switch a {
	case Ed25519:
		return "ed25519"
	case Secp256r1:
		return "secp256r1"
	case MLDSA44:
		return "mldsa44"
	case MLDSA65:
		return "mldsa65"
	}
	return fmt.Sprintf("algorithm-%d", int32(a))
}

// A Key names a public key in a trusting clause: nothing here says that the
// bytes are a valid key. Bytes holds 32 bytes for Ed25519 and 33 (SEC 1
// compressed) for secp256r1. Keys compare with ==.
type Key struct {
	Algorithm Algorithm
	Bytes     string
}

// String returns the text form of the key, as in ed25519/0123...
func (k Key) String() string {
	return k.Algorithm.String() + "/" + hex.EncodeToString([]byte(k.Bytes))
}

// ParseKey reads the text form of a key that Datalog can name: Ed25519 or
// secp256r1. It checks the algorithm's name, the
// hexadecimal digits and the length, not that the bytes are a point on a curve.
func ParseKey(s string) (Key, error) {
	name, digits, ok := strings.Cut(s, "/")
	if !ok {
		return Key{}, fmt.Errorf("a public key is written algorithm/hex, as in ed25519/0123ab")
	}
	var k Key
	want := 0
	switch name {
	case "ed25519":
		k.Algorithm, want = Ed25519, 32
	case "secp256r1":
		k.Algorithm, want = Secp256r1, 33
	default:
		return Key{}, fmt.Errorf("unknown key algorithm %q", name)
	}
	b, err := hex.DecodeString(digits)
	if err != nil {
		return Key{}, fmt.Errorf("invalid hexadecimal in %s public key", name)
	}
	if len(b) != want {
		return Key{}, fmt.Errorf("%s public key has %d bytes, want %d", name, len(b), want)
	}
	k.Bytes = string(b)
	return k, nil
}
