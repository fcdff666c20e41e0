package delegation

import (
	"fmt"
	"time"

	"github.com/whittle-auth/whittle/token/datalog"
)

// Skew is how far before the minter's own clock a token or an invocation
// becomes valid, so that clocks that differ a little do not get in the way.
const Skew = 30 * time.Second

// MaxWindow is the longest that an invocation may hold, besides [Skew]; verifiers
// refuse more unless told otherwise.
const MaxWindow = 5 * time.Minute

// MaxSession is the longest that a session may hold, besides [Skew]; verifiers
// refuse more unless told otherwise.
const MaxSession = 10 * time.Minute

// maxTime is the last second of the year 9999, the last that RFC 3339 can
// write.
const maxTime = 253402300799

// Expiry is the moment from which a token no longer holds, in seconds since
// 1970-01-01T00:00:00Z.
type Expiry struct{ At uint64 }

// NotBefore is the moment from which a token holds, in seconds since
// 1970-01-01T00:00:00Z.
type NotBefore struct{ At uint64 }

// Expires returns the caveat that the token holds only before t, to the second.
// A time before 1970 or after 9999 does not validate.
func Expires(t time.Time) Caveat { return Expiry{seconds(t)} }

// ValidFrom returns the caveat that the token holds from t on, to the second.
func ValidFrom(t time.Time) Caveat { return NotBefore{seconds(t)} }

// seconds maps what cannot be written to a value that Validate refuses.
func seconds(t time.Time) uint64 {
	if s := t.Unix(); s >= 0 {
		return uint64(s)
	}
	return maxTime + 1
}

// Time returns the moment.
func (e Expiry) Time() time.Time { return time.Unix(int64(e.At), 0).UTC() }

// Time returns the moment.
func (n NotBefore) Time() time.Time { return time.Unix(int64(n.At), 0).UTC() }

func (e Expiry) String() string    { return "expires " + e.Time().Format(time.RFC3339) }
func (n NotBefore) String() string { return "not before " + n.Time().Format(time.RFC3339) }

// Validate refuses moments outside the years 1970 to 9999.
func (e Expiry) Validate() error { return validTime(e.At) }

// Validate refuses moments outside the years 1970 to 9999.
func (n NotBefore) Validate() error { return validTime(n.At) }

func validTime(at uint64) error {
	if at > maxTime {
		return fmt.Errorf("a time must lie in the years 1970 to 9999")
	}
	return nil
}

// Check returns `check all time($t), $t < X`.
func (e Expiry) Check() datalog.Check {
	return checkAll("time", "t", compare(datalog.OpLessThan, "t", datalog.Date(e.At)))
}

// Check returns `check all time($t), $t >= X`.
func (n NotBefore) Check() datalog.Check {
	return checkAll("time", "t", compare(datalog.OpGreaterOrEqual, "t", datalog.Date(n.At)))
}

func compare(op datalog.BinaryOp, v datalog.Variable, t datalog.Term) datalog.Expr {
	return datalog.Binary{Op: op, Left: datalog.Value{Term: v}, Right: datalog.Value{Term: t}}
}

func readTime(c datalog.Check) Caveat {
	_, guard := guardOf(c)
	op, term := comparison(guard)
	at, ok := term.(datalog.Date)
	switch {
	case ok && op == datalog.OpLessThan:
		return Expiry{uint64(at)}
	case ok && op == datalog.OpGreaterOrEqual:
		return NotBefore{uint64(at)}
	}
	return nil
}

// comparison takes `a op constant` apart, whatever a is.
func comparison(e datalog.Expr) (op datalog.BinaryOp, constant datalog.Term) {
	b, _ := e.(datalog.Binary)
	v, _ := b.Right.(datalog.Value)
	return b.Op, v.Term
}

func (Expiry) dimension() dimension    { return dimension{kind: "expires"} }
func (NotBefore) dimension() dimension { return dimension{kind: "not_before"} }

func (e Expiry) compare(outer Caveat) Relation    { return within(e.At <= outer.(Expiry).At) }
func (n NotBefore) compare(outer Caveat) Relation { return within(n.At >= outer.(NotBefore).At) }

func (e Expiry) meet(other Caveat) (Caveat, bool) {
	return Expiry{min(e.At, other.(Expiry).At)}, true
}

func (n NotBefore) meet(other Caveat) (Caveat, bool) {
	return NotBefore{max(n.At, other.(NotBefore).At)}, true
}

func (Expiry) about() subject    { return subject{predicate: "time"} }
func (NotBefore) about() subject { return subject{predicate: "time"} }

func (e Expiry) admits(value datalog.Term) bool {
	at, ok := value.(datalog.Date)
	return ok && uint64(at) < e.At
}

func (n NotBefore) admits(value datalog.Term) bool {
	at, ok := value.(datalog.Date)
	return ok && uint64(at) >= n.At
}

func (e Expiry) allowed() string    { return "before " + e.Time().Format(time.RFC3339) }
func (n NotBefore) allowed() string { return "from " + n.Time().Format(time.RFC3339) + " on" }

func (e Expiry) members() map[string]any {
	return map[string]any{"kind": "expires", "at": e.Time().Format(time.RFC3339)}
}

func (n NotBefore) members() map[string]any {
	return map[string]any{"kind": "not_before", "at": n.Time().Format(time.RFC3339)}
}
