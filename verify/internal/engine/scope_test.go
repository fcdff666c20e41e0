package engine

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/whittle-auth/whittle/token/datalog"
)

func allowed(t *testing.T, a *Authorizer, blocks []Block) bool {
	t.Helper()
	r, err := a.Evaluate(blocks, nil, &Options{Limits: Limits{Facts: 2000}})
	if err != nil {
		t.Fatal(err)
	}
	return r.Allowed()
}

// TestScopes walks through who sees whose facts (specification, section
// "Scopes").
func TestScopes(t *testing.T) {
	k, other := testKeys[0], testKeys[1]
	for _, c := range []struct {
		name, authorizer string
		token            []any
		want             bool
	}{
		{"authorizer sees block 0", `allow if p(1);`, []any{`p(1);`}, true},
		{"authorizer does not see block 1", `allow if p(1);`, []any{``, `p(1);`}, false},
		{"previous means nothing in an authorizer", `allow if p(1) trusting previous;`, []any{``, `p(1);`}, false},
		{"trusting a key hides block 0", `allow if p(1) trusting ` + k.String() + `;`, []any{`p(1);`}, false},
		{"trusting a key and authority", `allow if p(1) trusting authority, ` + k.String() + `;`, []any{`p(1);`}, true},
		{"authorizer trusts a key", `allow if p(1) trusting ` + k.String() + `;`, []any{``, k, `p(1);`}, true},
		{"another key", `allow if p(1) trusting ` + k.String() + `;`, []any{``, other, `p(1);`}, false},
		{"all blocks of a key", `allow if p(1), p(2) trusting ` + k.String() + `;`, []any{``, k, `p(1);`, ``, k, `p(2);`}, true},
		{"the authorizer's own facts stay", `p(2); allow if p(1), p(2) trusting ` + k.String() + `;`, []any{``, k, `p(1);`}, true},
		{"a scope of the whole authorizer", `trusting ` + k.String() + `; allow if p(1);`, []any{``, k, `p(1);`}, true},
		{"a query's scope replaces it", `trusting ` + k.String() + `; allow if p(1) trusting authority;`, []any{``, k, `p(1);`}, false},
		{"a block sees itself", `allow if true;`, []any{``, `p(1); check if p(1);`}, true},
		{"a block sees block 0 and the authorizer", `q(1); allow if true;`, []any{`p(1);`, `check if p(1), q(1);`}, true},
		{"a block does not see the one before", `allow if true;`, []any{``, `p(1);`, `check if p(1);`}, false},
		{"a block trusts previous ones", `allow if true;`, []any{``, `p(1);`, `check if p(1) trusting previous;`}, true},
		{"previous is not later", `allow if true;`, []any{``, `check if p(1) trusting previous;`, `p(1);`}, false},
		{"block 0 does not see block 1", `allow if true;`, []any{`check if p(1);`, `p(1);`}, false},
		{"a block's scope", `allow if true;`, []any{``, `p(1);`, `trusting previous; check if p(1);`}, true},
		{"a key's block hides block 0 from a check", `allow if true;`, []any{`p(1);`, `check if p(1) trusting ` + k.String() + `;`}, false},
		{"rules see what their block sees", `allow if q(1);`, []any{`q($x) <- p($x);`, `p(1);`}, false},
		{"a derived fact has the rule's block in its origin", `allow if q(1);`, []any{`p(1);`, `q($x) <- p($x);`}, false},
		{"and is seen by that block", `allow if true;`, []any{`p(1);`, `q($x) <- p($x); check if q(1);`}, true},
		{"a derived fact keeps the origins it came from", `q($x) <- p($x) trusting ` + k.String() + `; allow if q(1);`, []any{``, k, `p(1);`}, false},
		{"which can be trusted", `q($x) <- p($x) trusting ` + k.String() + `; allow if q(1) trusting ` + k.String() + `;`, []any{``, k, `p(1);`}, true},
		{"a rule without a body has its block's origin", `allow if q(1);`, []any{``, `q(1) <- true;`}, false},
		{"in block 0 it is trusted", `allow if q(1);`, []any{`q(1) <- true;`}, true},
		{"the same fact of two blocks", `allow if p(1);`, []any{`p(1);`, `p(1);`}, true},
	} {
		if got := allowed(t, authorizer(t, c.authorizer), token(t, c.token...)); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestManyBlocks: origins beyond one word.
func TestManyBlocks(t *testing.T) {
	for _, n := range []int{32, 62, 63, 64, 65, 127, 128, 1000, MaxBlocks} {
		parts := []any{`p(0);`}
		for i := 1; i < n; i++ {
			parts = append(parts, fmt.Sprintf(`p(%d); check if p(0), p(%d); reject if p(%d);`, i, i, i-1+i/n))
		}
		parts[1] = `p(1);`
		last := n - 1
		parts[last] = fmt.Sprintf(`p(%d); check if p(0), p(%d) trusting previous;`, last, last-1)
		blocks := token(t, parts...)
		blocks[last].External = &testKeys[0]
		src := fmt.Sprintf(`allow if p(%d) trusting %s; `, last, testKeys[0])
		if !allowed(t, authorizer(t, src), blocks) {
			t.Errorf("%d blocks: denied", n)
		}
		if allowed(t, authorizer(t, strings.ReplaceAll(src, fmt.Sprint("p(", last), fmt.Sprint("p(", last-1))), blocks) {
			t.Errorf("%d blocks: the block before is trusted", n)
		}
		r, err := authorizer(t, `p(0); `+src).Evaluate(blocks, nil, &Options{Limits: Limits{Facts: 2000}})
		if err != nil || len(r.World()) != n+1 {
			t.Errorf("%d blocks: %v", n, err)
			continue
		}
		if o := r.World()[n-1].Origin; len(o) != 1 || o[0] != uint64(last) {
			t.Errorf("%d blocks: last origin %v", n, o)
		}
	}
}

// TestOrder: a check that fails and an error are reported in the documented
// order.
func TestOrder(t *testing.T) {
	a := authorizer(t, `check if no(0); allow if true;`)
	r, err := a.Evaluate(token(t, `check if no(1);`, `check if true; check if no(2);`, `reject if true;`), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range r.Failed {
		got = append(got, fmt.Sprint(f.Block, " ", f.Check, " ", f.Source))
	}
	want := []string{
		fmt.Sprint(AuthorizerBlock, " 0 check if no(0)"), "0 0 check if no(1)", "1 1 check if no(2)", "2 0 reject if true",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") || r.Allowed() || r.Policy != 0 {
		t.Errorf("%q, want %q", got, want)
	}

	const fails = `check if $a == 1;`
	for _, c := range []struct {
		authorizer, want string
		token            []any
	}{
		{fails + `allow if $p == 1;`, "authorizer, check 0", []any{fails, fails}},
		{`allow if $p == 1;`, "block 0, check 0", []any{fails, fails}},
		{`deny if false; allow if $p == 1;`, "authorizer, policy 1", []any{``, fails}},
		{`allow if true; deny if $p == 1;`, "block 1, check 0", []any{``, fails}},
		{fails + `r(1) <- 1; allow if true;`, "authorizer, rule 0", []any{`r(1) <- 1;`}},
		{fails, "block 0, rule 0", []any{`r(1) <- 1;`}},
		{`check if true or $a == 1; check all true or $a == 1; reject if true or $a == 1; allow if $p == 1;`, "authorizer, policy 0", nil},
	} {
		r, err := authorizer(t, c.authorizer).Evaluate(token(t, c.token...), nil, nil)
		if err == nil || !strings.HasPrefix(err.Error(), c.want+": ") || r == nil || r.Allowed() {
			t.Errorf("%s %v: error %v, want %s", c.authorizer, c.token, err, c.want)
		}
	}
}

func TestChecks(t *testing.T) {
	for src, want := range map[string]bool{
		`check all p($x), $x > 0;`:             true,
		`check all p($x), $x > 1;`:             false,
		`check all none($x), $x > 0;`:          false,
		`check all p($x), $x > 1 or p($x);`:    true,
		`check all true;`:                      true,
		`check if p($x), $x > 1;`:              true,
		`check if p($x), $x > 2;`:              false,
		`check if p($x), $x > 2 or p(1);`:      true,
		`reject if p($x), $x > 2;`:             true,
		`reject if p($x), $x > 1;`:             false,
		`reject if p(7) or p(1);`:              false,
		`reject if p(1) or p(7);`:              false,
		`reject if p(7) or p(8);`:              true,
		`check if p($x), q($x, $x);`:           true,
		`check if p($x), q($x, $y), $x != $y;`: false,
		`check if q("1", 1);`:                  false,
	} {
		a := authorizer(t, `p(1); p(2); q(1, 1); `+src+` allow if true;`)
		if got := allowed(t, a, nil); got != want {
			t.Errorf("%s: %v, want %v", src, got, want)
		}
	}
	// No query at all.
	for kind, want := range map[datalog.CheckKind]bool{datalog.CheckIf: false, datalog.CheckAll: false, datalog.RejectIf: true} {
		b := datalog.Block{Checks: []datalog.Check{{Kind: kind}}}
		if got := allowed(t, authorizer(t, `allow if true;`), []Block{{Datalog: &b}}); got != want {
			t.Errorf("check of kind %d without queries: %v", kind, got)
		}
	}
}

func TestPolicies(t *testing.T) {
	for src, want := range map[string]int{
		``:                                   -1,
		`allow if false;`:                    -1,
		`allow if false; allow if true;`:     1,
		`deny if true; allow if true;`:       0,
		`allow if false or true;`:            0,
		`deny if false; allow if true;`:      1,
		`allow if p(1), false; deny if p(1)`: 1,
	} {
		r, err := authorizer(t, `p(1); `+src).Evaluate(nil, nil, nil)
		if err != nil || r.Policy != want {
			t.Errorf("%s: policy %d, error %v, want %d", src, r.Policy, err, want)
		}
		if r.Policy < 0 && r.Kind != datalog.Deny {
			t.Errorf("%s: no policy matched, kind %v", src, r.Kind)
		}
	}
}

// TestConcurrent: one authorizer serves many requests at once, and nothing of
// one shows in another.
func TestConcurrent(t *testing.T) {
	a := authorizer(t, `known("x"); derived($x) <- secret($x); allow if secret($x), mine($x), $x.matches("^s");`)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 200 {
				name := fmt.Sprintf("s%d-%d", w, i)
				r, err := a.Evaluate(token(t, `secret("`+name+`");`, `own(1); check if own(1), secret("`+name+`");`), facts(t, `mine("`+name+`");`), nil)
				if err != nil || !r.Allowed() || len(r.World()) != 4 || r.World()[0].Facts[0].String() != `secret("`+name+`")` {
					t.Errorf("%s: %v %v", name, r, err)
				}
			}
		})
	}
	wg.Wait()
}

