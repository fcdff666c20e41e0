package verify_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
)

// plainly is what the tokens of the benchmarks are used for.
var plainly = delegation.Request{Operation: "rotate", Resource: "payments/certs/api", Audience: "svc:certs"}

// handedOn is a token that was signed so many times: minted, and handed on, narrowed by
// the second and the third hop.
func handedOn(t tester, hops int) (token.Chain, token.PrivateKey) {
	t.Helper()
	c, holder := mint(t, good), ci
	for hop := 2; hop <= hops; hop++ {
		next := key(fmt.Sprint("hop ", hop))
		source := fmt.Sprintf("holder(\"agent:%d\");", hop)
		switch hop {
		case 2:
			source += `check all resource($r), $r == "payments/certs" || $r.starts_with("payments/certs/");`
		case 3:
			source += `check all resource($r), $r == "payments/certs/api";`
		}
		c = add(t, c, holder, source, token.HeldBy(next.Public()))
		holder = next
	}
	return c, holder
}

// hopsBenchmark verifies one token again and again.
func hopsBenchmark(b *testing.B, change func(*verify.Options), present func(token.Chain, token.PrivateKey) string, s verify.State) {
	for _, hops := range []int{1, 3, 5, 10} {
		b.Run(fmt.Sprint(hops), func(b *testing.B) {
			v := verifier(b, func(o *verify.Options) { o.AllowReplay, o.MaxDepth = true, 16; change(o) })
			text := present(handedOn(b, hops))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.VerifyWith(context.Background(), text, plainly, s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// plainInvocation is a token for the request, plainly.
func plainInvocation(t tester) func(token.Chain, token.PrivateKey) string {
	return func(c token.Chain, holder token.PrivateKey) string { return present(t, c, holder, plainly, nil).Text() }
}

// onConnection is a token for one connection.
func onConnection(t tester, channel delegation.Channel) func(token.Chain, token.PrivateKey) string {
	return func(c token.Chain, holder token.PrivateKey) string {
		s, err := attenuate.InvokeSessionAt(c, holder, "svc:certs", channel, now.Add(-delegation.Skew), now.Add(attenuate.SessionWindow))
		if err != nil {
			t.Fatal(err)
		}
		return s.Text()
	}
}

// BenchmarkCold verifies a chain that is new to a verifier without memory.
func BenchmarkCold(b *testing.B) {
	hopsBenchmark(b, func(o *verify.Options) { o.Memory = -1 }, plainInvocation(b), verify.State{})
}

// BenchmarkKnown verifies invocations of a known chain.
func BenchmarkKnown(b *testing.B) {
	hopsBenchmark(b, func(*verify.Options) {}, plainInvocation(b), verify.State{})
}

// BenchmarkSession verifies requests on a connection to which a token is bound.
func BenchmarkSession(b *testing.B) {
	hopsBenchmark(b, func(*verify.Options) {}, onConnection(b, exporter(1)), on(exporter(1)))
}
