package wire

import (
	"sync"

	"github.com/whittle-auth/whittle/token/datalog"
)

// A BlockReader reads the blocks of one token, one after another, as [DecodeBlock]
// does. It works in memory that is lent, and what the blocks have in common is made
// once. After Release it must not be used, the blocks may.
type BlockReader struct {
	d     decoder
	in    interner
	table *Table
	lim   Limits
}

var readers = sync.Pool{New: func() any { return new(BlockReader) }}

// NewBlockReader returns a reader with the table that earlier blocks left.
func NewBlockReader(t *Table, l *Limits) *BlockReader {
	r := readers.Get().(*BlockReader)
	r.table, r.lim = t, l.or(tokenLimits)
	r.d.terms.size = 2 // there are more of them than of anything else
	return r
}

// Read reads the payload of the next block.
func (r *BlockReader) Read(payload []byte, external bool) (*Block, error) {
	d := &r.d
	if err := d.start(payload, r.lim); err != nil {
		return nil, err
	}
	d.text = string(payload)
	shared := r.table
	if external || r.table == nil {
		shared = nil
	}
	r.in.start(shared)
	b, err := d.block(&r.in, external)
	if err != nil {
		return nil, err
	}
	if shared != nil {
		shared.Extend(b.Symbols, b.Keys)
	}
	return b, nil
}

// Release gives the reader's memory back, with nothing of the token in it.
func (r *BlockReader) Release() {
	const large = 1024
	stack := r.d.stack
	if cap(stack) > large {
		stack = nil
	}
	clear(stack[:cap(stack)])
	*r = BlockReader{d: decoder{stack: stack[:0]}}
	readers.Put(r)
}

// A room gives out short lists that lie one after another: one allocation for many.
type room[T any] struct {
	free []T
	size int // of the last allocation
}

// take returns an empty list with room for n elements. The first allocation is for no
// more than that, each further one larger than the one before.
func (r *room[T]) take(n int) []T {
	if n > len(r.free) {
		r.size = max(n, min(4*r.size, 64))
		r.free = make([]T, r.size)
	}
	list := r.free[:0:n]
	r.free = r.free[n:]
	return list
}

// A texts keeps the texts read last as terms, since to make one again takes memory again.
// Long text is not worth comparing.
type texts struct {
	last [4]datalog.Term
	next int
}

const longText = 64

func (l *texts) term(s datalog.String) datalog.Term {
	if len(s) > longText {
		return s
	}
	for _, t := range l.last {
		if known, ok := t.(datalog.String); ok && known == s {
			return t
		}
	}
	t := datalog.Term(s)
	l.last[l.next%len(l.last)] = t
	l.next++
	return t
}
