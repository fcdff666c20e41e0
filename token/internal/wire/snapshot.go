package wire

import (
	"math"
	"slices"

	"github.com/whittle-auth/whittle/token/datalog"
)

// AuthorizerOrigin is the origin of facts that the authorizer states. All other
// origins are indices of blocks.
const AuthorizerOrigin uint64 = math.MaxUint64

// Snapshot is the saved state of an authorizer: what was loaded into it, and the
// facts that evaluation has derived so far (schema message AuthorizerSnapshot).
// All of it, third-party blocks too, shares one table of symbols and one of keys.
type Snapshot struct {
	MaxFacts      uint64
	MaxIterations uint64
	MaxTime       uint64 // nanoseconds
	ExecutionTime uint64 // nanoseconds

	Version    uint32          // of the policies; when writing, raised as needed, 0 for the newest
	Blocks     []SnapshotBlock // of the token; none where no token was loaded
	Authorizer SnapshotBlock
	Policies   []datalog.Policy
	Facts      []OriginFacts
	Iterations uint64
}

// SnapshotBlock is one block of a snapshot.
type SnapshotBlock struct {
	Datalog *datalog.Block
	Version uint32 // of Datalog; when writing, raised as needed

	// External is the key of a third-party block's signer, else nil. The first
	// block of a token and the authorizer's own have none.
	External *datalog.Key
}

// OriginFacts is all facts that came about from the same blocks.
type OriginFacts struct {
	// Origins are indices of blocks or [AuthorizerOrigin], ascending, without
	// duplicates and never empty: a fact from nowhere would be trusted everywhere.
	Origins []uint64
	Facts   []datalog.Predicate
}

// DecodeSnapshot reads the saved state of an authorizer. A snapshot is not
// signed: whoever wrote it decides what it says.
func DecodeSnapshot(data []byte, l *Limits) (*Snapshot, error) {
	d, err := newDecoder(data, l.or(snapshotLimits))
	if err != nil {
		return nil, err
	}
	d.text = string(data)
	s := &Snapshot{}
	f := d.over(msgSnapshot, 0, len(data))
	for f.next() {
		switch f.num {
		case 1:
			err = f.runLimits(s)
		case 2:
			s.ExecutionTime = f.val
		case 3:
			err = f.world(s)
		}
		if err != nil {
			return nil, err
		}
	}
	if f.err != nil {
		return nil, f.err
	}
	return s, nil
}

func (f *fields) runLimits(s *Snapshot) *Error {
	m := f.d.over(msgRunLimits, f.start, f.stop)
	for m.next() {
		switch m.num {
		case 1:
			s.MaxFacts = m.val
		case 2:
			s.MaxIterations = m.val
		case 3:
			s.MaxTime = m.val
		}
	}
	return f.in(m.err)
}

func (f *fields) world(s *Snapshot) *Error {
	d := f.d
	in := newInterner(nil)
	m := d.over(msgWorld, f.start, f.stop)
	for m.next() {
		var err *Error
		if m.num > 1 && s.Version == 0 {
			return f.in(noVersion(m.at))
		}
		switch m.num {
		case 1:
			s.Version, err = m.datalogVersion()
		case 2:
			err = m.declare(in)
		case 3:
			err = m.declareKey(in)
		case 4:
			if len(s.Blocks) >= d.lim.Blocks {
				return f.in(m.failf("more than %d blocks", d.lim.Blocks))
			}
			d.symbols, d.keys = in.symbols, in.keys
			s.Blocks = append(s.Blocks, SnapshotBlock{})
			err = m.snapshotBlock(&s.Blocks[len(s.Blocks)-1], len(s.Blocks) > 1)
		case 5:
			d.symbols, d.keys = in.symbols, in.keys
			err = m.snapshotBlock(&s.Authorizer, false)
			d.version = s.Version
		case 6:
			err = m.policy(&s.Policies)
		case 7:
			s.Facts = append(s.Facts, OriginFacts{})
			err = m.originFacts(&s.Facts[len(s.Facts)-1], len(s.Blocks))
		case 8:
			s.Iterations = m.val
		}
		if err != nil {
			return f.in(err)
		}
	}
	return f.in(m.err)
}

