package token

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// p256Scheme is ECDSA on P-256 with SHA-256 (FIPS 186-5). Keys are SEC 1
// compressed, signatures strict DER (SEC 1, section C.5).
type p256Scheme struct{}

var errDER = errors.New("secp256r1 signature is not two integers in DER")

func (p256Scheme) checkWire(pub string) error {
	if pub[0] != 2 && pub[0] != 3 {
		return errors.New("not a compressed point: the first byte must be 2 or 3")
	}
	return nil
}

func (s p256Scheme) checkPoint(pub string) error {
	_, err := s.point(pub)
	return err
}

func (s p256Scheme) point(pub string) (*ecdsa.PublicKey, error) {
	if err := s.checkWire(pub); err != nil {
		return nil, err
	}
	x, y := elliptic.UnmarshalCompressed(elliptic.P256(), []byte(pub))
	if x == nil {
		return nil, errNotOnCurve
	}
	point := make([]byte, 65)
	point[0] = 4
	x.FillBytes(point[1:33])
	y.FillBytes(point[33:])
	return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
}

func (s p256Scheme) verify(pub string, message, sig []byte) error {
	k, err := s.point(pub)
	if err != nil {
		return fmt.Errorf("secp256r1 public key: %w", err)
	}
	digest := sha256.Sum256(message)
	if !ecdsa.VerifyASN1(k, digest[:], sig) {
		return errSignature
	}
	return nil
}

func (p256Scheme) generate() ([]byte, error) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return k.Bytes()
}

func (p256Scheme) open(secret []byte) (crypto.Signer, []byte, error) {
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), secret)
	if err != nil {
		return nil, nil, errors.New("the scalar is zero or not below the order of the curve")
	}
	return k, elliptic.MarshalCompressed(elliptic.P256(), k.X, k.Y), nil
}

func (p256Scheme) sign(pair crypto.Signer, message []byte, foreign bool) ([]byte, error) {
	random := rand.Reader
	if !foreign {
		random = nil // makes crypto/ecdsa sign as in RFC 6979
	}
	sig, err := crypto.SignMessage(pair, random, message, crypto.SHA256)
	if err != nil {
		return nil, err
	}
	return normalizeLowS(sig)
}

func (p256Scheme) fromCrypto(k crypto.PublicKey) ([]byte, bool, error) {
	pub, ok := k.(*ecdsa.PublicKey)
	if !ok {
		return nil, false, nil
	}
	if pub == nil || pub.Curve != elliptic.P256() {
		return nil, true, errors.New("ECDSA keys must be on the curve P-256")
	}
	point, err := pub.Bytes() // uncompressed: 4, x, y; fails off the curve
	if err != nil {
		return nil, true, err
	}
	return compressed(point), true, nil
}

// compressed returns the compressed form of an uncompressed point.
func compressed(point []byte) []byte {
	return append([]byte{2 | point[64]&1}, point[1:33]...)
}

func (s p256Scheme) toCrypto(pub string) (crypto.PublicKey, error) { return s.point(pub) }

func (s p256Scheme) secretFromCrypto(k crypto.PrivateKey) (secret, stored []byte, ok bool, err error) {
	pair, ok := k.(*ecdsa.PrivateKey)
	if !ok {
		return nil, nil, false, nil
	}
	//lint:ignore SA1019 a key that somebody else made may lack them, and Bytes does not expect that
	if pair == nil || pair.D == nil || pair.X == nil || pair.Y == nil {
		return nil, nil, true, errors.New("ECDSA private key is incomplete")
	}
	stored, _, err = s.fromCrypto(&pair.PublicKey)
	if err != nil {
		return nil, nil, true, err
	}
	if secret, err = pair.Bytes(); err != nil {
		return nil, nil, true, err
	}
	return secret, stored, true, nil
}

func (p256Scheme) samePublic(pub, stored []byte) bool {
	if len(stored) == 65 && stored[0] == 4 {
		// The compressed form leaves out all of y but its parity.
		_, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), stored)
		return err == nil && bytes.Equal(pub, compressed(stored))
	}
	return bytes.Equal(pub, stored)
}

// IsLowS reports whether an ECDSA signature on P-256 is strict DER and its s is
// in the lower half of the range. For every signature (r, s) the signature
// (r, n-s) verifies too, so that whoever sees one can make the other; tokens of
// our profile allow only the low one.
func IsLowS(sig []byte) bool {
	_, s, err := readSignature(sig)
	return err == nil && s.Cmp(halfOrder()) <= 0
}

// LowS returns the low-s form of a signature on P-256, and any other bytes as
// they are: what identifies a signature must not change when somebody replaces
// (r, s) by (r, n-s).
func LowS(sig []byte) []byte {
	if _, s, err := readSignature(sig); err != nil || s.Cmp(halfOrder()) <= 0 {
		return sig
	}
	low, err := normalizeLowS(sig)
	if err != nil {
		return sig
	}
	return low
}

// normalizeLowS returns the low-s form of an ECDSA signature on P-256. It fails
// on anything but strict DER with r and s in range.
func normalizeLowS(sig []byte) ([]byte, error) {
	r, s, err := readSignature(sig)
	if err != nil {
		return nil, err
	}
	if s.Cmp(halfOrder()) <= 0 {
		return bytes.Clone(sig), nil
	}
	s.Sub(elliptic.P256().Params().N, s)
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(r)
		b.AddASN1BigInt(s)
	})
	return b.Bytes()
}

// halfOrder returns (n-1)/2, the largest low s.
func halfOrder() *big.Int { return new(big.Int).Rsh(elliptic.P256().Params().N, 1) }

// readSignature reads Ecdsa-Sig-Value. Both integers are in [1, n-1].
func readSignature(sig []byte) (r, s *big.Int, err error) {
	var inner cryptobyte.String
	var rb, sb []byte
	input := cryptobyte.String(sig)
	if !input.ReadASN1(&inner, asn1.SEQUENCE) || !input.Empty() ||
		!inner.ReadASN1Integer(&rb) || !inner.ReadASN1Integer(&sb) || !inner.Empty() {
		return nil, nil, errDER
	}
	order := elliptic.P256().Params().N
	r, s = new(big.Int).SetBytes(rb), new(big.Int).SetBytes(sb)
	if r.Sign() == 0 || s.Sign() == 0 || r.Cmp(order) >= 0 || s.Cmp(order) >= 0 {
		return nil, nil, errors.New("secp256r1 signature is out of range")
	}
	return r, s, nil
}
