package trust

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/whittle-auth/whittle/token"
)

func TestCanonicalDelegator(t *testing.T) {
	long := strings.Repeat("x", 256)
	for _, name := range []string{
		"alice@example.com", "Alice.Smith+x@example.com", "alice", "agent:ci", "agent:runner/7",
		"x", "zo\u00eb@example.com", "a@b", "\u5f20\u4f1f@\u4f8b\u3048.jp", "#1", "ops-team_2", long,
		"alice@stra\u00dfe.de", "spiffe://example.org/ns/x",
	} {
		if err := CanonicalDelegator(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for name, want := range map[string]string{
		"":                            "empty",
		long + "x":                    "at most",
		"a\xff":                       "UTF-8",
		"\xed\xa0\x80":                "UTF-8",
		"*":                           "wildcard",
		"*@example.com":               "wildcard",
		"al?ce":                       "wildcard",
		"a,b":                         "comma",
		"a b":                         "white space",
		" a":                          "white space",
		"a\t":                         "white space",
		"a\n":                         "white space",
		"a\u00a0b":                    "white space",
		"a\u2028b":                    "white space",
		"a\u3000b":                    "white space",
		"a\x00":                       "control",
		"a\x7f":                       "control",
		"a\u009bb":                    "control",
		"a\u200bb":                    "control",
		"a\u202eb":                    "control",
		"a\u00adb":                    "control",
		"\ufeffa":                     "control",
		"zoe\u0308@example.com":       "NFC",
		"\u212b":                      "NFC",
		"alice@Example.com":           "lower case",
		"alice@example.COM":           "lower case",
		"alice@\u00c9cole.fr":         "lower case",
		"@example.com":                "before the @",
		"@":                           "before the @",
		"alice@":                      "follows the @",
		"a@b@c":                       "one @",
		"a@@c":                        "one @",
		strings.Repeat("\u00e9", 129): "at most",
	} {
		err := CanonicalDelegator(name)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", name, err, want)
		}
	}
}

// No two names that are accepted differ by normalization or by the case of the
// domain only, and none needs quoting anywhere.
func TestCanonicalDelegatorIsUnique(t *testing.T) {
	accepted := 0
	checkUntil(t, func() bool { return accepted > 0 }, func(t *rapid.T) {
		name := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-zA-Z\x{c0}-\x{17f}\x{300}-\x{310}@. ,*]{0,12}`)).Draw(t, "name")
		if CanonicalDelegator(name) != nil {
			return
		}
		accepted++
		if !utf8.ValidString(name) || norm.NFC.String(name) != name || len(name) == 0 || len(name) > token.MaxName {
			t.Fatalf("%q accepted", name)
		}
		if strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) || strings.ContainsAny(name, ",*?") {
			t.Fatalf("%q accepted", name)
		}
		if _, domain, ok := strings.Cut(name, "@"); ok && strings.ToLower(domain) != domain {
			t.Fatalf("%q accepted", name)
		}
		if CanonicalDelegator(name+",") == nil || CanonicalDelegator(name+"*") == nil || CanonicalDelegator(name+"@") == nil {
			t.Fatalf("something is accepted behind %q", name)
		}
	})
}

// checkUntil checks a property until enough sorts of cases have come up: one that
// only ever saw denials would say nothing.
func checkUntil(t *testing.T, enough func() bool, property func(*rapid.T)) {
	t.Helper()
	for range 2000 {
		if rapid.Check(t, property); t.Failed() || enough() {
			return
		}
	}
	t.Error("the generated cases are all of one sort: the property says too little")
}
