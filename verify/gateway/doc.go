// Package gateway decides requests for a proxy that stands in front of a service, from
// one configuration file (spec/gateway.md).
//
//	g, err := gateway.Open("gateway.toml", nil)
//	defer g.Close()
//
// [Gateway.Decide] takes the request that came to the proxy and answers with what the
// client is told, or with what the proxy adds for the service. [ForwardAuth] is an HTTP
// handler on top of it for nginx's auth_request, Caddy's forward_auth and Traefik's
// ForwardAuth; whittle serve runs it.
//
// A service in Go that can verify tokens itself needs no proxy for it: package httpauth.
package gateway
