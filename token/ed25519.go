package token

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"filippo.io/edwards25519"
)

// ed25519Scheme is Ed25519 (RFC 8032), with the choices that the RFC leaves
// open made as strictly as they can be while every honest signature passes:
// the equation without cofactor, S below the order, R compared by its encoding,
// and no small-order or non-canonical point anywhere. So each message has one
// signature unless the signer wants otherwise, and no key has a signature that
// fits many messages.
type ed25519Scheme struct{}

var (
	errSmallOrder   = errors.New("small-order point, for which anyone can sign")
	errNotCanonical = errors.New("not the canonical encoding of a point")
	errNotOnCurve   = errors.New("not a point on the curve")
)

// smallOrderY holds the y coordinates, little-endian, of the eight points whose
// order divides 8. Their x coordinates come in pairs that differ in the sign
// bit, or are 0.
var smallOrderY = [...][32]byte{
	{}, // order 4
	{1},
	{ // p-1, order 2
		0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
	},
	{ // order 8
		0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
		0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
	},
	{ // order 8
		0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
		0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
	},
}

// checkEncoding refuses y coordinates of 2^255-19 and above, and small-order
// points. It ignores the sign bit, and so also refuses the encodings of x = 0
// with the sign bit set: y is 1 or p-1 there.
func checkEncoding(enc [32]byte) error {
	enc[31] &= 0x7f
	for i := range smallOrderY {
		if enc == smallOrderY[i] {
			return errSmallOrder
		}
	}
	if enc[0] < 0xed || enc[31] != 0x7f {
		return nil
	}
	for _, b := range enc[1:31] {
		if b != 0xff {
			return nil
		}
	}
	return errNotCanonical
}

func (ed25519Scheme) checkWire(pub string) error { return checkEncoding([32]byte([]byte(pub))) }

func (ed25519Scheme) checkPoint(pub string) error {
	if err := checkEncoding([32]byte([]byte(pub))); err != nil {
		return err
	}
	p, err := new(edwards25519.Point).SetBytes([]byte(pub))
	if err != nil {
		return errNotOnCurve
	}
	// The bytes above say the same. Asking the curve as well costs little here
	// and does not depend on the table.
	if string(p.Bytes()) != pub {
		return errNotCanonical
	}
	if new(edwards25519.Point).MultByCofactor(p).Equal(edwards25519.NewIdentityPoint()) == 1 {
		return errSmallOrder
	}
	return nil
}

func (ed25519Scheme) verify(pub string, message, sig []byte) error {
	if len(sig) != ed25519.SignatureSize {
		return &SignatureFormatError{sig, fmt.Sprintf("ed25519 signature has %d bytes, want %d", len(sig), ed25519.SignatureSize)}
	}
	if err := checkEncoding([32]byte([]byte(pub))); err != nil {
		return fmt.Errorf("ed25519 public key: %w", err)
	}
	// ed25519.Verify recomputes R and compares encodings, so a non-canonical R
	// never passes it; only a small-order R can.
	if err := checkEncoding([32]byte(sig[:32])); err != nil {
		return fmt.Errorf("ed25519 signature: R: %w", err)
	}
	if !ed25519.Verify(ed25519.PublicKey(pub), message, sig) {
		return errSignature
	}
	return nil
}

func (ed25519Scheme) generate() ([]byte, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(rand.Reader, seed); err != nil {
		return nil, err
	}
	return seed, nil
}

func (ed25519Scheme) open(secret []byte) (crypto.Signer, []byte, error) {
	pair := ed25519.NewKeyFromSeed(secret)
	return pair, pair[ed25519.SeedSize:], nil
}

func (ed25519Scheme) sign(pair crypto.Signer, message []byte, _ bool) ([]byte, error) {
	return crypto.SignMessage(pair, rand.Reader, message, crypto.Hash(0))
}

func (ed25519Scheme) fromCrypto(k crypto.PublicKey) ([]byte, bool, error) {
	pub, ok := k.(ed25519.PublicKey)
	return pub, ok, nil
}

func (s ed25519Scheme) toCrypto(pub string) (crypto.PublicKey, error) {
	if err := s.checkPoint(pub); err != nil {
		return nil, err
	}
	return ed25519.PublicKey(pub), nil
}

func (ed25519Scheme) secretFromCrypto(k crypto.PrivateKey) (secret, stored []byte, ok bool, err error) {
	var pair ed25519.PrivateKey
	switch k := k.(type) {
	case ed25519.PrivateKey:
		pair = k
	case *ed25519.PrivateKey:
		if k != nil {
			pair = *k
		}
	default:
		return nil, nil, false, nil
	}
	if len(pair) != ed25519.PrivateKeySize {
		return nil, nil, true, fmt.Errorf("ed25519 private key has %d bytes, want %d", len(pair), ed25519.PrivateKeySize)
	}
	return pair[:ed25519.SeedSize], pair[ed25519.SeedSize:], true, nil
}

func (ed25519Scheme) samePublic(pub, stored []byte) bool { return string(pub) == string(stored) }
