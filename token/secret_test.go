package token_test

import (
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token"
)

// TestLooksSecret: keys and tokens are found, names and values are not.
func TestLooksSecret(t *testing.T) {
	for text, want := range map[string]bool{
		"ed25519-private/9d61": true, "ED25519-PRIVATE/9d61": true, "-----BEGIN PRIVATE KEY-----": true, "Bearer x": true,
		strings.Repeat("9d61", 10): true, strings.Repeat("9d61", 10)[1:]: false,
		"": false, "agent:ci": false, "2026-01-31T12:00:00Z": false, "90m": false,
	} {
		if token.LooksSecret(text) != want {
			t.Errorf("%q: want %t", text, want)
		}
	}
}
