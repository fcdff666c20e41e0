package attenuate

import (
	"fmt"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
)

// SessionWindow is how long a session made by [InvokeSession] holds, from now on.
const SessionWindow = 5 * time.Minute

// InvokeSession binds a held token to one connection with one service, signed with
// the holder's key: from 30 seconds before now to [SessionWindow] after. The result
// goes to the service with every request on that connection, and lets the holder
// ask for anything that the token allows.
//
// It is worth less than [Invoke]: whoever shares the connection and sees the token
// can use it, and nothing shows which requests the holder meant. Prefer Invoke
// unless its signature for each request is too slow.
func InvokeSession(c token.Chain, holder token.Signer, audience string, channel delegation.Channel) (token.Chain, error) {
	now := time.Now()
	return InvokeSessionAt(c, holder, audience, channel, now.Add(-delegation.Skew), now.Add(SessionWindow))
}

// InvokeSessionAt is [InvokeSession] with a window of one's own: from is included,
// until is not. It may be [delegation.MaxSession] long, and the 30 seconds more.
func InvokeSessionAt(c token.Chain, holder token.Signer, audience string, channel delegation.Channel, from, until time.Time) (token.Chain, error) {
	if err := invocable(c, from, until, delegation.MaxSession); err != nil {
		return nil, err
	}
	if err := delegation.ValidName(audience); err != nil {
		return nil, fmt.Errorf("audience %q: %w", audience, err)
	}
	if err := channel.Validate(); err != nil {
		return nil, err
	}
	return invoked(c, holder, &delegation.Invocation{
		Nonce:     freshNonce(),
		Channel:   channel,
		Audience:  audience,
		NotBefore: uint64(from.Unix()),
		Expires:   uint64(until.Unix()),
	})
}
