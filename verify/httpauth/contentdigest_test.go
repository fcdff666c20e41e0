package httpauth_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/verify/httpauth"
)

// TestCheckContentDigest: only the body that was decided on gets to the service, and
// nothing without word of which that was.
func TestCheckContentDigest(t *testing.T) {
	var served []string
	var log bytes.Buffer
	h := httpauth.CheckContentDigest(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.ContentLength != int64(len(body)) || r.TransferEncoding != nil {
			t.Errorf("the service got %+v, %v", r, err)
		}
		served = append(served, string(body))
		io.WriteString(w, "done")
	}), &httpauth.CheckOptions{MaxBody: 10, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	of := func(body string) []string { return []string{httpauth.ContentDigest(digestOf(body))} }
	for name, c := range map[string]struct {
		body   string
		digest []string
		status int
		code   token.Code
	}{
		"the body":        {"hello", of("hello"), 200, ""},
		"no body":         {"", of(""), 200, ""},
		"another":         {"hallo", of("hello"), 403, token.CodeCheckFailed},
		"one, not none":   {"hello", of(""), 403, token.CodeCheckFailed},
		"none, not one":   {"", of("hello"), 403, token.CodeCheckFailed},
		"no word":         {"", nil, 403, token.CodeCheckFailed},
		"no word on it":   {"hello", nil, 403, token.CodeCheckFailed},
		"two words":       {"hello", append(of("hello"), of("hello")...), 403, token.CodeCheckFailed},
		"an empty word":   {"", []string{""}, 403, token.CodeCheckFailed},
		"no digest":       {"", []string{"sha-256=:AA==:"}, 403, token.CodeCheckFailed},
		"ten bytes":       {"0123456789", of("0123456789"), 200, ""},
		"more than wants": {"0123456789a", of("0123456789a"), 413, token.CodeLimit},
	} {
		served = nil
		r := httptest.NewRequest("PUT", "/a", strings.NewReader(c.body))
		r.Header["Content-Digest"] = of(c.body) // the client's own counts for nothing
		if c.digest != nil {
			r.Header[httpauth.DecidedDigest] = c.digest
		}
		expect(t, name, answer(h, r), c.status, c.code)
		if (len(served) == 1 && served[0] == c.body) != (c.code == "") {
			t.Errorf("%s: served %q", name, served)
		}
	}
	r := httptest.NewRequest("PUT", "/a", nil)
	counted := &zeros{}
	r.Body, r.ContentLength = io.NopCloser(counted), -1
	r.Header[httpauth.DecidedDigest] = of("hello")
	if rec := answer(h, r); rec.Code != 413 || counted.n > 4096 {
		t.Errorf("endless: %d, after %d bytes", rec.Code, counted.n)
	}
	if !strings.Contains(log.String(), "did not come through the gateway") {
		t.Errorf("the log does not say why: %s", &log)
	}
}

// TestRequestByDigest: a digest stands for a body, that of nothing for none.
func TestRequestByDigest(t *testing.T) {
	m, err := httpauth.NewMapping(
		httpauth.Route{Pattern: "PUT /digest", Query: []string{"q"}},
		httpauth.Route{Pattern: "PUT /fields", Fields: []string{"a"}},
		httpauth.Route{Pattern: "PUT /none", NoBody: true},
	)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path, kind string
		sum        []byte
		ok, bound  bool
	}{
		"a digest":        {"/digest", "", digestOf("x"), true, true},
		"a form":          {"/digest", "multipart/form-data; boundary=x", digestOf("x"), true, true},
		"a form, a query": {"/digest?q=1", "multipart/form-data; boundary=x", digestOf("x"), false, false},
		"none":            {"/digest", "", nil, true, false},
		"of nothing":      {"/digest", "", digestOf(""), true, false},
		"fields unseen":   {"/fields", "application/json", digestOf("{}"), false, false},
		"no fields":       {"/fields", "application/json", nil, true, false},
		"one, for none":   {"/none", "", digestOf("x"), false, false},
		"none, for none":  {"/none", "", digestOf(""), true, false},
	} {
		r := httptest.NewRequest("PUT", c.path, nil)
		if c.kind != "" {
			r.Header.Set("Content-Type", c.kind)
		}
		req, err := m.RequestByDigest(r, c.sum)
		if (err == nil) != c.ok || err == nil && (req.BodyDigest != nil) != c.bound {
			t.Errorf("%s: %+v, %v", name, req, err)
		}
	}
	r := httptest.NewRequest("PUT", "/none", nil)
	if _, err := m.Request(r, []byte("x")); err == nil {
		t.Error("a body where the route takes none")
	}
	if _, err := m.Request(r, nil); err != nil {
		t.Errorf("no body: %v", err)
	}
	if _, err := httpauth.NewMapping(httpauth.Route{Pattern: "PUT /a", Fields: []string{"a"}, NoBody: true}); err == nil {
		t.Error("fields of no body")
	}
}

// TestTransportSendsContentDigest: what a gateway goes by, and only where there is a body.
func TestTransportSendsContentDigest(t *testing.T) {
	w := newWorld(t)
	var got []http.Header
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = append(got, r.Header) }))
	defer srv.Close()
	transport, err := httpauth.NewTransport(srv.URL, service, httpauth.Hold(w.held, w.agent), &httpauth.TransportOptions{AllowPlainHTTP: true})
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: transport}
	for _, body := range []string{"hello", ""} {
		r, err := http.NewRequest("PUT", srv.URL+"/pay/a", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
	}
	if len(got) != 2 || got[0].Get("Content-Digest") != httpauth.ContentDigest(digestOf("hello")) || got[1].Get("Content-Digest") != "" {
		t.Errorf("%v", got)
	}
}

// FuzzContentDigest: what is read is written the same.
func FuzzContentDigest(f *testing.F) {
	f.Add(httpauth.ContentDigest(digestOf("hello")))
	f.Add("sha-256=:AA==:")
	f.Add("sha-512=:AA==:, sha-256=:AA==:;a=1")
	f.Fuzz(func(t *testing.T, value string) {
		sum, err := httpauth.ParseContentDigest([]string{value})
		if err == nil && (len(sum) != 32 || httpauth.ContentDigest(sum) != value) {
			t.Fatalf("%q was read as %x", value, sum)
		}
	})
}

// TestContentDigestExample is that of RFC 9530, section B.1 in its form for SHA-256.
func TestContentDigestExample(t *testing.T) {
	const value = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"
	if got := httpauth.ContentDigest(digestOf(`{"hello": "world"}`)); got != value {
		t.Errorf("%s, want %s", got, value)
	}
	if sum, err := httpauth.ParseContentDigest([]string{value}); err != nil || !bytes.Equal(sum, digestOf(`{"hello": "world"}`)) {
		t.Errorf("%x, %v", sum, err)
	}
}
