package main

import "time"

// deniedRequests ask for something else than what was invoked.
func deniedRequests() []delegationCase {
	token := mint(wide()).invoke(ci, to("rotate", "payments/from", "payments/to"))
	two := to("rotate", "payments/from", "payments/to").action
	const swapped = "one digest, two requests"
	other := func(name, sibling, description string, invoked, requested invocation) delegationCase {
		return denied("request-"+name, sibling, description, "V8", checkFailed,
			mint(wide()).invoke(ci, invoked), asked(requested.action), attack(swapped))
	}
	change := func(change func(*action)) action {
		a := two
		change(&a)
		return a
	}
	return []delegationCase{
		denied("request-other-operation", "resources-two", "Invoked to rotate, asked to read; the token allows both.", "V8", checkFailed, token,
			asked(change(func(a *action) { a.operation = "read" }))),
		denied("request-other-resource", "resources-two", "The second resource is another one; the token allows it.", "V8", checkFailed, token,
			asked(change(func(a *action) { a.resources = []string{"payments/from", "payments/elsewhere"} }))),
		denied("request-resource-missing", "resources-two", "Only the first of two invoked resources is asked for.", "V8", checkFailed, token,
			asked(change(func(a *action) { a.resources = a.resources[:1] }))),
		denied("request-resource-added", "resources-two", "A third resource is asked for.", "V8", checkFailed, token,
			asked(change(func(a *action) { a.resources = append(a.resources[:2:2], "payments/third") }))),
		denied("request-resources-swapped", "resources-two", "The resources are asked for in the other order.", "V8", checkFailed, token,
			asked(change(func(a *action) { a.resources = []string{a.resources[1], a.resources[0]} })), attack(swapped)),
		other("argument-added", "arg-integer", "An argument was not invoked.", usual(), passing(map[string]any{"days": 30})),
		other("argument-missing", "arg-integer", "An invoked argument is not asked for.", passing(map[string]any{"days": 30}), usual()),
		other("argument-other-value", "arg-integer", "An argument has another value.",
			passing(map[string]any{"days": 30}), passing(map[string]any{"days": 31})),
		other("argument-other-type", "arg-integer", "An integer became a string of the same digits.",
			passing(map[string]any{"days": 30}), passing(map[string]any{"days": "30"})),
		other("argument-bool-as-string", "arg-bool", "A boolean became the string that spells it.",
			passing(map[string]any{"force": false}), passing(map[string]any{"force": "false"})),
		other("argument-null-for-missing", "arg-unset", "An argument that was not invoked is asked for as null.",
			usual(), passing(map[string]any{"force": nil})),
		other("argument-other-name", "arg-integer", "The value stands under another name.",
			passing(map[string]any{"days": 30}), passing(map[string]any{"hours": 30})),
		other("argument-dotted", "arg-pointer", "A nested argument became one with a dot in its name.",
			passing(map[string]any{"a": map[string]any{"b": 1}}), passing(map[string]any{"a.b": 1})),
		other("argument-array-for-map", "arg-pointer", "A nested map became an array.",
			passing(map[string]any{"a": map[string]any{}}), passing(map[string]any{"a": []any{}})),
		other("argument-beyond-double", "arg-integer-largest", "2^53 + 1 was invoked, 2^53 is asked for.",
			passing(map[string]any{"n": 9007199254740993}), passing(map[string]any{"n": 9007199254740992})),

		unfit("argument-pointer-name", "arg-pointer", "An argument's name begins with a slash, as only the verifier's own may.",
			passing(map[string]any{"/opts/level": 3})),
		unfit("resource-dot-segments", "resource-subtree", "The resource climbs out of the granted one.", to("rotate", "payments/../users")),
		unfit("resource-dot", "resource-subtree", "The resource has a segment of one dot.", to("rotate", "payments/./certs")),
		unfit("resource-empty-segment", "resource-subtree", "The resource has an empty segment.", to("rotate", "payments//certs")),
		unfit("resource-percent", "resource-subtree", "The resource has a percent-encoded slash.", to("rotate", "payments/a%2fb")),
		unfit("resource-backslash", "resource-subtree", "The resource has a backslash.", to("rotate", `payments/certs\api`)),
		unfit("resource-not-nfc", "resource-unicode", "The resource is spelled with a combining mark.", to("rotate", "payments/ra\u0308ume")),
		unfit("resource-none", "resource-subtree", "The request names no resource.", to("rotate")),
	}
}

// unfit is a request that no verifier may pass on, rightly invoked. The code is
// left open: what is wrong is the request, not the token.
func unfit(name, sibling, description string, in invocation) delegationCase {
	if in.resources == nil {
		in.resources = []string{}
	}
	return denied("request-"+name, sibling, description, "V13", "", mint(wide()).invoke(ci, in), asked(in.action))
}

