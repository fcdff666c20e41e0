package wire

import "github.com/whittle-auth/whittle/token/datalog"

// Lengths of encoded public keys in bytes: RFC 8032, section 5.1.5, and the
// compressed form of SEC 1, section 2.3.3.
const (
	Ed25519KeySize   = 32
	Secp256r1KeySize = 33
)

// key reads the PublicKey in the current field.
func (f *fields) key() (datalog.Key, *Error) {
	k := f.d.over(msgPublicKey, f.start, f.stop)
	var key datalog.Key
	for k.next() {
		switch k.num {
		case 1:
			if k.val > uint64(datalog.Secp256r1) {
				return key, f.in(k.in(unsupported(k.at, "unknown key algorithm %d", k.val)))
			}
			key.Algorithm = datalog.Algorithm(k.val)
		case 2:
			key.Bytes = k.string()
			if msg := keyFault(key); msg != "" {
				return key, f.in(k.failf("%s", msg))
			}
		}
	}
	return key, f.in(k.err)
}

// keyFault says what is wrong with the form of a key, or nothing.
func keyFault(k datalog.Key) string {
	switch k.Algorithm {
	case datalog.Ed25519:
		if len(k.Bytes) != Ed25519KeySize {
			return "an ed25519 key has 32 bytes"
		}
	case datalog.Secp256r1:
		if len(k.Bytes) != Secp256r1KeySize {
			return "a secp256r1 key has 33 bytes, compressed"
		}
		if k.Bytes[0] != 2 && k.Bytes[0] != 3 {
			return "a compressed secp256r1 key begins with 02 or 03"
		}
	default:
		return "unknown key algorithm"
	}
	return ""
}

// appendKey writes the PublicKey message.
func appendKey(b []byte, k datalog.Key) []byte {
	b = appendVarintField(b, 1, uint64(k.Algorithm))
	return appendStringField(b, 2, k.Bytes)
}
