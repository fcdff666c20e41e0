package httpauth_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify/httpauth"
)

// A witness stands in front of a service and notes which tokens came on which
// connection, in their order.
type witness struct {
	next http.Handler

	mu     sync.Mutex
	tokens map[delegation.Channel][]string
	protos map[string]bool
	before func() // of each request
}

func newWitness(next http.Handler) *witness {
	return &witness{next: next, tokens: map[delegation.Channel][]string{}, protos: map[string]bool{}}
}

func (s *witness) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.before != nil {
		s.before()
	}
	channel, err := delegation.ExporterChannel(r.TLS)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	text := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	s.protos[r.Proto+" "+tls.VersionName(r.TLS.Version)] = true
	if list := s.tokens[channel]; len(list) == 0 || list[len(list)-1] != text {
		s.tokens[channel] = append(list, text)
	}
	s.mu.Unlock()
	s.next.ServeHTTP(w, r)
}

// seen returns how many connections and tokens there were, and fails if a token came on
// two connections.
func (s *witness) seen(t *testing.T) (connections, tokens int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	of := map[string]delegation.Channel{}
	for channel, list := range s.tokens {
		for _, text := range list {
			if other, twice := of[text]; twice && other != channel {
				t.Error("a token came on two connections")
			}
			of[text] = channel
		}
	}
	return len(s.tokens), len(of)
}

// startTLS runs a service over one version of TLS.
func startTLS(t testing.TB, h http.Handler, http2 bool, version uint16) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.EnableHTTP2 = http2
	srv.TLS = &tls.Config{MinVersion: version, MaxVersion: version}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv
}

// trusts returns a base for a service. Its proxy must not be asked.
func trusts(srv *httptest.Server) *http.Transport {
	return &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs},
		Proxy:           func(*http.Request) (*url.URL, error) { return nil, errors.New("a session through a proxy") },
	}
}

func (w *world) sessions(srv *httptest.Server, invoker httpauth.SessionInvoker, most int) (*http.Client, *httpauth.SessionTransport) {
	w.t.Helper()
	transport, err := httpauth.NewSessionTransport(srv.URL, service, invoker, &httpauth.SessionOptions{Base: trusts(srv), MaxConnections: most})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}, transport
}

// counted counts the sessions that are made.
type counted struct {
	httpauth.SessionInvoker
	mu   sync.Mutex
	made int
}

func (c *counted) InvokeSession(ctx context.Context, audience string, channel delegation.Channel) (string, error) {
	c.mu.Lock()
	c.made++
	c.mu.Unlock()
	return c.SessionInvoker.InvokeSession(ctx, audience, channel)
}

// TestSessionTransport: one token for each connection, whatever the versions of HTTP and
// TLS, and a new one with a new connection.
func TestSessionTransport(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			proto := map[bool]string{false: "HTTP/1.1 ", true: "HTTP/2.0 "}[http2] + tls.VersionName(version)
			t.Run(proto, func(t *testing.T) {
				w := newWorld(t)
				see := newWitness(w.protected(&httpauth.Options{AllowSessions: true}))
				srv := startTLS(t, see, http2, version)
				invoker := &counted{SessionInvoker: httpauth.Hold(w.held, w.agent)}
				client, transport := w.sessions(srv, invoker, 0)
				for i := range 3 {
					res, err := client.Post(srv.URL+fmt.Sprint("/pay/", i), "text/plain", strings.NewReader("body"))
					if status, body := finish(t, res, err); status != 200 {
						t.Fatalf("%d %s", status, body)
					}
				}
				if c, n := see.seen(t); c != 1 || n != 1 || invoker.made != 1 || !see.protos[proto] || len(see.protos) != 1 {
					t.Errorf("%d connections, %d tokens, %d made, over %v", c, n, invoker.made, see.protos)
				}
				res, err := client.Get(srv.URL + "/other")
				if status, _ := finish(t, res, err); status != 403 {
					t.Errorf("beyond the token: %d", status)
				}
				transport.CloseIdleConnections()
				res, err = client.Get(srv.URL + "/pay/again")
				if status, body := finish(t, res, err); status != 200 {
					t.Errorf("on the second connection: %d %s", status, body)
				}
				if c, n := see.seen(t); c != 2 || n != 2 || invoker.made != 2 {
					t.Errorf("%d connections, %d tokens, %d made", c, n, invoker.made)
				}
				for _, s := range w.served {
					if s.authorization != "" || s.decision.Delegator != "alice@example.com" {
						t.Errorf("%+v", s)
					}
				}
			})
		}
	}
}

