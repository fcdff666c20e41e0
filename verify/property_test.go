package verify_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/delegation/delegationtest"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify"
)

// Generators of chains and requests over a small world, so that both allowed and
// denied ones are common.

var (
	somePath      = rapid.SampledFrom([]string{"a", "a/b", "a/b/c", "a/bc", "ab", "x", "x/y"})
	someOperation = rapid.SampledFrom([]string{"read", "write", "rotate"})
	someSource    = rapid.SampledFrom([]string{
		`check if true`, `check if false`, `check if operation("read")`, `reject if operation("write")`,
		`check all resource($r), $r.starts_with("a")`, `check if resource("a/b") or resource("x")`,
		`check all arg("n", $v), $v > 3`, `check if arg("n", $v), $v.type() == "integer"`, `reject if arg("n", 7)`,
		`check if depth($d), $d < 2`, `check if agent_key($k)`, `check if time($t), $t > 2026-01-01T00:00:00Z`,
		`check if resource($r), {"a", "x"}.contains($r)`, `check if delegator("alice@example.com")`,
		`check if arg($n, $v), $v == 7`, `check if arg("/o/k", $v), $v == 7`, `reject if arg("/o/k", $v), $v == 5`, `check all arg($n, $v), $v != 5`,
		`check if arg("n", $v), $v / 0 > 1`, `check if missing($x)`, `check if weekday(1)`,
	})
)

var kinds = slices.Sorted(maps.Keys(delegationtest.Kinds))

// caveats draws a few of all kinds. Most of those that speak of the request let it
// pass, or hardly anything would ever be allowed.
func caveats(t *rapid.T, req delegation.Request) []delegation.Caveat {
	var list []delegation.Caveat
	for range rapid.IntRange(0, 2).Draw(t, "caveats") {
		switch rapid.IntRange(0, 14).Draw(t, "sort") {
		default:
			draw := delegationtest.Kinds[rapid.SampledFrom(kinds).Draw(t, "kind")]
			cv := draw(t, agentKeys)
			for range 30 {
				if holds(t, cv, req, stated(1, ci.Public())) || rapid.IntRange(0, 99).Draw(t, "any") == 0 {
					break
				}
				cv = draw(t, agentKeys)
			}
			list = append(list, cv)
		case 0:
			patterns := rapid.SliceOfNDistinct(somePath, 1, 3, rapid.ID).Draw(t, "paths")
			for i := range patterns {
				if rapid.Bool().Draw(t, "subtree") {
					patterns[i] += "/**"
				}
			}
			list = append(list, delegation.Resource(patterns...))
		case 1:
			list = append(list, delegation.Operation(rapid.SliceOfNDistinct(someOperation, 1, 3, rapid.ID).Draw(t, "operations")...))
		case 2:
			list = append(list, delegation.Expires(now.Add(time.Duration(rapid.IntRange(-5, 300).Draw(t, "expires"))*time.Second)))
		case 3:
			list = append(list, delegation.ValidFrom(now.Add(time.Duration(rapid.IntRange(-300, 5).Draw(t, "from"))*time.Second)))
		case 4:
			cv, err := delegation.ParseCheck(someSource.Draw(t, "check"))
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, cv)
		}
	}
	return list
}

// stated are the facts that do not come from the request.
func stated(depth int, key token.PublicKey) []datalog.Predicate {
	one := func(name string, v datalog.Term) datalog.Predicate {
		return datalog.Predicate{Name: name, Terms: []datalog.Term{v}}
	}
	return []datalog.Predicate{
		one("time", datalog.Date(now.Unix())), one("weekday", datalog.Integer(1)), one("minute", datalog.Integer(720)),
		one("depth", datalog.Integer(depth)), one("agent_key", datalog.String(key.String())), one("agent", datalog.String(agentNames[key])),
		{Name: "context", Terms: []datalog.Term{datalog.String("ticket"), datalog.String("T-1")}},
		{Name: "context", Terms: []datalog.Term{datalog.String("epoch"), datalog.Integer(7)}},
	}
}

// What the service of the properties knows.
var (
	agentNames = map[token.PublicKey]string{ci.Public(): "agent:ci", runner.Public(): "agent:ci/7"}
	knowing    = verify.State{Context: map[string]any{"ticket": "T-1", "epoch": 7}}
)

