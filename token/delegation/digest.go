package delegation

import (
	"bytes"
	"crypto/sha256"
	"sync"

	"github.com/fxamacker/cbor/v2"
)

// A Digest is what an invocation is bound to.
type Digest [sha256.Size]byte

// deterministic is RFC 8949, section 4.2.1: shortest forms, sorted names.
var deterministic = func() cbor.UserBufferEncMode {
	mode, err := cbor.CoreDetEncOptions().UserBufferEncMode()
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
	type request struct {
		_         struct{} `cbor:",toarray"`
		Operation string
		Resources []string
		Audience  string
		Nonce     []byte
		Args      map[string]any
		Body      any
	}
	return digest("whittle/1 request\x00", prefix[:], &request{
		Operation: c.operation, Resources: c.resources, Audience: c.audience, Nonce: nonce, Args: c.args, Body: c.body,
	})
}

// ActionDigest returns what approvers approve: the request, whichever token and
// nonce it comes with. SHA-256("whittle/1 action\0", CBOR [operation,
// [resources..], audience, {name: value}, body digest or null]).
func (c *Checked) ActionDigest() (Digest, error) {
	type action struct {
		_         struct{} `cbor:",toarray"`
		Operation string
		Resources []string
		Audience  string
		Args      map[string]any
		Body      any
	}
	return digest("whittle/1 action\x00", nil, &action{
		Operation: c.operation, Resources: c.resources, Audience: c.audience, Args: c.args, Body: c.body,
	})
}

// encoded lends digests their memory.
var encoded = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// digest hashes a label, a prefix and the CBOR of content.
func digest(label string, prefix []byte, content any) (Digest, error) {
	const large = 1 << 16
	b := encoded.Get().(*bytes.Buffer)
	b.Reset()
	b.WriteString(label)
	b.Write(prefix)
	if err := deterministic.MarshalToBuffer(content, b); err != nil {
		return Digest{}, err
	}
	d := Digest(sha256.Sum256(b.Bytes()))
	if b.Cap() <= large {
		encoded.Put(b)
	}
	return d, nil
}
