package delegation

import (
	"fmt"
	"slices"
	"time"
)

// A Bound is what the blocks up to now allow in one dimension.
type Bound struct {
	// Caveat is the tightest that follows from all blocks.
	Caveat Caveat
	// Block is the one that made it as tight as it is.
	Block int
}

// A Scope is the sum of a chain's caveats: what is allowed now, and which block
// set each bound. It explains; the engine enforces.
type Scope struct {
	// Bounds are in the order in which the chain first sets them. Custom
	// caveats are each a bound of their own.
	Bounds []Bound
	// Empty is true when two bounds have nothing in common, so that the token
	// allows nothing at all.
	Empty bool

	at   map[dimension][]int // indices of Bounds, ascending; nil while they are few
	work int                 // steps taken in comparing
}

// has returns whether there is a bound of a kind.
func (s *Scope) has(kind string) bool {
	return slices.ContainsFunc(s.Bounds, func(b Bound) bool { return b.Caveat.dimension().kind == kind })
}

// Expires returns the moment at which the token expires.
func (s *Scope) Expires() (at Expiry, ok bool) { return boundOf[Expiry](s) }

// NotBefore returns the moment from which the token holds.
func (s *Scope) NotBefore() (at NotBefore, ok bool) { return boundOf[NotBefore](s) }

// Resources returns the resources that the token allows.
func (s *Scope) Resources() (r Resources, ok bool) { return boundOf[Resources](s) }

// Operations returns the operations that the token allows.
func (s *Scope) Operations() (o Operations, ok bool) { return boundOf[Operations](s) }

func boundOf[C Caveat](s *Scope) (c C, ok bool) {
	for _, b := range s.Bounds {
		if c, ok = b.Caveat.(C); ok {
			return c, true
		}
	}
	return c, false
}

// Bounds on the work of comparing caveats, which whoever writes a token can cause
// before any limit of the engine. What is not compared is kept as it is.
const (
	// maxCompared is with how many bounds on one thing, none of which can be
	// compared with the others, a new caveat is compared.
	maxCompared = 16

	// maxWork is how many pairs of elements may be held against each other for all
	// the caveats of a chain, and again for one that is to be written.
	maxWork = 1 << 19
)

// steps bounds the work of comparing two caveats, in pairs of elements: whatever lists
// they have, and what is found besides, is gone through for each element. Times and
// ranges take none, so that they always come to one bound.
func steps(a, b Caveat) int {
	n := elements(a) + elements(b)
	return n * n
}

// elements returns the length of a caveat's list.
func elements(c Caveat) int {
	switch c := c.(type) {
	case Resources:
		return len(c.Patterns)
	case Operations:
		return len(c.Names)
	case Audiences:
		return len(c.Names)
	case Agents:
		return len(c.Patterns)
	case AgentKeys:
		return len(c.Keys)
	case ContextOneOf:
		return len(c.Values)
	case ArgOneOf:
		return len(c.Values)
	case ArgSubtree:
		return len(c.Paths)
	case ArgCIDR:
		return len(c.Networks)
	case ArgHost:
		return len(c.Hosts)
	}
	return 0
}

// afford takes steps off what is left and reports whether there were as many.
func afford(work *int, steps int) bool {
	if *work+steps > maxWork {
		return false
	}
	*work += steps
	return true
}

// indexed is from how many bounds on they are found without going through all of them.
const indexed = 32

// on returns the bounds on one thing that a new caveat is compared with, as indices. It
// appends them to list or has them already.
func (s *Scope) on(d dimension, list []int) []int {
	if s.at == nil && len(s.Bounds) < indexed {
		for i := range s.Bounds {
			if len(list) < maxCompared && s.Bounds[i].Caveat.dimension() == d {
				list = append(list, i)
			}
		}
		return list
	}
	if s.at == nil {
		s.at = map[dimension][]int{}
		for i, b := range s.Bounds {
			d := b.Caveat.dimension()
			s.at[d] = append(s.at[d], i)
		}
	}
	return s.at[d][:min(len(s.at[d]), maxCompared)]
}

func (s *Scope) add(d dimension, b Bound) {
	if s.at != nil {
		s.at[d] = append(s.at[d], len(s.Bounds))
	}
	s.Bounds = append(s.Bounds, b)
}

// remove takes a bound out. What follows moves up.
func (s *Scope) remove(d dimension, i int) {
	s.Bounds = slices.Delete(s.Bounds, i, i+1)
	if s.at == nil {
		return
	}
	s.at[d] = slices.DeleteFunc(s.at[d], func(at int) bool { return at == i })
	for _, list := range s.at {
		for j := range list {
			if list[j] > i {
				list[j]--
			}
		}
	}
}