// TestSessionElsewhere: the token of one connection is refused on another.
func TestSessionElsewhere(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		w := newWorld(t)
		see := newWitness(w.protected(&httpauth.Options{AllowSessions: true}))
		srv := startTLS(t, see, http2, tls.VersionTLS13)
		client, _ := w.sessions(srv, httpauth.Hold(w.held, w.agent), 0)
		res, err := client.Get(srv.URL + "/pay/a")
		if status, body := finish(t, res, err); status != 200 {
			t.Fatalf("%d %s", status, body)
		}
		var text string
		for _, list := range see.tokens {
			text = list[0]
		}
		r, err := http.NewRequest("GET", srv.URL+"/pay/a", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+text)
		res, err = srv.Client().Do(r)
		if status, body := finish(t, res, err); status != 403 || body != `{"code":"check_failed"}`+"\n" && body != `{"code":"check_failed"}` {
			t.Errorf("%d %s", status, body)
		}
	}
}

// TestSessionsAtOnce: requests that come together share what connections there may be,
// each with its token.
func TestSessionsAtOnce(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		w := newWorld(t)
		see := newWitness(w.protected(&httpauth.Options{AllowSessions: true}))
		srv := startTLS(t, see, http2, tls.VersionTLS13)
		invoker := &counted{SessionInvoker: httpauth.Hold(w.held, w.agent)}
		const most = 4
		client, _ := w.sessions(srv, invoker, most)
		var all sync.WaitGroup
		for i := range 10 * most {
			all.Go(func() {
				res, err := client.Post(srv.URL+fmt.Sprint("/pay/", i), "text/plain", strings.NewReader("body"))
				if err != nil {
					t.Error(err)
					return
				}
				defer res.Body.Close()
				if body, err := io.ReadAll(res.Body); err != nil || string(body) != "done" {
					t.Errorf("%s, %v", body, err)
				}
			})
		}
		all.Wait()
		if c, n := see.seen(t); c > most || c != n || invoker.made != c || http2 && c != 1 {
			t.Errorf("HTTP/2 %v: %d connections, %d tokens, %d made", http2, c, n, invoker.made)
		}
	}
}

// TestSessionIsRenewed: before it ends, on the same connection. Where that fails nothing
// is sent.
func TestSessionIsRenewed(t *testing.T) {
	var mu sync.Mutex
	now, failing := time.Now().Truncate(time.Second), error(nil)
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	pass := func(d time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(d)
	}
	w := newWorld(t)
	see := newWitness(w.protected(&httpauth.Options{AllowSessions: true}))
	srv := startTLS(t, see, false, tls.VersionTLS13)
	made := 0
	client, transport := w.sessions(srv, invokerFunc(func(_ context.Context, audience string, channel delegation.Channel) (string, error) {
		if failing != nil {
			return "", failing
		}
		made++
		c, err := attenuate.InvokeSessionAt(w.held, w.agent, audience, channel, time.Now().Add(-time.Second), clock().Add(2*time.Minute))
		if err != nil {
			return "", err
		}
		return c.Text(), nil
	}), 0)
	transport.SetClock(clock)
	get := func() error {
		res, err := client.Get(srv.URL + "/pay/a")
		if err != nil {
			return err
		}
		if status, body := finish(t, res, nil); status != 200 {
			t.Errorf("%d %s", status, body)
		}
		return nil
	}
	for _, step := range []struct {
		after time.Duration
		made  int
	}{{0, 1}, {89 * time.Second, 1}, {time.Second, 2}, {time.Minute, 2}, {30 * time.Second, 3}} {
		pass(step.after)
		if err := get(); err != nil || made != step.made {
			t.Errorf("%s later: %d made, want %d; %v", step.after, made, step.made, err)
		}
	}
	if c, n := see.seen(t); c != 1 || n != 3 {
		t.Errorf("%d connections, %d tokens", c, n)
	}
	pass(90 * time.Second)
	failing = errors.New("the agent is gone")
	served := len(w.served)
	if err := get(); !errors.Is(err, failing) || len(w.served) != served {
		t.Errorf("%v", err)
	}
	failing = nil
	if err := get(); err != nil {
		t.Errorf("the connection is not usable again: %v", err)
	}
}

