package grpcauth_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	pb "google.golang.org/grpc/interop/grpc_testing"
	reflection "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify/grpcauth"
	"github.com/whittle-auth/whittle/verify/httpauth"
)

// three asks for three answers.
var three = &pb.StreamingOutputCallRequest{ResponseParameters: make([]*pb.ResponseParameters, 3)}

func init() {
	for i := range three.ResponseParameters {
		three.ResponseParameters[i] = &pb.ResponseParameters{Size: int32(i)}
	}
}

// TestServerStream: the one message of a call is bound, whose answers are many.
func TestServerStream(t *testing.T) {
	w := newWorld(t)
	dial := w.serve(nil)
	out, err := pb.NewTestServiceClient(dial(w.client(nil)...)).StreamingOutputCall(t.Context(), three)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := out.Recv(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := out.Recv(); err != io.EOF {
		t.Error(err)
	}
	if w.count() != 1 || w.served[0].decision == nil || w.served[0].authorization != nil {
		t.Fatalf("served %+v", w.served)
	}
	message := encoded(t, three)
	req := unary(message)
	req.Operation = "StreamingOutputCall"
	text := w.invoke(req)
	desc := &grpc.StreamDesc{ServerStreams: true}
	for _, c := range []struct {
		name    string
		message []byte
		code    token.Code
		want    codes.Code
	}{
		{"as signed", message, "", 0},
		{"again", message, token.CodeReplay, codes.Unauthenticated},
		{"another", nil, token.CodeCheckFailed, codes.PermissionDenied},
	} {
		s, err := dial().NewStream(with(t, "Bearer "+text), desc, outputCall)
		if err == nil {
			err = s.SendMsg(grpcauth.Carry(c.message))
		}
		if err == nil {
			err = s.CloseSend()
		}
		if err != nil {
			t.Fatal(err)
		}
		expect(t, c.name, s.RecvMsg(new(pb.StreamingOutputCallResponse)), c.want, c.code)
	}
	if w.count() != 2 {
		t.Errorf("served %d times", w.count())
	}
}

// TestStreamWithoutMessage: the service is not called before there is something to decide
// on.
func TestStreamWithoutMessage(t *testing.T) {
	w := newWorld(t)
	s, err := w.serve(nil)().NewStream(with(t, "Bearer "+w.invoke(unary(nil))), &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, reflectOn)
	if err == nil {
		err = s.CloseSend()
	}
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "none", s.RecvMsg(new(reflection.ServerReflectionResponse)), codes.PermissionDenied, token.CodeCheckFailed)
}

