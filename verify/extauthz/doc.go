// Package extauthz answers Envoy's filter ext_authz over gRPC with the decisions of a
// [gateway.Gateway], whose configuration names the proxy envoy:
//
//	g, err := gateway.Open("gateway.toml", nil)
//	s := grpc.NewServer()
//	auth.RegisterAuthorizationServer(s, extauthz.New(g))
//
// The command whittle-envoy does the same as a process of its own. How Envoy is to be
// configured is in README.md, and what it is told in spec/gateway.md.
package extauthz
