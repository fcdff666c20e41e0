package interop

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token/datalog"
)

// oneExpression decides a token whose only check is check if e.
func oneExpression(t *testing.T, o *Oracle, token []byte, e string) Result {
	t.Helper()
	d, err := o.Authorize(Authorize{
		Token:      token,
		RootPublic: RootKey(datalog.Ed25519).Public,
		Authorizer: "check if one($n), " + e + ";\nallow if true;\n",
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, e)
	}
	return d.Result
}

func ground(t *testing.T, o *Oracle) []byte {
	t.Helper()
	token, err := o.Generate(Generate{RootPrivate: RootKey(datalog.Ed25519).Private, Authority: groundFacts})
	if err != nil {
		t.Fatal(err)
	}
	return token.Token
}

// Expressions of known value have that value, alone and inside others.
func TestTruths(t *testing.T) {
	o := Start(t)
	token := ground(t, o)
	w := &writer{Rand: rand.New(rand.NewPCG(1, 2)), keys: ThirdPartyKeys()}
	class := map[bool]Class{true: Allowed, false: Denied}
	tables := [][]truth{integerTruths(), textTruths(), valueTruths(), arrayTruths(), closureTruths()}
	for i, table := range tables {
		for j, row := range table {
			for range 6 {
				for want, expected := range class {
					e := row(w, want)
					for _, e := range []string{e, w.nested(e, want)} {
						if got := oneExpression(t, o, token, e); got.Class != expected {
							t.Errorf("table %d, row %d: %s is not %v: %s", i, j, e, want, got.JSON)
						}
					}
				}
			}
		}
	}
}

// Expressions that are said to fail do, whatever comes after them.
func TestFailing(t *testing.T) {
	o := Start(t)
	token := ground(t, o)
	for _, e := range slices.Concat(failing(), notBoolean()) {
		for _, e := range []string{e, e + ", false"} {
			if got := oneExpression(t, o, token, e); got.Class != Failed || !strings.HasPrefix(got.Code, "Execution/") {
				t.Errorf("%s: %s", e, got.JSON)
			}
		}
	}
}

// Every expression that fails comes up among 300 programs.
func TestFailingExpressionsOccur(t *testing.T) {
	for seed := range uint64(3) {
		var all strings.Builder
		for _, p := range Programs(seed, 300) {
			fmt.Fprintln(&all, p.Authority, p.Authorizer, p.Blocks)
		}
		for _, e := range append(failing(), "$unbound == 1", "{1}.all($p -> true)") {
			if !strings.Contains(all.String(), e) {
				t.Errorf("seed %d: no program has %s", seed, e)
			}
		}
	}
}

// The reference decides as the writer intended: its model of scopes, graphs and
// structures is a second opinion.
func TestProgramsDoAsIntended(t *testing.T) {
	o := Start(t)
	seen := map[Class]int{}
	for _, p := range Programs(3, 330) {
		token, err := o.Generate(p.Generate())
		if err != nil {
			t.Fatal(err)
		}
		d, err := o.Authorize(Authorize{Token: token.Token, RootPublic: RootKey(p.RootAlg).Public, Authorizer: p.Authorizer})
		if err != nil {
			t.Fatal(err)
		}
		got := d.Result
		if p.intended == nil {
			if got.Class == Failed {
				t.Errorf("%s: %s", p.Name, got.JSON)
			}
			continue
		}
		seen[*p.intended]++
		if got.Class != *p.intended {
			t.Errorf("%s: %v, intended %v: %s\n%+v", p.Name, got.Class, *p.intended, got.JSON, p)
		}
		// One check is turned round, and no other fails with it.
		if got.Class == Denied && len(got.FailedChecks) != 1 {
			t.Errorf("%s: %d checks fail, want 1: %s", p.Name, len(got.FailedChecks), got.JSON)
		}
	}
	if len(seen) != 3 {
		t.Errorf("intended outcomes are %v, want all three classes", seen)
	}
}
