package verify_test

import (
	"strings"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify"
)

// The attacks that concern chains and invocations, one test for
// each. An honest writer cannot make these tokens, so they are built by hand.

func TestHonestChainIsAllowed(t *testing.T) {
	held := mint(t, good)
	expect(t, present(t, held, ci, rotate, nil).Text(), rotate, "")

	narrowed := add(t, held, ci, `check all operation($o), ["rotate"].contains($o);`, token.SameNext(held))
	handed := add(t, narrowed, ci, `holder("agent:runner");`, token.HeldBy(runner.Public()))
	expect(t, present(t, handed, runner, rotate, nil).Text(), rotate, "")
}

// V6: what a token states must not stand in for what the verifier states.
func TestFactsSmuggledIntoBlock0(t *testing.T) {
	for _, extra := range []string{
		`operation("read");`,
		`resource("payments/x");`,
		`time(2026-11-23T12:30:00Z);`,
		`arg("amount", 1);`,
		`audience("svc:certs");`,
		`agent("agent:ci");`,
		`agent_key("ed25519/00");`,
		`depth(0);`,
		`request(hex:00);`,
		`action(hex:00);`,
		`context("ticket", "T-1");`,
		`approved(hex:00);`,
		`anything(1);`,
		`delegator("alice@example.com", 1);`,
		`holder(1);`,
		`operation("read") <- time($t);`,
		`operation($x) <- delegator($x);`,
		`nonce(hex:00112233445566778899aabbccddeeff);`,
	} {
		expect(t, present(t, mint(t, good+extra), ci, rotate, nil).Text(), rotate, token.CodeProfile)
	}
}

// V6, V8: an invocation or a hop that states the fact its own check asks for is
// valid for any request.
func TestFactsSmuggledIntoHopOrInvocation(t *testing.T) {
	wanted := request(func(r *delegation.Request) { r.Operation = "read" })
	for _, extra := range []string{
		`operation("read");`, `request(hex:00);`, `audience("svc:certs");`, `time(2026-11-23T12:00:00Z);`,
		`operation("read") <- time($t);`, `delegator("bob@example.com");`, `nonce(hex:00112233445566778899aabbccddeeff);`,
	} {
		hop := add(t, mint(t, good), ci, `check all operation($o), ["read"].contains($o);`+extra, token.HeldBy(ci.Public()))
		expect(t, present(t, hop, ci, wanted, nil).Text(), wanted, token.CodeProfile)

		more := block(t, extra)
		presented := present(t, mint(t, good), ci, wanted, func(b *datalog.Block) {
			b.Facts = append(b.Facts, more.Facts...)
			b.Rules = append(b.Rules, more.Rules...)
		})
		expect(t, presented.Text(), wanted, token.CodeProfile)
	}
}

// An agent that is not allowed hands on to a key of its own under an allowed
// name: names in a token are claims, so the verifier states none.
func TestAgentNameClaimedByHolder(t *testing.T) {
	held := mint(t, good+`check all agent($a), $a == "agent:good";`)
	own := add(t, held, ci, `holder("agent:good");`, token.HeldBy(mallory.Public()))
	expect(t, present(t, own, mallory, rotate, nil).Text(), rotate, token.CodeCheckFailed)
}

