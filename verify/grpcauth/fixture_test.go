package grpcauth_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	health "google.golang.org/grpc/health/grpc_health_v1"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	reflection "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/grpcauth"
	"github.com/whittle-auth/whittle/verify/httpauth"
	"github.com/whittle-auth/whittle/verify/replay"
)

const (
	service    = "svc:test"
	unaryCall  = "/grpc.testing.TestService/UnaryCall"
	checkCall  = "/grpc.health.v1.Health/Check"
	outputCall = "/grpc.testing.TestService/StreamingOutputCall"
	inputCall  = "/grpc.testing.TestService/StreamingInputCall"
	reflectOn  = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
)

// A world is a server with one person's root, and an agent that holds a token.
type world struct {
	t        *testing.T
	verifier *verify.Verifier
	agent    token.PrivateKey
	held     token.Chain

	// output answers StreamingOutputCall; nil answers as is asked.
	output func(grpc.ServerStreamingServer[pb.StreamingOutputCallResponse]) error

	log    lockedBuffer
	mu     sync.Mutex
	served []served // what reached the service behind Protect
}

// served is what the protected service saw.
type served struct {
	message       proto.Message
	authorization []string
	decision      *verify.Decision
	request       *delegation.Request
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func key(t testing.TB) token.PrivateKey {
	t.Helper()
	k, err := token.GenerateKey(datalog.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// newWorld mints a token that allows everything at the test's services, as far as the
// caveats go.
func newWorld(t *testing.T, caveats ...delegation.Caveat) *world {
	return newWorldAt(t, nil, caveats...)
}

// newWorldAt has a verifier with a clock of its own.
func newWorldAt(t *testing.T, now func() time.Time, caveats ...delegation.Caveat) *world {
	t.Helper()
	root, w := key(t), &world{t: t, agent: key(t)}
	memory, err := replay.NewMemory(time.Now(), &replay.Options{FirstStart: true})
	if err != nil {
		t.Fatal(err)
	}
	roots, err := trust.Parse([]byte(`alice@example.com namespaces="whittle" ` + root.Public().AuthorizedKey("")))
	if err != nil {
		t.Fatal(err)
	}
	if w.verifier, err = verify.New(service, roots, &verify.Options{Replay: memory, Now: now}); err != nil {
		t.Fatal(err)
	}
	caveats = append([]delegation.Caveat{
		delegation.Resource("grpc.testing.TestService", "grpc.reflection.v1.ServerReflection", "health/**", "hosts/**"),
		delegation.Operation("UnaryCall", "StreamingOutputCall", "StreamingInputCall", "Check", "ServerReflectionInfo", "look"),
	}, caveats...)
	if w.held, err = attenuate.Mint(root, attenuate.Grant{
		Delegator: "alice@example.com", Agent: "agent:ci", AgentKey: w.agent.Public(), TTL: time.Hour,
	}, caveats...); err != nil {
		t.Fatal(err)
	}
	return w
}

// tlsConfig has the certificate that net/http tests with.
var tlsConfig = sync.OnceValues(func() (server, client credentials.TransportCredentials) {
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return credentials.NewServerTLSFromCert(&s.TLS.Certificates[0]), credentials.NewClientTLSFromCert(pool, "example.com")
})

// serve starts the services behind Protect, over TLS, and returns what connects to them.
func (w *world) serve(o *grpcauth.Options, opts ...grpc.ServerOption) func(...grpc.DialOption) *grpc.ClientConn {
	w.t.Helper()
	listener := bufconn.Listen(1 << 20)
	w.start(listener, o, opts...)
	return func(opts ...grpc.DialOption) *grpc.ClientConn {
		return w.dial("passthrough:///test", append(opts, grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return listener.DialContext(ctx)
		}))...)
	}
}

// plain is serve without TLS.
func (w *world) plain() func(...grpc.DialOption) *grpc.ClientConn {
	w.t.Helper()
	return w.serve(nil, grpc.Creds(insecure.NewCredentials()))
}

func (w *world) start(l net.Listener, o *grpcauth.Options, opts ...grpc.ServerOption) {
	if o == nil {
		o = &grpcauth.Options{}
	}
	o.Logger = slog.New(slog.NewTextHandler(&w.log, nil))
	creds, _ := tlsConfig()
	s := grpc.NewServer(append([]grpc.ServerOption{grpc.Creds(creds)}, opts...)...)
	protected := grpcauth.Protect(s, w.verifier, o)
	pb.RegisterTestServiceServer(protected, testService{w: w})
	health.RegisterHealthServer(protected, healthService{w: w})
	reflection.RegisterServerReflectionServer(protected, reflectionService{w: w})
	go s.Serve(l)
	w.t.Cleanup(s.Stop)
}

func (w *world) dial(target string, opts ...grpc.DialOption) *grpc.ClientConn {
	w.t.Helper()
	_, creds := tlsConfig()
	conn, err := grpc.NewClient(target, append([]grpc.DialOption{grpc.WithTransportCredentials(creds)}, opts...)...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { conn.Close() })
	return conn
}

// client is the agent's, with its interceptors.
func (w *world) client(o *grpcauth.ClientOptions) []grpc.DialOption {
	w.t.Helper()
	c, err := grpcauth.NewClient(service, httpauth.Hold(w.held, w.agent), o)
	if err != nil {
		w.t.Fatal(err)
	}
	return []grpc.DialOption{grpc.WithChainUnaryInterceptor(c.Unary), grpc.WithChainStreamInterceptor(c.Stream)}
}

// invoke makes the token that is presented with a call.
func (w *world) invoke(req delegation.Request) string {
	w.t.Helper()
	if req.Audience == "" {
		req.Audience = service
	}
	c, err := attenuate.Invoke(w.held, w.agent, req)
	if err != nil {
		w.t.Fatal(err)
	}
	return c.Text()
}

// unary is what a call of UnaryCall with a message asks for.
func unary(message []byte) delegation.Request {
	sum := sha256.Sum256(message)
	return delegation.Request{Operation: "UnaryCall", Resource: "grpc.testing.TestService", BodyDigest: sum[:]}
}

func encoded(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// with is a context that sends values of authorization.
func with(t *testing.T, values ...string) context.Context {
	md := metadata.MD{}
	if len(values) > 0 {
		md["authorization"] = values
	}
	return metadata.NewOutgoingContext(t.Context(), md)
}

// send sends bytes as the message of UnaryCall, with a token.
func send(t *testing.T, conn *grpc.ClientConn, method, text string, message []byte) error {
	return conn.Invoke(with(t, "Bearer "+text), method, grpcauth.Carry(message), new(pb.SimpleResponse))
}

// expect holds the error of a call against a code, empty for what is allowed. A denied
// client must not learn more than it.
func expect(t *testing.T, name string, err error, want codes.Code, code token.Code) {
	t.Helper()
	if code == "" {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		return
	}
	s := status.Convert(err)
	if s.Code() != want || s.Message() != string(code) || grpcauth.CodeOf(err) != code || len(s.Details()) != 1 {
		t.Errorf("%s: %v with the code %q, want %s with %s and nothing else", name, err, grpcauth.CodeOf(err), want, code)
	}
}

func (w *world) record(ctx context.Context, m proto.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.served = append(w.served, served{m, metadata.ValueFromIncomingContext(ctx, "authorization"), grpcauth.DecisionFrom(ctx), grpcauth.RequestFrom(ctx)})
}

// count returns how much reached the service.
func (w *world) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.served)
}