func directed(t *testing.T) func(*verify.Options) {
	source := ""
	for key, name := range agentNames {
		source += name + ` namespaces="whittle-agent" ` + key.AuthorizedKey("") + "\n"
	}
	d, err := trust.ParseDirectory([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return func(o *verify.Options) { o.AllowReplay, o.Directory = true, d }
}

// decideKnowing is the code of a decision with what the service knows.
func decideKnowing(t *rapid.T, v *verify.Verifier, c token.Chain, req delegation.Request) token.Code {
	_, err := v.VerifyWith(t.Context(), c.Text(), req, knowing)
	return verify.CodeOf(err)
}

// holds is the reading's own opinion of one caveat.
func holds(t *rapid.T, c delegation.Caveat, req delegation.Request, stated []datalog.Predicate) bool {
	checked, err := req.Check()
	if err != nil {
		t.Fatal(err)
	}
	m := delegation.MentionsOf(&datalog.Authorizer{Block: datalog.Block{Checks: []datalog.Check{c.Check()}}})
	facts := append(append(checked.Facts(), checked.Inside(&m)...), stated...)
	return checked.Stateable(&m) == nil && delegation.Explain(c, facts).Holds
}

func someRequest(t *rapid.T) delegation.Request {
	if rapid.IntRange(0, 3).Draw(t, "any request") > 0 {
		req := delegationtest.Request(t)
		req.Operation = someOperation.Draw(t, "operation")
		return req
	}
	req := delegation.Request{
		Operation: someOperation.Draw(t, "operation"),
		Resources: rapid.SliceOfN(somePath, 1, 2).Draw(t, "resources"),
		Audience:  "svc:certs",
	}
	if rapid.Bool().Draw(t, "with argument") {
		req.Args = map[string]any{"o": map[string]any{"k": rapid.SampledFrom([]any{5, 7, 7.5}).Draw(t, "k")}, "n": rapid.SampledFrom([]any{1, 5, 7, "5", 5.0, true, nil}).Draw(t, "n")}
	}
	return req
}

// A hop is one block of a generated chain.
type hop struct {
	caveats []delegation.Caveat
	handoff bool
}

// build makes a chain without asking whether each hop narrows: the engine is to
// see to that.
func build(t *rapid.T, root []delegation.Caveat, hops []hop) (token.Chain, token.PrivateKey) {
	block0 := &datalog.Block{Facts: []datalog.Predicate{
		{Name: "delegator", Terms: []datalog.Term{datalog.String("alice@example.com")}},
		{Name: "holder", Terms: []datalog.Term{datalog.String("agent:ci")}},
	}}
	for _, c := range root {
		block0.Checks = append(block0.Checks, c.Check())
	}
	var c token.Chain
	c, err := token.Mint(alice, block0, token.HeldBy(ci.Public()), nil)
	if err != nil {
		t.Fatal(err)
	}
	holder, other := ci, runner
	for _, h := range hops {
		content := new(datalog.Block)
		next := token.SameNext(c)
		if h.handoff {
			content.Facts = []datalog.Predicate{{Name: "holder", Terms: []datalog.Term{datalog.String("agent:next")}}}
			next = token.HeldBy(other.Public())
		}
		for _, cv := range h.caveats {
			content.Checks = append(content.Checks, cv.Check())
		}
		if c, err = c.Append(holder, content, next); err != nil {
			t.Fatal(err)
		}
		if h.handoff {
			holder, other = other, holder
		}
	}
	return c, holder
}

func someChain(t *rapid.T, req delegation.Request) (root []delegation.Caveat, hops []hop) {
	root = []delegation.Caveat{
		delegation.ValidFrom(now.Add(-delegation.Skew)), delegation.Expires(now.Add(time.Hour)),
		delegation.Resource("a/**", "x/**"), delegation.Operation("read", "write"),
	}
	root = append(root, caveats(t, req)...)
	for range rapid.IntRange(0, 3).Draw(t, "hops") {
		hops = append(hops, hop{caveats(t, req), rapid.Bool().Draw(t, "handoff")})
	}
	return root, hops
}

// sorts are the types of caveats that came up.
type sorts map[string]bool

func (s sorts) add(list ...hop) {
	for _, h := range list {
		for _, c := range h.caveats {
			s[fmt.Sprintf("%T", c)] = true
		}
	}
}

// complete reports whether all kinds were there, and those of time.
func (s sorts) complete() bool { return len(s) >= len(delegationtest.Kinds)+2 }

// asksWho reports whether a caveat speaks of the agent who presents the token: who
// that is changes with a handoff, so that there the facts are not the same.
func asksWho(list ...hop) bool {
	for _, h := range list {
		for _, c := range h.caveats {
			switch c.(type) {
			case delegation.AgentKeys, delegation.Agents:
				return true
			}
		}
	}
	return false
}

// TestAttenuationNeverWidens: whatever block a holder appends, a request that is
// allowed with it was allowed without it.
func TestAttenuationNeverWidens(t *testing.T) {
	v := verifier(t, directed(t))
	allowed := sorts{}
	checkUntil(t, allowed.complete, func(rt *rapid.T) {
		req := someRequest(rt)
		root, hops := someChain(rt, req)
		more := hop{caveats(rt, req), rapid.Bool().Draw(rt, "handoff of the last")}
		all := append([]hop{{caveats: root}, more}, hops...)
		more.handoff = more.handoff && !asksWho(all...)

		parent, holder := build(rt, root, hops)
		child, heir := build(rt, root, append(hops[:len(hops):len(hops)], more))
		if code := decideKnowing(rt, v, present(quiet{rt}, child, heir, req, nil), req); code != "" {
			return
		}
		allowed.add(all...)
		if code := decideKnowing(rt, v, present(quiet{rt}, parent, holder, req, nil), req); code != "" {
			rt.Fatalf("the child is allowed, the parent is denied: %s", code)
		}
	})
}

// TestReadingAgreesWithEngine: where all caveats are typed, the structural
// reading says exactly what the engine enforces.
func TestReadingAgreesWithEngine(t *testing.T) {
	v := verifier(t, directed(t))
	allowed, denied := sorts{}, sorts{}
	checkUntil(t, func() bool { return allowed.complete() && denied.complete() }, func(rt *rapid.T) {
		req := someRequest(rt)
		root, hops := someChain(rt, req)
		all := append([]hop{{caveats: root}}, hops...)
		for _, list := range all {
			for _, c := range list.caveats {
				if _, custom := c.(delegation.Custom); custom {
					rt.Skip("a check written by hand")
				}
			}
		}
		c, holder := build(rt, root, hops)
		chain, err := delegation.Read(c)
		if err != nil {
			rt.Fatal(err)
		}
		code := decideKnowing(rt, v, present(quiet{rt}, c, holder, req, nil), req)
		if want := inScope(rt, &chain.Scope, req, stated(chain.Depth, holder.Public())); want != (code == "") {
			rt.Fatalf("the reading says %v, the verifier %q", want, code)
		}
		if code == "" {
			allowed.add(all...)
		} else {
			denied.add(all...)
		}
	})
}

// inScope is the reading's own opinion.
func inScope(t *rapid.T, s *delegation.Scope, req delegation.Request, stated []datalog.Predicate) bool {
	for _, b := range s.Bounds {
		if _, custom := b.Caveat.(delegation.Custom); !custom && !holds(t, b.Caveat, req, stated) {
			return false
		}
	}
	return !s.Empty
}

// TestHonestWriterNeverWidens: what package attenuate makes is within what was
// there, and what it clamps it can append.
func TestHonestWriterNeverWidens(t *testing.T) {
	clamped := 0
	checkUntil(t, func() bool { return clamped > 0 }, func(rt *rapid.T) {
		req := someRequest(rt)
		root, _ := someChain(rt, req)
		c, holder := build(rt, root, nil)
		wanted := caveats(rt, req)
		if len(wanted) == 0 {
			return
		}
		before, err := delegation.Read(c)
		if err != nil {
			rt.Fatal(err)
		}
		longer, err := attenuate.Narrow(c, holder, wanted...)
		if err != nil {
			tight, err := attenuate.Clamp(c, wanted...)
			if err != nil {
				return // nothing is left
			}
			clamped++
			if longer, err = attenuate.Narrow(c, holder, tight...); err != nil {
				rt.Fatalf("clamped, and still refused: %v", err)
			}
		}
		after, err := delegation.Read(longer)
		if err != nil {
			rt.Fatal(err)
		}
		for range 5 {
			facts := stated(0, ci.Public())
			if inScope(rt, &after.Scope, req, facts) && !inScope(rt, &before.Scope, req, facts) {
				rt.Fatalf("%+v is allowed after, not before", req)
			}
			req = someRequest(rt)
		}
	})
}

// quiet is a testing.TB that fails through rapid and logs nothing.
type quiet struct{ *rapid.T }

func (quiet) Logf(string, ...any) {}
func (q quiet) Helper()           {}

// checkUntil checks a property until enough sorts of cases have come up: one that
// only ever saw denials would say nothing.
func checkUntil(t *testing.T, enough func() bool, property func(*rapid.T)) {
	t.Helper()
	for range 2000 {
		if rapid.Check(t, property); t.Failed() || enough() {
			return
		}
	}
	t.Error("the generated cases are all of one sort: the property says too little")
}
