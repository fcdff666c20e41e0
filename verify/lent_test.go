package verify_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify"
)

// outcome is all that a decision says.
func outcome(t tester, v *verify.Verifier, text string, req delegation.Request, s verify.State) string {
	t.Helper()
	d, err := v.VerifyWith(context.Background(), text, req, s)
	data, failed := json.Marshal(d)
	if failed != nil {
		t.Fatal(failed)
	}
	if _, ok := errors.AsType[*verify.Denied](err); !ok && err != nil {
		return string(data) + err.Error()
	}
	return string(data)
}

// TestDecisionsDoNotDependOnHistory: whatever a verifier has decided before, of the same
// tokens or of others, it decides as a new one does.
func TestDecisionsDoNotDependOnHistory(t *testing.T) {
	type hearing struct {
		text  string
		req   delegation.Request
		state verify.State
		fresh string
	}
	withArgs := request(func(r *delegation.Request) {
		r.Args = map[string]any{"ticket": map[string]any{"id": 7}, "ip": "10.1.2.3"}
	})
	two := request(func(r *delegation.Request) { r.Resource, r.Resources = "", []string{"payments/a", "payments/b"} })
	deleting := request(func(r *delegation.Request) { r.Operation = "delete" })
	beyond := request(func(r *delegation.Request) { r.Resource = "wages" })
	open := verify.State{Context: map[string]any{"ticket": "T-1"}, Facts: []datalog.Predicate{{Name: "shift", Terms: []datalog.Term{datalog.Integer(1)}}}}

	chains := []token.Chain{
		mint(t, good),
		mint(t, good+`check if arg("days", 30);`),
		mint(t, good+`check if context("ticket", "T-1");`),
		mint(t, good+`check if shift(1);`),
		mint(t, good+`check all arg("/ticket/id", $v), $v == 7; check all arg_ip("ip", $b), $b.starts_with("4:00001010");`),
		mint(t, good+`check if request($q); reject if action(hex:0000000000000000000000000000000000000000000000000000000000000000);`),
		add(t, mint(t, good), ci, `check if resource("payments/b");`, token.SameNext(mint(t, good))),
	}
	var hearings []hearing
	for _, c := range chains {
		for _, req := range []delegation.Request{rotate, withArgs, two, deleting, beyond} {
			for _, s := range []verify.State{{}, open, on(exporter(1)), on(exporter(2))} {
				texts := []string{present(t, c, ci, req, nil).Text(), session(t, c, exporter(1))}
				for _, text := range texts {
					hearings = append(hearings, hearing{text, req, s, outcome(t, verifier(t, forgetful), text, req, s)})
				}
			}
		}
		for _, text := range []string{c.Text(), c.Text() + "A", "whittle:" + present(t, c, ci, rotate, nil).Text()} {
			hearings = append(hearings, hearing{text, rotate, verify.State{}, outcome(t, verifier(t, forgetful), text, rotate, verify.State{})})
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		v := verifier(t, func(o *verify.Options) {
			o.AllowReplay, o.Memory = true, rapid.SampledFrom([]int{-1, 96 << 10, 0}).Draw(t, "memory")
		})
		for range 64 {
			h := hearings[rapid.IntRange(0, len(hearings)-1).Draw(t, "hearing")]
			if got := outcome(t, v, h.text, h.req, h.state); got != h.fresh {
				t.Fatalf("decided\n%s\na new verifier decides\n%s", got, h.fresh)
			}
		}
	})
}

// TestKnownByEveryByte: a token that ends in the signature of a known chain, and differs
// from it elsewhere, is nothing known.
func TestKnownByEveryByte(t *testing.T) {
	c := add(t, mint(t, good), ci, `holder("agent:runner");`, token.HeldBy(runner.Public()))
	good := present(t, c, runner, rotate, nil)
	known := verifier(t, forgetful)
	for range 2 {
		if code := decideWith(t, known, good.Text(), rotate); code != "" {
			t.Fatal(code)
		}
	}
	for block := range 3 {
		blocks, proof := wireBlocks(t, withoutHint(t, good))
		blocks[block][20] ^= 1 // within the payload
		text := wireToken(blocks, proof)
		want := outcome(t, verifier(t, forgetful), text, rotate, verify.State{})
		if got := outcome(t, known, text, rotate, verify.State{}); got != want {
			t.Errorf("block %d:\n%s\na new verifier decides\n%s", block, got, want)
		}
	}
}