// V7, V6: a required caveat that allows more than it seems to.
func TestRequiredCaveatsInOtherThanCanonicalForm(t *testing.T) {
	expiry := `check all time($t), $t < 2026-11-23T13:00:00Z;`
	for name, other := range map[string]string{
		"or true":               `check all time($t), $t < 2026-11-23T13:00:00Z or true;`,
		"lazy or true":          `check all time($t), $t < 2026-11-23T13:00:00Z || true;`,
		"or time":               `check all time($t), $t < 2026-11-23T13:00:00Z or time($t);`,
		"check if":              `check if time($t), $t < 2026-11-23T13:00:00Z;`,
		"less or equal":         `check all time($t), $t <= 2026-11-23T13:00:00Z;`,
		"other variable":        `check all time($x), $x < 2026-11-23T13:00:00Z;`,
		"parentheses":           `check all time($t), ($t < 2026-11-23T13:00:00Z);`,
		"another fact":          `check all clock($t), $t < 2026-11-23T13:00:00Z;`,
		"two expressions":       `check all time($t), $t < 2026-11-23T13:00:00Z, true;`,
		"trusting a third":      `check all time($t), $t < 2026-11-23T13:00:00Z trusting ` + mallory.Public().String() + `;`,
		"trusting authority":    `check all time($t), $t < 2026-11-23T13:00:00Z trusting authority;`,
		"constant against date": `check all time($t), 2026-11-23T13:00:00Z > $t;`,
		"missing":               ``,
	} {
		t.Run(name, func(t *testing.T) {
			bad := strings.Replace(good, expiry, other, 1)
			if bad == good {
				t.Fatal("nothing was replaced")
			}
			expect(t, present(t, mint(t, bad), ci, rotate, nil).Text(), rotate, token.CodeProfile)
		})
	}
	for _, required := range []string{"resource", "operation"} {
		t.Run("no "+required, func(t *testing.T) {
			var lines []string
			for line := range strings.Lines(good) {
				if !strings.Contains(line, "check all "+required) {
					lines = append(lines, line)
				}
			}
			expect(t, present(t, mint(t, strings.Join(lines, "")), ci, rotate, nil).Text(), rotate, token.CodeProfile)
		})
	}
	t.Run("operation as a set", func(t *testing.T) {
		bad := strings.Replace(good, `["read", "rotate"]`, `{"read", "rotate"}`, 1)
		expect(t, present(t, mint(t, bad), ci, rotate, nil).Text(), rotate, token.CodeProfile)
	})
}

// V6: no trust in other blocks, no functions of one service, no rules.
func TestTrustAndFunctionsInTokens(t *testing.T) {
	for name, extra := range map[string]string{
		"check trusting a key":    `check if approved($a) trusting ` + mallory.Public().String() + `;`,
		"check trusting previous": `check if delegator($d) trusting previous;`,
		"extern call":             `check if "a".extern::anything();`,
		"extern call inside":      `check if [1].any($x -> true && $x.extern::anything(2));`,
		"extern call in try_or":   `check if (1.extern::anything()).try_or(true);`,
		"rule":                    `right($r) <- resource($r);`,
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, present(t, mint(t, good+extra), ci, rotate, nil).Text(), rotate, token.CodeProfile)
			hop := add(t, mint(t, good), ci, extra, token.HeldBy(ci.Public()))
			expect(t, present(t, hop, ci, rotate, nil).Text(), rotate, token.CodeProfile)
		})
	}
	t.Run("block trusting", func(t *testing.T) {
		expect(t, present(t, mint(t, "trusting previous;"+good), ci, rotate, nil).Text(), rotate, token.CodeProfile)
		hop := add(t, mint(t, good), ci, "trusting "+mallory.Public().String()+";", token.HeldBy(ci.Public()))
		expect(t, present(t, hop, ci, rotate, nil).Text(), rotate, token.CodeProfile)
	})
}

// V3: who is named where.
func TestDelegatorAndHolderStandWhereTheyMust(t *testing.T) {
	for name, source := range map[string]string{
		"no delegator":             strings.Replace(good, `delegator("alice@example.com");`, ``, 1),
		"two delegators":           good + `delegator("bob@example.com");`,
		"empty delegator":          strings.Replace(good, "alice@example.com", "", 1),
		"no holder":                strings.Replace(good, `holder("agent:ci");`, ``, 1),
		"two holders":              good + `holder("agent:other");`,
		"control character in one": strings.Replace(good, "agent:ci", "agent:\x1b[2J", 1),
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, present(t, mint(t, source), ci, rotate, nil).Text(), rotate, token.CodeProfile)
		})
	}
	t.Run("later block", func(t *testing.T) {
		for name, hop := range map[string]token.Chain{
			"delegator":                   add(t, mint(t, good), ci, `delegator("alice@example.com"); holder("r");`, token.HeldBy(runner.Public())),
			"holder missing":              add(t, mint(t, good), ci, ``, token.HeldBy(runner.Public())),
			"holder with the same key":    add(t, mint(t, good), ci, `holder("agent:runner");`, token.HeldBy(ci.Public())),
			"two holders":                 add(t, mint(t, good), ci, `holder("a"); holder("b");`, token.HeldBy(runner.Public())),
			"holder missing, then narrow": add(t, add(t, mint(t, good), ci, ``, token.HeldBy(runner.Public())), runner, ``, token.HeldBy(runner.Public())),
		} {
			t.Run(name, func(t *testing.T) {
				holder := runner
				if hop.NextKey() == ci.Public() {
					holder = ci
				}
				expect(t, present(t, hop, holder, rotate, nil).Text(), rotate, token.CodeProfile)
			})
		}
	})
}

