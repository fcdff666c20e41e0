package httpauth

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
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

// A Holder is a token in this process and the key of its holder. It is an [Invoker]
// and a [SessionInvoker].
type Holder struct {
	held   token.Chain
	holder token.Signer
}

// Hold returns the holder of a token, which the key must be that of.
func Hold(held token.Chain, holder token.Signer) *Holder { return &Holder{held, holder} }

// Invoke is [attenuate.Invoke].
func (h *Holder) Invoke(_ context.Context, req delegation.Request) (string, error) {
	presented, err := attenuate.Invoke(h.held, h.holder, req)
	if err != nil {
		return "", err
	}
	return presented.Text(), nil
}

// InvokeSession is [attenuate.InvokeSession].
func (h *Holder) InvokeSession(_ context.Context, audience string, channel delegation.Channel) (string, error) {
	presented, err := attenuate.InvokeSession(h.held, h.holder, audience, channel)
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
// Sessions are not for a Transport, whose base chooses the connection after the headers
// are made: see [SessionTransport].
type Transport struct {
	target
	invoker Invoker
	options TransportOptions
}

// NewTransport returns a transport for one service: its origin, as in
// https://certs.example.org, and its name, as it knows itself. Nil options are the safe
// ones.
func NewTransport(origin, audience string, invoker Invoker, o *TransportOptions) (*Transport, error) {
	t := &Transport{invoker: invoker}
	if o != nil {
		t.options = *o
	}
	var err error
	if t.target, err = newTarget(origin, audience, t.options.AllowPlainHTTP); err != nil {
		return nil, err
	}
	if invoker == nil {
		return nil, fmt.Errorf("a transport needs an invoker")
	}
	if t.options.MaxBody <= 0 {
		t.options.MaxBody = DefaultMaxBody
	}
	if t.options.Base == nil {
		t.options.Base = http.DefaultTransport
	}
	return t, nil
}

// A target is the one service that a transport sends tokens to.
type target struct {
	scheme, host string
	audience     string
}

func newTarget(origin, audience string, allowPlainHTTP bool) (t target, err error) {
	u, err := url.Parse(origin)
	if err != nil {
		return t, fmt.Errorf("origin: %w", err)
	}
	switch {
	case u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http":
		return t, fmt.Errorf("an origin is a scheme and a host, as in https://certs.example.org")
	case u.Scheme == "http" && !allowPlainHTTP:
		return t, fmt.Errorf("tokens are sent over https only, unless plain http is allowed by name")
	}
	if err := delegation.ValidName(audience); err != nil {
		return t, fmt.Errorf("audience %q: %w", audience, err)
	}
	return target{u.Scheme, hostOf(u), audience}, nil
}

// admits returns why a request must not be sent with a token, or nil.
func (t target) admits(r *http.Request) error {
	switch {
	case r.URL == nil || r.URL.Scheme != t.scheme || hostOf(r.URL) != t.host:
		return fmt.Errorf("the token is for %s://%s only", t.scheme, t.host)
	case r.Response != nil:
		return fmt.Errorf("a redirect is not followed with a token")
	case len(r.Header.Values("Authorization")) > 0 || r.URL.User != nil:
		return fmt.Errorf("the request has an Authorization already")
	}
	return nil
}

// hostOf returns host and port of a URL, in lower case, the port always there.
func hostOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
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
	resp, err := t.options.Base.RoundTrip(out)
	if resp != nil {
		resp.Request = r // which has no token
	}
	return resp, err
}

// invoked returns the request as it is sent.
func (t *Transport) invoked(r *http.Request) (*http.Request, error) {
	if err := t.admits(r); err != nil {
		return nil, err
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
