package main

import (
	"crypto/ed25519"
	"runtime"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
)

const (
	audience  = "svc:certs"
	issuer    = "alice@example.com"
	operation = "get"
	resource  = "payments/certs/api"
)

// lifetime is how long an invocation holds. It is longer than signing a pool and sending
// it takes, and so short that the server's memory of what was used turns over in the time
// of a run.
const lifetime = 20 * time.Second

// A caller has what both kinds of token are made with.
type caller struct {
	root   token.PrivateKey // of alice, whom the server trusts
	held   token.Chain      // three hops
	holder token.PrivateKey

	jwtKey  ed25519.PrivateKey
	jwtText string
}

func newCaller() (*caller, error) {
	keys := make([]token.PrivateKey, 4) // the delegator and three holders
	for i := range keys {
		var err error
		if keys[i], err = token.GenerateKey(datalog.Ed25519); err != nil {
			return nil, err
		}
	}
	c := &caller{root: keys[0], holder: keys[3]}
	minted, err := attenuate.Mint(keys[0], attenuate.Grant{
		Delegator: issuer, Agent: "agent:1", AgentKey: keys[1].Public(), TTL: time.Hour,
	}, delegation.Resource("payments/**"), delegation.Operation("get", "post"))
	if err != nil {
		return nil, err
	}
	second, err := attenuate.Handoff(minted, keys[1], "agent:2", keys[2].Public(), delegation.Resource("payments/certs/**"))
	if err != nil {
		return nil, err
	}
	if c.held, err = attenuate.Handoff(second, keys[2], "agent:3", keys[3].Public(), delegation.Operation("get")); err != nil {
		return nil, err
	}
	if _, c.jwtKey, err = ed25519.GenerateKey(nil); err != nil {
		return nil, err
	}
	c.jwtText, err = c.jwt(c.jwtKey)
	return c, err
}

func (c *caller) jwt(key ed25519.PrivateKey) (string, error) {
	return jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.RegisteredClaims{
		Issuer: issuer, Subject: "agent:3", Audience: jwt.ClaimStrings{audience},
		ExpiresAt: jwt.NewNumericDate(time.Now().Add(time.Hour)),
	}).SignedString(key)
}

// invocations signs so many, on all processors.
func (c *caller) invocations(n int) ([]string, error) {
	texts := make([]string, n)
	workers := runtime.NumCPU()
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n && errs[w] == nil; i += workers {
				texts[i], errs[w] = c.invocation(resource)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return texts, nil
}

func (c *caller) invocation(resource string) (string, error) {
	now := time.Now()
	out, err := attenuate.InvokeAt(c.held, c.holder, delegation.Request{
		Operation: operation, Resource: resource, Audience: audience,
	}, now.Add(-delegation.Skew), now.Add(lifetime))
	if err != nil {
		return "", err
	}
	return out.Text(), nil
}