// V4, A3: a handoff to the invocation key is one to everybody.
func TestInvocationKeyAsHolder(t *testing.T) {
	public := token.InvocationKey().Public()
	for name, c := range map[string]token.Chain{
		"block 0 held":   mintFor(t, alice, good, token.HeldBy(public)),
		"block 0 open":   mintFor(t, alice, good, token.WithSecret(token.InvocationKey())),
		"hop held":       add(t, mint(t, good), ci, `holder("everybody");`, token.HeldBy(public)),
		"hop open":       add(t, mint(t, good), ci, `holder("everybody");`, token.WithSecret(token.InvocationKey())),
		"hop, no holder": add(t, mint(t, good), ci, ``, token.WithSecret(token.InvocationKey())),
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, c.Text(), rotate, token.CodeProfile)
			expect(t, present(t, c, token.InvocationKey(), rotate, nil).Text(), rotate, token.CodeProfile)
		})
	}
}

// V4: whoever has the published secret can append, and is refused.
func TestBlockAfterTheInvocation(t *testing.T) {
	presented := present(t, mint(t, good), ci, rotate, nil)
	for name, next := range map[string]token.Next{
		"same key": token.SameNext(presented),
		"own key":  token.HeldBy(mallory.Public()),
		"open":     token.WithSecret(mallory),
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, add(t, presented, token.InvocationKey(), `check if true;`, next).Text(), rotate, token.CodeProfile)
		})
	}
	again := present(t, presented, token.InvocationKey(), rotate, nil)
	expect(t, again.Text(), rotate, token.CodeProfile)
	sealed, err := presented.Seal(nil)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, sealed.Text(), rotate, token.CodeProfile)
}

// V4: what anybody with the bytes can use must not be blamed on an agent.
func TestBearerOfferedAsPresented(t *testing.T) {
	held := mint(t, good)
	sealed, err := held.Seal(ci)
	if err != nil {
		t.Fatal(err)
	}
	withoutHolder := strings.Replace(good, `holder("agent:ci");`, ``, 1)
	for name, c := range map[string]token.Chain{
		"sealed by the holder":       sealed,
		"holder's secret revealed":   add(t, held, ci, `holder("agent:runner");`, token.WithSecret(runner)),
		"block 0 with holder's own":  mintFor(t, alice, good, token.WithSecret(ci)),
		"bearer from block 0":        mintFor(t, alice, withoutHolder, token.WithSecret(mallory)),
		"bearer made by a holder":    add(t, held, ci, ``, token.WithSecret(mallory)),
		"bearer narrowed elsewhere":  add(t, add(t, held, ci, ``, token.WithSecret(mallory)), mallory, `check if true;`, token.WithSecret(runner)),
		"bearer narrowed afterwards": add(t, add(t, held, ci, ``, token.WithSecret(mallory)), mallory, `check if true;`, token.WithSecret(mallory)),
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, c.Text(), rotate, token.CodeNotPresented)
			allowing := verifier(t, func(o *verify.Options) { o.AllowBearer = true })
			if code := decideWith(t, allowing, c.Text(), rotate); code != "" {
				t.Errorf("bearer allowed by name: code %q", code)
			}
		})
	}
	t.Run("held", func(t *testing.T) {
		expect(t, held.Text(), rotate, token.CodeNotPresented)
		expect(t, strings.TrimPrefix(held.Text(), "whittle:"), rotate, token.CodeNotPresented)
	})
	t.Run("bearer then invoked", func(t *testing.T) {
		bearer := add(t, held, ci, ``, token.WithSecret(mallory))
		expect(t, present(t, bearer, mallory, rotate, nil).Text(), rotate, token.CodeProfile)
	})
	t.Run("no agent_key is stated for bearer", func(t *testing.T) {
		bound := mintFor(t, alice, withoutHolder+`check if agent_key($k);`, token.WithSecret(mallory))
		allowing := verifier(t, func(o *verify.Options) { o.AllowBearer = true })
		if code := decideWith(t, allowing, bound.Text(), rotate); code != token.CodeCheckFailed {
			t.Errorf("code %q", code)
		}
	})
}

