package extauthz

import (
	"context"
	"net/http"
	"slices"
	"strings"

	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/whittle-auth/whittle/verify/gateway"
)

// partialBody is the header by which Envoy says that it hands over a body, and whether
// that is cut off. It never passes on the client's own.
const partialBody = "X-Envoy-Auth-Partial-Body"

// WholeBodies is the metadata, with the value "whole", by which the owner of an Envoy
// asserts that its filter has with_request_body for all routes. Envoy itself does not
// say so where there is no body.
const WholeBodies = "whittle-body"

// original is the request that came to Envoy.
func original(ctx context.Context, md metadata.MD, r *auth.CheckRequest) gateway.Original {
	request := r.GetAttributes().GetRequest().GetHttp()
	o := gateway.Original{Method: request.GetMethod(), URI: request.GetPath(), Host: request.GetHost(), Header: http.Header{}}
	if p, ok := peer.FromContext(ctx); ok {
		o.Peer = p.Addr
	}
	add := func(name, value string) {
		switch {
		case !strings.HasPrefix(name, ":"):
			o.Header.Add(name, value)
		case name == ":path" && value != o.URI:
			o.URI = "" // which of the two it is cannot be told, and neither is decided on
		}
	}
	for name, value := range request.GetHeaders() {
		add(name, value)
	}
	for _, h := range request.GetHeaderMap().GetHeaders() {
		value := h.GetValue()
		if value == "" {
			value = string(h.GetRawValue())
		}
		add(h.GetKey(), value)
	}
	o.Body = body(request, o.Header, slices.Equal(md.Get(WholeBodies), []string{"whole"}))
	return o
}

// body is what Envoy says of the body. Where it has one to show and does not show all of
// it, no digest that the client states helps.
func body(request *auth.AttributeContext_HttpRequest, h http.Header, whole bool) gateway.Body {
	hidden := func() gateway.Body {
		h.Del("Content-Digest")
		return gateway.Body{Announced: true}
	}
	partial := h.Values(partialBody)
	switch {
	case len(partial) == 1 && partial[0] == "false" && request.GetBody() == "":
		return gateway.Body{Known: true, Bytes: request.GetRawBody()}
	case len(partial) > 0 || request.GetBody() != "" || len(request.GetRawBody()) > 0:
		// Cut off, or as text, in which Envoy writes ! for what is no UTF-8.
		return hidden()
	}
	if !whole {
		// No header needs to say that there is one: Envoy drops those of HTTP/1.1 too.
		return gateway.Body{Announced: true}
	}
	// An upgrade and a tunnel carry bytes that no filter sees.
	if announces(h) || len(h.Values("Upgrade")) > 0 || request.GetMethod() == http.MethodConnect {
		return hidden()
	}
	return gateway.Body{Known: true}
}

// announces reports whether headers say that there is a body.
func announces(h http.Header) bool {
	for _, length := range h.Values("Content-Length") {
		if length != "0" {
			return true
		}
	}
	return len(h.Values("Transfer-Encoding")) > 0
}