// TestClientStream: an invocation binds one message, so that it opens a stream of the
// client's only where that is allowed by name.
func TestClientStream(t *testing.T) {
	w := newWorld(t)
	message := encoded(t, &pb.StreamingInputCallRequest{})
	req := unary(message)
	req.Operation = "StreamingInputCall"
	s, err := w.serve(nil)().NewStream(with(t, "Bearer "+w.invoke(req)), &grpc.StreamDesc{ClientStreams: true}, inputCall)
	if err == nil {
		err = s.SendMsg(grpcauth.Carry(message))
	}
	if err == nil {
		err = s.CloseSend() // or who is not denied is waited for
	}
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "one message of many", s.RecvMsg(new(pb.StreamingInputCallResponse)), codes.PermissionDenied, token.CodeCheckFailed)
	if w.count() != 0 {
		t.Error("served")
	}

	mapping, err := grpcauth.NewMapping(
		grpcauth.Method{Name: inputCall, AllowUnbound: true},
		grpcauth.Method{Name: unaryCall, AllowUnbound: true},
	)
	if err != nil {
		t.Fatal(err)
	}
	dial := w.serve(&grpcauth.Options{Mapping: mapping})
	conn := dial(w.client(&grpcauth.ClientOptions{Mapping: mapping})...)
	in, err := pb.NewTestServiceClient(conn).StreamingInputCall(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := in.Send(&pb.StreamingInputCallRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := in.CloseAndRecv(); err != nil {
		t.Fatal(err)
	}
	if _, err := pb.NewTestServiceClient(conn).UnaryCall(t.Context(), simple); err != nil {
		t.Fatal(err)
	}
	if w.count() != 4 || w.served[3].request.BodyDigest != nil {
		t.Errorf("served %+v", w.served)
	}
	unbound := unary(nil)
	unbound.BodyDigest = nil
	expect(t, "unbound where it is bound", send(t, w.serve(nil)(), unaryCall, w.invoke(unbound), nil), codes.PermissionDenied, token.CodeCheckFailed)
	expect(t, "bound where it is not", send(t, dial(), unaryCall, w.invoke(unary(nil)), nil), codes.PermissionDenied, token.CodeCheckFailed)
}

// loopback starts a server on the loopback and returns what connects to it.
func (w *world) loopback(o *grpcauth.Options) func(...grpc.DialOption) *grpc.ClientConn {
	w.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	w.start(l, o)
	return func(opts ...grpc.DialOption) *grpc.ClientConn { return w.dial(l.Addr().String(), opts...) }
}

// session is the dial option of an agent that holds a session.
func (w *world) session() (*grpcauth.Session, grpc.DialOption) {
	w.t.Helper()
	s, err := grpcauth.NewSession(service, httpauth.Hold(w.held, w.agent))
	if err != nil {
		w.t.Fatal(err)
	}
	return s, grpc.WithPerRPCCredentials(s)
}

// TestSession: a session serves any number of calls on its own connection, where the
// service allows it by name.
func TestSession(t *testing.T) {
	w := newWorld(t)
	call := func(conn *grpc.ClientConn) error {
		_, err := pb.NewTestServiceClient(conn).UnaryCall(t.Context(), simple)
		return err
	}
	_, creds := w.session()
	expect(t, "not allowed", call(w.loopback(nil)(creds)), codes.PermissionDenied, token.CodeCheckFailed)
	dial := w.loopback(&grpcauth.Options{AllowSessions: true})
	conn, other := dial(creds), dial(creds)
	for range 3 {
		expect(t, "one connection", call(conn), 0, "")
		expect(t, "another connection", call(other), 0, "")
	}
	// The token of one connection on another.
	s, _ := w.session()
	stolen := &thief{s: s}
	expect(t, "its own", call(dial(grpc.WithPerRPCCredentials(stolen))), 0, "")
	expect(t, "somebody else's", call(dial(grpc.WithPerRPCCredentials(stolen))), codes.PermissionDenied, token.CodeCheckFailed)
	if w.count() != 7 {
		t.Errorf("served %d times", w.count())
	}
}

// counting invokes as another invoker does, and counts.
type counting struct {
	httpauth.SessionInvoker
	sessions int
}

func (c *counting) InvokeSession(ctx context.Context, audience string, channel delegation.Channel) (string, error) {
	c.sessions++
	return c.SessionInvoker.InvokeSession(ctx, audience, channel)
}

// sessionInvoker is an agent elsewhere.
type sessionInvoker func(audience string, channel delegation.Channel) (string, error)

func (f sessionInvoker) InvokeSession(_ context.Context, audience string, channel delegation.Channel) (string, error) {
	return f(audience, channel)
}

// TestSessionOfAnotherProcess: one token is made for each connection, and only what is one
// goes out.
func TestSessionOfAnotherProcess(t *testing.T) {
	w := newWorld(t)
	hold := httpauth.Hold(w.held, w.agent)
	dial := w.loopback(&grpcauth.Options{AllowSessions: true})
	calls := func(i httpauth.SessionInvoker) error {
		s, err := grpcauth.NewSession(service, i)
		if err != nil {
			t.Fatal(err)
		}
		client := pb.NewTestServiceClient(dial(grpc.WithPerRPCCredentials(s)))
		for range 3 {
			if _, err := client.UnaryCall(t.Context(), simple); err != nil {
				return err
			}
		}
		return nil
	}
	c := &counting{SessionInvoker: hold}
	if err := calls(c); err != nil || c.sessions != 1 {
		t.Errorf("%d sessions, %v", c.sessions, err)
	}
	other := delegation.Channel{Kind: delegation.TLSExporter, Value: [32]byte{1}}
	for name, f := range map[string]sessionInvoker{
		"gone":               func(string, delegation.Channel) (string, error) { return "", errors.New("gone") },
		"rubbish":            func(string, delegation.Channel) (string, error) { return "x", nil },
		"the held token":     func(string, delegation.Channel) (string, error) { return w.held.Text(), nil },
		"an invocation":      func(string, delegation.Channel) (string, error) { return w.invoke(unary(nil)), nil },
		"another connection": func(a string, _ delegation.Channel) (string, error) { return hold.InvokeSession(t.Context(), a, other) },
		"one that has ended": func(a string, c delegation.Channel) (string, error) {
			now := time.Now()
			s, err := attenuate.InvokeSessionAt(w.held, w.agent, a, c, now.Add(-2*time.Minute), now.Add(-time.Minute))
			if err != nil {
				return "", err
			}
			return s.Text(), nil
		},
		"another service": func(_ string, c delegation.Channel) (string, error) {
			return hold.InvokeSession(t.Context(), "svc:other", c)
		},
	} {
		before := w.count()
		if err := calls(f); status.Code(err) != codes.Unauthenticated || grpcauth.CodeOf(err) != "" || w.count() != before {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// thief presents what it got for the first connection on all.
type thief struct {
	s    *grpcauth.Session
	kept map[string]string
}

func (t *thief) RequireTransportSecurity() bool { return true }

func (t *thief) GetRequestMetadata(ctx context.Context, uri ...string) (map[string]string, error) {
	if t.kept == nil {
		var err error
		if t.kept, err = t.s.GetRequestMetadata(ctx, uri...); err != nil {
			return nil, err
		}
	}
	return t.kept, nil
}

// TestSessionDecidesEachMessage: on a stream of the client's each message is a request of
// its own, and one that is denied ends the stream whatever the service does.
func TestSessionDecidesEachMessage(t *testing.T) {
	mapping, err := grpcauth.NewMapping(grpcauth.Method{Name: reflectOn, Operation: "look", Resource: "hosts/{host}"})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, delegation.Resource("hosts/a", "hosts/b"))
	_, creds := w.session()
	conn := w.loopback(&grpcauth.Options{Mapping: mapping, AllowSessions: true})(creds)
	open := func() grpc.BidiStreamingClient[reflection.ServerReflectionRequest, reflection.ServerReflectionResponse] {
		s, err := reflection.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	ask := func(s grpc.BidiStreamingClient[reflection.ServerReflectionRequest, reflection.ServerReflectionResponse], host string) (string, error) {
		if err := s.Send(&reflection.ServerReflectionRequest{Host: host}); err != nil {
			t.Fatal(err)
		}
		res, err := s.Recv()
		return res.GetValidHost(), err
	}
	s := open()
	for _, host := range []string{"a", "b", "a"} {
		if got, err := ask(s, host); err != nil || got != host {
			t.Fatal(got, err)
		}
	}
	_, err = ask(s, "c")
	expect(t, "beyond", err, codes.PermissionDenied, token.CodeCheckFailed)
	_, err = ask(open(), "c")
	expect(t, "beyond, at first", err, codes.PermissionDenied, token.CodeCheckFailed)
	if w.count() != 3 {
		t.Errorf("served %d messages", w.count())
	}
}

// TestStreamEndsWithTheToken: what the server sends was decided on once, and is not sent
// when the token has expired.
func TestStreamEndsWithTheToken(t *testing.T) {
	var expires time.Time
	w := newWorldAt(t, func() time.Time { return expires.Add(-100 * time.Millisecond) })
	chain, err := delegation.Read(w.held)
	if err != nil {
		t.Fatal(err)
	}
	end, _ := chain.Scope.Expires()
	expires = end.Time()
	w.output = func(out grpc.ServerStreamingServer[pb.StreamingOutputCallResponse]) error {
		for range 2 {
			if err := out.Send(&pb.StreamingOutputCallResponse{}); err != nil {
				return nil // a service that ignores errors
			}
			<-out.Context().Done()
		}
		return nil
	}
	message := encoded(t, three)
	req := unary(message)
	req.Operation, req.Audience = "StreamingOutputCall", service
	c, err := attenuate.InvokeAt(w.held, w.agent, req, expires.Add(-time.Minute), expires)
	if err != nil {
		t.Fatal(err)
	}
	s, err := w.serve(nil)().NewStream(with(t, "Bearer "+c.Text()), &grpc.StreamDesc{ServerStreams: true}, outputCall)
	if err == nil {
		err = s.SendMsg(grpcauth.Carry(message))
	}
	if err == nil {
		err = s.CloseSend()
	}
	if err != nil {
		t.Fatal(err)
	}
	// On a machine that does other work the end may come before the first.
	received := 0
	for err == nil {
		if err = s.RecvMsg(new(pb.StreamingOutputCallResponse)); err == nil {
			received++
		}
	}
	expect(t, "after the end", err, codes.Unauthenticated, token.CodeExpired)
	if received > 1 {
		t.Errorf("%d messages were sent", received)
	}
}
