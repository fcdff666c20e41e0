package token

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/crypto/ssh"
)

// maxKeyText bounds the text of a public key, in bytes.
const maxKeyText = 8 << 10

// privateSuffix stands between the algorithm's name and the secret in the text
// form of private keys.
const privateSuffix = "-private/"

var errKeyText = errors.New("not a public key: want ed25519/HEX, secp256r1/HEX, mldsa44/HEX, mldsa65/HEX, an OpenSSH public key or a PEM block \"PUBLIC KEY\"")

// ParsePublicKey reads a public key in one of these forms:
//
//	ed25519/HEX, secp256r1/HEX, mldsa44/HEX and mldsa65/HEX
//	ssh-ed25519 BASE64 COMMENT, alike ecdsa-sha2-nistp256, ssh-mldsa-44 and ssh-mldsa-65
//	-----BEGIN PUBLIC KEY-----, SubjectPublicKeyInfo in PEM
//
// The OpenSSH form is one line without options, its comment may be missing.
// White space around the whole is ignored. Keys are checked as by
// [PublicKeyFromDatalog]. At most 8 KiB are read.
func ParsePublicKey(s string) (PublicKey, error) {
	if len(s) > maxKeyText {
		return PublicKey{}, fmt.Errorf("public key has %d bytes of text, at most %d are read", len(s), maxKeyText)
	}
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		return PublicKey{}, errNoKey
	case strings.HasPrefix(s, pemStart):
		return parsePublicPEM(s)
	case strings.ContainsAny(s, " \t\r\n"):
		return parseAuthorizedKey(s)
	}
	// What is none of the known forms is not repeated in an error: it might be
	// a secret.
	name, digits, _ := strings.Cut(s, "/")
	for i := range algorithms {
		switch name {
		case algorithms[i].name:
			key, err := hex.DecodeString(digits)
			if err != nil {
				return PublicKey{}, fmt.Errorf("invalid hexadecimal in %s public key", name)
			}
			return NewPublicKey(algorithms[i].number, key)
		case algorithms[i].name + strings.TrimSuffix(privateSuffix, "/"):
			return PublicKey{}, errors.New("this is a private key, and a public key is wanted")
		}
	}
	return PublicKey{}, errKeyText
}

// parseAuthorizedKey reads one line of an authorized_keys file (sshd(8)) that
// has no options.
func parseAuthorizedKey(line string) (PublicKey, error) {
	if strings.ContainsAny(line, "\r\n") {
		return PublicKey{}, errors.New("an OpenSSH public key is a single line")
	}
	fields := strings.Fields(line)
	var a *algorithm
	for i := range algorithms {
		if fields[0] == algorithms[i].sshType {
			a = &algorithms[i]
		}
	}
	if a == nil {
		return PublicKey{}, whyNot(fields[0])
	}
	blob, err := base64.StdEncoding.Strict().DecodeString(fields[1])
	if err != nil {
		return PublicKey{}, fmt.Errorf("invalid base64 in %s key", fields[0])
	}
	if a.oid != nil {
		return a.parseRawSSH(blob)
	}
	// The name stands in the blob a second time; it decides what follows.
	k, err := ssh.ParsePublicKey(blob)
	if err != nil {
		return PublicKey{}, fmt.Errorf("invalid %s key: %w", fields[0], err)
	}
	if k.Type() != fields[0] {
		return PublicKey{}, fmt.Errorf("the key says %s and contains a key of another type", fields[0])
	}
	c, ok := k.(ssh.CryptoPublicKey)
	if !ok {
		return PublicKey{}, fmt.Errorf("unsupported key type %s", fields[0])
	}
	return PublicKeyFromCrypto(c.CryptoPublicKey())
}

// whyNot returns the error for a type of key in OpenSSH that no token can have.
func whyNot(sshType string) error {
	switch sshType {
	case ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256:
		return fmt.Errorf("a FIDO key (%s) signs a statement of its authenticator around the message, never the message alone: use a plain Ed25519 or P-256 key", sshType)
	case ssh.KeyAlgoRSA:
		return errors.New("an RSA key (ssh-rsa) cannot be used: keys are Ed25519, ECDSA on P-256 or ML-DSA")
	case ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521:
		return fmt.Errorf("a key of type %s cannot be used: ECDSA keys must be on the curve P-256", sshType)
	case ssh.CertAlgoED25519v01, ssh.CertAlgoECDSA256v01, ssh.CertAlgoRSAv01, ssh.CertAlgoSKED25519v01, ssh.CertAlgoSKECDSA256v01:
		return fmt.Errorf("this is a certificate (%s), and the plain public key is wanted", sshType)
	}
	return errKeyText
}

