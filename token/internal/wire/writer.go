package wire

import "encoding/binary"

func appendTag(b []byte, num int, wire wireType) []byte {
	return append(b, byte(num<<3)|byte(wire)) // all field numbers are below 16
}

func appendVarintField(b []byte, num int, v uint64) []byte {
	return binary.AppendUvarint(appendTag(b, num, varint), v)
}

func appendBytesField(b []byte, num int, v []byte) []byte {
	b = binary.AppendUvarint(appendTag(b, num, length), uint64(len(v)))
	return append(b, v...)
}

func appendStringField(b []byte, num int, v string) []byte {
	b = binary.AppendUvarint(appendTag(b, num, length), uint64(len(v)))
	return append(b, v...)
}

// open begins a message in a field. What is appended up to the call of shut,
// with the offset that open returns, is its content.
func open(b []byte, num int) ([]byte, int) {
	b = append(appendTag(b, num, length), 0)
	return b, len(b)
}

// shut ends the message that open began: it writes the length, and makes room
// where one byte does not hold it.
func shut(b []byte, at int) []byte {
	n := len(b) - at
	if n < 0x80 {
		b[at-1] = byte(n)
		return b
	}
	var size [binary.MaxVarintLen64]byte
	width := binary.PutUvarint(size[:], uint64(n))
	b = append(b, size[:width-1]...)
	copy(b[at+width-1:], b[at:at+n])
	copy(b[at-1:], size[:width])
	return b
}
