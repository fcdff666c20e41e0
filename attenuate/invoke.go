package attenuate

import (
	"crypto/rand"
	"fmt"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
)

// Window is how long an invocation made by [Invoke] holds, from now on.
const Window = 60 * time.Second

// Invoke binds a held token to one request, signed with the holder's key: from
// 30 seconds before now, to allow for clocks that differ, to [Window] after.
// The result is what goes to the service. Whether the token allows the request is
// for the service to say.
func Invoke(c token.Chain, holder token.Signer, req delegation.Request) (token.Chain, error) {
	now := time.Now()
	return InvokeAt(c, holder, req, now.Add(-delegation.Skew), now.Add(Window))
}

// InvokeAt is [Invoke] with a window of one's own: from is included, until is
// not. The window may be [delegation.MaxWindow] long, and the 30 seconds more. Prefer Invoke.
func InvokeAt(c token.Chain, holder token.Signer, req delegation.Request, from, until time.Time) (token.Chain, error) {
	if err := invocable(c, from, until, delegation.MaxWindow); err != nil {
		return nil, err
	}
	checked, err := req.Check()
	if err != nil {
		return nil, err
	}
	nonce := freshNonce()
	request, err := checked.Digest(c.PrefixHash(len(c.Blocks())), nonce)
	if err != nil {
		return nil, err
	}
	inv := delegation.Invocation{
		Nonce:     nonce,
		Request:   request,
		Audience:  req.Audience,
		NotBefore: uint64(from.Unix()),
		Expires:   uint64(until.Unix()),
	}
	return invoked(c, holder, &inv)
}

// invocable returns why a token cannot be invoked for a window, or nil.
func invocable(c token.Chain, from, until time.Time, longest time.Duration) error {
	chain, err := open(c)
	if err != nil {
		return err
	}
	if chain.Bearer {
		return token.Errorf(token.CodeProfile, -1, "a bearer token cannot be invoked: present it as it is")
	}
	if from.Unix() < 0 || until.Unix() <= from.Unix() {
		return fmt.Errorf("the window of an invocation ends after it begins, by a second at least")
	}
	if until.Sub(from) > longest+delegation.Skew {
		return fmt.Errorf("an invocation holds for %s at most", longest)
	}
	return nil
}

// freshNonce is drawn anew each time: two invocations of one request are two.
func freshNonce() []byte {
	nonce := make([]byte, 16)
	rand.Read(nonce)
	return nonce
}

// invoked appends an invocation, after which nothing can follow.
func invoked(c token.Chain, holder token.Signer, inv *delegation.Invocation) (token.Chain, error) {
	presented, err := c.Append(holder, inv.Content(), token.WithSecret(token.InvocationKey()))
	if err != nil {
		return nil, err
	}
	return acceptable(presented)
}
