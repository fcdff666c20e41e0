package attenuate_test

import (
	"testing"
	"time"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
)

var channel = delegation.Channel{Kind: delegation.TLSExporter, Value: [32]byte{1}}

// TestSession: what is written is bound to the connection, the service and the
// window, with a nonce of its own.
func TestSession(t *testing.T) {
	before := time.Now().Unix()
	one, err := attenuate.InvokeSession(mint(t), ci, "svc", channel)
	if err != nil {
		t.Fatal(err)
	}
	other, err := attenuate.InvokeSession(mint(t), ci, "svc", channel)
	if err != nil {
		t.Fatal(err)
	}
	if one.Text() == other.Text() {
		t.Error("two sessions are one")
	}
	chain, err := delegation.Read(one)
	if err != nil {
		t.Fatal(err)
	}
	inv := chain.Invocation
	if !inv.IsSession() || inv.Channel != channel || inv.Audience != "svc" || inv.Request != (delegation.Digest{}) || len(inv.Nonce) != 16 || inv.By != ci.Public() {
		t.Errorf("%+v", inv)
	}
	if inv.Expires-inv.NotBefore != uint64((attenuate.SessionWindow+delegation.Skew)/time.Second) || int64(inv.NotBefore) < before-31 {
		t.Errorf("it holds from %d to %d", inv.NotBefore, inv.Expires)
	}
	if _, err := attenuate.InvokeSession(one, ci, "svc", channel); code(err) != token.CodeProfile {
		t.Errorf("a session in a session: %v", err)
	}
	if _, err := attenuate.Narrow(one, ci, delegation.Operation("read")); code(err) != token.CodeProfile {
		t.Errorf("a session is narrowed: %v", err)
	}
}

func TestSessionRefuses(t *testing.T) {
	bearer, err := attenuate.Mint(alice, attenuate.Grant{Delegator: "alice@example.com", TTL: time.Hour, Now: now, AllowBearer: true}, caveats...)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		token    token.Chain
		holder   token.Signer
		audience string
		channel  delegation.Channel
		lasts    time.Duration
	}{
		"no service":        {mint(t), ci, "", channel, time.Minute},
		"service":           {mint(t), ci, " svc", channel, time.Minute},
		"no channel":        {mint(t), ci, "svc", delegation.Channel{}, time.Minute},
		"empty channel":     {mint(t), ci, "svc", delegation.Channel{Kind: delegation.TLSExporter}, time.Minute},
		"unknown kind":      {mint(t), ci, "svc", delegation.Channel{Kind: "tls-unique", Value: [32]byte{1}}, time.Minute},
		"too long":          {mint(t), ci, "svc", channel, delegation.MaxSession + time.Second},
		"no time":           {mint(t), ci, "svc", channel, -delegation.Skew},
		"bearer":            {bearer, nil, "svc", channel, time.Minute},
		"another's":         {mint(t), runner, "svc", channel, time.Minute},
		"nobody's":          {mint(t), nil, "svc", channel, time.Minute},
		"the invoker's key": {mint(t), token.InvocationKey(), "svc", channel, time.Minute},
	} {
		if _, err := attenuate.InvokeSessionAt(c.token, c.holder, c.audience, c.channel, now.Add(-delegation.Skew), now.Add(c.lasts)); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// TestMintFacts: a minter tells what a service may have registered, and nothing of
// the vocabulary; those who hold the token can go on without knowing what it was.
func TestMintFacts(t *testing.T) {
	role := datalog.Predicate{Name: "role", Terms: []datalog.Term{datalog.String(`buyer"); operation("delete`)}}
	g := grant()
	g.Facts = []datalog.Predicate{role}
	tok, err := attenuate.Mint(alice, g, caveats...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := delegation.Read(tok); code(err) != token.CodeProfile {
		t.Errorf("read without registration: %v", err)
	}
	narrowed, err := attenuate.Narrow(tok, ci, delegation.Operation("read"))
	if err != nil {
		t.Fatal(err)
	}
	handed, err := attenuate.Handoff(narrowed, ci, "agent:runner", runner.Public())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := attenuate.Receive(handed.Text(), nil, runner.Public(), now); err != nil {
		t.Error(err)
	}
	presented, err := attenuate.Invoke(handed, runner, req)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := delegation.Read(presented, delegation.FactType{Name: "role", Types: []string{"string"}})
	if err != nil || len(chain.Facts) != 1 || chain.Facts[0].String() != role.String() {
		t.Errorf("%v, %v", chain, err)
	}
	for name, p := range map[string]datalog.Predicate{
		"the verifier's": {Name: "operation", Terms: []datalog.Term{datalog.String("read")}},
		"the token's":    {Name: "holder", Terms: []datalog.Term{datalog.String("agent:x")}},
		"a variable":     {Name: "role", Terms: []datalog.Term{datalog.Variable("x")}},
		"no term":        {Name: "role"},
		"no name":        {Name: `role("x"); b`, Terms: []datalog.Term{datalog.Integer(1)}},
	} {
		g.Facts = []datalog.Predicate{p}
		_, err := attenuate.Mint(alice, g, caveats...)
		if err == nil || code(err) != "" { // refused before anything is signed
			t.Errorf("%s: %v", name, err)
		}
	}
}
