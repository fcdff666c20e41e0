package httpauth

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
)

// An Invoker makes the token that is presented with one request, in text form, and
// keeps to itself the held token and its key: in this process ([Hold]) or wherever
// they are. It must be safe for concurrent use.
type Invoker interface {
	Invoke(ctx context.Context, req delegation.Request) (presented string, err error)
}

// Hold returns an invoker for a token in this process, which the key is the holder
// of.
func Hold(held token.Chain, holder token.Signer) Invoker { return local{held, holder} }

type local struct {
	held   token.Chain
	holder token.Signer
}

func (l local) Invoke(_ context.Context, req delegation.Request) (string, error) {
	presented, err := attenuate.Invoke(l.held, l.holder, req)
	if err != nil {
		return "", err
	}
	return presented.Text(), nil
}

// TransportOptions are what an agent may want otherwise. The zero value is the safe
// choice.
type TransportOptions struct {
	// Mapping says what each request asks for. It must be the service's.
	Mapping *Mapping

	// MaxBody bounds the bytes of a body, all of which are read before the request is
	// sent; zero means 1 MiB.
	MaxBody int64

	// Base sends the requests; nil means [http.DefaultTransport].
	Base http.RoundTripper

	// AllowPlainHTTP sends tokens without TLS: whoever sees one on the way can use
	// it first.
	AllowPlainHTTP bool
}

// A Transport is an [http.RoundTripper] that invokes a token for each request. It
// sends presented tokens only, never the held one, and to one origin only.
//
// It fails, before anything is sent, for another origin, for a request that the
// mapping refuses or that has an Authorization already, and for one that follows a
// redirect: a service must not choose what its agent signs. Whoever wants to follow
// one makes a new request.
//
// It never tries twice. Package net/http sends a GET, HEAD, OPTIONS or TRACE once
// more when a connection that was kept open turns out to be dead: with the same
// invocation, which a service that remembers what was used accepts once.
//
// Sessions are not for a Transport: package net/http chooses the connection after the
// headers are made.
type Transport struct {
	scheme, host string
	audience     string
	invoker      Invoker
	options      TransportOptions
}

// NewTransport returns a transport for one service: its origin, as in
// https://certs.example.org, and its name, as it knows itself. Nil options are the safe
// ones.
func NewTransport(origin, audience string, invoker Invoker, o *TransportOptions) (*Transport, error) {
	u, err := url.Parse(origin)
	if err != nil {
		return nil, fmt.Errorf("origin: %w", err)
	}
	t := &Transport{scheme: u.Scheme, host: hostOf(u), audience: audience, invoker: invoker}
	if o != nil {
		t.options = *o
	}
	switch {
	case u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("an origin is a scheme and a host, as in https://certs.example.org")
	case u.Scheme == "http" && !t.options.AllowPlainHTTP:
		return nil, fmt.Errorf("tokens are sent over https only, unless plain http is allowed by name")
	case invoker == nil:
		return nil, fmt.Errorf("a transport needs an invoker")
	}
	if err := delegation.ValidName(audience); err != nil {
		return nil, fmt.Errorf("audience %q: %w", audience, err)
	}
	if t.options.MaxBody <= 0 {
		t.options.MaxBody = DefaultMaxBody
	}
	if t.options.Base == nil {
		t.options.Base = http.DefaultTransport
	}
	return t, nil
}

// hostOf returns host and port of a URL, in lower case, the port always there.
func hostOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return strings.ToLower(u.Hostname()) + ":" + port
}

// RoundTrip sends one request with a token of its own.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	out, err := t.invoked(r)
	if r.Body != nil {
		r.Body.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("httpauth: %w", err)
	}
	return t.options.Base.RoundTrip(out)
}

// invoked returns the request as it is sent.
func (t *Transport) invoked(r *http.Request) (*http.Request, error) {
	switch {
	case r.URL == nil || r.URL.Scheme != t.scheme || hostOf(r.URL) != t.host:
		return nil, fmt.Errorf("the token is for %s://%s only", t.scheme, t.host)
	case r.Response != nil:
		return nil, fmt.Errorf("a redirect is not followed with a token")
	case len(r.Header.Values("Authorization")) > 0 || r.URL.User != nil:
		return nil, fmt.Errorf("the request has an Authorization already")
	}
	body, err := readBody(r, t.options.MaxBody)
	if err != nil {
		return nil, err
	}
	out := r.Clone(r.Context())
	if out.Method == "" {
		out.Method = http.MethodGet
	}
	if out.URL.Path == "" {
		out.URL.Path = "/" // as it is sent
	}
	if out.Header == nil {
		out.Header = http.Header{}
	}
	req, err := t.options.Mapping.request(out, body)
	if err != nil {
		return nil, err
	}
	req.Audience = t.audience
	text, err := t.invoker.Invoke(r.Context(), *req)
	if err != nil {
		return nil, fmt.Errorf("invoking the token: %w", err)
	}
	if u, err := token.ParseText(text, nil); err != nil || u.Form() == token.Held {
		return nil, fmt.Errorf("what the invoker returned is no presented token")
	}
	out.Header.Set("Authorization", "Bearer "+text)
	out.Body, out.GetBody, out.ContentLength, out.TransferEncoding = nil, nil, int64(len(body)), nil
	if len(body) > 0 {
		// A gateway that does not see the body goes by it.
		out.Header.Set("Content-Digest", ContentDigest(digest(body)))
		out.Body = io.NopCloser(bytes.NewReader(body))
	}
	return out, nil
}