// V8: one nonce and exactly the three checks.
func TestInvocationOfAnotherShape(t *testing.T) {
	drop := func(i int) func(*datalog.Block) {
		return func(b *datalog.Block) { b.Checks = append(b.Checks[:i:i], b.Checks[i+1:]...) }
	}
	replace := func(i int, source string) func(*datalog.Block) {
		return func(b *datalog.Block) { b.Checks[i] = block(t, source).Checks[0] }
	}
	for name, change := range map[string]func(*datalog.Block){
		"no nonce":          func(b *datalog.Block) { b.Facts = nil },
		"short nonce":       func(b *datalog.Block) { b.Facts[0].Terms[0] = datalog.Bytes("fifteen bytes..") },
		"nonce as text":     func(b *datalog.Block) { b.Facts[0].Terms[0] = datalog.String("sixteen bytes or") },
		"two nonces":        func(b *datalog.Block) { b.Facts = append(b.Facts, b.Facts[0]) },
		"no request":        drop(0),
		"no audience":       drop(1),
		"no window":         drop(2),
		"a fourth check":    func(b *datalog.Block) { b.Checks = append(b.Checks, block(t, `check if true`).Checks...) },
		"a check twice":     func(b *datalog.Block) { b.Checks = append(b.Checks, b.Checks[0]) },
		"another order":     func(b *datalog.Block) { b.Checks[0], b.Checks[1] = b.Checks[1], b.Checks[0] },
		"no lower bound":    replace(2, `check all time($t), $t < 2026-11-23T12:01:00Z;`),
		"no upper bound":    replace(2, `check all time($t), $t >= 2026-11-23T12:00:00Z;`),
		"window or true":    replace(2, `check all time($t), $t >= 2026-11-23T11:59:30Z && $t < 2026-11-23T12:01:00Z || true;`),
		"audience or other": replace(1, `check all audience($a), $a == "svc:certs" || true;`),
		"request if":        func(b *datalog.Block) { b.Checks[0].Kind = datalog.CheckIf },
		"a holder":          func(b *datalog.Block) { b.Facts = append(b.Facts, block(t, `holder("x")`).Facts...) },
		"trusting":          func(b *datalog.Block) { b.Scopes = []datalog.Scope{{Kind: datalog.ScopePrevious}} },
		"a rule":            func(b *datalog.Block) { b.Rules = block(t, `a($t) <- time($t)`).Rules },
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, present(t, mint(t, good), ci, rotate, change).Text(), rotate, token.CodeProfile)
		})
	}
}

// V8: limits that are limits.
func TestWindows(t *testing.T) {
	at := func(from, until time.Time) func(*datalog.Block) {
		return func(b *datalog.Block) {
			inv := delegation.Invocation{NotBefore: uint64(from.Unix()), Expires: uint64(until.Unix())}
			b.Checks[2] = inv.Content().Checks[2]
		}
	}
	for name, c := range map[string]struct {
		from, until time.Time
		want        token.Code
	}{
		"now":                 {now, now.Add(time.Minute), ""},
		"ends now":            {now.Add(-time.Minute), now, token.CodeWindow},
		"last second":         {now.Add(-time.Minute), now.Add(time.Second), ""},
		"signed ahead":        {now.Add(time.Second), now.Add(time.Minute), token.CodeWindow},
		"long past":           {now.Add(-time.Hour), now.Add(-time.Hour + time.Minute), token.CodeWindow},
		"longest":             {now.Add(-30 * time.Second), now.Add(5 * time.Minute), ""},
		"too long":            {now.Add(-30 * time.Second), now.Add(5*time.Minute + time.Second), token.CodeWindow},
		"ten years":           {now, now.AddDate(10, 0, 0), token.CodeWindow},
		"ends before it does": {now.Add(time.Minute), now, token.CodeWindow},
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, present(t, mint(t, good), ci, rotate, at(c.from, c.until)).Text(), rotate, c.want)
		})
	}
}

