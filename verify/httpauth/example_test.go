package httpauth_test

import (
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/httpauth"
	"github.com/whittle-auth/whittle/verify/replay"
)

// A service, and an agent that asks it for something that its token allows and for
// something that it does not.
func Example() {
	// Alice lets the agent read below reports, for an hour.
	alice, ci := exampleKey(), exampleKey()
	held, err := attenuate.Mint(alice, attenuate.Grant{
		Delegator: "alice@example.com", Agent: "agent:ci", AgentKey: ci.Public(), TTL: time.Hour,
	}, delegation.Resource("reports/**"), delegation.Operation("get"))
	if err != nil {
		log.Fatal(err)
	}

	// The service.
	roots, err := trust.Parse([]byte(`alice@example.com namespaces="whittle" ` + alice.Public().AuthorizedKey("")))
	if err != nil {
		log.Fatal(err)
	}
	used, err := replay.NewMemory(time.Now(), &replay.Options{FirstStart: true})
	if err != nil {
		log.Fatal(err)
	}
	v, err := verify.New("svc:reports", roots, &verify.Options{Replay: used})
	if err != nil {
		log.Fatal(err)
	}
	reports := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s for %s", r.URL.Path, httpauth.DecisionFrom(r.Context()).Delegator)
	})
	server := httptest.NewTLSServer(httpauth.Protect(v, reports, &httpauth.Options{
		Logger: slog.New(slog.DiscardHandler), // nil logs why a request is denied
	}))
	defer server.Close()

	// The agent: an ordinary client.
	transport, err := httpauth.NewTransport(server.URL, "svc:reports", httpauth.Hold(held, ci), &httpauth.TransportOptions{
		Base: server.Client().Transport, // knows the test server's certificate
	})
	if err != nil {
		log.Fatal(err)
	}
	client := &http.Client{Transport: transport}
	for _, path := range []string{"/reports/2026/q3", "/salaries"} {
		res, err := client.Get(server.URL + path)
		if err != nil {
			log.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%d %s\n", res.StatusCode, body)
	}
	// Output:
	// 200 /reports/2026/q3 for alice@example.com
	// 403 {"code":"check_failed"}
}

// A payment, whose amount a caveat such as "arg amount 1..100" bounds: it becomes an
// argument, at both ends.
func ExampleNewMapping() {
	m, err := httpauth.NewMapping(
		httpauth.Route{Pattern: "POST /v1/accounts/{id}/payments", Operation: "pay", Resource: "accounts/{id}", Fields: []string{"amount", "to"}},
		httpauth.Route{Pattern: "GET /v1/accounts/{id}", Operation: "read", Resource: "accounts/{id}", Query: []string{"currency"}},
	)
	fmt.Println(m != nil, err)
	// Output: true <nil>
}

func exampleKey() token.PrivateKey {
	k, err := token.GenerateKey(datalog.Ed25519)
	if err != nil {
		log.Fatal(err)
	}
	return k
}

// A service behind nginx, whose gateway decides (package gateway). It listens where
// only nginx reaches it.
func ExampleCheckContentDigest() {
	notes := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		fmt.Fprintf(w, "%s wrote %s", r.Header.Get("X-Whittle-Agent"), body)
	})
	handler := httpauth.CheckContentDigest(notes, &httpauth.CheckOptions{Logger: slog.New(slog.DiscardHandler)})

	for _, body := range []string{"hello", "hallo"} {
		r := httptest.NewRequest("PUT", "/notes/1", strings.NewReader(body))
		r.Header.Set("X-Whittle-Agent", "agent:ci")
		r.Header.Set(httpauth.DecidedDigest, "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:") // of hello
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Println(w.Code, strings.TrimSpace(w.Body.String()))
	}
	// Output:
	// 200 agent:ci wrote hello
	// 403 {"code":"check_failed"}
}
