package verify_test

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
)

var bob, carol, dave = key("bob"), key("carol"), key("dave")

// needing is a token for CI that demands approval by some of the people.
func needing(t tester, need int, people ...token.PrivateKey) token.Chain {
	t.Helper()
	return mint(t, good+approvalChecks(t, need, people...))
}

func approvalChecks(t tester, need int, people ...token.PrivateKey) string {
	t.Helper()
	var keys []token.PublicKey
	for _, p := range people {
		keys = append(keys, p.Public())
	}
	caveats, err := delegation.Approvals(need, keys...)
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	for _, c := range caveats {
		source.WriteString(c.Check().String() + ";")
	}
	return source.String()
}

// approval is what an approver should sign for a token and a request.
func approval(t tester, c token.Chain, req delegation.Request) *datalog.Block {
	t.Helper()
	checked, err := req.Check()
	if err != nil {
		t.Fatal(err)
	}
	action, err := checked.ActionDigest()
	if err != nil {
		t.Fatal(err)
	}
	a := delegation.Approved{Action: action, Parent: c.PrefixHash(len(c.Blocks())), Expires: uint64(now.Add(10 * time.Minute).Unix())}
	return a.Content()
}

// approve lets somebody sign an approval and CI attach it, without asking whether
// it is any good.
func approve(t tester, c token.Chain, approver token.Signer, content *datalog.Block) token.Chain {
	t.Helper()
	contents, err := token.SignThirdParty(c.Request(), approver, content)
	if err != nil {
		t.Fatal(err)
	}
	longer, err := c.AppendThirdParty(ci, contents, token.SameNext(c))
	if err != nil {
		t.Fatal(err)
	}
	return longer
}

// approvedBy collects approvals of the usual request, one after another.
func approvedBy(t tester, c token.Chain, people ...token.PrivateKey) token.Chain {
	t.Helper()
	for _, p := range people {
		c = approve(t, c, p, approval(t, c, rotate))
	}
	return c
}

func people(names ...token.PrivateKey) []token.PrivateKey { return names }

// V9: two of three people must have approved, whichever two. One who approves
// twice is still one.
func TestTwoOfThree(t *testing.T) {
	for name, c := range map[string]struct {
		by   []token.PrivateKey
		want token.Code
	}{
		"nobody":                  {nil, token.CodeCheckFailed},
		"bob":                     {people(bob), token.CodeCheckFailed},
		"bob twice":               {people(bob, bob), token.CodeCheckFailed},
		"bob and a stranger":      {people(bob, mallory), token.CodeCheckFailed},
		"strangers":               {people(mallory, key("x"), key("y")), token.CodeCheckFailed},
		"bob and carol":           {people(bob, carol), ""},
		"carol and bob":           {people(carol, bob), ""},
		"bob and dave":            {people(bob, dave), ""},
		"carol and dave":          {people(carol, dave), ""},
		"all":                     {people(bob, carol, dave), ""},
		"bob, a stranger, carol":  {people(bob, mallory, carol), ""},
		"bob twice and then dave": {people(bob, bob, dave), ""},
	} {
		t.Run(name, func(t *testing.T) {
			held := approvedBy(t, needing(t, 2, bob, carol, dave), c.by...)
			expect(t, present(t, held, ci, rotate, nil).Text(), rotate, c.want)
		})
	}
}

// TestQuorums: any m of n, against counting.
func TestQuorums(t *testing.T) {
	all := people(bob, carol, dave, key("erin"))
	for n := 1; n <= len(all); n++ {
		for need := 1; need <= n; need++ {
			for chosen := range 1 << n {
				var by []token.PrivateKey
				for i := range n {
					if chosen>>i&1 == 1 {
						by = append(by, all[i])
					}
				}
				want := token.Code("")
				if len(by) < need {
					want = token.CodeCheckFailed
				}
				held := approvedBy(t, needing(t, need, all[:n]...), by...)
				if code := decide(t, present(t, held, ci, rotate, nil).Text(), rotate); code != want {
					t.Errorf("%d of %d needed, %d approve: %q, want %q", need, n, len(by), code, want)
				}
			}
		}
	}
}

