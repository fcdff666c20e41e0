package interop_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/vectors/interop"
	"github.com/whittle-auth/whittle/verify"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// TestPresentedChains: the reference takes our presented tokens for the Biscuits
// that they are, and with the facts that a verifier of ours states it comes to
// the same verdict.
func TestPresentedChains(t *testing.T) {
	o := interop.Start(t)
	random := rand.New(rand.NewPCG(7, 7))
	counts := map[bool]int{}
	for i := range 120 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			alg := datalog.Algorithm(i % 2)
			root, err := token.GenerateKey(alg)
			if err != nil {
				t.Fatal(err)
			}
			c, req := chain(t, random, root)
			roots, err := trust.Parse([]byte(`alice@example.com namespaces="whittle" ` + root.Public().AuthorizedKey("")))
			if err != nil {
				t.Fatal(err)
			}
			v, err := verify.New("svc:certs", roots, &verify.Options{Now: func() time.Time { return now }, AllowReplay: true})
			if err != nil {
				t.Fatal(err)
			}
			_, denied := v.Verify(context.Background(), c.Text(), req)
			if denied != nil && verify.CodeOf(denied) != token.CodeCheckFailed {
				t.Fatal(denied)
			}
			theirs, err := o.Authorize(interop.Authorize{Token: c.Bytes(), RootPublic: root.Public().String(), Authorizer: stated(t, c, req)})
			if err != nil {
				t.Fatal(err)
			}
			if allowed := theirs.Result.Class == interop.Allowed; allowed != (denied == nil) {
				t.Errorf("we say %v, the reference %s", denied, theirs.Result.JSON)
			}
			counts[denied == nil]++
		})
	}
	if counts[true] < 12 || counts[false] < 12 {
		t.Errorf("%d allowed and %d denied: too few of one", counts[true], counts[false])
	}
}

