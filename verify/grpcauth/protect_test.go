package grpcauth_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	health "google.golang.org/grpc/health/grpc_health_v1"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/grpcauth"
)

var simple = &pb.SimpleRequest{ResponseSize: 7, FillUsername: true, Payload: &pb.Payload{Body: []byte("body")}}

// TestProtect: an ordinary client with the interceptors is let through, each time anew,
// and the service learns what was decided.
func TestProtect(t *testing.T) {
	w := newWorld(t)
	client := pb.NewTestServiceClient(w.serve(nil)(w.client(nil)...))
	for range 3 {
		res, err := client.UnaryCall(t.Context(), simple)
		if err != nil || res.Username != "done" {
			t.Fatal(res, err)
		}
	}
	if w.count() != 3 {
		t.Fatalf("served %d times", w.count())
	}
	s := w.served[0]
	if !proto.Equal(s.message, simple) || s.authorization != nil {
		t.Errorf("the service got %v with the authorization %v", s.message, s.authorization)
	}
	if s.decision == nil || !s.decision.Allowed || s.decision.Delegator != "alice@example.com" {
		t.Errorf("decision %+v", s.decision)
	}
	if s.request == nil || s.request.Operation != "UnaryCall" || s.request.Resource != "grpc.testing.TestService" || len(s.request.BodyDigest) != 32 {
		t.Errorf("request %+v", s.request)
	}
	if grpcauth.DecisionFrom(t.Context()) != nil || grpcauth.RequestFrom(t.Context()) != nil {
		t.Error("a decision where there is none")
	}
}

// TestReplay: what was used once is not used again, by another connection or server
// either.
func TestReplay(t *testing.T) {
	w := newWorld(t)
	one, other := w.serve(nil)(), w.serve(nil)()
	message := encoded(t, simple)
	text := w.invoke(unary(message))
	expect(t, "first", send(t, one, unaryCall, text, message), 0, "")
	expect(t, "again", send(t, one, unaryCall, text, message), codes.Unauthenticated, token.CodeReplay)
	expect(t, "elsewhere", send(t, other, unaryCall, text, message), codes.Unauthenticated, token.CodeReplay)
	if w.count() != 1 {
		t.Errorf("served %d times", w.count())
	}
}

// TestAnotherCall: any part that is changed after the invocation denies.
func TestAnotherCall(t *testing.T) {
	w := newWorld(t)
	conn := w.serve(nil)()
	message := encoded(t, simple)
	other := proto.Clone(simple).(*pb.SimpleRequest)
	other.ResponseSize = 8
	for name, c := range map[string]struct {
		method  string
		message []byte
	}{
		"another value":     {unaryCall, encoded(t, other)},
		"a field more":      {unaryCall, append(message[:len(message):len(message)], 0xf8, 0x7f, 1)},
		"no message":        {unaryCall, nil},
		"another method":    {outputCall, message},
		"another service":   {checkCall, message},
		"the same meaning":  {unaryCall, append(message[:len(message):len(message)], encoded(t, &pb.SimpleRequest{ResponseSize: 7})...)},
		"of another length": {unaryCall, message[:2]},
	} {
		expect(t, name, send(t, conn, c.method, w.invoke(unary(message)), c.message), codes.PermissionDenied, token.CodeCheckFailed)
	}
	if w.count() != 0 {
		t.Errorf("%d calls were served", w.count())
	}
	expect(t, "as signed", send(t, conn, unaryCall, w.invoke(unary(message)), message), 0, "")
}