// V8: a token's own span.
func TestTokenLifetime(t *testing.T) {
	lifetime := func(from, until string) string {
		s := strings.Replace(good, "2026-11-23T11:59:30Z", from, 1)
		return strings.Replace(s, "2026-11-23T13:00:00Z", until, 1)
	}
	for name, c := range map[string]struct {
		source string
		want   token.Code
	}{
		"a day":                            {lifetime("2026-11-22T12:30:00Z", "2026-11-23T12:30:00Z"), ""},
		"longer than a day":                {lifetime("2026-11-22T12:30:00Z", "2026-11-23T12:30:31Z"), token.CodeWindow},
		"ten years, in its last hour":      {lifetime("2016-11-23T12:30:00Z", "2026-11-23T12:30:00Z"), token.CodeWindow},
		"no lower bound":                   {strings.Replace(good, "check all time($t), $t >= 2026-11-23T11:59:30Z;", "", 1), token.CodeWindow},
		"not yet":                          {lifetime("2026-11-23T12:00:01Z", "2026-11-23T13:00:00Z"), token.CodeWindow},
		"expired":                          {lifetime("2026-11-23T11:00:00Z", "2026-11-23T12:00:00Z"), token.CodeExpired},
		"last second":                      {lifetime("2026-11-23T11:00:00Z", "2026-11-23T12:00:01Z"), ""},
		"narrowed by a second, then later": {good + `check all time($t), $t < 2026-11-23T12:00:00Z;`, token.CodeExpired},
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, present(t, mint(t, c.source), ci, rotate, nil).Text(), rotate, c.want)
		})
	}
	t.Run("expired by a hop", func(t *testing.T) {
		hop := add(t, mint(t, good), ci, `check all time($t), $t < 2026-11-23T11:59:59Z;`, token.HeldBy(ci.Public()))
		expect(t, present(t, hop, ci, rotate, nil).Text(), rotate, token.CodeExpired)
	})
	t.Run("a child cannot lengthen it", func(t *testing.T) {
		short := strings.Replace(good, "2026-11-23T13:00:00Z", "2026-11-23T12:00:00Z", 1)
		hop := add(t, mint(t, short), ci, `check all time($t), $t < 2026-11-23T20:00:00Z;`, token.HeldBy(ci.Public()))
		expect(t, present(t, hop, ci, rotate, nil).Text(), rotate, token.CodeExpired)
	})
	t.Run("a longer maximum", func(t *testing.T) {
		long := present(t, mint(t, lifetime("2026-11-20T12:00:00Z", "2026-11-24T12:00:00Z")), ci, rotate, nil)
		v := verifier(t, func(o *verify.Options) { o.MaxTTL = 7 * 24 * time.Hour })
		if code := decideWith(t, v, long.Text(), rotate); code != "" {
			t.Errorf("code %q", code)
		}
	})
}

// The invocation is for this request and no other.
func TestInvocationForAnotherRequest(t *testing.T) {
	text := present(t, mint(t, good), ci, rotate, nil).Text()
	for name, c := range map[string]struct {
		change func(*delegation.Request)
		want   token.Code
	}{
		"operation":         {func(r *delegation.Request) { r.Operation = "read" }, token.CodeCheckFailed},
		"resource":          {func(r *delegation.Request) { r.Resource = "payments/web" }, token.CodeCheckFailed},
		"second resource":   {func(r *delegation.Request) { r.Resource = ""; r.Resources = []string{"payments/api", "payments/web"} }, token.CodeCheckFailed},
		"argument":          {func(r *delegation.Request) { r.Args = map[string]any{"days": 31, "reason": "expiring"} }, token.CodeCheckFailed},
		"argument as text":  {func(r *delegation.Request) { r.Args = map[string]any{"days": "30", "reason": "expiring"} }, token.CodeCheckFailed},
		"argument as float": {func(r *delegation.Request) { r.Args = map[string]any{"days": 30.0, "reason": "expiring"} }, token.CodeCheckFailed},
		"argument missing":  {func(r *delegation.Request) { r.Args = map[string]any{"days": 30} }, token.CodeCheckFailed},
		"argument more":     {func(r *delegation.Request) { r.Args = map[string]any{"days": 30, "reason": "expiring", "x": nil} }, token.CodeCheckFailed},
		"body":              {func(r *delegation.Request) { r.BodyDigest = []byte{} }, token.CodeCheckFailed},
		"audience":          {func(r *delegation.Request) { r.Audience = "svc:other" }, token.CodeAudience},
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, text, request(c.change), c.want)
		})
	}
	t.Run("another service", func(t *testing.T) {
		other := request(func(r *delegation.Request) { r.Audience = "svc:other" })
		text := present(t, mint(t, good), ci, other, nil).Text()
		expect(t, text, rotate, token.CodeAudience)
	})
	t.Run("one resource in, one out", func(t *testing.T) {
		both := request(func(r *delegation.Request) { r.Resource = ""; r.Resources = []string{"payments/api", "salaries"} })
		expect(t, present(t, mint(t, good), ci, both, nil).Text(), both, token.CodeCheckFailed)
	})
	t.Run("beyond the caveats", func(t *testing.T) {
		for _, req := range []delegation.Request{
			request(func(r *delegation.Request) { r.Operation = "delete" }),
			request(func(r *delegation.Request) { r.Resource = "salaries" }),
			request(func(r *delegation.Request) { r.Resource = "paymentsx" }),
		} {
			expect(t, present(t, mint(t, good), ci, req, nil).Text(), req, token.CodeCheckFailed)
		}
	})
}

