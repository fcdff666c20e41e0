package token

import (
	"bytes"
	"testing"

	"github.com/whittle-auth/whittle/token/internal/wire"
)

// TestPayloadsAreNothingElse: keys that sign tokens sign other things too. None of
// those can be taken for a block: they begin otherwise.
func TestPayloadsAreNothingElse(t *testing.T) {
	b := &wire.SignedBlock{Payload: []byte("payload"), Version: signatureV1}
	for name, payload := range map[string][]byte{
		"block":    blockPayload(nil, b, []byte("previous")),
		"block 0":  blockPayload(nil, b, nil),
		"external": externalPayload(nil, []byte("payload"), []byte("previous")),
	} {
		for other, beginning := range map[string][]byte{
			"an SSH signature (PROTOCOL.sshsig)":            []byte("SSHSIG"),
			"SSH user authentication (RFC 4252, section 7)": {0, 0, 0, 32}, // length of the session id
			"the same with a SHA-512 session id":            {0, 0, 0, 64},
			"TLS 1.3 (RFC 8446, section 4.4.3)":             bytes.Repeat([]byte{0x20}, 64),
			"a certificate (X.509, DER)":                    {0x30},
			"a JSON Web Token":                              []byte("ey"),
			"a Git commit":                                  []byte("tree "),
		} {
			if bytes.HasPrefix(payload, beginning) {
				t.Errorf("%s begins like %s", name, other)
			}
		}
		if payload[0] != 0 || payload[1] < 'A' {
			t.Errorf("%s begins with %x", name, payload[:2])
		}
	}
}