// TestBytesOnTheWire: the digest is of the bytes that were sent, in whatever order and
// with whatever fields, not of what a library makes of them.
func TestBytesOnTheWire(t *testing.T) {
	w := newWorld(t)
	conn := w.serve(nil)()
	backwards := []byte{
		0xf8, 0x7f, 0x01, // a field that the service does not know
		0x20, 0x01, // fill_username
		0x10, 0x09, 0x10, 0x07, // response_size, twice: the last one counts
	}
	var read pb.SimpleRequest
	if err := proto.Unmarshal(backwards, &read); err != nil {
		t.Fatal(err)
	}
	again, err := proto.MarshalOptions{Deterministic: true}.Marshal(&read)
	if err != nil || string(again) == string(backwards) {
		t.Fatal("encoding it again gives the same bytes: the test shows nothing", err)
	}
	expect(t, "as it was sent", send(t, conn, unaryCall, w.invoke(unary(backwards)), backwards), 0, "")
	expect(t, "encoded again", send(t, conn, unaryCall, w.invoke(unary(again)), backwards), codes.PermissionDenied, token.CodeCheckFailed)
	if w.count() != 1 || !proto.Equal(w.served[0].message, &read) {
		t.Errorf("served %v", w.served)
	}
	long := []byte{0x90, 0x00, 0x07} // the tag of response_size in two bytes
	expect(t, "a tag that is too long", send(t, conn, unaryCall, w.invoke(unary(long)), long), codes.PermissionDenied, token.CodeCheckFailed)
}

// TestUnknownFields: a client with a newer schema is let through, and what its service
// does not know is bound too.
func TestUnknownFields(t *testing.T) {
	w := newWorld(t)
	newer := proto.Clone(simple).(*pb.SimpleRequest)
	newer.ProtoReflect().SetUnknown([]byte{0xf8, 0x7f, 1})
	if _, err := pb.NewTestServiceClient(w.serve(nil)(w.client(nil)...)).UnaryCall(t.Context(), newer); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(w.served[0].message, newer) {
		t.Errorf("the service got %v", w.served[0].message)
	}
}

// TestDenied: codes of tokens that are no good here.
func TestDenied(t *testing.T) {
	w := newWorld(t)
	conn := w.serve(nil)()
	message := encoded(t, simple)
	otherService := unary(message)
	otherService.Audience = "svc:other"
	stranger := newWorld(t)
	for name, c := range map[string]struct {
		text string
		want codes.Code
		code token.Code
	}{
		"held":             {w.held.Text(), codes.Unauthenticated, token.CodeNotPresented},
		"another audience": {w.invoke(otherService), codes.Unauthenticated, token.CodeAudience},
		"stranger's root":  {stranger.invoke(unary(message)), codes.Unauthenticated, token.CodeUntrustedRoot},
		"rubbish":          {"rubbish", codes.Unauthenticated, token.CodeMalformed},
		"a megabyte":       {strings.Repeat("A", 1<<20), codes.Unauthenticated, token.CodeMalformed},
	} {
		expect(t, name, send(t, conn, unaryCall, c.text, message), c.want, c.code)
	}
	narrow := newWorld(t, delegation.Operation("Check"))
	expect(t, "beyond the token", send(t, narrow.serve(nil)(), unaryCall, narrow.invoke(unary(message)), message), codes.PermissionDenied, token.CodeCheckFailed)
	if w.count()+narrow.count() != 0 {
		t.Error("a denied call was served")
	}
}

// TestManyMetadata: a megabyte beside the token is none of the verifier's business, and
// no harm.
func TestManyMetadata(t *testing.T) {
	w := newWorld(t)
	conn := w.serve(nil)()
	message := encoded(t, simple)
	ctx := metadata.AppendToOutgoingContext(with(t, "Bearer "+w.invoke(unary(message))), "x-long", strings.Repeat("A", 1<<20))
	expect(t, "much beside it", conn.Invoke(ctx, unaryCall, grpcauth.Carry(message), new(pb.SimpleResponse)), 0, "")
	small := w.serve(nil, grpc.MaxHeaderListSize(64<<10))()
	ctx = with(t, "Bearer "+strings.Repeat("A", 1<<20))
	if err := small.Invoke(ctx, unaryCall, grpcauth.Carry(message), new(pb.SimpleResponse)); err == nil {
		t.Error("more metadata than the server takes")
	}
	if w.count() != 1 {
		t.Errorf("served %d times", w.count())
	}
}

