package main

import (
	"fmt"
	"strings"
	"time"
)

// edgeCases stand at the edges of rules whose middle other files show: canonical
// forms that are nearly so, who holds a bearer token, the parts of a request, and
// values inside arguments.
func edgeCases() []delegationCase {
	var all []delegationCase
	for _, cases := range [][]delegationCase{nearlyCanonical(), edgesOfForms(), edgesOfTimes(), edgesOfRequests(), edgesOfArguments()} {
		all = append(all, cases...)
	}
	return all
}

// nearlyCanonical are required caveats of block 0 that differ from the canonical
// form in the least thing.
func nearlyCanonical() []delegationCase {
	with := func(i int, c node) block { b := grant(); b.checks[i] = c; return b }
	no := func(name, description string, at int, c node) delegationCase {
		return denied(name, "direct", description, "V7", profile, mint(with(at, c)).invoke(ci, usual()))
	}
	before := infix(binLessThan, ref("t"), moment(expiry))
	names := func(terms ...node) node {
		return all("operation", "o", infix(binContains, val(array(terms...)), ref("o")))
	}
	paths := func(e expr) node { return all("resource", "r", e) }
	itself := exactly(certificate)[0]
	many := repeated(257, nil)
	for i := range many {
		many[i] = str(fmt.Sprintf("operation-%d", i))
	}
	most := append([]node{str("rotate")}, many[:255]...)
	inOther := usual().block(mint(grant()))
	inOther.checks[2] = all("time", "t", lazy(binOr, infix(binGreaterOrEqual, ref("t"), moment(usual().from)), infix(binLessThan, ref("t"), moment(usual().until))))
	twoTerms := usual().block(mint(grant()))
	twoTerms.facts = []node{pred("nonce", byteArray(usual().nonce), integer(1))}

	return []delegationCase{
		allowed("operation-256", "A list of 256 operations.", "V7", mint(with(grantOperation, names(most...))).invoke(ci, usual())),
		no("operation-257", "A list of 257 operations.", grantOperation, names(append([]node{str("rotate")}, many[:256]...)...)),
		no("operation-twice", "An operation stands twice in the list.", grantOperation, names(str("rotate"), str("rotate"))),
		no("operation-empty-list", "A list of no operations.", grantOperation, names()),
		no("operation-integer", "A list of an operation and an integer.", grantOperation, names(str("rotate"), integer(1))),
		no("operation-no-name", "A list with an operation that no request can name.", grantOperation, names(str("rotate"), str("a "))),
		no("operation-list-checked", "The list and the operation have changed places.", grantOperation,
			all("operation", "o", infix(binContains, ref("o"), val(array(str("rotate")))))),
		no("expiry-other-variable", "The variable of the expiry has another name.", grantExpiry, all("time", "x", infix(binLessThan, ref("x"), moment(expiry)))),
		no("expiry-two-terms", "The expiry asks for a time of two terms.", grantExpiry,
			check(checkAll, query{body: []node{pred("time", variable("t"), variable("t"))}, exprs: []expr{before}})),
		no("expiry-two-expressions", "The expiry has a second expression.", grantExpiry,
			check(checkAll, query{body: []node{pred("time", variable("t"))}, exprs: []expr{before, truth(true)}})),
		no("expiry-other-fact", "The expiry is about another fact.", grantExpiry, all("date", "t", before)),
		no("expiry-integer", "The expiry is an integer.", grantExpiry, all("time", "t", infix(binNotEqual, ref("t"), num(expiry.Unix())))),
		no("expiry-year-10000", "The expiry is in the year 10000.", grantExpiry, all("time", "t", infix(binLessThan, ref("t"), val(date(253402300800))))),
		no("resource-star", "The path of the resource has an asterisk.", grantResource, paths(infix(binEqual, ref("r"), text("payments/*")))),
		no("resource-not-canonical", "The path of the resource has an empty segment.", grantResource, paths(infix(binEqual, ref("r"), text("payments//certs")))),
		no("resource-twice", "The path of the resource stands twice.", grantResource, paths(lazy(binOr, itself, itself))),
		no("resource-below-first", "What is below the path stands before the path.", grantResource,
			paths(lazy(binOr, infix(binPrefix, ref("r"), text(certificate+"/")), itself))),
		no("resource-joined-right", "Alternatives are joined from the right.", grantResource,
			paths(lazy(binOr, itself, lazy(binOr, exactly("payments/a")[0], exactly("payments/b")[0])))),
		denied("invocation-time-or", "direct", "The bounds of the window are alternatives.", "V8", profile, mint(grant()).end(inOther, ci)),
		denied("invocation-nonce-two-terms", "direct", "The nonce has two terms.", "V8", profile, mint(grant()).end(twoTerms, ci)),
	}
}

