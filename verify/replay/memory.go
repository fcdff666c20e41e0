package replay

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"
)

// Defaults for the fields of [Options].
const (
	DefaultCapacity = 1 << 17
	// DefaultShare is which part of the capacity one delegation may take.
	DefaultShare = 8
)

// maxCapacity bounds what can be asked for, far beyond what fits in memory.
const maxCapacity = 1 << 26

// Options are what may be wanted otherwise of a [Memory] or a [File].
type Options struct {
	// Capacity is how many entries are kept at most; zero means 131,072, which
	// take about 21 MB when they are there.
	Capacity int

	// Quota is how many of them one delegation may have: all tokens with the
	// same block 0 together. Zero means an eighth of the capacity.
	Quota int

	// FirstStart asserts that nothing was ever accepted under the service's name
	// before the store began: this is its first start, or a test. Then nothing is
	// refused for having begun earlier. Asserted wrongly, after a restart, it
	// lets everything be used again whose window is still open.
	FirstStart bool
}

// Memory is a [Store] in the process's memory. It forgets when the process ends,
// and so refuses, with [BeforeStart], what can have been used before it began.
// Its memory is bounded, it never drops an entry before its time, and each call
// does a bounded amount of work.
type Memory struct {
	mu    sync.Mutex
	table table
}

// NewMemory returns an empty store that remembers from start on, which is the
// verifier's time. Nil options are the safe ones.
func NewMemory(start time.Time, o *Options) (*Memory, error) {
	m := &Memory{}
	if err := m.table.init(start, o); err != nil {
		return nil, err
	}
	return m, nil
}

// Check implements [Store].
func (m *Memory) Check(_ context.Context, u Use) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.table.check(u)
}

// Record implements [Store].
func (m *Memory) Record(_ context.Context, u Use) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.table.check(u); err != nil {
		return err
	}
	m.table.add(u)
	return nil
}

// Len returns how many entries are held, expired ones that have not been swept
// yet among them.
func (m *Memory) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.table.queue)
}

// sweepsPerCall bounds how many expired entries one call drops. More than a call
// can add, so that expired entries do not pile up.
const sweepsPerCall = 64

// maxEntries bounds the entries of one use: an invocation and the approvals of
// as many blocks as a token has.
const maxEntries = 32

// A table is a bounded set of entries, ordered by when they end.
type table struct {
	since     int64 // seconds since 1970; what can have been used before is refused
	forgotten int64 // the latest end of an entry that was dropped
	capacity  int
	quota     int

	known  map[Key]struct{}
	groups map[Key]int // entries by delegation
	queue  []slot      // a heap, the earliest end first
}

type slot struct {
	key, group Key
	until      int64
}

func (t *table) init(start time.Time, o *Options) error {
	if o == nil {
		o = &Options{}
	}
	if o.Capacity < 0 || o.Capacity > maxCapacity || o.Quota < 0 {
		return fmt.Errorf("a replay store holds 1 to %d entries", maxCapacity)
	}
	t.capacity, t.quota = o.Capacity, o.Quota
	if t.capacity == 0 {
		t.capacity = DefaultCapacity
	}
	if t.quota == 0 {
		t.quota = max(t.capacity/DefaultShare, 1)
	}
	t.since = beginning(start)
	if o.FirstStart {
		t.since = math.MinInt64
	}
	t.forgotten = math.MinInt64
	t.known = make(map[Key]struct{})
	t.groups = make(map[Key]int)
	return nil
}

// beginning rounds up: what began in the second in which the store did can have
// been used in the part of it that the store did not see.
func beginning(start time.Time) int64 {
	if start.Nanosecond() > 0 {
		return start.Unix() + 1
	}
	return start.Unix()
}

// check says whether a use can be recorded, after dropping what has expired.
func (t *table) check(u Use) error {
	now := u.Now.Unix()
	t.sweep(now)
	for i, e := range u.Entries {
		if _, ok := t.known[e.Key]; ok || earlier(u.Entries[:i], e.Key) {
			return &Error{Kind: Used, Entry: i}
		}
		if until := e.Until.Unix(); until <= now || until <= t.forgotten {
			return &Error{Kind: Forgotten, Entry: i}
		}
		if e.From.Unix() < t.since {
			return &Error{Kind: BeforeStart, Entry: i, Since: time.Unix(t.since, 0).UTC()}
		}
	}
	switch n := len(u.Entries); {
	case n > maxEntries, t.groups[u.Group]+n > t.quota:
		return &Error{Kind: Quota, Entry: -1}
	case len(t.queue)+n > t.capacity:
		return &Error{Kind: Full, Entry: -1}
	}
	return nil
}

func earlier(entries []Entry, k Key) bool {
	for _, e := range entries {
		if e.Key == k {
			return true
		}
	}
	return false
}

// add records a use that was checked.
func (t *table) add(u Use) {
	for _, e := range u.Entries {
		t.insert(slot{e.Key, u.Group, e.Until.Unix()})
	}
}

func (t *table) insert(s slot) {
	t.known[s.key] = struct{}{}
	t.groups[s.group]++
	t.push(s)
}

// sweep drops entries whose end has come, a bounded number of them.
func (t *table) sweep(now int64) {
	for range sweepsPerCall {
		if len(t.queue) == 0 || t.queue[0].until > now {
			return
		}
		s := t.pop()
		t.forgotten = max(t.forgotten, s.until)
		delete(t.known, s.key)
		if t.groups[s.group]--; t.groups[s.group] == 0 {
			delete(t.groups, s.group)
		}
	}
}

// push and pop keep the heap; container/heap would allocate for each entry.
func (t *table) push(s slot) {
	t.queue = append(t.queue, s)
	i := len(t.queue) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if t.queue[parent].until <= t.queue[i].until {
			return
		}
		t.queue[parent], t.queue[i] = t.queue[i], t.queue[parent]
		i = parent
	}
}

func (t *table) pop() slot {
	first, last := t.queue[0], len(t.queue)-1
	t.queue[0] = t.queue[last]
	t.queue = t.queue[:last]
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			return first
		}
		if right := child + 1; right < last && t.queue[right].until < t.queue[child].until {
			child = right
		}
		if t.queue[i].until <= t.queue[child].until {
			return first
		}
		t.queue[i], t.queue[child] = t.queue[child], t.queue[i]
		i = child
	}
}
