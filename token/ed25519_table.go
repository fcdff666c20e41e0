package token

import (
	"crypto/ed25519"
	"crypto/sha512"
	"fmt"
	"sync"

	"filippo.io/edwards25519"
)

// A pointTable has multiples of one point P by which k·P takes additions only:
// row i holds 1, 2, .. 2^(width-1) times 2^(width·i)·P. Nothing in it depends on
// a secret, and how it is used takes time that depends on the scalar: it serves
// verification alone.
type pointTable struct {
	width int
	rows  [][]edwards25519.Point
}

// Widths of tables. A key's table has 51 rows of 16 points, 130 KiB; that of the
// base point, of which there is one, 43 rows of 32 points, 215 KiB.
const (
	keyTableWidth  = 5
	baseTableWidth = 6
)

// baseTable is that of the generator.
var baseTable = sync.OnceValue(func() *pointTable {
	return newPointTable(edwards25519.NewGeneratorPoint(), baseTableWidth)
})

func newPointTable(p *edwards25519.Point, width int) *pointTable {
	// A scalar has 253 bits, and the last digit may carry into one more.
	t := &pointTable{width, make([][]edwards25519.Point, 253/width+1)}
	base := new(edwards25519.Point).Set(p)
	for i := range t.rows {
		row := make([]edwards25519.Point, 1<<(width-1))
		row[0].Set(base)
		for j := 1; j < len(row); j++ {
			row[j].Add(&row[j-1], base)
		}
		base.Add(&row[len(row)-1], &row[len(row)-1])
		t.rows[i] = row
	}
	return t
}

// addMultiple adds k·P to sum. It reads the scalar as digits from
// -2^(width-1)+1 to 2^(width-1), of which one row serves each.
func (t *pointTable) addMultiple(sum *edwards25519.Point, k *edwards25519.Scalar) {
	var words [5]uint64 // little-endian, the last is zero
	for i, b := range k.Bytes() {
		words[i/8] |= uint64(b) << (i % 8 * 8)
	}
	mask, carry := 1<<t.width-1, 0
	for i := range t.rows {
		at, shift := i*t.width/64, i*t.width%64
		d := int(words[at]>>shift|words[at+1]<<1<<(63-shift))&mask + carry
		carry = 0
		if d > 1<<(t.width-1) {
			d -= 1 << t.width
			carry = 1
		}
		switch {
		case d > 0:
			sum.Add(sum, &t.rows[i][d-1])
		case d < 0:
			sum.Subtract(sum, &t.rows[i][-d-1])
		}
	}
}

// keyTable returns the table of a key's negative, by which signatures are
// verified.
func keyTable(pub string) (*pointTable, error) {
	if err := (ed25519Scheme{}).checkPoint(pub); err != nil {
		return nil, err
	}
	a, err := new(edwards25519.Point).SetBytes([]byte(pub))
	if err != nil {
		return nil, errNotOnCurve
	}
	return newPointTable(a.Negate(a), keyTableWidth), nil
}

// verifyWith is [ed25519Scheme.verify] for a key whose table is known: the same
// equation, S·B - k·A = R compared by encoding, with the same encodings refused.
func (s ed25519Scheme) verifyWith(negative *pointTable, pub string, message, sig []byte) error {
	if len(sig) != ed25519.SignatureSize {
		return s.verify(pub, message, sig)
	}
	if err := checkEncoding([32]byte(sig[:32])); err != nil {
		return fmt.Errorf("ed25519 signature: R: %w", err)
	}
	scalar, err := new(edwards25519.Scalar).SetCanonicalBytes(sig[32:])
	if err != nil {
		return errSignature
	}
	h := sha512.New()
	h.Write(sig[:32])
	h.Write([]byte(pub))
	h.Write(message)
	var digest [sha512.Size]byte
	k, err := new(edwards25519.Scalar).SetUniformBytes(h.Sum(digest[:0]))
	if err != nil {
		return errSignature
	}
	r := edwards25519.NewIdentityPoint()
	baseTable().addMultiple(r, scalar)
	negative.addMultiple(r, k)
	if string(r.Bytes()) != string(sig[:32]) {
		return errSignature
	}
	return nil
}
