package replay

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// The file begins with a header and goes on with records, all of one size, numbers
// big-endian (spec/replay.md):
//
//	header   magic 16, since 8, forgotten 8, CRC-32C 4
//	record   total 1, left 1, now 8, until 8, key 32, group 32, CRC-32C 4
//
// The entries of one use stand one after the other: total is how many they are,
// left how many follow.
const (
	magic      = "whittle-replay/1"
	headerSize = len(magic) + 8 + 8 + 4
	recordSize = 1 + 1 + 8 + 8 + 32 + 32 + 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func appendSum(b []byte, from int) []byte {
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b[from:], castagnoli))
}

func intact(b []byte) bool {
	data, sum := b[:len(b)-4], b[len(b)-4:]
	return crc32.Checksum(data, castagnoli) == binary.BigEndian.Uint32(sum)
}

func appendHeader(b []byte, since, forgotten int64) []byte {
	from := len(b)
	b = append(b, magic...)
	b = binary.BigEndian.AppendUint64(b, uint64(since))
	b = binary.BigEndian.AppendUint64(b, uint64(forgotten))
	return appendSum(b, from)
}

func readHeader(b []byte) (since, forgotten int64, err error) {
	if len(b) < headerSize || string(b[:len(magic)]) != magic {
		return 0, 0, errors.New("not a file of used signatures")
	}
	if !intact(b[:headerSize]) {
		return 0, 0, errors.New("the file is damaged: its header")
	}
	at := b[len(magic):]
	return int64(binary.BigEndian.Uint64(at)), int64(binary.BigEndian.Uint64(at[8:])), nil
}

// A record is one entry of a use.
type record struct {
	total, left byte
	now         int64
	slot
}

func (r *record) append(b []byte) []byte {
	from := len(b)
	b = append(b, r.total, r.left)
	b = binary.BigEndian.AppendUint64(b, uint64(r.now))
	b = binary.BigEndian.AppendUint64(b, uint64(r.until))
	b = append(b, r.key[:]...)
	b = append(b, r.group[:]...)
	return appendSum(b, from)
}

// readRecord reports whether a record is whole.
func readRecord(b []byte) (r record, ok bool) {
	if len(b) < recordSize || !intact(b[:recordSize]) {
		return r, false
	}
	r.total, r.left = b[0], b[1]
	r.now = int64(binary.BigEndian.Uint64(b[2:]))
	r.until = int64(binary.BigEndian.Uint64(b[10:]))
	copy(r.key[:], b[18:])
	copy(r.group[:], b[50:])
	return r, 1 <= r.total && r.total <= maxEntries && r.left < r.total
}

// readRecords gives each whole use to add, and returns how many bytes they take. What
// follows is the last use, of which the process or the machine saw no end: it was
// never allowed. Anything else that is not whole is damage, and an error: nobody knows
// what was forgotten.
func readRecords(b []byte, add func([]record)) (size int, err error) {
	var use []record
	for at := 0; at < len(b); at += recordSize {
		r, ok := readRecord(b[at:])
		if ok && len(use) > 0 {
			last := use[len(use)-1]
			ok = r.total == last.total && r.left == last.left-1
		} else if ok {
			ok = r.left == r.total-1
		}
		if !ok {
			if cutOff(b[size:], (at-size)/recordSize) {
				return size, nil
			}
			return 0, fmt.Errorf("the file is damaged: its record at byte %d", headerSize+at)
		}
		if use = append(use, r); r.left == 0 {
			add(use)
			use, size = use[:0], at+recordSize
		}
	}
	return size, nil
}

// cutOff reports whether b, in which a record is out of place, can be one use that
// was being written last: it is no longer than one use, and whatever is whole from
// that record on belongs to it.
func cutOff(b []byte, bad int) bool {
	n := (len(b) + recordSize - 1) / recordSize
	if n > maxEntries {
		return false
	}
	for i := bad; i < n; i++ {
		r, ok := readRecord(b[min(i*recordSize, len(b)):])
		if ok && (int(r.total) != int(r.left)+i+1 || int(r.left) < n-1-i) {
			return false
		}
	}
	return true
}
