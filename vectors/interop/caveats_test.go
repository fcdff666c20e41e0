package interop_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/delegation/delegationtest"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/vectors/interop"
	"github.com/whittle-auth/whittle/verify"
)

// minCaveatCases is how many chains and requests TestCaveats decides at least.
const minCaveatCases = 1000

// TestCaveats: the reference comes to our verdict on presented chains with every
// type of caveat, hostile values among them, given the facts that a verifier of
// ours states.
func TestCaveats(t *testing.T) {
	o := interop.Start(t)
	w := newCaveatWorld(t)
	cases, sorts := 0, map[bool]map[string]bool{true: {}, false: {}}
	enough := func() bool {
		most := len(delegationtest.Kinds) + 3 // not before, expiry, approval
		return cases >= minCaveatCases && len(sorts[true]) == most && len(sorts[false]) == most
	}
	for !enough() && !t.Failed() {
		if cases > 20*minCaveatCases {
			t.Fatalf("after %d cases not every type of caveat was allowed and denied: %v", cases, sorts)
		}
		rapid.Check(t, func(rt *rapid.T) {
			c, req, caveats := w.chain(rt)
			d, denied := w.verifier.VerifyWith(rt.Context(), c.Text(), req, w.state)
			if code := verify.CodeOf(denied); denied != nil && !slices.Contains([]token.Code{token.CodeCheckFailed, token.CodeExpired, token.CodeWindow}, code) {
				rt.Fatal(denied)
			}
			theirs, err := o.Authorize(interop.Authorize{Token: c.Bytes(), RootPublic: w.root.Public().String(), Authorizer: w.stated(rt, c, req)})
			if err != nil {
				rt.Fatal(err)
			}
			if theirs.Result.Class == interop.Failed {
				rt.Fatalf("the reference fails: %s", theirs.Result.JSON)
			}
			if allowed := theirs.Result.Class == interop.Allowed; allowed != (denied == nil) {
				rt.Fatalf("we say %v, the reference %s\n%v", denied, theirs.Result.JSON, d.Scope.Bounds)
			}
			cases++
			for _, cv := range caveats {
				sorts[denied == nil][fmt.Sprintf("%T", cv)] = true
			}
		})
	}
	t.Logf("%d cases", cases)
}

// A caveatWorld is who there is and what the service knows.
type caveatWorld struct {
	root, approver token.PrivateKey
	agents         []token.PrivateKey
	keys           delegationtest.Keys
	names          map[token.PublicKey]string
	state          verify.State
	verifier       *verify.Verifier
}

func newCaveatWorld(t *testing.T) *caveatWorld {
	w := &caveatWorld{
		root: generated(t, datalog.Secp256r1), approver: generated(t, datalog.Ed25519), names: map[token.PublicKey]string{},
		state: verify.State{Context: map[string]any{"ticket": "T-1", "epoch": 7}},
	}
	directory := ""
	for i, name := range []string{"agent:ci", "agent:ci/7", "spiffe://x.org/ns/a"} {
		key := generated(t, datalog.Algorithm(i%2))
		w.agents, w.keys, w.names[key.Public()] = append(w.agents, key), append(w.keys, key.Public()), name
		directory += name + ` namespaces="whittle-agent" ` + key.Public().AuthorizedKey("") + "\n"
	}
	roots, err := trust.Parse([]byte(`alice@example.com namespaces="whittle" ` + w.root.Public().AuthorizedKey("")))
	if err != nil {
		t.Fatal(err)
	}
	agents, err := trust.ParseDirectory([]byte(directory))
	if err != nil {
		t.Fatal(err)
	}
	w.verifier, err = verify.New("svc:certs", roots, &verify.Options{Now: func() time.Time { return now }, AllowReplay: true, Directory: agents})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func generated(t *testing.T, alg datalog.Algorithm) token.PrivateKey {
	t.Helper()
	key, err := token.GenerateKey(alg)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

var caveatKinds = slices.Sorted(maps.Keys(delegationtest.Kinds))

// chain makes a chain of blocks with any caveats, whether or not each narrows, and
// a request.
func (w *caveatWorld) chain(t *rapid.T) (token.Chain, delegation.Request, []delegation.Caveat) {
	req := delegationtest.Request(t)
	withoutFloats(req.Args)
	all := []delegation.Caveat{
		delegation.ValidFrom(now.Add(-delegation.Skew)), delegation.Expires(now.Add(time.Hour)),
		delegation.Resource("a/**", "ab", "x/**", "or", `q"{t}`), delegation.Operation(delegationtest.Operations...),
	}
	content := &datalog.Block{Facts: []datalog.Predicate{
		{Name: "delegator", Terms: []datalog.Term{datalog.String("alice@example.com")}},
		{Name: "holder", Terms: []datalog.Term{datalog.String("agent:0")}},
	}}
	write := func(list ...delegation.Caveat) {
		for _, cv := range list {
			content.Checks = append(content.Checks, cv.Check())
		}
	}
	write(all...)
	write(w.caveats(t, req, &all)...)
	var c token.Chain
	c, err := token.Mint(w.root, content, token.HeldBy(w.agents[0].Public()), nil)
	if err != nil {
		t.Fatal(err)
	}
	holder := 0
	for i := range rapid.IntRange(0, 2).Draw(t, "hops") {
		next := token.SameNext(c)
		content = new(datalog.Block)
		to := rapid.IntRange(0, len(w.agents)-1).Draw(t, "to")
		if to != holder {
			content.Facts = []datalog.Predicate{{Name: "holder", Terms: []datalog.Term{datalog.String(fmt.Sprintf("agent:%d", i+1))}}}
			next = token.HeldBy(w.agents[to].Public())
		}
		write(w.caveats(t, req, &all)...)
		if c, err = c.Append(w.agents[holder], content, next); err != nil {
			t.Fatal(err)
		}
		holder = to
	}
	if rapid.IntRange(0, 3).Draw(t, "approval") == 0 {
		c = w.approve(t, c, w.agents[holder], req)
	}
	presented, err := attenuate.InvokeAt(c, w.agents[holder], req, now.Add(-delegation.Skew), now.Add(attenuate.Window))
	if err != nil {
		t.Fatal(err)
	}
	return presented, req, all
}

// caveats draws a few, most of which let the request pass.
func (w *caveatWorld) caveats(t *rapid.T, req delegation.Request, all *[]delegation.Caveat) []delegation.Caveat {
	checked, err := req.Check()
	if err != nil {
		t.Fatal(err)
	}
	var list []delegation.Caveat
	for range rapid.IntRange(0, 2).Draw(t, "caveats") {
		switch rapid.IntRange(0, 19).Draw(t, "sort") {
		case 0:
			list = append(list, delegation.Expires(now.Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "expires"))*time.Second)))
			continue
		case 1:
			list = append(list, delegation.ValidFrom(now.Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "from"))*time.Second)))
			continue
		case 2:
			list = append(list, delegation.Approval{Keys: []token.PublicKey{w.approver.Public(), w.keys[0]}})
			continue
		}
		draw := delegationtest.Kinds[rapid.SampledFrom(caveatKinds).Draw(t, "kind")]
		for range 30 {
			cv := draw(t, w.keys)
			m := delegation.MentionsOf(&datalog.Authorizer{Block: datalog.Block{Checks: []datalog.Check{cv.Check()}}})
			facts := append(append(checked.Facts(), checked.Inside(&m)...), w.facts(1, w.keys[0])...)
			if delegation.Explain(cv, facts).Holds || rapid.IntRange(0, 99).Draw(t, "any") == 0 {
				list = append(list, cv)
				break
			}
		}
	}
	*all = append(*all, list...)
	return list
}