// V9: an approval is for one action with one token.
func TestApprovalForSomethingElse(t *testing.T) {
	held := needing(t, 1, bob)
	t.Run("the approved action", func(t *testing.T) {
		expect(t, present(t, approvedBy(t, held, bob), ci, rotate, nil).Text(), rotate, "")
	})
	for name, change := range map[string]func(*delegation.Request){
		"operation": func(r *delegation.Request) { r.Operation = "read" },
		"resource":  func(r *delegation.Request) { r.Resource = "payments/other" },
		"argument":  func(r *delegation.Request) { r.Args = map[string]any{"days": 31, "reason": "expiring"} },
		"body":      func(r *delegation.Request) { r.BodyDigest = []byte{1} },
	} {
		t.Run("another "+name, func(t *testing.T) {
			other := request(change)
			expect(t, present(t, approvedBy(t, held, bob), ci, other, nil).Text(), other, token.CodeCheckFailed)
		})
	}
	t.Run("another audience", func(t *testing.T) {
		elsewhere := request(func(r *delegation.Request) { r.Audience = "svc:other" })
		c := approve(t, held, bob, approval(t, held, elsewhere))
		expect(t, present(t, c, ci, rotate, nil).Text(), rotate, token.CodeCheckFailed)
	})
	t.Run("both actions", func(t *testing.T) {
		read := request(func(r *delegation.Request) { r.Operation = "read" })
		c := approvedBy(t, approve(t, held, bob, approval(t, held, read)), bob)
		expect(t, present(t, c, ci, rotate, nil).Text(), rotate, "")
		expect(t, present(t, c, ci, read, nil).Text(), read, "")
	})
	t.Run("different actions by two", func(t *testing.T) {
		two := needing(t, 2, bob, carol)
		read := request(func(r *delegation.Request) { r.Operation = "read" })
		c := approvedBy(t, approve(t, two, bob, approval(t, two, read)), carol)
		expect(t, present(t, c, ci, rotate, nil).Text(), rotate, token.CodeCheckFailed)
	})
}

// V9: an approval of one token does nothing in another, and one that was taken out
// or whose signature was taken off leaves a broken chain.
func TestApprovalTakenElsewhere(t *testing.T) {
	one := needing(t, 1, bob)
	approved := approvedBy(t, one, bob)
	contents, err := token.SignThirdParty(one.Request(), bob, approval(t, one, rotate))
	if err != nil {
		t.Fatal(err)
	}
	t.Run("to another token, by the holder", func(t *testing.T) {
		other := mint(t, good+approvalChecks(t, 1, bob)+"check if true;")
		if _, err := other.AppendThirdParty(ci, contents, token.SameNext(other)); verify.CodeOf(err) != token.CodeSignature {
			t.Errorf("attached: %v", err)
		}
	})
	t.Run("to another token, on the wire", func(t *testing.T) {
		other := present(t, approvedBy(t, mint(t, good+approvalChecks(t, 1, bob)+"check if true;"), bob), ci, rotate, nil)
		theirs, proof := wireBlocks(t, other.Bytes())
		mine, _ := wireBlocks(t, approved.Bytes())
		theirs[1] = mine[1]
		expect(t, wireToken(theirs, proof), rotate, token.CodeSignature)
	})
	t.Run("signed for a shorter token", func(t *testing.T) {
		narrowed := add(t, one, ci, `check if true;`, token.SameNext(one))
		content := approval(t, one, rotate) // the prefix hash of the shorter one
		expect(t, present(t, approve(t, narrowed, bob, content), ci, rotate, nil).Text(), rotate, token.CodeProfile)
	})
	t.Run("attached twice", func(t *testing.T) {
		if _, err := approved.AppendThirdParty(ci, contents, token.SameNext(approved)); verify.CodeOf(err) != token.CodeSignature {
			t.Errorf("attached: %v", err)
		}
	})
	t.Run("taken out", func(t *testing.T) {
		blocks, proof := wireBlocks(t, present(t, approved, ci, rotate, nil).Bytes())
		expect(t, wireToken([][]byte{blocks[0], blocks[2]}, proof), rotate, token.CodeSignature)
	})
	t.Run("external signature stripped", func(t *testing.T) {
		blocks, proof := wireBlocks(t, present(t, approved, ci, rotate, nil).Bytes())
		blocks[1] = withoutField(t, blocks[1], 4)
		expect(t, wireToken(blocks, proof), rotate, token.CodeSignature)
	})
	t.Run("said by the holder", func(t *testing.T) {
		c, err := one.Append(ci, approval(t, one, rotate), token.SameNext(one))
		if err != nil {
			t.Fatal(err)
		}
		expect(t, present(t, c, ci, rotate, nil).Text(), rotate, token.CodeProfile)
	})
	t.Run("kept through a handoff", func(t *testing.T) {
		c := add(t, approved, ci, `holder("agent:runner");`, token.HeldBy(runner.Public()))
		expect(t, present(t, c, runner, rotate, nil).Text(), rotate, "")
	})
	t.Run("kept through narrowing", func(t *testing.T) {
		c := add(t, approved, ci, `check all operation($o), ["rotate"].contains($o);`, token.SameNext(approved))
		expect(t, present(t, c, ci, rotate, nil).Text(), rotate, "")
	})
}