type invokerFunc func(context.Context, string, delegation.Channel) (string, error)

func (f invokerFunc) InvokeSession(ctx context.Context, audience string, channel delegation.Channel) (string, error) {
	return f(ctx, audience, channel)
}

// TestSessionTransportRefuses: what must not be sent is not, not even in part.
func TestSessionTransportRefuses(t *testing.T) {
	w := newWorld(t)
	see := newWitness(w.protected(&httpauth.Options{AllowSessions: true}))
	srv := startTLS(t, see, false, tls.VersionTLS13)
	hold := httpauth.Hold(w.held, w.agent)
	client, transport := w.sessions(srv, hold, 0)
	closed := &closes{Reader: strings.NewReader("body")}
	request := func(change func(*http.Request)) *http.Request {
		r, err := http.NewRequest("POST", srv.URL+"/pay/a", closed)
		if err != nil {
			t.Fatal(err)
		}
		change(r)
		return r
	}
	for name, change := range map[string]func(*http.Request){
		"another port":     func(r *http.Request) { r.URL.Host = "127.0.0.1:1" },
		"another scheme":   func(r *http.Request) { r.URL.Scheme = "http" },
		"a redirect":       func(r *http.Request) { r.Response = new(http.Response) },
		"an Authorization": func(r *http.Request) { r.Header.Set("Authorization", "Basic x") },
		"a header":         func(r *http.Request) { r.Header.Set("X", "a\nb") },
	} {
		closed.closed = false
		if res, err := transport.RoundTrip(request(change)); err == nil {
			res.Body.Close()
			t.Errorf("%s: sent", name)
		}
		if !closed.closed {
			t.Errorf("%s: the body is left open", name)
		}
	}
	text := func(text string) invokerFunc {
		return func(context.Context, string, delegation.Channel) (string, error) { return text, nil }
	}
	at := func(audience string, change func(*delegation.Channel), until time.Duration) invokerFunc {
		return func(_ context.Context, _ string, channel delegation.Channel) (string, error) {
			change(&channel)
			c, err := attenuate.InvokeSessionAt(w.held, w.agent, audience, channel, time.Now().Add(-time.Minute), time.Now().Add(until))
			if err != nil {
				return "", err
			}
			return c.Text(), nil
		}
	}
	same := func(*delegation.Channel) {}
	for name, invoker := range map[string]invokerFunc{
		"a held token":       text(w.held.Text()),
		"one request":        text(w.invoke(delegation.Request{Operation: "post", Resource: "pay/a"})),
		"no token":           text("none"),
		"another channel":    at(service, func(c *delegation.Channel) { c.Value[0]++ }, time.Minute),
		"another kind":       at(service, func(c *delegation.Channel) { c.Kind = delegation.ClientCertificate }, time.Minute),
		"another service":    at("svc:other", same, time.Minute),
		"a session that was": at(service, same, -time.Second),
	} {
		client, _ := w.sessions(srv, invoker, 0)
		if res, err := client.Post(srv.URL+"/pay/a", "text/plain", strings.NewReader("body")); err == nil {
			res.Body.Close()
			t.Errorf("%s: sent", name)
		}
	}
	if c, _ := see.seen(t); c != 0 {
		t.Error("something was sent")
	}
	if status, body := func() (int, string) {
		res, err := client.Get(srv.URL + "/pay/a")
		return finish(t, res, err)
	}(); status != 200 {
		t.Errorf("%d %s", status, body)
	}

	// Without an exporter there is no session.
	old := startTLS(t, see, false, tls.VersionTLS12)
	base := trusts(old)
	base.TLSClientConfig.Renegotiation = tls.RenegotiateOnceAsClient
	without, err := httpauth.NewSessionTransport(old.URL, service, hold, &httpauth.SessionOptions{Base: base})
	if err != nil {
		t.Fatal(err)
	}
	if res, err := (&http.Client{Transport: without}).Get(old.URL + "/pay/a"); err == nil {
		res.Body.Close()
		t.Error("a session without an exporter")
	}

	dialer := &http.Transport{DialTLSContext: func(context.Context, string, string) (net.Conn, error) { return nil, nil }}
	for name, err := range map[string]error{
		"http":        second(httpauth.NewSessionTransport("http://x.org", service, hold, nil)),
		"a path":      second(httpauth.NewSessionTransport("https://x.org/", service, hold, nil)),
		"no audience": second(httpauth.NewSessionTransport("https://x.org", "", hold, nil)),
		"no invoker":  second(httpauth.NewSessionTransport("https://x.org", service, nil, nil)),
		"a TLS base":  second(httpauth.NewSessionTransport("https://x.org", service, hold, &httpauth.SessionOptions{Base: dialer})),
	} {
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func second(_ *httpauth.SessionTransport, err error) error { return err }

type closes struct {
	io.Reader
	closed bool
}

func (c *closes) Close() error {
	c.closed = true
	return nil
}

// TestSessionWaits: a request that waits for a connection gives up with its context, and
// one that is freed serves the next.
func TestSessionWaits(t *testing.T) {
	w := newWorld(t)
	see := newWitness(w.protected(&httpauth.Options{AllowSessions: true}))
	arrived, goOn := make(chan struct{}), make(chan struct{})
	see.before = func() {
		arrived <- struct{}{}
		<-goOn
	}
	srv := startTLS(t, see, false, tls.VersionTLS13)
	client, _ := w.sessions(srv, httpauth.Hold(w.held, w.agent), 1)
	var all sync.WaitGroup
	get := func() {
		res, err := client.Get(srv.URL + "/pay/a")
		if err != nil {
			t.Error(err)
			return
		}
		defer res.Body.Close()
		if body, err := io.ReadAll(res.Body); err != nil || string(body) != "done" {
			t.Errorf("%s, %v", body, err)
		}
	}
	all.Go(get)
	<-arrived
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		r, err := http.NewRequestWithContext(ctx, "GET", srv.URL+"/pay/a", nil)
		if err == nil {
			_, err = client.Do(r)
		}
		ended <- err
	}()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	all.Go(get)
	goOn <- struct{}{}
	<-arrived
	goOn <- struct{}{}
	all.Wait()
	if c, n := see.seen(t); c != 1 || n != 1 {
		t.Errorf("%d connections, %d tokens", c, n)
	}
}

// TestSessionAfterClose: a service that closes its connections gets a new token on each
// new one.
func TestSessionAfterClose(t *testing.T) {
	w := newWorld(t)
	protected := w.protected(&httpauth.Options{AllowSessions: true})
	see := newWitness(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Connection", "close")
		protected.ServeHTTP(rw, r)
	}))
	srv := startTLS(t, see, false, tls.VersionTLS13)
	client, _ := w.sessions(srv, httpauth.Hold(w.held, w.agent), 2)
	for range 5 {
		res, err := client.Get(srv.URL + "/pay/a")
		if status, body := finish(t, res, err); status != 200 {
			t.Fatalf("%d %s", status, body)
		}
	}
	if c, n := see.seen(t); c != 5 || n != 5 {
		t.Errorf("%d connections, %d tokens", c, n)
	}
}
