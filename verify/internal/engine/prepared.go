package engine

import (
	"maps"
	"slices"

	"github.com/whittle-auth/whittle/token/datalog"
)

// Prepared is an authorizer together with the first blocks of a token, compiled. It
// is safe for concurrent use.
//
// It decides, and counts steps, exactly as the authorizer does on all the blocks:
// what compiling a check costs is known and charged when the check is tried.
type Prepared struct {
	a       *Authorizer
	base    *world
	prog    *program
	blocks  []Block
	loading int       // steps for the facts of the blocks
	checks  [][]query // of all checks of each block
	known   map[uint32]pattern

	patterns int // size of the regular expressions of the blocks that are compiled
}

// What of a token's regular expressions is compiled beforehand: a few small ones. The
// others are compiled by each evaluation that comes to them, and paid for there.
const (
	smallPatterns = 16
	smallPattern  = 512 // nodes, with repetitions written out
)

// wordBlocks is how many blocks an origin set of one word covers.
const wordBlocks = 63

// Prepare compiles the first blocks of tokens to come. ok is false for blocks that are
// not to be had beforehand: those with rules, and those that an evaluation refuses or
// that go beyond its limits. They keep their meaning only with [Authorizer.Evaluate].
func (a *Authorizer) Prepare(blocks []Block, l Limits) (p *Prepared, ok bool) {
	limits, err := l.withDefaults()
	if err != nil || len(blocks) == 0 || len(blocks) >= wordBlocks {
		return nil, false
	}
	w := new(world)
	a.base.copyTo(w)
	w.limit = limits.Steps
	p = &Prepared{a: a, base: w, prog: newProgram(), blocks: blocks, known: maps.Clone(a.patterns)}
	for b := range blocks {
		block := blocks[b].Datalog
		if block == nil || len(block.Rules) > 0 {
			return nil, false
		}
		if _, f := w.assert(block.Facts, []uint64{1 << originBit(uint64(b))}); f.kind != none {
			return nil, false
		}
	}
	p.loading = w.steps
	for b := range blocks {
		var checks []query
		for _, c := range blocks[b].Datalog.Checks {
			if c.Kind > datalog.RejectIf {
				return nil, false
			}
			for i := range c.Queries {
				before := w.steps
				q, f := w.compileQuery(p.prog, &c.Queries[i], true)
				if f.kind != none {
					return nil, false
				}
				q.cost = w.steps - before
				checks = append(checks, q)
			}
		}
		p.checks = append(p.checks, checks)
	}
	if w.spent() || w.facts > limits.Facts {
		return nil, false
	}
	p.known, p.patterns = w.compilePatterns(p.prog, p.known, smallPatterns, smallPattern)
	return p, true
}

// Size estimates what a Prepared takes besides the blocks, in bytes.
func (p *Prepared) Size() int {
	w := p.base
	size := 4096 + 256*p.patterns + 64*len(w.symbols.slots) + 64*len(w.composites.elems) + 64*len(p.prog.nodes) + 64*len(p.prog.args)
	for i := range w.relations {
		size += 128 + 24*len(w.relations[i].rows)
	}
	return size
}

// Evaluate is [Authorizer.Evaluate] for a token of the prepared blocks and more after
// them. told has further facts for some of the prepared blocks, as if the block had
// stated them itself; it has no more elements than there are prepared blocks.
func (p *Prepared) Evaluate(told [][]datalog.Predicate, more []Block, facts []datalog.Predicate, o *Options) (*Result, error) {
	if o == nil {
		o = &Options{}
	}
	limits, err := o.Limits.withDefaults()
	if err != nil {
		return nil, err
	}
	if len(p.blocks)+len(more) >= wordBlocks {
		return p.a.Evaluate(p.all(told, more), facts, o)
	}
	for i := range more {
		if more[i].Datalog == nil {
			f := malformed("a block is missing")
			return nil, f.at(uint64(len(p.blocks)+i), InBlock, 0)
		}
	}
	e := memory.Get().(*evaluation)
	e.start(p.a, p.base, append(append(e.blocks[:0], p.blocks...), more...), o.Externs, limits)
	e.prepared = p
	if err := e.loadAfter(p, told, facts); err != nil {
		// The blocks' facts were charged first. Who is to blame is the one that fails in
		// the authorizer's order.
		e.release()
		return p.a.Evaluate(p.all(told, more), facts, o)
	}
	r := &Result{Policy: -1, Kind: datalog.Deny, a: p.a, prepared: p, told: told, blocks: more, facts: facts, externs: o.Externs, limits: limits}
	return e.finish(r)
}

// all returns the blocks as an authorizer takes them.
func (p *Prepared) all(told [][]datalog.Predicate, more []Block) []Block {
	return Told(slices.Concat(p.blocks, more), told)
}

// Told returns the blocks with further facts for some of them, as if the block had
// stated them itself.
func Told(blocks []Block, told [][]datalog.Predicate) []Block {
	if len(told) == 0 {
		return blocks
	}
	blocks = slices.Clone(blocks)
	for b := range min(len(told), len(blocks)) {
		if len(told[b]) > 0 {
			block := *blocks[b].Datalog
			block.Facts = slices.Concat(block.Facts, told[b])
			blocks[b].Datalog = &block
		}
	}
	return blocks
}

// loadAfter is load where the facts of the prepared blocks are there already.
func (e *evaluation) loadAfter(p *Prepared, told [][]datalog.Predicate, facts []datalog.Predicate) *Error {
	e.charge(p.loading)
	for b := range min(len(told), len(p.blocks)) {
		if len(told[b]) == 0 {
			continue
		}
		if i, f := e.assert(told[b], e.originOf(uint64(b))); f.kind != none {
			return f.at(uint64(b), InFact, len(p.blocks[b].Datalog.Facts)+i)
		}
	}
	return e.load(facts, len(p.blocks))
}
