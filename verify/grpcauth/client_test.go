package grpcauth_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/grpcauth"
	"github.com/whittle-auth/whittle/verify/httpauth"
)

// invoker is an agent elsewhere.
type invoker func(delegation.Request) (string, error)

func (f invoker) Invoke(_ context.Context, req delegation.Request) (string, error) { return f(req) }

// TestClientRefuses: nothing is sent of a call that is not to be signed.
func TestClientRefuses(t *testing.T) {
	w := newWorld(t)
	dial := w.serve(nil)
	over := func(dial func(...grpc.DialOption) *grpc.ClientConn, i httpauth.Invoker, opts ...grpc.DialOption) pb.TestServiceClient {
		c, err := grpcauth.NewClient(service, i, nil)
		if err != nil {
			t.Fatal(err)
		}
		return pb.NewTestServiceClient(dial(append(opts, grpc.WithChainUnaryInterceptor(c.Unary), grpc.WithChainStreamInterceptor(c.Stream))...))
	}
	with := func(i httpauth.Invoker, opts ...grpc.DialOption) pb.TestServiceClient { return over(dial, i, opts...) }
	hold := httpauth.Hold(w.held, w.agent)
	_, session := w.session()
	s, _ := w.session()
	for name, c := range map[string]struct {
		client pb.TestServiceClient
		md     []string
		opts   []grpc.CallOption
		say    string
	}{
		"an authorization":     {client: with(hold), md: []string{"authorization", "Bearer x"}, say: "already"},
		"in capitals":          {client: with(hold), md: []string{"Authorization", "Bearer x"}, say: "already"},
		"other credentials":    {client: with(hold), opts: []grpc.CallOption{grpc.PerRPCCredentials(s)}, say: "already"},
		"without TLS":          {client: over(w.plain(), hold, grpc.WithTransportCredentials(insecure.NewCredentials())), say: "insecure"},
		"a held token":         {client: with(invoker(func(delegation.Request) (string, error) { return w.held.Text(), nil })), say: "no presented"},
		"no token":             {client: with(invoker(func(delegation.Request) (string, error) { return "x", nil })), say: "no presented"},
		"an agent that is out": {client: with(invoker(func(delegation.Request) (string, error) { return "", errors.New("gone") })), say: "gone"},
	} {
		ctx := metadata.AppendToOutgoingContext(t.Context(), c.md...)
		_, err := c.client.UnaryCall(ctx, simple, c.opts...)
		if status.Code(err) != codes.Unauthenticated || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s, unary: %v", name, err)
		}
		_, err = c.client.StreamingOutputCall(ctx, three, c.opts...)
		if status.Code(err) != codes.Unauthenticated || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s, stream: %v", name, err)
		}
	}
	if _, err := with(hold).StreamingInputCall(t.Context()); err == nil || !strings.Contains(err.Error(), "unbound") {
		t.Errorf("a stream of the client's: %v", err)
	}
	if err := dial(w.client(nil)...).Invoke(t.Context(), unaryCall, "no message", nil); err == nil || !strings.Contains(err.Error(), "no protobuf message") {
		t.Errorf("no message: %v", err)
	}
	// Credentials of the connection are not seen by an interceptor: two tokens go out,
	// which the service denies.
	if _, err := with(hold, session).UnaryCall(t.Context(), simple); status.Code(err) != codes.Unauthenticated {
		t.Errorf("a session and an invocation: %v", err)
	}
	if w.count() != 0 {
		t.Errorf("%d calls were served", w.count())
	}
}

// TestStreamOpensWithItsMessage: before, nothing can be asked of it.
func TestStreamOpensWithItsMessage(t *testing.T) {
	w := newWorld(t)
	s, err := w.serve(nil)(w.client(nil)...).NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true}, outputCall)
	if err != nil {
		t.Fatal(err)
	}
	if s.Context() == nil || s.Trailer() != nil {
		t.Error("context or trailer")
	}
	if _, err := s.Header(); status.Code(err) != codes.FailedPrecondition {
		t.Error(err)
	}
	for name, err := range map[string]error{"receive": s.RecvMsg(new(pb.StreamingOutputCallResponse)), "close": s.CloseSend()} {
		if status.Code(err) != codes.FailedPrecondition {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.SendMsg(three); err != nil {
		t.Fatal(err)
	}
	if err := s.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if err := s.RecvMsg(new(pb.StreamingOutputCallResponse)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Header(); err != nil || s.Context() == nil {
		t.Error(err)
	}
}

// TestEachTryIsInvoked: where the connection is configured to try again, it is not a
// replay.
func TestEachTryIsInvoked(t *testing.T) {
	w := newWorld(t)
	tries := 0
	dial := w.serve(&grpcauth.Options{State: func(context.Context, string) (verify.State, error) {
		if tries++; tries < 3 {
			return verify.State{}, errors.New("not yet")
		}
		return verify.State{}, nil
	}})
	again := grpc.WithDefaultServiceConfig(`{"methodConfig": [{"name": [{}], "retryPolicy": {
		"maxAttempts": 3, "initialBackoff": "0.001s", "maxBackoff": "0.001s", "backoffMultiplier": 1, "retryableStatusCodes": ["UNAVAILABLE"]}}]}`)
	texts := map[string]bool{}
	hold := httpauth.Hold(w.held, w.agent)
	c, err := grpcauth.NewClient(service, invoker(func(req delegation.Request) (string, error) {
		text, err := hold.Invoke(t.Context(), req)
		texts[text] = true
		return text, err
	}), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pb.NewTestServiceClient(dial(again, grpc.WithChainUnaryInterceptor(c.Unary))).UnaryCall(t.Context(), simple); err != nil {
		t.Error(err)
	}
	if tries != 3 || len(texts) != 3 || w.count() != 1 {
		t.Errorf("%d tries with %d tokens, served %d times", tries, len(texts), w.count())
	}
}

func TestAllowInsecure(t *testing.T) {
	w := newWorld(t)
	c, err := grpcauth.NewClient(service, httpauth.Hold(w.held, w.agent), &grpcauth.ClientOptions{AllowInsecure: true})
	if err != nil {
		t.Fatal(err)
	}
	listener := w.plain()
	conn := listener(grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithChainUnaryInterceptor(c.Unary))
	if _, err := pb.NewTestServiceClient(conn).UnaryCall(t.Context(), simple); err != nil {
		t.Error(err)
	}
}

func TestNewClientRefuses(t *testing.T) {
	w := newWorld(t)
	if c, err := grpcauth.NewClient(service, nil, nil); err == nil || c != nil {
		t.Error("no invoker")
	}
	if c, err := grpcauth.NewClient(" x", httpauth.Hold(w.held, w.agent), nil); err == nil || c != nil {
		t.Error("no name")
	}
	if s, err := grpcauth.NewSession(service, nil); err == nil || s != nil {
		t.Error("no invoker of sessions")
	}
	if s, err := grpcauth.NewSession("", httpauth.Hold(w.held, w.agent)); err == nil || s != nil {
		t.Error("no name for a session")
	}
}

func TestCodeOf(t *testing.T) {
	for _, err := range []error{nil, errors.New("other"), status.Error(codes.PermissionDenied, "check_failed")} {
		if code := grpcauth.CodeOf(err); code != "" {
			t.Errorf("%v: %s", err, code)
		}
	}
}
