package grpcauth

import (
	"context"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc/credentials"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
)

// maxConnections bounds for how many connections a [Session] keeps a token.
const maxConnections = 16

// A Session is a [credentials.PerRPCCredentials] that invokes a held token for a TLS
// connection instead of each call. The token goes with every call on that connection, and
// the service decides on each of them, where it allows sessions at all.
//
// It is worth less than a [Client]: nothing shows which calls the holder meant. Prefer a
// Client, unless a signature for each call is too slow or the agent streams messages.
// Use it with [grpc.WithPerRPCCredentials], without the interceptors of a Client.
type Session struct {
	audience string
	held     token.Chain
	holder   token.Signer

	mu     sync.Mutex
	tokens map[delegation.Channel]opened
}

type opened struct {
	text string
	at   time.Time
}

// NewSession returns the credentials for the service of the given name, by a token that
// holder is the holder of.
func NewSession(audience string, held token.Chain, holder token.Signer) (*Session, error) {
	if held == nil || holder == nil {
		return nil, fmt.Errorf("a session needs a held token and its holder's key")
	}
	if err := delegation.ValidName(audience); err != nil {
		return nil, fmt.Errorf("audience %q: %w", audience, err)
	}
	return &Session{audience: audience, held: held, holder: holder, tokens: map[delegation.Channel]opened{}}, nil
}

// RequireTransportSecurity reports true: without TLS there is nothing to bind to.
func (s *Session) RequireTransportSecurity() bool { return true }

// GetRequestMetadata returns the token for the connection that a call goes out on. It
// makes a new one when half of [attenuate.SessionWindow] is over.
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
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.tokens[channel]; ok && time.Since(t.at) < attenuate.SessionWindow/2 {
		return bearer(t.text), nil
	}
	c, err := attenuate.InvokeSession(s.held, s.holder, s.audience, channel)
	if err != nil {
		return nil, unsent(fmt.Errorf("invoking the token: %w", err))
	}
	s.forget()
	s.tokens[channel] = opened{c.Text(), time.Now()}
	return bearer(c.Text()), nil
}

// forget makes room for one more connection: that with the oldest token goes.
func (s *Session) forget() {
	if len(s.tokens) < maxConnections {
		return
	}
	var oldest delegation.Channel
	for channel, t := range s.tokens {
		if oldest == (delegation.Channel{}) || t.at.Before(s.tokens[oldest].at) {
			oldest = channel
		}
	}
	delete(s.tokens, oldest)
}
