package token

import (
	"crypto/ed25519"
	"crypto/sha512"
	"fmt"
	"slices"
	"sync"

	"filippo.io/edwards25519"
	"filippo.io/edwards25519/field"
)

// A pointTable has multiples of one point P by which k·P takes additions only:
// row i holds 1, 2, .. 2^(width-1) times 2^(width·i)·P. Nothing in it depends on
// a secret, and how it is used takes time that depends on the scalar: it serves
// verification alone.
//
// The field arithmetic, the multiples themselves and the encoding of what comes out are
// the library's. Its groups have no addition of a point that is known beforehand to be
// affine, which spares a quarter of the multiplications: that one formula is here.
type pointTable struct {
	width int
	rows  [][]affine
}

// Widths of tables. A key's table has 51 rows of 16 points, 96 KiB; that of the
// base point, of which there is one, 37 rows of 64 points, 278 KiB.
const (
	keyTableWidth  = 5
	baseTableWidth = 7
)

// baseTable is that of the generator.
var baseTable = sync.OnceValue(func() *pointTable {
	return newPointTable(edwards25519.NewGeneratorPoint(), baseTableWidth)
})

func newPointTable(p *edwards25519.Point, width int) *pointTable {
	// A scalar has 253 bits, and the last digit may carry into one more.
	rows, columns := 253/width+1, 1<<(width-1)
	points := make([]edwards25519.Point, rows*columns)
	base := new(edwards25519.Point).Set(p)
	for i := range rows {
		row := points[i*columns:][:columns]
		row[0].Set(base)
		for j := 1; j < columns; j++ {
			row[j].Add(&row[j-1], base)
		}
		base.Add(&row[columns-1], &row[columns-1])
	}
	t := &pointTable{width: width, rows: make([][]affine, 0, rows)}
	for list := range slices.Chunk(affines(points), columns) {
		t.rows = append(t.rows, list)
	}
	return t
}

// addMultiple adds k·P to s. It reads the scalar as digits from
// -2^(width-1)+1 to 2^(width-1), of which one row serves each.
func (t *pointTable) addMultiple(s *sum, k *edwards25519.Scalar) {
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
			s.add(&t.rows[i][d-1], false)
		case d < 0:
			s.add(&t.rows[i][-d-1], true)
		}
	}
}

// affine is a point (x, y) as sums take it: y+x, y-x and 2d·x·y, where d is the
// constant of the curve.
type affine struct{ plus, minus, product field.Element }

// affines returns points in affine form. It divides once for all of them: with the
// inverse of z1·z2·..·zn, that of the first n-1 factors is one multiplication by zn away.
func affines(points []edwards25519.Point) []affine {
	list, products := make([]affine, len(points)), make([]field.Element, len(points)+1)
	products[0].One()
	for i := range points {
		_, _, z, _ := points[i].ExtendedCoordinates()
		products[i+1].Multiply(&products[i], z)
	}
	inverse := new(field.Element).Invert(&products[len(points)])
	for i := len(points) - 1; i >= 0; i-- {
		x, y, z, _ := points[i].ExtendedCoordinates()
		var inverseZ field.Element
		inverseZ.Multiply(inverse, &products[i])
		inverse.Multiply(inverse, z)
		x.Multiply(x, &inverseZ)
		y.Multiply(y, &inverseZ)
		a := &list[i]
		a.plus.Add(y, x)
		a.minus.Subtract(y, x)
		a.product.Multiply(x, y)
		a.product.Multiply(&a.product, twiceD)
	}
	return list
}

// twiceD is 2d, where d = -121665/121666 (RFC 8032, section 5.1).
var twiceD = func() *field.Element {
	one := new(field.Element).One()
	d := new(field.Element).Invert(new(field.Element).Mult32(one, 121666))
	d.Negate(d.Mult32(d, 121665))
	return d.Add(d, d)
}()

// A sum is a point in extended coordinates: x is X/Z, y is Y/Z and x·y is T/Z.
type sum struct{ x, y, z, t field.Element }

func newSum() *sum {
	s := new(sum)
	s.y.One()
	s.z.One()
	return s
}

// add adds a point, or its negative: the formulas of RFC 8032, section 5.1.4, with one for
// the z of the point. They hold for all points of the curve, whichever they are.
func (s *sum) add(p *affine, negative bool) {
	var a, b, c, d, e, f, g, h field.Element
	plus, minus, less, more := &p.plus, &p.minus, &f, &g
	if negative {
		plus, minus, less, more = minus, plus, more, less
	}
	a.Subtract(&s.y, &s.x)
	a.Multiply(&a, minus)
	b.Add(&s.y, &s.x)
	b.Multiply(&b, plus)
	c.Multiply(&s.t, &p.product)
	d.Add(&s.z, &s.z)
	e.Subtract(&b, &a)
	less.Subtract(&d, &c)
	more.Add(&d, &c)
	h.Add(&b, &a)
	s.x.Multiply(&e, &f)
	s.y.Multiply(&g, &h)
	s.t.Multiply(&e, &h)
	s.z.Multiply(&f, &g)
}

// point returns the sum as a point of the library, which refuses what is none.
func (s *sum) point() (*edwards25519.Point, error) {
	return new(edwards25519.Point).SetExtendedCoordinates(&s.x, &s.y, &s.z, &s.t)
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
	r := newSum()
	baseTable().addMultiple(r, scalar)
	negative.addMultiple(r, k)
	p, err := r.point()
	if err != nil || string(p.Bytes()) != string(sig[:32]) {
		return errSignature
	}
	return nil
}