// TestCredential: exactly one, and of the scheme Bearer.
func TestCredential(t *testing.T) {
	w := newWorld(t)
	conn := w.serve(nil)()
	message := encoded(t, simple)
	good := func() string { return w.invoke(unary(message)) }
	ten := make([]string, 10)
	for i := range ten {
		ten[i] = "Bearer " + good()
	}
	for name, c := range map[string]struct {
		values []string
		code   token.Code
	}{
		"none":           {nil, token.CodeNotPresented},
		"empty":          {[]string{""}, token.CodeNotPresented},
		"basic":          {[]string{"Basic " + good()}, token.CodeNotPresented},
		"no scheme":      {[]string{good()}, token.CodeNotPresented},
		"scheme only":    {[]string{"Bearer"}, token.CodeMalformed},
		"two spaces":     {[]string{"Bearer  " + good()}, token.CodeMalformed},
		"two in one":     {[]string{"Bearer " + good() + ",Bearer " + good()}, token.CodeMalformed},
		"two":            {[]string{"Bearer " + good(), "Bearer " + good()}, token.CodeMalformed},
		"one and basic":  {[]string{"Bearer " + good(), "Basic eDp5"}, token.CodeMalformed},
		"ten":            {ten, token.CodeMalformed},
		"lower case":     {[]string{"bearer " + good()}, ""},
		"as it is meant": {[]string{"Bearer " + good()}, ""},
	} {
		err := conn.Invoke(with(t, c.values...), unaryCall, grpcauth.Carry(message), new(pb.SimpleResponse))
		expect(t, name, err, codes.Unauthenticated, c.code)
	}
	if w.count() != 2 {
		t.Errorf("served %d times", w.count())
	}
}

// TestNothingIsDecodedBefore: a message is given to the code that reads it only when it
// was decided on, and interceptors of the server see only such calls.
func TestNothingIsDecodedBefore(t *testing.T) {
	w := newWorld(t)
	seen := 0
	conn := w.serve(nil, grpc.UnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		seen++
		if grpcauth.DecisionFrom(ctx) == nil {
			t.Error("an interceptor without a decision")
		}
		return next(ctx, req)
	}))()
	bad := []byte{0x1a, 0x02, 0x08, 0x80} // a payload that ends in the middle
	expect(t, "not decided on", send(t, conn, unaryCall, w.invoke(unary(nil)), bad), codes.PermissionDenied, token.CodeCheckFailed)
	err := send(t, conn, unaryCall, w.invoke(unary(bad)), bad)
	if s := status.Convert(err); s.Code() != codes.Internal || strings.Contains(s.Message(), "unexpected") {
		t.Errorf("what cannot be read: %v", err)
	}
	if w.count() != 0 || seen != 0 {
		t.Errorf("%d served, %d seen", w.count(), seen)
	}
	message := encoded(t, simple)
	expect(t, "allowed", send(t, conn, unaryCall, w.invoke(unary(message)), message), 0, "")
	if seen != 1 {
		t.Errorf("%d seen", seen)
	}
}

// TestTooLarge: grpc's bound on a message holds for what is held in memory here.
func TestTooLarge(t *testing.T) {
	w := newWorld(t)
	conn := w.serve(nil, grpc.MaxRecvMsgSize(1000))()
	message := encoded(t, &pb.SimpleRequest{Payload: &pb.Payload{Body: make([]byte, 1001)}})
	if err := send(t, conn, unaryCall, w.invoke(unary(message)), message); status.Code(err) != codes.ResourceExhausted {
		t.Error(err)
	}
	if w.count() != 0 {
		t.Error("served")
	}
}

