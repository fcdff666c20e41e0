package extauthz_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify/extauthz"
)

// TestCheck: what is allowed reaches the service with who is allowed to do what, and
// without the token; once.
func TestCheck(t *testing.T) {
	w := newWorld(t, configuration)
	for name, form := range map[string]func(*auth.AttributeContext_HttpRequest, ...string) *auth.AttributeContext_HttpRequest{
		"merged": func(r *auth.AttributeContext_HttpRequest, _ ...string) *auth.AttributeContext_HttpRequest { return r },
		"raw":    raw,
	} {
		text := w.readA()
		res := w.ask(whole(t.Context()), form(asked("GET", "/a", text)))
		got := expect(t, name, res, 0, "")
		for header, want := range map[string]string{
			"x-whittle-delegator": "alice@example.com", "x-whittle-agent": "agent:ci", "x-whittle-operation": "read", "x-whittle-resource": "docs/a",
			"x-whittle-content-digest": "sha-256=:" + base64.StdEncoding.EncodeToString(digest("")) + ":",
		} {
			if got[header] != want {
				t.Errorf("%s: %s: %q, want %q", name, header, got[header], want)
			}
		}
		if len(got) != 6 || !slices.Equal(res.GetOkResponse().GetHeadersToRemove(), []string{"authorization"}) {
			t.Errorf("%s: %v", name, res)
		}
		expect(t, name+", again", w.ask(whole(t.Context()), form(asked("GET", "/a", text))), 401, token.CodeReplay)
	}
	query := w.invoke(delegation.Request{Operation: "read", Resource: "docs/a", Args: map[string]any{"page": "2"}})
	expect(t, "with a query", w.ask(whole(t.Context()), asked("GET", "/a?page=2", query)), 0, "")
}

// TestDenied: the client is told status and code; the log knows why, and no token.
func TestDenied(t *testing.T) {
	w := newWorld(t, configuration)
	other := w.invoke(delegation.Request{Operation: "read", Resource: "docs/a", Audience: "site:other"})
	twice, without := asked("GET", "/a", w.readA()), asked("GET", "/a", "")
	delete(without.Headers, "authorization")
	ten := make([]string, 0, 20)
	for range 10 {
		ten = append(ten, "authorization", "Bearer "+w.readA())
	}
	for name, c := range map[string]struct {
		request *auth.AttributeContext_HttpRequest
		status  int
		code    token.Code
	}{
		"no attributes":  {nil, 403, token.CodeCheckFailed},
		"no token":       {without, 401, token.CodeNotPresented},
		"another path":   {asked("GET", "/b", w.readA()), 403, token.CodeCheckFailed},
		"another query":  {asked("GET", "/a?page=1", w.readA()), 403, token.CodeCheckFailed},
		"another method": {asked("PUT", "/a", w.readA()), 403, token.CodeCheckFailed},
		"another host": {func() *auth.AttributeContext_HttpRequest {
			r := asked("GET", "/a", w.readA())
			r.Host = "evil.example"
			return r
		}(), 403, token.CodeCheckFailed},
		"no route":            {asked("DELETE", "/a", w.readA()), 403, token.CodeCheckFailed},
		"dots":                {asked("GET", "/x/../a", w.readA()), 403, token.CodeCheckFailed},
		"escaped dots":        {asked("GET", "/x/%2e%2e/a", w.readA()), 403, token.CodeCheckFailed},
		"two slashes":         {asked("GET", "//a", w.readA()), 403, token.CodeCheckFailed},
		"a URL":               {asked("GET", "http://docs.example.org/a", w.readA()), 403, token.CodeCheckFailed},
		"two paths":           {with(asked("GET", "/a", w.readA()), ":path", "/b"), 403, token.CodeCheckFailed},
		"identity by itself":  {with(asked("GET", "/a", w.readA()), "x-whittle-agent", "agent:root"), 403, token.CodeCheckFailed},
		"with an underscore":  {with(asked("GET", "/a", w.readA()), "x_whittle_agent", "agent:root"), 403, token.CodeCheckFailed},
		"the held token":      {asked("GET", "/a", w.held.Text()), 401, token.CodeNotPresented},
		"another audience":    {asked("GET", "/a", other), 401, token.CodeAudience},
		"basic":               {with(asked("GET", "/a", ""), "authorization", "Basic eDp5"), 401, token.CodeNotPresented},
		"two merged into one": {with(asked("GET", "/a", ""), "authorization", "Bearer "+w.readA()+",Bearer "+w.readA()), 401, token.CodeMalformed},
		"two":                 {raw(twice, "authorization", "Bearer "+w.readA()), 401, token.CodeMalformed},
		"ten":                 {raw(with(asked("GET", "/a", ""), "authorization", "Bearer "+w.readA()), ten...), 401, token.CodeMalformed},
		"a megabyte":          {asked("GET", "/a", strings.Repeat("A", 1<<20)), 401, token.CodeMalformed},
		"a long path":         {asked("GET", "/"+strings.Repeat("a", 1<<20), w.readA()), 403, token.CodeCheckFailed},
	} {
		got := expect(t, name, w.ask(whole(t.Context()), c.request), c.status, c.code)
		if c.code != token.CodeNotPresented && !strings.Contains(got["www-authenticate"], string(c.code)) {
			t.Errorf("%s: challenge %q", name, got["www-authenticate"])
		}
	}
	if w.ask(whole(t.Context()), without).GetStatus().GetCode() != int32(codes.Unauthenticated) {
		t.Error("the status of a call without a token")
	}
	if strings.Contains(w.log.String(), other) || !strings.Contains(w.log.String(), "X-Whittle-Agent") {
		t.Error("the log has a token, or no reasons")
	}
	expect(t, "as it is meant", w.ask(whole(t.Context()), asked("GET", "/a", w.readA())), 0, "")
}

