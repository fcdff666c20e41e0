package attenuate

import (
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
)

// Receive reads the text of a token that was handed to the owner of holder, and
// refuses it unless every signature verifies from a trusted root valid now, the
// root may speak for the delegator, and the token is the owner's to use. The
// caller still has to ask whether delegator and scope are what it expected:
// anyone can delegate to a public key.
//
// A token that is bearer, or bound to one request already, is nobody's to hold and
// is returned whoever asks. A zero now means the system's clock; that the token
// itself has not expired is left to the service.
//
// With nil roots everything but the root's signature is verified, so that the
// delegator is a claim: pass roots wherever there are any.
func Receive(text string, roots *trust.Roots, holder token.PublicKey, now time.Time) (token.Chain, *delegation.Chain, error) {
	u, err := token.ParseText(text, nil)
	if err != nil {
		return nil, nil, err
	}
	return Open(u, roots, holder, now)
}

// Open is [Receive] for a token that was parsed already.
func Open(u *token.Unverified, roots *trust.Roots, holder token.PublicKey, now time.Time) (token.Chain, *delegation.Chain, error) {
	if now.IsZero() {
		now = time.Now()
	}
	c, err := verified(u, roots, now)
	if err != nil {
		return nil, nil, err
	}
	chain, err := delegation.ReadUnregistered(c)
	if err != nil {
		return nil, nil, err
	}
	if roots != nil {
		if err := roots.MaySpeak(c.Root(), chain.Delegator, now); err != nil {
			return nil, nil, err
		}
	}
	if c.Form() == token.Held && c.NextKey() != holder {
		return nil, nil, token.Errorf(token.CodeProfile, -1, "the token is held by %q with the key %s, not by this key (%s)", chain.Holder().Holder, c.NextKey(), holder.Brief())
	}
	return c, chain, nil
}

func verified(u *token.Unverified, roots *trust.Roots, now time.Time) (token.Chain, error) {
	if roots == nil {
		return u.VerifyUnrooted()
	}
	return roots.Verify(u, now)
}
