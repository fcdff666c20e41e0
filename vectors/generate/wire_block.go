package main

// refusedSymbols name symbols or keys that the block cannot see, or declare
// them twice.
func refusedSymbols() []wireCase {
	var all []wireCase
	no := func(name, sibling, description string, token []byte) {
		all = append(all, refused(name, sibling, description, "V5", malformed, edRoot, token))
	}
	proof := secretProof(ed2.secret)
	// after is a valid block 0 that declares file1, and then the given block.
	after := func(b block, third *key) []byte {
		return new(chain).add(rightBlock(), link{signer: edRoot, next: ed1.publicKey}).
			add(b, link{signer: ed1, next: ed2.publicKey, external: third}).wire(proof)
	}

	no("symbol-28", "term-string", "A string numbered 28, the first that is reserved.", oneBlock(factBlock(strIndex(28))))
	no("symbol-1023", "term-string", "A string numbered 1023, the last that is reserved.", oneBlock(factBlock(strIndex(1023))))
	no("symbol-unresolved", "term-string", "A string whose number nothing declares.", oneBlock(factBlock(strIndex(firstSymbol+1))))
	no("symbol-largest", "term-string", "A string numbered 2^64 - 1.", oneBlock(factBlock(strIndex(1<<64-1))))
	no("symbol-unresolved-name", "term-string", "A fact whose name is a number that nothing declares.",
		oneBlock(block{facts: []node{predIndex(firstSymbol, integer(1))}}))
	no("symbol-unresolved-key", "term-map-strings", "A map key whose number nothing declares.",
		oneBlock(factBlock(mapping(pair{strIndex(firstSymbol + 1), integer(1)}))))
	no("symbol-unresolved-variable", "variable-digit", "A variable whose number nothing declares.",
		oneBlock(block{checks: []node{check(checkIf, query{body: []node{pred("resource", raw(uintField(1, firstSymbol)))}})}}))
	no("symbol-forward", "symbol-from-earlier-block", "Block 0 uses a symbol that block 1 declares.",
		new(chain).add(block{facts: []node{pred("right", strIndex(firstSymbol), str("read"))}}, link{signer: edRoot, next: ed1.publicKey}).
			add(resourceBlock(), link{signer: ed1, next: ed2.publicKey}).wire(proof))
	no("symbol-from-third-party", "after-third-party", "Block 2 uses a symbol that only the third-party block 1 declares.",
		new(chain).add(rightBlock(), link{signer: edRoot, next: ed1.publicKey}).
			add(block{facts: []node{pred("group", str("x"), str("y"))}}, link{signer: ed1, next: ed2.publicKey, external: &edThird}).
			add(block{facts: []node{pred("group", strIndex(firstSymbol+1))}}, link{signer: ed2, next: ed3.publicKey}).
			wire(secretProof(ed3.secret)))
	no("symbol-into-third-party", "third-party-own-tables", "A third-party block uses a symbol that only block 0 declares.",
		after(block{facts: []node{pred("group", strIndex(firstSymbol))}}, &edThird))
	no("symbol-twice-in-block", "symbol-unused", "A block declares a symbol twice.",
		oneBlock(block{declare: []string{"file1", "file1"}, facts: rightBlock().facts}))
	no("symbol-twice-across-blocks", "symbol-from-earlier-block", "Block 1 declares a symbol that block 0 declares.",
		after(block{declare: []string{"file1"}, checks: resourceBlock().checks}, nil))
	no("symbol-default", "symbol-unused", "A block declares a default symbol.",
		oneBlock(block{declare: []string{"read"}, facts: rightBlock().facts}))
	no("symbol-twice-third-party", "third-party-own-tables", "A third-party block declares a symbol twice.",
		after(block{declare: []string{"x", "x"}, facts: []node{pred("group", str("x"))}}, &edThird))
	no("symbol-bad-utf8", "term-string", "A declared symbol is the byte ff.", oneBlock(factBlock(str("\xff"))))
	no("symbol-surrogate", "term-string", "A declared symbol is a UTF-8 encoded surrogate.", oneBlock(factBlock(str("\xed\xa0\x80"))))
	no("symbol-overlong", "term-string", "A declared symbol has an overlong encoding of a slash.", oneBlock(factBlock(str("\xc0\xaf"))))
	no("context-bad-utf8", "context", "The context is the byte ff.", oneBlock(block{context: "\xff"}))

	for _, n := range namesThatAreNone {
		no("name-"+n.what, "name-colon-underscore", "A fact whose name the language cannot spell.",
			oneBlock(block{facts: []node{pred(n.name, integer(1))}}))
		no("variable-"+n.what, "variable-digit", "A variable whose name the language cannot spell.",
			oneBlock(block{checks: []node{check(checkIf, query{body: []node{pred("resource", variable(n.name))}})}}))
	}

	keys := func(keys ...publicKey) block { return block{keys: keys, facts: rightBlock().facts} }
	no("key-twice-in-block", "key-unused", "A block declares a key twice.", oneBlock(keys(edThird.publicKey, edThird.publicKey)))
	no("key-twice-across-blocks", "key-from-earlier-block", "Block 1 declares a key that block 0 declares.",
		new(chain).add(keys(edThird.publicKey), link{signer: edRoot, next: ed1.publicKey}).
			add(block{keys: []publicKey{edThird.publicKey}}, link{signer: ed1, next: ed2.publicKey}).wire(proof))
	trusts := func(index uint64) block {
		return block{checks: []node{check(checkIf, query{body: []node{pred("user", str("read"))}, scopes: []node{scopeKeyIndex(index)}})}}
	}
	no("key-unresolved", "scope-several", "A scope names a key that nothing declares.", oneBlock(trusts(0)))
	no("key-negative", "scope-several", "A scope names key number -1.", oneBlock(trusts(1<<64-1)))
	no("key-forward", "key-from-earlier-block", "A scope of block 0 names a key that block 1 declares.",
		new(chain).add(trusts(0), link{signer: edRoot, next: ed1.publicKey}).
			add(block{keys: []publicKey{edThird.publicKey}}, link{signer: ed1, next: ed2.publicKey}).wire(proof))
	no("key-into-third-party", "third-party-own-tables", "A scope of a third-party block names a key that only block 0 declares.",
		new(chain).add(keys(edThird.publicKey), link{signer: edRoot, next: ed1.publicKey}).
			add(trusts(0), link{signer: ed1, next: ed2.publicKey, external: &edThird}).wire(proof))
	return all
}

