package main

import "google.golang.org/protobuf/encoding/protowire"

// A field is one protobuf field as on the wire, its tag included.
type field []byte

// A message is a list of fields in the order in which they are written. Keeping
// the fields apart lets a vector reorder, repeat or drop one of them.
type message []field

func uintField(num protowire.Number, v uint64) field {
	return protowire.AppendVarint(protowire.AppendTag(nil, num, protowire.VarintType), v)
}

func bytesField(num protowire.Number, b []byte) field {
	return protowire.AppendBytes(protowire.AppendTag(nil, num, protowire.BytesType), b)
}

// longUintField writes v with one byte more than it needs.
func longUintField(num protowire.Number, v uint64) field {
	f := uintField(num, v)
	f[len(f)-1] |= 0x80
	return append(f, 0)
}

// longBytesField writes the length with one byte more than it needs.
func longBytesField(num protowire.Number, b []byte) field {
	f := longUintField(num, uint64(len(b)))
	f[0] = byte(protowire.EncodeTag(num, protowire.BytesType))
	return append(f, b...)
}

func (m message) bytes() []byte {
	var out []byte
	for _, f := range m {
		out = append(out, f...)
	}
	return out
}

func (m message) with(fields ...field) message {
	return append(append(message{}, m...), fields...)
}

func (m message) swapped(i, j int) message {
	out := m.with()
	out[i], out[j] = out[j], out[i]
	return out
}

func (m message) without(i int) message {
	return append(m[:i:i].with(), m[i+1:]...)
}

func (m message) replaced(i int, fields ...field) message {
	return append(m[:i:i].with(fields...), m[i+1:]...)
}
