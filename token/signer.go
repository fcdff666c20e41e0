package token

import (
	"crypto"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/whittle-auth/whittle/token/datalog"
)

// A Signer signs with a private key that may be anywhere: in this process
// ([PrivateKey]), or in an agent, an HSM or a key service ([NewSigner]).
// Whoever implements Signer otherwise returns Ed25519 signatures of 64 bytes, or
// ECDSA signatures in DER over the SHA-256 digest of the message, with a low s; for
// ML-DSA, pure signatures with an empty context.
type Signer interface {
	// Public returns the key that the signatures verify with. It never
	// changes.
	Public() PublicKey
	// Sign signs the message itself, not a digest of it.
	Sign(message []byte) ([]byte, error)
}

// A PrivateKey is a key pair in memory. Nothing prints its secret, by whatever
// verb, logger or encoder; [PrivateKey.Secret], [PrivateKey.Text] and the
// Marshal methods for key files hand it out on request. The zero value is no
// key: it signs nothing. Private keys are safe for concurrent use.
type PrivateKey struct {
	// A function, because fmt prints the unexported fields of other people's
	// structs without asking Format, and follows pointers when the verb does
	// not suit them. Nothing looks into a function. It is nil for the zero key.
	open func() *keyPair
}

type keyPair struct {
	algorithm *algorithm
	secret    []byte
	public    PublicKey
	signer    crypto.Signer
}

var errNoPrivateKey = errors.New("no private key given")

// GenerateKey returns a new random key.
func GenerateKey(alg datalog.Algorithm) (PrivateKey, error) {
	a, err := algorithmOf(alg)
	if err != nil {
		return PrivateKey{}, err
	}
	secret, err := a.scheme.generate()
	if err != nil {
		return PrivateKey{}, fmt.Errorf("%s: %w", a.name, err)
	}
	return NewPrivateKey(alg, secret)
}

// NewPrivateKey returns the key with the given secret, as it stands in a
// token's proof: the 32 bytes of an Ed25519 seed, or a P-256 scalar as 32 bytes
// big-endian, from 1 to the order of the curve less one. For ML-DSA it is the seed
// of 32 bytes (FIPS 204, section 3.6.3).
func NewPrivateKey(alg datalog.Algorithm, secret []byte) (PrivateKey, error) {
	a, err := algorithmOf(alg)
	if err != nil {
		return PrivateKey{}, err
	}
	if len(secret) != a.secretSize {
		return PrivateKey{}, fmt.Errorf("%s private key has %d bytes, want %d", a.name, len(secret), a.secretSize)
	}
	secret = slices.Clone(secret)
	signer, pub, err := a.scheme.open(secret)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("%s private key: %w", a.name, err)
	}
	pair := &keyPair{
		algorithm: a,
		secret:    secret,
		public:    PublicKey{datalog.Key{Algorithm: alg, Bytes: string(pub)}},
		signer:    signer,
	}
	return PrivateKey{func() *keyPair { return pair }}, nil
}

// privateKeyFromCrypto takes the secret of a key of package crypto and
// recomputes the public half. A key that carries another one is refused: who
// can make Ed25519 sign under a wrong public key learns the secret
// (RUSTSEC-2022-0093). ok is false for keys that only their owner can use.
func privateKeyFromCrypto(k crypto.PrivateKey) (key PrivateKey, ok bool, err error) {
	for i := range algorithms {
		a := &algorithms[i]
		secret, stored, ok, err := a.scheme.secretFromCrypto(k)
		if err != nil {
			return PrivateKey{}, true, err
		}
		if !ok {
			continue
		}
		if key, err = NewPrivateKey(a.number, secret); err != nil {
			return PrivateKey{}, true, err
		}
		if err := key.checkStored(stored); err != nil {
			return PrivateKey{}, true, err
		}
		return key, true, nil
	}
	return PrivateKey{}, false, nil
}