// TestSessionsAreForgotten: the texts of sessions go with what is known of them.
func TestSessionsAreForgotten(t *testing.T) {
	v := verifier(t, func(o *verify.Options) { o.Memory = 256 << 10 })
	for i := range 100 {
		holder := key(fmt.Sprint("agent ", i))
		c := add(t, mint(t, good), ci, `holder("agent");`, token.HeldBy(holder.Public()))
		text := onConnection(t, exporter(1))(c, holder)
		for range 2 {
			if code := decideGiven(t, v, text, rotate, on(exporter(1))); code != "" {
				t.Fatal(code)
			}
		}
	}
	if n, s := v.Sessions(), v.MemoryStats(); n == 0 || n > s.Chains || s.Chains == 100 {
		t.Errorf("%d sessions of %d chains", n, s.Chains)
	}
}

// TestActionIsStatedToWhoAsks: the digest of the action is there for a policy and for a
// block that speak of it.
func TestActionIsStatedToWhoAsks(t *testing.T) {
	checked, err := rotate.Check()
	if err != nil {
		t.Fatal(err)
	}
	action, err := checked.ActionDigest()
	if err != nil {
		t.Fatal(err)
	}
	is := `action($a), $a == hex:` + hex.EncodeToString(action[:])
	policy, err := datalog.ParseAuthorizer(`asked($a) <- `+is+`; allow if asked($a);`, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		policy *datalog.Authorizer
		source string
	}{
		"nobody asks": {nil, good},
		"the policy":  {policy, good},
		"a block":     {nil, good + `check if ` + is + `;`},
		"both":        {policy, good + `check if ` + is + `;`},
	} {
		v := verifier(t, func(o *verify.Options) { o.AllowReplay, o.Policy = true, c.policy })
		text := present(t, mint(t, c.source), ci, rotate, nil).Text()
		for range 2 {
			d, err := v.Verify(context.Background(), text, rotate)
			if err != nil || d.Action() != action {
				t.Errorf("%s: %v, action %x", name, err, d.Action())
			}
		}
	}
}

// TestWarmDecisionsTakeLittleMemory: how often a decision asks for memory, which is what
// most of its time beside the signature depends on.
func TestWarmDecisionsTakeLittleMemory(t *testing.T) {
	if underRace {
		t.Skip("the race detector makes pools forget")
	}
	c, holder := handedOn(t, 3)
	for name, w := range map[string]struct {
		text  string
		state verify.State
		most  float64
	}{
		"session":        {onConnection(t, exporter(1))(c, holder), on(exporter(1)), 7},
		"new invocation": {plainInvocation(t)(c, holder), verify.State{}, 62},
	} {
		v := verifier(t, forgetful)
		got := testing.AllocsPerRun(100, func() {
			if code := decideGiven(t, v, w.text, plainly, w.state); code != "" {
				t.Fatal(code)
			}
		})
		if got > w.most {
			t.Errorf("%s: %v allocations, at most %v are in order", name, got, w.most)
		}
	}
}

// sometimes is a directory that is there when it is asked to be.
type sometimes struct{ directory *trust.Directory }

func (s *sometimes) Directory() *trust.Directory { return s.directory }

// TestNamesAreOfTheMoment: the names that a directory has for holders are those of one
// decision, though decisions share the list of holders.
func TestNamesAreOfTheMoment(t *testing.T) {
	known := directory(t, agentLine("agent:known", "", ci))
	source := new(sometimes)
	v := verifier(t, func(o *verify.Options) { o.AllowReplay, o.Directory = true, source })
	text := present(t, mint(t, good), ci, rotate, nil).Text()
	for _, now := range []*trust.Directory{nil, nil, known, nil, known} {
		source.directory = now
		d, err := v.Verify(context.Background(), text, rotate)
		if err != nil {
			t.Fatal(err)
		}
		want := ""
		if now != nil {
			want = "agent:known"
		}
		if d.Chain[0].Agent != want || d.Agent != want {
			t.Errorf("the holder is %q, presented by %q, want %q", d.Chain[0].Agent, d.Agent, want)
		}
	}
}
