package engine

import "github.com/whittle-auth/whittle/token/datalog"

// An evaluation is the state of one call of Evaluate.
type evaluation struct {
	world
	a       *Authorizer
	blocks  []Block
	externs map[string]Extern
	limits  Limits

	prepared *Prepared // what is known of the first blocks, or nil

	rules    []rule
	trusts   []uint64 // what each rule trusts
	rounds   int      // rounds that found new facts
	target   int32    // relation of the rule being applied
	ruleProg program
	prog     program // the query of a check being evaluated

	search   search
	nodes    []node
	slots    []value // variables
	row      []value
	detail   string // of the last error
	cause    error
	patterns map[uint32]pattern // regular expressions met, by symbol

	defaultTrust, blockTrust, queryTrust []uint64

	// most is how many facts there were in one use of the memory, idle how often in a
	// row since then there were far fewer.
	most, idle int
}

// Evaluate decides about a token: it loads facts and blocks, derives all facts,
// and then tries, in this order, the authorizer's checks, the checks of block
// 0, the policies, and the checks of the other blocks. facts are further facts
// of the authorizer, for this request.
//
// The first error in that order ends the evaluation. When it arises from a
// rule, check or policy, the result is not nil and shows the world as it was;
// it allows nothing. The error is always an *Error.
//
// The result may refer to blocks, facts and o, which must not change while it
// is in use.
func (a *Authorizer) Evaluate(blocks []Block, facts []datalog.Predicate, o *Options) (*Result, error) {
	if o == nil {
		o = &Options{}
	}
	limits, err := o.Limits.withDefaults()
	if err != nil {
		return nil, err
	}
	if len(blocks) > MaxBlocks {
		return nil, &Error{Kind: Malformed, Block: AuthorizerBlock, Detail: "too many blocks"}
	}
	for i := range blocks {
		if blocks[i].Datalog == nil {
			f := malformed("a block is missing")
			return nil, f.at(uint64(i), InBlock, 0)
		}
	}
	e := memory.Get().(*evaluation)
	e.start(a, &a.base, append(e.blocks[:0], blocks...), o.Externs, limits)
	if err := e.load(facts, 0); err != nil {
		e.release()
		return nil, err
	}
	return e.finish(&Result{Policy: -1, Kind: datalog.Deny, a: a, blocks: blocks, facts: facts, externs: o.Externs, limits: limits})
}

// finish derives and decides, now that everything is loaded.
func (e *evaluation) finish(r *Result) (*Result, error) {
	failure := e.derive()
	for i := range e.a.grew {
		if n := int32(e.relations[i].n); n >= largeRelation || e.a.grew[i].Load() != 0 {
			e.a.grew[i].Store(n)
		}
	}
	if failure == nil {
		failure = e.decide(r)
	}
	r.steps, r.iterations = e.steps, e.rounds
	e.release()
	if failure != nil {
		r.Policy, r.Kind = -1, datalog.Deny
		return r, failure
	}
	return r, nil
}

// start readies e, which may have been used before.
func (e *evaluation) start(a *Authorizer, base *world, blocks []Block, externs map[string]Extern, limits Limits) {
	e.a, e.blocks, e.externs, e.limits = a, blocks, externs, limits
	e.prepared = nil
	e.rules, e.trusts, e.rounds = e.rules[:0], e.trusts[:0], 0
	e.ruleProg.reset()
	e.prog.reset()
	e.world.reset(base, len(blocks), limits.Steps)
	for i := range a.grew {
		e.relations[i].expected = int(a.grew[i].Load())
	}
	e.charge(a.base.facts)
	if len(e.defaultTrust) != e.words {
		e.defaultTrust = make([]uint64, e.words)
		e.blockTrust = make([]uint64, e.words)
		e.queryTrust = make([]uint64, e.words)
	}
	clear(e.defaultTrust)
	setBit(e.defaultTrust, originBit(AuthorizerBlock))
	setBit(e.defaultTrust, originBit(0))
}

// keep reports whether memory is worth lending again: not if an unusual request made it
// large, nor if many facts did and few have come since. Evaluations of all verifiers use
// it, and those that are light must not keep what a heavy one left.
func (e *evaluation) keep() bool {
	const large, patience = 1 << 14, 16
	if len(e.symbols.slots) > large || len(e.composites.elems) > large || len(e.relations) > large/16 ||
		len(e.prog.nodes) > large {
		return false
	}
	e.most = max(e.most, e.facts)
	if e.most <= large/16 || e.facts >= e.most/8 {
		e.idle = 0
		return true
	}
	e.idle++
	return e.idle < patience
}

// release drops all references to the input and gives the memory back, if it is worth it.
func (e *evaluation) release() {
	if !e.keep() {
		return
	}
	e.symbols.reset(0)
	clear(e.rules[:cap(e.rules)])
	clear(e.blocks[:cap(e.blocks)])
	e.blocks, e.externs, e.prepared = e.blocks[:0], nil, nil
	e.search = search{origins: e.search.origins[:0]}
	e.ruleProg.forget()
	e.prog.forget()
	e.nodes = nil
	clear(e.slots)
	clear(e.row[:cap(e.row)])
	clear(e.patterns)
	e.detail, e.cause = "", nil
	e.a, e.base = nil, nil
	memory.Put(e)
}

