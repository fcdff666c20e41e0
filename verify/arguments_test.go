package verify_test

import (
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
)

func with(args map[string]any) delegation.Request {
	return request(func(r *delegation.Request) { r.Args = args })
}

// TestPointersDoNotWiden: what a later block says of values inside arguments is
// stated to that block alone. If it were a fact for all, a holder could append
// the very fact that an earlier check asks for.
func TestPointersDoNotWiden(t *testing.T) {
	req := with(map[string]any{"opts": map[string]any{"env": "prod"}})
	const wanted = `check if arg($n, $v), $v == "prod";`
	const pointer = `check if arg("/opts/env", $v), $v == "prod";`

	denied := mint(t, good+wanted)
	expect(t, present(t, denied, ci, req, nil).Text(), req, token.CodeCheckFailed)
	appended := add(t, denied, ci, pointer, token.SameNext(denied))
	expect(t, present(t, appended, ci, req, nil).Text(), req, token.CodeCheckFailed)

	policy, err := datalog.ParseAuthorizer(`seen($v) <- arg($n, $v); allow if seen("prod");`, nil)
	if err != nil {
		t.Fatal(err)
	}
	v := verifier(t, func(o *verify.Options) { o.Policy = policy })
	plain := mint(t, good)
	widened := add(t, plain, ci, pointer, token.SameNext(plain))
	for _, c := range []token.Chain{plain, widened} {
		if code := decideWith(t, v, present(t, c, ci, req, nil).Text(), req); code != token.CodePolicy {
			t.Errorf("%d blocks: %q", len(c.Blocks()), code)
		}
	}

	// The block that asks is told, and so is a service that asks.
	told := add(t, plain, ci, pointer, token.SameNext(plain))
	expect(t, present(t, told, ci, req, nil).Text(), req, "")
	lacking := add(t, plain, ci, `check if arg("/opts/env", "test");`, token.SameNext(plain))
	expect(t, present(t, lacking, ci, req, nil).Text(), req, token.CodeCheckFailed)
	expect(t, present(t, mint(t, good+pointer), ci, req, nil).Text(), req, "")
	asking, err := datalog.ParseAuthorizer(`allow if arg("/opts/env", "prod");`, nil)
	if err != nil {
		t.Fatal(err)
	}
	v = verifier(t, func(o *verify.Options) { o.Policy = asking })
	if code := decideWith(t, v, present(t, plain, ci, req, nil).Text(), req); code != "" {
		t.Errorf("a policy that asks: %q", code)
	}
}

// TestNumbersBeyondDatalog: an argument that cannot be stated as a fact must not
// look as if it were absent to whatever speaks of it.
func TestNumbersBeyondDatalog(t *testing.T) {
	for source, cases := range map[string]map[token.Code][]map[string]any{
		`reject if arg("force", $v);`: {
			token.CodeCheckFailed: {{"force": 1}, {"force": 1.5}, {"force": []any{true, 0.5}}, {"force": map[string]any{"a": 2.0}}},
			"":                    {{}, {"other": 1}, {"other": 1.5}},
		},
		`check all arg($n, $v), ["id"].contains($n);`: {
			token.CodeCheckFailed: {{"id": 1, "x": 1.5}, {"id": 1, "x": 1}},
			"":                    {{"id": 1}},
		},
		`reject if arg("/a/b", $v);`: {
			token.CodeCheckFailed: {{"a": map[string]any{"b": 1.5}}, {"a": map[string]any{"b": 1}}},
			"":                    {{"a": map[string]any{"c": 1.5}}, {"a": 1.5}, {}},
		},
		`check if operation("rotate");`: {
			"": {{"x": 1.5}},
		},
	} {
		for want, list := range cases {
			for _, args := range list {
				req := with(args)
				expect(t, present(t, mint(t, good+source), ci, req, nil).Text(), req, want)

				policy, err := datalog.ParseAuthorizer(strings.Replace(source, "reject if", "deny if", 1)+"allow if true;", nil)
				if err != nil {
					t.Fatal(err)
				}
				v := verifier(t, func(o *verify.Options) { o.Policy = policy })
				if code := decideWith(t, v, present(t, mint(t, good), ci, req, nil).Text(), req); (code == "") != (want == "") {
					t.Errorf("%s with %v as a policy: %q", source, args, code)
				}
			}
		}
	}
}

// TestManyPointers: a token cannot make the verifier copy a large argument again
// and again.
func TestManyPointers(t *testing.T) {
	var b strings.Builder
	for i := range 65 {
		b.WriteString(`check if arg("/a/` + strings.Repeat("0", i) + `", $v);`)
	}
	req := with(map[string]any{"a": []any{1}})
	expect(t, present(t, mint(t, good+b.String()), ci, req, nil).Text(), req, token.CodeProfile)
	// One place has one spelling.
	tilde := with(map[string]any{"~": map[string]any{"/": 1}})
	for pointer, want := range map[string]token.Code{`/~0/~1`: "", `/~/~1`: token.CodeCheckFailed, `/~0//`: token.CodeCheckFailed, `/~2`: token.CodeCheckFailed} {
		expect(t, present(t, mint(t, good+`check if arg("`+pointer+`", $v);`), ci, tilde, nil).Text(), tilde, want)
	}
}

// TestUntrustedRootNamesNobody: as long as the root must not speak for the
// delegator, the decision repeats nothing of what the token claims.
func TestUntrustedRootNamesNobody(t *testing.T) {
	c := present(t, mint(t, strings.Replace(good, "alice@", "bob@", 1)), ci, rotate, nil)
	d, err := verifier(t, nil).Verify(t.Context(), c.Text(), rotate)
	if verify.CodeOf(err) != token.CodeUntrustedRoot {
		t.Fatal(err)
	}
	if d.Delegator != "" || d.Chain != nil || len(d.Scope.Bounds) > 0 {
		t.Errorf("%+v", d)
	}
}
