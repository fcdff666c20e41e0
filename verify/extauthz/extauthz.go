package extauthz

import (
	"context"
	"net/http"
	"slices"
	"strings"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	kind "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"go.opentelemetry.io/otel/propagation"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/whittle-auth/whittle/verify/gateway"
)

// New returns the service that Envoy asks. It panics where g is nil.
func New(g *gateway.Gateway) auth.AuthorizationServer {
	if g == nil {
		panic("extauthz: nil gateway")
	}
	return &service{gateway: g}
}

type service struct {
	auth.UnimplementedAuthorizationServer
	gateway *gateway.Gateway
}

// Check answers whatever it is asked: to an error Envoy has an opinion of its own, which
// failure_mode_allow makes to let the request through.
func (s *service) Check(ctx context.Context, r *auth.CheckRequest) (*auth.CheckResponse, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	// Envoy's own span, not what the client says of one.
	ctx = propagation.TraceContext{}.Extract(ctx, carrier(md))
	a := s.gateway.Decide(ctx, original(ctx, md, r))
	if !a.Allowed() {
		return denied(a), nil
	}
	return &auth.CheckResponse{
		Status: &status.Status{Code: int32(codes.OK)},
		HttpResponse: &auth.CheckResponse_OkResponse{OkResponse: &auth.OkHttpResponse{
			Headers:         set(a.Upstream),
			HeadersToRemove: []string{"authorization"},
		}},
	}, nil
}

func denied(a *gateway.Answer) *auth.CheckResponse {
	code := codes.PermissionDenied
	switch a.Refusal.Status {
	case http.StatusUnauthorized:
		code = codes.Unauthenticated
	case http.StatusServiceUnavailable:
		code = codes.Unavailable
	}
	return &auth.CheckResponse{
		Status: &status.Status{Code: int32(code), Message: string(a.Code)},
		HttpResponse: &auth.CheckResponse_DeniedResponse{DeniedResponse: &auth.DeniedHttpResponse{
			Status:  &kind.HttpStatus{Code: kind.StatusCode(a.Refusal.Status)},
			Headers: set(a.Refusal.Header),
			Body:    a.Refusal.Body,
		}},
	}
}

// set returns headers that stand in place of any of the same name. The action has to be
// named: what Envoy takes for the default has changed, and to append would leave the
// client's own value in front.
func set(h http.Header) []*core.HeaderValueOption {
	var all []*core.HeaderValueOption
	for name, values := range h {
		all = append(all, &core.HeaderValueOption{
			Header:       &core.HeaderValue{Key: strings.ToLower(name), Value: strings.Join(values, ", ")},
			AppendAction: core.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
		})
	}
	slices.SortFunc(all, func(a, b *core.HeaderValueOption) int { return strings.Compare(a.Header.Key, b.Header.Key) })
	return all
}

// carrier lets a propagator read metadata.
type carrier metadata.MD

func (c carrier) Get(name string) string {
	if values := metadata.MD(c).Get(name); len(values) == 1 {
		return values[0]
	}
	return ""
}

func (c carrier) Set(string, string) {}

func (c carrier) Keys() []string { return nil }
