package agentkey

import (
	"crypto"
	"errors"
	"fmt"
	"io"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// signatureFormats has for each type of key how its signatures are brought from
// SSH's form into that of package crypto.
var signatureFormats = map[string]func(blob []byte) ([]byte, error){
	ssh.KeyAlgoED25519:  plain, // RFC 8709, section 6
	ssh.KeyAlgoECDSA256: der,   // RFC 5656, section 3.1.2
}

// plain is for signatures that are the same in both.
func plain(blob []byte) ([]byte, error) { return blob, nil }

// der writes r and s, two integers of SSH (mpint, RFC 4251, section 5), in DER.
// They are not brought into range: [token.NewSigner] does that.
func der(blob []byte) ([]byte, error) {
	var sig struct{ R, S *big.Int }
	if err := ssh.Unmarshal(blob, &sig); err != nil {
		return nil, fmt.Errorf("the signature is not two integers: %w", err)
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(sig.R)
		b.AddASN1BigInt(sig.S)
	})
	return b.Bytes()
}

// signer is a crypto.MessageSigner: an agent signs messages, never digests.
// [token.NewSigner] verifies what it returns.
type signer struct {
	agent  *Agent
	public ssh.PublicKey
}

func (s signer) Public() crypto.PublicKey {
	return s.public.(ssh.CryptoPublicKey).CryptoPublicKey() // both types of signatureFormats are
}

// Sign always fails: see [crypto.MessageSigner].
func (signer) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("an ssh-agent signs no digests")
}

func (s signer) SignMessage(_ io.Reader, message []byte, _ crypto.SignerOpts) ([]byte, error) {
	var sig *ssh.Signature
	err := s.agent.ask(func(c agent.ExtendedAgent) (err error) {
		sig, err = c.SignWithFlags(s.public, message, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	if sig.Format != s.public.Type() || len(sig.Rest) > 0 {
		return nil, fmt.Errorf("the ssh-agent returned a signature of type %.40q with %d more bytes, want %s alone", sig.Format, len(sig.Rest), s.public.Type())
	}
	return signatureFormats[s.public.Type()](sig.Blob)
}