// A1 and the prefix hash: what a victim signed for one token is worth nothing on
// another, though the keys are the same.
func TestInvocationMovedToAnotherToken(t *testing.T) {
	narrow := mint(t, strings.Replace(good, `["read", "rotate"]`, `["rotate"]`, 1))
	wide := mint(t, good)
	blocks, proof := wireBlocks(t, present(t, narrow, ci, rotate, nil).Bytes())
	wideBlocks, _ := wireBlocks(t, wide.Bytes())
	blocks[0] = wideBlocks[0]
	expect(t, wireToken(blocks, proof), rotate, token.CodeSignature)
}

// Blocks left out, exchanged, or signed by somebody else.
func TestChainsTakenApart(t *testing.T) {
	held := mint(t, good)
	handed := add(t, held, ci, `holder("agent:runner"); check all operation($o), ["read"].contains($o);`, token.HeldBy(runner.Public()))
	read := request(func(r *delegation.Request) { r.Operation = "read" })
	blocks, proof := wireBlocks(t, present(t, handed, runner, read, nil).Bytes())
	if wireToken(blocks, proof) != present(t, handed, runner, read, nil).Text() {
		t.Fatal("taking apart and putting together changes the token")
	}
	expect(t, wireToken(blocks, proof), read, "")

	expect(t, wireToken([][]byte{blocks[0], blocks[2]}, proof), read, token.CodeSignature)            // a dropped block
	expect(t, wireToken([][]byte{blocks[0], blocks[2], blocks[1]}, proof), read, token.CodeSignature) // reordered
	expect(t, wireToken([][]byte{blocks[1], blocks[2]}, proof), read, token.CodeUntrustedRoot)        // a hop promoted
	expect(t, wireToken([][]byte{blocks[0], blocks[1], blocks[1], blocks[2]}, proof), read, token.CodeSignature)
	expect(t, wireToken(blocks[:2], proof), read, token.CodeSignature) // the invocation cut off

	forged, err := token.Mint(mallory, block(t, good), token.HeldBy(ci.Public()), nil)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, present(t, forged, ci, rotate, nil).Text(), rotate, token.CodeUntrustedRoot)

	// A hop that Mallory signed with a key that is not the holder's.
	own := mintFor(t, alice, good, token.HeldBy(mallory.Public()))
	hop := add(t, own, mallory, `holder("agent:runner");`, token.HeldBy(runner.Public()))
	hopBlocks, proof := wireBlocks(t, present(t, hop, runner, rotate, nil).Bytes())
	expect(t, wireToken([][]byte{blocks[0], hopBlocks[1], hopBlocks[2]}, proof), rotate, token.CodeSignature)
}

// The invocation signed by a key that is not the holder's.
func TestInvocationByAnotherKey(t *testing.T) {
	own := mintFor(t, alice, good, token.HeldBy(mallory.Public()))
	stolen, proof := wireBlocks(t, present(t, own, mallory, rotate, nil).Bytes())
	blocks, _ := wireBlocks(t, mint(t, good).Bytes())
	expect(t, wireToken([][]byte{blocks[0], stolen[1]}, proof), rotate, token.CodeSignature)
}

