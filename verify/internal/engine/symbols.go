package engine

import "slices"

// symbols numbers strings: predicate names, strings, byte arrays. Numbers count
// from first, so that the symbols of one evaluation continue those of the
// compiled authorizer.
type symbols struct {
	first  uint32
	text   []string
	hashes []uint64
	slots  []uint32 // open addressing, index into text plus one; 0 is free; empty while symbols are few
}

// Up to fewSymbols symbols are searched one by one.
const fewSymbols = 8

func (t *symbols) copyTo(c *symbols) {
	c.first, c.text, c.hashes, c.slots = t.first, slices.Clone(t.text), slices.Clone(t.hashes), slices.Clone(t.slots)
}

// reset forgets all symbols and drops the references to their text.
func (t *symbols) reset(first uint32) {
	t.first = first
	clear(t.text)
	t.text, t.hashes, t.slots = t.text[:0], t.hashes[:0], t.slots[:0]
}

func (t *symbols) find(hash uint64, s string) (uint32, bool) {
	if len(t.slots) == 0 {
		for i, h := range t.hashes {
			if h == hash && t.text[i] == s {
				return t.first + uint32(i), true
			}
		}
		return 0, false
	}
	mask := uint64(len(t.slots) - 1)
	for i := hash & mask; t.slots[i] != 0; i = (i + 1) & mask {
		n := t.slots[i] - 1
		if t.hashes[n] == hash && t.text[n] == s {
			return t.first + n, true
		}
	}
	return 0, false
}

// add numbers a string that find does not know.
func (t *symbols) add(hash uint64, s string) uint32 {
	n := uint32(len(t.text))
	if t.text == nil {
		t.text, t.hashes = make([]string, 0, 32), make([]uint64, 0, 32)
	}
	t.text = append(t.text, s)
	t.hashes = append(t.hashes, hash)
	switch {
	case len(t.text) <= fewSymbols:
	case 2*len(t.text) > len(t.slots):
		t.slots = cleared(t.slots, max(4*fewSymbols, 2*len(t.slots)))
		for i := range t.hashes {
			t.place(uint32(i))
		}
	default:
		t.place(n)
	}
	return t.first + n
}

func (t *symbols) place(n uint32) {
	mask := uint64(len(t.slots) - 1)
	i := t.hashes[n] & mask
	for t.slots[i] != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = n + 1
}

// composites numbers sets, arrays and maps by their elements, which are
// numbered already. Keys and values of a map alternate.
type composites struct {
	first  uint32
	list   []composite
	elems  []value
	hashes []uint64
	slots  []uint32
}

type composite struct {
	kind   kind
	lo, hi uint32 // range in elems
}

func (t *composites) copyTo(c *composites) {
	c.first, c.list, c.elems = t.first, slices.Clone(t.list), slices.Clone(t.elems)
	c.hashes, c.slots = slices.Clone(t.hashes), slices.Clone(t.slots)
}

func (t *composites) reset(first uint32) {
	t.first = first
	t.list, t.elems, t.hashes, t.slots = t.list[:0], t.elems[:0], t.hashes[:0], t.slots[:0]
}

func (t *composites) find(hash uint64, k kind, elems []value) (uint32, bool) {
	if len(t.slots) == 0 {
		return 0, false
	}
	mask := uint64(len(t.slots) - 1)
	for i := hash & mask; t.slots[i] != 0; i = (i + 1) & mask {
		n := t.slots[i] - 1
		if t.hashes[n] != hash || t.list[n].kind != k {
			continue
		}
		if c := t.list[n]; equalValues(t.elems[c.lo:c.hi], elems) {
			return t.first + n, true
		}
	}
	return 0, false
}

// add numbers a composite that find does not know.
func (t *composites) add(hash uint64, k kind, elems []value) uint32 {
	n := uint32(len(t.list))
	lo := uint32(len(t.elems))
	t.elems = append(t.elems, elems...)
	t.list = append(t.list, composite{k, lo, uint32(len(t.elems))})
	t.hashes = append(t.hashes, hash)
	if 2*len(t.list) > len(t.slots) {
		t.slots = cleared(t.slots, max(16, 2*len(t.slots)))
		for i := range t.hashes {
			t.place(uint32(i))
		}
	} else {
		t.place(n)
	}
	return t.first + n
}

func (t *composites) place(n uint32) {
	mask := uint64(len(t.slots) - 1)
	i := t.hashes[n] & mask
	for t.slots[i] != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = n + 1
}
