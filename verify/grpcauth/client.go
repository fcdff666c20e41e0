package grpcauth

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify/httpauth"
)

// ClientOptions are what an agent may want otherwise. The zero value is the safe choice.
type ClientOptions struct {
	// Mapping says what each call asks for. It must be the service's.
	Mapping *Mapping

	// AllowInsecure sends tokens without TLS: whoever sees one on the way can use it
	// first.
	AllowInsecure bool
}

// A Client invokes a token for each call of one service. It sends presented tokens
// only, never the held one.
//
// Its interceptors must be the last of a connection, so that the bytes that they sign are
// the bytes that are sent: an interceptor after them would see a message that has no
// fields. A call that has an authorization already fails before anything is sent.
//
// It never tries twice by itself. Where the configuration of the connection has grpc try
// again, each try has an invocation of its own.
type Client struct {
	audience string
	invoker  httpauth.Invoker
	options  ClientOptions
}

// NewClient returns a client for the service of the given name, as it knows itself. See
// [httpauth.Hold] for an invoker in this process. Nil options are the safe ones.
func NewClient(audience string, invoker httpauth.Invoker, o *ClientOptions) (*Client, error) {
	if invoker == nil {
		return nil, fmt.Errorf("a client needs an invoker")
	}
	if err := delegation.ValidName(audience); err != nil {
		return nil, fmt.Errorf("audience %q: %w", audience, err)
	}
	c := &Client{audience: audience, invoker: invoker}
	if o != nil {
		c.options = *o
	}
	return c, nil
}

// Unary is a [grpc.UnaryClientInterceptor].
func (c *Client) Unary(ctx context.Context, name string, req, reply any, cc *grpc.ClientConn, invoker grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	method, err := c.options.Mapping.find(name)
	if err == nil {
		err = alone(ctx, opts)
	}
	if err != nil {
		return unsent(err)
	}
	var message []byte
	if !method.AllowUnbound {
		if message, err = encode(req); err != nil {
			return unsent(err)
		}
		req = carry(message)
	}
	creds, err := c.bind(method, message)
	if err != nil {
		return unsent(err)
	}
	return invoker(ctx, name, req, reply, cc, append(opts[:len(opts):len(opts)], grpc.PerRPCCredentials(creds))...)
}

// Stream is a [grpc.StreamClientInterceptor]. A stream that binds its message opens
// with it: nothing can be asked of the stream before. One that the client sends several
// messages on fails, unless the mapping allows that they are not bound: use a [Session].
func (c *Client) Stream(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, name string, streamer grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	method, err := c.options.Mapping.find(name)
	if err == nil {
		err = alone(ctx, opts)
	}
	if err == nil && desc.ClientStreams && !method.AllowUnbound {
		err = errUnbound
	}
	if err != nil {
		return nil, unsent(err)
	}
	open := func(message []byte) (grpc.ClientStream, error) {
		creds, err := c.bind(method, message)
		if err != nil {
			return nil, unsent(err)
		}
		return streamer(ctx, desc, cc, name, append(opts[:len(opts):len(opts)], grpc.PerRPCCredentials(creds))...)
	}
	if method.AllowUnbound {
		return open(nil)
	}
	return &clientStream{ctx: ctx, open: open}, nil
}

// alone refuses a call that has a credential already.
func alone(ctx context.Context, opts []grpc.CallOption) error {
	md, _ := metadata.FromOutgoingContext(ctx)
	has := len(md.Get("authorization")) > 0
	for _, o := range opts {
		_, creds := o.(grpc.PerRPCCredsCallOption)
		has = has || creds
	}
	if has {
		return fmt.Errorf("the call has credentials already")
	}
	return nil
}

// unsent is the error of a call that nothing was sent of.
func unsent(err error) error {
	return status.Errorf(codes.Unauthenticated, "grpcauth: %v", err)
}

// clientStream opens a stream when its one message is there to be signed.
type clientStream struct {
	ctx  context.Context
	open func(message []byte) (grpc.ClientStream, error)
	grpc.ClientStream
}

var errNotOpen = status.Error(codes.FailedPrecondition, "grpcauth: the stream opens with its message")

func (s *clientStream) SendMsg(m any) error {
	if s.ClientStream != nil {
		return s.ClientStream.SendMsg(m)
	}
	message, err := encode(m)
	if err != nil {
		return unsent(err)
	}
	opened, err := s.open(message)
	if err != nil {
		return err
	}
	s.ClientStream = opened
	return opened.SendMsg(carry(message))
}

func (s *clientStream) RecvMsg(m any) error {
	if s.ClientStream == nil {
		return errNotOpen
	}
	return s.ClientStream.RecvMsg(m)
}

func (s *clientStream) Header() (metadata.MD, error) {
	if s.ClientStream == nil {
		return nil, errNotOpen
	}
	return s.ClientStream.Header()
}

func (s *clientStream) Trailer() metadata.MD {
	if s.ClientStream == nil {
		return nil
	}
	return s.ClientStream.Trailer()
}

func (s *clientStream) CloseSend() error {
	if s.ClientStream == nil {
		return errNotOpen
	}
	return s.ClientStream.CloseSend()
}

func (s *clientStream) Context() context.Context {
	if s.ClientStream == nil {
		return s.ctx
	}
	return s.ClientStream.Context()
}

// bind returns the credentials of one call.
func (c *Client) bind(m *method, message []byte) (credentials.PerRPCCredentials, error) {
	req, err := m.request(message)
	if err != nil {
		return nil, err
	}
	req.Audience = c.audience
	return &bound{c, req}, nil
}

// bound are the credentials of one call. grpc asks for them when it knows the
// connection, once for each try.
type bound struct {
	client  *Client
	request *delegation.Request
}

func (b *bound) RequireTransportSecurity() bool { return !b.client.options.AllowInsecure }

func (b *bound) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	return b.client.invoke(ctx, b.request)
}

func (c *Client) invoke(ctx context.Context, req *delegation.Request) (map[string]string, error) {
	text, err := c.invoker.Invoke(ctx, *req)
	if err != nil {
		return nil, unsent(fmt.Errorf("invoking the token: %w", err))
	}
	if u, err := token.ParseText(text, nil); err != nil || u.Form() == token.Held {
		return nil, unsent(fmt.Errorf("what the invoker returned is no presented token"))
	}
	return bearer(text), nil
}

func bearer(text string) map[string]string {
	return map[string]string{"authorization": "Bearer " + text}
}
