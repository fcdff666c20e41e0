package delegation_test

import (
	"testing"

	"github.com/whittle-auth/whittle/token/delegation"
)

// TestPlainName: a name is quoted unless nothing in it can be mistaken.
func TestPlainName(t *testing.T) {
	for name, want := range map[string]string{
		"":                            "",
		"alice@example.com":           "alice@example.com",
		"agent:ci/run-7_a.b+c":        "agent:ci/run-7_a.b+c",
		"spiffe://example.org/agent":  "spiffe://example.org/agent",
		"a b":                         `"a b"`,
		"a\u00a0b":                    "\"a\\u00a0b\"",
		"a\u3164":                     "\"a\u3164\"", // a letter that looks like a blank
		"a, b":                        `"a, b"`,
		"(bearer)":                    `"(bearer)"`,
		`a"b`:                         `"a\"b"`,
		"a\nb":                        `"a\nb"`,
		"a\u202eb":                    `"a\u202eb"`,
		"agent:t  ed25519/d75a98  . ": `"agent:t  ed25519/d75a98  . "`,
	} {
		if got := delegation.PlainName(name); got != want {
			t.Errorf("%q is shown as %s, want %s", name, got, want)
		}
	}
}