// V9: a third party's block that is no approval.
func TestThirdPartyBlocks(t *testing.T) {
	held := mint(t, good)
	for _, source := range []string{`operation("pay");`, `check if true;`, `holder("x");`, `approved(hex:00);`, ``} {
		contents, err := token.SignThirdParty(held.Request(), mallory, block(t, source))
		if err != nil {
			t.Fatal(err)
		}
		for _, next := range []token.Next{token.SameNext(held), token.HeldBy(runner.Public())} {
			c, err := held.AppendThirdParty(ci, contents, next)
			if err != nil {
				t.Fatal(err)
			}
			holder := ci
			if c.NextKey() == runner.Public() {
				holder = runner
			}
			expect(t, present(t, c, holder, rotate, nil).Text(), rotate, token.CodeProfile)
		}
	}
	// As the invocation itself.
	inv := invocation(t, held, rotate).Content()
	contents, err := token.SignThirdParty(held.Request(), mallory, inv)
	if err != nil {
		t.Fatal(err)
	}
	c, err := held.AppendThirdParty(ci, contents, token.WithSecret(token.InvocationKey()))
	if err != nil {
		t.Fatal(err)
	}
	expect(t, c.Text(), rotate, token.CodeProfile)
}

// V2: who may speak for whom.
func TestRootsAndDelegators(t *testing.T) {
	text := present(t, mint(t, good), ci, rotate, nil).Text()
	for name, c := range map[string]struct {
		line string
		want token.Code
	}{
		"herself":             {trustLine("alice@example.com", alice), ""},
		"her domain":          {trustLine("*@example.com", alice), ""},
		"another":             {trustLine("bob@example.com", alice), token.CodeUntrustedRoot},
		"another domain":      {trustLine("*@example.org", alice), token.CodeUntrustedRoot},
		"a longer domain":     {trustLine("*@xexample.com", alice), token.CodeUntrustedRoot},
		"another key":         {trustLine("alice@example.com", mallory), token.CodeUntrustedRoot},
		"no namespace":        {"alice@example.com " + alice.Public().AuthorizedKey(""), token.CodeUntrustedRoot},
		"git's namespace":     {`alice@example.com namespaces="git" ` + alice.Public().AuthorizedKey(""), token.CodeUntrustedRoot},
		"not yet":             {`alice@example.com namespaces="whittle",valid-after="20261123120001Z" ` + alice.Public().AuthorizedKey(""), token.CodeUntrustedRoot},
		"no longer":           {`alice@example.com namespaces="whittle",valid-before="20261123115959Z" ` + alice.Public().AuthorizedKey(""), token.CodeUntrustedRoot},
		"the agent's own key": {trustLine("alice@example.com", ci), token.CodeUntrustedRoot},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := verify.New("svc:certs", roots(t, c.line), &verify.Options{Now: func() time.Time { return now }, Replay: firstStart(t)})
			if err != nil {
				t.Fatal(err)
			}
			if got := decideWith(t, v, text, rotate); got != c.want {
				t.Errorf("code %q, want %q", got, c.want)
			}
		})
	}
	t.Run("delegator in another spelling", func(t *testing.T) {
		for _, name := range []string{"alice@Example.com", "alice@example.com ", "*@example.com", "a,b@example.com", "alice@exämple.com"} {
			c := present(t, mint(t, strings.Replace(good, "alice@example.com", name, 1)), ci, rotate, nil)
			if code := decide(t, c.Text(), rotate); code != token.CodeUntrustedRoot && code != token.CodeProfile {
				t.Errorf("delegator %q: code %q", name, code)
			}
		}
	})
}

// V2: an unknown root costs a bounded number of signature checks.
func TestManyRoots(t *testing.T) {
	lines := make([]string, 0, 20)
	for i := range 20 {
		lines = append(lines, trustLine("alice@example.com", key(strings.Repeat("x", i+1))))
	}
	lines = append(lines, trustLine("alice@example.com", alice))
	v, err := verify.New("svc:certs", roots(t, lines...), &verify.Options{Now: func() time.Time { return now }, Replay: firstStart(t)})
	if err != nil {
		t.Fatal(err)
	}
	// Without a hint, the ninth key and those after it are not tried.
	if code := decideWith(t, v, present(t, mint(t, good), ci, rotate, nil).Text(), rotate); code != token.CodeUntrustedRoot {
		t.Errorf("without a hint: code %q", code)
	}
	// With one, the right key comes first.
	if code := decideWith(t, v, mintHinted(t), rotate); code != "" {
		t.Errorf("with a hint: code %q", code)
	}
}

func mintHinted(t *testing.T) string {
	id := trust.RootKeyID(alice.Public())
	c, err := token.Mint(alice, block(t, good), token.HeldBy(ci.Public()), &token.MintOptions{RootKeyID: &id})
	if err != nil {
		t.Fatal(err)
	}
	return present(t, c, ci, rotate, nil).Text()
}