// snapshotBlock reads one block, which may be external where that is said.
func (f *fields) snapshotBlock(b *SnapshotBlock, external bool) *Error {
	d := f.d
	if err := d.spend(1, f.at); err != nil {
		return f.in(err)
	}
	n := d.counts(f.start, f.stop)
	b.Datalog = &datalog.Block{}
	d.version = 0
	m := d.over(msgSnapshotBlock, f.start, f.stop)
	for m.next() {
		var err *Error
		switch m.num {
		case 1:
			b.Datalog.Context, err = m.context()
		case 2:
			b.Version, err = m.datalogVersion()
			d.version = b.Version
		case 7:
			if !external {
				return f.in(m.failf("this block cannot be a third-party block"))
			}
			var key datalog.Key
			key, err = m.key()
			b.External = &key
			if err == nil {
				err = m.since(version32, "a third-party block")
			}
		default:
			if d.version == 0 {
				return f.in(noVersion(m.at))
			}
			err = m.statement(b.Datalog, m.num-3, &n, 3)
		}
		if err != nil {
			return f.in(err)
		}
	}
	if m.err != nil {
		return f.in(m.err)
	}
	if d.version == 0 {
		return f.in(noVersion(f.stop))
	}
	return nil
}

func (f *fields) originFacts(g *OriginFacts, blocks int) *Error {
	d := f.d
	n := d.counts(f.start, f.stop)
	if err := d.spend(1+n[1]+n[2], f.at); err != nil {
		return f.in(err)
	}
	g.Origins = make([]uint64, 0, n[1])
	g.Facts = make([]datalog.Predicate, 0, n[2])
	m := d.over(msgGeneratedFacts, f.start, f.stop)
	for m.next() {
		switch m.num {
		case 1:
			origin, err := m.origin(blocks)
			if err != nil {
				return f.in(err)
			}
			g.Origins = append(g.Origins, origin)
		case 2:
			g.Facts = append(g.Facts, datalog.Predicate{})
			if err := m.derived(&g.Facts[len(g.Facts)-1]); err != nil {
				return f.in(err)
			}
		}
	}
	if m.err != nil {
		return f.in(m.err)
	}
	slices.Sort(g.Origins)
	if msg := originsFault(g.Origins, blocks); msg != "" {
		return f.failf("%s", msg)
	}
	return nil
}

// derived reads a fact that evaluation came by, of whatever version.
func (f *fields) derived(p *datalog.Predicate) *Error {
	m := f.d.over(msgFact, f.start, f.stop)
	for m.next() {
		if err := m.predicate(p, place{ungated: true}); err != nil {
			return f.in(err)
		}
	}
	return f.in(m.err)
}

func (f *fields) origin(blocks int) (uint64, *Error) {
	var origin uint64
	m := f.d.over(msgOrigin, f.start, f.stop)
	for m.next() {
		switch m.num {
		case 1:
			origin = AuthorizerOrigin
			if err := m.empty(); err != nil {
				return 0, f.in(err)
			}
		case 2:
			if origin = m.val; origin >= uint64(blocks) {
				return 0, f.in(m.failf("block %d of %d", origin, blocks))
			}
		}
	}
	return origin, f.in(m.err)
}

// originsFault says what is wrong with sorted origins, or nothing.
func originsFault(origins []uint64, blocks int) string {
	if len(origins) == 0 {
		return "facts without an origin"
	}
	for i, o := range origins {
		if i > 0 && origins[i-1] >= o {
			return "origins are given twice or out of order"
		}
		if o != AuthorizerOrigin && o >= uint64(blocks) {
			return "an origin is not a block"
		}
	}
	return ""
}

// Encode returns the bytes of the snapshot.
func (s *Snapshot) Encode() ([]byte, error) {
	b, err := s.encode()
	if err != nil {
		return nil, err
	}
	return b, nil
}

