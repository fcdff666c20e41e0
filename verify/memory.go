package verify

import (
	"container/list"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify/internal/engine"
)

// DefaultMemory is how much a verifier remembers, in bytes; see [Options].
const DefaultMemory = 16 << 20

// memory holds chains whose signatures have verified, so that a new invocation of
// one costs one signature, a new agent below one two, and a session none after its
// first request. It holds signatures and what the blocks say, never a decision: who is
// trusted, the time, revocation and the request are looked at each time.
//
// A chain is found by its root key and its prefix hash, which covers every byte of its
// blocks. It is safe for concurrent use.
type memory struct {
	keys  *token.KeyMemory
	facts []delegation.FactType // that the service registers for block 0

	mu     sync.Mutex
	most   int // bytes
	bytes  int
	chains map[[32]byte]*list.Element
	recent list.List // of *remembered, the chain used last in front

	hits, misses uint64
}

type remembered struct {
	name  [32]byte
	size  int
	token *token.Token
	chain *delegation.Chain // what the blocks say

	once     sync.Once
	prepared *engine.Prepared // with the verifier's policy; nil where that cannot be
}

// prepare returns the chain's blocks compiled together with the verifier's policy, nil
// for a chain that is not known. The first use of a chain after it was learnt pays.
func (r *remembered) prepare(v *Verifier) *engine.Prepared {
	if r == nil {
		return nil
	}
	r.once.Do(func() {
		p, ok := v.policy.Prepare(engineBlocks(r.token), engine.Limits(v.options.Limits))
		if ok && v.memory.grow(r, p.Size()) {
			r.prepared = p
		}
	})
	return r.prepared
}

// newMemory returns a memory of so many bytes. A quarter is for tables of keys, which
// take 130 KiB each.
func newMemory(most int, facts []delegation.FactType) *memory {
	const keySize = 130 << 10
	return &memory{keys: token.NewKeyMemory(most / 4 / keySize), facts: facts, most: most - most/4, chains: map[[32]byte]*list.Element{}}
}

// read verifies a token's signatures from a root trusted now, and reads its blocks.
// What is known of the first of them is not verified and read again.
func (m *memory) read(roots *trust.Roots, u *token.Unverified, now time.Time) (*token.Token, *delegation.Chain, *remembered, error) {
	u.Remember(m.keys)
	known := m.find(u, roots.Candidates(u, now))
	if known == nil {
		t, err := roots.Verify(u, now)
		if err != nil {
			return nil, nil, nil, err
		}
		chain, err := m.learn(t, nil)
		return t, chain, nil, err
	}
	t, err := u.VerifyAfter(known.token)
	if err != nil {
		return nil, nil, nil, err
	}
	if len(known.token.Blocks()) == len(t.Blocks()) && t.Form() == known.token.Form() {
		return t, known.chain, known, nil
	}
	chain, err := m.learn(t, known)
	return t, chain, known, err
}

// find returns the longest known chain that u continues, or is, and that one of the roots,
// which are those trusted now, has signed.
func (m *memory) find(u *token.Unverified, roots []token.PublicKey) *remembered {
	names := make([][32]byte, 0, u.Len()*len(roots))
	for n := u.Len(); n > 0; n-- {
		for _, root := range roots {
			names = append(names, chainName(root, u.PrefixHash(n)))
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range names {
		if e := m.chains[name]; e != nil {
			m.recent.MoveToFront(e)
			m.hits++
			return e.Value.(*remembered)
		}
	}
	m.misses++
	return nil
}

// learn reads a verified token, of which the first blocks may be known, and remembers
// the chains that lead to it: the last block is an invocation, which comes once, unless
// it is a session's. It reads each block once.
func (m *memory) learn(t *token.Token, known *remembered) (*delegation.Chain, error) {
	n, chain := 0, new(delegation.Chain)
	if known != nil {
		n, chain = len(known.token.Blocks()), known.chain
	}
	for n++; n < len(t.Blocks()); n++ {
		first := t.First(n)
		longer, err := chain.Continue(first, m.facts...)
		if err != nil {
			break // what a shorter form breaks may be whole in the longer one: bearer
		}
		chain = longer
		m.keep(&remembered{name: chainName(t.Root(), t.PrefixHash(n)), size: sizeOf(first), token: first, chain: chain})
	}
	chain, err := chain.Continue(t, m.facts...)
	if err == nil && chain.Invocation != nil && chain.Invocation.IsSession() {
		m.keep(&remembered{name: chainName(t.Root(), t.PrefixHash(len(t.Blocks()))), size: sizeOf(t), token: t, chain: chain})
	}
	return chain, err
}

func (m *memory) keep(r *remembered) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.chains[r.name] != nil || r.size > m.most {
		return
	}
	m.chains[r.name] = m.recent.PushFront(r)
	m.add(r.size)
}

// grow takes into account that a chain takes more by now. It reports whether the chain
// may: one that was forgotten meanwhile, or would fill the memory, may not.
func (m *memory) grow(r *remembered, size int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.chains[r.name] == nil || r.size+size > m.most/4 {
		return false
	}
	r.size += size
	m.add(size)
	return true
}

// add counts bytes, and forgets the chains not used for longest until all fit.
func (m *memory) add(size int) {
	for m.bytes += size; m.bytes > m.most; {
		last := m.recent.Remove(m.recent.Back()).(*remembered)
		delete(m.chains, last.name)
		m.bytes -= last.size
	}
}

// sizeOf estimates what a chain takes: its text is held once more in decoded form.
func sizeOf(t *token.Token) int {
	const block, decoded = 1 << 10, 8
	return len(t.Blocks())*block + decoded*len(t.Bytes())
}

func chainName(root token.PublicKey, prefix [32]byte) [32]byte {
	return sha256.Sum256(append(root.Bytes(), prefix[:]...))
}

// MemoryStats says how much a verifier's memory helps.
type MemoryStats struct {
	Hits   uint64 // tokens that continued a known chain
	Misses uint64 // tokens verified as a whole
	Chains int    // chains known now
	Bytes  int    // roughly what they take

	Signatures uint64 // signatures looked at
}

// MemoryStats returns the numbers up to now.
func (v *Verifier) MemoryStats() MemoryStats {
	m := v.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	return MemoryStats{Hits: m.hits, Misses: m.misses, Chains: len(m.chains), Bytes: m.bytes, Signatures: m.keys.Signatures()}
}
