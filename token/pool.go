package token

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// A Pool is a fixed number of workers that check the signatures of a token's blocks
// side by side with whoever verifies it; see [Unverified.Share]. It serves any number
// of tokens at once: a token that finds no worker idle is verified as without a pool,
// so that a pool never makes anyone wait for another token.
//
// Workers are started when there is work and end when there was none for a tenth of a
// second. An idle pool costs nothing and needs no closing. It is safe for concurrent
// use; a nil *Pool has no workers.
type Pool struct {
	most    int32
	running atomic.Int32
	work    chan *shared // without room: only a worker that is idle takes from it
}

// idleFor is how long a worker waits for more work.
const idleFor = 100 * time.Millisecond

const maxWorkers = 16

// NewPool returns a pool of so many workers, at most 16. What helps is one less than
// there are processors, since whoever verifies does a share of the work.
func NewPool(workers int) *Pool {
	return &Pool{most: int32(min(max(workers, 0), maxWorkers)), work: make(chan *shared)}
}

// Share lets the workers of a pool take part in verifying the token. What verifies, and
// the error if it does not, stay the same: that of the first block in order that fails.
//
// No other signature is checked before that of block 0, so that a token that no trusted
// root has signed is refused at the cost of that signature and of workers who get ready
// in vain, a fifth to a third of it. Of the rest, no block is begun after one has failed,
// or so far ahead that more than two blocks for each worker could turn out to have been
// checked in vain.
func (u *Unverified) Share(p *Pool) { u.pool = p }

// shareFrom is the number of blocks beyond the verified ones from which workers are
// asked to help: waking them takes some microseconds.
const shareFrom = 2

// shared is the verification of one token by several.
type shared struct {
	u    *Unverified
	gate atomic.Bool // open or closed

	mu      sync.Mutex
	changed sync.Cond // on mu
	helpers int       // workers that were asked
	open    bool      // blocks may be taken: those before first are verified
	closed  bool      // nothing is to be done any more
	first   int       // the first block that is not done
	done    uint64    // which are, from first on
	next    int       // the next block to be taken; their number for the proof
	ahead   bool      // the proof was taken before its turn
	busy    int       // parts being checked
	failed  int       // the first part that failed, where err is not nil
	err     error
	panics  any // what a check panicked with
}

// share asks workers to help with the blocks from one on, and begins with the proof.
// It returns nil where nobody helps.
func (u *Unverified) share(from int) *shared {
	blocks := len(u.container.Blocks)
	if u.pool == nil || blocks-from < shareFrom {
		return nil
	}
	s := newShared(u, from)
	for s.helpers < min(int(u.pool.most), blocks-from-1) && u.pool.ask(s) {
		s.helpers++ // nobody reads it before the blocks are open
	}
	if s.helpers == 0 {
		return nil
	}
	return s
}

func newShared(u *Unverified, from int) *shared {
	s := &shared{u: u, first: from, next: from}
	s.changed.L = &s.mu
	return s
}

// ask gives work to a worker that is idle, or to a new one, and reports whether there
// is one.
func (p *Pool) ask(s *shared) bool {
	select {
	case p.work <- s:
		return true
	default:
	}
	if p.running.Add(1) > p.most {
		p.running.Add(-1)
		return false
	}
	go p.serve(s)
	return true
}

// patience is how often a worker lets others go first while block 0 is checked, before
// it sleeps: it would wake up when half of the work is done.
const patience = 500

func (p *Pool) serve(s *shared) {
	defer p.running.Add(-1)
	buf := make([]byte, 0, 1024)
	idle := time.NewTimer(idleFor)
	for {
		buf = s.help(buf)
		idle.Reset(idleFor)
		select {
		case s = <-p.work:
		case <-idle.C:
			return
		}
	}
}

// help is a worker's share: the proof, if its secret takes a multiplication on the
// curve, while block 0 is checked; then one block after another.
func (s *shared) help(buf []byte) []byte {
	if s.takeAhead() {
		buf = s.check(len(s.u.container.Blocks), buf)
	}
	for range patience {
		if s.gate.Load() {
			break
		}
		runtime.Gosched()
	}
	return s.checkAll(buf)
}

// checkAll checks the parts that nobody else has taken.
func (s *shared) checkAll(buf []byte) []byte {
	for {
		part, ok := s.take()
		if !ok {
			return buf
		}
		buf = s.check(part, buf)
	}
}

// take returns the next part, once there may be one. Parts are taken in order and none
// after one has failed: then all before it were taken, and the first of them that fails
// is the first of all.
func (s *shared) take() (part int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	blocks := len(s.u.container.Blocks)
	for {
		switch {
		case s.closed, s.err != nil && s.failed < blocks, s.next > blocks, s.next == blocks && s.ahead:
			return 0, false
		case s.open && s.next-s.first <= 2*s.helpers:
			s.next++
			s.busy++
			return s.next - 1, true
		}
		s.changed.Wait()
	}
}

// takeAhead takes the proof before its turn.
func (s *shared) takeAhead() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.err != nil || s.ahead || s.next > len(s.u.container.Blocks) || !s.u.proofIsSecret() {
		return false
	}
	s.ahead = true
	s.busy++
	return true
}

// check checks one part. A panic is left to whoever verifies: none of a worker's may
// end the process.
func (s *shared) check(part int, buf []byte) []byte {
	var err error
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if p := recover(); p != nil {
			s.panics, s.closed = p, true
		}
		if err != nil && (s.err == nil || part < s.failed) {
			s.failed, s.err = part, err
		}
		s.busy--
		if part < len(s.u.container.Blocks) {
			for s.done |= 1 << (part - s.first); s.done&1 != 0; s.done >>= 1 {
				s.first++
			}
		}
		s.changed.Broadcast()
	}()
	if part < len(s.u.container.Blocks) {
		buf, err = s.u.checkBlock(part, buf)
	} else {
		err = s.u.verifyProof(buf)
	}
	return buf
}

// finish is the share of whoever verifies, once block 0 is known to be genuine: what
// the workers leave. It returns when all that anyone has taken is done.
func (s *shared) finish(buf []byte) error {
	s.mu.Lock()
	s.open = true
	s.gate.Store(true)
	s.changed.Broadcast()
	s.mu.Unlock()
	s.checkAll(buf)
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.busy > 0 {
		s.changed.Wait()
	}
	if s.panics != nil {
		panic(s.panics)
	}
	return s.err
}

// end sends the workers away. It may be called for a nil s.
func (s *shared) end() {
	if s == nil {
		return
	}
	s.mu.Lock()
	s.closed = true
	s.gate.Store(true)
	s.changed.Broadcast()
	s.mu.Unlock()
}