// TestReuse: memory is used again, its content is not.
func TestReuse(t *testing.T) {
	a := authorizer(t, `allow if password($p), $p.matches("^hunter"), ["hunter2"].any($x -> $x == $p);`)
	if !allowed(t, a, token(t, `password("hunter2"); check if password({"hunter2", "x"}) or password($q), $q == "hunter" + "2";`)) {
		t.Fatal("denied")
	}
	e := new(evaluation)
	e.start(a, &a.base, token(t, `password("other-secret");`), nil, Limits{Facts: 10, Iterations: 10, Steps: 10_000})
	if err := e.load(nil, 0); err != nil {
		t.Fatal(err)
	}
	e.derive()
	if err := e.decide(&Result{}); err != nil {
		t.Fatal(err)
	}
	e.release()
	for _, s := range e.symbols.text[:cap(e.symbols.text)] {
		if s != "" {
			t.Errorf("%q is still there", s)
		}
	}
	// Numbers of symbols recur, with another meaning.
	for pattern, want := range map[string]int{"^x": 0, "^y": 1} {
		e.start(a, &a.base, token(t, `check if "x".matches("`+pattern+`");`), nil, Limits{Facts: 10, Iterations: 10, Steps: 10_000})
		var r Result
		e.derive()
		if err := e.decide(&r); err != nil || len(r.Failed) != want {
			t.Errorf("%s: %v, %d checks failed, want %d", pattern, err, len(r.Failed), want)
		}
		e.release()
	}
	for range 3 {
		if allowed(t, a, token(t, ``)) {
			t.Error("allowed by facts of another request")
		}
	}
}
