package httpauth

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/whittle-auth/whittle/token/delegation"
)

// A SessionInvoker makes the token that is presented on one connection, in text form.
// It must be safe for concurrent use. [Hold] returns one.
type SessionInvoker interface {
	InvokeSession(ctx context.Context, audience string, channel delegation.Channel) (presented string, err error)
}

// SessionOptions are what an agent may want otherwise. Nil means the zero value, which
// is the safe choice.
type SessionOptions struct {
	// Base is copied for each connection: its TLSClientConfig, DialContext, timeouts
	// and protocols count. Its Proxy does not, since sessions are for a service that
	// ends TLS itself, and it must not have a DialTLSContext of its own. Nil means
	// the settings of [http.DefaultTransport].
	Base *http.Transport

	// MaxConnections bounds the connections that are open at a time; zero means 16.
	// Requests beyond what they carry wait. Over HTTP/1.1 each carries one at a time.
	MaxConnections int
}

// A SessionTransport is an [http.RoundTripper] that presents one token for each
// connection instead of one for each request, which spares a signature at both ends. It
// owns its connections: a token goes out on the very connection whose TLS exporter it is
// bound to (RFC 9266), and on no other. A new connection gets a new token, and a token is
// replaced before it ends.
//
// It is worth less than a [Transport]: nothing shows which requests the agent meant. The
// service must allow sessions ([Options.AllowSessions]), and must end TLS itself.
//
// It is for one origin only, over TLS 1.3 or TLS 1.2 with an extended master secret. As a
// Transport does, it fails for another origin, for a request that has an Authorization
// already, and for one that follows a redirect. It never tries twice. Bodies are not
// read ahead and have no limit.
type SessionTransport struct {
	target
	invoker SessionInvoker
	base    *http.Transport
	most    int
	now     func() time.Time

	// changed is closed, and another put in its place, when a connection may have
	// become free.
	changeMu sync.Mutex
	changed  chan struct{}

	mu      sync.Mutex
	open    []*session
	dialing bool
}

// NewSessionTransport returns a transport for one service: its origin, as in
// https://certs.example.org, and its name, as it knows itself.
func NewSessionTransport(origin, audience string, invoker SessionInvoker, o *SessionOptions) (*SessionTransport, error) {
	var options SessionOptions
	if o != nil {
		options = *o
	}
	t := &SessionTransport{invoker: invoker, most: options.MaxConnections, now: time.Now, changed: make(chan struct{})}
	var err error
	if t.target, err = newTarget(origin, audience, false); err != nil {
		return nil, err
	}
	if invoker == nil {
		return nil, fmt.Errorf("a transport needs an invoker")
	}
	if t.most <= 0 {
		t.most = 16
	}
	if t.base, err = sessionBase(options.Base); err != nil {
		return nil, err
	}
	return t, nil
}

// sessionBase returns what each connection's transport is copied from.
func sessionBase(base *http.Transport) (*http.Transport, error) {
	if base == nil {
		base, _ = http.DefaultTransport.(*http.Transport)
		if base == nil {
			return nil, fmt.Errorf("http.DefaultTransport is none of package net/http: give a base")
		}
	}
	//lint:ignore SA1019 The old field counts as the new one does.
	if base.DialTLSContext != nil || base.DialTLS != nil {
		return nil, fmt.Errorf("a base that makes TLS connections itself shows nothing of them")
	}
	base = base.Clone()
	base.Proxy, base.TLSNextProto = nil, nil
	if base.TLSClientConfig == nil {
		base.TLSClientConfig = &tls.Config{}
	}
	config := base.TLSClientConfig
	if base.Protocols == nil {
		base.Protocols = new(http.Protocols)
		base.Protocols.SetHTTP1(true)
		base.Protocols.SetHTTP2(true)
	}
	config.NextProtos = nil
	if base.Protocols.HTTP2() {
		config.NextProtos = append(config.NextProtos, "h2")
	}
	if base.Protocols.HTTP1() {
		config.NextProtos = append(config.NextProtos, "http/1.1")
	}
	if base.DialContext == nil {
		base.DialContext = (&net.Dialer{Timeout: 30 * time.Second}).DialContext
	}
	if base.TLSHandshakeTimeout == 0 {
		base.TLSHandshakeTimeout = 10 * time.Second
	}
	return base, nil
}

// RoundTrip sends one request on a connection that has a session, or on a new one.
func (t *SessionTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.send(r)
	if err != nil {
		if r.Body != nil {
			r.Body.Close() // a ClientConn leaves it open where it refuses the request itself
		}
		return nil, fmt.Errorf("httpauth: %w", err)
	}
	return resp, nil
}