// chain mints a token, hands it on up to three times and invokes it.
func chain(t *testing.T, random *rand.Rand, root token.PrivateKey) (token.Chain, delegation.Request) {
	t.Helper()
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	holder, err := token.GenerateKey(datalog.Algorithm(random.IntN(2)))
	if err != nil {
		t.Fatal(err)
	}
	var c token.Chain
	c, err = attenuate.Mint(root, attenuate.Grant{
		Delegator: "alice@example.com", Agent: "agent:0", AgentKey: holder.Public(), TTL: time.Hour, Now: now,
	}, delegation.Resource("a/**", "b"), delegation.Operation("read", "write"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range random.IntN(4) {
		next, err := token.GenerateKey(datalog.Algorithm(random.IntN(2)))
		if err != nil {
			t.Fatal(err)
		}
		source := pick(
			`check all resource($r), $r == "a/x" || $r == "b"`, `check all operation($o), ["read"].contains($o)`,
			`check all resource($r), $r == "a" || $r.starts_with("a/")`, `check if arg("n", $v), $v.type() == "integer" && $v > 3`,
			`reject if arg("n", 9)`, `check if depth($d), $d < 3`, `check all minute($m), $m >= 0 && $m < 1440`, `check if weekday(1)`)
		cv, err := delegation.ParseCheck(source)
		if err != nil {
			t.Fatal(err)
		}
		longer, err := attenuate.Handoff(c, holder, fmt.Sprintf("agent:%d", i+1), next.Public(), cv)
		if err != nil {
			continue // wider than before, which is refused
		}
		c, holder = longer, next
	}
	req := delegation.Request{
		Operation: pick("read", "read", "write"), Resource: pick("a/x", "a/x", "a/y", "b"), Audience: "svc:certs",
		Args: map[string]any{"n": random.IntN(10), "s": `quotes " and \ and é`, "list": []any{1, "x"}},
	}
	presented, err := attenuate.InvokeAt(c, holder, req, now.Add(-delegation.Skew), now.Add(attenuate.Window))
	if err != nil {
		t.Fatal(err)
	}
	return presented, req
}

// stated writes the facts of a verifier as an authorizer.
func stated(t *testing.T, c token.Chain, req delegation.Request) string {
	t.Helper()
	read, err := delegation.Read(c)
	if err != nil {
		t.Fatal(err)
	}
	checked, err := req.Check()
	if err != nil {
		t.Fatal(err)
	}
	inv := read.Invocation
	request, err := checked.Digest(c.PrefixHash(inv.Block), inv.Nonce)
	if err != nil {
		t.Fatal(err)
	}
	action, err := checked.ActionDigest()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range checked.Facts() {
		fmt.Fprintf(&b, "%s;\n", f)
	}
	for _, f := range []datalog.Predicate{
		{Name: "time", Terms: []datalog.Term{datalog.Date(now.Unix())}},
		{Name: "weekday", Terms: []datalog.Term{datalog.Integer(1)}},
		{Name: "minute", Terms: []datalog.Term{datalog.Integer(720)}},
		{Name: "depth", Terms: []datalog.Term{datalog.Integer(read.Depth)}},
		{Name: "request", Terms: []datalog.Term{datalog.Bytes(request[:])}},
		{Name: "action", Terms: []datalog.Term{datalog.Bytes(action[:])}},
		{Name: "agent_key", Terms: []datalog.Term{datalog.String(inv.By.String())}},
	} {
		fmt.Fprintf(&b, "%s;\n", f)
	}
	return b.String() + "allow if true;"
}

// TestHeldTokensAreInert: the reference finds no proof in a held token, and can
// use it once its holder has sealed it.
func TestHeldTokensAreInert(t *testing.T) {
	o := interop.Start(t)
	root, err := token.GenerateKey(datalog.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	holder, err := token.GenerateKey(datalog.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	held, err := token.Mint(root, parsed(t, `right("a");`), token.HeldBy(holder.Public()), nil)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(c token.Chain) interop.Decision {
		d, err := o.Authorize(interop.Authorize{Token: c.Bytes(), RootPublic: root.Public().String(), Authorizer: `allow if right("a");`})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if d := ask(held); d.Result.Class != interop.Failed || !strings.Contains(string(d.Result.JSON), "could not find proof") {
		t.Errorf("held: %s", d.Result.JSON)
	}
	sealed, err := held.Seal(holder)
	if err != nil {
		t.Fatal(err)
	}
	if d := ask(sealed); d.Result.Class != interop.Allowed {
		t.Errorf("sealed: %s", d.Result.JSON)
	}
	open, err := held.Append(holder, parsed(t, `check if right("a");`), token.WithSecret(token.InvocationKey()))
	if err != nil {
		t.Fatal(err)
	}
	if d := ask(open); d.Result.Class != interop.Allowed {
		t.Errorf("presented: %s", d.Result.JSON)
	}
}

// TestThirdPartyExchange: requests and contents of one side serve the other.
func TestThirdPartyExchange(t *testing.T) {
	o := interop.Start(t)
	root := interop.RootKey(datalog.Ed25519)
	for i, third := range interop.ThirdPartyKeys() {
		code := `check if approved(1) trusting ` + third.Public + `;`
		mine, err := token.Mint(private(t, root.Private), parsed(t, code), fresh(t, datalog.Algorithm(i%2)), nil)
		if err != nil {
			t.Fatal(err)
		}
		theirRequest, err := o.ThirdPartyRequest(mine.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if string(theirRequest) != string(mine.Request()) {
			t.Errorf("requests differ: %x and %x", theirRequest, mine.Request())
		}
		contents, err := o.ThirdPartyBlock(mine.Request(), third.Private, `approved(1);`)
		if err != nil {
			t.Fatal(err)
		}
		longer, err := mine.AppendThirdParty(nil, contents, fresh(t, datalog.Ed25519))
		if err != nil {
			t.Fatal(err)
		}
		ours, err := token.SignThirdParty(theirRequest, private(t, third.Private), parsed(t, `approved(1);`))
		if err != nil {
			t.Fatal(err)
		}
		appended, err := o.AppendThirdParty(mine.Bytes(), root.Public, ours, interop.NextKey{})
		if err != nil {
			t.Fatal(err)
		}
		for _, data := range [][]byte{longer.Bytes(), appended.Token} {
			agree(t, o, interop.Program{RootAlg: datalog.Ed25519, Authorizer: `allow if true;`}, data)
			u, err := token.Parse(data, nil)
			if err != nil {
				t.Fatal(err)
			}
			tok, err := u.Verify(public(t, root.Public))
			if err != nil {
				t.Fatal(err)
			}
			a, err := datalog.ParseAuthorizer(`allow if true;`, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := verify.Authorize(tok, a, nil); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestSnapshotExchange: snapshots of one side are read by the other.
func TestSnapshotExchange(t *testing.T) {
	o := interop.Start(t)
	root := interop.RootKey(datalog.Ed25519)
	c, err := token.Mint(private(t, root.Private), parsed(t, `right("a"); can($x) <- right($x), time($t); check if time($t), $t < 2030-01-01T00:00:00Z;`), fresh(t, datalog.Ed25519), nil)
	if err != nil {
		t.Fatal(err)
	}
	const authorizer = `time(2026-11-23T12:00:00Z); check if can("a"); deny if right("b"); allow if can($x);`
	theirs, _, err := o.Snapshot(interop.Authorize{Token: c.Bytes(), RootPublic: root.Public, Authorizer: authorizer})
	if err != nil {
		t.Fatal(err)
	}
	s, err := token.ParseSnapshot(theirs, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := verify.AuthorizeUnverified(s, nil); err != nil {
		t.Error(err)
	}

	a, err := datalog.ParseAuthorizer(authorizer, nil)
	if err != nil {
		t.Fatal(err)
	}
	out, err := verify.Authorize(c, a, nil)
	if err != nil {
		t.Fatal(err)
	}
	mine, err := out.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := mine.Encode()
	if err != nil {
		t.Fatal(err)
	}
	d, err := o.LoadSnapshot(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if d.Result.Class != interop.Allowed || d.Result.Policy != 1 {
		t.Errorf("the reference says %s of our snapshot", d.Result.JSON)
	}
}
