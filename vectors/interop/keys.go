package interop

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/whittle-auth/whittle/token/datalog"
)

// A Key is a fixed key pair of the test programs, in the text form of the
// reference: "ed25519-private/.." and "ed25519/..". It protects nothing.
type Key struct {
	Private string
	Public  string
}

// RootKey returns the key that signs block 0 of the programs whose RootAlg is
// alg.
func RootKey(alg datalog.Algorithm) Key { return fixedKey(alg, "root") }

// ThirdPartyKeys returns the keys that a [BlockSpec] refers to by index: two of
// Ed25519, then one of secp256r1.
func ThirdPartyKeys() []Key {
	return []Key{
		fixedKey(datalog.Ed25519, "third party 0"),
		fixedKey(datalog.Ed25519, "third party 1"),
		fixedKey(datalog.Secp256r1, "third party 2"),
	}
}

func fixedKey(alg datalog.Algorithm, name string) Key {
	secret := sha256.Sum256([]byte("whittle interop " + alg.String() + " " + name))
	var public []byte
	switch alg {
	case datalog.Ed25519:
		public = ed25519.NewKeyFromSeed(secret[:]).Public().(ed25519.PublicKey)
	case datalog.Secp256r1:
		private, err := ecdh.P256().NewPrivateKey(secret[:])
		if err != nil {
			panic(fmt.Sprintf("interop: the fixed secret of %q is no scalar: %v", name, err))
		}
		// SEC 1, section 2.3.3: 4, X, Y becomes 2 or 3 by the parity of Y, then X.
		point := private.PublicKey().Bytes()
		public = append([]byte{2 + point[64]&1}, point[1:33]...)
	default:
		panic(fmt.Sprintf("interop: no fixed key for %v", alg))
	}
	return Key{
		Private: alg.String() + "-private/" + hex.EncodeToString(secret[:]),
		Public:  alg.String() + "/" + hex.EncodeToString(public),
	}
}
