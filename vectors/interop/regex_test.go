package interop_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/vectors/interop"
)

// TestRegularExpressions: within the subset that tokens of ours may use, Go and Rust
// agree on what matches.
func TestRegularExpressions(t *testing.T) {
	o := interop.Start(t)
	root := interop.RootKey(datalog.Ed25519)
	c, err := token.Mint(private(t, root.Private), parsed(t, `a(1);`), fresh(t, datalog.Ed25519), nil)
	if err != nil {
		t.Fatal(err)
	}
	const perCall = 100
	var checks []string
	counts := map[bool]int{}
	ask := func(t interface{ Fatalf(string, ...any) }) {
		d, err := o.Authorize(interop.Authorize{Token: c.Bytes(), RootPublic: root.Public, Authorizer: strings.Join(checks, "\n") + "allow if true;"})
		if err != nil || d.Result.Class != interop.Allowed {
			t.Fatalf("%v: %s", err, d.Result.JSON)
		}
		checks = nil
	}
	claim := func(t interface{ Fatalf(string, ...any) }, pattern, text string) {
		re, err := regexp.Compile(pattern)
		if err != nil {
			t.Fatalf("%q is in the subset and does not compile: %v", pattern, err)
		}
		matches := re.MatchString(text)
		counts[matches]++
		checks = append(checks, fmt.Sprintf("check if %s.matches(%s) == %v;", datalog.String(text), datalog.String(pattern), matches))
		if len(checks) == perCall {
			ask(t)
		}
	}
	// At the limits: whatever is valid compiles on both sides, and matches.
	for _, pattern := range []string{
		strings.Repeat("a", 1024), "[^a]{1000}", ".{1000}.{1000}.{1000}.{1000}", "(?:[^é]{31}){32}", strings.Repeat("(", 32) + "a" + strings.Repeat(")", 32), "(?:a{10}){100}", `\x00\x7f\xff`, "(|)*", "a{0}", "()", "[^^]", "[$-.]", "a|", "|",
	} {
		if err := delegation.ValidRegex(pattern); err != nil {
			t.Errorf("%q: %v", pattern, err)
			continue
		}
		for _, text := range []string{strings.Repeat("a", 1024), strings.Repeat("é", 4000), "a", "", "\x00\x7f\u00ff", "^-"} {
			claim(t, "^(?:"+pattern+")$", text)
			claim(t, pattern, text)
		}
	}
	piece := rapid.SampledFrom([]string{"a", "b", "é", "0", " ", "\n", "^", "$", ".", "*", "+", "?", "{2}", "{0,1}", "{1,}", "{", "}", "(", ")", "(?:", "|", "[", "[^", "]", "-", "&&", "&", "~", "#", `\.`, `\-`, `\\`, `\]`, `\x61`, `\n`, `\d`, "[a-c]", "[^a]", "(?i)", "/", ","})
	text := rapid.StringOfN(rapid.SampledFrom([]rune("aab0 é\n.-]^&")), 0, 6, -1)
	for (counts[true] < 600 || counts[false] < 3000) && !t.Failed() {
		rapid.Check(t, func(rt *rapid.T) {
			pattern := strings.Join(rapid.SliceOfN(piece, 1, 8).Draw(rt, "pattern"), "")
			if delegation.ValidRegex(pattern) != nil {
				return
			}
			for range 3 {
				claim(rt, "^(?:"+pattern+")$", text.Draw(rt, "text"))
				claim(rt, pattern, text.Draw(rt, "text"))
			}
		})
	}
	ask(t)
}
