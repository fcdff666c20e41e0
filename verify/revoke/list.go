package revoke

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/trust"
)

// An Entry revokes one thing.
type Entry struct {
	Kind Kind
	// Signature of the block or approval, for Block. Either form of a P-256
	// signature will do.
	Signature []byte
	// Key is the public key, for Key.
	Key token.PublicKey
	// Delegator is the name, for Delegator.
	Delegator string
	// Until is when the entry ends, exclusive; the zero time means never. From
	// then on it does not count, and can be removed.
	Until time.Time
	// Comment is for people.
	Comment string
}

// Value returns what stands after the kind.
func (e *Entry) Value() string {
	switch e.Kind {
	case Block:
		return hex.EncodeToString(e.Signature)
	case Key:
		return e.Key.String()
	default:
		return e.Delegator
	}
}

func (e *Entry) ended(now time.Time) bool { return !e.Until.IsZero() && !now.Before(e.Until) }

// covers reports whether an entry revokes all that another does, for as long.
func (e *Entry) covers(other *Entry) bool {
	return e.Kind == other.Kind && e.Value() == other.Value() &&
		(e.Until.IsZero() || !other.Until.IsZero() && !other.Until.After(e.Until))
}

// Validate says what is wrong with an entry.
func (e *Entry) Validate() error {
	if len(e.Comment) > maxComment || strings.ContainsFunc(e.Comment, unicode.IsControl) {
		return fmt.Errorf("a comment is one line of at most %d bytes", maxComment)
	}
	switch e.Kind {
	case Block:
		if n := len(e.Signature); n < minSignature || n > maxSignature {
			return fmt.Errorf("a block is revoked by its signature, of %d to %d bytes, not %d", minSignature, maxSignature, n)
		}
	case Key:
		if e.Key.IsZero() {
			return fmt.Errorf("no key")
		}
		if token.IsInvocationKey(e.Key) {
			return fmt.Errorf("this key ends every invocation and belongs to nobody")
		}
	case Delegator:
		if err := trust.CanonicalDelegator(e.Delegator); err != nil {
			return err
		}
	default:
		return fmt.Errorf("unknown kind of entry")
	}
	return nil
}

// Signatures have these lengths: 8 bytes or more for ECDSA in DER, 64 for Ed25519,
// some thousands where roots are post-quantum.
const (
	minSignature = 8
	maxSignature = 8 << 10
	maxComment   = 512
)

// A List is a list of revocations as of one moment. It never changes, and is a
// [Source] that only ages.
type List struct {
	asOf  time.Time
	name  string
	until map[subject]int64 // when the entry ends, in seconds since 1970
}

// subject is one thing that can be revoked.
type subject struct {
	kind Kind
	id   ID // of a key or name: SHA-256 of its text
}

// never is the end of an entry without one.
const never = int64(1)<<62 - 1

// AsOf returns the moment up to which the list is complete.
func (l *List) AsOf() time.Time { return l.asOf }

// Len returns the number of things that the list revokes, ended entries included.
func (l *List) Len() int { return len(l.until) }

// Lookup implements [Source].
func (l *List) Lookup(_ context.Context, s *Subject) (Answer, error) {
	return Answer{AsOf: l.asOf, Found: l.find(s), Source: l.name}, nil
}

func (l *List) find(s *Subject) *Found {
	if len(l.until) == 0 {
		return nil
	}
	now := s.Now.Unix()
	revoked := func(k Kind, id ID) bool {
		until, ok := l.until[subject{k, id}]
		return ok && now < until
	}
	if revoked(Delegator, idOfText(s.Delegator)) {
		return &Found{Kind: Delegator}
	}
	for i, id := range s.Blocks {
		if revoked(Block, id) {
			return &Found{Block, i}
		}
	}
	for i, k := range s.Keys {
		if revoked(Key, idOfKey(k)) {
			return &Found{Key, i}
		}
	}
	return nil
}

// add has an entry take effect. Of several for one thing the longest counts.
func (l *List) add(e *Entry) {
	s := subject{kind: e.Kind}
	switch e.Kind {
	case Block:
		s.id = IDOf(e.Signature)
	case Key:
		s.id = idOfKey(e.Key)
	case Delegator:
		s.id = idOfText(e.Delegator)
	}
	end := never
	if !e.Until.IsZero() {
		end = e.Until.Unix()
	}
	if before, ok := l.until[s]; !ok || end > before {
		l.until[s] = end
	}
}

func idOfText(name string) ID { return sha256.Sum256([]byte(name)) }

// idOfKey includes the algorithm: the bytes alone do not say whose they are.
func idOfKey(k token.PublicKey) ID {
	d := k.Datalog()
	return sha256.Sum256(append([]byte{byte(d.Algorithm)}, d.Bytes...))
}
