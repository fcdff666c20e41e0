package grpcauth

import (
	"context"
	"log/slog"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
)

// Options are what a service may want otherwise. The zero value is the safe choice.
type Options struct {
	// Mapping says what each call asks for; nil means that method and message say it by
	// themselves.
	Mapping *Mapping

	// State says what the service itself knows when a call of the named method comes in,
	// as in "/payments.v1.Certs/Rotate". An error denies it, with the code unavailable
	// unless [verify.CodeOf] has another. Nil means that there is nothing to say.
	State func(ctx context.Context, method string) (verify.State, error)

	// AllowSessions accepts tokens that are bound to the TLS connection instead of one
	// call. Set it only where this very server ends TLS, and no connection is shared by
	// several agents: behind a proxy, each of them could use the others' sessions. It
	// does nothing for a call that State gives a channel.
	AllowSessions bool

	// Logger is told why calls are denied, at the level Warn; nil means [slog.Default].
	// It never sees a token, but reasons repeat what was asked.
	Logger *slog.Logger
}

// Protect returns a registrar that puts a verifier in front of each service that is
// registered with it, on the server s. A service that is registered with s itself stays
// open to everybody, and so does a handler of unknown services.
//
// The token must be the one value of the metadata "authorization", with the scheme
// Bearer. What is denied gets a status with the code, and nothing else: see
// spec/grpc.md. It does not reach interceptors of unary calls.
//
// The message that the service gets is decoded, as protobuf, from the very bytes that
// were decided on, all of which are in memory until then: [grpc.MaxRecvMsgSize] bounds
// them, [grpc.MaxHeaderListSize] the metadata. Authorization is removed from its
// metadata. [DecisionFrom] and [RequestFrom] say what was decided.
//
// Protect panics where s or v is nil.
func Protect(s grpc.ServiceRegistrar, v *verify.Verifier, o *Options) grpc.ServiceRegistrar {
	if s == nil || v == nil {
		panic("grpcauth: nil server or verifier")
	}
	g := &guard{server: s, verifier: v}
	if o != nil {
		g.options = *o
	}
	return g
}

type guard struct {
	server   grpc.ServiceRegistrar
	verifier *verify.Verifier
	options  Options
}

// RegisterService registers the service with each of its methods protected.
func (g *guard) RegisterService(desc *grpc.ServiceDesc, impl any) {
	protected := *desc
	protected.Methods = make([]grpc.MethodDesc, len(desc.Methods))
	for i, m := range desc.Methods {
		protected.Methods[i] = grpc.MethodDesc{
			MethodName: m.MethodName, Handler: g.unary("/"+desc.ServiceName+"/"+m.MethodName, m.Handler),
		}
	}
	protected.Streams = make([]grpc.StreamDesc, len(desc.Streams))
	for i, s := range desc.Streams {
		s.Handler = g.stream("/"+desc.ServiceName+"/"+s.StreamName, s.ClientStreams, s.Handler)
		protected.Streams[i] = s
	}
	g.server.RegisterService(&protected, impl)
}

func (g *guard) unary(name string, next grpc.MethodHandler) grpc.MethodHandler {
	method, unmapped := g.options.Mapping.find(name)
	return func(srv any, ctx context.Context, dec func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
		c := &call{guard: g, ctx: ctx, name: name, method: method}
		if unmapped != nil {
			return nil, c.refuse(nil, refused(unmapped))
		}
		if err := c.credential(); err != nil {
			return nil, c.refuse(nil, err)
		}
		if method.AllowUnbound {
			o, err := c.decide(nil)
			if err != nil {
				return nil, err
			}
			return next(srv, o.context(ctx), dec, interceptor)
		}
		message, err := receive(dec)
		if err != nil {
			return nil, err
		}
		o, err := c.decide(message)
		if err != nil {
			return nil, err
		}
		return next(srv, o.context(ctx), func(m any) error { return c.decode(message, m) }, interceptor)
	}
}

// A call is one that came in, with its token.
type call struct {
	*guard
	ctx    context.Context // as it came in
	name   string
	method *method
	raw    string
}

var errNoCredential = token.Errorf(token.CodeNotPresented, -1, "the call has no authorization of the scheme Bearer")

// credential takes the text of the one token that came with a call (RFC 6750, section
// 2.1).
func (c *call) credential() error {
	values := metadata.ValueFromIncomingContext(c.ctx, "authorization")
	if len(values) == 0 {
		return errNoCredential
	}
	if len(values) > 1 {
		return token.Errorf(token.CodeMalformed, -1, "the call has %d values of authorization", len(values))
	}
	scheme, text, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return errNoCredential
	}
	c.raw = text
	return nil
}

// decide decides on the call with a message, nil where none is bound. The error is what
// the client is told.
func (c *call) decide(message []byte) (*outcome, error) {
	req, err := c.method.request(message)
	if err != nil {
		return nil, c.refuse(nil, refused(err))
	}
	state, err := c.state()
	if err != nil {
		return nil, c.refuse(nil, err)
	}
	decision, err := c.verifier.VerifyWith(c.ctx, c.raw, *req, state)
	if err != nil {
		return nil, c.refuse(decision, err)
	}
	return &outcome{decision, req}, nil
}

func (c *call) state() (s verify.State, err error) {
	if c.options.State != nil {
		if s, err = c.options.State(c.ctx, c.name); err != nil {
			return verify.State{}, err
		}
	}
	if !c.options.AllowSessions || s.Channel != (delegation.Channel{}) {
		return s, nil
	}
	if p, ok := peer.FromContext(c.ctx); ok {
		if info, ok := p.AuthInfo.(credentials.TLSInfo); ok {
			// A connection without an exporter has no channel, so that sessions deny.
			s.Channel, _ = delegation.ExporterChannel(&info.State)
		}
	}
	return s, nil
}

type contextKey struct{}

type outcome struct {
	decision *verify.Decision
	request  *delegation.Request
}

// context returns what the service gets: the metadata without the token, and what was
// decided.
func (o *outcome) context(ctx context.Context) context.Context {
	if md, ok := metadata.FromIncomingContext(ctx); ok { // a copy
		md.Delete("authorization")
		ctx = metadata.NewIncomingContext(ctx, md)
	}
	return context.WithValue(ctx, contextKey{}, *o)
}

// DecisionFrom returns the decision that let a call through, nil in a context that no
// service behind [Protect] got. On a stream it is the one about the first message.
func DecisionFrom(ctx context.Context) *verify.Decision {
	o, _ := ctx.Value(contextKey{}).(outcome)
	return o.decision
}

// RequestFrom returns what was decided on, nil likewise. It must not be changed.
func RequestFrom(ctx context.Context) *delegation.Request {
	o, _ := ctx.Value(contextKey{}).(outcome)
	return o.request
}
