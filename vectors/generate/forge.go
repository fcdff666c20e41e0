package main

import (
	"crypto/elliptic"
	"crypto/sha512"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"
)

// edOrder is L, the order of the Ed25519 base point (RFC 8032 section 5.1), and
// edPrime the field's 2^255-19.
var (
	edOrder, _ = new(big.Int).SetString("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed", 16)
	edPrime    = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
)

func littleEndian(x *big.Int) []byte {
	b := x.FillBytes(make([]byte, 32))
	slices.Reverse(b)
	return b
}

func fromLittleEndian(b []byte) *big.Int {
	b = slices.Clone(b)
	slices.Reverse(b)
	return new(big.Int).SetBytes(b)
}

// identityKey is the neutral element: under it one signature fits each message.
func identityKey() publicKey {
	return publicKey{algEd25519, littleEndian(big.NewInt(1))}
}

// longIdentityKey spells the neutral element with y = p + 1.
func longIdentityKey() publicKey {
	return publicKey{algEd25519, littleEndian(new(big.Int).Add(edPrime, big.NewInt(1)))}
}

// longKey spells a point of large order with y = p + 3. The point with y = 3
// is on the curve.
func longKey() publicKey {
	return publicKey{algEd25519, littleEndian(new(big.Int).Add(edPrime, big.NewInt(3)))}
}

// universalSignature verifies under the identity key for each message, in
// verifiers that do not refuse small-order keys: R is the identity, S is 0.
func universalSignature() []byte {
	return append(littleEndian(big.NewInt(1)), make([]byte, 32)...)
}

// smallOrderR signs with R the identity: S = k·a satisfies the equation, and
// only a strict verifier refuses it.
func smallOrderR(k key, msg []byte) []byte {
	h := sha512.Sum512(k.secret)
	h[0] &= 248
	h[31] &= 127
	h[31] |= 64
	a := fromLittleEndian(h[:32])

	r := littleEndian(big.NewInt(1))
	challenge := sha512.Sum512(slices.Concat(r, k.bytes, msg))
	s := fromLittleEndian(challenge[:])
	s.Mul(s, a).Mod(s, edOrder)
	return append(r, littleEndian(s)...)
}

// addOrder replaces S by S + L, which lax verifiers accept.
func addOrder(sig []byte) []byte {
	s := fromLittleEndian(sig[32:])
	return append(slices.Clone(sig[:32]), littleEndian(s.Add(s, edOrder))...)
}

type ecdsaSignature struct{ R, S *big.Int }

func parseDER(sig []byte) ecdsaSignature {
	var v ecdsaSignature
	if rest, err := asn1.Unmarshal(sig, &v); err != nil || len(rest) > 0 {
		panic(fmt.Sprintf("not a DER signature: %x", sig))
	}
	return v
}

func isLowS(sig []byte) bool {
	half := new(big.Int).Rsh(elliptic.P256().Params().N, 1)
	return parseDER(sig).S.Cmp(half) <= 0
}

// flipS replaces S by N - S, the other valid signature with the same R.
func flipS(sig []byte) []byte {
	v := parseDER(sig)
	v.S.Sub(elliptic.P256().Params().N, v.S)
	out, err := asn1.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("DER signature: %v", err))
	}
	return out
}
