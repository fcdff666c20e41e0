package delegation

import (
	"crypto/sha256"

	"github.com/fxamacker/cbor/v2"
)

// A Digest is what an invocation is bound to.
type Digest [sha256.Size]byte

// deterministic is RFC 8949, section 4.2.1: shortest forms, sorted names.
var deterministic = func() cbor.EncMode {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic("delegation: the options are constant and cannot fail: " + err.Error())
	}
	return mode
}()

// Digest returns what binds an invocation to this request, with the given nonce
// and for the held token with the given prefix hash only. It covers the values,
// not some spelling of them: SHA-256("whittle/1 request\0", prefix hash,
// CBOR [operation, [resources..], audience, nonce, {name: value}, body digest or
// null]).
func (c *Checked) Digest(prefix [32]byte, nonce []byte) (Digest, error) {
	return digest("whittle/1 request\x00", prefix[:], []any{c.operation, c.resources, c.audience, nonce, c.args, c.body})
}

// ActionDigest returns what approvers approve: the request, whichever token and
// nonce it comes with. SHA-256("whittle/1 action\0", CBOR [operation,
// [resources..], audience, {name: value}, body digest or null]).
func (c *Checked) ActionDigest() (Digest, error) {
	return digest("whittle/1 action\x00", nil, []any{c.operation, c.resources, c.audience, c.args, c.body})
}

func digest(label string, prefix []byte, content []any) (d Digest, err error) {
	encoded, err := deterministic.Marshal(content)
	if err != nil {
		return Digest{}, err
	}
	h := sha256.New()
	h.Write([]byte(label))
	h.Write(prefix)
	h.Write(encoded)
	h.Sum(d[:0])
	return d, nil
}
