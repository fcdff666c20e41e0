package token

import (
	"container/list"
	"sync"
	"sync/atomic"

	"github.com/whittle-auth/whittle/token/datalog"
)

// A KeyMemory makes verifying faster for Ed25519 keys that sign often: for each it
// keeps a table of multiples, 130 KiB, with which a signature takes less than half
// the time. What it accepts is exactly what [PublicKey.Verify] does. It holds no
// signature and no verdict. It is safe for concurrent use; a nil *KeyMemory
// remembers nothing.
type KeyMemory struct {
	mu     sync.Mutex
	most   int // tables
	tables int
	keys   map[PublicKey]*list.Element
	recent list.List // of *keyUse, the key used last in front

	verified atomic.Uint64
}

type keyUse struct {
	key   PublicKey
	times int         // signatures that verified
	table *pointTable // nil until it is worth having
}

const (
	// oftenEnough is how many signatures of a key pay for its table, which takes
	// the time of about three.
	oftenEnough = 3
	// watched is how many keys are counted for each one that may have a table.
	watched = 8
)

// NewKeyMemory returns a memory for the given number of keys, 0 for none.
func NewKeyMemory(keys int) *KeyMemory {
	return &KeyMemory{most: keys, keys: map[PublicKey]*list.Element{}}
}

// Signatures returns how many signatures were looked at by way of the memory,
// whatever came of it.
func (m *KeyMemory) Signatures() uint64 { return m.verified.Load() }

// Verify is k.Verify(message, sig).
func (m *KeyMemory) Verify(k PublicKey, message, sig []byte) error {
	if m == nil {
		return k.Verify(message, sig)
	}
	m.verified.Add(1)
	if m.most <= 0 || k.IsZero() || k.Algorithm() != datalog.Ed25519 {
		return k.Verify(message, sig)
	}
	if t := m.table(k); t != nil {
		return ed25519Scheme{}.verifyWith(t, k.key.Bytes, message, sig)
	}
	if err := k.Verify(message, sig); err != nil {
		return err
	}
	// Only keys that sign something count, so that nobody has tables made for
	// keys of which they know the public half alone.
	if m.count(k) {
		t, err := keyTable(k.key.Bytes)
		if err != nil {
			return err
		}
		m.keep(k, t)
	}
	return nil
}

func (m *KeyMemory) table(k PublicKey) *pointTable {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.keys[k]
	if e == nil {
		return nil
	}
	m.recent.MoveToFront(e)
	return e.Value.(*keyUse).table
}

// count notes a signature and reports whether the key should get its table now.
func (m *KeyMemory) count(k PublicKey) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.keys[k]
	if e == nil {
		e = m.recent.PushFront(&keyUse{key: k})
		m.keys[k] = e
		m.forget()
	}
	u := e.Value.(*keyUse)
	u.times++
	return u.times == oftenEnough
}

func (m *KeyMemory) keep(k PublicKey, t *pointTable) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.keys[k]
	if e == nil || e.Value.(*keyUse).table != nil {
		return
	}
	e.Value.(*keyUse).table = t
	m.tables++
	m.forget()
}

// forget drops the keys not used for longest until the bounds hold.
func (m *KeyMemory) forget() {
	for e := m.recent.Back(); e != nil && (m.tables > m.most || m.recent.Len() > m.most*watched); {
		u, previous := e.Value.(*keyUse), e.Prev()
		if u.table != nil || m.recent.Len() > m.most*watched {
			if u.table != nil {
				m.tables--
			}
			m.recent.Remove(e)
			delete(m.keys, u.key)
		}
		e = previous
	}
}
