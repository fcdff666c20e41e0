package interop_test

import (
	"context"
	"fmt"
	"math/rand/v2"
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

// TestApprovedChains: the reference counts approvals as we do. Among the chains are
// all choices of approvers out of three where two are needed.
func TestApprovedChains(t *testing.T) {
	o := interop.Start(t)
	random := rand.New(rand.NewPCG(9, 9))
	counts := map[bool]int{}
	for i := range 64 {
		need, n, chosen := 2, 3, i
		if i >= 8 {
			n = 1 + random.IntN(5)
			need, chosen = 1+random.IntN(n), random.IntN(1<<n)
		}
		t.Run(fmt.Sprintf("%d of %d, %b", need, n, chosen), func(t *testing.T) {
			root := newKey(t, i%2)
			c, holder, req := approvedChain(t, random, root, need, n, chosen)
			presented, err := attenuate.InvokeAt(c, holder, req, now.Add(-delegation.Skew), now.Add(attenuate.Window))
			if err != nil {
				t.Fatal(err)
			}
			roots, err := trust.Parse([]byte(`alice@example.com namespaces="whittle" ` + root.Public().AuthorizedKey("")))
			if err != nil {
				t.Fatal(err)
			}
			v, err := verify.New("svc:certs", roots, &verify.Options{Now: func() time.Time { return now }, AllowReplay: true})
			if err != nil {
				t.Fatal(err)
			}
			_, denied := v.Verify(context.Background(), presented.Text(), req)
			if denied != nil && verify.CodeOf(denied) != token.CodeCheckFailed {
				t.Fatal(denied)
			}
			theirs, err := o.Authorize(interop.Authorize{Token: presented.Bytes(), RootPublic: root.Public().String(), Authorizer: stated(t, presented, req)})
			if err != nil {
				t.Fatal(err)
			}
			if allowed := theirs.Result.Class == interop.Allowed; allowed != (denied == nil) {
				t.Errorf("we say %v, the reference %s", denied, theirs.Result.JSON)
			}
			counts[denied == nil]++
		})
	}
	if counts[true] < 16 || counts[false] < 16 {
		t.Errorf("%d allowed and %d denied: too few of one", counts[true], counts[false])
	}
}

// approvedChain demands approval by some of n people and has that of those chosen,
// each with a hop after it now and then.
func approvedChain(t *testing.T, random *rand.Rand, root token.PrivateKey, need, n, chosen int) (token.Chain, token.PrivateKey, delegation.Request) {
	t.Helper()
	holder := newKey(t, random.IntN(2))
	var people []token.PrivateKey
	var keys []token.PublicKey
	for range n {
		k := newKey(t, random.IntN(2))
		people, keys = append(people, k), append(keys, k.Public())
	}
	demanded, err := delegation.Approvals(need, keys...)
	if err != nil {
		t.Fatal(err)
	}
	minted, err := attenuate.Mint(root, attenuate.Grant{
		Delegator: "alice@example.com", Agent: "agent:0", AgentKey: holder.Public(), TTL: time.Hour, Now: now,
	}, append(demanded, delegation.Resource("a/**"), delegation.Operation("pay"))...)
	if err != nil {
		t.Fatal(err)
	}
	var c token.Chain = minted
	req := delegation.Request{Operation: "pay", Resource: "a/x", Audience: "svc:certs", Args: map[string]any{"amount": 100}}
	roots, err := trust.Parse([]byte(`alice@example.com namespaces="whittle" ` + root.Public().AuthorizedKey("")))
	if err != nil {
		t.Fatal(err)
	}
	at := &attenuate.ApprovalOptions{Now: now}
	for i, person := range people {
		if chosen>>i&1 == 0 {
			continue
		}
		asked, err := attenuate.RequestApproval(c, req)
		if err != nil {
			t.Fatal(err)
		}
		reviewed, err := attenuate.Review(asked, roots, person.Public(), at)
		if err != nil {
			t.Fatal(err)
		}
		approval, err := reviewed.Approve(person)
		if err != nil {
			t.Fatal(err)
		}
		if c, err = attenuate.Attach(c, holder, approval, at); err != nil {
			t.Fatal(err)
		}
		if random.IntN(3) == 0 {
			next := newKey(t, random.IntN(2))
			if c, err = attenuate.Handoff(c, holder, "agent:next", next.Public()); err != nil {
				t.Fatal(err)
			}
			holder = next
		}
	}
	return c, holder, req
}

func newKey(t *testing.T, alg int) token.PrivateKey {
	t.Helper()
	k, err := token.GenerateKey(datalog.Algorithm(alg))
	if err != nil {
		t.Fatal(err)
	}
	return k
}
