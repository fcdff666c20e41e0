package delegation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/whittle-auth/whittle/token/datalog"
)

// minutesOfDay is also the end of a window that lasts until midnight.
const minutesOfDay = 24 * 60

// Weekdays is the list of days on which a token holds, Monday 1 to Sunday 7
// (ISO 8601), ascending. Days begin and end in UTC.
type Weekdays struct{ Days []int }

// Hours is the part of each day in which a token holds, in minutes of the UTC
// day: From 0 to 1439, inclusive, and To 1 to 1440, exclusive. Where To is less
// than From the window goes over midnight.
type Hours struct{ From, To int }

var dayNames = [...]string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

func (w Weekdays) String() string { return "window " + w.allowed() }
func (h Hours) String() string    { return "window " + h.allowed() }

// allowed joins runs of three days and more: mon-fri,sun.
func (w Weekdays) allowed() string {
	var parts []string
	for i := 0; i < len(w.Days); {
		n := 1
		for i+n < len(w.Days) && w.Days[i+n] == w.Days[i]+n {
			n++
		}
		if n > 2 {
			parts = append(parts, dayName(w.Days[i])+"-"+dayName(w.Days[i+n-1]))
			i += n
			continue
		}
		parts = append(parts, dayName(w.Days[i]))
		i++
	}
	return strings.Join(parts, ",")
}

func dayName(day int) string {
	if day < 1 || day > 7 {
		return fmt.Sprint("day ", day)
	}
	return dayNames[day-1]
}

func (h Hours) allowed() string { return clockTime(h.From) + "-" + clockTime(h.To) }

func clockTime(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }

// Validate refuses an empty list, days beyond 1 to 7, and a list that does not
// ascend.
func (w Weekdays) Validate() error {
	if len(w.Days) == 0 {
		return fmt.Errorf("a window needs at least one weekday")
	}
	last := 0
	for _, d := range w.Days {
		if d < 1 || d > 7 {
			return fmt.Errorf("weekday %d: Monday is 1, Sunday 7", d)
		}
		if d <= last {
			return fmt.Errorf("the weekdays of a window ascend, each of them once")
		}
		last = d
	}
	return nil
}

// Validate refuses times beyond the day, and a window that begins when it ends.
func (h Hours) Validate() error {
	switch {
	case h.From < 0 || h.From >= minutesOfDay:
		return fmt.Errorf("a window begins at a minute of the day, 0 to %d", minutesOfDay-1)
	case h.To < 1 || h.To > minutesOfDay:
		return fmt.Errorf("a window ends at a minute of the day, 1 to %d", minutesOfDay)
	case h.From == h.To:
		return fmt.Errorf("a window must not end at the time at which it begins")
	}
	return nil
}

// Check returns `check all weekday($d), [1, 2].contains($d)`.
func (w Weekdays) Check() datalog.Check {
	days := make(datalog.Array, len(w.Days))
	for i, d := range w.Days {
		days[i] = datalog.Integer(d)
	}
	return checkAll("weekday", "d", containsGuard(days, "d"))
}

// Check returns `check all minute($m), $m >= 120 && $m < 240`, and with || for a
// window over midnight.
func (h Hours) Check() datalog.Check {
	op := datalog.OpAnd
	if h.From > h.To {
		op = datalog.OpOr
	}
	return checkAll("minute", "m", datalog.Binary{
		Op:    op,
		Left:  compare(datalog.OpGreaterOrEqual, "m", datalog.Integer(h.From)),
		Right: compare(datalog.OpLessThan, "m", datalog.Integer(h.To)),
	})
}

func readWeekdays(c datalog.Check) Caveat {
	name, guard := guardOf(c)
	if name != "weekday" {
		return nil
	}
	var w Weekdays
	for _, t := range arrayOf(guard) {
		d, _ := t.(datalog.Integer)
		w.Days = append(w.Days, int(min(max(d, 0), 8)))
	}
	return w
}

func readHours(c datalog.Check) Caveat {
	name, guard := guardOf(c)
	b, ok := guard.(datalog.Binary)
	if name != "minute" || !ok {
		return nil
	}
	_, from := comparison(b.Left)
	_, to := comparison(b.Right)
	f, _ := from.(datalog.Integer)
	t, _ := to.(datalog.Integer)
	const beyond = minutesOfDay + 1
	return Hours{int(min(max(f, -1), beyond)), int(min(max(t, -1), beyond))}
}

func (Weekdays) dimension() dimension { return dimension{kind: "weekday"} }
func (Hours) dimension() dimension    { return dimension{kind: "minute"} }

func (w Weekdays) compare(outer Caveat) Relation {
	days := outer.(Weekdays).Days
	return within(!slices.ContainsFunc(w.Days, func(d int) bool { return !slices.Contains(days, d) }))
}

func (w Weekdays) meet(other Caveat) (Caveat, bool) {
	both := common(w.Days, other.(Weekdays).Days, func(a, b int) bool { return a == b })
	return Weekdays{both}, len(both) > 0
}

// parts returns the window as one or two ranges of minutes, which do not go over
// midnight.
func (h Hours) parts() []Hours {
	if h.From < h.To {
		return []Hours{h}
	}
	return []Hours{{0, h.To}, {h.From, minutesOfDay}}
}

func (h Hours) compare(outer Caveat) Relation {
	if both, ok := h.meet(outer); ok && both == nil {
		return Incomparable
	} else if ok && both.(Hours).length() == h.length() {
		return Within
	}
	return Beyond
}

func (h Hours) length() int {
	n := 0
	for _, p := range h.parts() {
		n += p.To - p.From
	}
	return n
}

// meet returns no caveat where what is left is two windows, as of 22:00-06:00 and
// 05:00-23:00.
func (h Hours) meet(other Caveat) (Caveat, bool) {
	var both []Hours
	for _, p := range h.parts() {
		for _, q := range other.(Hours).parts() {
			if r := (Hours{max(p.From, q.From), min(p.To, q.To)}); r.From < r.To {
				both = append(both, r)
			}
		}
	}
	slices.SortFunc(both, func(a, b Hours) int { return a.From - b.From })
	switch {
	case len(both) == 0:
		return nil, false
	case len(both) == 1:
		return both[0], true
	case len(both) == 2 && both[0].From == 0 && both[1].To == minutesOfDay:
		return Hours{both[1].From, both[0].To}, true
	}
	return nil, true
}

func (Weekdays) about() subject { return subject{predicate: "weekday"} }
func (Hours) about() subject    { return subject{predicate: "minute"} }

func (w Weekdays) admits(value datalog.Term) bool {
	d, ok := value.(datalog.Integer)
	return ok && d >= 1 && d <= 7 && slices.Contains(w.Days, int(d))
}

func (h Hours) admits(value datalog.Term) bool {
	m, ok := value.(datalog.Integer)
	return ok && slices.ContainsFunc(h.parts(), func(p Hours) bool { return int64(m) >= int64(p.From) && int64(m) < int64(p.To) })
}

func (w Weekdays) members() map[string]any {
	days := make([]any, len(w.Days))
	for i, d := range w.Days {
		days[i] = int64(d)
	}
	return map[string]any{"kind": "weekday", "days": days}
}

func (h Hours) members() map[string]any {
	return map[string]any{"kind": "minute", "from": int64(h.From), "to": int64(h.To)}
}
