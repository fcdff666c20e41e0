package verify_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/replay"
)

// The whole way of a token, as in the README.
func Example() {
	ctx := context.Background()
	alice, ci, runner := newKey(), newKey(), newKey()
	roots, err := trust.Parse([]byte(`alice@example.com namespaces="whittle" ` + alice.Public().AuthorizedKey("")))
	if err != nil {
		log.Fatal(err)
	}

	tok, err := attenuate.Mint(alice, attenuate.Grant{
		Delegator: "alice@example.com",
		Agent:     "agent:ci",
		AgentKey:  ci.Public(),
		TTL:       time.Hour,
	}, delegation.Resource("payments/certs/**"), delegation.Operation("rotate", "read"))
	if err != nil {
		log.Fatal(err)
	}

	sub, err := attenuate.Handoff(tok, ci, "agent:runner-7", runner.Public(),
		delegation.Resource("payments/certs/api"), delegation.Operation("rotate"))
	if err != nil {
		log.Fatal(err)
	}

	out, err := attenuate.Invoke(sub, runner, delegation.Request{
		Operation: "rotate", Resource: "payments/certs/api", Audience: "svc:certs",
	})
	if err != nil {
		log.Fatal(err)
	}

	// The service's first start ever: nobody can have used anything there before.
	memory, err := replay.NewMemory(time.Now(), &replay.Options{FirstStart: true})
	if err != nil {
		log.Fatal(err)
	}
	v, err := verify.New("svc:certs", roots, &verify.Options{Replay: memory})
	if err != nil {
		log.Fatal(err)
	}

	d, err := v.Verify(ctx, out.Text(), delegation.Request{
		Operation: "rotate", Resource: "payments/certs/api",
	})
	if err != nil {
		// denied, always: d.Code may be told to the client, d.Reasons is for the log
		log.Fatal(err)
	}
	fmt.Println(d.Allowed, d.Delegator)

	d, err = v.Verify(ctx, out.Text(), delegation.Request{
		Operation: "rotate", Resource: "payments/certs/web",
	})
	fmt.Println(d.Allowed, d.Code, err != nil)

	d, err = v.Verify(ctx, out.Text(), delegation.Request{
		Operation: "rotate", Resource: "payments/certs/api",
	})
	fmt.Println(d.Allowed, d.Code, err != nil) // an invocation serves once
	// Output:
	// true alice@example.com
	// false check_failed true
	// false replay true
}

// A service that just (re)started cannot know what was used before, and says so
// until the invocations that it meets begin after its start.
func ExampleNew() {
	roots, err := trust.Parse([]byte(`alice@example.com namespaces="whittle" ` + newKey().Public().AuthorizedKey("")))
	if err != nil {
		log.Fatal(err)
	}
	v, err := verify.New("svc:certs", roots, nil) // nil options are the safe ones
	fmt.Println(v != nil, err)
	// Output: true <nil>
}

func newKey() token.PrivateKey {
	k, err := token.GenerateKey(datalog.Ed25519)
	if err != nil {
		log.Fatal(err)
	}
	return k
}