// TestUntrustedProxy: whoever asks from elsewhere is not answered by what it says.
func TestUntrustedProxy(t *testing.T) {
	w := newWorld(t, strings.Replace(configuration, `["127.0.0.1"]`, `["10.0.0.0/8"]`, 1))
	expect(t, "from the loopback", w.ask(whole(t.Context()), with(asked("GET", "/a", w.readA()), "x-forwarded-for", "10.0.0.1")), 403, token.CodeCheckFailed)
}

// TestBodies: a body that Envoy shows as a whole is decided on, and one that it does not
// is denied, whatever the client says of it.
func TestBodies(t *testing.T) {
	w := newWorld(t, configuration)
	const body = "be\xffhold" // no UTF-8
	contentDigest := "sha-256=:" + base64.StdEncoding.EncodeToString(digest(body)) + ":"
	put := func(signed string) *auth.AttributeContext_HttpRequest { return asked("PUT", "/a", w.writeA(signed)) }
	noBody := func() string { return w.invoke(delegation.Request{Operation: "write", Resource: "docs/a"}) }
	text := func(r *auth.AttributeContext_HttpRequest) *auth.AttributeContext_HttpRequest {
		r.Body = "text"
		return with(r, "x-envoy-auth-partial-body", "false")
	}
	for name, c := range map[string]struct {
		request *auth.AttributeContext_HttpRequest
		whole   bool
		allowed bool
	}{
		"whole":                     {shown(put(body), body), false, true},
		"whole, raw headers":        {raw(shown(put(body), body)), false, true},
		"another":                   {shown(put(body), body+" "), false, false},
		"none of it":                {shown(put(body), ""), false, false},
		"empty":                     {shown(asked("PUT", "/a", noBody()), ""), false, true},
		"more than was signed":      {shown(asked("PUT", "/a", noBody()), body), false, false},
		"a digest of another":       {with(shown(put(body), body+" "), "content-digest", contentDigest), false, false},
		"cut off":                   {with(shown(put(body[:3]), body[:3]), "x-envoy-auth-partial-body", "true"), false, false},
		"cut off, with a digest":    {with(with(put(body), "x-envoy-auth-partial-body", "true"), "content-digest", contentDigest), false, false},
		"the header twice":          {raw(shown(put(body), body), "x-envoy-auth-partial-body", "false"), false, false},
		"as text":                   {text(put("text")), false, false},
		"as text, none signed":      {text(asked("PUT", "/a", noBody())), false, false},
		"as text, with a digest":    {with(text(put("text")), "content-digest", "sha-256=:"+base64.StdEncoding.EncodeToString(digest("text"))+":"), false, false},
		"bytes without the header":  {func() *auth.AttributeContext_HttpRequest { r := put(body); r.RawBody = []byte(body); return r }(), false, false},
		"announced, not shown":      {with(put(body), "content-length", "7"), false, false},
		"announced, by its digest":  {with(with(put(body), "content-length", "7"), "content-digest", contentDigest), false, true},
		"perhaps, by its digest":    {with(put(body), "content-digest", contentDigest), false, true},
		"the same, asserted whole":  {with(with(put(body), "content-length", "7"), "content-digest", contentDigest), true, false},
		"none, by a digest":         {with(put(body), "content-digest", contentDigest), true, false},
		"chunked, asserted whole":   {with(asked("PUT", "/a", noBody()), "transfer-encoding", "chunked"), true, false},
		"perhaps":                   {asked("PUT", "/a", noBody()), false, false},
		"length 0":                  {with(asked("PUT", "/a", noBody()), "content-length", "0"), false, false},
		"none, asserted":            {asked("PUT", "/a", noBody()), true, true},
		"length 0, asserted":        {with(asked("PUT", "/a", noBody()), "content-length", "0"), true, true},
		"a read, perhaps of a body": {asked("GET", "/a", w.readA()), false, false},
		"a read, asserted":          {asked("GET", "/a", w.readA()), true, true},
		"an upgrade":                {with(asked("GET", "/a", w.readA()), "upgrade", "websocket"), false, false},
		"an upgrade, asserted":      {with(asked("GET", "/a", w.readA()), "upgrade", "websocket"), true, false},
		"a tunnel":                  {asked("CONNECT", "/a", w.readA()), true, false},
		"a body where none belongs": {shown(asked("GET", "/a", w.readA()), "x"), false, false},
	} {
		ctx := t.Context()
		if c.whole {
			ctx = whole(ctx)
		}
		status, code := 403, token.CodeCheckFailed
		if c.allowed {
			code = ""
		}
		expect(t, name, w.ask(ctx, c.request), status, code)
	}
	other := metadata.AppendToOutgoingContext(whole(t.Context()), extauthz.WholeBodies, "other")
	expect(t, "two assertions", w.ask(other, asked("GET", "/a", w.readA())), 403, token.CodeCheckFailed)
	// A client's header is none of Envoy's metadata.
	expect(t, "the client asserts", w.ask(t.Context(), with(asked("GET", "/a", w.readA()), extauthz.WholeBodies, "whole")), 403, token.CodeCheckFailed)
}

