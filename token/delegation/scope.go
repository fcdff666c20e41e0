package delegation

import (
	"encoding/json"
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

// find returns the bound in a dimension.
func (s *Scope) find(dimension string) *Bound {
	for i := range s.Bounds {
		if dimension != "" && s.Bounds[i].Caveat.dimension() == dimension {
			return &s.Bounds[i]
		}
	}
	return nil
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

// Narrow takes one more caveat of a block into account.
func (s *Scope) Narrow(c Caveat, block int) {
	bound := s.find(c.dimension())
	if bound == nil {
		s.Bounds = append(s.Bounds, Bound{c, block})
		return
	}
	if bound.Caveat.within(c) {
		return
	}
	both, ok := c.meet(bound.Caveat)
	if !ok {
		s.Empty = true
	}
	*bound = Bound{both, block}
}

// Clone returns a copy that can be narrowed by itself.
func (s *Scope) Clone() *Scope {
	return &Scope{Bounds: slices.Clone(s.Bounds), Empty: s.Empty}
}

// Fit says whether a new caveat stays within the scope. If it does, it is
// returned as it is. Otherwise it is an error that names the bound and the
// block that set it, or, where clamp is true, the tighter of the two.
func (s *Scope) Fit(c Caveat, clamp bool) (Caveat, error) {
	bound := s.find(c.dimension())
	if bound == nil || c.within(bound.Caveat) {
		return c, nil
	}
	if !clamp {
		return nil, &WideningError{Wanted: c, Bound: *bound}
	}
	both, ok := c.meet(bound.Caveat)
	if !ok {
		return nil, fmt.Errorf("%s has nothing in common with %s, which block %d set", c, bound.Caveat, bound.Block)
	}
	return both, nil
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

// MarshalJSON writes the bounds by name, and the checks written by hand with the
// block that each stands in.
func (s Scope) MarshalJSON() ([]byte, error) {
	type check struct {
		Block int    `json:"block"`
		Check string `json:"check"`
	}
	out := struct {
		NotBefore  string   `json:"not_before,omitempty"`
		Expires    string   `json:"expires,omitempty"`
		Resources  []string `json:"resources"`
		Operations []string `json:"operations"`
		Checks     []check  `json:"checks"`
	}{Resources: []string{}, Operations: []string{}, Checks: []check{}}
	for _, b := range s.Bounds {
		switch c := b.Caveat.(type) {
		case NotBefore:
			out.NotBefore = c.Time().Format(time.RFC3339)
		case Expiry:
			out.Expires = c.Time().Format(time.RFC3339)
		case Resources:
			for _, p := range c.Patterns {
				out.Resources = append(out.Resources, p.String())
			}
		case Operations:
			out.Operations = append(out.Operations, c.Names...)
		case Custom:
			out.Checks = append(out.Checks, check{b.Block, c.String()})
		}
	}
	return json.Marshal(out)
}
