package httpauth_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify/httpauth"
)

// start runs a service over TLS, with HTTP/2 or without.
func start(t *testing.T, h http.Handler, http2 bool) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.EnableHTTP2 = http2
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv
}

func (w *world) client(srv *httptest.Server, o *httpauth.TransportOptions) *http.Client {
	w.t.Helper()
	if o == nil {
		o = &httpauth.TransportOptions{}
	}
	if o.Base == nil {
		o.Base = srv.Client().Transport
	}
	transport, err := httpauth.NewTransport(srv.URL, service, httpauth.Hold(w.held, w.agent), o)
	if err != nil {
		w.t.Fatal(err)
	}
	return &http.Client{Transport: transport}
}

func finish(t *testing.T, res *http.Response, err error) (status int, body string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(data)
}

// TestTransport: both ends agree on what is asked, over HTTP/1.1 and HTTP/2, without a
// mapping and with one.
func TestTransport(t *testing.T) {
	pay := mapping(t, httpauth.Route{Pattern: "POST /v1/{to}/pay", Operation: "pay", Resource: "pay/{to}", Query: []string{"note"}, Fields: []string{"amount"}})
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("HTTP/2 %v", http2), func(t *testing.T) {
			w := newWorld(t)
			plain := start(t, w.protected(nil), http2)
			c := w.client(plain, nil)
			for range 3 {
				res, err := c.Get(plain.URL + "/pay/caf%C3%A9%20x?b=2&a=x+y")
				if status, body := finish(t, res, err); status != 200 || body != "done" {
					t.Fatalf("%d %s", status, body)
				}
				if res.Request.URL.Path != "/pay/caf\u00e9 x" || res.Request.Header["Authorization"] != nil {
					t.Errorf("the response is to %v, with %d tokens", res.Request.URL, len(res.Request.Header["Authorization"]))
				}
			}
			for _, body := range []io.Reader{strings.NewReader("text"), io.MultiReader(strings.NewReader("te"), strings.NewReader("xt")), http.NoBody, nil} {
				res, err := c.Post(plain.URL+"/pay/a", "text/plain", body)
				if status, body := finish(t, res, err); status != 200 {
					t.Errorf("%d %s", status, body)
				}
			}
			res, err := c.Get(plain.URL + "/other/a")
			if status, body := finish(t, res, err); status != 403 || body != "{\"code\":\"check_failed\"}\n" {
				t.Errorf("beyond the token: %d %s", status, body)
			}
			routed := start(t, w.protected(&httpauth.Options{Mapping: pay}), http2)
			res, err = w.client(routed, &httpauth.TransportOptions{Mapping: pay}).Post(routed.URL+"/v1/bob/pay?note=hi", "application/json", strings.NewReader(`{ "amount": 9007199254740993 }`))
			if status, body := finish(t, res, err); status != 200 {
				t.Errorf("with routes: %d %s", status, body)
			}
			last := w.served[len(w.served)-1]
			if last.body != `{ "amount": 9007199254740993 }` || last.request.Args["amount"] != int64(9007199254740993) || last.request.Operation != "pay" {
				t.Errorf("served %+v", last)
			}
			res, err = w.client(routed, nil).Post(routed.URL+"/v1/bob/pay?note=hi", "application/json", strings.NewReader(`{"amount":1}`))
			if status, _ := finish(t, res, err); status != 403 {
				t.Errorf("the ends map differently, and the status is %d", status)
			}
			if want := map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"}[http2]; last.proto != want {
				t.Errorf("served over %s", last.proto)
			}
		})
	}
}

// sent records what goes out, and sends nothing.
type sent struct{ requests []*http.Request }

func (s *sent) RoundTrip(r *http.Request) (*http.Response, error) {
	s.requests = append(s.requests, r)
	return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r, Header: http.Header{}}, nil
}

type closed struct {
	io.Reader
	yes bool
}

func (c *closed) Close() error {
	c.yes = true
	return nil
}

type invoker func(delegation.Request) (string, error)

func (f invoker) Invoke(_ context.Context, req delegation.Request) (string, error) { return f(req) }