// edgesOfForms are about bearer tokens and names of holders.
func edgesOfForms() []delegationCase {
	extended := bearer().add(block{checks: []node{resource(exactly(certificate))}}, link{signer: tester, next: stranger.publicKey})
	unheld := grant()
	unheld.facts = unheld.facts[:1]
	minted := new(chain).add(unheld, link{signer: alice, next: tester.publicKey})
	handedOn := bearer().handoff(tester, runner, "agent:runner")
	noHolder := mint(grant()).add(block{}, link{signer: ci, next: runner.publicKey})
	named := func(name string) string {
		return mint(grant()).handoff(ci, runner, name).invoke(runner, usual())
	}
	no := func(name, description, token string) delegationCase {
		return denied(name, "one-handoff", description, "V3", profile, token)
	}
	return []delegationCase{
		allowed("bearer-extended", "A bearer token goes on under a further key, as any Biscuit library appends.", "V4",
			extended.text(secretProof(stranger.secret)), withBearer),
		allowed("bearer-minted", "Block 0 names no holder, and the secret of its key is published.", "V4", minted.text(secretProof(tester.secret)), withBearer),
		denied("bearer-handed-on", "bearer-fresh-key", "A bearer token is handed to a holder, whose secret is published.", "V4", profile,
			handedOn.text(secretProof(runner.secret)), withBearer),
		denied("held-without-holder", "one-handoff", "A held token whose last block changes nextKey and names no holder.", "V3", profile, "whittle:"+noHolder.text(heldProof())),
		no("holder-empty", "The holder's name is empty.", named("")),
		no("holder-space", "The holder's name ends in a space.", named("agent:runner ")),
		no("holder-control", "The holder's name has a control character.", named("agent:\x07runner")),
		no("holder-not-nfc", "The holder's name is spelled with a combining mark.", named("agent:ru\u0308nner")),
		no("holder-257-bytes", "The holder's name has 257 bytes.", named(strings.Repeat("a", 257))),
	}
}

func edgesOfTimes() []delegationCase {
	backwards := grant()
	backwards.checks[grantExpiry] = expires(earlier.Add(-time.Second))
	none := usual()
	none.until = none.from
	return []delegationCase{
		denied("lifetime-none", "lifetime-23-hours", "The token expires before it begins to be valid.", "V8", window, mint(backwards).invoke(ci, usual())),
		denied("window-empty", "window-first-second", "The invocation ends when it begins.", "V8", window, mint(grant()).invoke(ci, none)),
	}
}

func edgesOfRequests() []delegationCase {
	nested := func(levels int) map[string]any {
		var v any = 1
		for range levels - 1 {
			v = []any{v}
		}
		return map[string]any{"a": v}
	}
	many := map[string]any{}
	for i := range 256 {
		many[fmt.Sprintf("a%d", i)] = i
	}
	more := map[string]any{"b": 1}
	for name, v := range many {
		more[name] = v
	}
	paths := make([]string, 257)
	for i := range paths {
		paths[i] = fmt.Sprintf("payments/%d", i)
	}
	ok := func(name, description string, in invocation) delegationCase {
		return allowed(name, description, "V13", mint(wide()).invoke(ci, in), asked(in.action))
	}
	named := func(operation string) invocation { return to(operation, certificate) }
	return []delegationCase{
		ok("args-16-levels", "A scalar in 15 arrays.", passing(nested(16))),
		unfit("argument-17-levels", "args-16-levels", "A scalar in 16 arrays.", passing(nested(17))),
		ok("args-256", "256 arguments.", passing(many)),
		unfit("argument-257", "args-256", "257 arguments.", passing(more)),
		ok("args-empty-name", "An argument whose name is empty, and one whose value has a control character.", passing(map[string]any{"": 1, "a": "\x07\n"})),
		unfit("argument-not-nfc", "args-unnamed", "A string inside an argument is spelled with a combining mark.", passing(map[string]any{"a": []any{"u\u0308"}})),
		unfit("argument-name-not-nfc", "args-unnamed", "A name inside an argument is spelled with a combining mark.", passing(map[string]any{"a": map[string]any{"u\u0308": 1}})),
		ok("resources-256", "256 resources.", to("rotate", paths[:256]...)),
		unfit("resource-257", "resources-256", "257 resources.", to("rotate", paths...)),
		unfit("resource-slash-end", "resource-subtree", "The resource ends in a slash.", to("rotate", "payments/certs/")),
		unfit("resource-space", "resource-subtree", "A segment of the resource begins with a space.", to("rotate", "payments/ certs")),
		unfit("resource-control", "resource-subtree", "The resource has a line break.", to("rotate", "payments/a\nb")),
		unfit("resource-format", "resource-subtree", "The resource has a zero-width joiner.", to("rotate", "payments/a\u200db")),
		unfit("resource-1025-bytes", "resource-subtree", "The resource has 1,025 bytes.", to("rotate", "payments/"+strings.Repeat("a", 1016))),
		unfit("operation-space", "operation-one-of", "The operation ends in a no-break space.", named("rotate\u00a0")),
		unfit("operation-control", "operation-one-of", "The operation has a NUL.", named("rot\x00ate")),
		unfit("operation-format", "operation-one-of", "The operation has a character that reverses the text.", named("rot\u202eate")),
		unfit("operation-line-separator", "operation-one-of", "The operation has a line separator.", named("rot\u2028ate")),
		unfit("operation-not-nfc", "operation-one-of", "The operation is spelled with a combining mark.", named("rota\u0308te")),
		unfit("operation-257-bytes", "operation-one-of", "The operation has 257 bytes.", named(strings.Repeat("a", 257))),
	}
}

