package httpauth_test

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/httpauth"
)

var getA = delegation.Request{Operation: "get", Resource: "pay/a"}

func digestOf(body string) []byte {
	sum := sha256.Sum256([]byte(body))
	return sum[:]
}

// TestProtect: what was invoked is let through once, with its body, and the handler
// learns what was decided.
func TestProtect(t *testing.T) {
	w := newWorld(t)
	h := w.protected(nil)
	req := delegation.Request{Operation: "post", Resource: "pay/a", Args: map[string]any{"page": "2"}, BodyDigest: digestOf("hello")}
	text := w.invoke(req)
	expect(t, "allowed", w.send(h, text, raw(t, "POST /pay/a?page=2\nhello")), 200, "")
	expect(t, "again", w.send(h, text, raw(t, "POST /pay/a?page=2\nhello")), 401, token.CodeReplay)
	if len(w.served) != 1 {
		t.Fatalf("served %d times", len(w.served))
	}
	s := w.served[0]
	if s.body != "hello" || s.length != 5 || s.authorization != "" {
		t.Errorf("the handler got %+v", s)
	}
	if s.decision == nil || !s.decision.Allowed || s.decision.Delegator != "alice@example.com" {
		t.Errorf("decision %+v", s.decision)
	}
	if s.request == nil || s.request.Args["page"] != "2" {
		t.Errorf("request %+v", s.request)
	}
	if httpauth.DecisionFrom(t.Context()) != nil || httpauth.RequestFrom(t.Context()) != nil {
		t.Error("a decision where there is none")
	}
}

// TestReplayAcrossHandlers: what one handler of a verifier has let through, another
// does not.
func TestReplayAcrossHandlers(t *testing.T) {
	w := newWorld(t)
	one, other := w.protected(nil), w.protected(nil)
	text := w.invoke(getA)
	expect(t, "first", w.send(one, text, raw(t, "GET /pay/a")), 200, "")
	expect(t, "second", w.send(other, text, raw(t, "GET /pay/a")), 401, token.CodeReplay)
}

// TestAnotherRequest: any part that is changed after the invocation denies.
func TestAnotherRequest(t *testing.T) {
	w := newWorld(t)
	h := w.protected(nil)
	signed := delegation.Request{Operation: "post", Resource: "pay/a", Args: map[string]any{"n": "1"}, BodyDigest: digestOf("body")}
	for _, changed := range []string{
		"PUT /pay/a?n=1\nbody", "POST /pay/b?n=1\nbody", "POST /pay/a?n=2\nbody", "POST /pay/a\nbody",
		"POST /pay/a?n=1&m=1\nbody", "POST /pay/a?N=1\nbody", "POST /pay/a?n=1\nbodY", "POST /pay/a?n=1\nbody ", "POST /pay/a?n=1",
	} {
		expect(t, changed, w.send(h, w.invoke(signed), raw(t, changed)), 403, token.CodeCheckFailed)
	}
	expect(t, "as signed", w.send(h, w.invoke(signed), raw(t, "POST /pay/a?n=1\nbody")), 200, "")
	if len(w.served) != 1 {
		t.Errorf("%d requests were served", len(w.served))
	}
}

// TestDenied: codes and statuses of tokens that are no good here.
func TestDenied(t *testing.T) {
	w := newWorld(t)
	h := w.protected(nil)
	otherService := getA
	otherService.Audience = "svc:other"
	outside := delegation.Request{Operation: "get", Resource: "other/a"}
	for name, c := range map[string]struct {
		text, request string
		status        int
		code          token.Code
	}{
		"held":             {w.held.Text(), "GET /pay/a", 401, token.CodeNotPresented},
		"another audience": {w.invoke(otherService), "GET /pay/a", 401, token.CodeAudience},
		"stranger's root":  {newWorld(t).invoke(getA), "GET /pay/a", 401, token.CodeUntrustedRoot},
		"beyond the token": {w.invoke(outside), "GET /other/a", 403, token.CodeCheckFailed},
		"rubbish":          {"rubbish", "GET /pay/a", 401, token.CodeMalformed},
		"a megabyte":       {strings.Repeat("A", 1<<20), "GET /pay/a", 401, token.CodeMalformed},
	} {
		expect(t, name, w.send(h, c.text, raw(t, c.request)), c.status, c.code)
	}
	if len(w.served) != 0 {
		t.Error("a denied request was served")
	}
}

