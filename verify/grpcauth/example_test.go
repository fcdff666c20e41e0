package grpcauth_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http/httptest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	pb "google.golang.org/grpc/health/grpc_health_v1"

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

// statusService is a service of one method that matters here.
type statusService struct{ pb.UnimplementedHealthServer }

func (statusService) Check(ctx context.Context, m *pb.HealthCheckRequest) (*pb.HealthCheckResponse, error) {
	fmt.Printf("%s asks for %s\n", grpcauth.DecisionFrom(ctx).Delegator, m.Service)
	return &pb.HealthCheckResponse{Status: pb.HealthCheckResponse_SERVING}, nil
}

// A service whose method is mapped to a resource with a field of its message in its name,
// and an agent that asks it for something that its token allows and for something that it
// does not.
func Example() {
	// Alice lets the agent look at what is below databases, for an hour.
	alice, ci := exampleKey(), exampleKey()
	held, err := attenuate.Mint(alice, attenuate.Grant{
		Delegator: "alice@example.com", Agent: "agent:ci", AgentKey: ci.Public(), TTL: time.Hour,
	}, delegation.Resource("databases/**"), delegation.Operation("look"))
	if err != nil {
		log.Fatal(err)
	}

	// Both ends know which request a call is.
	mapping, err := grpcauth.NewMapping(grpcauth.Method{
		Name: "/grpc.health.v1.Health/Check", Operation: "look", Resource: "{service...}",
	})
	if err != nil {
		log.Fatal(err)
	}

	// The service.
	roots, err := trust.Parse([]byte(`alice@example.com namespaces="whittle" ` + alice.Public().AuthorizedKey("")))
	if err != nil {
		log.Fatal(err)
	}
	used, err := replay.NewMemory(time.Now(), &replay.Options{FirstStart: true})
	if err != nil {
		log.Fatal(err)
	}
	v, err := verify.New("svc:status", roots, &verify.Options{Replay: used})
	if err != nil {
		log.Fatal(err)
	}
	serverCreds, clientCreds := exampleTLS()
	s := grpc.NewServer(grpc.Creds(serverCreds))
	pb.RegisterHealthServer(grpcauth.Protect(s, v, &grpcauth.Options{
		Mapping: mapping,
		Logger:  slog.New(slog.DiscardHandler), // nil logs why a call is denied
	}), statusService{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go s.Serve(listener)
	defer s.Stop()

	// The agent: an ordinary client.
	c, err := grpcauth.NewClient("svc:status", httpauth.Hold(held, ci), &grpcauth.ClientOptions{Mapping: mapping})
	if err != nil {
		log.Fatal(err)
	}
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(clientCreds),
		grpc.WithChainUnaryInterceptor(c.Unary), grpc.WithChainStreamInterceptor(c.Stream))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	client := pb.NewHealthClient(conn)
	for _, name := range []string{"databases/orders", "mail"} {
		res, err := client.Check(context.Background(), &pb.HealthCheckRequest{Service: name})
		if err != nil {
			fmt.Println("denied:", grpcauth.CodeOf(err))
			continue
		}
		fmt.Println(res.Status)
	}
	// Output:
	// alice@example.com asks for databases/orders
	// SERVING
	// denied: check_failed
}

func exampleKey() token.PrivateKey {
	k, err := token.GenerateKey(datalog.Ed25519)
	if err != nil {
		log.Fatal(err)
	}
	return k
}

// exampleTLS has the certificate that net/http tests with.
func exampleTLS() (server, client credentials.TransportCredentials) {
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return credentials.NewServerTLSFromCert(&s.TLS.Certificates[0]), credentials.NewClientTLSFromCert(pool, "")
}
