package token

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ssh"
)

const (
	// maxKeyFile bounds a private key file, in bytes.
	maxKeyFile = 8 << 10
	// maxKeyComment bounds the comment in an OpenSSH private key, in bytes.
	maxKeyComment = 1024

	pemStart = "-----BEGIN "
)

// ParsePrivateKey reads a private key in one of these forms:
//
//	ed25519-private/HEX, alike secp256r1-private, mldsa44-private and mldsa65-private
//	-----BEGIN PRIVATE KEY-----, PKCS#8 (RFC 5958)
//	-----BEGIN EC PRIVATE KEY-----, SEC 1 (RFC 5915)
//	-----BEGIN OPENSSH PRIVATE KEY-----, encrypted or not
//
// The passphrase function is called at most once, and only for an encrypted
// OpenSSH key; nil means that there is none. A wrong passphrase gives an error
// that matches x509.IncorrectPasswordError. Other encrypted forms are refused.
//
// The public half is always computed from the secret. Where the file holds one
// as well and it differs, the file is refused. Errors repeat nothing of the
// file's secret. At most 8 KiB are read.
func ParsePrivateKey(data []byte, passphrase func() ([]byte, error)) (PrivateKey, error) {
	if len(data) > maxKeyFile {
		return PrivateKey{}, fmt.Errorf("private key has %d bytes, at most %d are read", len(data), maxKeyFile)
	}
	data = bytes.TrimSpace(data)
	if len(data) == 0 {
		return PrivateKey{}, errNoPrivateKey
	}
	if !bytes.HasPrefix(data, []byte(pemStart)) {
		return parsePrivateText(string(data))
	}
	block, rest := pem.Decode(data)
	if block != nil && block.Type == "EC PARAMETERS" {
		// openssl ecparam -genkey puts the name of the curve before the key,
		// which repeats it.
		block, rest = pem.Decode(bytes.TrimSpace(rest))
	}
	if block == nil {
		return PrivateKey{}, errors.New("the PEM block is damaged")
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return PrivateKey{}, errors.New("something follows the PEM block")
	}
	if len(block.Headers) > 0 && block.Type != "ENCRYPTED PRIVATE KEY" {
		return PrivateKey{}, errors.New("PEM headers, as of the old OpenSSL encryption, are not supported: ssh-keygen -p -f FILE rewrites the file")
	}
	switch block.Type {
	case "PRIVATE KEY":
		return parsePKCS8(block.Bytes)
	case "EC PRIVATE KEY":
		return parseSEC1(block.Bytes)
	case "OPENSSH PRIVATE KEY":
		return parseOpenSSH(block, passphrase)
	case "ENCRYPTED PRIVATE KEY":
		return PrivateKey{}, errors.New("encrypted PKCS#8 is not supported: use an OpenSSH private key for one with a passphrase")
	case "PUBLIC KEY":
		return PrivateKey{}, errors.New("this is a public key, and a private key is wanted")
	}
	return PrivateKey{}, fmt.Errorf("PEM block %.40q is no private key that can be used", block.Type)
}

var errKeyDER = errors.New("the private key's DER is malformed")

// parsePKCS8 reads OneAsymmetricKey. x509 ignores the public key in it and
// whatever follows, so these are read here.
func parsePKCS8(der []byte) (PrivateKey, error) {
	var body, ident, inner, attributes, public cryptobyte.String
	var version int
	var hasPublic bool
	input := cryptobyte.String(der)
	if !input.ReadASN1(&body, asn1.SEQUENCE) || !input.Empty() ||
		!body.ReadASN1Integer(&version) || version < 0 || version > 1 ||
		!body.ReadASN1(&ident, asn1.SEQUENCE) || !body.ReadASN1(&inner, asn1.OCTET_STRING) ||
		!body.ReadOptionalASN1(&attributes, nil, asn1.Tag(0).Constructed().ContextSpecific()) ||
		!body.ReadOptionalASN1(&public, &hasPublic, asn1.Tag(1).ContextSpecific()) || !body.Empty() {
		return PrivateKey{}, errKeyDER
	}
	raw, err := algorithmOfOID(ident)
	if err != nil {
		return PrivateKey{}, err
	}
	var key PrivateKey
	if raw != nil {
		key, err = raw.parseRawPKCS8(inner)
	} else if k, e := x509.ParsePKCS8PrivateKey(der); e != nil {
		err = e
	} else {
		key, err = usable(k)
	}
	if err != nil {
		return PrivateKey{}, err
	}
	if hasPublic {
		var unused byte
		if !public.ReadUint8(&unused) || unused != 0 {
			return PrivateKey{}, errKeyDER
		}
		if err := key.checkStored(public); err != nil {
			return PrivateKey{}, err
		}
	}
	if raw != nil {
		return key, nil
	}
	return key.checkStoredInside(inner)
}

// parseSEC1 reads ECPrivateKey.
func parseSEC1(der []byte) (PrivateKey, error) {
	k, err := x509.ParseECPrivateKey(der)
	if err != nil {
		return PrivateKey{}, err
	}
	key, err := usable(k)
	if err != nil {
		return PrivateKey{}, err
	}
	return key.checkStoredInside(der)
}