// TestCredential: exactly one, and of the scheme Bearer.
func TestCredential(t *testing.T) {
	w := newWorld(t)
	h := w.protected(nil)
	good := func() string { return w.invoke(getA) }
	ten := make([]string, 10)
	for i := range ten {
		ten[i] = "Bearer " + good()
	}
	for name, c := range map[string]struct {
		values []string
		status int
		code   token.Code
	}{
		"none":           {nil, 401, token.CodeNotPresented},
		"empty":          {[]string{""}, 401, token.CodeNotPresented},
		"basic":          {[]string{"Basic " + good()}, 401, token.CodeNotPresented},
		"no scheme":      {[]string{good()}, 401, token.CodeNotPresented},
		"scheme only":    {[]string{"Bearer"}, 401, token.CodeMalformed},
		"empty token":    {[]string{"Bearer "}, 401, token.CodeMalformed},
		"two spaces":     {[]string{"Bearer  " + good()}, 401, token.CodeMalformed},
		"a tab":          {[]string{"Bearer\t" + good()}, 401, token.CodeNotPresented},
		"two in one":     {[]string{"Bearer " + good() + ", Bearer " + good()}, 401, token.CodeMalformed},
		"parameters":     {[]string{"Bearer " + good() + " realm=x"}, 401, token.CodeMalformed},
		"two":            {[]string{"Bearer " + good(), "Bearer " + good()}, 401, token.CodeMalformed},
		"one and basic":  {[]string{"Bearer " + good(), "Basic eDp5"}, 401, token.CodeMalformed},
		"basic and one":  {[]string{"Basic eDp5", "Bearer " + good()}, 401, token.CodeMalformed},
		"ten":            {ten, 401, token.CodeMalformed},
		"lower case":     {[]string{"bearer " + good()}, 200, ""},
		"in capitals":    {[]string{"BEARER " + good()}, 200, ""},
		"as it is meant": {[]string{"Bearer " + good()}, 200, ""},
	} {
		r := raw(t, "GET /pay/a")
		if c.values != nil {
			r.Header["Authorization"] = c.values
		}
		expect(t, name, answer(h, r), c.status, c.code)
	}
	if got := answer(h, raw(t, "GET /pay/a")).Header().Get("WWW-Authenticate"); got != "Bearer" {
		t.Errorf("without a credential the challenge is %q", got)
	}
}

// TestNothingLeaks: the client is told the code; the log is told the reason, never the
// token, and no more than a bounded part of what the client wrote.
func TestNothingLeaks(t *testing.T) {
	w := newWorld(t)
	h := w.protected(nil)
	text := w.invoke(delegation.Request{Operation: "get", Resource: "secret-plans/a"})
	rec := w.send(h, text, raw(t, "GET /secret-plans/a"))
	expect(t, "denied", rec, 403, token.CodeCheckFailed)
	if !strings.Contains(w.log.String(), "secret-plans") || !strings.Contains(w.log.String(), "alice@example.com") {
		t.Errorf("the log does not say why: %s", &w.log)
	}
	if strings.Contains(w.log.String(), text) {
		t.Error("the log has the token")
	}
	for name, values := range rec.Header() {
		if s := fmt.Sprint(values); strings.Contains(s, "pay") || strings.Contains(s, "alice") {
			t.Errorf("header %s says %s", name, s)
		}
	}
	w.log.Reset()
	long := strings.Repeat("x", 1<<19)
	for _, r := range []*http.Request{raw(t, "GET /"+long), raw(t, "GET /pay/a?"+long+"="+long+"&"+long+"=1")} {
		w.send(h, text, r)
	}
	if n := w.log.Len(); n == 0 || n > 16*1024 {
		t.Errorf("two requests of half a megabyte leave %d bytes in the log", n)
	}
}

// TestBody: read once, to its end and up to a limit, and handed on unchanged.
func TestBody(t *testing.T) {
	w := newWorld(t)
	h := w.protected(&httpauth.Options{MaxBody: 10})
	post := func(body string) string {
		return w.invoke(delegation.Request{Operation: "post", Resource: "pay/a", BodyDigest: digestOf(body)})
	}
	expect(t, "ten bytes", w.send(h, post("0123456789"), raw(t, "POST /pay/a\n0123456789")), 200, "")
	expect(t, "eleven", w.send(h, post("0123456789a"), raw(t, "POST /pay/a\n0123456789a")), 413, token.CodeLimit)
	unknown := raw(t, "POST /pay/a\n0123456789a")
	unknown.ContentLength = -1
	expect(t, "eleven, length unknown", w.send(h, post("0123456789a"), unknown), 413, token.CodeLimit)
	short := raw(t, "POST /pay/a")
	short.Body = io.NopCloser(io.MultiReader(strings.NewReader("01"), failing{}))
	expect(t, "cut off", w.send(h, post("01"), short), 403, token.CodeCheckFailed)
	endless := raw(t, "POST /pay/a")
	counted := &zeros{}
	endless.Body, endless.ContentLength = io.NopCloser(counted), -1
	expect(t, "endless", w.send(h, post("01"), endless), 413, token.CodeLimit)
	if counted.n > 4096 {
		t.Errorf("%d bytes of an endless body were read", counted.n)
	}
	if len(w.served) != 1 || w.served[0].body != "0123456789" {
		t.Errorf("served %+v", w.served)
	}
	parsed := raw(t, "POST /pay/a\na=1")
	parsed.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if err := parsed.ParseForm(); err != nil {
		t.Fatal(err)
	}
	expect(t, "a form that was parsed before", w.send(h, post("a=1"), parsed), 403, token.CodeCheckFailed)
}

