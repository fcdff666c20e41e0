package interop

import (
	"fmt"
	"slices"
	"strings"
)

// authorizerBlock stands for the authorizer among the numbers of blocks.
const authorizerBlock = -1

// A scope is one element of a trusting clause, and the blocks it lets in.
type scope struct {
	text   string
	blocks func(current int) []int
}

// layout says who signed the blocks of a program: for each block after block 0
// the index of a third-party key, or -1.
type layout []int

func (w *writer) layout() layout {
	l := make(layout, w.between(2, 4))
	for i := range l {
		l[i] = w.between(-1, len(w.keys)-1)
	}
	return l
}

// scopes returns up to three different scopes.
func (w *writer) scopes(l layout) []scope {
	all := []scope{
		{"authority", func(int) []int { return []int{0} }},
		{"previous", func(current int) []int {
			blocks := []int{}
			for b := 0; b <= current; b++ {
				blocks = append(blocks, b)
			}
			return blocks // none for the authorizer
		}},
	}
	for index, key := range w.keys {
		all = append(all, scope{key.Public, func(int) []int {
			var blocks []int
			for i, signer := range l {
				if signer == index {
					blocks = append(blocks, i+1)
				}
			}
			return blocks
		}})
	}
	w.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:w.between(1, 3)]
}

// visible reports whether a query that stands in block current sees the facts
// that block states. Without scopes it sees those of block 0.
func visible(scopes []scope, current, block int) bool {
	if block == current || block == authorizerBlock {
		return true
	}
	if len(scopes) == 0 {
		return block == 0
	}
	return slices.ContainsFunc(scopes, func(s scope) bool {
		return slices.Contains(s.blocks(current), block)
	})
}

// clause writes a trusting clause; nothing for no scopes.
func clause(scopes []scope) string {
	if len(scopes) == 0 {
		return ""
	}
	var names []string
	for _, s := range scopes {
		names = append(names, s.text)
	}
	return " trusting " + strings.Join(names, ", ")
}

// scopes tries what a query with a trusting clause of its own sees: the checks
// hold unless one is turned round.
func scopes(w *writer, p *Program) { writeScopes(w, p, false) }

// blockScopes adds trusting clauses for whole blocks, which those of a query
// replace.
func blockScopes(w *writer, p *Program) { writeScopes(w, p, true) }

func writeScopes(w *writer, p *Program, perBlock bool) {
	l := w.layout()
	texts := make([]source, len(l)+1)
	turned := authorizerBlock - 1 // the block with a check that fails
	if w.IntN(5) < 2 {
		turned = w.between(authorizerBlock, len(l))
	}
	for b := range texts {
		var defaults []scope
		if perBlock && w.IntN(3) > 0 {
			defaults = w.scopes(l)
			texts[b].WriteString(strings.TrimSpace(clause(defaults)) + ";\n")
		}
		texts[b].add("from(%d)", b)
		texts[b].add("name(%q, %d)", w.oneOf("shared", fmt.Sprint("own ", b)), b)
		texts[b].add("saw(%d, $i) <- from($i)%s", b, w.optionalClause(l))
		texts[b].add("saw(%d, $i, $s) <- from($i), name($s, $i)%s", b, w.optionalClause(l))
		w.scopedChecks(&texts[b], l, defaults, b, turned == b)
	}
	p.intend(turned >= authorizerBlock)
	var authorizer source
	authorizer.add("from(%d)", authorizerBlock)
	authorizer.add("saw(%d, $i) <- from($i)%s", authorizerBlock, w.optionalClause(l))
	w.scopedChecks(&authorizer, l, nil, authorizerBlock, turned == authorizerBlock)
	authorizer.add("deny if from(%d)", w.between(1, len(l))) // not seen without a scope
	authorizer.add("allow if from($i), $i > 0%s", clause(w.scopes(l)))
	authorizer.add("allow if from(0)")

	p.Authority, p.Authorizer = texts[0].String(), authorizer.String()
	for i, signer := range l {
		p.Blocks = append(p.Blocks, BlockSpec{Code: texts[i+1].String(), ThirdPartyKeyIndex: signer})
	}
}

func (w *writer) optionalClause(l layout) string {
	if w.coin() {
		return ""
	}
	return clause(w.scopes(l))
}

// scopedChecks writes three checks, each on a fact of one block under some
// scopes; with turned, the first of them fails.
func (w *writer) scopedChecks(s *source, l layout, defaults []scope, current int, turned bool) {
	for i := range 3 {
		scopes, text := defaults, ""
		if w.IntN(4) > 0 {
			scopes = w.scopes(l)
			text = clause(scopes)
		}
		block := w.between(authorizerBlock, len(l))
		kind := w.oneOf("check if", "check all")
		if visible(scopes, current, block) == (turned && i == 0) {
			kind = "reject if"
		}
		s.add("%s from(%d)%s", kind, block, text)
	}
}
