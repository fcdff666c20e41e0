package attenuate_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log"
	"time"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
)

// Alice lets an agent pay, each time with the approval of Bob or Carol.
func ExampleReview() {
	alice, bot, bob, carol := keyPair("alice"), keyPair("bot"), keyPair("bob"), keyPair("carol")
	roots, err := trust.Parse([]byte(`alice@example.com namespaces="whittle" ` + alice.Public().AuthorizedKey("")))
	if err != nil {
		log.Fatal(err)
	}
	approvals, err := delegation.Approvals(1, bob.Public(), carol.Public())
	if err != nil {
		log.Fatal(err)
	}
	minted, err := attenuate.Mint(alice, attenuate.Grant{Delegator: "alice@example.com", Agent: "agent:bot", AgentKey: bot.Public(), TTL: time.Hour},
		append(approvals, delegation.Resource("accounts/**"), delegation.Operation("pay"))...)
	if err != nil {
		log.Fatal(err)
	}

	// The agent asks. The request carries the whole token.
	payment := delegation.Request{Operation: "pay", Resource: "accounts/4711", Args: map[string]any{"amount": 120000}, Audience: "svc:bank"}
	request, err := attenuate.RequestApproval(minted, payment)
	if err != nil {
		log.Fatal(err)
	}
	sent, err := json.Marshal(request)
	if err != nil {
		log.Fatal(err)
	}

	// Bob verifies it, looks at it, and signs.
	request, err = delegation.ParseApprovalRequest(sent)
	if err != nil {
		log.Fatal(err)
	}
	reviewed, err := attenuate.Review(request, roots, bob.Public(), nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(reviewed.Chain.Delegator, "->", reviewed.Chain.Holder().Holder, "asks to", reviewed.Action.Operation, reviewed.Action.Resources, reviewed.Action.Args)
	approval, err := reviewed.Approve(bob)
	if err != nil {
		log.Fatal(err)
	}

	// The agent attaches the approval, and invokes.
	approved, err := attenuate.Attach(minted, bot, approval, nil)
	if err != nil {
		log.Fatal(err)
	}
	presented, err := attenuate.Invoke(approved, bot, payment)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(presented.Form(), "with", len(presented.Blocks()), "blocks")
	// Output:
	// alice@example.com -> agent:bot asks to pay [accounts/4711] map[amount:120000]
	// attenuable with 3 blocks
}

func keyPair(owner string) token.PrivateKey {
	seed := sha256.Sum256([]byte(owner))
	k, err := token.NewPrivateKey(datalog.Ed25519, seed[:])
	if err != nil {
		log.Fatal(err)
	}
	return k
}
