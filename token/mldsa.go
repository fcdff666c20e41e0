package token

import (
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"

	circl "github.com/cloudflare/circl/sign"
	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
)

// mldsaScheme is one parameter set of ML-DSA (FIPS 204): the pure variant, with an
// empty context. Secrets are the seed, from which the key pair is computed.
type mldsaScheme struct{ set circl.Scheme }

// mldsaSeedA is the length of the part of a public key that expands to the matrix
// A; the vector t1 follows.
const mldsaSeedA = 32

var errZeroVector = errors.New("the vector t1 is zero, for which anyone can sign")

// checkWire refuses the one sort of key whose secret everybody knows: with
// t1 = 0, the secret vectors zero belong to it, whatever the matrix. Every other
// sequence of bytes is the encoding of a key.
func (mldsaScheme) checkWire(pub string) error {
	if strings.Trim(pub[mldsaSeedA:], "\x00") == "" {
		return errZeroVector
	}
	return nil
}

func (s mldsaScheme) checkPoint(pub string) error { return s.checkWire(pub) }

func (s mldsaScheme) verify(pub string, message, sig []byte) error {
	if want := s.set.SignatureSize(); len(sig) != want {
		return &SignatureFormatError{sig, fmt.Sprintf("%s signature has %d bytes, want %d", s.set.Name(), len(sig), want)}
	}
	if err := s.checkWire(pub); err != nil {
		return fmt.Errorf("%s public key: %w", s.set.Name(), err)
	}
	k, err := s.set.UnmarshalBinaryPublicKey([]byte(pub))
	if err != nil {
		return err
	}
	if !s.set.Verify(k, message, sig, nil) {
		return errSignature
	}
	return nil
}

func (s mldsaScheme) generate() ([]byte, error) {
	seed := make([]byte, s.set.SeedSize())
	if _, err := io.ReadFull(rand.Reader, seed); err != nil {
		return nil, err
	}
	return seed, nil
}

func (s mldsaScheme) open(secret []byte) (crypto.Signer, []byte, error) {
	public, pair := s.set.DeriveKey(secret)
	pub, err := public.MarshalBinary()
	return pair, pub, err
}

// sign is deterministic for keys of circl, whose Sign makes no use of randomness.
func (mldsaScheme) sign(pair crypto.Signer, message []byte, _ bool) ([]byte, error) {
	return crypto.SignMessage(pair, rand.Reader, message, crypto.Hash(0))
}

func (s mldsaScheme) fromCrypto(k crypto.PublicKey) ([]byte, bool, error) {
	switch k := k.(type) {
	case *mldsa44.PublicKey:
		if k != nil && s.set == mldsa44.Scheme() {
			return k.Bytes(), true, nil
		}
	case *mldsa65.PublicKey:
		if k != nil && s.set == mldsa65.Scheme() {
			return k.Bytes(), true, nil
		}
	}
	return nil, false, nil
}

func (s mldsaScheme) toCrypto(pub string) (crypto.PublicKey, error) {
	if err := s.checkPoint(pub); err != nil {
		return nil, err
	}
	return s.set.UnmarshalBinaryPublicKey([]byte(pub))
}

// secretFromCrypto takes the seed. A key that was made without one, from its
// expanded form, is used as it is, as are those of other packages.
func (s mldsaScheme) secretFromCrypto(k crypto.PrivateKey) (secret, stored []byte, ok bool, err error) {
	switch k := k.(type) {
	case *mldsa44.PrivateKey:
		if k == nil || s.set != mldsa44.Scheme() {
			return nil, nil, false, nil
		}
		secret = k.Seed()
	case *mldsa65.PrivateKey:
		if k == nil || s.set != mldsa65.Scheme() {
			return nil, nil, false, nil
		}
		secret = k.Seed()
	}
	if secret == nil {
		return nil, nil, false, nil
	}
	stored, _, err = s.fromCrypto(k.(crypto.Signer).Public())
	return secret, stored, true, err
}

func (mldsaScheme) samePublic(pub, stored []byte) bool { return string(pub) == string(stored) }