func edgesOfArguments() []delegationCase {
	having := func(name, description string, in invocation, more ...node) delegationCase {
		return allowed(name, description, "V7", mint(wide(more...)).invoke(ci, in), asked(in.action))
	}
	against := func(name, sibling, description, code string, in invocation, more ...node) delegationCase {
		return denied(name, sibling, description, "V7", code, mint(wide(more...)).invoke(ci, in), asked(in.action))
	}
	half := float("0.5")
	force := passing(map[string]any{"force": half})
	noneAtAll := check(rejectIf, query{body: []node{pred("arg", variable("n"), variable("v"))}})
	slashes := passing(map[string]any{"a/b": map[string]any{"~": 1}, "c~2": map[string]any{"d": 1}, "list": []any{1, 2}})
	places := func(n int) []node {
		var all []node
		for i := range n {
			all = append(all, unset(fmt.Sprintf("/a/%d", i)))
		}
		return all
	}
	inHop := func() string {
		return mint(wide(check(checkIf, query{body: []node{pred("arg", variable("n"), integer(3))}}))).
			narrow(ci, argument("/opts/level", equals(integer(3)))).invoke(ci, passing(map[string]any{"opts": map[string]any{"level": 3}}))
	}
	nested := passing(map[string]any{"opts": map[string]any{"level": 3}})

	return []delegationCase{
		having("arg-pointer-escaped", "Names inside a pointer have their slash and tilde escaped.", slashes, argument("/a~1b/~0", equals(integer(1)))),
		against("arg-pointer-bad-escape", "arg-pointer-escaped", "A tilde before neither 0 nor 1 leads nowhere.", checkFailed, slashes, argument("/c~2/d", equals(integer(1)))),
		against("arg-pointer-leading-zero", "arg-pointer-array", "An index with a leading zero leads nowhere.", checkFailed, slashes, argument("/list/01", equals(integer(2)))),
		having("arg-pointer-top", "A pointer to an argument as a whole.", passing(map[string]any{"days": 30}), argument("/days", equals(integer(30)))),
		having("arg-pointer-beside-float", "A value beside a float, which a pointer leads around.",
			passing(map[string]any{"opts": map[string]any{"level": 3, "share": half}}), argument("/opts/level", equals(integer(3)))),
		against("arg-unset-float", "arg-unset", "A float where nothing may be: to Datalog it would look as if it were absent.", checkFailed, force, unset("force")),
		against("arg-unset-float-inside", "arg-pointer-beside-float", "A float inside an argument where nothing may be.", checkFailed,
			passing(map[string]any{"opts": map[string]any{"share": half}}), unset("/opts/share")),
		having("arg-none", "No argument may be there, and none is.", usual(), noneAtAll),
		against("arg-none-float", "arg-none", "A float where no argument at all may be.", checkFailed, force, noneAtAll),
		denied("arg-pointer-of-hop", "arg-pointer", "What a later block asks for is no fact that block 0 may find.", "V10", checkFailed, inHop(), asked(nested.action)),
		having("arg-64-pointers", "A token that speaks of 64 places inside arguments.", usual(), places(64)...),
		against("arg-65-pointers", "arg-64-pointers", "A token that speaks of 65 places inside arguments.", profile, usual(), places(65)...),
		denied("arg-65-pointers-over-blocks", "arg-64-pointers", "Two blocks that speak of 64 places, one of which both name.", "V7", profile,
			mint(wide(places(64)...)).narrow(ci, places(1)...).invoke(ci, usual())),
	}
}
