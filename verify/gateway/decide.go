package gateway

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/httpauth"
)

// An Original is a request as it came to the proxy, by the word of the proxy.
type Original struct {
	// Peer is the immediate peer: whoever says all that follows. Nil is trusted by
	// nobody. See [PeerOf].
	Peer net.Addr

	Method string
	// URI is the target as the client wrote it, path and query: /a/b?x=1.
	URI string
	// Host is that of the client's request; empty where the proxy does not say. It
	// counts only where the configuration lists hosts.
	Host string
	// Header has all headers of the client, by their canonical names ([http.Header.Add]).
	// It must not change any more.
	Header http.Header
	Body   Body

	unclear error // why it cannot be told what the request was
}

// A Body is what the proxy says of the body. The zero value is that it says nothing.
type Body struct {
	// Known says that Bytes are the whole body, none of them that there is no body.
	Known bool
	Bytes []byte
	// Announced says that there is a body which the proxy does not hand over.
	Announced bool
}

// An Answer is what becomes of a request.
type Answer struct {
	// Code says why the request is denied; empty if and only if it is allowed.
	Code token.Code

	// Upstream are the headers for the service when the request is allowed: see
	// spec/gateway.md. The proxy must set all of them, in place of any of the same name
	// that the client sent, and remove Authorization.
	Upstream http.Header

	// Refusal is what the client is told when the request is denied.
	Refusal httpauth.Refusal

	// Decision is the verifier's, nil where the request did not get that far.
	Decision *verify.Decision
}

// Allowed reports whether the request is allowed.
func (a *Answer) Allowed() bool { return a.Code == "" }

// Decide decides a request. Whatever it was that went wrong, the answer denies.
func (g *Gateway) Decide(ctx context.Context, o Original) *Answer {
	return g.answer(ctx, g.rules(), &o)
}

func (g *Gateway) answer(ctx context.Context, r *rules, o *Original) *Answer {
	start := time.Now()
	ctx, span := g.tracer.Start(ctx, "whittle.decide", trace.WithSpanKind(trace.SpanKindInternal))
	defer span.End()

	a, req, err := g.decide(ctx, r, o)
	if err != nil {
		a.Code, a.Refusal = verify.CodeOf(err), httpauth.RefusalOf(err)
		httpauth.LogDenied(g.options.logger(), o.shown(ctx), a.Decision, err)
	}
	attributes := []attribute.KeyValue{attribute.String("whittle.code", string(a.Code))}
	if a.Decision != nil {
		attributes = append(attributes, attribute.String("whittle.audience", a.Decision.Service))
	}
	if req != nil {
		attributes = append(attributes, attribute.String("whittle.operation", req.Operation))
	}
	span.SetAttributes(attributes...)
	if g.options.Observe != nil {
		g.options.Observe(a.Code, time.Since(start))
	}
	return a
}

func (g *Gateway) decide(ctx context.Context, r *rules, o *Original) (*Answer, *delegation.Request, error) {
	a := &Answer{}
	if r == nil {
		return a, nil, token.Errorf(token.CodeUnavailable, -1, "the gateway is closed")
	}
	if err := r.admit(o); err != nil {
		return a, nil, err
	}
	raw, err := httpauth.Credential(o.Header)
	if err != nil {
		return a, nil, err
	}
	req, sum, err := r.ask(o)
	if err != nil {
		return a, nil, &token.Error{Code: token.CodeCheckFailed, Block: -1, Err: err}
	}
	a.Decision, err = r.verifier.Verify(ctx, raw, *req)
	if err != nil {
		return a, req, err
	}
	a.Upstream = upstream(a.Decision, req, sum)
	return a, req, nil
}

// admit refuses what the gateway has no business with.
func (r *rules) admit(o *Original) error {
	if !r.proxies.trust(o.Peer) {
		return token.Errorf(token.CodeCheckFailed, -1, "%v is no trusted proxy", o.Peer)
	}
	if o.unclear != nil {
		return &token.Error{Code: token.CodeCheckFailed, Block: -1, Err: o.unclear}
	}
	for name := range o.Header {
		// A service may take X_Whittle_Agent for X-Whittle-Agent.
		if strings.HasPrefix(strings.ReplaceAll(strings.ToLower(name), "_", "-"), upstreamPrefix) {
			return token.Errorf(token.CodeCheckFailed, -1, "the client sent the header %.64q, which only the gateway writes", name)
		}
	}
	if len(r.hosts) > 0 && !r.serves(o.Host) {
		return token.Errorf(token.CodeCheckFailed, -1, "the configuration lists no host %.256q", o.Host)
	}
	return nil
}

// serves reports whether a host is one of those listed. Case and port do not count.
func (r *rules) serves(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	for _, h := range r.hosts {
		if strings.EqualFold(h, name) && isASCII(name) {
			return true
		}
	}
	return false
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}

// ask returns what a request asks for, and the digest of its body.
func (r *rules) ask(o *Original) (*delegation.Request, []byte, error) {
	if !strings.HasPrefix(o.URI, "/") {
		return nil, nil, fmt.Errorf("the target of the request is no path")
	}
	u, err := url.ParseRequestURI(o.URI)
	if err != nil {
		return nil, nil, fmt.Errorf("the target of the request is no path")
	}
	request := &http.Request{Method: o.Method, URL: u, Host: o.Host, Header: o.Header}
	if o.Body.Known {
		sum := sha256.Sum256(o.Body.Bytes)
		req, err := r.mapping.Request(request, o.Body.Bytes)
		return req, sum[:], err
	}
	sum, err := httpauth.ParseContentDigest(o.Header.Values("Content-Digest"))
	if err != nil {
		return nil, nil, err
	}
	empty := sha256.Sum256(nil)
	if sum == nil {
		sum = empty[:]
	}
	if o.Body.Announced && bytes.Equal(sum, empty[:]) {
		return nil, nil, fmt.Errorf("the request has a body, and no Content-Digest to go by")
	}
	req, err := r.mapping.RequestByDigest(request, sum)
	return req, sum, err
}

// shown is the request as far as the log is concerned.
func (o *Original) shown(ctx context.Context) *http.Request {
	path, _, _ := strings.Cut(o.URI, "?")
	return (&http.Request{Method: o.Method, URL: &url.URL{Path: path}}).WithContext(ctx)
}