// refusedTerms are blocks, well signed, whose content is no Datalog.
func refusedTerms() []wireCase {
	var all []wireCase
	no := func(name, sibling, description string, b block) {
		all = append(all, refused(name, sibling, description, "V1", malformed, edRoot, oneBlock(b)))
	}
	six := func(b block) block { b.version = 6; return b }

	no("set-mixed", "term-set-integers", "A set of an integer and a string.", factBlock(set(integer(1), str("a"))))
	no("set-nested", "term-set-integers", "A set inside a set.", factBlock(set(set(integer(1)))))
	no("set-duplicate", "term-set-integers", "A set with the element 1 twice.", factBlock(set(integer(1), integer(2), integer(1))))
	no("set-variable", "term-set-integers", "A variable inside a set.", factBlock(set(variable("x"))))
	no("array-variable", "term-array", "A variable inside an array.", factBlock(array(variable("x"))))
	no("map-variable", "term-map-strings", "A variable inside a map.", factBlock(mapping(pair{str("a"), variable("x")})))
	no("map-duplicate-key", "term-map-strings", "A map with the key a twice.",
		factBlock(mapping(pair{str("a"), integer(1)}, pair{str("a"), integer(2)})))
	no("map-empty-key", "term-map-strings", "A map entry whose key is neither integer nor string.",
		six(factBlock(raw(bytesField(10, bytesField(1, message{bytesField(1, nil), bytesField(2, integer(1)(nil))}.bytes()))))))
	no("map-absent-value", "term-map-strings", "A map entry without a value.",
		six(factBlock(raw(bytesField(10, bytesField(1, bytesField(1, uintField(1, 1))))))))
	no("fact-variable", "fact-many-terms", "A variable in a fact.", factBlock(variable("x")))
	no("term-none", "term-integer-zero", "A term with no member.", factBlock(raw(nil)))
	no("term-two", "term-integer-zero", "A term with two members.", factBlock(raw(message{uintField(2, 1), uintField(6, 1)}.bytes())))
	no("term-unknown", "term-integer-zero", "A term with the field 11.", factBlock(raw(uintField(11, 1))))
	no("bool-two", "term-bool-true", "A boolean with the value 2.", factBlock(raw(uintField(6, 2))))
	no("varint-term", "term-integer-zero", "The integer 0 as a varint with a needless byte.", factBlock(raw(longUintField(2, 0))))
	no("null-content", "term-null", "A null with a field inside.", six(factBlock(raw(bytesField(8, uintField(1, 0))))))
	no("array-depth-100", "term-array-depth-8", "Arrays nested 100 deep.", factBlock(nestedArrays(100)))
	no("map-depth-100", "term-map-nested", "Maps nested 100 deep.", factBlock(nestedMaps(100)))

	no("unknown-block", "one-block", "The payload has a field 9.", edited(func(m message) message { return m.with(uintField(9, 1)) }))
	no("descending-block", "one-block", "In the payload the version stands before the symbols.",
		edited(func(m message) message { return m.swapped(0, 1) }))
	no("repeated-block-version", "one-block", "The payload states its version twice.",
		edited(func(m message) message { return m.replaced(1, m[1], m[1]) }))
	no("truncated-block", "one-block", "The last byte of the payload is missing; the length and the signature fit that.",
		edited(func(m message) message { return message{m.bytes()[:len(m.bytes())-1]} }))
	no("fact-absent-predicate", "one-block", "A fact without a predicate.",
		edited(func(m message) message { return m.with(bytesField(4, nil)) }))
	no("predicate-absent-name", "one-block", "A predicate without a name.",
		edited(func(m message) message { return m.with(bytesField(4, bytesField(1, bytesField(2, integer(1)(nil))))) }))
	no("check-kind-unknown", "check-all", "A check of kind 3.",
		block{checks: []node{check(3, query{body: []node{pred("user", str("a"))}})}})
	no("scope-unknown", "scope-authority", "A scope of type 2.",
		block{checks: []node{check(checkIf, query{body: []node{pred("user", str("a"))}, scopes: []node{scopeType(2)}})}})
	no("scope-none", "scope-authority", "A scope with no member.",
		block{version: 4, checks: []node{check(checkIf, query{body: []node{pred("user", str("a"))}, scopes: []node{raw(nil)}})}})
	return all
}

