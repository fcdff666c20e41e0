// Package work holds what is measured: for each piece of work one side for Whittle,
// which comes first, and one for each peer that can do the same.
package work

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/whittle-auth/whittle/bench/measure"
	"github.com/whittle-auth/whittle/bench/peers"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
)

// The names of the sides, as RESULTS.md has them.
const (
	Whittle     = "Whittle"
	BiscuitRust = "biscuit-rust"
	BiscuitWasm = "biscuit-wasm"
	Tenuo       = "Tenuo"
	Macaroon    = "macaroon.v2"
	JWT         = "golang-jwt"
	Cedar       = "cedar-go"
	OPA         = "OPA"
	Bare        = "bare crypto/ed25519"
)

// A Work is one thing that all its sides do.
type Work struct {
	Group string // the table that it belongs to
	Name  string
	Size  int // how many blocks, hops, edges; what the group counts
	Sides []measure.Side
}

// An Env has the peers that are processes.
type Env struct{ Rust, Wasm *peers.Peer }

// ask is a side in another process, made ready by the commands of prepare. A peer that
// cannot be asked says so in its figure.
func ask(name string, p *peers.Peer, op peers.Op, prepare func(*peers.Peer) error) measure.Side {
	return measure.Side{
		Name: name,
		Prepare: func() error {
			if err := p.Missing(); err != nil {
				return err
			}
			return prepare(p)
		},
		Run: p.Run(op),
	}
}

// key returns a fixed Ed25519 key of somebody.
func key(owner string) token.PrivateKey {
	seed := sha256.Sum256([]byte("benchmark key of " + owner))
	k, err := token.NewPrivateKey(datalog.Ed25519, seed[:])
	if err != nil {
		panic(err) // any 32 bytes are a key
	}
	return k
}

// bare is so many signatures and nothing else: what no token of so many can do without.
func bare(signatures int) measure.Side {
	pub, priv, _ := ed25519.GenerateKey(nil) // the system's randomness does not fail
	message := make([]byte, 200)
	signature := ed25519.Sign(priv, message)
	return measure.InProcess(Bare, func() error {
		for range signatures {
			if !ed25519.Verify(pub, message, signature) {
				return errors.New("does not verify")
			}
		}
		return nil
	})
}

// bareSigning is one signature made.
func bareSigning() measure.Side {
	_, priv, _ := ed25519.GenerateKey(nil)
	message := make([]byte, 200)
	return measure.InProcess(Bare, func() error {
		if len(ed25519.Sign(priv, message)) != ed25519.SignatureSize {
			return errors.New("no signature")
		}
		return nil
	})
}

// All lists the work of every group that is compared side by side.
func All(e Env, quick bool) ([]Work, error) {
	var all []Work
	for _, group := range []func(Env, bool) ([]Work, error){biscuits, delegations, making, policies, closures} {
		works, err := group(e, quick)
		if err != nil {
			return nil, fmt.Errorf("preparing: %w", err)
		}
		all = append(all, works...)
	}
	return all, nil
}
