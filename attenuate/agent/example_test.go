package agent_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/attenuate/agent"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
)

// An agent's process holds the key and the token; a program has neither, and gets what it
// needs for one request.
func Example() {
	alice, ci := generate(), generate()
	roots, err := trust.Parse([]byte(`alice@example.com namespaces="whittle" ` + alice.Public().AuthorizedKey("")))
	must(err)
	held, err := attenuate.Mint(alice, attenuate.Grant{
		Delegator: "alice@example.com", Agent: "agent:ci", AgentKey: ci.Public(), TTL: time.Hour,
	}, delegation.Resource("payments/certs/**"), delegation.Operation("rotate"))
	must(err)

	// The agent.
	ring := agent.NewKeyring(&agent.Options{Roots: roots})
	_, err = ring.Add("deploy", held.Text(), ci)
	must(err)
	folder, err := os.MkdirTemp("", "whittle-")
	must(err)
	defer os.RemoveAll(folder)
	socket, err := agent.Listen(filepath.Join(folder, "socket"))
	must(err)
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- agent.Serve(ctx, socket, ring, nil) }()

	// A program.
	client, err := agent.Open(socket.Path()) // or FromEnvironment
	must(err)
	tokens, _, err := client.List(ctx)
	must(err)
	fmt.Println(tokens[0].Name, "is", tokens[0].Holder, "for", tokens[0].Delegator)
	presented, err := client.Invoker("deploy").Invoke(ctx, delegation.Request{
		Operation: "rotate", Resource: "payments/certs/api", Audience: "svc:certs",
	})
	must(err)
	u, err := token.ParseText(presented, nil)
	must(err)
	fmt.Println(u.Len(), "blocks, presented:", u.Form() != token.Held)

	end()
	must(<-ended)
	// Output:
	// deploy is agent:ci for alice@example.com
	// 2 blocks, presented: true
}

func generate() token.PrivateKey {
	k, err := token.GenerateKey(datalog.Ed25519)
	must(err)
	return k
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
