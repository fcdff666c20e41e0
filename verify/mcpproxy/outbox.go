package mcpproxy

import (
	"io"
	"sync"
)

// maxWaiting is how many bytes may wait for the server until nothing is let through.
const maxWaiting = 16 << 20

// An outbox has what the server is to read and has not taken yet. Who reads from the client
// or from the server puts lines in and never waits: a server may not read until what it
// writes is read.
type outbox struct {
	w io.WriteCloser

	mu      sync.Mutex
	changed sync.Cond
	waiting []byte
	ended   bool // nothing more comes
	closed  bool // nothing more is taken
}

func newOutbox(w io.WriteCloser) *outbox {
	o := &outbox{w: w}
	o.changed.L = &o.mu
	return o
}

// full reports whether nothing is to be put in.
func (o *outbox) full() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closed || len(o.waiting) >= maxWaiting
}

// put takes a line, also where there is no room: who puts lines in asks before each whether
// it is full, so that there is one line more of each of them at most.
func (o *outbox) put(line []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		o.waiting = append(o.waiting, line...)
		o.changed.Signal()
	}
}

// end closes the server's input when all was written that waits.
func (o *outbox) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	o.changed.Signal()
}

// close closes the server's input at once, which ends a write that waits.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		o.closed, o.waiting = true, nil
		o.changed.Signal()
		_ = o.w.Close()
	}
}

// run writes to the server until there is nothing more to write, or to write to.
func (o *outbox) run() {
	defer o.close()
	for {
		lines := o.next()
		if len(lines) == 0 {
			return
		}
		if _, err := o.w.Write(lines); err != nil {
			return
		}
	}
}

// next waits for lines; it returns none when no more come.
func (o *outbox) next() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.waiting) == 0 && !o.ended && !o.closed {
		o.changed.Wait()
	}
	lines := o.waiting
	o.waiting = nil
	return lines
}