// TestFields: a caveat sees into a body in JSON.
func TestFields(t *testing.T) {
	w := newWorld(t, configuration, delegation.ArgRange{Arg: "size", Min: 1, Max: 100}, delegation.ArgUnset{Arg: "force"})
	post := func(body string, args map[string]any) *auth.CheckResponse {
		text := w.invoke(delegation.Request{Operation: "write", Resource: "docs/a", Args: args})
		return w.ask(whole(t.Context()), shown(with(asked("POST", "/a", text), "content-type", "application/json"), body))
	}
	expect(t, "in range", post(`{"size": 100}`, map[string]any{"size": int64(100)}), 0, "")
	expect(t, "beyond", post(`{"size": 101}`, map[string]any{"size": int64(101)}), 403, token.CodeCheckFailed)
	expect(t, "another", post(`{"size": 99}`, map[string]any{"size": int64(100)}), 403, token.CodeCheckFailed)
	expect(t, "twice", post(`{"size": 99, "size": 100}`, map[string]any{"size": int64(100)}), 403, token.CodeCheckFailed)
	expect(t, "forced", post(`{"size": 1, "force": true}`, map[string]any{"size": int64(1), "force": true}), 403, token.CodeCheckFailed)
}

// TestUnavailable: a gateway that cannot decide denies, and leaves nothing to Envoy.
func TestUnavailable(t *testing.T) {
	w := newWorld(t, configuration)
	w.close()
	res := w.ask(whole(t.Context()), asked("GET", "/a", w.readA()))
	expect(t, "closed", res, 503, token.CodeUnavailable)
	if res.GetStatus().GetCode() != int32(codes.Unavailable) {
		t.Error(res)
	}
}

func TestNewPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	extauthz.New(nil)
}

// FuzzCheck: whatever Envoy is made to say of a request, it is answered, and only allowed
// with the token, the method and the target that were invoked.
func FuzzCheck(f *testing.F) {
	w := newWorld(f, configuration)
	for _, r := range []*auth.AttributeContext_HttpRequest{
		asked("GET", "/a", "x"), raw(asked("GET", "/a?page=1", "x"), "authorization", "y"), shown(asked("PUT", "/a", "x"), "body"),
	} {
		seed, err := proto.Marshal(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		var r auth.AttributeContext_HttpRequest
		if proto.Unmarshal(wire, &r) != nil {
			return
		}
		w.t = t
		res := w.ask(whole(t.Context()), &r)
		if res.GetStatus().GetCode() == int32(codes.OK) || res.GetDeniedResponse() == nil {
			t.Fatalf("allowed without a token: %v", res)
		}
		// With a token for a read of docs/a, whatever else is there.
		if r.Headers == nil {
			r.Headers = map[string]string{}
		}
		r.Headers["authorization"] = "Bearer " + w.readA()
		if res := w.ask(whole(t.Context()), &r); res.GetStatus().GetCode() == int32(codes.OK) && (r.Method != "GET" || r.Path != "/a" && r.Path != "/a?") {
			t.Fatalf("%s %s was allowed", r.Method, r.Path)
		}
	})
}
