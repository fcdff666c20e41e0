package verify_test

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/vectors"
	"github.com/whittle-auth/whittle/verify"
)

func explain(t tester, text string, req delegation.Request) *verify.Explanation {
	t.Helper()
	return verifier(t, nil).Explain(context.Background(), text, req, verify.Supposition{})
}

// against lists where the reasons stand and what they are about.
func against(e *verify.Explanation) []string {
	var texts []string
	for _, r := range e.Against {
		texts = append(texts, strings.Join([]string{string(r.Code), r.Hop, r.Asked, r.Allowed}, "|"))
	}
	return texts
}

// TestExplainSaysTheCodeOfVerify: whatever a vector is about, the explanation says
// what the verifier answers, and finds something against exactly what is denied, but
// for held tokens, of which it supposes the invocation.
func TestExplainSaysTheCodeOfVerify(t *testing.T) {
	cases, err := vectors.Delegation()
	if err != nil {
		t.Fatal(err)
	}
	supposed := 0
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			roots, err := trust.Parse([]byte(c.Trust))
			if err != nil {
				t.Fatal(err)
			}
			req := delegation.Request{Operation: c.Request.Operation, Resources: c.Request.Resources, Args: c.Request.Args}
			o := &verify.Options{AllowBearer: c.AllowBearer, AllowReplay: true, Now: func() time.Time { return c.Now }}
			v, err := verify.New(c.Service, roots, o)
			if err != nil {
				t.Fatal(err)
			}
			d, _ := v.Verify(context.Background(), c.Token, req)
			e := v.Explain(context.Background(), c.Token, req, verify.Supposition{})
			if e.Code != d.Code {
				t.Errorf("explained as %q, denied as %q", e.Code, d.Code)
			}
			if e.Supposed {
				supposed++
				if e.Code != token.CodeNotPresented {
					t.Errorf("supposed, and the code is %q", e.Code)
				}
				return
			}
			if (len(e.Against) == 0) != d.Allowed {
				t.Errorf("allowed is %v, against it: %v", d.Allowed, e.Against)
			}
			if !d.Allowed && (e.Against[0].Block != d.Reasons[0].Block || e.Against[0].Message != d.Reasons[0].Message) {
				t.Errorf("explained first as %v, denied as %v", e.Against[0], d.Reasons[0])
			}
		})
	}
	if supposed == 0 {
		t.Error("no vector is held")
	}
}

