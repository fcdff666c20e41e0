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

	v, err := verify.New("svc:certs", roots, nil) // nil options are the safe ones
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
	// Output:
	// true alice@example.com
	// false check_failed true
}

func newKey() token.PrivateKey {
	k, err := token.GenerateKey(datalog.Ed25519)
	if err != nil {
		log.Fatal(err)
	}
	return k
}
