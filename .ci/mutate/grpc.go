package main

// What spec/grpc.md demands of a service and of its agents.
var grpcMutants = []mutant{
	{"grpc one authorization", "verify/grpcauth/protect.go", "if len(values) > 1 {", "if false {", ".", "^TestCredential$"},
	{"grpc no token is handed on", "verify/grpcauth/protect.go", `md.Delete("authorization")`, "", ".", "^TestProtect$"},
	{"grpc sessions by name only", "verify/grpcauth/protect.go", "if !c.options.AllowSessions || s.Channel", "if s.Channel", ".", "^TestSession$"},
	{"grpc the message is digested", "verify/grpcauth/mapping.go", "sha256.Sum256(message)", "sha256.Sum256(nil)", ".", "^TestAnotherCall$"},
	{"grpc no stream by an invocation", "verify/grpcauth/stream.go", "if s.each && o.decision", "if false && o.decision", ".", "^TestClientStream$"},
	{"grpc a session decides on each message", "verify/grpcauth/stream.go", "s.each = clientStreams", "_ = clientStreams", ".", "^TestSessionDecidesEachMessage$"},
	{"grpc a denied message ends the stream", "verify/grpcauth/stream.go", "s.denied.CompareAndSwap(nil, &err)", "", ".", "^TestSessionDecidesEachMessage$"},
	{"grpc a stream ends with the token", "verify/grpcauth/stream.go", "if errors.Is(context.Cause(s.ctx), errExpired) {", "if false {", ".", "^TestStreamEndsWithTheToken$"},
	{"grpc tokens over TLS", "verify/grpcauth/client.go", "return !b.client.options.AllowInsecure", "return false", ".", "^TestClientRefuses$"},
	{"grpc no held token goes out", "verify/grpcauth/client.go", "|| u.Form() == token.Held {", "|| u == nil {", ".", "^TestClientRefuses$"},
}
