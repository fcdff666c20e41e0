package web_test

import (
	"slices"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/cli/page"
	"github.com/whittle-auth/whittle/cli/reading"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
)

// A world is a few tokens, good for an hour from now: the page has the browser's clock.
type world struct {
	trust, root                    string
	held, presented, bearer, plain string
	changed                        string // held, with a signature that does not verify
	hostile                        string // names and operations are markup
	turning                        string // a plain Biscuit with text that turns and hides text
	report                         string // held, as whittle inspect --html shows it
}

func newWorld(t *testing.T) *world {
	t.Helper()
	alice, ci, runner := newKey(t), newKey(t), newKey(t)
	w := &world{root: alice.Public().String(), trust: `alice@example.com namespaces="whittle" ` + alice.Public().AuthorizedKey("") + "\n"}
	grant := attenuate.Grant{Delegator: "alice@example.com", Agent: "agent:ci", AgentKey: ci.Public(), TTL: time.Hour}
	minted := must(attenuate.Mint(alice, grant, delegation.Resource("payments/certs/**"), delegation.Operation("rotate", "read")))(t)
	days := must(delegation.ParseCaveat("arg days 1..90"))(t)
	held := must(attenuate.Handoff(minted, ci, "agent:runner-7", runner.Public(), delegation.Resource("payments/certs/api"), delegation.Operation("rotate"), days))(t)
	w.held = held.Text()
	w.presented = must(attenuate.Invoke(held, runner, delegation.Request{Operation: "rotate", Resource: "payments/certs/api", Audience: "svc:certs"}))(t).Text()
	w.bearer = must(attenuate.Mint(alice, attenuate.Grant{Delegator: "alice@example.com", TTL: time.Hour, AllowBearer: true}, delegation.Resource("public/**"), delegation.Operation("read")))(t).Text()
	fresh := must(token.FreshKey(datalog.Ed25519))(t)
	w.plain = must(token.Mint(alice, must(datalog.ParseBlock(`right("a");`, nil))(t), fresh, nil))(t).Text()
	changed := slices.Clone(held.Bytes())
	changed[len(changed)-10] ^= 1
	w.changed = token.EncodeText(changed)
	grant.Agent = `<img src=x onerror=alert(1)>`
	w.hostile = must(attenuate.Mint(alice, grant, delegation.Resource("a"), delegation.Operation(`"><svg onload=alert(1)>`, "</textarea><script>alert(1)</script>")))(t).Text()
	turning := &datalog.Params{Terms: map[string]datalog.Term{"a": datalog.String("invoice\u202egnp.exe\u2066\u200b\ufeff"), "b": datalog.String("<script>alert(1)</script>")}}
	w.turning = must(token.Mint(alice, must(datalog.ParseBlock(`name({a}, {b});`, turning))(t), fresh, nil))(t).Text()
	u := must(token.ParseText(w.held, nil))(t)
	w.report = page.Report(must(reading.Read(u, nil, time.Now()))(t)).String()
	return w
}

func newKey(t *testing.T) token.PrivateKey {
	t.Helper()
	return must(token.GenerateKey(datalog.Ed25519))(t)
}

// must ends the test at an error.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