// checkStoredInside returns k after checking its secret's own encoding to the
// last byte: an OCTET STRING for Ed25519 (RFC 8410, section 7), or ECPrivateKey,
// which may hold the public key.
func (k PrivateKey) checkStoredInside(der []byte) (PrivateKey, error) {
	input := cryptobyte.String(der)
	if input.PeekASN1Tag(asn1.OCTET_STRING) {
		if !input.SkipASN1(asn1.OCTET_STRING) || !input.Empty() {
			return PrivateKey{}, errKeyDER
		}
		return k, nil
	}
	var body, secret, parameters, public cryptobyte.String
	var version int
	var hasPublic bool
	if !input.ReadASN1(&body, asn1.SEQUENCE) || !input.Empty() ||
		!body.ReadASN1Integer(&version) || !body.ReadASN1(&secret, asn1.OCTET_STRING) ||
		!body.ReadOptionalASN1(&parameters, nil, asn1.Tag(0).Constructed().ContextSpecific()) ||
		!body.ReadOptionalASN1(&public, &hasPublic, asn1.Tag(1).Constructed().ContextSpecific()) || !body.Empty() {
		return PrivateKey{}, errKeyDER
	}
	if !hasPublic {
		return k, nil
	}
	var stored []byte
	if !public.ReadASN1BitStringAsBytes(&stored) || !public.Empty() {
		return PrivateKey{}, errKeyDER
	}
	if err := k.checkStored(stored); err != nil {
		return PrivateKey{}, err
	}
	return k, nil
}

// parseOpenSSH reads the format of OpenSSH's PROTOCOL.key. Package ssh bounds
// the work for a passphrase, to 2048 rounds.
func parseOpenSSH(block *pem.Block, passphrase func() ([]byte, error)) (PrivateKey, error) {
	data := pem.EncodeToMemory(block)
	k, err := ssh.ParseRawPrivateKey(data)
	if _, encrypted := errors.AsType[*ssh.PassphraseMissingError](err); encrypted {
		if passphrase == nil {
			return PrivateKey{}, errors.New("the private key is encrypted, and there is no passphrase")
		}
		phrase, asked := passphrase()
		if asked != nil {
			return PrivateKey{}, fmt.Errorf("passphrase: %w", asked)
		}
		k, err = ssh.ParseRawPrivateKeyWithPassphrase(data, phrase)
		if errors.Is(err, x509.IncorrectPasswordError) {
			return PrivateKey{}, fmt.Errorf("wrong passphrase: %w", err)
		}
	}
	if err != nil {
		return PrivateKey{}, err
	}
	return openedOpenSSH(k, block.Bytes)
}

// openedOpenSSH also checks the copy of the public key that stands outside the
// encryption, by which people and ssh-add know the file.
func openedOpenSSH(k crypto.PrivateKey, container []byte) (PrivateKey, error) {
	key, err := usable(k)
	if err != nil {
		return PrivateKey{}, err
	}
	var outer struct {
		Cipher, KDF, KDFOptions string
		Keys                    uint32
		Public                  []byte
		Rest                    []byte `ssh:"rest"`
	}
	magic := len("openssh-key-v1\x00") // ssh.ParseRawPrivateKey has seen it
	if err := ssh.Unmarshal(container[magic:], &outer); err != nil {
		return PrivateKey{}, err
	}
	_, own, err := key.Public().sshBlob()
	if err != nil {
		return PrivateKey{}, err
	}
	if !bytes.Equal(outer.Public, own) {
		return PrivateKey{}, fmt.Errorf("the file's public key does not belong to its secret, which has %s: the file is damaged or was tampered with", key.Public())
	}
	return key, nil
}

func usable(k crypto.PrivateKey) (PrivateKey, error) {
	key, ok, err := privateKeyFromCrypto(k)
	if err != nil {
		return PrivateKey{}, err
	}
	if !ok {
		return PrivateKey{}, fmt.Errorf("a key of type %T cannot be used: keys are Ed25519, ECDSA on P-256 or ML-DSA", k)
	}
	return key, nil
}

// MarshalPEM returns the secret as unencrypted PKCS#8 in PEM.
func (k PrivateKey) MarshalPEM() ([]byte, error) {
	if k.open == nil {
		return nil, errNoPrivateKey
	}
	pair := k.open()
	var der []byte
	var err error
	if pair.algorithm.oid != nil {
		der, err = pair.algorithm.marshalRawPKCS8(pair.secret)
	} else {
		der, err = x509.MarshalPKCS8PrivateKey(pair.signer)
	}
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// MarshalOpenSSH returns the secret as an OpenSSH private key file, encrypted
// unless the passphrase is empty. The comment has at most 1024 bytes and no
// control characters. OpenSSH has no form for ML-DSA keys: these are an error, and
// go into PKCS#8.
func (k PrivateKey) MarshalOpenSSH(comment string, passphrase []byte) ([]byte, error) {
	if k.open == nil {
		return nil, errNoPrivateKey
	}
	if len(comment) > maxKeyComment || strings.ContainsFunc(comment, unicode.IsControl) {
		return nil, fmt.Errorf("a key's comment has at most %d bytes and no control characters", maxKeyComment)
	}
	if a := k.open().algorithm; a.oid != nil {
		return nil, fmt.Errorf("OpenSSH's private key files hold no %s keys: PKCS#8 does", a.name)
	}
	var block *pem.Block
	var err error
	if len(passphrase) > 0 {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(k.open().signer, comment, passphrase)
	} else {
		block, err = ssh.MarshalPrivateKey(k.open().signer, comment)
	}
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(block), nil
}