// namesThatAreNone cannot be spelled as the name of a predicate or variable.
var namesThatAreNone = []struct{ what, name string }{
	{"space", "a b"}, {"paren", "a(1) or b"}, {"empty", ""}, {"newline", "a\nb"}, {"quote", "a\""},
}

// edited is the block of one-block after a change of its fields, which are: the
// symbol file1, the version, the fact.
func edited(edit func(message) message) block {
	b := rightBlock()
	b.edit = edit
	return b
}

func nestedMaps(depth int) node {
	n := mapping()
	for range depth - 1 {
		n = mapping(pair{integer(0), n})
	}
	return n
}

// refusedExpressions are postfix sequences that mean nothing.
func refusedExpressions() []wireCase {
	var all []wireCase
	no := func(name, sibling, description string, e expr) {
		all = append(all, refused("expression-"+name, "expression-"+sibling, description, "V1", malformed, edRoot,
			oneBlock(func() block { b := exprBlock(e); b.version = 6; return b }())))
	}
	no("empty", "and", "An expression without operations.", nil)
	no("underflow-unary", "negate", "A negation of nothing.", expr{unaryOp(unNegate)})
	no("underflow-binary", "less-than", "A comparison with one operand.", join(num(1), expr{binaryOp(binLessThan)}))
	no("leftover", "less-than", "Two values and no operator.", join(truth(true), truth(true)))
	no("operator-none", "less-than", "An operation with no member.", join(num(1), expr{raw(nil)}))
	no("operator-two", "less-than", "An operation that is a value and an operator.",
		join(num(1), expr{raw(message{bytesField(1, uintField(2, 1)), bytesField(2, uintField(1, unParens))}.bytes())}))
	no("unary-unknown", "negate", "A unary operator numbered 5.", join(truth(true), expr{unaryOp(5)}))
	no("binary-unknown", "less-than", "A binary operator numbered 30.", infix(30, num(1), num(2)))
	no("unary-absent-kind", "negate", "A unary operation without a kind.", join(truth(true), expr{raw(bytesField(2, nil))}))
	no("extern-absent-name", "extern-unary", "A call of the host without a name.", join(num(1), expr{raw(bytesField(2, uintField(1, unExtern)))}))
	no("closure-alone", "and", "A closure where a value is expected.", expr{closureOp(nil, truth(true))})
	no("closure-as-operand", "less-than", "A closure as the right operand of a comparison.",
		join(num(1), expr{closureOp(nil, num(2)), binaryOp(binLessThan)}))
	no("closure-on-the-left", "and", "A closure as the left operand of and.",
		join(expr{closureOp(nil, truth(true))}, expr{closureOp(nil, truth(true)), binaryOp(binAnd)}))
	no("closure-missing", "and", "And with a value in place of its closure.", infix(binAnd, truth(true), truth(true)))
	no("closure-parameter", "and", "And with a closure that takes a parameter.",
		join(truth(true), expr{closureOp([]string{"x"}, truth(true)), binaryOp(binAnd)}))
	no("closure-no-parameter", "all", "All with a closure that takes no parameter.",
		join(val(array(integer(1))), expr{closureOp(nil, truth(true)), binaryOp(binAll)}))
	no("closure-two-parameters", "any", "Any with a closure that takes two parameters.",
		join(val(array(integer(1))), expr{closureOp([]string{"x", "y"}, truth(true)), binaryOp(binAny)}))
	no("closure-empty", "and", "And with a closure without operations.",
		join(truth(true), expr{closureOp(nil, nil), binaryOp(binAnd)}))
	no("try-or-value", "try-or", "try_or with a value in place of its closure.", infix(binTryOr, truth(true), truth(true)))
	no("negation-depth-10000", "negate", "10,000 negations of one value.", negations(10000))
	no("closure-depth-100", "any-nested", "Closures nested 100 deep.", nestedOr(100))
	return all
}