// checkStored fails when a key was stored with a public half that is not its
// own.
func (k PrivateKey) checkStored(stored []byte) error {
	pair := k.open()
	if !pair.algorithm.scheme.samePublic([]byte(pair.public.key.Bytes), stored) {
		return fmt.Errorf("the stored public key does not belong to the secret, which has %s: the key is damaged or was tampered with", pair.public.Brief())
	}
	return nil
}

// IsZero reports whether k is the zero value, which is no key.
func (k PrivateKey) IsZero() bool { return k.open == nil }

// Public returns the public half; the zero key where k is.
func (k PrivateKey) Public() PublicKey {
	if k.open == nil {
		return PublicKey{}
	}
	return k.open().public
}

// Sign signs the message. The same message always gets the same signature:
// Ed25519 by its nature, ECDSA by RFC 6979 and with a low s, ML-DSA in its
// deterministic variant.
func (k PrivateKey) Sign(message []byte) ([]byte, error) {
	if k.open == nil {
		return nil, errNoPrivateKey
	}
	pair := k.open()
	return pair.algorithm.scheme.sign(pair.signer, message, false)
}

// Secret returns a copy of the secret, as for [NewPrivateKey]; nil for the zero
// key.
func (k PrivateKey) Secret() []byte {
	if k.open == nil {
		return nil
	}
	return slices.Clone(k.open().secret)
}

// Text returns the secret in text form, as in ed25519-private/0123.., which
// [ParsePrivateKey] reads; empty for the zero key.
func (k PrivateKey) Text() string {
	if k.open == nil {
		return ""
	}
	pair := k.open()
	return pair.algorithm.name + privateSuffix + hex.EncodeToString(pair.secret)
}

// String returns the name of the algorithm, with REDACTED for the secret.
func (k PrivateKey) String() string {
	if k.open == nil {
		return "(no private key)"
	}
	return k.open().algorithm.name + privateSuffix + "REDACTED"
}

// GoString is String.
func (k PrivateKey) GoString() string { return k.String() }

// Format prints String, whatever the verb and its flags.
func (k PrivateKey) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, k.String()) // fmt has no use for the error
}

// MarshalJSON returns String as a JSON string.
func (k PrivateKey) MarshalJSON() ([]byte, error) { return json.Marshal(k.String()) }

// LogValue returns String.
func (k PrivateKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

// NewSigner returns a Signer for an Ed25519 or ECDSA P-256 key behind a
// crypto.Signer. For ECDSA it must return DER, as the crypto packages do. It gets
// messages if it is a crypto.MessageSigner, else for ECDSA their digests. Each
// signature is brought to low s and verified before it is returned, since a
// faulty one can be as good as the secret. Keys of crypto/ed25519 and crypto/ecdsa
// become a [PrivateKey] and are refused when their public half is not their own.
func NewSigner(s crypto.Signer) (Signer, error) {
	if s == nil {
		return nil, errNoPrivateKey
	}
	if key, ok, err := privateKeyFromCrypto(s); err != nil {
		return nil, err
	} else if ok {
		return key, nil
	}
	pub, err := PublicKeyFromCrypto(s.Public())
	if err != nil {
		return nil, err
	}
	a, err := pub.algorithm()
	if err != nil {
		return nil, err
	}
	return foreignSigner{s, pub, a}, nil
}

// foreignSigner is a key that somebody else holds.
type foreignSigner struct {
	signer    crypto.Signer
	public    PublicKey
	algorithm *algorithm
}

func (f foreignSigner) Public() PublicKey { return f.public }

func (f foreignSigner) Sign(message []byte) ([]byte, error) {
	sig, err := f.algorithm.scheme.sign(f.signer, message, true)
	if err != nil {
		return nil, fmt.Errorf("signing with %s: %w", f.public.Brief(), err)
	}
	if err := f.public.Verify(message, sig); err != nil {
		return nil, fmt.Errorf("the signer for %s returned a bad signature: %w", f.public.Brief(), err)
	}
	return sig, nil
}
