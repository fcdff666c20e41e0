package token

import (
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// TestErrorsNameEveryAlgorithm: who is told which keys can be used is told of all.
func TestErrorsNameEveryAlgorithm(t *testing.T) {
	_, public := ParsePublicKey("ed448/00")
	_, private := parsePrivateText("ed448-private/00")
	_, foreign := PublicKeyFromCrypto("no key")
	for i := range algorithms {
		name := algorithms[i].name
		if !strings.Contains(public.Error(), name+"/HEX") {
			t.Errorf("%s is missing: %v", name, public)
		}
		if !strings.Contains(private.Error(), name+privateSuffix+"HEX") {
			t.Errorf("%s is missing: %v", name, private)
		}
	}
	for _, err := range []error{foreign, whyNot(ssh.KeyAlgoRSA)} {
		if !strings.Contains(err.Error(), "Ed25519, ECDSA on P-256 or ML-DSA") {
			t.Error(err)
		}
	}
}
