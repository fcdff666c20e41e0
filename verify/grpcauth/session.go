package grpcauth

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc/credentials"

	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify/httpauth"
)

// maxConnections bounds for how many connections a [Session] keeps a token.
const maxConnections = 16

// A Session is a [credentials.PerRPCCredentials] that presents one token for each TLS
// connection instead of one for each call. The token goes with every call on the very
// connection that it is bound to, and the service decides on each of them, where it allows
// sessions at all ([Options.AllowSessions]). It is replaced before it ends.
//
// It is worth less than a [Client]: nothing shows which calls the holder meant. Prefer a
// Client, unless a signature for each call is too slow or the agent streams messages.
// Use it with [grpc.WithPerRPCCredentials], without the interceptors of a Client.
type Session struct {
	audience string
	invoker  httpauth.SessionInvoker

	// turn is taken by whoever looks at the tokens, so that one is made for all who wait.
	turn   chan struct{}
	tokens map[delegation.Channel]opened
}

type opened struct {
	text  string
	renew time.Time
}

// NewSession returns the credentials for the service of the given name, as it knows
// itself. See [httpauth.Hold] for an invoker in this process.
func NewSession(audience string, invoker httpauth.SessionInvoker) (*Session, error) {
	if invoker == nil {
		return nil, fmt.Errorf("a session needs an invoker")
	}
	if err := delegation.ValidName(audience); err != nil {
		return nil, fmt.Errorf("audience %q: %w", audience, err)
	}
	return &Session{audience: audience, invoker: invoker, turn: make(chan struct{}, 1), tokens: map[delegation.Channel]opened{}}, nil
}

// RequireTransportSecurity reports true: without TLS there is nothing to bind to.
func (s *Session) RequireTransportSecurity() bool { return true }

// GetRequestMetadata returns the token for the connection that a call goes out on, a new
// one where the last has lived three quarters of its time.
func (s *Session) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	call, _ := credentials.RequestInfoFromContext(ctx)
	info, ok := call.AuthInfo.(credentials.TLSInfo)
	if !ok {
		return nil, unsent(fmt.Errorf("a session needs a connection with TLS"))
	}
	channel, err := delegation.ExporterChannel(&info.State)
	if err != nil {
		return nil, unsent(err)
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	now := time.Now()
	if t, ok := s.tokens[channel]; ok && now.Before(t.renew) {
		return bearer(t.text), nil
	}
	text, err := s.invoker.InvokeSession(ctx, s.audience, channel)
	if err != nil {
		return nil, unsent(fmt.Errorf("invoking the token: %w", err))
	}
	expires, err := httpauth.SessionExpiry(text, s.audience, channel)
	if err != nil {
		return nil, unsent(fmt.Errorf("what the invoker returned: %w", err))
	}
	left := expires.Sub(now)
	if left <= 0 {
		return nil, unsent(fmt.Errorf("what the invoker returned has ended"))
	}
	s.forget()
	s.tokens[channel] = opened{text, now.Add(left / 4 * 3)}
	return bearer(text), nil
}

// forget makes room for one more connection: that whose token ends first goes.
func (s *Session) forget() {
	if len(s.tokens) < maxConnections {
		return
	}
	var first delegation.Channel
	for channel, t := range s.tokens {
		if first == (delegation.Channel{}) || t.renew.Before(s.tokens[first].renew) {
			first = channel
		}
	}
	delete(s.tokens, first)
}