func negations(n int) expr {
	e := truth(true)
	for range n {
		e = append(e, unaryOp(unNegate))
	}
	return e
}

// nestedOr is false || (false || ..) with each closure inside the one before.
func nestedOr(depth int) expr {
	e := truth(true)
	for range depth {
		e = lazy(binOr, truth(false), e)
	}
	return e
}

// refusedVersions are blocks whose version is unknown or too low for what they
// hold.
func refusedVersions() []wireCase {
	var all []wireCase
	no := func(name, sibling, description, code string, b block) {
		all = append(all, refused("block-version-"+name, sibling, description, "V1", code, edRoot, oneBlock(b)))
	}
	at := func(version int, b block) block { b.version = version; return b }

	no("2", "block-version-3", "A block of version 2.", unsupported, at(2, factBlock(integer(1))))
	no("7", "block-version-6", "A block of version 7.", unsupported, at(7, factBlock(integer(1))))
	no("absent", "one-block", "A block that states no version.", unsupported,
		edited(func(m message) message { return m.without(1) }))
	no("3-check-all", "check-all", "A check all in a block of version 3.", malformed,
		at(3, block{checks: []node{check(checkAll, query{body: []node{pred("user", str("a"))}})}}))
	no("3-scope", "scope-authority", "A scope in a block of version 3.", malformed,
		at(3, block{checks: []node{check(checkIf, query{body: []node{pred("user", str("a"))}, scopes: []node{scopeType(scopeAuthority)}})}}))
	no("3-bitwise", "expression-bit-and", "A bitwise operator in a block of version 3.", malformed,
		at(3, exprBlock(infix(binStrictEqual, infix(binBitAnd, num(6), num(3)), num(2)))))
	no("5-reject-if", "reject-if", "A reject if in a block of version 5.", malformed,
		at(5, block{checks: []node{check(rejectIf, query{body: []node{pred("user", str("eve"))}})}}))
	no("5-null", "term-null", "A null in a block of version 5.", malformed, at(5, factBlock(null())))
	no("5-closure", "expression-and", "A closure in a block of version 5.", malformed, at(5, exprBlock(lazy(binAnd, truth(true), truth(true)))))
	no("5-equal", "expression-equal", "A lenient comparison in a block of version 5.", malformed, at(5, exprBlock(infix(binEqual, num(1), num(1)))))

	third := at(4, block{facts: []node{pred("group", str("admin"))}})
	token := new(chain).add(askThird(edThird), link{signer: edRoot, next: ed1.publicKey}).
		add(third, link{signer: ed1, next: ed2.publicKey, external: &edThird}).wire(secretProof(ed2.secret))
	return append(all, refused("block-version-4-third-party", "third-party", "A third-party block of version 4.", "V1", malformed, edRoot, token))
}