// V9: what a third party's block may not be.
func TestApprovalOfAnotherShape(t *testing.T) {
	held := needing(t, 1, bob)
	parsed := func(source string) func(*datalog.Block) {
		more := block(t, source)
		return func(b *datalog.Block) {
			b.Facts = append(b.Facts, more.Facts...)
			b.Rules = append(b.Rules, more.Rules...)
			b.Checks = append(b.Checks, more.Checks...)
		}
	}
	for name, change := range map[string]func(*datalog.Block){
		"states an operation": parsed(`operation("pay");`),
		"states a time":       parsed(`time(2026-11-23T12:00:00Z);`),
		"names a holder":      parsed(`holder("agent:x");`),
		"names a delegator":   parsed(`delegator("bob@example.com");`),
		"a second approved":   parsed(`approved(hex:00);`),
		"a second parent":     parsed(`parent(hex:00);`),
		"a rule":              parsed(`approved($a) <- action($a);`),
		"another check":       parsed(`check if true;`),
		"a second expiry":     parsed(`check all time($t), $t < 2026-11-23T12:05:00Z;`),
		"an approval caveat":  parsed(approvalChecks(t, 1, carol)),
		"trusting another": func(b *datalog.Block) {
			b.Scopes = []datalog.Scope{{Kind: datalog.ScopeKey, Key: carol.Public().Datalog()}}
		},
		"context":                 func(b *datalog.Block) { b.Context = new("approved"); *b.Context = "x" },
		"no expiry":               func(b *datalog.Block) { b.Checks = nil },
		"a loose expiry":          func(b *datalog.Block) { b.Checks = block(t, `check if time($t), $t < 2026-11-23T12:05:00Z;`).Checks },
		"no approved":             func(b *datalog.Block) { b.Facts = b.Facts[1:] },
		"no parent":               func(b *datalog.Block) { b.Facts = b.Facts[:1] },
		"the other order":         func(b *datalog.Block) { b.Facts[0], b.Facts[1] = b.Facts[1], b.Facts[0] },
		"another parent":          func(b *datalog.Block) { b.Facts[1].Terms[0] = datalog.Bytes(make([]byte, 32)) },
		"a short parent":          func(b *datalog.Block) { b.Facts[1].Terms[0] = b.Facts[1].Terms[0].(datalog.Bytes)[:31] },
		"a long parent":           func(b *datalog.Block) { b.Facts[1].Terms[0] = b.Facts[1].Terms[0].(datalog.Bytes) + "\x00" },
		"a short digest":          func(b *datalog.Block) { b.Facts[0].Terms[0] = b.Facts[0].Terms[0].(datalog.Bytes)[:31] },
		"a digest as text":        func(b *datalog.Block) { b.Facts[0].Terms[0] = datalog.String("x") },
		"approved with two terms": func(b *datalog.Block) { b.Facts[0].Terms = append(b.Facts[0].Terms, datalog.Integer(1)) },
		"nothing":                 func(b *datalog.Block) { *b = datalog.Block{} },
	} {
		t.Run(name, func(t *testing.T) {
			content := approval(t, held, rotate)
			change(content)
			c := approve(t, held, bob, content)
			expect(t, present(t, c, ci, rotate, nil).Text(), rotate, token.CodeProfile)
		})
	}
}

