package engine

import "github.com/whittle-auth/whittle/token/datalog"

// A set of origins, and a set of trusted origins, is a bit set of
// originWords(blocks) words: bit 0 is the authorizer, bit i+1 is block i.

func originWords(blocks int) int { return (max(blocks, 1) + 1 + 63) / 64 }

func originBit(block uint64) int {
	if block == AuthorizerBlock {
		return 0
	}
	return int(block) + 1
}

func setBit(set []uint64, bit int) { set[bit/64] |= 1 << (bit % 64) }

// subset reports whether a is a subset of b.
func subset(a, b []uint64) bool {
	for i, x := range a {
		if x&^b[i] != 0 {
			return false
		}
	}
	return true
}

// blocksOf lists the block numbers in a set, ascending, the authorizer last.
func blocksOf(set []uint64) []uint64 {
	var list []uint64
	for bit := 1; bit < 64*len(set); bit++ {
		if set[bit/64]&(1<<(bit%64)) != 0 {
			list = append(list, uint64(bit-1))
		}
	}
	if set[0]&1 != 0 {
		list = append(list, AuthorizerBlock)
	}
	return list
}

// trust sets dst to the origins that an element of the given block trusts.
// Scopes replace inherited, which is what the surrounding block trusts; the
// block itself and the authorizer are always trusted (specification, section
// "Scope annotations").
func (e *evaluation) trust(dst []uint64, scopes []datalog.Scope, inherited []uint64, block uint64) {
	if len(scopes) == 0 {
		copy(dst, inherited)
	} else {
		clear(dst)
	}
	setBit(dst, 0)
	setBit(dst, originBit(block))
	for i := range scopes {
		e.charge(1)
		switch s := &scopes[i]; s.Kind {
		case datalog.ScopeAuthority:
			setBit(dst, originBit(0))
		case datalog.ScopePrevious:
			if block == AuthorizerBlock {
				continue
			}
			for b := uint64(0); b < block; b++ {
				setBit(dst, originBit(b))
			}
		case datalog.ScopeKey:
			e.charge(len(e.blocks))
			for b := range e.blocks {
				if k := e.blocks[b].External; k != nil && *k == s.Key {
					setBit(dst, b+1)
				}
			}
		}
	}
}
