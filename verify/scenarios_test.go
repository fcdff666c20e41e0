package verify_test

import (
	"context"
	"encoding/json"
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

// service makes a verifier for the stories: it trusts one person's key, and its clock
// stands still.
func service(name, person string, key token.PrivateKey, at time.Time, o verify.Options) *verify.Verifier {
	roots, err := trust.Parse([]byte(person + ` namespaces="whittle" ` + key.Public().AuthorizedKey("")))
	if err != nil {
		log.Fatal(err)
	}
	// A memory of what was used denies what can have been used before it began.
	o.Now, o.AllowReplay = func() time.Time { return at }, true
	v, err := verify.New(name, roots, &o)
	if err != nil {
		log.Fatal(err)
	}
	return v
}

// ask invokes a token for a request and returns what the service answers.
func ask(v *verify.Verifier, c token.Chain, holder token.Signer, req delegation.Request, at time.Time, s verify.State) *verify.Decision {
	presented, err := attenuate.InvokeAt(c, holder, req, at.Add(-delegation.Skew), at.Add(attenuate.Window))
	if err != nil {
		log.Fatal(err)
	}
	d, err := v.VerifyWith(context.Background(), presented.Text(), req, s)
	if err != nil && !d.Allowed {
		fmt.Println("denied by", d.Reasons[0].Hop+":", d.Reasons[0].Message)
		return d
	}
	fmt.Println("allowed")
	return d
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

// An employee approves a payment workflow: the agent transfers only within the amount
// and the window.
func Example_paymentWorkflow() {
	tuesday := time.Date(2030, 1, 1, 10, 0, 0, 0, time.UTC)
	erin, payer := newKey(), newKey()
	workflow := must(attenuate.Mint(erin, attenuate.Grant{
		Delegator: "erin@example.com", Agent: "agent:payer", AgentKey: payer.Public(), TTL: 12 * time.Hour, Now: tuesday,
	},
		delegation.Resource("payments/vendors/**"), delegation.Operation("transfer"),
		must(delegation.ParseCaveat("arg amount 1..50000")),
		must(delegation.ParseCaveat("window 08:00-18:00")),
	))
	pay := func(amount int, at time.Time) {
		v := service("svc:payments", "erin@example.com", erin, at, verify.Options{})
		req := delegation.Request{Operation: "transfer", Resource: "payments/vendors/acme", Audience: "svc:payments", Args: map[string]any{"amount": amount}}
		ask(v, workflow, payer, req, at, verify.State{})
	}
	pay(25000, tuesday)
	pay(60000, tuesday)
	pay(25000, tuesday.Add(9*time.Hour))
	// Output:
	// allowed
	// denied by erin@example.com: amount 60000, allowed: 1 to 50000
	// denied by erin@example.com: minute 19:00, allowed: 08:00-18:00
}

// A support agent resets one user's record for one ticket only.
func Example_supportTicket() {
	now := time.Date(2030, 1, 1, 10, 0, 0, 0, time.UTC)
	sam, helper := newKey(), newKey()
	ticket := must(attenuate.Mint(sam, attenuate.Grant{
		Delegator: "sam@example.com", Agent: "agent:helper", AgentKey: helper.Public(), TTL: time.Hour, Now: now,
	},
		delegation.Resource("users/4711/record"), delegation.Operation("reset"),
		must(delegation.ParseCaveat("context ticket T-123")),
	))
	v := service("svc:users", "sam@example.com", sam, now, verify.Options{})
	for _, user := range []string{"4711", "4712"} {
		for _, open := range []string{"T-123", "T-999"} {
			req := delegation.Request{Operation: "reset", Resource: "users/" + user + "/record", Audience: "svc:users"}
			ask(v, ticket, helper, req, now, verify.State{Context: map[string]any{"ticket": open}})
		}
	}
	// Output:
	// allowed
	// denied by sam@example.com: context ticket "T-999", allowed: T-123
	// denied by sam@example.com: resource "users/4712/record", allowed: users/4711/record
	// denied by sam@example.com: resource "users/4712/record", allowed: users/4711/record
}

// A CI assistant rotates one application's certificate inside a maintenance window.
func Example_certificateRotation() {
	saturday := time.Date(2030, 1, 5, 2, 30, 0, 0, time.UTC)
	olga, ci, runner := newKey(), newKey(), newKey()
	night := must(attenuate.Mint(olga, attenuate.Grant{
		Delegator: "olga@example.com", Agent: "agent:ci", AgentKey: ci.Public(), TTL: 12 * time.Hour, Now: saturday,
	},
		delegation.Resource("certs/**"), delegation.Operation("rotate", "read"),
		must(delegation.ParseCaveat("window 02:00-04:00")),
	))
	one := must(attenuate.Handoff(night, ci, "agent:runner", runner.Public(),
		delegation.Resource("certs/billing"), delegation.Operation("rotate")))
	rotate := func(certificate string, at time.Time) {
		v := service("svc:certs", "olga@example.com", olga, at, verify.Options{})
		req := delegation.Request{Operation: "rotate", Resource: "certs/" + certificate, Audience: "svc:certs"}
		ask(v, one, runner, req, at, verify.State{})
	}
	rotate("billing", saturday)
	rotate("payroll", saturday)
	rotate("billing", saturday.Add(2*time.Hour))
	// Output:
	// allowed
	// denied by agent:ci: resource "certs/payroll", allowed: certs/billing
	// denied by olga@example.com: minute 04:30, allowed: 02:00-04:00
}

// A procurement draft is submitted after checks of role, budget and target system: the
// token says that Petra buys, its caveats bound amount and system, and the service
// knows the budget.
func Example_procurementDraft() {
	now := time.Date(2030, 1, 1, 10, 0, 0, 0, time.UTC)
	petra, drafter := newKey(), newKey()
	draft := must(attenuate.Mint(petra, attenuate.Grant{
		Delegator: "petra@example.com", Agent: "agent:drafter", AgentKey: drafter.Public(), TTL: time.Hour, Now: now,
		Facts: []datalog.Predicate{{Name: "role", Terms: []datalog.Term{datalog.String("buyer")}}},
	},
		delegation.Resource("procurement/drafts/**"), delegation.Operation("submit"),
		must(delegation.ParseCaveat("arg amount 1..100000")),
		must(delegation.ParseCaveat("arg system erp-eu")),
	))
	v := service("svc:erp", "petra@example.com", petra, now, verify.Options{
		TokenFacts: []delegation.FactType{must(delegation.ParseFactType("role(string)"))},
		Policy:     must(datalog.ParseAuthorizer(`allow if role("buyer"), budget($left), arg("amount", $a), $a <= $left;`, nil)),
	})
	submit := func(system string, budget int) {
		req := delegation.Request{
			Operation: "submit", Resource: "procurement/drafts/77", Audience: "svc:erp",
			Args: map[string]any{"amount": 30000, "system": system},
		}
		left := datalog.Predicate{Name: "budget", Terms: []datalog.Term{datalog.Integer(budget)}}
		ask(v, draft, drafter, req, now, verify.State{Facts: []datalog.Predicate{left}})
	}
	submit("erp-eu", 40000)
	submit("erp-us", 40000)
	submit("erp-eu", 20000)
	// Output:
	// allowed
	// denied by petra@example.com: system "erp-us", allowed: erp-eu
	// denied by svc:erp: no policy of the service allows the request: role "buyer", budget 20000, arg "amount" 30000
}

// After the fact, the context of a delegation is recovered from a recorded decision.
func Example_recordedDecision() {
	now := time.Date(2030, 1, 1, 10, 0, 0, 0, time.UTC)
	alice, ci, runner := newKey(), newKey(), newKey()
	tok := must(attenuate.Mint(alice, attenuate.Grant{
		Delegator: "alice@example.com", Agent: "agent:ci", AgentKey: ci.Public(), TTL: time.Hour, Now: now,
	}, delegation.Resource("certs/**"), delegation.Operation("rotate")))
	sub := must(attenuate.Handoff(tok, ci, "agent:runner", runner.Public()))
	v := service("svc:certs", "alice@example.com", alice, now, verify.Options{})
	req := delegation.Request{Operation: "rotate", Resource: "certs/billing", Audience: "svc:certs"}
	line := must(json.Marshal(ask(v, sub, runner, req, now, verify.State{}))) // one line of the service's log

	var record struct {
		Service, At, Delegator, Root, Request string
		Chain                                 []struct{ Holder, Key string }
		RevocationIDs                         []string `json:"revocation_ids"`
	}
	if err := json.Unmarshal(line, &record); err != nil {
		log.Fatal(err)
	}
	fmt.Println(record.Service, "at", record.At, "for", record.Delegator)
	for _, h := range record.Chain {
		fmt.Println("through", h.Holder)
	}
	fmt.Println("keys:", record.Root == alice.Public().String(), record.Chain[1].Key == runner.Public().String())
	fmt.Println("request digest of", len(record.Request)/2, "bytes,", len(record.RevocationIDs), "revocation ids")
	// Output:
	// allowed
	// svc:certs at 2030-01-01T10:00:00Z for alice@example.com
	// through agent:ci
	// through agent:runner
	// keys: true true
	// request digest of 32 bytes, 3 revocation ids
}
