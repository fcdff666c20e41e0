// Package grpcauth puts a verifier in front of gRPC services, and invokes a token for
// each call of a client.
//
// A service, where it is registered:
//
//	v, err := verify.New("svc:certs", roots, nil)
//	s := grpc.NewServer(grpc.Creds(creds))
//	pb.RegisterCertsServer(grpcauth.Protect(s, v, nil), certs)
//
// An agent:
//
//	c, err := grpcauth.NewClient("svc:certs", httpauth.Hold(held, key), nil)
//	conn, err := grpc.NewClient(target, grpc.WithTransportCredentials(creds),
//		grpc.WithChainUnaryInterceptor(c.Unary), grpc.WithChainStreamInterceptor(c.Stream))
//
// Package attenuate/agent has an invoker for keys that are in another process.
//
// Both ends make the same [delegation.Request] of the same call, by a [Mapping]. Without
// one, the operation is the method's name and the resource the service's full name:
// /payments.v1.Certs/Rotate asks for the operation "Rotate" on "payments.v1.Certs". The
// SHA-256 digest of the message as it is on the wire binds all of it, fields that the
// service does not know among them. See spec/grpc.md.
//
// # Why not a server interceptor
//
// An interceptor of unary calls sees a message that is decoded already, and encoding it
// again does not give the bytes that were sent: neither protobuf's libraries nor two
// versions of one schema agree on an encoding. [Protect] therefore stands between the
// server and the service. It takes the bytes off the wire, decides on them, and only then
// are these same bytes decoded for the interceptors and the service.
//
// # Streams
//
// What is sent by the client is decided on before the service gets it: the one message of
// a call that the client does not stream, and with a session each message that it
// streams. An invocation binds one message, so a method that the client streams to takes
// one only where the mapping says by name that its messages need not be bound
// ([Method].AllowUnbound). What the server sends is decided on once, with the request, and
// ends when the token expires.
//
// Nothing binds metadata. A service must not take from it what it acts on.
package grpcauth
