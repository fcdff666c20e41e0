package wire

import (
	"math"

	"github.com/whittle-auth/whittle/token/datalog"
)

// A decoder holds what is known while one input is read.
type decoder struct {
	buf []byte
	lim Limits

	// text is a copy of buf from which all strings are cut: one allocation for
	// a block and not one for each string. It is empty where few are needed.
	text string

	version  uint32 // of the Datalog being read
	symbols  symbolView
	keys     keyView
	budget   int       // elements that may still be read
	textLeft int       // bytes of symbols that may still be referred to
	stack    []operand // of the current expression
	nodes    int       // of the current expression
	base     int       // where the stack of the current closure begins

	// What is read lies in these, which go on from one block of a token to the next.
	terms   room[datalog.Term]
	bodies  room[datalog.Predicate]
	queries room[datalog.Query]
	exprs   room[datalog.Expr]
	texts   texts
}

// newDecoder refuses input that is too long.
func newDecoder(data []byte, lim Limits) (*decoder, *Error) {
	d := new(decoder)
	if err := d.start(data, lim); err != nil {
		return nil, err
	}
	return d, nil
}

// start begins with other input.
func (d *decoder) start(data []byte, lim Limits) *Error {
	if len(data) > lim.Bytes {
		return fail(lim.Bytes, "%d bytes, the limit is %d", len(data), lim.Bytes)
	}
	d.buf, d.lim, d.text = data, lim, ""
	d.version, d.symbols, d.keys = 0, symbolView{}, keyView{}
	d.budget, d.textLeft = lim.Terms, lim.Text
	d.stack, d.nodes, d.base = d.stack[:0], 0, 0
	return nil
}

// fields walks over the fields of one message and checks all that the schema
// alone decides. After next returns false, err says whether the message is
// sound.
type fields struct {
	d    *decoder
	msg  *message
	pos  int
	end  int
	last int // number of the previous field
	err  *Error

	num   int    // number of the current field
	index int    // its index among fields of that number
	at    int    // offset of its tag
	val   uint64 // its value, when a varint
	start int    // its content, when length-delimited
	stop  int
}

// over starts a walk over the message in buf[start:end].
func (d *decoder) over(msg *message, start, end int) fields {
	return fields{d: d, msg: msg, pos: start, end: end}
}

// next moves to the next field and reports whether there is one.
func (f *fields) next() bool {
	if f.err != nil {
		return false
	}
	if f.pos >= f.end {
		f.finish()
		return false
	}
	f.at = f.pos
	// Nearly all varints have one byte.
	tag, ok := uint64(f.d.buf[f.pos]), true
	if tag < 0x80 {
		f.pos++
	} else if tag, ok = f.varint(); !ok {
		return false
	}
	num := tag >> 3
	if num >= uint64(len(f.msg.fields)) || f.msg.fields[num].shape == absent {
		f.err = fail(f.at, "unknown field %d", num)
		return false
	}
	def := &f.msg.fields[num]
	f.num = int(num)
	if wire := wireType(tag & 7); wire != def.wire {
		f.err = fail(f.at, "wire type %d, want %d", wire, def.wire).under(def.name, -1)
		return false
	}
	switch {
	case f.num > f.last:
		if f.msg.oneof && f.last != 0 {
			f.err = fail(f.at, "a second member of a oneof").under(def.name, -1)
			return false
		}
		f.index = 0
	case f.num < f.last:
		f.err = fail(f.at, "field out of order").under(def.name, -1)
		return false
	case def.shape != repeated:
		f.err = fail(f.at, "field given twice").under(def.name, -1)
		return false
	default:
		f.index++
	}
	if f.msg.needs&(1<<f.num) == 0 || f.num != f.last {
		if missing := f.msg.needs & (1<<f.num - 1) &^ (1<<(f.last+1) - 1); missing != 0 {
			f.lacks(missing, f.at)
			return false
		}
	}
	f.last = f.num

	value := f.pos
	if value < f.end && f.d.buf[value] < 0x80 {
		f.val = uint64(f.d.buf[value])
		f.pos++
	} else if f.val, ok = f.varint(); !ok {
		f.err = f.in(f.err)
		return false
	}
	if def.wire == length {
		if f.val > uint64(f.end-f.pos) {
			f.err = f.in(fail(value, "%d bytes announced, %d left", f.val, f.end-f.pos))
			return false
		}
		f.start, f.stop = f.pos, f.pos+int(f.val)
		f.pos = f.stop
	}
	return true
}

