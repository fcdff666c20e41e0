package httpauth

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
)

// A session is one connection with its token.
type session struct {
	conn    *http.ClientConn
	channel delegation.Channel

	// turn is taken by whoever looks at what follows, so that one token is made for all
	// who wait.
	turn  chan struct{}
	text  string
	renew time.Time
}

// token returns the token of the connection, a new one where the last has lived three
// quarters of its time. Nothing is sent with one that could not be replaced by then: its
// holder may have lost the right to it.
func (s *session) token(ctx context.Context, t *SessionTransport) (string, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	now := t.now()
	if s.text != "" && now.Before(s.renew) {
		return s.text, nil
	}
	text, err := t.invoker.InvokeSession(ctx, t.audience, s.channel)
	if err != nil {
		return "", err
	}
	expires, err := SessionExpiry(text, t.audience, s.channel)
	if err != nil {
		return "", fmt.Errorf("what the invoker returned: %w", err)
	}
	left := expires.Sub(now)
	if left <= 0 {
		return "", fmt.Errorf("what the invoker returned has ended")
	}
	s.text, s.renew = text, now.Add(left/4*3)
	return text, nil
}

// SessionExpiry returns when a session's token ends, in whole seconds. It refuses a token
// that is malformed, whose signatures do not fit each other, or that is not bound to this
// connection and service: whoever presents a session asks before, since its invoker may
// be another process. It is for transports of other protocols; no service decides by it.
func SessionExpiry(text, audience string, channel delegation.Channel) (time.Time, error) {
	u, err := token.ParseText(text, nil)
	if err != nil {
		return time.Time{}, err
	}
	c, err := u.VerifyUnrooted()
	if err != nil {
		return time.Time{}, err
	}
	chain, err := delegation.ReadUnregistered(c)
	if err != nil {
		return time.Time{}, err
	}
	inv := chain.Invocation
	if inv == nil || inv.Channel != channel || inv.Audience != audience {
		return time.Time{}, fmt.Errorf("it is no session with %q on this connection", audience)
	}
	return time.Unix(int64(inv.Expires), 0), nil
}