func (t *SessionTransport) send(r *http.Request) (*http.Response, error) {
	s, text, err := t.prepare(r)
	if err != nil {
		return nil, err
	}
	out := r.Clone(r.Context())
	if out.Header == nil {
		out.Header = http.Header{}
	}
	out.Header.Set("Authorization", "Bearer "+text)
	resp, err := s.conn.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	resp.Request = r // which has no token
	return resp, nil
}

// prepare returns a connection on which a place is reserved, and its token.
func (t *SessionTransport) prepare(r *http.Request) (*session, string, error) {
	if err := t.admits(r); err != nil {
		return nil, "", err
	}
	s, err := t.reserve(r.Context())
	if err != nil {
		return nil, "", err
	}
	text, err := s.token(r.Context(), t)
	if err != nil {
		s.conn.Release()
		return nil, "", fmt.Errorf("invoking the token: %w", err)
	}
	return s, text, nil
}

// reserve returns a connection with a place for one more request. One connection is made
// at a time, since over HTTP/2 it can carry all that wait for it.
func (t *SessionTransport) reserve(ctx context.Context) (*session, error) {
	for {
		changed := t.change() // before looking, so that nothing is missed
		s, dial := t.free()
		if s != nil {
			return s, nil
		}
		if dial {
			return t.connect(ctx)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// free returns a connection with a place that is reserved now. If there is none, dial
// says that the caller must make one.
func (t *SessionTransport) free() (s *session, dial bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open = slices.DeleteFunc(t.open, func(s *session) bool { return s.conn.Err() != nil })
	for _, s := range t.open {
		if s.conn.Reserve() == nil {
			return s, false
		}
	}
	if t.dialing || len(t.open) >= t.most {
		return nil, false
	}
	t.dialing = true
	return nil, true
}

// connect makes a connection and reserves a place on it.
func (t *SessionTransport) connect(ctx context.Context) (*session, error) {
	s, err := t.dial(ctx)
	if err == nil {
		err = s.conn.Reserve() // before others see it
	}
	t.mu.Lock()
	t.dialing = false
	if err == nil {
		t.open = append(t.open, s)
	}
	t.mu.Unlock()
	t.wake()
	if err != nil && s != nil {
		s.conn.Close()
	}
	return s, err
}

// change returns a channel that is closed with the next change.
func (t *SessionTransport) change() <-chan struct{} {
	t.changeMu.Lock()
	defer t.changeMu.Unlock()
	return t.changed
}

// wake tells those who wait to look again. It takes no lock under which a connection is
// asked something, since connections call it then.
func (t *SessionTransport) wake() {
	t.changeMu.Lock()
	defer t.changeMu.Unlock()
	close(t.changed)
	t.changed = make(chan struct{})
}

// dial makes a connection whose channel is known.
func (t *SessionTransport) dial(ctx context.Context) (*session, error) {
	s := &session{turn: make(chan struct{}, 1)}
	base := t.base.Clone()
	base.DialTLSContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if s.channel != (delegation.Channel{}) {
			return nil, errors.New("a second connection would have another channel")
		}
		conn, err := t.handshake(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		state := conn.ConnectionState()
		if s.channel, err = delegation.ExporterChannel(&state); err != nil {
			conn.Close()
			return nil, err
		}
		return conn, nil
	}
	conn, err := base.NewClientConn(ctx, t.scheme, t.host)
	if err != nil {
		return nil, err
	}
	conn.SetStateHook(func(*http.ClientConn) { t.wake() })
	s.conn = conn
	return s, nil
}

func (t *SessionTransport) handshake(ctx context.Context, network, addr string) (*tls.Conn, error) {
	raw, err := t.base.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	config := t.base.TLSClientConfig.Clone()
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(addr)
	}
	ctx, cancel := context.WithTimeout(ctx, t.base.TLSHandshakeTimeout)
	defer cancel()
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, err
	}
	return conn, nil
}

// CloseIdleConnections closes the connections that carry no request. As with
// [http.Transport], a new request makes a new one.
func (t *SessionTransport) CloseIdleConnections() {
	t.mu.Lock()
	var idle []*session
	t.open = slices.DeleteFunc(t.open, func(s *session) bool {
		if s.conn.InFlight() > 0 {
			return false
		}
		idle = append(idle, s)
		return true
	})
	t.mu.Unlock()
	for _, s := range idle {
		s.conn.Close()
	}
	t.wake()
}
