package main

import "fmt"

// acceptedDatalog covers rules, checks, scopes, names, tables and versions.
func acceptedDatalog() []wireCase {
	var all []wireCase
	ok := func(name, description, rule string, token []byte, source ...string) {
		all = append(all, accepted(name, description, rule, edRoot, token, source...))
	}
	body := func(p ...node) query { return query{body: p} }

	ok("empty-block", "A block that holds nothing but its version.", "V1", oneBlock(block{}), "")
	ok("context", "A block with a context string.", "V1",
		oneBlock(block{context: "for the night", facts: rightBlock().facts}), rightSource)

	ok("rule", "A rule with two predicates and an expression.", "V1",
		oneBlock(block{rules: []node{rule(pred("right", variable("r"), str("read")), query{
			body:  []node{pred("resource", variable("r")), pred("owner", str("alice"), variable("r"))},
			exprs: []expr{infix(binPrefix, ref("r"), text("files/"))},
		})}}),
		"right($r, \"read\") <- resource($r), owner(\"alice\", $r), $r.starts_with(\"files/\");\n")
	ok("check-all", "A check all.", "V1",
		oneBlock(block{checks: []node{check(checkAll, query{
			body: []node{pred("operation", variable("o"))}, exprs: []expr{infix(binStrictEqual, ref("o"), text("read"))},
		})}}),
		"check all operation($o), $o === \"read\";\n")
	ok("reject-if", "A reject if.", "V1",
		oneBlock(block{checks: []node{check(rejectIf, body(pred("user", str("eve"))))}}),
		"reject if user(\"eve\");\n")
	ok("check-or", "A check with two queries.", "V1",
		oneBlock(block{checks: []node{check(checkIf, body(pred("user", str("a"))), body(pred("user", str("b"))))}}),
		"check if user(\"a\") or user(\"b\");\n")
	ok("check-two-expressions", "A query with a predicate and two expressions.", "V1",
		oneBlock(block{checks: []node{check(checkIf, query{
			body:  []node{pred("v", variable("x"))},
			exprs: []expr{infix(binGreaterThan, ref("x"), num(1)), infix(binLessThan, ref("x"), num(9))},
		})}}),
		"check if v($x), $x > 1, $x < 9;\n")
	ok("all-parts", "Facts, a rule and a check in one block.", "V1",
		oneBlock(block{
			facts:  []node{pred("user", str("alice")), pred("user", str("bob"))},
			rules:  []node{rule(pred("member", variable("u")), body(pred("user", variable("u"))))},
			checks: []node{check(checkIf, body(pred("member", str("alice"))))},
		}),
		"user(\"alice\");\nuser(\"bob\");\nmember($u) <- user($u);\ncheck if member(\"alice\");\n")

	ok("scope-authority", "A check that trusts authority by name.", "V1",
		oneBlock(block{checks: []node{check(checkIf, query{body: []node{pred("user", str("a"))}, scopes: []node{scopeType(scopeAuthority)}})}}),
		"check if user(\"a\") trusting authority;\n")
	ok("scope-previous", "A check that trusts the previous blocks.", "V1",
		oneBlock(block{checks: []node{check(checkIf, query{body: []node{pred("user", str("a"))}, scopes: []node{scopeType(scopePrevious)}})}}),
		"check if user(\"a\") trusting previous;\n")
	ok("scope-several", "A rule that trusts authority and two keys.", "V1",
		oneBlock(block{rules: []node{rule(pred("member", variable("u")), query{
			body:   []node{pred("user", variable("u"))},
			scopes: []node{scopeType(scopeAuthority), scopeKey(edThird.publicKey), scopeKey(p256Third.publicKey)},
		})}}),
		"member($u) <- user($u) trusting authority, "+edThird.text()+", "+p256Third.text()+";\n")
	ok("scope-block", "A scope for a whole block; the reference does not print it, so the text is not compared.", "V1",
		oneBlock(block{checks: resourceBlock().checks, scopes: []node{scopeType(scopePrevious)}}))

	ok("name-unicode", "Names of letters beyond ASCII.", "V5",
		oneBlock(block{checks: []node{check(checkIf, query{body: []node{pred("données", variable("größe"))}})}}),
		"check if données($größe);\n")
	ok("name-colon-underscore", "A name with colon and underscore.", "V5",
		oneBlock(block{facts: []node{pred("app:user_1", integer(1))}}), "app:user_1(1);\n")
	ok("variable-digit", "A variable whose name is a digit.", "V5",
		oneBlock(block{checks: []node{check(checkIf, body(pred("resource", variable("0"))))}}),
		"check if resource($0);\n")

	ok("symbol-from-earlier-block", "Block 1 uses a symbol that block 0 declares, and one of its own.", "V5",
		new(chain).add(rightBlock(), link{signer: edRoot, next: ed1.publicKey}).
			add(block{facts: []node{pred("owner", str("file1"), str("carol"))}}, link{signer: ed1, next: ed2.publicKey}).
			wire(secretProof(ed2.secret)),
		rightSource, "owner(\"file1\", \"carol\");\n")
	ok("symbol-unused", "A declared symbol that nothing uses.", "V5",
		oneBlock(block{declare: []string{"unused"}, facts: rightBlock().facts}), rightSource)
	ok("key-unused", "A declared key that nothing uses.", "V5",
		oneBlock(block{keys: []publicKey{edThird.publicKey}, facts: rightBlock().facts}), rightSource)
	ok("key-from-earlier-block", "Block 1 trusts a key that block 0 declares.", "V5",
		new(chain).add(askThird(edThird), link{signer: edRoot, next: ed1.publicKey}).
			add(block{checks: []node{check(checkIf, query{body: []node{pred("user", str("a"))}, scopes: []node{scopeKey(edThird.publicKey)}})}},
				link{signer: ed1, next: ed2.publicKey}).wire(secretProof(ed2.secret)),
		"right(\"file1\", \"read\");\ncheck if group(\"admin\") trusting "+edThird.text()+";\n",
		"check if user(\"a\") trusting "+edThird.text()+";\n")
	ok("third-party-own-tables", "The third party declares a symbol and a key again: its tables are its own.", "V5",
		ownTables(edThird).wire(secretProof(ed2.secret)),
		"right(\"file1\", \"read\");\ncheck if group(\"admin\") trusting "+edThird.text()+";\n",
		"right(\"file1\", \"write\");\ncheck if user(\"file1\") trusting "+edThird.text()+";\n")
	ok("after-third-party", "Block 2 numbers its symbols as if the third-party block 1 had declared none.", "V5",
		ownTables(edThird).
			add(block{facts: []node{pred("user", str("carol"), str("file1"))}}, link{signer: ed2, next: ed3.publicKey}).
			wire(secretProof(ed3.secret)),
		"right(\"file1\", \"read\");\ncheck if group(\"admin\") trusting "+edThird.text()+";\n",
		"right(\"file1\", \"write\");\ncheck if user(\"file1\") trusting "+edThird.text()+";\n",
		"user(\"carol\", \"file1\");\n")

	for version := 3; version <= 6; version++ {
		ok(fmt.Sprintf("block-version-%d", version), "A block that states a version no lower than it needs.", "V1",
			oneBlock(block{version: version, facts: factBlock(integer(1)).facts}), "v(1);\n")
	}
	return all
}

// ownTables is a chain whose third-party block repeats what block 0 declares.
func ownTables(third key) *chain {
	return new(chain).
		add(askThird(third), link{signer: edRoot, next: ed1.publicKey}).
		add(block{
			facts: []node{pred("right", str("file1"), str("write"))},
			checks: []node{check(checkIf, query{
				body:   []node{pred("user", str("file1"))},
				scopes: []node{scopeKey(third.publicKey)},
			})},
		}, link{signer: ed1, next: ed2.publicKey, external: &third})
}
