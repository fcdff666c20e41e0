// Package revoke says what has been revoked: blocks, keys and delegators
// (spec/revocation.md).
//
// A verifier asks each [Source] for each request, whatever it remembers of a token
// from before. A [List] is a source that never changes; a [File] reads its list
// again when the file has changed. A feed or a store that several machines share
// implements [Source] too.
package revoke

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/whittle-auth/whittle/token"
)

// A Source knows what has been revoked. It is safe for concurrent use. An error
// denies the request: it means that the source cannot answer.
type Source interface {
	Lookup(ctx context.Context, s *Subject) (Answer, error)
}

// A Subject is everything about a token that can have been revoked.
type Subject struct {
	// Blocks are the ids of the blocks, block 0 first. After the block of an
	// approval comes the id of the approver's own signature.
	Blocks []ID
	// Keys are the root key, and of each block the next key and the approver's. A
	// key may stand there more than once.
	Keys []token.PublicKey
	// Delegator is the person on whose behalf the token is used.
	Delegator string
	// Now is the verifier's time: entries that have ended do not count.
	Now time.Time
}

// An Answer is what a source knows about a subject.
type Answer struct {
	// AsOf says how old the knowledge is: everything revoked before is in it.
	AsOf time.Time
	// Found is an entry that covers the subject, or nil.
	Found *Found
	// Source names the source in messages.
	Source string
}

// Found says what of a subject is revoked.
type Found struct {
	Kind Kind
	// Index is the position in Blocks or Keys; 0 for the delegator.
	Index int
}

// A Kind is what an entry revokes.
type Kind uint8

const (
	// Block revokes each token that contains the block.
	Block Kind = iota
	// Key revokes each token in which the key is the root's, a holder's or an
	// approver's.
	Key
	// Delegator revokes each token on behalf of the person.
	Delegator
)

// String returns the word that stands in a list.
func (k Kind) String() string {
	switch k {
	case Block:
		return "block"
	case Key:
		return "key"
	case Delegator:
		return "delegator"
	}
	return "unknown"
}

// An ID identifies a block: SHA-256 of its signature. A P-256 signature has two
// forms, and both have the id of the low-S form.
type ID [sha256.Size]byte

// IDOf returns the id of the block, or the approval, with the given signature.
func IDOf(signature []byte) ID { return sha256.Sum256(token.LowS(signature)) }
