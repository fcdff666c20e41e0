package agent_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/attenuate/agent"
	"github.com/whittle-auth/whittle/token"
)

// TestClientBelievesLittle: whatever is at the other end, a program gets a token of the
// form that it asked for, or an error of bounded length.
func TestClientBelievesLittle(t *testing.T) {
	w := newWorld(t)
	held := w.mint(time.Hour)
	path := filepath.Join(folder(t), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var answer atomic.Pointer[http.HandlerFunc]
	server := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { (*answer.Load())(rw, r) })}
	go server.Serve(l)
	defer server.Close()
	client, err := agent.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	says := func(status int, text string) http.HandlerFunc {
		return func(rw http.ResponseWriter, _ *http.Request) {
			rw.WriteHeader(status)
			fmt.Fprint(rw, text)
		}
	}
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		is     error
		code   token.Code
	}{
		"nothing":      {says(200, ""), nil, ""},
		"no token":     {says(200, "{}"), nil, token.CodeMalformed},
		"a held token": {says(200, `{"token":"`+held+`"}`), nil, ""},
		"too much":     {says(200, `{"token":"`+strings.Repeat("A", 9<<20)+`"}`), nil, ""},
		"a page":       {says(500, "<html>"), nil, ""},
		"not held":     {says(404, `{"message":"none"}`), agent.ErrNotHeld, ""},
		"a code":       {says(403, `{"code":"expired","message":"gone"}`), nil, token.CodeExpired},
		"a redirect": {func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, "http://example.org/", http.StatusTemporaryRedirect)
		}, nil, ""},
		"no answer": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, agent.ErrNoAgent, ""},
	} {
		answer.Store(&test.answer)
		text, err := client.Invoker("a").Invoke(t.Context(), rotate())
		var code token.Code
		if e, ok := errors.AsType[*token.Error](err); ok {
			code = e.Code
		}
		if err == nil || text != "" || code != test.code || test.is != nil && !errors.Is(err, test.is) {
			t.Errorf("%s: %q, %q, %v", name, text, code, err)
			continue
		}
		if len(err.Error()) > 500 || strings.Contains(err.Error(), held) {
			t.Errorf("%s: the error has %d bytes", name, len(err.Error()))
		}
	}
	shows := says(200, `{"token":"`+held+`"}`)
	answer.Store(&shows)
	if text, err := client.Held(t.Context(), "a"); err != nil || text != held {
		t.Errorf("%s, %v", text, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	waits := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	answer.Store(&waits)
	if _, err := client.Invoker("a").Invoke(ctx, rotate()); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
