package wire

import (
	"strings"
	"testing"
)

var (
	runLimits  = msg(1, num(1, 1), num(2, 2), num(3, 3)) + num(2, 0)
	emptyBlock = num(2, 6)
)

// world returns a snapshot with the given fields of its world.
func world(parts ...string) string { return runLimits + msg(3, parts...) }

func TestSnapshotAccepts(t *testing.T) {
	for name, data := range map[string]string{
		"least": world(num(1, 3), msg(5, num(2, 3)), num(8, 0)),
		"shared tables": world(num(1, 6), msg(2, "x"), msg(3, goodKey), msg(4, emptyBlock),
			msg(4, num(2, 5), msg(3, pred(1, 1024)), msg(6, num(2, 0)), msg(7, goodKey)), msg(5, emptyBlock), num(8, 0)),
		"null in facts": world(num(1, 3), msg(4, num(2, 3)), msg(5, num(2, 3)),
			msg(7, msg(1, msg(1)), msg(1, num(2, 0)), msg(2, pred(1, 0, msg(2, msg(8))))), num(8, 0)),
	} {
		s, err := DecodeSnapshot([]byte(data), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if s.MaxFacts != 1 || s.MaxIterations != 2 || s.MaxTime != 3 {
			t.Errorf("%s: limits %+v", name, s)
		}
	}
}

func TestSnapshotRefuses(t *testing.T) {
	v, auth, end := num(1, 6), msg(5, emptyBlock), num(8, 0)
	for _, m := range []malformed{
		{name: "empty", path: "limits", text: "missing"},
		{name: "no world", data: runLimits, offset: len(runLimits), path: "world", text: "missing"},
		{name: "no time limit", data: msg(1, num(1, 1), num(2, 2)) + num(2, 0) + msg(3, v, auth, end), at: num(2, 0) + msg(3, v, auth, end), path: "limits.maxTime", text: "missing"},
		{name: "no version", data: world(auth, end), at: auth, path: "world.version", text: "no Datalog version", unsupported: true},
		{name: "version 7", data: world(num(1, 7), auth, end), at: num(1, 7), path: "world.version", text: "version 7", unsupported: true},
		{name: "no authorizer", data: world(v, end), at: end, path: "world.authorizerBlock", text: "missing"},
		{name: "no iterations", data: world(v, auth), offset: len(world(v, auth)), path: "world.iterations", text: "missing"},
		{name: "block without version", data: world(v, msg(4), auth, end), at: auth, path: "world.blocks[0].version", text: "no Datalog version", unsupported: true},
		{name: "fact without version", data: world(v, msg(4, msg(3, pred(1, 0))), auth, end), at: msg(3, pred(1, 0)), path: "world.blocks[0].version", text: "no Datalog version", unsupported: true},
		{name: "external authorizer", data: world(v, msg(5, emptyBlock, msg(7, goodKey)), end), at: msg(7, goodKey), path: "world.authorizerBlock.externalKey", text: "third-party"},
		{name: "external first block", data: world(v, msg(4, emptyBlock, msg(7, goodKey)), auth, end), at: msg(7, goodKey), path: "world.blocks[0].externalKey", text: "third-party"},
		{name: "external of version 4", data: world(v, msg(4, emptyBlock), msg(4, num(2, 4), msg(7, goodKey)), auth, end), at: msg(7, goodKey), path: "world.blocks[1].externalKey", text: "version 5"},
		{name: "scope in version 3", data: world(v, msg(4, num(2, 3), msg(6, num(1, 0))), auth, end), at: msg(6, num(1, 0)), path: "world.blocks[0].scope[0]", text: "version 4"},
		{name: "symbol", data: world(v, msg(5, emptyBlock, msg(3, pred(1, 1024))), end), at: num(1, 1024), path: "world.authorizerBlock.facts[0].predicate.name", text: "symbol 1024"},
		{name: "symbol twice", data: world(v, msg(2, "x"), msg(2, "x"), auth, end), offset: len(runLimits) + 2 + 2 + 3, path: "world.symbols[1]", text: "already"},
		{name: "policy kind", data: world(v, auth, msg(6, msg(1, pred(1, 27), msg(3, tru)), num(2, 2)), end), at: num(2, 2) + end, path: "world.authorizerPolicies[0].kind", text: "kind of policy 2"},
		{name: "policy without kind", data: world(v, auth, msg(6, msg(1, pred(1, 27), msg(3, tru))), end), at: end, path: "world.authorizerPolicies[0].kind", text: "missing"},
		{name: "policy without queries", data: world(v, auth, msg(6, num(2, 0)), end), at: msg(6, num(2, 0)), path: "world.authorizerPolicies[0]", text: "without queries"},
		{name: "no origin", data: world(v, msg(4, emptyBlock), auth, msg(7, msg(2, pred(1, 0))), end), at: msg(7, msg(2, pred(1, 0))), path: "world.generatedFacts[0]", text: "without an origin"},
		{name: "empty origin", data: world(v, auth, msg(7, msg(1), msg(2, pred(1, 0))), end), at: msg(2, pred(1, 0)), path: "world.generatedFacts[0].origins[0]", text: "no member"},
		{name: "unknown origin", data: world(v, msg(4, emptyBlock), auth, msg(7, msg(1, num(2, 1))), end), at: num(2, 1) + end, path: "world.generatedFacts[0].origins[0].origin", text: "block 1 of 1"},
		{name: "origin twice", data: world(v, auth, msg(7, msg(1, msg(1)), msg(1, msg(1))), end), at: msg(7, msg(1, msg(1)), msg(1, msg(1))), path: "world.generatedFacts[0]", text: "twice"},
		{name: "variable in facts", data: world(v, auth, msg(7, msg(1, msg(1)), msg(2, pred(1, 0, msg(2, num(1, 0))))), end), at: num(1, 0) + end, path: "world.generatedFacts[0].facts[0].predicate.terms[0].variable", text: "cannot stand"},
		{name: "33 blocks", data: world(v, strings.Repeat(msg(4, emptyBlock), 33), auth, end), offset: len(world(v, strings.Repeat(msg(4, emptyBlock), 33), auth, end)) - len(msg(4, emptyBlock)+auth+end), path: "world.blocks[32]", text: "more than 32"},
	} {
		t.Run(m.name, func(t *testing.T) {
			_, err := DecodeSnapshot([]byte(m.data), nil)
			m.check(t, err)
		})
	}
}

func TestPoliciesRefuses(t *testing.T) {
	v := num(2, 6)
	query := msg(1, pred(1, 27), msg(3, tru))
	for _, m := range []malformed{
		{name: "empty", path: "version", text: "no Datalog version", unsupported: true},
		{name: "fact without version", data: msg(3, pred(1, 0)), path: "version", text: "no Datalog version", unsupported: true},
		{name: "policy without version", data: msg(6, query, num(2, 0)), path: "version", text: "no Datalog version", unsupported: true},
		{name: "version 2", data: num(2, 2), path: "version", text: "version 2", unsupported: true},
		{name: "policy without queries", data: v + msg(6, num(2, 0)), offset: 2, path: "policies[0]", text: "without queries"},
		{name: "kind", data: v + msg(6, query, num(2, 9)), at: num(2, 9), path: "policies[0].kind", text: "kind of policy 9"},
		{name: "key", data: v + msg(6, msg(1, pred(1, 27), msg(3, tru), msg(4, num(2, 0))), num(2, 0)), at: num(2, 0) + num(2, 0), path: "policies[0].queries[0].scope[0].publicKey", text: "key 0"},
		{name: "check kind in version 3", data: num(2, 3) + msg(5, query, num(2, 1)), at: num(2, 1), path: "checks[0].kind", text: "version 4"},
	} {
		t.Run(m.name, func(t *testing.T) {
			_, err := DecodePolicies([]byte(m.data), nil)
			m.check(t, err)
		})
	}
}