// deniedCaveats are rightly invoked, but a caveat of the token is against it.
func deniedCaveats() []delegationCase {
	against := func(name, sibling, description string, in invocation, more ...node) delegationCase {
		return denied(name, sibling, description, "V7", checkFailed, mint(wide(more...)).invoke(ci, in), asked(in.action))
	}
	exact := func(name, description string, in invocation) delegationCase {
		return denied(name, "direct", description, "V7", checkFailed, mint(grant()).invoke(ci, in), asked(in.action))
	}
	days := func(v any) invocation { return passing(map[string]any{"days": v}) }
	in := to("read", certificate)
	deep := mint(wide(depthAtMost(1))).handoff(ci, runner, "agent:runner").handoff(runner, tester, "agent:tester")

	return []delegationCase{
		exact("resource-other", "The resource is not the granted one.", to("rotate", "payments/certs/web")),
		exact("resource-below-exact", "The resource lies below one that is granted without what is below it.", to("rotate", certificate+"/v2")),
		exact("resource-above", "The resource lies above the granted one.", to("rotate", "payments/certs")),
		exact("operation-other", "The operation is not granted.", to("delete", certificate)),
		exact("operation-prefix", "The operation is the beginning of a granted one.", to("rot", certificate)),
		against("resource-lookalike", "resource-subtree", "The resource begins like the granted one, in the same segment.", to("rotate", "payments-evil/a")),
		against("resources-second-outside", "resources-two", "The second of two resources is outside.", to("rotate", "payments/a", "users/a")),
		against("resources-first-outside", "resources-two", "The first of two resources is outside.", to("rotate", "users/a", "payments/a")),
		denied("narrowed-resource", "narrowed", "The resource is granted by block 0 and excluded by the holder.", "V7", checkFailed,
			mint(wide()).narrow(ci, resource(under("payments/logs"))).invoke(ci, usual())),
		denied("narrowed-operation", "narrowed", "The operation is granted by block 0 and excluded by the holder.", "V7", checkFailed,
			mint(grant()).narrow(ci, operation("rotate")).invoke(ci, in), asked(in.action)),
		denied("hop-operation", "one-handoff", "The operation is granted by block 0 and excluded by a hop.", "V7", checkFailed,
			mint(grant()).handoff(ci, runner, "agent:runner", operation("read")).invoke(runner, usual())),
		denied("hop-wider-resource", "one-handoff", "A hop grants more than block 0, which does not help.", "V7", checkFailed,
			mint(grant()).handoff(ci, runner, "agent:runner", resource(under("payments"))).invoke(runner, to("rotate", "payments/other")),
			asked(to("rotate", "payments/other").action), attack("paths of later blocks widen")),
		against("audience-caveat-other", "audience-caveat", "The token is for another service, the invocation for this one.", usual(), audience("svc:other")),
		against("agent-key-other", "agent-key-caveat", "The token is for another key than the one that invokes.", usual(), agentKey(runner.text())),
		denied("agent-key-handed-on", "agent-key-caveat", "The token is for the key of agent:ci, which handed it on.", "V7", checkFailed,
			mint(grant(agentKey(ci.text()))).handoff(ci, runner, "agent:runner").invoke(runner, usual())),
		denied("depth-exceeded", "depth-caveat", "One handoff is allowed, two were made.", "V7", checkFailed, deep.invoke(tester, usual())),
		against("weekday-other", "weekday-caveat", "The token is for Mondays.", usual(),
			all("weekday", "d", infix(binContains, val(array(integer(1))), ref("d")))),
		against("minute-other", "minute-caveat", "The token is for the hour before noon.", usual(), minutes(660, 720)),
		against("hand-written-fails", "hand-written-check", "A hand-written check does not hold.", usual(),
			check(checkIf, query{body: []node{pred("operation", str("delete"))}})),
		against("hand-written-unknown-fact", "hand-written-check", "A hand-written check asks for a fact that nobody states.", usual(),
			check(checkIf, query{body: []node{pred("role", str("buyer"))}})),

		against("arg-other", "arg-integer", "The integer has another value.", days(31), argument("days", equals(integer(30)))),
		against("arg-absent", "arg-integer", "The argument that a caveat speaks of is missing.", usual(), argument("days", equals(integer(30)))),
		against("arg-string-for-integer", "arg-integer", "The argument is a string of the right digits.", days("30"), argument("days", equals(integer(30)))),
		against("arg-float-for-integer", "arg-integer", "The argument is a float, which is stated as no argument.", days(float("30.5")), argument("days", equals(integer(30)))),
		against("arg-range-float", "arg-range", "The argument is a float within the range.", days(float("2.5")), argument("days", between(1, 30))),
		against("arg-range-above", "arg-range", "The integer is above the range.", days(31), argument("days", between(1, 30))),
		against("arg-range-below", "arg-range", "The integer is below the range.", days(0), argument("days", between(1, 30))),
		against("arg-range-string", "arg-range", "A string where the range wants an integer: it denies and does not fail.", days("5"), argument("days", between(1, 30))),
		against("arg-one-of-other", "arg-one-of", "The integer is none of those listed.", days(8),
			argument("days", infix(binContains, val(array(integer(7), integer(30))), ref("v")))),
		against("arg-prefix-other", "arg-prefix", "The string begins otherwise.", passing(map[string]any{"reason": "no audit"}),
			argument("reason", typed("string", infix(binPrefix, ref("v"), text("audit"))))),
		against("arg-not-set", "arg-set", "An argument that must be there is not.", usual(), argument("days")),
		against("arg-not-unset", "arg-unset", "An argument that must not be there is.", passing(map[string]any{"force": true}), unset("force")),
		against("arg-map-more", "arg-map", "A nested argument has one entry more than the caveat.", passing(map[string]any{"opts": map[string]any{"level": 3, "x": 1}}),
			argument("opts", equals(mapping(pair{str("level"), integer(3)})))),
		against("arg-pointer-other", "arg-pointer", "A value inside a nested argument is another.", passing(map[string]any{"opts": map[string]any{"level": 4}}),
			argument("/opts/level", equals(integer(3)))),
		against("arg-pointer-absent", "arg-pointer", "A value inside a nested argument is missing.", passing(map[string]any{"opts": map[string]any{}}),
			argument("/opts/level", equals(integer(3)))),
	}
}

