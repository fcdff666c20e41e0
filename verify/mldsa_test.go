package verify_test

import (
	"context"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify"
)

// rooted is a token from a root of some algorithm, handed on twice between agents
// with Ed25519 keys and invoked.
type rooted struct {
	root      token.PrivateKey
	holder    token.PublicKey
	minted    *token.Token
	presented token.Chain
	request   delegation.Request
	now       time.Time
}

func rootedIn(t testing.TB, alg datalog.Algorithm) *rooted {
	t.Helper()
	key := func(alg datalog.Algorithm) token.PrivateKey {
		k, err := token.GenerateKey(alg)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	r := &rooted{root: key(alg), now: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)}
	ci, runner, tester := key(datalog.Ed25519), key(datalog.Ed25519), key(datalog.Ed25519)
	r.holder = ci.Public()
	r.request = delegation.Request{Operation: "rotate", Resources: []string{"payments/certs/api"}, Audience: "svc:certs"}
	var err error
	if r.minted, err = r.mint(); err != nil {
		t.Fatal(err)
	}
	c, err := attenuate.Handoff(r.minted, ci, "agent:runner", runner.Public())
	if err == nil {
		c, err = attenuate.Handoff(c, runner, "agent:tester", tester.Public())
	}
	if err == nil {
		r.presented, err = attenuate.InvokeAt(c, tester, r.request, r.now, r.now.Add(time.Minute))
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rooted) mint() (*token.Token, error) {
	return attenuate.Mint(r.root,
		attenuate.Grant{Delegator: "alice@example.com", Agent: "agent:ci", AgentKey: r.holder, TTL: time.Hour, Now: r.now},
		delegation.Resource("payments/certs/api"), delegation.Operation("rotate"))
}

func (r *rooted) verifier(t testing.TB, memory int) *verify.Verifier {
	t.Helper()
	roots, err := trust.Parse([]byte(`alice@example.com namespaces="whittle" ` + r.root.Public().AuthorizedKey("")))
	if err != nil {
		t.Fatal(err)
	}
	v, err := verify.New("svc:certs", roots, &verify.Options{Now: func() time.Time { return r.now }, AllowReplay: true, Memory: memory})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestMLDSATokensFit: with two handoffs and an invocation a post-quantum token stays
// within the 8 KiB that servers leave for all headers of a request, and far within what
// is read.
func TestMLDSATokensFit(t *testing.T) {
	for alg, most := range map[datalog.Algorithm]int{datalog.Ed25519: 1536, datalog.Secp256r1: 1536, datalog.MLDSA44: 5 << 10, datalog.MLDSA65: 6 << 10} {
		r := rootedIn(t, alg)
		if n := len(r.presented.Text()); n > most {
			t.Errorf("%s: the token has %d bytes of text, more than %d", alg, n, most)
		}
		d, err := r.verifier(t, 0).Verify(context.Background(), r.presented.Text(), r.request)
		if err != nil || len(d.Chain) != 3 {
			t.Errorf("%s: %v", alg, err)
		}
	}
}

// BenchmarkRoots has the figures of spec/algorithms.md.
func BenchmarkRoots(b *testing.B) {
	for _, alg := range []datalog.Algorithm{datalog.Ed25519, datalog.Secp256r1, datalog.MLDSA44, datalog.MLDSA65} {
		r := rootedIn(b, alg)
		b.Run(alg.String()+"/mint", func(b *testing.B) {
			for b.Loop() {
				if _, err := r.mint(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(r.minted.Bytes())), "token-bytes")
		})
		for name, memory := range map[string]int{"first": -1, "known": 0} {
			v, text := r.verifier(b, memory), r.presented.Text()
			b.Run(alg.String()+"/verify-"+name, func(b *testing.B) {
				for b.Loop() {
					if _, err := v.Verify(context.Background(), text, r.request); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(len(r.presented.Bytes())), "token-bytes")
			})
		}
	}
}
