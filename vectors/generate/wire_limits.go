package main

import (
	"bytes"
	"fmt"
	"strings"
)

// limitCases stand at each limit of spec/wire.md, and one beyond it.
func limitCases() []wireCase {
	var all []wireCase
	// at has what is the most, and one more than that.
	at := func(name, most, beyond string, token func(more int) []byte) {
		all = append(all,
			accepted("limit-"+name, most, "V1", edRoot, token(0)),
			refused("limit-"+name+"-beyond", "limit-"+name, beyond, "V1", malformed, edRoot, token(1)))
	}

	at("blocks", "A token of 32 blocks.", "A token of 33 blocks.", func(more int) []byte {
		c := new(chain).add(rightBlock(), link{signer: edRoot, next: ed1.publicKey})
		for range 31 + more {
			c.add(block{}, link{signer: ed1, next: ed1.publicKey})
		}
		return c.wire(secretProof(ed1.secret))
	})
	at("symbols", "A block that declares 1,024 symbols.", "A block that declares 1,025 symbols.", func(more int) []byte {
		return oneBlock(block{declare: numbered(1024 + more), facts: []node{pred("user", integer(1))}})
	})
	at("symbols-shared", "Two blocks that declare 512 symbols each.", "Two blocks that declare 512 and 513 symbols.", func(more int) []byte {
		names := numbered(1024 + more)
		return new(chain).add(block{declare: names[:512]}, link{signer: edRoot, next: ed1.publicKey}).
			add(block{declare: names[512:]}, link{signer: ed1, next: ed2.publicKey}).wire(secretProof(ed2.secret))
	})
	at("keys", "A block that declares 256 keys.", "A block that declares 257 keys.", func(more int) []byte {
		var keys []publicKey
		for i := range 256 + more {
			keys = append(keys, edKey(fmt.Sprintf("declared %d", i)).publicKey)
		}
		return oneBlock(block{keys: keys, facts: []node{pred("user", integer(1))}})
	})
	at("elements", "A block of 8,192 elements: a fact and its terms.", "A block of 8,193 elements.", func(more int) []byte {
		return oneBlock(factBlock(repeated(8191+more, boolean(true))...))
	})
	at("text", "Symbols that stand for 260,004 bytes of text.", "Symbols that stand for 270,004 bytes of text, which is more than 256 KiB.", func(more int) []byte {
		return oneBlock(block{facts: []node{pred("user", repeated(26+more, str(strings.Repeat("a", 10000)))...)}})
	})
	at("nesting", "Arrays nested 64 deep.", "Arrays nested 65 deep.", func(more int) []byte {
		return oneBlock(factBlock(nestedArrays(64 + more)))
	})
	at("nesting-maps", "Maps nested 64 deep.", "Maps nested 65 deep.", func(more int) []byte {
		return oneBlock(factBlock(nestedMaps(64 + more)))
	})
	at("negations", "64 negations of one value.", "65 negations of one value.", func(more int) []byte {
		return oneBlock(exprBlock(negations(64 + more)))
	})
	at("parentheses", "64 closures whose text has a parenthesis each.", "65 closures whose text has a parenthesis each.", func(more int) []byte {
		return oneBlock(exprBlock(nestedOr(64 + more)))
	})
	at("arguments", "Methods as arguments of methods, 64 deep.", "Methods as arguments of methods, 65 deep.", func(more int) []byte {
		e := num(0)
		for range 64 + more {
			e = infix(binGet, val(array(integer(1))), e)
		}
		return oneBlock(exprBlock(e))
	})
	at("added-parentheses", "Sums in sums on the right, 64 deep, each of which prints with parentheses.", "Sums in sums on the right, 65 deep.", func(more int) []byte {
		e := infix(binAdd, num(1), num(1))
		for range 64 + more {
			e = infix(binAdd, num(1), e)
		}
		return oneBlock(exprBlock(e))
	})
	at("mixed", "62 negations of a closure around an array.", "63 negations of a closure around an array.", func(more int) []byte {
		e := quantified(binAny, val(array()), "x", infix(binEqual, ref("x"), val(array())))
		for range 62 + more {
			e = append(e, unaryOp(unNegate))
		}
		return oneBlock(exprBlock(e))
	})

	long := twoBlocks()
	long.blocks = long.blocks[:1]
	long.add(resourceBlock(), link{signer: ed1, next: ed2.publicKey, forge: func(_, _ []byte) []byte { return bytes.Repeat([]byte{1}, 4097) }})
	return append(all,
		accepted("limit-left", "A thousand sums on the left: nothing is nested in their text.", "V1", edRoot, oneBlock(exprBlock(sums(1000)))),
		refused("limit-signature", "two-blocks", "A signature of 4,097 bytes.", "V1", malformed, edRoot, long.wire(secretProof(ed2.secret))),
	)
}

func numbered(n int) []string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("s%d", i))
	}
	return names
}

func repeated(n int, x node) []node {
	var all []node
	for range n {
		all = append(all, x)
	}
	return all
}

// sums is 1 + 1 + .. + 1.
func sums(n int) expr {
	e := num(1)
	for range n {
		e = infix(binAdd, e, num(1))
	}
	return e
}

// statementCases are statements that say nothing, or what only a newer version says.
func statementCases() []wireCase {
	no := func(name, sibling, description string, b block) wireCase {
		return refused(name, sibling, description, "V1", malformed, edRoot, oneBlock(b))
	}
	nullInSet := factBlock(set(null()))
	nullInSet.version = 5
	strict := exprBlock(infix(binStrictNotEqual, num(1), num(2)))
	strict.version = 3
	headed := block{version: 5, checks: []node{func(t *table) []byte {
		return bytesField(1, query{body: []node{pred("user", str("a"))}}.encode(t, pred("query", null())))
	}}}
	return []wireCase{
		accepted("query-head-null", "The head of a query has null in a block of version 5: it says nothing.", "V1", edRoot, oneBlock(headed)),
		no("check-no-queries", "check-or", "A check without queries.", block{checks: []node{check(checkIf)}}),
		no("query-empty", "check-or", "A query with neither predicate nor expression.", block{checks: []node{check(checkIf, query{})}}),
		no("rule-no-body", "rule", "A rule with neither predicate nor expression.", block{rules: []node{rule(pred("user", str("a")), query{})}}),
		no("query-head-unresolved", "check-or", "The head of a query, which says nothing, has a name that nothing declares.", block{checks: []node{
			func(t *table) []byte {
				return bytesField(1, query{body: []node{pred("user", str("a"))}}.encode(t, predIndex(5000)))
			},
		}}),
		no("block-version-5-null-in-set", "term-set-null", "A set of null in a block of version 5.", nullInSet),
		no("block-version-5-null-in-head", "term-null", "The head of a rule has null in a block of version 5.", block{version: 5, rules: []node{
			rule(pred("user", null()), query{body: []node{pred("user", str("a"))}})}}),
		no("block-version-3-strict-not-equal", "expression-strict-not-equal", "!== in a block of version 3.", strict),
	}
}
