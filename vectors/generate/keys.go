package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"

	"github.com/cloudflare/circl/sign"
	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
)

// Algorithms as numbered in the Biscuit schema, and two that are ours.
const (
	algEd25519 = 0
	algP256    = 1
	algMLDSA44 = 0x0904
	algMLDSA65 = 0x0905
)

// algorithmNames are how the text form and OpenSSH call them.
var algorithmNames = map[uint64]struct{ text, ssh string }{
	algEd25519: {"ed25519", "ssh-ed25519"},
	algP256:    {"secp256r1", "ecdsa-sha2-nistp256"},
	algMLDSA44: {"mldsa44", "ssh-mldsa-44"},
	algMLDSA65: {"mldsa65", "ssh-mldsa-65"},
}

// A publicKey is a public key as a token carries it, valid or not.
type publicKey struct {
	alg   uint64
	bytes []byte
}

// A key is a key pair. The secret is the 32 bytes that stand in nextSecret.
type key struct {
	publicKey
	secret []byte
	ed     ed25519.PrivateKey
	p256   *ecdsa.PrivateKey
	mldsa  sign.PrivateKey
}

// edKey derives an Ed25519 key pair from a name, the same at each run.
func edKey(name string) key {
	seed := sha256.Sum256([]byte("whittle vectors ed25519 " + name))
	return edKeyFromSeed(seed[:])
}

func edKeyFromSeed(seed []byte) key {
	priv := ed25519.NewKeyFromSeed(seed)
	pub := priv.Public().(ed25519.PublicKey)
	return key{publicKey: publicKey{algEd25519, pub}, secret: seed, ed: priv}
}

// p256Key derives a P-256 key pair from a name, the same at each run.
func p256Key(name string) key {
	scalar := sha256.Sum256([]byte("whittle vectors p256 " + name))
	return p256KeyFromScalar(scalar[:])
}

func p256KeyFromScalar(scalar []byte) key {
	priv, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar)
	if err != nil {
		panic(fmt.Sprintf("no P-256 key: %v", err))
	}
	uncompressed, err := priv.PublicKey.Bytes()
	if err != nil {
		panic(fmt.Sprintf("no P-256 key: %v", err))
	}
	compressed := append([]byte{2 + uncompressed[64]&1}, uncompressed[1:33]...)
	return key{publicKey: publicKey{algP256, compressed}, secret: scalar, p256: priv}
}

// mldsaKey derives an ML-DSA key pair from a name, the same at each run.
func mldsaKey(alg uint64, name string) key {
	set := mldsa44.Scheme()
	if alg == algMLDSA65 {
		set = mldsa65.Scheme()
	}
	seed := sha256.Sum256([]byte("whittle vectors " + algorithmNames[alg].text + " " + name))
	pub, priv := set.DeriveKey(seed[:])
	public, err := pub.MarshalBinary()
	if err != nil {
		panic(fmt.Sprintf("no ML-DSA key for %q: %v", name, err))
	}
	return key{publicKey: publicKey{alg, public}, secret: seed[:], mldsa: priv}
}

// invocationKey is the published key that ends each presented token.
func invocationKey() key {
	seed := sha256.Sum256([]byte("whittle/1 invocation key"))
	return edKeyFromSeed(seed[:])
}

// sign signs with Ed25519, or with ECDSA over SHA-256, deterministic (RFC 6979)
// and low-S, in DER, or with ML-DSA, deterministic, pure and without a context.
func (k key) sign(msg []byte) []byte {
	if k.mldsa != nil {
		return k.mldsa.Scheme().Sign(k.mldsa, msg, nil)
	}
	if k.ed != nil {
		return ed25519.Sign(k.ed, msg)
	}
	digest := sha256.Sum256(msg)
	sig, err := k.p256.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		panic(fmt.Sprintf("P-256 signature: %v", err))
	}
	if !isLowS(sig) {
		sig = flipS(sig)
	}
	return sig
}

// text is the form NAME/HEX.
func (k publicKey) text() string {
	return algorithmNames[k.alg].text + "/" + hex.EncodeToString(k.bytes)
}

// proto is the PublicKey message.
func (k publicKey) proto() message {
	return message{uintField(1, k.alg), bytesField(2, k.bytes)}
}

// algorithm is the algorithm's number as signed payloads contain it.
func (k publicKey) algorithm() []byte {
	return binary.LittleEndian.AppendUint32(nil, uint32(k.alg))
}

// uncompressed is the SEC 1 form of a P-256 key that tokens must not carry.
func (k publicKey) uncompressed() []byte {
	x, y := elliptic.UnmarshalCompressed(elliptic.P256(), k.bytes)
	out := make([]byte, 65)
	out[0] = 4
	x.FillBytes(out[1:33])
	y.FillBytes(out[33:])
	return out
}

// ssh is the key as one authorized_keys field pair: type and base64 (RFC 4253
// section 6.6, RFC 8709, RFC 5656 section 3.1, draft-sfluhrer-ssh-mldsa).
func (k publicKey) ssh() string {
	name := algorithmNames[k.alg].ssh
	var blob []byte
	put := func(b []byte) {
		blob = binary.BigEndian.AppendUint32(blob, uint32(len(b)))
		blob = append(blob, b...)
	}
	put([]byte(name))
	if k.alg == algP256 {
		put([]byte("nistp256"))
		put(k.uncompressed())
	} else {
		put(k.bytes)
	}
	return name + " " + base64.StdEncoding.EncodeToString(blob)
}

// rootKeyID is the hint by which a trust file's entry is found: the first four
// bytes of SHA-256 over the key's text form, big endian.
func (k publicKey) rootKeyID() uint32 {
	sum := sha256.Sum256([]byte(k.text()))
	return binary.BigEndian.Uint32(sum[:])
}

// offCurveP256 is a well-formed compressed encoding of no point.
func offCurveP256() publicKey {
	x := new(big.Int)
	for i := int64(1); ; i++ {
		b := append([]byte{2}, x.SetInt64(i).FillBytes(make([]byte, 32))...)
		if px, _ := elliptic.UnmarshalCompressed(elliptic.P256(), b); px == nil {
			return publicKey{algP256, b}
		}
	}
}
