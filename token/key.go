package token

import (
	"crypto"
	"crypto/ed25519"
	"encoding/asn1"
	"errors"
	"fmt"

	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
	"golang.org/x/crypto/ssh"

	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/internal/wire"
)

// A PublicKey is a public key of one of the algorithms of Biscuit, Ed25519 or
// ECDSA on P-256, or of one that only root keys have here, ML-DSA. Keys compare
// with ==. The zero value is no key: it verifies nothing.
type PublicKey struct{ key datalog.Key }

// An algorithm is one row of the table below: what is fixed about a signature
// algorithm, and its [scheme]. Adding one takes a file with its scheme and a
// line in the table; package datalog knows the text form of its keys.
type algorithm struct {
	number     datalog.Algorithm
	name       string // keys are written name/HEX, secrets name-private/HEX
	sshType    string // the name of its keys in OpenSSH (RFC 4253, section 6.6)
	publicSize int    // bytes of a public key on the wire
	secretSize int    // bytes of a secret on the wire
	scheme     scheme

	// rootOnly says that the algorithm is not Biscuit's. Its keys are for roots:
	// they sign block 0, and no token names one, neither as the next key nor as
	// that of a third party. Package wire refuses them there.
	rootOnly bool
	// oid is the object identifier under which PKCS#8 and SubjectPublicKeyInfo
	// hold keys of an algorithm that crypto/x509 does not know.
	oid asn1.ObjectIdentifier
}

// A scheme does what differs from algorithm to algorithm. Its methods may rely
// on the sizes: public keys and secrets of any other size never reach them.
type scheme interface {
	// checkWire refuses encodings that can be told wrong from their bytes.
	checkWire(pub string) error
	// checkPoint refuses everything that is no valid public key.
	checkPoint(pub string) error
	// verify returns nil when sig is a valid signature. It does all that
	// checkPoint does, or fails in its place.
	verify(pub string, message, sig []byte) error

	// generate returns a new random secret.
	generate() ([]byte, error)
	// open computes the key pair of a secret.
	open(secret []byte) (pair crypto.Signer, pub []byte, err error)
	// sign signs with a key pair from open, deterministically, or where
	// foreign is set with anybody's crypto.Signer.
	sign(pair crypto.Signer, message []byte, foreign bool) ([]byte, error)

	// fromCrypto returns the wire form of a key of package crypto; ok is
	// false when the key is of another algorithm.
	fromCrypto(k crypto.PublicKey) (pub []byte, ok bool, err error)
	// toCrypto is the reverse, for a key that passes checkPoint.
	toCrypto(pub string) (crypto.PublicKey, error)
	// secretFromCrypto returns the secret of a private key of package crypto,
	// and the public half that was stored with it, which may be wrong.
	secretFromCrypto(k crypto.PrivateKey) (secret, stored []byte, ok bool, err error)
	// samePublic reports whether stored, in whatever form key files hold
	// public keys, is the given key.
	samePublic(pub, stored []byte) bool
}

var algorithms = [...]algorithm{
	{
		number: datalog.Ed25519, name: "ed25519", sshType: ssh.KeyAlgoED25519,
		publicSize: wire.Ed25519KeySize, secretSize: ed25519.SeedSize, scheme: ed25519Scheme{},
	},
	{
		number: datalog.Secp256r1, name: "secp256r1", sshType: ssh.KeyAlgoECDSA256,
		publicSize: wire.Secp256r1KeySize, secretSize: 32, scheme: p256Scheme{},
	},
	{
		number: datalog.MLDSA44, name: "mldsa44", sshType: ssh.KeyAlgoMLDSA44,
		publicSize: mldsa44.PublicKeySize, secretSize: mldsa44.SeedSize, scheme: mldsaScheme{mldsa44.Scheme()},
		rootOnly: true, oid: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 17},
	},
	{
		number: datalog.MLDSA65, name: "mldsa65", sshType: ssh.KeyAlgoMLDSA65,
		publicSize: mldsa65.PublicKeySize, secretSize: mldsa65.SeedSize, scheme: mldsaScheme{mldsa65.Scheme()},
		rootOnly: true, oid: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, 18},
	},
}

var (
	errAlgorithm = errors.New("unknown key algorithm")
	errNoKey     = errors.New("no public key given")
	errSignature = errors.New("the signature does not verify")
)

func algorithmOf(number datalog.Algorithm) (*algorithm, error) {
	for i := range algorithms {
		if algorithms[i].number == number {
			return &algorithms[i], nil
		}
	}
	return nil, fmt.Errorf("%w %d", errAlgorithm, int32(number))
}

// PublicKeyFromDatalog checks fully that k is a valid key: its length, that it
// is a point on its curve in the one canonical encoding, and for Ed25519 that
// the point is not of small order.
func PublicKeyFromDatalog(k datalog.Key) (PublicKey, error) {
	pub, err := publicKeyFromWire(k)
	if err != nil {
		return PublicKey{}, err
	}
	if err := pub.checkPoint(); err != nil {
		return PublicKey{}, err
	}
	return pub, nil
}