// originOf returns the origin set of one block. It is overwritten by the next call.
func (e *evaluation) originOf(block uint64) []uint64 {
	clear(e.queryTrust)
	setBit(e.queryTrust, originBit(block))
	return e.queryTrust
}

// load brings in the facts and rules, of blocks from one on.
func (e *evaluation) load(facts []datalog.Predicate, from int) *Error {
	if i, f := e.assert(facts, e.originOf(AuthorizerBlock)); f.kind != none {
		return f.at(AuthorizerBlock, InFact, len(e.a.source.Facts)+i)
	}
	e.trust(e.blockTrust, e.a.source.Scopes, e.defaultTrust, AuthorizerBlock)
	for i := range e.a.rules {
		e.addRule(e.a.rules[i], e.blockTrust)
	}
	for b := from; b < len(e.blocks); b++ {
		block := e.blocks[b].Datalog
		if i, f := e.assert(block.Facts, e.originOf(uint64(b))); f.kind != none {
			return f.at(uint64(b), InFact, i)
		}
		if len(block.Rules) > 0 {
			e.trust(e.blockTrust, block.Scopes, e.defaultTrust, uint64(b))
		}
		for i := range block.Rules {
			r, f := e.compileRule(&e.ruleProg, &block.Rules[i], uint64(b), i)
			if f.kind != none {
				err := f.at(uint64(b), InRule, i)
				if f.kind == UnboundHead {
					err.Rule = &block.Rules[i]
				}
				return err
			}
			e.addRule(r, e.blockTrust)
		}
	}
	if e.spent() {
		return &Error{Kind: TooManySteps, Block: AuthorizerBlock}
	}
	if e.facts > e.limits.Facts {
		return &Error{Kind: TooManyFacts, Block: AuthorizerBlock}
	}
	return nil
}

// decide tries checks and policies and fills in the result.
func (e *evaluation) decide(r *Result) *Error {
	e.trust(e.blockTrust, e.a.source.Scopes, e.defaultTrust, AuthorizerBlock)
	compiled := e.a.checks
	for i := range e.a.source.Checks {
		c := &e.a.source.Checks[i]
		n := len(c.Queries)
		if err := e.check(r, c, &e.a.prog, compiled[:n], AuthorizerBlock, i); err != nil {
			return err
		}
		compiled = compiled[n:]
	}
	if len(e.blocks) > 0 {
		if err := e.blockChecks(r, 0); err != nil {
			return err
		}
	}
	e.trust(e.blockTrust, e.a.source.Scopes, e.defaultTrust, AuthorizerBlock)
	if err := e.tryPolicies(r); err != nil {
		return err
	}
	for b := 1; b < len(e.blocks); b++ {
		if err := e.blockChecks(r, b); err != nil {
			return err
		}
	}
	return nil
}

func (e *evaluation) tryPolicies(r *Result) *Error {
	compiled := e.a.policies
	for i := range e.a.source.Policies {
		p := &e.a.source.Policies[i]
		for q := range p.Queries {
			e.trust(e.queryTrust, p.Queries[q].Scopes, e.blockTrust, AuthorizerBlock)
			ok, f := e.decides(datalog.CheckIf, &e.a.prog, &compiled[q], e.queryTrust)
			if f.kind != none {
				return f.at(AuthorizerBlock, InPolicy, i)
			}
			if ok {
				r.Policy, r.Kind = i, p.Kind
				return nil
			}
		}
		compiled = compiled[len(p.Queries):]
	}
	return nil
}

func (e *evaluation) blockChecks(r *Result, b int) *Error {
	block := e.blocks[b].Datalog
	if len(block.Checks) == 0 {
		return nil
	}
	e.trust(e.blockTrust, block.Scopes, e.defaultTrust, uint64(b))
	var prog *program
	var compiled []query
	if p := e.prepared; p != nil && b < len(p.checks) {
		prog, compiled = p.prog, p.checks[b]
	}
	for i := range block.Checks {
		c := &block.Checks[i]
		if err := e.check(r, c, prog, compiled, uint64(b), i); err != nil {
			return err
		}
		if prog != nil {
			compiled = compiled[len(c.Queries):]
		}
	}
	return nil
}

// check tries one check. Its queries are compiled now, unless compiled begins with
// them, in p. A check without queries fails; a reject if without queries holds.
func (e *evaluation) check(r *Result, c *datalog.Check, p *program, compiled []query, block uint64, index int) *Error {
	if c.Kind > datalog.RejectIf {
		f := malformed("unknown kind of check")
		return f.at(block, InCheck, index)
	}
	decided := false
	for i := range c.Queries {
		var q query
		from := p
		if p != nil {
			q = compiled[i]
			if e.charge(q.cost); e.spent() {
				return (&fault{kind: TooManySteps}).at(block, InCheck, index)
			}
		} else {
			from = &e.prog
			from.reset()
			var f fault
			if q, f = e.compileQuery(&e.prog, &c.Queries[i], false); f.kind != none {
				return f.at(block, InCheck, index)
			}
		}
		e.trust(e.queryTrust, c.Queries[i].Scopes, e.blockTrust, block)
		ok, f := e.decides(c.Kind, from, &q, e.queryTrust)
		if f.kind != none {
			return f.at(block, InCheck, index)
		}
		if ok {
			decided = true
			break
		}
	}
	if decided == (c.Kind == datalog.RejectIf) {
		r.Failed = append(r.Failed, FailedCheck{Block: block, Check: index, Source: c})
	}
	return nil
}