// V9: an approval keeps the next key and stands before the invocation.
func TestApprovalInAnotherPlace(t *testing.T) {
	held := needing(t, 1, bob)
	contents, err := token.SignThirdParty(held.Request(), bob, approval(t, held, rotate))
	if err != nil {
		t.Fatal(err)
	}
	for name, next := range map[string]token.Next{
		"another holder":     token.HeldBy(runner.Public()),
		"the invocation key": token.WithSecret(token.InvocationKey()),
	} {
		t.Run("changes the next key to "+name, func(t *testing.T) {
			c, err := held.AppendThirdParty(ci, contents, next)
			if err != nil {
				t.Fatal(err)
			}
			if c.NextKey() == runner.Public() {
				c = present(t, c, runner, rotate, nil)
			}
			expect(t, c.Text(), rotate, token.CodeProfile)
		})
	}
	t.Run("after the invocation", func(t *testing.T) {
		c := present(t, held, ci, rotate, nil)
		contents, err := token.SignThirdParty(c.Request(), bob, approval(t, c, rotate))
		if err != nil {
			t.Fatal(err)
		}
		after, err := c.AppendThirdParty(token.InvocationKey(), contents, token.SameNext(c))
		if err != nil {
			t.Fatal(err)
		}
		expect(t, after.Text(), rotate, token.CodeProfile)
	})
}

// V9: nobody who takes part in the chain approves what it does, unless the service
// lets them.
func TestApproverInChain(t *testing.T) {
	v := verifier(t, func(o *verify.Options) { o.AllowApproverInChain = true })
	for name, c := range map[string]struct {
		held     token.Chain
		approver token.PrivateKey
		after    *token.PrivateKey // gets the token afterwards
	}{
		"the holder":   {needing(t, 1, ci), ci, nil},
		"the root":     {needing(t, 1, alice), alice, nil},
		"a later one":  {needing(t, 1, runner), runner, &runner},
		"a bystander":  {add(t, needing(t, 1, ci, bob), ci, "check if true;", token.HeldBy(ci.Public())), ci, nil},
		"for a caveat": {add(t, mint(t, good), ci, approvalChecks(t, 1, ci), token.HeldBy(ci.Public())), ci, nil},
	} {
		t.Run(name, func(t *testing.T) {
			held, holder := approvedBy(t, c.held, c.approver), ci
			if c.after != nil {
				held, holder = add(t, held, ci, `holder("agent:later");`, token.HeldBy(c.after.Public())), *c.after
			}
			text := present(t, held, holder, rotate, nil).Text()
			expect(t, text, rotate, token.CodeProfile)
			if code := decideWith(t, v, text, rotate); code != "" {
				t.Errorf("allowed by name: code %q", code)
			}
		})
	}
	t.Run("an earlier holder", func(t *testing.T) {
		c := add(t, needing(t, 1, ci), ci, `holder("agent:runner");`, token.HeldBy(runner.Public()))
		contents, err := token.SignThirdParty(c.Request(), ci, approval(t, c, rotate))
		if err != nil {
			t.Fatal(err)
		}
		approved, err := c.AppendThirdParty(runner, contents, token.SameNext(c))
		if err != nil {
			t.Fatal(err)
		}
		expect(t, present(t, approved, runner, rotate, nil).Text(), rotate, token.CodeProfile)
	})
	t.Run("everybody", func(t *testing.T) {
		public := token.InvocationKey()
		expect(t, present(t, approvedBy(t, mint(t, good), public), ci, rotate, nil).Text(), rotate, token.CodeProfile)
		named := good + `check if action($a), approved($a) trusting ` + public.Public().String() + `;`
		expect(t, present(t, mint(t, named), ci, rotate, nil).Text(), rotate, token.CodeProfile)
	})
}

