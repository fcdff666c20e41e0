package token

import (
	"crypto/sha256"
	"sync"

	"github.com/whittle-auth/whittle/token/datalog"
)

var invocationKey = sync.OnceValue(func() PrivateKey {
	seed := sha256.Sum256([]byte("whittle/1 invocation key"))
	k, err := NewPrivateKey(datalog.Ed25519, seed[:])
	if err != nil {
		panic("token: the invocation key is a constant and cannot fail: " + err.Error())
	}
	return k
})

// InvocationKey returns the key pair whose secret is published: Ed25519 with
// the seed SHA-256("whittle/1 invocation key"). A block that names it as next
// key ends its chain, since anyone could go on from there, and the secret in
// the proof makes the result a Biscuit that any implementation accepts.
func InvocationKey() PrivateKey { return invocationKey() }

var invocationPublic = sync.OnceValue(func() PublicKey { return InvocationKey().Public() })
var invocationSecret = sync.OnceValue(func() string { return string(InvocationKey().Secret()) })

// IsInvocationKey reports whether k is the public half of [InvocationKey].
func IsInvocationKey(k PublicKey) bool { return k == invocationPublic() }