// TestExplainGoesOn: all that is against a request, each thing once.
func TestExplainGoesOn(t *testing.T) {
	held := add(t, mint(t, good), ci, `holder("agent:runner"); check all arg("days", $v), $v == 7; check if context("ticket", "T-1");`, token.HeldBy(runner.Public()))
	req := request(func(r *delegation.Request) { r.Operation, r.Resource = "delete", "users/x" })
	want := []string{
		"check_failed|alice@example.com|resource \"users/x\"|payments/**",
		"check_failed|alice@example.com|operation \"delete\"|read or rotate",
		"check_failed|agent:ci|days 30|7",
		`check_failed|agent:ci|no context "ticket"|check if context("ticket", "T-1")`,
	}
	for name, text := range map[string]string{
		"held":      held.Text(),
		"presented": present(t, held, runner, req, nil).Text(),
	} {
		e := explain(t, text, req)
		if got := against(e); !slices.Equal(got, want) {
			t.Errorf("%s: against it are\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if e.Supposed != (name == "held") || e.Outcome() != "would_be_denied" {
			t.Errorf("%s: supposed %v, %s", name, e.Supposed, e.Outcome())
		}
	}

	// Another request than the one invoked, at another service, too late: the engine
	// finds the same again, and it is said once.
	other := request(func(r *delegation.Request) { r.Audience = "svc:other" })
	text := present(t, mint(t, good), ci, other, nil).Text()
	late := verify.Supposition{At: now.Add(2 * time.Hour)}
	e := verifier(t, nil).Explain(context.Background(), text, rotate, late)
	var codes []string
	for _, r := range e.Against {
		codes = append(codes, string(r.Code))
		if r.Check == "" {
			t.Errorf("%v names no check", r)
		}
	}
	if want := []string{"expired", "audience", "window", "check_failed"}; !slices.Equal(codes, want) || e.Code != token.CodeExpired {
		t.Errorf("against it are %v, code %q, want %v", e.Against, e.Code, want)
	}
}

// TestExplainMarksChecks: the marks are those of the engine.
func TestExplainMarksChecks(t *testing.T) {
	held := add(t, mint(t, good), ci, `check all arg("days", $d), $d == 7; check all arg("days", $d), $d == 30;`, token.SameNext(mint(t, good)))
	e := explain(t, held.Text(), rotate)
	var results []verify.CheckResult
	for _, c := range e.Hops[1].Checks {
		results = append(results, c.Result)
	}
	if want := []verify.CheckResult{verify.Fails, verify.Holds}; !slices.Equal(results, want) {
		t.Errorf("%v, want %v", results, want)
	}
	if len(e.Hops) != 2 || e.Hops[1].Kind != verify.HopNarrow || e.Hops[0].Kind != verify.HopMint || e.Hops[1].By != "agent:ci" {
		t.Errorf("%+v", e.Hops)
	}
	broken := add(t, mint(t, good), ci, `check all arg("days", $v), $v == 7; check if 1 / 0 == 1; check all arg("days", $v), $v == 30;`, token.SameNext(mint(t, good)))
	e = explain(t, broken.Text(), rotate)
	if len(e.Against) != 2 || e.Against[0].Code != token.CodeEvaluation || e.Against[1].Asked != "days 30" ||
		e.Hops[1].Checks[0].Result != verify.Fails || e.Hops[1].Checks[2].Result != verify.Untried {
		t.Errorf("%v, %v", e.Against, e.Hops[1].Checks)
	}
}

// TestExplainLeavesNoTrace: neither the memory of invocations nor the clock changes.
func TestExplainLeavesNoTrace(t *testing.T) {
	text := present(t, mint(t, good), ci, rotate, nil).Text()
	v := verifier(t, nil)
	for range 3 {
		if e := v.Explain(context.Background(), text, rotate, verify.Supposition{}); e.Code != "" {
			t.Fatal(e.Against)
		}
		if e := v.Explain(context.Background(), text, rotate, verify.Supposition{At: now.AddDate(1, 0, 0)}); e.Code != token.CodeExpired {
			t.Fatal(e.Against)
		}
	}
	if code := decideWith(t, v, text, rotate); code != "" {
		t.Errorf("denied after explanations: %s", code)
	}
	if e := v.Explain(context.Background(), text, rotate, verify.Supposition{}); e.Code != token.CodeReplay {
		t.Errorf("used already, explained as %q", e.Code)
	}
	if e := v.Explain(context.Background(), text, rotate, verify.Supposition{At: now.Add(time.Second)}); e.Code != "" {
		t.Errorf("at another time explained as %q", e.Code)
	}
}

// TestExplainUntrusted: nothing is told of a token that no trusted root signed.
func TestExplainUntrusted(t *testing.T) {
	c := mintFor(t, mallory, good, token.HeldBy(ci.Public()))
	e := explain(t, c.Text(), rotate)
	if e.Code != token.CodeUntrustedRoot || e.Delegator != "" || len(e.Hops) != 0 || e.Supposed {
		t.Errorf("%+v", e)
	}
	if e := explain(t, "nonsense", rotate); e.Code != token.CodeMalformed {
		t.Errorf("%+v", e)
	}
}

// TestExplanationIsNoDecision: its type has nothing that could be taken for a leave to
// go on.
func TestExplanationIsNoDecision(t *testing.T) {
	typ := reflect.TypeFor[verify.Explanation]()
	if _, ok := typ.FieldByName("Allowed"); ok {
		t.Error("an explanation has a field Allowed")
	}
	m, _ := reflect.TypeFor[*verify.Verifier]().MethodByName("Explain")
	if m.Type.NumOut() != 1 || m.Type.Out(0) != reflect.PointerTo(typ) {
		t.Error("Explain returns something that could be taken for a decision")
	}
	text, err := json.Marshal(explain(t, mint(t, good).Text(), rotate))
	if err != nil || strings.Contains(string(text), `"allowed":true`) || !strings.HasPrefix(string(text), `{"authorizes":"nothing"`) {
		t.Errorf("%s, %v", text, err)
	}
}

// TestSupposedInvocationIsTheHolders: who would sign it is stated as its signer.
func TestSupposedInvocationIsTheHolders(t *testing.T) {
	for key, denied := range map[token.PublicKey]bool{ci.Public(): false, runner.Public(): true} {
		check := `check all agent_key($k), $k == "` + key.String() + `";`
		c := add(t, mint(t, good), ci, check, token.SameNext(mint(t, good)))
		if e := explain(t, c.Text(), rotate); (len(e.Against) > 0) != denied {
			t.Errorf("%s: %v", check, e.Against)
		}
	}
}

// TestSuppositionIsHonest: what is supposed of a held token is what comes of its
// invocation, whatever the blocks and the request.
func TestSuppositionIsHonest(t *testing.T) {
	agreed := map[bool]int{}
	checkUntil(t, func() bool { return agreed[true] > 20 && agreed[false] > 20 }, func(t *rapid.T) {
		checks := rapid.SliceOfN(rapid.SampledFrom([]string{
			`check all operation($o), ["rotate"].contains($o);`, `check all arg("days", $d), $d == 30;`,
			`check all depth($d), $d <= 1;`, `check all agent_key($k), $k == "` + runner.Public().String() + `";`,
			`check all audience($a), ["svc:certs"].contains($a);`, `reject if arg("force", $f);`,
			`check if request($r);`, `check if arg("days", $d), $d / 0 == 1;`, `check if channel($k, $c);`,
			`check all resource($r), $r == "payments/api";`, `check if nonce($n);`,
		}), 0, 3).Draw(t, "checks")
		c := add(t, mint(t, good), ci, `holder("agent:runner"); `+strings.Join(checks, ""), token.HeldBy(runner.Public()))
		req := request(func(r *delegation.Request) {
			r.Operation = rapid.SampledFrom([]string{"rotate", "read", "delete"}).Draw(t, "operation")
			r.Resource = rapid.SampledFrom([]string{"payments/api", "payments", "users"}).Draw(t, "resource")
			r.Args = map[string]any{"days": rapid.SampledFrom([]any{30, 31, "30"}).Draw(t, "days")}
			if rapid.Bool().Draw(t, "force") {
				r.Args["force"] = true
			}
		})
		d, _ := verifier(t, nil).Verify(context.Background(), present(t, c, runner, req, nil).Text(), req)
		e := explain(t, c.Text(), req)
		if d.Allowed != (len(e.Against) == 0) || !d.Allowed && e.Against[0].Code != d.Code {
			t.Fatalf("supposed: %v, decided: %v", e.Against, d.Reasons)
		}
		agreed[d.Allowed]++
	})
}