// An approval ends, and the token that has it ends too. Without it the token is as
// before.
func TestApprovalExpires(t *testing.T) {
	held := needing(t, 1, bob)
	content := func(expires time.Time) *datalog.Block {
		b := approval(t, held, rotate)
		b.Checks = []datalog.Check{delegation.Expires(expires).Check()}
		return b
	}
	expect(t, present(t, approve(t, held, bob, content(now.Add(time.Second))), ci, rotate, nil).Text(), rotate, "")
	for _, at := range []time.Time{now, now.Add(-time.Hour)} {
		expired := approve(t, held, bob, content(at))
		expect(t, present(t, expired, ci, rotate, nil).Text(), rotate, token.CodeExpired)
		// A later approval does not mend it.
		expect(t, present(t, approvedBy(t, expired, bob), ci, rotate, nil).Text(), rotate, token.CodeExpired)
	}
	expect(t, present(t, approvedBy(t, held, bob), ci, rotate, nil).Text(), rotate, "")
	chain, err := delegation.Read(approve(t, held, bob, content(now.Add(time.Minute))))
	if err != nil {
		t.Fatal(err)
	}
	if at, _ := chain.Scope.Expires(); !at.Time().Equal(now.Add(time.Minute)) {
		t.Errorf("the token with the approval %s", at)
	}
}

// An approval hands nothing on.
func TestApprovalIsNoHop(t *testing.T) {
	held := mint(t, good+approvalChecks(t, 2, bob, carol)+`check all depth($d), $d == 0; check all agent_key($k), $k == "`+ci.Public().String()+`";`)
	approved := approvedBy(t, held, bob, carol)
	narrowed := add(t, approved, ci, `check if true;`, token.SameNext(approved))
	d, err := verifier(t, nil).Verify(t.Context(), present(t, narrowed, ci, rotate, nil).Text(), rotate)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Chain) != 1 || d.Chain[0].Name != "agent:ci" {
		t.Errorf("the chain is %v", d.Chain)
	}
	// Who wrote what is told right although approvals stand between.
	after := add(t, approved, ci, `holder("agent:runner"); check if false;`, token.HeldBy(runner.Public()))
	last := add(t, after, runner, `check if 1 > 2;`, token.HeldBy(runner.Public()))
	d, err = verifier(t, nil).Verify(t.Context(), present(t, last, runner, rotate, nil).Text(), rotate)
	if err == nil {
		t.Fatal("allowed")
	}
	hops := map[int]string{}
	for _, r := range d.Reasons {
		hops[r.Block] = r.Hop
	}
	if hops[0] != "alice@example.com" || hops[3] != "agent:ci" || hops[4] != "agent:runner" {
		t.Errorf("%v", hops)
	}
}

// A bearer token that demands approval gets it in the same way.
func TestApprovalOfBearer(t *testing.T) {
	source := strings.Replace(good, `holder("agent:ci");`, ``, 1) + approvalChecks(t, 1, bob)
	held := mintFor(t, alice, source, token.WithSecret(ci))
	v := verifier(t, func(o *verify.Options) { o.AllowBearer = true })
	if code := decideWith(t, v, held.Text(), rotate); code != token.CodeCheckFailed {
		t.Errorf("not approved: %q", code)
	}
	if code := decideWith(t, v, approvedBy(t, held, bob).Text(), rotate); code != "" {
		t.Errorf("approved: %q", code)
	}
}

// withoutField takes one field out of a message.
func withoutField(t tester, message []byte, number protowire.Number) []byte {
	t.Helper()
	var out []byte
	for len(message) > 0 {
		num, _, n := protowire.ConsumeField(message)
		if n < 0 {
			t.Fatal("no message")
		}
		if num != number {
			out = append(out, message[:n]...)
		}
		message = message[n:]
	}
	return out
}