// parsePublicPEM reads SubjectPublicKeyInfo (RFC 5280, section 4.1; RFC 5480;
// RFC 8410) in PEM (RFC 7468).
func parsePublicPEM(s string) (PublicKey, error) {
	block, rest := pem.Decode([]byte(s))
	if block == nil {
		return PublicKey{}, errors.New("the PEM block is damaged")
	}
	if strings.TrimSpace(string(rest)) != "" {
		return PublicKey{}, errors.New("something follows the PEM block")
	}
	if strings.HasSuffix(block.Type, "PRIVATE KEY") {
		return PublicKey{}, errors.New("this is a private key, and a public key is wanted")
	}
	if block.Type != "PUBLIC KEY" || len(block.Headers) > 0 {
		return PublicKey{}, fmt.Errorf("PEM block %.40q is not a plain PUBLIC KEY", block.Type)
	}
	if k, ok, err := parseRawSPKI(block.Bytes); ok {
		return k, err
	}
	k, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return PublicKey{}, fmt.Errorf("PEM public key: %w", err)
	}
	return PublicKeyFromCrypto(k)
}

// String returns the text form, as in ed25519/0123.. with lower-case digits;
// "(no key)" for the zero key.
func (k PublicKey) String() string {
	if k.IsZero() {
		return "(no key)"
	}
	return k.key.String()
}

// Brief returns what names the key to people: its text form, or for keys as long as
// those of ML-DSA the algorithm and the fingerprint, as in mldsa44 SHA256:Uqj3...
func (k PublicKey) Brief() string {
	if fingerprint := k.Fingerprint(); k.RootOnly() && fingerprint != "" {
		return k.Algorithm().String() + " " + fingerprint
	}
	return k.String()
}

// MarshalText returns the text form; empty for the zero key.
func (k PublicKey) MarshalText() ([]byte, error) {
	if k.IsZero() {
		return nil, nil
	}
	return []byte(k.String()), nil
}

// UnmarshalText reads any form that [ParsePublicKey] does, and the empty text as
// the zero key.
func (k *PublicKey) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*k = PublicKey{}
		return nil
	}
	parsed, err := ParsePublicKey(string(text))
	if err != nil {
		return err
	}
	*k = parsed
	return nil
}

// MarshalPEM returns the key as SubjectPublicKeyInfo in PEM.
func (k PublicKey) MarshalPEM() ([]byte, error) {
	a, err := k.algorithm()
	if err != nil {
		return nil, err
	}
	c, err := a.scheme.toCrypto(k.key.Bytes)
	if err != nil {
		return nil, err
	}
	var der []byte
	if a.oid != nil {
		der, err = a.marshalRawSPKI(k.key.Bytes)
	} else {
		der, err = x509.MarshalPKIXPublicKey(c)
	}
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

// AuthorizedKey returns the key as a line of an OpenSSH authorized_keys or
// *.pub file, without a line feed. Control characters in the comment become
// spaces, so that it cannot add lines. The line is empty for the zero key, and
// for a key out of an unverified token that is not on its curve.
func (k PublicKey) AuthorizedKey(comment string) string {
	sshType, blob, err := k.sshBlob()
	if err != nil {
		return ""
	}
	comment = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) {
			return ' '
		}
		return r
	}, comment)
	return strings.TrimRight(sshType+" "+base64.StdEncoding.EncodeToString(blob)+" "+strings.TrimSpace(comment), " ")
}

// Fingerprint returns the fingerprint that ssh-keygen -l prints, as in
// SHA256:Uqj3.. in unpadded base64. It is empty where [PublicKey.AuthorizedKey]
// is.
func (k PublicKey) Fingerprint() string {
	_, blob, err := k.sshBlob()
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(blob)
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])
}

// parsePrivateText reads the text form of a private key. Its errors repeat
// nothing of the text.
func parsePrivateText(s string) (PrivateKey, error) {
	for i := range algorithms {
		a := &algorithms[i]
		if digits, ok := strings.CutPrefix(s, a.name+privateSuffix); ok {
			secret, err := hex.DecodeString(digits)
			if err != nil {
				return PrivateKey{}, fmt.Errorf("invalid hexadecimal in %s private key", a.name)
			}
			return NewPrivateKey(a.number, secret)
		}
	}
	if _, err := ParsePublicKey(s); err == nil {
		return PrivateKey{}, errors.New("this is a public key, and a private key is wanted")
	}
	return PrivateKey{}, errors.New("not a private key: want a PEM or OpenSSH private key file, or ed25519-private/HEX, secp256r1-private/HEX, mldsa44-private/HEX or mldsa65-private/HEX")
}
