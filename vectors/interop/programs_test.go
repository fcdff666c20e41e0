package interop_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/vectors/interop"
)

const programCount = 330

// The reference takes every program, gives it the same verdict and the same
// world each time, and no kind of outcome is rare.
func TestProgramsAreDecided(t *testing.T) {
	o := interop.Start(t)
	classes := map[interop.Class]int{}
	codes := map[string]int{}
	for _, p := range interop.Programs(1, programCount) {
		t.Run(p.Name, func(t *testing.T) {
			token, err := o.Generate(p.Generate())
			if err != nil {
				t.Fatalf("%v\n%+v", err, p)
			}
			if got, want := len(token.RevocationIDs), len(p.Blocks)+1; got != want {
				t.Errorf("%d revocation ids, want %d", got, want)
			}
			seen, err := o.InspectUnverified(token.Token)
			if err != nil {
				t.Fatal(err)
			}
			if seen.Sealed != p.Seal {
				t.Errorf("sealed is %v, want %v", seen.Sealed, p.Seal)
			}
			for i, b := range p.Blocks {
				want := "none"
				if b.ThirdPartyKeyIndex >= 0 {
					want = interop.ThirdPartyKeys()[b.ThirdPartyKeyIndex].Public
				}
				got := "none"
				if k := seen.Blocks[i+1].ExternalKey; k != nil {
					got = *k
				}
				if got != want {
					t.Errorf("block %d is by %s, want %s", i+1, got, want)
				}
			}
			request := interop.Authorize{Token: token.Token, RootPublic: interop.RootKey(p.RootAlg).Public, Authorizer: p.Authorizer}
			first, err := o.Authorize(request)
			if err != nil {
				t.Fatalf("%v\n%s", err, p.Authorizer)
			}
			for range 3 {
				again, err := o.Authorize(request)
				if err != nil {
					t.Fatal(err)
				}
				if !equalJSON(t, again.Result, first.Result) {
					t.Errorf("two results for one program\n%s\n%s\n%+v", first.Result.JSON, again.Result.JSON, p)
				}
				// An error cuts the evaluation short at any point.
				if first.Result.Class != interop.Failed && !equalJSON(t, again.World, first.World) {
					t.Errorf("two worlds for one program\n%+v", p)
				}
			}
			if code := first.Result.Code; first.Result.Class == interop.Failed && !strings.HasPrefix(code, "Execution/") {
				t.Errorf("failed with %q: %s\n%+v", code, first.Result.JSON, p)
			}
			classes[first.Result.Class]++
			codes[first.Result.Code]++
		})
	}
	t.Logf("outcomes %v, errors %v", classes, codes)
	for _, c := range []interop.Class{interop.Allowed, interop.Denied, interop.Failed} {
		if classes[c]*10 < programCount {
			t.Errorf("%d programs of %d are %v, want a tenth or more", classes[c], programCount, c)
		}
	}
	for _, code := range []string{"Overflow", "DivideByZero", "InvalidType", "ShadowedVariable", "UnknownVariable", "UndefinedExtern/missing", "ExternEvalError"} {
		if codes["Execution/"+code] == 0 {
			t.Errorf("no program fails with %s", code)
		}
	}
}

// A seed fixes the programs, another gives others, and none comes twice.
func TestProgramsAreDeterministic(t *testing.T) {
	a, b := interop.Programs(7, 100), interop.Programs(7, 100)
	if !reflect.DeepEqual(a, b) {
		t.Error("one seed, two lists of programs")
	}
	if longer := interop.Programs(7, 120); !reflect.DeepEqual(longer[:100], a) {
		t.Error("the first programs change with their number")
	}
	other := interop.Programs(8, 100)
	same := 0
	for i := range a {
		if a[i].Authority+a[i].Authorizer == other[i].Authority+other[i].Authorizer {
			same++
		}
	}
	if same > 5 {
		t.Errorf("%d of 100 programs are the same under another seed", same)
	}
	seen := map[string]string{}
	for _, p := range interop.Programs(7, programCount) {
		key := p.Authority + p.Authorizer + fmt.Sprint(p.Blocks)
		if seen[key] != "" {
			t.Errorf("%s and %s are the same", seen[key], p.Name)
		}
		seen[key] = p.Name
	}
}

// Every construct of the language occurs.
func TestProgramsCoverTheLanguage(t *testing.T) {
	constructs := []string{
		" < ", " <= ", " > ", " >= ", " == ", " != ", " === ", " !== ", " + ", " - ", " * ", " / ", " & ", " | ", " ^ ",
		" && ", " || ", "!(", ".length()", ".type()", ".contains(", ".starts_with(", ".ends_with(", ".matches(",
		".intersection(", ".union(", ".get(", ".all(", ".any(", ".try_or(", ".extern::test()", ".extern::test(\"",
		"check if ", "check all ", "reject if ", " or ", "allow if ", "deny if ", " <- ",
		" trusting authority", " trusting previous", " trusting ed25519/", " trusting secp256r1/", "\ntrusting ", ", previous", ", authority",
		"null", "{,}", "{}", "[]", "hex:", "true", "false", "2026-", "+01:30", "-9223372036854775808", "日本語", `\"`, `\\`, `\n`, "$0",
	}
	for seed := range uint64(3) {
		var all strings.Builder
		var sealed, quoted int
		algorithms := map[string]int{}
		keys := map[int]int{}
		for _, p := range interop.Programs(seed, 300) {
			fmt.Fprintf(&all, "\n%s\n%s", p.Authority, p.Authorizer)
			algorithms["root "+p.RootAlg.String()]++
			algorithms["next "+p.AuthorityNextAlg.String()]++
			for _, b := range p.Blocks {
				fmt.Fprintf(&all, "\n%s", b.Code)
				algorithms["next "+b.NextAlg.String()]++
				keys[b.ThirdPartyKeyIndex]++
			}
			if p.Seal {
				sealed++
			}
			if p.Quoted {
				quoted++
			}
		}
		text := all.String()
		for _, c := range constructs {
			if !strings.Contains(text, c) {
				t.Errorf("seed %d: no program has %q", seed, c)
			}
		}
		if len(algorithms) != 4 || sealed == 0 || quoted == 0 {
			t.Errorf("seed %d: algorithms %v, %d sealed, %d quoted", seed, algorithms, sealed, quoted)
		}
		for index := -1; index < len(interop.ThirdPartyKeys()); index++ {
			if keys[index] == 0 {
				t.Errorf("seed %d: no block by third party %d", seed, index)
			}
		}
	}
}

// The fixed keys are what the reference derives from their private halves, and
// all different.
func TestFixedKeys(t *testing.T) {
	o := interop.Start(t)
	keys := append(interop.ThirdPartyKeys(), interop.RootKey(datalog.Ed25519), interop.RootKey(datalog.Secp256r1))
	var seen []string
	for _, k := range keys {
		public, err := o.PublicKey(k.Private)
		if err != nil {
			t.Fatal(err)
		}
		if public != k.Public {
			t.Errorf("public half is %s, want %s", k.Public, public)
		}
		if slices.Contains(seen, public) {
			t.Errorf("%s comes twice", public)
		}
		seen = append(seen, public)
	}
}
