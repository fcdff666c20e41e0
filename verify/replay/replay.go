// Package replay remembers what has been used, so that an invocation serves one
// request and an approval one action (spec/replay.md).
//
// A verifier asks its [Store] twice for each request: before Datalog, to spare
// the work where the answer is known, and at the very end, when everything else
// allows the request. The second call decides, in one atomic step: of any number
// of verifiers that share a store one allows the request, and a request that is
// denied for another reason uses nothing up.
//
// [Memory] lives in the process and is what a verifier has when nothing is said.
// [File] outlasts a restart. A store that several machines share implements
// [Store] too.
package replay

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/whittle-auth/whittle/token"
)

// A Store remembers what has been used. It is safe for concurrent use.
//
// Whatever it returns but nil denies the request. An [*Error] says that the
// store works and refuses; any other error that it cannot answer. What it must
// keep to:
//
//   - Record is atomic. It records all entries if it knows none of them, and
//     otherwise none. When it returns nil the entries are as safe as the store
//     promises to be.
//   - An entry stays until its Until, by the slowest clock of any verifier that
//     uses the store. It is never dropped before, not to make room either.
//   - A store that can forget refuses with [BeforeStart] what can have been used
//     before it began to remember.
//   - It has no clock: the time is in each [Use].
type Store interface {
	// Check says what Record would say, and records nothing.
	Check(ctx context.Context, u Use) error
	// Record records the entries of a request that is about to be allowed.
	Record(ctx context.Context, u Use) error
}

// A Use is what one request uses up if it is allowed.
type Use struct {
	// Entries are recorded all together or not at all.
	Entries []Entry
	// Group is the delegation that pays for the room they take: the key of
	// block 0's signature.
	Group Key
	// Now is the verifier's time, which does not go back.
	Now time.Time
}

// An Entry is one signature that may be used once.
type Entry struct {
	Key Key
	// From is when it can have been used first: the beginning of an invocation's
	// window. The zero time says that this is not known. Inclusive.
	From time.Time
	// Until is when no verifier accepts it any more: the end of the window.
	// Exclusive.
	Until time.Time
}

// A Key identifies a signature.
type Key [sha256.Size]byte

// KeyOf returns the key of a signature: SHA-256 of its bytes. Both forms of a
// P-256 signature have one key, that of the low-S form.
func KeyOf(signature []byte) Key { return sha256.Sum256(token.LowS(signature)) }

// A Kind is why a store refuses.
type Kind uint8

const (
	// Used says that an entry is recorded already.
	Used Kind = iota
	// BeforeStart says that an entry can have been used before the store began
	// to remember.
	BeforeStart
	// Forgotten says that an entry can have been used and dropped since: its
	// end is not after the time, or not after that of an entry that was dropped
	// at a later time. Somebody's clock was set back.
	Forgotten
	// Quota says that the group has no room left of its own.
	Quota
	// Full says that the store has no room left at all.
	Full
)

func (k Kind) String() string {
	switch k {
	case Used:
		return "used already"
	case BeforeStart:
		return "begun before the memory"
	case Forgotten:
		return "forgotten perhaps"
	case Quota:
		return "too many for one delegation"
	case Full:
		return "full"
	}
	return "unknown"
}

// An Error is a store's refusal.
type Error struct {
	Kind Kind
	// Entry is the index of the entry that it is about; -1 for Quota and Full.
	Entry int
	// Since is when the store began to remember, for BeforeStart.
	Since time.Time
}

func (e *Error) Error() string {
	if e.Entry < 0 {
		return "replay store: " + e.Kind.String()
	}
	return fmt.Sprintf("replay store: entry %d: %s", e.Entry, e.Kind)
}