// TestTransportRefuses: nothing is sent, and the body is closed all the same.
func TestTransportRefuses(t *testing.T) {
	w := newWorld(t)
	request := func(method, target, body string) *http.Request {
		r, err := http.NewRequest(method, target, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	authorized := request("GET", "https://svc.example/pay/a", "")
	authorized.Header.Set("Authorization", "Basic eDp5")
	redirected := request("GET", "https://svc.example/pay/a", "")
	redirected.Response = &http.Response{}
	for name, c := range map[string]struct {
		request *http.Request
		invoker httpauth.Invoker
		allowed bool
	}{
		"as it should be":  {request("GET", "https://svc.example/pay/a", ""), nil, true},
		"host in capitals": {request("GET", "https://SVC.example:443/pay/a", ""), nil, true},
		"another host":     {request("GET", "https://evil.example/pay/a", ""), nil, false},
		"host as prefix":   {request("GET", "https://svc.example.evil.example/pay/a", ""), nil, false},
		"another port":     {request("GET", "https://svc.example:444/pay/a", ""), nil, false},
		"plain http":       {request("GET", "http://svc.example/pay/a", ""), nil, false},
		"plain http, 443":  {request("GET", "http://svc.example:443/pay/a", ""), nil, false},
		"authorized":       {authorized, nil, false},
		"a user":           {request("GET", "https://x:y@svc.example/pay/a", ""), nil, false},
		"a redirect":       {redirected, nil, false},
		"dots":             {request("GET", "https://svc.example/pay/../a", ""), nil, false},
		"escaped dots":     {request("GET", "https://svc.example/pay/%2e%2e/a", ""), nil, false},
		"query twice":      {request("GET", "https://svc.example/pay/a?a=1&a=2", ""), nil, false},
		"body too large":   {request("POST", "https://svc.example/pay/a", strings.Repeat("x", 101)), nil, false},
		"held": {request("GET", "https://svc.example/pay/a", ""), invoker(func(delegation.Request) (string, error) {
			return w.held.Text(), nil
		}), false},
		"held, unmarked": {request("GET", "https://svc.example/pay/a", ""), invoker(func(delegation.Request) (string, error) {
			return strings.TrimPrefix(w.held.Text(), "whittle:"), nil
		}), false},
		"two lines": {request("GET", "https://svc.example/pay/a", ""), invoker(func(delegation.Request) (string, error) {
			return "x\r\nHost: y", nil
		}), false},
		"an error": {request("GET", "https://svc.example/pay/a", ""), invoker(func(delegation.Request) (string, error) {
			return "", io.ErrUnexpectedEOF
		}), false},
	} {
		base := &sent{}
		if c.invoker == nil {
			c.invoker = httpauth.Hold(w.held, w.agent)
		}
		transport, err := httpauth.NewTransport("https://svc.example", service, c.invoker, &httpauth.TransportOptions{Base: base, MaxBody: 100})
		if err != nil {
			t.Fatal(err)
		}
		body := &closed{Reader: c.request.Body}
		c.request.Body = body
		before := len(c.request.Header.Values("Authorization"))
		res, err := transport.RoundTrip(c.request)
		if (err == nil) != c.allowed || len(base.requests) > 0 != c.allowed {
			t.Errorf("%s: %v, %d sent", name, err, len(base.requests))
		}
		if res != nil {
			res.Body.Close()
		}
		if !body.yes {
			t.Errorf("%s: the body is not closed", name)
		}
		if len(c.request.Header.Values("Authorization")) != before {
			t.Errorf("%s: the caller's request was changed", name)
		}
		for _, r := range base.requests {
			if got := r.Header.Get("Authorization"); strings.Contains(got, "whittle:") || strings.Contains(got, strings.TrimPrefix(w.held.Text(), "whittle:")) {
				t.Errorf("%s: the held token is sent", name)
			}
		}
	}
}

func TestNewTransport(t *testing.T) {
	inv := invoker(func(delegation.Request) (string, error) { return "", nil })
	plain := &httpauth.TransportOptions{AllowPlainHTTP: true}
	for name, c := range map[string]struct {
		origin, audience string
		invoker          httpauth.Invoker
		options          *httpauth.TransportOptions
		ok               bool
	}{
		"https":        {"https://x.example", service, inv, nil, true},
		"http":         {"http://x.example", service, inv, nil, false},
		"http by name": {"http://x.example", service, inv, plain, true},
		"ftp":          {"ftp://x.example", service, inv, plain, false},
		"no host":      {"https://", service, inv, nil, false},
		"a path":       {"https://x.example/a", service, inv, nil, false},
		"a user":       {"https://u@x.example", service, inv, nil, false},
		"a query":      {"https://x.example?a", service, inv, nil, false},
		"no audience":  {"https://x.example", "", inv, nil, false},
		"no invoker":   {"https://x.example", service, nil, nil, false},
	} {
		if _, err := httpauth.NewTransport(c.origin, c.audience, c.invoker, c.options); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRedirect: what a service answers never makes its agent sign.
func TestRedirect(t *testing.T) {
	w := newWorld(t)
	var srv *httptest.Server
	asked := 0
	srv = start(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		asked++
		http.Redirect(rw, r, srv.URL+"/pay/everything", http.StatusTemporaryRedirect)
	}), true)
	res, err := w.client(srv, nil).Post(srv.URL+"/pay/a", "text/plain", strings.NewReader("x"))
	if err == nil {
		res.Body.Close()
		t.Error("a redirect was followed")
	}
	if asked != 1 {
		t.Errorf("the service was asked %d times", asked)
	}
}

// TestOneInvocationPerRequest: net/http may send a request again, but with the same
// invocation.
func TestOneInvocationPerRequest(t *testing.T) {
	w := newWorld(t)
	invocations := 0
	var mu sync.Mutex
	tokens := map[string]bool{}
	srv := start(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		tokens[r.Header.Get("Authorization")] = true
		if r.URL.Path == "/pay/dead" {
			panic(http.ErrAbortHandler)
		}
	}), false)
	counting := invoker(func(req delegation.Request) (string, error) {
		invocations++
		return httpauth.Hold(w.held, w.agent).Invoke(t.Context(), req)
	})
	transport, err := httpauth.NewTransport(srv.URL, service, counting, &httpauth.TransportOptions{Base: srv.Client().Transport})
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Transport: transport}
	res, err := c.Get(srv.URL + "/pay/a")
	finish(t, res, err)
	for _, method := range []string{"GET", "POST"} {
		req, err := http.NewRequestWithContext(t.Context(), method, srv.URL+"/pay/dead", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		if res, err := c.Do(req); err == nil {
			res.Body.Close()
			t.Error("an aborted request succeeds")
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if invocations != 3 || len(tokens) != 3 {
		t.Errorf("%d invocations, %d tokens for three requests", invocations, len(tokens))
	}
}

// TestSessionOnConnection: a session is of use on its own connection, where the service
// says that it ends TLS for one agent each, and nowhere else.
func TestSessionOnConnection(t *testing.T) {
	w := newWorld(t)
	sessions := start(t, w.protected(&httpauth.Options{AllowSessions: true}), false)
	without := start(t, w.protected(nil), false)
	dial := func(srv *httptest.Server) (*tls.Conn, *bufio.Reader) {
		config := srv.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
		config.ServerName = "example.com"
		c, err := tls.Dial("tcp", srv.Listener.Addr().String(), config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c, bufio.NewReader(c)
	}
	open := func(c *tls.Conn) string {
		cs := c.ConnectionState()
		channel, err := delegation.ExporterChannel(&cs)
		if err != nil {
			t.Fatal(err)
		}
		s, err := attenuate.InvokeSession(w.held, w.agent, service, channel)
		if err != nil {
			t.Fatal(err)
		}
		return s.Text()
	}
	get := func(c net.Conn, answers *bufio.Reader, path, text string) int {
		fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", path, text)
		res, err := http.ReadResponse(answers, nil)
		status, _ := finish(t, res, err)
		return status
	}
	own, answers := dial(sessions)
	text := open(own)
	for _, path := range []string{"/pay/a", "/pay/b", "/pay/a"} {
		if status := get(own, answers, path, text); status != 200 {
			t.Errorf("%s on its connection: %d", path, status)
		}
	}
	if status := get(own, answers, "/other/a", text); status != 403 {
		t.Errorf("beyond the token: %d", status)
	}
	other, answers := dial(sessions)
	if status := get(other, answers, "/pay/a", text); status != 403 {
		t.Errorf("on another connection: %d", status)
	}
	strict, answers := dial(without)
	if status := get(strict, answers, "/pay/a", open(strict)); status != 403 {
		t.Errorf("where sessions are not allowed: %d", status)
	}
}

// TestSessionOverHTTP2: the connection is the one of all its streams.
func TestSessionOverHTTP2(t *testing.T) {
	w := newWorld(t)
	srv := start(t, w.protected(&httpauth.Options{AllowSessions: true}), true)
	config := srv.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	config.ServerName, config.NextProtos = "example.com", []string{"h2"}
	var conns []*tls.Conn
	transport := &http.Transport{ForceAttemptHTTP2: true, DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := (&tls.Dialer{Config: config}).DialContext(ctx, network, addr)
		if err == nil {
			conns = append(conns, c.(*tls.Conn))
		}
		return c, err
	}}
	defer transport.CloseIdleConnections()
	send := func(text string) int {
		r, err := http.NewRequestWithContext(t.Context(), "GET", srv.URL+"/pay/a", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+text)
		res, err := transport.RoundTrip(r)
		if err == nil && res.ProtoMajor != 2 {
			t.Errorf("served over %s", res.Proto)
		}
		status, _ := finish(t, res, err)
		return status
	}
	send("opens the connection")
	cs := conns[0].ConnectionState()
	channel, err := delegation.ExporterChannel(&cs)
	if err != nil {
		t.Fatal(err)
	}
	s, err := attenuate.InvokeSessionAt(w.held, w.agent, service, channel, time.Now().Add(-time.Second), time.Now().Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if status := send(s.Text()); status != 200 || len(conns) != 1 {
			t.Errorf("status %d on %d connections", status, len(conns))
		}
	}
	transport.CloseIdleConnections()
	if status := send(s.Text()); status != 403 || len(conns) != 2 {
		t.Errorf("on another connection: status %d on %d connections", status, len(conns))
	}
}