// TestNothingLeaks: the client is told the code; the log is told the reason, never the
// token, and no more than a bounded part of what the client wrote.
func TestNothingLeaks(t *testing.T) {
	mapping, err := grpcauth.NewMapping(grpcauth.Method{Name: checkCall, Resource: "plans/{service...}"})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	conn := w.serve(&grpcauth.Options{Mapping: mapping})()
	call := func(name string) error {
		message := encoded(t, &health.HealthCheckRequest{Service: name})
		req, err := grpcauth.RequestOf(mapping, checkCall, message)
		if err != nil {
			t.Fatal(err)
		}
		asked := *req.(*delegation.Request)
		asked.Resource = "plans/secret"
		text := w.invoke(asked)
		err = send(t, conn, checkCall, text, message)
		if strings.Contains(w.log.String(), text) {
			t.Error("the log has the token")
		}
		return err
	}
	expect(t, "denied", call("secret"), codes.PermissionDenied, token.CodeCheckFailed)
	if !strings.Contains(w.log.String(), "plans/secret") || !strings.Contains(w.log.String(), "alice@example.com") {
		t.Errorf("the log does not say why: %s", w.log.String())
	}
	before := len(w.log.String())
	expect(t, "long", call(strings.Repeat("x", 1<<19)), codes.PermissionDenied, token.CodeCheckFailed)
	if grew := len(w.log.String()) - before; grew > 64<<10 {
		t.Errorf("the log has %d bytes more", grew)
	}
}

// TestState: what the service knows is stated, and an error of it denies.
func TestState(t *testing.T) {
	w := newWorld(t, delegation.Context("ticket", "T-1"))
	message := encoded(t, simple)
	stating := func(s verify.State, err error) error {
		conn := w.serve(&grpcauth.Options{State: func(_ context.Context, method string) (verify.State, error) {
			if method != unaryCall {
				return verify.State{}, fmt.Errorf("for %s", method)
			}
			return s, err
		}})()
		return send(t, conn, unaryCall, w.invoke(unary(message)), message)
	}
	ticket := func(v any) verify.State { return verify.State{Context: map[string]any{"ticket": v}} }
	expect(t, "open", stating(ticket("T-1"), nil), 0, "")
	expect(t, "another", stating(ticket("T-2"), nil), codes.PermissionDenied, token.CodeCheckFailed)
	expect(t, "none", stating(verify.State{}, nil), codes.PermissionDenied, token.CodeCheckFailed)
	expect(t, "an error", stating(ticket("T-1"), errors.New("the database is away")), codes.Unavailable, token.CodeUnavailable)
	expect(t, "a limit", stating(ticket("T-1"), &token.Error{Code: token.CodeLimit, Block: -1, Err: errors.New("enough for today")}), codes.ResourceExhausted, token.CodeLimit)
}

func TestProtectPanics(t *testing.T) {
	for name, f := range map[string]func(){
		"no verifier": func() { grpcauth.Protect(grpc.NewServer(), nil, nil) },
		"no server":   func() { grpcauth.Protect(nil, newWorld(t).verifier, nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

// FuzzMessage: whatever comes off the wire, the service gets the message that these bytes
// are, and no mapping panics on it.
func FuzzMessage(f *testing.F) {
	f.Add(encoded(f, simple))
	f.Add([]byte{0xf8, 0x7f, 0x01, 0x20, 0x01, 0x10, 0x09, 0x10, 0x07})
	f.Add([]byte{0x90, 0x00, 0x07})
	f.Add([]byte{0x0b, 0x08, 0x01, 0x0c})
	mapping, err := grpcauth.NewMapping(grpcauth.Method{Name: unaryCall, Fields: []string{"response_size", "fill_username"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		received, err := grpcauth.Receive(func(m any) error { return grpcauth.Decode(wire, m) })
		var direct, through pb.SimpleRequest
		if directly := proto.Unmarshal(wire, &direct); err != nil {
			if directly == nil {
				t.Fatalf("refused: %v", err)
			}
			return
		} else if again := grpcauth.Decode(received, &through); (directly == nil) != (again == nil) {
			t.Fatalf("directly %v, through the bytes %v", directly, again)
		} else if directly == nil && !proto.Equal(&direct, &through) {
			t.Fatalf("directly %v, through the bytes %v", &direct, &through)
		}
		if got, err := proto.Marshal(grpcauth.Carry(received)); err != nil || string(got) != string(received) {
			t.Fatalf("carried as %x: %v", got, err)
		}
		req, err := grpcauth.RequestOf(mapping, unaryCall, received)
		if err != nil {
			return
		}
		if args := req.(*delegation.Request).Args; args["response_size"] != int64(through.ResponseSize) || args["fill_username"] != through.FillUsername {
			t.Fatalf("arguments %v of %v", args, &through)
		}
	})
}
