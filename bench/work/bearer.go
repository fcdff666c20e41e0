package work

import (
	"crypto/ed25519"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"gopkg.in/macaroon.v2"
)

// A sharedMacaroon is as many caveats as a Biscuit has blocks. It is verified with the
// secret that made it: there are no signatures, so whoever verifies could mint.
type sharedMacaroon struct {
	secret []byte
	data   []byte
}

const macaroonCaveat = "resource = file1, time < 2030-01-01T00:00:00Z"

func mintMacaroon(secret []byte) (*macaroon.Macaroon, error) {
	return macaroon.New(secret, []byte("benchmark"), "service", macaroon.LatestVersion)
}

func newMacaroon(caveats int) (*sharedMacaroon, error) {
	s := &sharedMacaroon{secret: []byte("a secret that all services share")}
	m, err := mintMacaroon(s.secret)
	if err != nil {
		return nil, err
	}
	for range caveats {
		if err := m.AddFirstPartyCaveat([]byte(macaroonCaveat)); err != nil {
			return nil, err
		}
	}
	s.data, err = m.MarshalBinary()
	return s, err
}

func (s *sharedMacaroon) verify() error {
	var m macaroon.Macaroon
	if err := m.UnmarshalBinary(s.data); err != nil {
		return err
	}
	return m.Verify(s.secret, func(caveat string) error {
		if caveat != macaroonCaveat {
			return fmt.Errorf("caveat %q", caveat)
		}
		return nil
	}, nil)
}

// A signedJWT is one signature over what a single block says.
type signedJWT struct {
	private ed25519.PrivateKey
	public  ed25519.PublicKey
	text    string
	parser  *jwt.Parser
}

func newJWT() (*signedJWT, error) {
	pub, priv, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	j := &signedJWT{private: priv, public: pub, parser: jwt.NewParser(jwt.WithValidMethods([]string{"EdDSA"}), jwt.WithAudience("svc:certs"))}
	j.text, err = j.sign()
	return j, err
}

func (j *signedJWT) sign() (string, error) {
	return jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.RegisteredClaims{
		Issuer:    "alice@example.com",
		Subject:   "agent:ci",
		Audience:  jwt.ClaimStrings{"svc:certs"},
		ExpiresAt: jwt.NewNumericDate(time.Now().Add(time.Hour)),
	}).SignedString(j.private)
}

func (j *signedJWT) verify() error {
	_, err := j.parser.ParseWithClaims(j.text, &jwt.RegisteredClaims{}, func(*jwt.Token) (any, error) { return j.public, nil })
	return err
}
