// Package trust reads which keys may speak for whom, from a file in OpenSSH's
// allowed_signers format (ssh-keygen(1), section ALLOWED SIGNERS):
//
//	alice@example.com,*@ops.example.com namespaces="whittle" ssh-ed25519 AAAA.. laptop
//
// The same file can serve git and ssh-keygen -Y verify: only lines whose
// namespaces option names "whittle" count here. What else a line needs is
// spec/trust.md.
package trust

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/whittle-auth/whittle/token"
)

// Namespace is what the namespaces option of an entry must name.
const Namespace = "whittle"

// Limits on a file, before anything in it counts.
const (
	MaxBytes   = 1 << 20
	MaxEntries = 10_000 // lines with a key, whether they count or not
)

// A Source is where a verifier finds the root keys: [*Roots], which never change,
// or a [*File]. Roots is called once for each decision.
type Source interface{ Roots() *Roots }

// Roots is a list of trusted keys. It never changes, and is safe for concurrent
// use. The zero value, and nil, trust nobody.
type Roots struct {
	entries []Entry
	ids     []uint32 // of each entry's key
}

// An Entry says that a key may speak for some principals, for some time.
type Entry struct {
	// Principals are names as [CanonicalDelegator] wants them, or *@domain.
	Principals []string
	Key        token.PublicKey

	// ValidAfter and ValidBefore bound the entry, both ends included. The zero
	// time is no bound.
	ValidAfter, ValidBefore time.Time

	Comment string // free text behind the key
	Line    int    // in the file, from 1
}

// Load reads a file and parses it. Errors of [Parse] have the path before them.
// A service that runs for long uses [Open], which notices when the file changes.
func Load(path string) (*Roots, error) { return load(path, Parse) }

func load[T any](path string, parse func([]byte) (T, error)) (list T, err error) {
	data, err := readFile(path)
	if err != nil {
		return list, err
	}
	if list, err = parse(data); err != nil {
		return list, fmt.Errorf("%s: %w", path, err)
	}
	return list, nil
}

// readFile reads at most one byte more than [MaxBytes].
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, MaxBytes+1))
}

// Roots returns r: a list that never changes is a [Source] too.
func (r *Roots) Roots() *Roots { return r }

// Entries returns the entries in the order of the file. The result is the
// caller's own.
func (r *Roots) Entries() []Entry {
	if r == nil {
		return nil
	}
	return cloned(r.entries)
}

func cloned(entries []Entry) []Entry {
	entries = slices.Clone(entries)
	for i := range entries {
		entries[i].Principals = slices.Clone(entries[i].Principals)
	}
	return entries
}

// Covers reports whether one of the principals is the delegator, byte for byte,
// or *@ and the delegator's domain. A name that is not canonical is covered by
// nothing.
func (e Entry) Covers(delegator string) bool {
	if CanonicalDelegator(delegator) != nil {
		return false
	}
	for _, p := range e.Principals {
		if p == delegator {
			return true
		}
		domain, isPattern := strings.CutPrefix(p, "*@")
		if !isPattern {
			continue
		}
		if _, own, ok := strings.Cut(delegator, "@"); ok && own == domain {
			return true
		}
	}
	return false
}

// ValidAt reports whether the entry is valid at t.
func (e Entry) ValidAt(t time.Time) bool {
	return (e.ValidAfter.IsZero() || !t.Before(e.ValidAfter)) &&
		(e.ValidBefore.IsZero() || !t.After(e.ValidBefore))
}

// RootKeyID returns the number by which a token's rootKeyId hints at a key: the
// first four bytes, big-endian, of the SHA-256 of its text form. Different keys
// may share it. The zero key has the number 0.
func RootKeyID(k token.PublicKey) uint32 {
	if k.IsZero() {
		return 0
	}
	sum := sha256.Sum256([]byte(k.String()))
	return binary.BigEndian.Uint32(sum[:4])
}
