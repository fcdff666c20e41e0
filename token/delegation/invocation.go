package delegation

import (
	"crypto/sha256"

	"github.com/whittle-auth/whittle/token/datalog"
)

// Content returns the invocation as the block that it is: one nonce and three
// checks, of which a verifier also compares each with the real value itself.
func (v *Invocation) Content() *datalog.Block {
	return &datalog.Block{
		Facts:  []datalog.Predicate{fact("nonce", datalog.Bytes(v.Nonce))},
		Checks: v.checks(),
	}
}

// IsSession reports whether the invocation is bound to a connection instead of a
// request. Any number of requests may then come with it.
func (v *Invocation) IsSession() bool { return v.Channel != Channel{} }

// checks returns `check all request($q), $q == hex:..` or, for a session, `check all
// channel("tls-exporter", $c), $c == hex:..`; then `check all audience($a), $a ==
// ".."` and `check all time($t), $t >= X && $t < Y`.
func (v *Invocation) checks() []datalog.Check {
	bound := v.Channel.check()
	if !v.IsSession() {
		bound = checkAll("request", "q", compare(datalog.OpEqual, "q", datalog.Bytes(v.Request[:])))
	}
	return []datalog.Check{
		bound,
		checkAll("audience", "a", compare(datalog.OpEqual, "a", datalog.String(v.Audience))),
		checkAll("time", "t", datalog.Binary{
			Op:    datalog.OpAnd,
			Left:  compare(datalog.OpGreaterOrEqual, "t", datalog.Date(v.NotBefore)),
			Right: compare(datalog.OpLessThan, "t", datalog.Date(v.Expires)),
		}),
	}
}

// readChecks fills in the invocation from its checks and reports whether they
// are exactly the canonical three.
func (v *Invocation) readChecks(checks []datalog.Check) bool {
	if len(checks) != 3 {
		return false
	}
	_, audience := guardOf(checks[1])
	_, window := guardOf(checks[2])

	if channel, ok := readChannel(checks[0]); ok {
		v.Channel = channel
	} else {
		_, request := guardOf(checks[0])
		_, term := comparison(request)
		if digest, _ := term.(datalog.Bytes); len(digest) == sha256.Size {
			copy(v.Request[:], digest)
		}
	}
	_, term := comparison(audience)
	name, _ := term.(datalog.String)
	v.Audience = string(name)

	both, _ := window.(datalog.Binary)
	_, term = comparison(both.Left)
	from, _ := term.(datalog.Date)
	_, term = comparison(both.Right)
	to, _ := term.(datalog.Date)
	v.NotBefore, v.Expires = uint64(from), uint64(to)

	return v.writes(checks)
}

// writes reports whether v.checks are these three. They are compared in place: of all
// blocks the invocation alone is new to a verifier each time.
func (v *Invocation) writes(checks []datalog.Check) bool {
	if v.IsSession() {
		if !v.Channel.check().Equal(checks[0]) {
			return false
		}
	} else if request, ok := allOf(checks[0], "request", "q"); !ok || !compares(request, datalog.OpEqual, "q", datalog.Bytes(v.Request[:])) {
		return false
	}
	audience, ok := allOf(checks[1], "audience", "a")
	if !ok || !compares(audience, datalog.OpEqual, "a", datalog.String(v.Audience)) {
		return false
	}
	window, ok := allOf(checks[2], "time", "t")
	from, until, and := operation(window, datalog.OpAnd)
	return ok && and && compares(from, datalog.OpGreaterOrEqual, "t", datalog.Date(v.NotBefore)) &&
		compares(until, datalog.OpLessThan, "t", datalog.Date(v.Expires))
}