type testService struct {
	pb.UnimplementedTestServiceServer
	w *world
}

func (s testService) UnaryCall(ctx context.Context, m *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	s.w.record(ctx, m)
	return &pb.SimpleResponse{Username: "done"}, nil
}

func (s testService) StreamingOutputCall(m *pb.StreamingOutputCallRequest, out grpc.ServerStreamingServer[pb.StreamingOutputCallResponse]) error {
	s.w.record(out.Context(), m)
	if s.w.output != nil {
		return s.w.output(out)
	}
	for range m.ResponseParameters {
		if err := out.Send(&pb.StreamingOutputCallResponse{}); err != nil {
			return err
		}
	}
	return nil
}

func (s testService) StreamingInputCall(in grpc.ClientStreamingServer[pb.StreamingInputCallRequest, pb.StreamingInputCallResponse]) error {
	for {
		m, err := in.Recv()
		if err == io.EOF {
			return in.SendAndClose(&pb.StreamingInputCallResponse{})
		}
		if err != nil {
			return err
		}
		s.w.record(in.Context(), m)
	}
}

type healthService struct {
	health.UnimplementedHealthServer
	w *world
}

func (s healthService) Check(ctx context.Context, m *health.HealthCheckRequest) (*health.HealthCheckResponse, error) {
	s.w.record(ctx, m)
	return &health.HealthCheckResponse{Status: health.HealthCheckResponse_SERVING}, nil
}

// reflectionService answers each message, and goes on whatever it gets: a service that
// ignores errors.
type reflectionService struct {
	reflection.UnimplementedServerReflectionServer
	w *world
}

func (s reflectionService) ServerReflectionInfo(stream grpc.BidiStreamingServer[reflection.ServerReflectionRequest, reflection.ServerReflectionResponse]) error {
	for {
		m, err := stream.Recv()
		if err != nil {
			_ = stream.Send(&reflection.ServerReflectionResponse{ValidHost: "after the end"})
			return nil
		}
		s.w.record(stream.Context(), m)
		if err := stream.Send(&reflection.ServerReflectionResponse{ValidHost: m.Host}); err != nil {
			return nil
		}
	}
}
