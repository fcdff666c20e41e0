package verify

import (
	"container/list"
	"sync"
	"sync/atomic"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
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
// A chain is looked up by its last signature, a session first by its text. It is known
// if one of the roots that are trusted now signed it, and every byte of its blocks is the
// same. It is safe for concurrent use.
type memory struct {
	keys  *token.KeyMemory
	pool  *token.Pool
	facts []delegation.FactType // that the service registers for block 0

	mu       sync.Mutex
	most     int // bytes
	bytes    int
	chains   map[string]*list.Element // by the signature of their last block
	sessions map[string]*list.Element // by their text
	recent   list.List                // of *remembered, the chain used last in front

	hits, misses atomic.Uint64
}

type remembered struct {
	text  string // of a session, empty for other chains
	size  int
	token *token.Token
	chain *delegation.Chain // what the blocks say

	once     sync.Once
	prepared *engine.Prepared  // with the verifier's policy; nil where that cannot be
	holders  []Holder          // as decisions list them
	ids      [][]byte          // the revocation id of each block
	agentKey datalog.Term      // of who invoked the chain or, for one that was not, can
	channel  datalog.Predicate // of a session's connection
}

// last returns the signature of the chain's last block.
func (r *remembered) last() []byte {
	blocks := r.token.Blocks()
	return blocks[len(blocks)-1].Signature
}

// presenter returns the key of who invoked the chain or, for one that was not, can.
func (r *remembered) presenter() token.PublicKey {
	if inv := r.chain.Invocation; inv != nil {
		return inv.By
	}
	return r.token.NextKey()
}

// ready makes what is the same in each use of a chain: its blocks compiled together with
// the verifier's policy, facts about who presents it, and lists for decisions. The first use of a chain after
// it was learnt pays.
func (r *remembered) ready(v *Verifier) {
	r.once.Do(func() {
		r.holders, r.ids = holders(r.chain), token.RevocationIDs(r.token)
		r.agentKey = datalog.String(r.presenter().String())
		if inv := r.chain.Invocation; inv != nil {
			r.channel = inv.Channel.Fact()
		}
		p, ok := v.policy.Prepare(engineBlocks(r.token), engine.Limits(v.options.Limits))
		if ok && v.memory.grow(r, p.Size()) {
			r.prepared = p
		}
	})
}

// newMemory returns a memory of so many bytes. A quarter is for tables of keys, which
// take 130 KiB each.
func newMemory(most int, facts []delegation.FactType) *memory {
	const keySize = 130 << 10
	return &memory{
		keys: token.NewKeyMemory(most / 4 / keySize), facts: facts, most: most - most/4,
		chains: map[string]*list.Element{}, sessions: map[string]*list.Element{},
	}
}

// read verifies a token's signatures from a root trusted now, and reads its blocks.
// What is known of the first of them is not verified and read again.
func (m *memory) read(roots *trust.Roots, text string, now time.Time) (*token.Token, *delegation.Chain, *remembered, error) {
	if s := m.session(text); s != nil && roots.IsCandidate(s.token.Root(), s.token, now) {
		m.hits.Add(1)
		return s.token, s.chain, s, nil
	}
	u, err := token.ParseText(text, nil)
	if err != nil {
		return nil, nil, nil, err
	}
	u.Remember(m.keys)
	u.Share(m.pool)
	known := m.find(u, roots, now)
	if known == nil {
		m.misses.Add(1)
		u.PrefixHash(u.Len()) // the token will know all of them
		t, err := roots.Verify(u, now)
		if err != nil {
			return nil, nil, nil, err
		}
		chain, err := m.learn(t, text, nil)
		return t, chain, nil, err
	}
	m.hits.Add(1)
	t, err := u.VerifyAfter(known.token)
	if err != nil {
		return nil, nil, nil, err
	}
	if len(known.token.Blocks()) == len(t.Blocks()) && t.Form() == known.token.Form() {
		return t, known.chain, known, nil
	}
	chain, err := m.learn(t, text, known)
	return t, chain, known, err
}

// session returns the known session with the given text. Another text of the same token
// is found as a chain.
func (m *memory) session(text string) *remembered {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.use(m.sessions[text])
}

// find returns the longest known chain that u continues, or is, and that one of the roots,
// which are those trusted now, has signed.
func (m *memory) find(u *token.Unverified, roots *trust.Roots, now time.Time) *remembered {
	for n := u.Len(); n > 0; n-- {
		m.mu.Lock()
		r := m.use(m.chains[string(u.UnverifiedSignature(n-1))])
		m.mu.Unlock()
		if r != nil && u.Continues(r.token) && roots.IsCandidate(r.token.Root(), u, now) {
			return r
		}
	}
	return nil
}

// use returns the chain of an element, which may be nil, and notes that it was used.
func (m *memory) use(e *list.Element) *remembered {
	if e == nil {
		return nil
	}
	m.recent.MoveToFront(e)
	return e.Value.(*remembered)
}

// learn reads a verified token, of which the first blocks may be known, and remembers
// the chains that lead to it: the last block is an invocation, which comes once, unless
// it is a session's. It reads each block once.
func (m *memory) learn(t *token.Token, text string, known *remembered) (*delegation.Chain, error) {
	n, chain := 0, new(delegation.Chain)
	if known != nil {
		n, chain = len(known.token.Blocks()), known.chain
	}
	for n++; n < len(t.Blocks()) && m.most > 0; n++ {
		first := t.First(n)
		longer, err := chain.Continue(first, m.facts...)
		if err != nil {
			break // what a shorter form breaks may be whole in the longer one: bearer
		}
		chain = longer
		m.keep(&remembered{size: sizeOf(first), token: first, chain: chain})
	}
	chain, err := chain.Continue(t, m.facts...)
	if err == nil && chain.Invocation != nil && chain.Invocation.IsSession() {
		m.keep(&remembered{text: text, size: sizeOf(t) + len(text), token: t, chain: chain})
	}
	return chain, err
}

func (m *memory) keep(r *remembered) {
	m.mu.Lock()
	defer m.mu.Unlock()
	last := string(r.last())
	if m.chains[last] != nil || r.size > m.most {
		return
	}
	e := m.recent.PushFront(r)
	if m.chains[last] = e; r.text != "" {
		m.sessions[r.text] = e
	}
	m.add(r.size)
}

// grow takes into account that a chain takes more by now. It reports whether the chain
// may: one that was forgotten meanwhile, or would fill the memory, may not.
func (m *memory) grow(r *remembered, size int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.chains[string(r.last())]; e == nil || e.Value != r || r.size+size > m.most/4 {
		return false
	}
	r.size += size
	m.add(size)
	return true
}

// add counts bytes, and forgets the chains not used for longest until all fit.
func (m *memory) add(size int) {
	for m.bytes += size; m.bytes > m.most; {
		oldest := m.recent.Remove(m.recent.Back()).(*remembered)
		delete(m.chains, string(oldest.last()))
		delete(m.sessions, oldest.text)
		m.bytes -= oldest.size
	}
}

// sizeOf estimates what a chain takes: its text is held once more in decoded form.
func sizeOf(t *token.Token) int {
	const block, decoded = 1 << 10, 8
	return len(t.Blocks())*block + decoded*len(t.Bytes())
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
	return MemoryStats{Hits: m.hits.Load(), Misses: m.misses.Load(), Chains: len(m.chains), Bytes: m.bytes, Signatures: m.keys.Signatures()}
}