func (s *Snapshot) encode() (_ []byte, err *Error) {
	// The reference interns in this order: policies, the authorizer's block,
	// blocks, facts. The wire has another.
	e := &encoder{in: newInterner(nil), version: minVersion}
	policies, err := e.policies(nil, s.Policies, "authorizerPolicies", 6)
	if err != nil {
		return nil, err
	}
	version, err := e.stated(s.Version, maxVersion)
	if err != nil {
		return nil, err
	}
	if s.Authorizer.External != nil {
		return nil, refuse("the authorizer's block is no third-party block").under("authorizerBlock", -1)
	}
	authorizer, err := e.snapshotBlock(nil, &s.Authorizer, 5)
	if err != nil {
		return nil, err.under("authorizerBlock", -1)
	}
	var blocks []byte
	for i := range s.Blocks {
		if i == 0 && s.Blocks[i].External != nil {
			return nil, refuse("the first block is no third-party block").under("blocks", i)
		}
		if blocks, err = e.snapshotBlock(blocks, &s.Blocks[i], 4); err != nil {
			return nil, err.under("blocks", i)
		}
	}
	var facts []byte
	for i := range s.Facts {
		if facts, err = e.originFacts(facts, &s.Facts[i], len(s.Blocks)); err != nil {
			return nil, err.under("generatedFacts", i)
		}
	}

	out, at := open(make([]byte, 0, len(policies)+len(authorizer)+len(blocks)+len(facts)+1024), 1)
	out = appendVarintField(out, 1, s.MaxFacts)
	out = appendVarintField(out, 2, s.MaxIterations)
	out = shut(appendVarintField(out, 3, s.MaxTime), at)
	out = appendVarintField(out, 2, s.ExecutionTime)
	out, world := open(out, 3)
	out = appendVarintField(out, 1, uint64(version))
	if out, err = e.symbols(out, 2); err != nil {
		return nil, err
	}
	for _, k := range e.in.keys.own {
		out, at = open(out, 3)
		out = shut(appendKey(out, k), at)
	}
	out = append(out, blocks...)
	out = append(out, authorizer...)
	out = append(out, policies...)
	out = append(out, facts...)
	out = appendVarintField(out, 8, s.Iterations)
	return shut(out, world), nil
}

func (e *encoder) snapshotBlock(b []byte, s *SnapshotBlock, num int) (_ []byte, err *Error) {
	if s.Datalog == nil {
		return nil, refuse("no block")
	}
	e.version = minVersion
	if s.External != nil {
		e.version = version32
	}
	body, err := e.statements(nil, s.Datalog, 3)
	if err != nil {
		return nil, err
	}
	version, err := e.stated(s.Version, minVersion)
	if err != nil {
		return nil, err
	}
	b, at := open(b, num)
	if b, err = appendContext(b, 1, s.Datalog.Context); err != nil {
		return nil, err
	}
	b = appendVarintField(b, 2, uint64(version))
	b = append(b, body...)
	if s.External != nil {
		if msg := keyFault(*s.External); msg != "" {
			return nil, refuse("%s", msg).under("externalKey", -1)
		}
		var key int
		b, key = open(b, 7)
		b = shut(appendKey(b, *s.External), key)
	}
	return shut(b, at), nil
}

func (e *encoder) originFacts(b []byte, g *OriginFacts, blocks int) (_ []byte, err *Error) {
	if msg := originsFault(g.Origins, blocks); msg != "" {
		return nil, refuse("%s", msg)
	}
	b, at := open(b, 7)
	for _, o := range g.Origins {
		var inner int
		b, inner = open(b, 1)
		if o == AuthorizerOrigin {
			b = appendStringField(b, 1, "")
		} else {
			b = appendVarintField(b, 2, o)
		}
		b = shut(b, inner)
	}
	if b, err = e.facts(b, g.Facts, 2); err != nil {
		return nil, err
	}
	return shut(b, at), nil
}
