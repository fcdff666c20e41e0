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
}

// find returns whether there is a bound of a kind.
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

// maxCompared bounds how many caveats on one thing, none of which can be compared
// with the others, a new one is compared with. More are kept as they are.
const maxCompared = 16

// Narrow takes one more caveat of a block into account. Where a single caveat says
// what it and the bounds so far allow together, that is the bound from now on. Where
// none does, as of two regular expressions, both are bounds.
func (s *Scope) Narrow(c Caveat, block int) {
	if c.dimension() == (dimension{}) {
		s.Bounds = append(s.Bounds, Bound{c, block})
		return
	}
	at, compared := -1, 0
	for i := 0; i < len(s.Bounds) && compared < maxCompared; i++ {
		bound := s.Bounds[i]
		if bound.Caveat.dimension() != c.dimension() {
			continue
		}
		compared++
		if Compare(bound.Caveat, c) == Within {
			return // nothing new, or all of it in there by now
		}
		both, ok := c.meet(bound.Caveat)
		if !ok {
			s.Empty = true
		}
		if !ok || both == nil {
			continue
		}
		// The bound becomes part of the new one, in the place of the first.
		c = both
		if at < 0 {
			at = i
			continue
		}
		s.Bounds = slices.Delete(s.Bounds, i, i+1)
		i--
	}
	if at < 0 {
		s.Bounds = append(s.Bounds, Bound{c, block})
		return
	}
	s.Bounds[at] = Bound{c, block}
}

// Clone returns a copy that can be narrowed by itself.
func (s *Scope) Clone() *Scope {
	return &Scope{Bounds: slices.Clone(s.Bounds), Empty: s.Empty}
}

// Fit says whether a new caveat stays within the scope. If it does, or if that
// cannot be said, it is returned as it is: both bind. Otherwise it is an error that
// names the bound and the block that set it, or, where clamp is true, the tighter
// of the two.
func (s *Scope) Fit(c Caveat, clamp bool) (Caveat, error) {
	compared := 0
	for _, bound := range s.Bounds {
		d := c.dimension()
		if d == (dimension{}) || bound.Caveat.dimension() != d || compared == maxCompared {
			continue
		}
		compared++
		if Compare(c, bound.Caveat) == Within {
			continue
		}
		both, ok := c.meet(bound.Caveat)
		switch {
		case !clamp && (!ok || both != nil && Compare(c, bound.Caveat) == Beyond):
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

// MarshalJSON writes the bounds by name, then all of them in the form of
// [MarshalCaveat] with the block that set each, and the checks written by hand with
// the block that each stands in.
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
		Empty      bool     `json:"empty,omitempty"`
	}{Resources: []string{}, Operations: []string{}, Approvals: s.approvals(), Checks: []check{}, Bounds: []bound{}, Empty: s.Empty}
	for _, b := range s.Bounds {
		if c, custom := b.Caveat.(Custom); custom {
			out.Checks = append(out.Checks, check{b.Block, c.String()})
			continue
		}
		out.Bounds = append(out.Bounds, bound{b.Block, b.Caveat.members(), b.Caveat.String()})
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
