package token

import (
	"bytes"
	stdasn1 "encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ssh"
)

// The key files of algorithms that neither crypto/x509 nor package ssh knows. Their
// keys are plain bytes, so that little is needed: SubjectPublicKeyInfo and PKCS#8
// as in RFC 9881, and OpenSSH's public keys as in draft-sfluhrer-ssh-mldsa.

// algorithmOfOID returns the algorithm that an AlgorithmIdentifier names, nil if
// it is none of those. Parameters must be absent.
func algorithmOfOID(ident cryptobyte.String) (*algorithm, error) {
	var oid stdasn1.ObjectIdentifier
	if !ident.ReadASN1ObjectIdentifier(&oid) {
		return nil, nil
	}
	for i := range algorithms {
		a := &algorithms[i]
		if a.oid == nil || !a.oid.Equal(oid) {
			continue
		}
		if !ident.Empty() {
			return nil, fmt.Errorf("%s takes no parameters", a.name)
		}
		return a, nil
	}
	return nil, nil
}

// parseRawSPKI reads SubjectPublicKeyInfo. ok is false if the key is of an
// algorithm that crypto/x509 knows, or of none.
func parseRawSPKI(der []byte) (k PublicKey, ok bool, err error) {
	var body, ident cryptobyte.String
	input := cryptobyte.String(der)
	if !input.ReadASN1(&body, asn1.SEQUENCE) || !body.ReadASN1(&ident, asn1.SEQUENCE) {
		return PublicKey{}, false, nil
	}
	a, err := algorithmOfOID(ident)
	if a == nil {
		return PublicKey{}, err != nil, err
	}
	var key []byte
	if !body.ReadASN1BitStringAsBytes(&key) || !body.Empty() || !input.Empty() {
		return PublicKey{}, true, errors.New("the public key's DER is malformed")
	}
	k, err = NewPublicKey(a.number, key)
	return k, true, err
}

// marshalRawSPKI is the reverse.
func (a *algorithm) marshalRawSPKI(pub string) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(a.oid) })
		b.AddASN1BitString([]byte(pub))
	})
	return b.Bytes()
}

// tagSeed marks a private key that is a seed (RFC 9881, section 6).
var tagSeed = asn1.Tag(0).ContextSpecific()

// parseRawPKCS8 reads the private key in PKCS#8: the seed, alone or with the
// expanded key, which must then be the seed's.
func (a *algorithm) parseRawPKCS8(inner cryptobyte.String) (PrivateKey, error) {
	var seed, expanded, both cryptobyte.String
	switch {
	case inner.PeekASN1Tag(tagSeed):
		if !inner.ReadASN1(&seed, tagSeed) || !inner.Empty() {
			return PrivateKey{}, errKeyDER
		}
	case inner.PeekASN1Tag(asn1.SEQUENCE):
		if !inner.ReadASN1(&both, asn1.SEQUENCE) || !inner.Empty() ||
			!both.ReadASN1(&seed, asn1.OCTET_STRING) || !both.ReadASN1(&expanded, asn1.OCTET_STRING) || !both.Empty() {
			return PrivateKey{}, errKeyDER
		}
	case inner.PeekASN1Tag(asn1.OCTET_STRING):
		return PrivateKey{}, fmt.Errorf("the file has a %s key without its seed: only keys with a seed are read", a.name)
	default:
		return PrivateKey{}, errKeyDER
	}
	k, err := NewPrivateKey(a.number, seed)
	if err != nil || expanded == nil {
		return k, err
	}
	own, err := k.open().signer.(interface{ MarshalBinary() ([]byte, error) }).MarshalBinary() // as every key of circl
	if err != nil {
		return PrivateKey{}, err
	}
	if !bytes.Equal(own, expanded) {
		return PrivateKey{}, errors.New("the file's expanded key is not that of its seed: the file is damaged or was tampered with")
	}
	return k, nil
}

// marshalRawPKCS8 writes the seed alone, as RFC 9881 recommends.
func (a *algorithm) marshalRawPKCS8(seed []byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(0)
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(a.oid) })
		b.AddASN1(asn1.OCTET_STRING, func(b *cryptobyte.Builder) {
			b.AddASN1(tagSeed, func(b *cryptobyte.Builder) { b.AddBytes(seed) })
		})
	})
	return b.Bytes()
}

// rawSSH is a public key in OpenSSH: its type, and its bytes.
type rawSSH struct {
	Type string
	Key  []byte
}

// parseRawSSH reads the key of a line of an authorized_keys file.
func (a *algorithm) parseRawSSH(blob []byte) (PublicKey, error) {
	var k rawSSH
	if err := ssh.Unmarshal(blob, &k); err != nil {
		return PublicKey{}, fmt.Errorf("invalid %s key: %w", a.sshType, err)
	}
	if k.Type != a.sshType {
		return PublicKey{}, fmt.Errorf("the key says %s and contains a key of another type", a.sshType)
	}
	return NewPublicKey(a.number, k.Key)
}

// sshBlob returns the key in OpenSSH's form, and the name of its type.
func (k PublicKey) sshBlob() (sshType string, blob []byte, err error) {
	a, err := k.algorithm()
	if err != nil {
		return "", nil, err
	}
	if a.oid != nil {
		if err := a.scheme.checkPoint(k.key.Bytes); err != nil {
			return "", nil, err
		}
		return a.sshType, ssh.Marshal(rawSSH{a.sshType, []byte(k.key.Bytes)}), nil
	}
	c, err := a.scheme.toCrypto(k.key.Bytes)
	if err != nil {
		return "", nil, err
	}
	s, err := ssh.NewPublicKey(c)
	if err != nil {
		return "", nil, err
	}
	return a.sshType, s.Marshal(), nil
}
