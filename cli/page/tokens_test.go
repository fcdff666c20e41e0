package page_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
)

// now is when the tests look, a minute after the tokens were minted.
var now = time.Date(2030, 1, 1, 12, 1, 0, 0, time.UTC)

// sessionChannel is the connection of the session.
const sessionChannel = "tls-exporter:0101010101010101010101010101010101010101010101010101010101010101"

// A world is a few people and agents, and what they made.
type world struct {
	alice, bob, ci, runner token.PrivateKey
	trust                  string // of alice alone
	minted, narrow         token.Chain
	presented, session     token.Chain
	bearer, sealed         token.Chain
	approved               token.Chain // of a token that demands bob's approval of one transfer
	plain                  token.Chain
	outside                token.Chain // held, but none of ours
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{alice: keyOf(t, 1), bob: keyOf(t, 2), ci: keyOf(t, 3), runner: keyOf(t, 4)}
	w.trust = trusting("alice@example.com", w.alice)
	w.minted = w.mint(t, "agent:ci", delegation.Resource("payments/certs/**"), delegation.Operation("rotate", "read"))
	w.narrow = must(attenuate.Handoff(w.minted, w.ci, "agent:runner-7", w.runner.Public(),
		delegation.Resource("payments/certs/api"), delegation.Operation("rotate"), caveat(t, "arg days 1..90"), caveat(t, "audience svc:certs")))(t)
	from, until := now.Add(-30*time.Second), now.Add(time.Minute)
	w.presented = must(attenuate.InvokeAt(w.narrow, w.runner, delegation.Request{Operation: "rotate", Resource: "payments/certs/api", Args: map[string]any{"days": 30}, Audience: "svc:certs"}, from, until))(t)
	channel := must(delegation.ParseChannel(sessionChannel))(t)
	w.session = must(attenuate.InvokeSessionAt(w.narrow, w.runner, "svc:certs", channel, from, until))(t)
	w.bearer = must(attenuate.Mint(w.alice, attenuate.Grant{Delegator: "alice@example.com", TTL: time.Hour, Now: now.Add(-time.Minute), AllowBearer: true},
		delegation.Resource("public/**"), delegation.Operation("read")))(t)
	secret := must(token.FreshKey(datalog.Ed25519))(t)
	plain := must(token.Mint(w.alice, must(datalog.ParseBlock(`right("a"); check if operation("b");`, nil))(t), secret, nil))(t)
	w.plain = plain
	w.sealed = must(token.Mint(w.alice, &datalog.Block{Facts: plain.Blocks()[0].Datalog.Facts}, token.WithSecret(w.bob), nil))(t)
	w.sealed = must(w.sealed.Seal(w.bob))(t)
	w.approved = w.approval(t)
	w.outside = must(token.Mint(w.alice, must(datalog.ParseBlock(`right("a");`, nil))(t), token.HeldBy(w.ci.Public()), nil))(t)
	return w
}

func (w *world) mint(t testing.TB, agent string, caveats ...delegation.Caveat) token.Chain {
	t.Helper()
	return must(attenuate.Mint(w.alice, attenuate.Grant{Delegator: "alice@example.com", Agent: agent, AgentKey: w.ci.Public(), TTL: time.Hour, Now: now.Add(-time.Minute)}, caveats...))(t)
}

func (w *world) approval(t testing.TB) token.Chain {
	t.Helper()
	approval := must(delegation.Approvals(1, w.bob.Public()))(t)
	held := w.mint(t, "agent:bank", append(approval, delegation.Resource("accounts/1"), delegation.Operation("transfer"))...)
	action := delegation.Request{Operation: "transfer", Resource: "accounts/1", Args: map[string]any{"amount": 5}, Audience: "svc:bank"}
	request := must(attenuate.RequestApproval(held, action))(t)
	roots := must(trust.Parse([]byte(w.trust)))(t)
	reviewed := must(attenuate.Review(request, roots, w.bob.Public(), &attenuate.ApprovalOptions{Now: now}))(t)
	signed := must(reviewed.Approve(w.bob))(t)
	return must(attenuate.Attach(held, w.ci, signed, &attenuate.ApprovalOptions{Now: now}))(t)
}

func keyOf(t testing.TB, n byte) token.PrivateKey {
	t.Helper()
	return must(token.NewPrivateKey(datalog.Ed25519, bytes.Repeat([]byte{n}, 32)))(t)
}

func trusting(who string, k token.PrivateKey) string {
	return who + ` namespaces="` + trust.Namespace + `" ` + k.Public().AuthorizedKey("") + "\n"
}

func caveat(t testing.TB, text string) delegation.Caveat {
	t.Helper()
	return must(delegation.ParseCaveat(text))(t)
}

// must ends the test at an error.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
