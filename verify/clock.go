package verify

import (
	"sync/atomic"
	"time"

	"github.com/whittle-auth/whittle/token/datalog"
)

// A clock is a verifier's time, to the second.
type clock struct {
	latest atomic.Int64           // seconds since 1970, the latest time seen
	stated atomic.Pointer[moment] // the last that was stated, or nil
}

// now returns the time, which never goes back.
func (v *Verifier) now() time.Time {
	now := v.options.Now().Unix()
	for {
		latest := v.clock.latest.Load()
		if now <= latest {
			return time.Unix(latest, 0).UTC()
		}
		if v.clock.latest.CompareAndSwap(latest, now) {
			return time.Unix(now, 0).UTC()
		}
	}
}

// peek is now for those who only ask what would be: it moves nothing.
func (v *Verifier) peek() time.Time {
	return time.Unix(max(v.options.Now().Unix(), v.clock.latest.Load()), 0).UTC()
}

// A moment is what is stated of one second.
type moment struct {
	at                    int64 // seconds since 1970
	time, weekday, minute datalog.Term
}

// moment returns what is stated of a time, which many requests have in common.
func (v *Verifier) moment(now time.Time) *moment {
	at := now.Unix()
	if m := v.clock.stated.Load(); m != nil && m.at == at {
		return m
	}
	m := &moment{
		at:      at,
		time:    datalog.Date(at),
		weekday: datalog.Integer((int(now.Weekday())+6)%7 + 1),
		minute:  datalog.Integer(now.Hour()*60 + now.Minute()),
	}
	v.clock.stated.Store(m)
	return m
}