// approve attaches the approver's block, of this action or of another.
func (w *caveatWorld) approve(t *rapid.T, c token.Chain, holder token.Signer, req delegation.Request) token.Chain {
	if rapid.Bool().Draw(t, "another action") {
		req.Operation = "approve me"
	}
	checked, err := req.Check()
	if err != nil {
		t.Fatal(err)
	}
	approved := delegation.Approved{Parent: c.PrefixHash(len(c.Blocks())), Expires: uint64(now.Add(time.Minute).Unix())}
	if approved.Action, err = checked.ActionDigest(); err != nil {
		t.Fatal(err)
	}
	signed, err := token.SignThirdParty(c.Request(), w.approver, approved.Content())
	if err != nil {
		t.Fatal(err)
	}
	longer, err := c.AppendThirdParty(holder, signed, token.SameNext(c))
	if err != nil {
		t.Fatal(err)
	}
	return longer
}

// withoutFloats leaves out what no fact can hold, however deep: there our verifier
// denies although the caveat, of which the argument is absent, may hold.
func withoutFloats(args map[string]any) {
	for name, v := range args {
		args[name] = withoutFloat(v)
	}
}

func withoutFloat(v any) any {
	switch v := v.(type) {
	case float64:
		return int64(v)
	case []any:
		for i, e := range v {
			v[i] = withoutFloat(e)
		}
	case map[string]any:
		withoutFloats(v)
	}
	return v
}

// facts are those that do not come from the request, but for the digests.
func (w *caveatWorld) facts(depth int, key token.PublicKey) []datalog.Predicate {
	f := func(name string, terms ...datalog.Term) datalog.Predicate {
		return datalog.Predicate{Name: name, Terms: terms}
	}
	return []datalog.Predicate{
		f("time", datalog.Date(now.Unix())), f("weekday", datalog.Integer(1)), f("minute", datalog.Integer(720)),
		f("depth", datalog.Integer(depth)), f("agent_key", datalog.String(key.String())), f("agent", datalog.String(w.names[key])),
		f("context", datalog.String("ticket"), datalog.String("T-1")), f("context", datalog.String("epoch"), datalog.Integer(7)),
	}
}

// stated writes all facts of a verifier as an authorizer.
func (w *caveatWorld) stated(t *rapid.T, c token.Chain, req delegation.Request) string {
	chain, err := delegation.Read(c)
	if err != nil {
		t.Fatal(err)
	}
	checked, err := req.Check()
	if err != nil {
		t.Fatal(err)
	}
	inv := chain.Invocation
	request, err := checked.Digest(c.PrefixHash(inv.Block), inv.Nonce)
	if err != nil {
		t.Fatal(err)
	}
	action, err := checked.ActionDigest()
	if err != nil {
		t.Fatal(err)
	}
	facts := append(checked.Facts(), w.facts(chain.Depth, inv.By)...)
	facts = append(facts,
		datalog.Predicate{Name: "request", Terms: []datalog.Term{datalog.Bytes(request[:])}},
		datalog.Predicate{Name: "action", Terms: []datalog.Term{datalog.Bytes(action[:])}})
	for _, l := range chain.Links {
		facts = append(facts, checked.Inside(&l.Mentions)...)
	}
	var b strings.Builder
	for _, f := range facts {
		fmt.Fprintf(&b, "%s;\n", f)
	}
	return b.String() + "allow if true;"
}