// TestNoBodyIsReadInVain: nobody makes a service read a body with a request that is
// refused whatever the body is.
func TestNoBodyIsReadInVain(t *testing.T) {
	w := newWorld(t)
	h := w.protected(nil)
	good := w.invoke(delegation.Request{Operation: "post", Resource: "pay/a", BodyDigest: digestOf("01")})
	for name, c := range map[string]struct {
		target, credential string
		code               token.Code
	}{
		"no token":           {"/pay/a", "", token.CodeNotPresented},
		"another scheme":     {"/pay/a", "Basic eDp5", token.CodeNotPresented},
		"an empty token":     {"/pay/a", "Bearer ", token.CodeMalformed},
		"no token's letters": {"/pay/a", "Bearer " + good + "!", token.CodeMalformed},
		"dots in the path":   {"/pay/../a", "Bearer " + good, token.CodeCheckFailed},
		"a parameter twice":  {"/pay/a?a=1&a=1", "Bearer " + good, token.CodeCheckFailed},
	} {
		r := raw(t, "POST "+c.target)
		counted := &zeros{}
		r.Body, r.ContentLength = io.NopCloser(counted), -1
		if c.credential != "" {
			r.Header.Set("Authorization", c.credential)
		}
		rec := answer(h, r)
		if !strings.Contains(rec.Body.String(), string(c.code)) || counted.n > 0 {
			t.Errorf("%s: %s, and %d bytes were read", name, rec.Body, counted.n)
		}
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

type zeros struct{ n int }

func (z *zeros) Read(p []byte) (int, error) {
	z.n += len(p)
	return len(p), nil
}

// TestContentLengthLies: over a real connection, a body that is shorter or longer than
// it says.
func TestContentLengthLies(t *testing.T) {
	w := newWorld(t)
	srv := httptest.NewServer(w.protected(nil))
	defer srv.Close()
	for name, c := range map[string]struct {
		length, sent string
		signed       string
		status       int
	}{
		"honest":  {"4", "body", "body", 200},
		"shorter": {"5", "body", "body", 403},
		"longer":  {"4", "body and more", "body and more", 403},
		"two":     {"4\r\nContent-Length: 5", "body!", "body!", 400},
		"chunked": {"4\r\nTransfer-Encoding: chunked", "4\r\nbody\r\n0\r\n\r\n", "body", 200},
	} {
		text := w.invoke(delegation.Request{Operation: "post", Resource: "pay/a", BodyDigest: digestOf(c.signed)})
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST /pay/a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %s\r\n\r\n%s", text, c.length, c.sent)
		if name == "shorter" { // the others must not look as if the client were gone
			if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
		}
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if res.StatusCode != c.status {
			t.Errorf("%s: status %d, want %d", name, res.StatusCode, c.status)
		}
		res.Body.Close()
		conn.Close()
	}
	for _, s := range w.served {
		if s.body != "body" {
			t.Errorf("served %q", s.body)
		}
	}
}

// TestState: what the service knows is stated, and an error of it denies.
func TestState(t *testing.T) {
	w := newWorld(t, delegation.Context("ticket", "T-1"))
	stating := func(s verify.State, err error) http.Handler {
		return w.protected(&httpauth.Options{State: func(*http.Request) (verify.State, error) { return s, err }})
	}
	ticket := func(v any) verify.State { return verify.State{Context: map[string]any{"ticket": v}} }
	send := func(h http.Handler) *httptest.ResponseRecorder {
		return w.send(h, w.invoke(getA), raw(t, "GET /pay/a"))
	}
	expect(t, "open", send(stating(ticket("T-1"), nil)), 200, "")
	expect(t, "another", send(stating(ticket("T-2"), nil)), 403, token.CodeCheckFailed)
	expect(t, "none", send(w.protected(nil)), 403, token.CodeCheckFailed)
	expect(t, "an error", send(stating(ticket("T-1"), errors.New("the database is away"))), 503, token.CodeUnavailable)
}

func TestProtectPanics(t *testing.T) {
	for name, f := range map[string]func(){
		"no verifier": func() { httpauth.Protect(nil, http.NotFoundHandler(), nil) },
		"no handler":  func() { httpauth.Protect(newWorld(t).verifier, nil, nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}