// Narrow takes one more caveat of a block into account. Where a single caveat says
// what it and the bounds so far allow together, that is the bound from now on. Where
// none does, as of two regular expressions, both are bounds.
func (s *Scope) Narrow(c Caveat, block int) {
	d := c.dimension()
	if d == (dimension{}) {
		s.add(d, Bound{c, block})
		return
	}
	var few [maxCompared]int
	var merged []int // bounds that are part of the new one
	for _, i := range s.on(d, few[:0]) {
		bound := s.Bounds[i]
		if !afford(&s.work, steps(bound.Caveat, c)) {
			continue
		}
		if bound.Caveat.compare(c) == Within {
			return // nothing new, or all of it in there by now
		}
		both, ok := c.meet(bound.Caveat)
		if !ok {
			s.Empty = true
		}
		if !ok || both == nil {
			continue
		}
		c = both
		merged = append(merged, i)
	}
	if len(merged) == 0 {
		s.add(d, Bound{c, block})
		return
	}
	s.Bounds[merged[0]] = Bound{c, block}
	for _, i := range slices.Backward(merged[1:]) {
		s.remove(d, i)
	}
}

// Clone returns a copy that can be narrowed by itself.
func (s *Scope) Clone() *Scope {
	return &Scope{Bounds: slices.Clone(s.Bounds), Empty: s.Empty, work: s.work}
}

// Fit says whether a new caveat stays within the scope. If it does, or if that
// cannot be said, it is returned as it is: both bind. Otherwise it is an error that
// names the bound and the block that set it, or, where clamp is true, the tighter
// of the two.
func (s *Scope) Fit(c Caveat, clamp bool) (Caveat, error) {
	d := c.dimension()
	if d == (dimension{}) {
		return c, nil
	}
	compared, work := 0, 0
	for _, bound := range s.Bounds {
		if compared == maxCompared {
			break
		}
		if bound.Caveat.dimension() != d {
			continue
		}
		compared++
		if !afford(&work, steps(c, bound.Caveat)) || c.compare(bound.Caveat) == Within {
			continue
		}
		both, ok := c.meet(bound.Caveat)
		switch {
		case !clamp && (!ok || both != nil && c.compare(bound.Caveat) == Beyond):
			return nil, &WideningError{Wanted: c, Bound: bound}
		case !ok:
			return nil, fmt.Errorf("%s has nothing in common with %s, which block %d set", c, bound.Caveat, bound.Block)
		case clamp && both != nil:
			c = both
		}
	}
	return c, nil
}

// A WideningError says that a caveat would allow more than the token does. The
// engine would refuse the excess in any case: the error is there so that nobody
// believes to have granted it.
type WideningError struct {
	Wanted Caveat
	Bound  Bound
}

func (e *WideningError) Error() string {
	return fmt.Sprintf("%s goes beyond %s, which block %d set", e.Wanted, e.Bound.Caveat, e.Bound.Block)
}

// maxShown bounds the text of the approvals and of all other bounds in the JSON of a
// scope, in bytes: a token says a name or a key once, and refers to it thereafter.
const maxShown = 1 << 16

// MarshalJSON writes the bounds by name, then all of them in the form of
// [MarshalCaveat] with the block that set each, and the checks written by hand with
// the block that each stands in. Approvals are left
// out from 64 KiB of text on, and so are bounds and checks: their number is "omitted".
func (s Scope) MarshalJSON() ([]byte, error) {
	type check struct {
		Block int    `json:"block"`
		Check string `json:"check"`
	}
	type bound struct {
		Block  int            `json:"block"`
		Caveat map[string]any `json:"caveat"`
		Text   string         `json:"text"`
	}
	out := struct {
		NotBefore  string   `json:"not_before,omitempty"`
		Expires    string   `json:"expires,omitempty"`
		Resources  []string `json:"resources"`
		Operations []string `json:"operations"`
		Approvals  []demand `json:"approvals,omitempty"`
		Checks     []check  `json:"checks"`
		Bounds     []bound  `json:"bounds"`
		Omitted    int      `json:"omitted,omitempty"`
		Empty      bool     `json:"empty,omitempty"`
	}{Resources: []string{}, Operations: []string{}, Checks: []check{}, Bounds: []bound{}, Empty: s.Empty}
	out.Approvals, out.Omitted = s.approvals(maxShown)
	room := maxShown
	for i, b := range s.Bounds {
		text := b.Caveat.String()
		if room -= len(text); room < 0 {
			out.Omitted += len(s.Bounds) - i
			break
		}
		if _, custom := b.Caveat.(Custom); custom {
			out.Checks = append(out.Checks, check{b.Block, text})
			continue
		}
		out.Bounds = append(out.Bounds, bound{b.Block, b.Caveat.members(), text})
	}
	if s.Empty {
		return marshalPlain(out) // none of the lists alone would say what is allowed: nothing
	}
	if c, ok := s.NotBefore(); ok {
		out.NotBefore = c.Time().Format(time.RFC3339)
	}
	if c, ok := s.Expires(); ok {
		out.Expires = c.Time().Format(time.RFC3339)
	}
	if c, ok := s.Resources(); ok {
		for _, p := range c.Patterns {
			out.Resources = append(out.Resources, p.String())
		}
	}
	if c, ok := s.Operations(); ok {
		out.Operations = append(out.Operations, c.Names...)
	}
	return marshalPlain(out)
}