// finish checks at the end of the message that nothing is missing.
func (f *fields) finish() {
	if missing := f.msg.needs &^ (1<<(f.last+1) - 1); missing != 0 {
		f.lacks(missing, f.end)
	}
	if f.msg.oneof && f.last == 0 && !f.msg.empty {
		f.err = fail(f.end, "no member of a oneof")
	}
}

// lacks reports the first of the missing required fields.
func (f *fields) lacks(missing uint16, offset int) {
	for n := range f.msg.fields {
		if missing&(1<<n) != 0 {
			f.err = fail(offset, "required field missing").under(f.msg.fields[n].name, -1)
			return
		}
	}
}

// varint reads one varint at pos, minimal and of at most 64 bits.
func (f *fields) varint() (uint64, bool) {
	start := f.pos
	if start < f.end && f.d.buf[start] < 0x80 {
		f.pos++
		return uint64(f.d.buf[start]), true
	}
	var v uint64
	for shift := 0; f.pos < f.end; shift += 7 {
		b := f.d.buf[f.pos]
		if shift == 63 && b > 1 {
			f.err = fail(start, "varint of more than 64 bits")
			return 0, false
		}
		f.pos++
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			if b == 0 && shift > 0 {
				f.err = fail(start, "varint is not minimal")
				return 0, false
			}
			return v, true
		}
	}
	f.err = fail(start, "truncated varint")
	return 0, false
}

// in adds the current field to the path of an error, and returns nil for nil.
func (f *fields) in(err *Error) *Error {
	if err == nil {
		return nil
	}
	def := &f.msg.fields[f.num]
	if def.shape == repeated {
		return err.under(def.name, f.index)
	}
	return err.under(def.name, -1)
}

// failf reports the current field.
func (f *fields) failf(format string, args ...any) *Error {
	return f.in(fail(f.at, format, args...))
}

// bytes returns the content of the current field, which aliases the input.
func (f *fields) bytes() []byte { return f.d.buf[f.start:f.stop:f.stop] }

// uint32 returns the value of the current field.
func (f *fields) uint32() (uint32, *Error) {
	if f.val > math.MaxUint32 {
		return 0, f.failf("%d is out of the range of uint32", f.val)
	}
	return uint32(f.val), nil
}

// signature returns the content of the current field, a signature or a secret.
func (f *fields) signature() ([]byte, *Error) {
	if n := f.stop - f.start; n > maxSignature {
		return nil, f.failf("%d bytes, the limit is %d", n, maxSignature)
	}
	return f.bytes(), nil
}

// string copies the content of the current field.
func (f *fields) string() string {
	if f.d.text != "" {
		return f.d.text[f.start:f.stop]
	}
	return string(f.d.buf[f.start:f.stop])
}

// empty checks that the current field is an Empty message.
func (f *fields) empty() *Error {
	e := f.d.over(msgEmpty, f.start, f.stop)
	e.next()
	return f.in(e.err)
}

// counts returns how many of a message's direct fields have each number. It
// stops silently at what next would refuse; its result serves to allocate once.
func (d *decoder) counts(start, end int) (n [11]int) {
	f := fields{d: d, pos: start, end: end}
	for f.pos < f.end {
		tag, v, ok := uint64(d.buf[f.pos]), uint64(0), true
		if tag < 0x80 && f.pos+1 < f.end && d.buf[f.pos+1] < 0x80 {
			v = uint64(d.buf[f.pos+1])
			f.pos += 2
		} else if tag, ok = f.varint(); !ok {
			return n
		} else if v, ok = f.varint(); !ok {
			return n
		}
		if tag>>3 >= uint64(len(n)) {
			return n
		}
		if wireType(tag&7) == length {
			if v > uint64(f.end-f.pos) {
				return n
			}
			f.pos += int(v)
		}
		n[tag>>3]++
	}
	return n
}

// spend takes n elements from the budget.
func (d *decoder) spend(n, at int) *Error {
	if d.budget -= n; d.budget < 0 {
		return fail(at, "more than %d elements", d.lim.Terms)
	}
	return nil
}
