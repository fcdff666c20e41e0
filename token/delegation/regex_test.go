package delegation_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token/delegation"
)

// TestValidRegex: what Go and Rust read alike, and what they do not, or not always.
func TestValidRegex(t *testing.T) {
	for _, pattern := range []string{
		``, `a`, `é\n`, `.`, `^a$`, `a|b|`, `(a)`, `(?:a|b)*`, `a*?b+?c??`, `a{3}`, `a{0}`, `a{2,}`, `a{0,1000}`, `a{1000}`, `(a{10}){100}`, `[a-z]`, `[^a-z0-9_]`, `[-a]`, `[a-]`, `[a\-z]`, `[\]\[\\^]`, `[a^]`, `[&~]`, `[.*+?(){}|$]`,
		`\.\+\*\?\(\)\|\[\]\{\}\^\$\-\\`, `\n\r\t`, `\x00\x7F\xff`, `[\x00-\x1f]`, ` `, `#`, `/`, `()`, `"`, strings.Repeat("a", 1024), strings.Repeat("(", 32) + strings.Repeat(")", 32),
	} {
		if err := delegation.ValidRegex(pattern); err != nil {
			t.Errorf("%q: %v", pattern, err)
		}
		if _, err := regexp.Compile("^(?:" + pattern + ")$"); err != nil {
			t.Errorf("%q is valid and does not compile: %v", pattern, err)
		}
	}
	for pattern, want := range map[string]string{
		`\d`: "byte 2: an escape", `\w`: "an escape", `\s`: "an escape", `\b`: "an escape", `\B`: "an escape", `\D`: "an escape", `\pL`: "an escape", `\p{Greek}`: "an escape", `\A`: "an escape", `\z`: "an escape", `\Q.\E`: "an escape", `\C`: "an escape", `\1`: "an escape", `\a`: "an escape", `\/`: "an escape", `\é`: "an escape", `\`: "an escape", `\x{61}`: "hexadecimal", `\x6`: "an escape", `\xg0`: "hexadecimal", `\u0061`: "an escape",
		`[\d]`: "an escape", `[[:alpha:]]`: `write \[`, `[a[b]]`: `write \[`, `[a&&b]`: "&&", `[a--b]`: "--", `[a~~b]`: "~~", `[--a]`: "--", `[a-c-e]`: `write \-`, `[+--]`: "--", `[]a]`: "must not be empty", `[]`: "must not be empty", `[^]`: "must not be empty", `[a`: "without its ]", `[a-`: "without its", `[a\`: "an escape", `[z-a]`: "ends before it begins", `[a-[]`: "without its end", `[a-\d]`: "an escape",
		`(?i)a`: "a group other than", `(?P<n>a)`: "a group other than", `(?<n>a)`: "a group other than", `(?=a)`: "a group other than", `(?x: a)`: "a group other than", `(a`: "without its )", `a)`: "without its (", `a)|(?:b`: "without its (", `)`: "without its (",
		`*`: "nothing that could be repeated", `+a`: "nothing that could", `|*`: "nothing that could", `(*a)`: "nothing that could", `^*`: "nothing that could", `$?`: "nothing that could", `^{2}`: "nothing that could", `a**`: "a repetition of a repetition", `a*+`: "a repetition of", `a+{2}`: "a repetition of", `a???`: "a repetition of", `a{2}{3}`: "a repetition of",
		`{`: "nothing that could", `a{`: "begins no repetition", `a{}`: "begins no repetition", `a{,5}`: "begins no repetition", `a{x}`: "begins no repetition", `a{01}`: "begins no repetition", `a{ 1}`: "begins no repetition", `a{1001}`: "begins no repetition", `a{1,1001}`: "the second number", `a{3,2}`: "the second number", `a{1,x}`: "the second number", `a{1,2,3}`: "the second number", `(a{100}){11}`: "more than 1000", `((a{10}){10}){11}`: "more than 1000",
		`}`: `write \}`, `]`: `write \]`, "\xff": "UTF-8", "e\u0301": "normalization", strings.Repeat("a", 1025): "1024 bytes", strings.Repeat("(", 33) + strings.Repeat(")", 33): "nested deeper", strings.Repeat("a{1000}", 5): "4096 parts", `([ab]{100}){10}([ab]{100}){10}([ab]{100}){10}`: "4096 parts",
	} {
		if err := delegation.ValidRegex(pattern); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", pattern, err, want)
		}
	}
}

// TestRegexInTokens: what is refused when written is refused when read, also in a
// check written by hand.
func TestRegexInTokens(t *testing.T) {
	for source, fine := range map[string]bool{
		`check all arg("n", $v), $v.type() == "string" && $v.matches("^(?:[0-9]+)$")`: true,
		`check all arg("n", $v), $v.type() == "string" && $v.matches("^(?:\\d+)$")`:   false,
		`check if resource($r), $r.matches("^a/[a-z]+$")`:                             true,
		`check if resource($r), $r.matches("^a/\\w+$")`:                               false,
		`check if resource($r), operation($o), $r.matches($o)`:                        false,
		`check if resource($r), !($r.matches("\\bx") || false)`:                       false,
		`check if resource($r), ["a"].any($p -> $r.matches($p))`:                      false,
		`check if resource($r), ["a"].any($p -> $p.matches("a"))`:                     true,
		`check if [1].all($p -> "a".matches("a" + "\\d"))`:                            false,
	} {
		if c := delegation.ReadCaveat(parseCheck(source)); (c.Validate() == nil) != fine {
			t.Errorf("%s: %v", source, c.Validate())
		}
	}
}

func FuzzValidRegex(f *testing.F) {
	f.Add(`a{2,3}[^b-c]\x61(?:d|e)*`)
	f.Fuzz(func(t *testing.T, pattern string) {
		if delegation.ValidRegex(pattern) != nil {
			return
		}
		if _, err := regexp.Compile("^(?:" + pattern + ")$"); err != nil {
			t.Errorf("%q is valid and does not compile: %v", pattern, err)
		}
	})
}
