package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
)

// Major types of CBOR (RFC 8949 section 3.1).
const (
	cborUnsigned = 0
	cborNegative = 1
	cborBytes    = 2
	cborText     = 3
	cborArray    = 4
	cborMap      = 5
)

// cborEncode writes v in the core deterministic encoding (RFC 8949 section
// 4.2.1): shortest heads, shortest floats that keep the value, map keys in the
// bytewise order of their encodings. A json.Number is a float, whatever its
// value; integers are int.
func cborEncode(v any) []byte {
	switch v := v.(type) {
	case nil:
		return []byte{0xf6}
	case bool:
		if v {
			return []byte{0xf5}
		}
		return []byte{0xf4}
	case int:
		if v < 0 {
			return cborHead(cborNegative, uint64(-1-v))
		}
		return cborHead(cborUnsigned, uint64(v))
	case json.Number:
		f, err := v.Float64()
		if err != nil {
			panic(fmt.Sprintf("not a number: %q", v))
		}
		return cborFloat(f)
	case []byte:
		return append(cborHead(cborBytes, uint64(len(v))), v...)
	case string:
		return append(cborHead(cborText, uint64(len(v))), v...)
	case []string:
		out := cborHead(cborArray, uint64(len(v)))
		for _, e := range v {
			out = append(out, cborEncode(e)...)
		}
		return out
	case []any:
		out := cborHead(cborArray, uint64(len(v)))
		for _, e := range v {
			out = append(out, cborEncode(e)...)
		}
		return out
	case map[string]any:
		var entries [][2][]byte
		for k, e := range v {
			entries = append(entries, [2][]byte{cborEncode(k), cborEncode(e)})
		}
		slices.SortFunc(entries, func(a, b [2][]byte) int { return bytes.Compare(a[0], b[0]) })
		out := cborHead(cborMap, uint64(len(v)))
		for _, e := range entries {
			out = append(append(out, e[0]...), e[1]...)
		}
		return out
	}
	panic(fmt.Sprintf("no CBOR for %T", v))
}

func cborHead(major byte, n uint64) []byte {
	major <<= 5
	switch {
	case n < 24:
		return []byte{major | byte(n)}
	case n <= math.MaxUint8:
		return []byte{major | 24, byte(n)}
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16([]byte{major | 25}, uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32([]byte{major | 26}, uint32(n))
	}
	return binary.BigEndian.AppendUint64([]byte{major | 27}, n)
}

// cborFloat writes a finite float in 16, 32 or 64 bits.
func cborFloat(f float64) []byte {
	if h, ok := halfFloat(f); ok {
		return binary.BigEndian.AppendUint16([]byte{0xf9}, h)
	}
	if single := float32(f); float64(single) == f {
		return binary.BigEndian.AppendUint32([]byte{0xfa}, math.Float32bits(single))
	}
	return binary.BigEndian.AppendUint64([]byte{0xfb}, math.Float64bits(f))
}

// halfFloat converts to IEEE 754 binary16 if that keeps the value. A half is
// an integer below 2^11 times a power of two from 2^-24 on.
func halfFloat(f float64) (uint16, bool) {
	var sign uint16
	if math.Signbit(f) {
		sign, f = 0x8000, -f
	}
	if f == 0 {
		return sign, true
	}
	if f < 0x1p-14 {
		scaled := f * 0x1p24
		return sign | uint16(scaled), scaled == math.Trunc(scaled)
	}
	fraction, exponent := math.Frexp(f)
	mantissa := (fraction*2 - 1) * 1024
	if exponent > 16 || mantissa != math.Trunc(mantissa) {
		return 0, false
	}
	return sign | uint16(exponent+14)<<10 | uint16(mantissa), true
}

// float is a JSON number that is no integer.
func float(text string) json.Number { return json.Number(text) }
