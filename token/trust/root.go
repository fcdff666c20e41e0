package trust

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/whittle-auth/whittle/token"
)

// maxCandidates bounds how many keys are tried for one token, since each costs
// a signature verification that anybody can ask for.
const maxCandidates = 8

// Verify verifies a token from the root key that signed it, which must be valid
// now. The token's root key id is a hint at which to try first: see [RootKeyID].
// The error has the code untrusted_root where none of the keys signed block 0,
// and otherwise that of [token.Unverified.VerifyAny].
//
// The root may still be one that must not speak for the token's delegator: ask
// [Roots.MaySpeak].
func (r *Roots) Verify(u *token.Unverified, now time.Time) (*token.Token, error) {
	candidates := r.Candidates(u, now)
	if len(candidates) == 0 {
		return nil, token.Errorf(token.CodeUntrustedRoot, -1, "no root key is trusted now")
	}
	t, err := u.VerifyAny(candidates)
	if e, ok := errors.AsType[*token.Error](err); ok && e.Code == token.CodeUntrustedRoot && len(candidates) == maxCandidates {
		e.Msg += fmt.Sprintf(", of which %d were tried: a root key id in the token would say which", maxCandidates)
	}
	return t, err
}

// Candidates returns the keys valid now, each once, those that the token hints
// at first, and not more than are worth trying: 8.
func (r *Roots) Candidates(u *token.Unverified, now time.Time) []token.PublicKey {
	return r.candidates(nil, u, now)
}

// IsCandidate reports whether a key is among [Roots.Candidates] for a token, of which
// only the hint counts.
func (r *Roots) IsCandidate(key token.PublicKey, t Hinting, now time.Time) bool {
	var memory [maxCandidates]token.PublicKey
	return slices.Contains(r.candidates(memory[:0], t, now), key)
}

// Hinting is what has a hint at its root key: any token, verified or not.
type Hinting interface {
	RootKeyID() (id uint32, ok bool)
}

// candidates appends them to an empty list.
func (r *Roots) candidates(list []token.PublicKey, t Hinting, now time.Time) []token.PublicKey {
	if r == nil {
		return nil
	}
	id, hinted := t.RootKeyID()
	for _, likely := range [...]bool{true, false} {
		for i := range r.entries {
			if len(list) == maxCandidates {
				return list
			}
			e := &r.entries[i]
			if likely == (hinted && r.ids[i] == id) && e.ValidAt(now) && !slices.Contains(list, e.Key) {
				list = append(list, e.Key)
			}
		}
	}
	return list
}

// MaySpeak returns nil if the key may sign for the delegator now. The error has
// the code untrusted_root, or profile if the delegator's name is not canonical.
func (r *Roots) MaySpeak(key token.PublicKey, delegator string, now time.Time) error {
	if err := CanonicalDelegator(delegator); err != nil {
		return token.Errorf(token.CodeProfile, 0, "delegator %q: %s", delegator, err)
	}
	if r != nil {
		for i := range r.entries {
			if e := &r.entries[i]; e.Key == key && e.ValidAt(now) && e.Covers(delegator) {
				return nil
			}
		}
	}
	return token.Errorf(token.CodeUntrustedRoot, 0, "the root key %s is not trusted to speak for %q", key.Brief(), delegator)
}