// NewPublicKey is [PublicKeyFromDatalog] for the bytes as they stand in tokens:
// 32 for Ed25519 (RFC 8032, section 5.1.2), 33 for secp256r1, which is SEC 1
// compressed (section 2.3.3), 1312 for ML-DSA-44 and 1952 for ML-DSA-65
// (FIPS 204, algorithm 22).
func NewPublicKey(alg datalog.Algorithm, key []byte) (PublicKey, error) {
	return PublicKeyFromDatalog(datalog.Key{Algorithm: alg, Bytes: string(key)})
}

// PublicKeyToCompare checks what can be told from the bytes of k alone. It is for a
// key that a token names and that is only compared with those that signed: it may
// be no point on its curve, and then it has signed nothing. Any other use needs
// [PublicKeyFromDatalog], which costs a square root.
func PublicKeyToCompare(k datalog.Key) (PublicKey, error) { return publicKeyFromWire(k) }

// PublicKeyFromCrypto returns the key for an ed25519.PublicKey, an
// *ecdsa.PublicKey on P-256 or an ML-DSA key of cloudflare/circl, checked as by
// [PublicKeyFromDatalog].
func PublicKeyFromCrypto(k crypto.PublicKey) (PublicKey, error) {
	for i := range algorithms {
		a := &algorithms[i]
		pub, ok, err := a.scheme.fromCrypto(k)
		if err != nil {
			return PublicKey{}, err
		}
		if ok {
			return NewPublicKey(a.number, pub)
		}
	}
	return PublicKey{}, fmt.Errorf("a key of type %T cannot be used: keys are Ed25519, ECDSA on P-256 or ML-DSA", k)
}

// publicKeyFromWire checks what can be told from the bytes alone: length,
// prefix, and for Ed25519 the canonical range and the small-order points, of
// which there are few enough to list. It leaves out whether the bytes are on
// the curve, which takes a square root for each key: [PublicKey.Verify] computes
// that anyway for every key of a chain but the last, and a key that no
// signature is verified with needs [PublicKey.checkPoint]. Errors for an
// algorithm that is not known match errAlgorithm.
func publicKeyFromWire(k datalog.Key) (PublicKey, error) {
	a, err := algorithmOf(k.Algorithm)
	if err != nil {
		return PublicKey{}, err
	}
	if len(k.Bytes) != a.publicSize {
		return PublicKey{}, fmt.Errorf("%s public key has %d bytes, want %d", a.name, len(k.Bytes), a.publicSize)
	}
	if err := a.scheme.checkWire(k.Bytes); err != nil {
		return PublicKey{}, fmt.Errorf("%s public key: %w", a.name, err)
	}
	return PublicKey{k}, nil
}

// checkPoint does the checks that [publicKeyFromWire] left out.
func (k PublicKey) checkPoint() error {
	a, err := k.algorithm()
	if err != nil {
		return err
	}
	if err := a.scheme.checkPoint(k.key.Bytes); err != nil {
		return fmt.Errorf("%s public key: %w", a.name, err)
	}
	return nil
}

// algorithm returns the algorithm of a key that is not the zero key. It checks
// the size again, on which every scheme relies.
func (k PublicKey) algorithm() (*algorithm, error) {
	if k.IsZero() {
		return nil, errNoKey
	}
	a, err := algorithmOf(k.key.Algorithm)
	if err == nil && len(k.key.Bytes) != a.publicSize {
		return nil, errNoKey
	}
	return a, err
}

// IsZero reports whether k is the zero value, which is no key.
func (k PublicKey) IsZero() bool { return k == PublicKey{} }

// RootOnly reports whether the key can be a root key and nothing else: no token
// names it, so that it holds none and approves nothing. ML-DSA keys are such.
func (k PublicKey) RootOnly() bool {
	a, err := k.algorithm()
	return err == nil && a.rootOnly
}

// Algorithm returns the key's algorithm. For the zero key it means nothing.
func (k PublicKey) Algorithm() datalog.Algorithm { return k.key.Algorithm }

// Bytes returns the key as it stands in tokens; nil for the zero key.
func (k PublicKey) Bytes() []byte {
	if k.IsZero() {
		return nil
	}
	return []byte(k.key.Bytes)
}

// Datalog returns the key as a trusting clause names it.
func (k PublicKey) Datalog() datalog.Key { return k.key }

// Verify returns nil when sig is k's signature of the message.
//
// Ed25519 is strict: what ed25519-dalek calls verify_strict, and non-canonical
// public keys are refused too. ECDSA takes strict DER and accepts both values
// of s, as Biscuit does: see [IsLowS]. ML-DSA is the pure variant with an empty
// context. Which of them counts is decided by the key, never by the signature.
func (k PublicKey) Verify(message, sig []byte) error {
	a, err := k.algorithm()
	if err != nil {
		return err
	}
	return a.scheme.verify(k.key.Bytes, message, sig)
}