// deniedTimes are at the wrong moment, or for too long.
func deniedTimes() []delegationCase {
	spanning := func(from, until time.Time) string {
		in := usual()
		in.from, in.until = from, until
		return mint(grant()).invoke(ci, in)
	}
	lasting := func(d time.Duration) block {
		b := grant()
		b.checks[grantExpiry] = expires(earlier.Add(d))
		return b
	}
	without := grant()
	without.checks = append(without.checks[:grantNotBefore:grantNotBefore], without.checks[grantResource:]...)
	late := expiry.Add(time.Minute)
	decade := 10 * 365 * 24 * time.Hour
	lastHour := minted.Add(decade - time.Hour)
	const unlimited = "limits that are not"
	hop := mint(grant()).handoff(ci, runner, "agent:runner", expires(usedAt))

	return []delegationCase{
		denied("expired-at", "last-second", "At the second in which the token expires.", "V7", expired, mint(grant()).invoke(ci, at(expiry)), now(expiry)),
		denied("expired-since", "last-second", "A minute after the token expired.", "V7", expired, mint(grant()).invoke(ci, at(late)), now(late)),
		denied("expired-hop", "narrowed-twice-handed", "The expiry that a hop set has come.", "V7", expired, hop.invoke(runner, usual())),
		denied("not-yet-valid", "first-second", "Ten seconds before the token is valid.", "V8", window,
			mint(grant()).invoke(ci, at(earlier.Add(-10*time.Second))), now(earlier.Add(-10*time.Second))),
		denied("lifetime-two-days", "lifetime-23-hours", "The token lasts two days.", "V8", window, mint(lasting(48*time.Hour)).invoke(ci, usual()), attack(unlimited)),
		denied("lifetime-ten-years-last-hour", "lifetime-23-hours", "The token lasts ten years, of which one hour is left.", "V8", window,
			mint(lasting(decade)).invoke(ci, at(lastHour)), now(lastHour), attack(unlimited)),
		denied("not-before-missing", "direct", "Block 0 does not say from when the token is valid.", "V8", window, mint(without).invoke(ci, usual()), attack(unlimited)),
		denied("window-ten-minutes", "window-four-minutes", "The invocation lasts ten minutes.", "V8", window,
			spanning(usedAt.Add(-skew), usedAt.Add(10*time.Minute-skew)), attack(unlimited)),
		denied("window-future", "window-first-second", "The invocation was signed ahead: it begins in a minute.", "V8", window,
			spanning(usedAt.Add(time.Minute), usedAt.Add(2*time.Minute)), attack(unlimited)),
		denied("window-next-second", "window-first-second", "The invocation begins one second from now.", "V8", window,
			spanning(usedAt.Add(time.Second), usedAt.Add(time.Minute))),
		denied("window-past", "window-last-second", "The invocation ended a minute ago.", "V8", window,
			spanning(usedAt.Add(-2*time.Minute), usedAt.Add(-time.Minute))),
		denied("window-just-past", "window-last-second", "The invocation ends now: its upper bound is no part of it.", "V8", window,
			spanning(usedAt.Add(-time.Minute), usedAt)),
		denied("audience-other", "direct", "The token is presented to another service than the invocation names.", "V8", wrongAudience,
			mint(grant()).invoke(ci, usual()), service("svc:other")),
		denied("audience-prefix", "direct", "The service's name begins with the one that the invocation names.", "V8", wrongAudience,
			mint(grant()).invoke(ci, usual()), service(serviceName+":eu")),
		denied("audience-digest-other", "direct", "The invocation names this service, its digest another.", "V8", checkFailed, otherDigest()),
	}
}

// otherDigest names this service in the audience check and another in the digest.
func otherDigest() string {
	c := mint(grant())
	b := usual().block(c)
	elsewhere := usual()
	elsewhere.audience = "svc:other"
	b.checks[invokeRequest] = elsewhere.block(c).checks[invokeRequest]
	return c.end(b, ci)
}
