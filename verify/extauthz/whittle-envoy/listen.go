package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	checks "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"

	"github.com/whittle-auth/whittle/verify/extauthz"
	"github.com/whittle-auth/whittle/verify/gateway"
	"github.com/whittle-auth/whittle/verify/gateway/serve"
)

// Limits on what Envoy asks. The body is a part of it: max_request_bytes of its filter
// must be less.
const (
	maxMessage = 4 << 20
	maxHeader  = 128 << 10 // of the call; the client's headers are in the message
	maxStreams = 1000      // of one connection, asked at a time
	handshake  = 10 * time.Second
	grace      = 10 * time.Second // for what was asked before the end
)

// listen serves where the configuration says, until the context ends.
func listen(ctx context.Context, g *gateway.Gateway, metrics *serve.Metrics, logger *slog.Logger) error {
	if proxy := g.Proxy(); proxy != "envoy" {
		return &hinted{fmt.Errorf("the configuration is for %s", proxy), `proxy = "envoy", or run whittle serve`}
	}
	at := g.Addresses()
	if at.Listen == (gateway.Address{}) {
		return &hinted{errors.New("the configuration does not say where to listen"), `listen = "127.0.0.1:9180" in a table [server], or "unix:PATH"`}
	}
	l, err := serve.Listen(at.Listen)
	if err != nil {
		return err
	}
	var admin []serve.Service
	if at.Admin != (gateway.Address{}) {
		other, err := serve.Listen(at.Admin)
		if err != nil {
			l.Close()
			return err
		}
		admin = append(admin, serve.Service{Name: "admin", Listener: other, Server: serve.NewServer(serve.Admin(g, metrics), logger)})
	}
	// Whichever of the two fails ends the other.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		var err error
		if len(admin) > 0 {
			err = serve.Run(ctx, logger, admin...)
			cancel()
		}
		ended <- err
	}()
	err = answer(ctx, l, g, logger)
	cancel()
	return errors.Join(err, <-ended)
}

// answer answers Envoy until the context ends, and then what was asked before.
func answer(ctx context.Context, l net.Listener, g *gateway.Gateway, logger *slog.Logger) error {
	s := grpc.NewServer(
		grpc.MaxRecvMsgSize(maxMessage), grpc.MaxHeaderListSize(maxHeader), grpc.MaxConcurrentStreams(maxStreams),
		grpc.ConnectionTimeout(handshake), grpc.KeepaliveParams(keepalive.ServerParameters{Time: time.Minute}),
	)
	auth.RegisterAuthorizationServer(s, extauthz.New(g))
	ready := health.NewServer()
	checks.RegisterHealthServer(s, ready)
	logger.Info("listening", slog.String("for", "proxy"), slog.String("at", l.Addr().String()))

	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		ready.Shutdown() // so that nobody asks any more
		late := time.AfterFunc(grace, s.Stop)
		defer late.Stop()
		s.GracefulStop()
	})
	err := s.Serve(l)
	if stop() { // not ended by the context
		return err
	}
	<-stopped
	return nil
}
