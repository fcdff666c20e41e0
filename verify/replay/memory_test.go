package replay

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }

func keyNumber(n int) Key { return KeyOf([]byte{byte(n >> 16), byte(n >> 8), byte(n)}) }

// use is a use of signatures whose windows have begun and end at a second.
func use(now, until int, group byte, keys ...int) Use {
	u := Use{Group: Key{group}, Now: at(now)}
	for _, k := range keys {
		u.Entries = append(u.Entries, Entry{keyNumber(k), start, at(until)})
	}
	return u
}

// kindOf returns why a store refuses; an error that is no refusal fails the test.
func kindOf(t interface{ Fatalf(string, ...any) }, err error) (k Kind, refused bool) {
	if err == nil {
		return 0, false
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("%v", err)
	}
	return e.Kind, true
}

func memory(t testing.TB, o *Options) *Memory {
	t.Helper()
	m, err := NewMemory(start, o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// stores are the two that are built in, which must not differ.
func stores(t *testing.T, o *Options, test func(t *testing.T, s Store)) {
	t.Run("memory", func(t *testing.T) { test(t, memory(t, o)) })
	t.Run("file", func(t *testing.T) { test(t, openFile(t, newPath(t), o)) })
}

// step is a use and what becomes of it; allowed when want is empty.
type step struct {
	use  Use
	want string
}

func run(t *testing.T, s Store, steps []step) {
	t.Helper()
	for i, x := range steps {
		for _, ask := range []func(context.Context, Use) error{s.Check, s.Record} {
			got := ""
			if k, refused := kindOf(t, ask(t.Context(), x.use)); refused {
				got = k.String()
			}
			if got != x.want {
				t.Errorf("step %d: %q, want %q", i, got, x.want)
			}
		}
	}
}

func TestOnce(t *testing.T) {
	stores(t, nil, func(t *testing.T, s Store) {
		run(t, s, []step{
			{use(0, 60, 1, 1), ""},
			{use(0, 60, 1, 1), "used already"},
			{use(0, 60, 2, 1), "used already"}, // whoever pays for it
			{use(0, 60, 1, 2), ""},
			{use(59, 60, 1, 1), "used already"},
			{use(60, 120, 1, 3), ""},
			{use(60, 60, 1, 1), "forgotten perhaps"},
			{use(60, 61, 1, 1), ""}, // no verifier would ask that: one signature has one window
		})
	})
}

// TestAllOrNothing: an invocation and its approvals are used up together.
func TestAllOrNothing(t *testing.T) {
	stores(t, nil, func(t *testing.T, s Store) {
		run(t, s, []step{
			{use(0, 60, 1, 1, 10, 11), ""},
			{use(0, 60, 1, 2, 12, 11), "used already"},
			{use(0, 60, 1, 2), ""},
			{use(0, 60, 1, 12), ""},
			{use(0, 60, 1, 3, 3), "used already"},
			{use(0, 60, 1, 3), ""},
		})
		err := s.Record(t.Context(), use(0, 60, 1, 4, 5, 11))
		if e, ok := errors.AsType[*Error](err); !ok || e.Entry != 2 {
			t.Errorf("%v", err)
		}
	})
}

// TestBeforeStart: what can have been used before the store began.
func TestBeforeStart(t *testing.T) {
	from := func(k int, t time.Time) Use {
		return Use{Entries: []Entry{{keyNumber(k), t, at(60)}}, Now: at(1)}
	}
	both := from(5, start)
	both.Entries = append(both.Entries, Entry{keyNumber(6), time.Time{}, at(60)})
	steps := []step{
		{from(1, at(-1)), "begun before the memory"},
		{from(2, at(0)), ""},
		{from(3, at(1)), ""},
		{from(4, time.Time{}), "begun before the memory"},
		{both, "begun before the memory"},
	}
	stores(t, nil, func(t *testing.T, s Store) { run(t, s, steps) })
	for i := range steps {
		steps[i].want = ""
	}
	stores(t, &Options{FirstStart: true}, func(t *testing.T, s Store) { run(t, s, steps) })

	// A start within a second counts from the next one on.
	m, err := NewMemory(at(0).Add(time.Nanosecond), nil)
	if err != nil {
		t.Fatal(err)
	}
	run(t, m, []step{{from(2, at(0)), "begun before the memory"}, {from(3, at(1)), ""}})
	var e *Error
	if err := m.Check(t.Context(), from(2, at(0))); !errors.As(err, &e) || !e.Since.Equal(at(1)) {
		t.Errorf("%+v", e)
	}
}

// TestShares: a delegation has its quota and no more, and nothing is dropped to make
// room before its time.
func TestShares(t *testing.T) {
	stores(t, &Options{Capacity: 5, Quota: 3}, func(t *testing.T, s Store) {
		run(t, s, []step{
			{use(0, 60, 1, 1, 2), ""},
			{use(0, 60, 1, 3, 4), "too many for one delegation"},
			{use(0, 50, 1, 3), ""},
			{use(0, 60, 1, 4), "too many for one delegation"},
			{use(0, 60, 2, 5), ""},
			{use(0, 60, 3, 6, 7), "full"},
			{use(0, 60, 3, 6), ""},
			{use(0, 60, 3, 7), "full"},
			{use(0, 60, 1, 1), "used already"},
			{use(49, 60, 3, 7), "full"},
			{use(50, 100, 1, 7), ""}, // one of the first delegation's has ended
			{use(50, 100, 2, 8), "full"},
			{use(60, 100, 2, 8), ""},
		})
	})
	stores(t, &Options{Capacity: 1000, Quota: 1000}, func(t *testing.T, s Store) {
		keys := make([]int, maxEntries+1)
		for i := range keys {
			keys[i] = i
		}
		run(t, s, []step{
			{use(0, 60, 1, keys...), "too many for one delegation"},
			{use(0, 60, 1, keys[1:]...), ""},
		})
	})
}

// TestClockSetBack: by the time that the store was told, an entry has been dropped.
// Told an earlier time later, it does not let it pass again.
func TestClockSetBack(t *testing.T) {
	stores(t, nil, func(t *testing.T, s Store) {
		run(t, s, []step{
			{use(0, 60, 1, 1), ""},
			{use(100, 160, 1, 2), ""},
			{use(0, 60, 1, 1), "forgotten perhaps"},
			{use(0, 60, 1, 3), "forgotten perhaps"}, // as far as the store can tell
			{use(0, 61, 1, 4), ""},
		})
	})
}

// TestSweepsAFewAtATime: one call does a bounded amount of work, and expired entries
// deny nobody all the same.
func TestSweepsAFewAtATime(t *testing.T) {
	const n = 1000
	m := memory(t, &Options{Capacity: n, Quota: n})
	for i := range n {
		if err := m.Record(t.Context(), use(0, 60, 1, i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Record(t.Context(), use(59, 120, 1, n)); err == nil {
		t.Fatal("beyond the capacity")
	}
	for i := range n {
		if err := m.Record(t.Context(), use(60, 120, 1, n+i)); err != nil {
			t.Fatal(err)
		}
		if got, want := m.Len(), max(n-sweepsPerCall*(i+1), 0)+i+1; got != want {
			t.Fatalf("after %d calls %d entries, want %d", i+1, got, want)
		}
	}
	if len(m.table.known) != n || len(m.table.groups) != 1 {
		t.Errorf("%d keys, %d groups", len(m.table.known), len(m.table.groups))
	}
}

// TestAgainstAList: a store says what the plainest one would, a list that is never
// swept, as long as the time does not go back.
func TestAgainstAList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := &Options{Capacity: rapid.IntRange(1, 12).Draw(t, "capacity"), Quota: rapid.IntRange(1, 6).Draw(t, "quota"), FirstStart: rapid.Bool().Draw(t, "first")}
		m, err := NewMemory(start, o)
		if err != nil {
			t.Fatal(err)
		}
		var list []slot
		now := 0
		for range rapid.IntRange(1, 60).Draw(t, "uses") {
			now += rapid.IntRange(0, 3).Draw(t, "later")
			u := use(now, now+rapid.IntRange(1, 6).Draw(t, "length"), byte(rapid.IntRange(0, 3).Draw(t, "group")),
				rapid.SliceOfN(rapid.IntRange(0, 1000), 1, 3).Draw(t, "keys")...)
			for i := range u.Entries {
				u.Entries[i].From = at(rapid.IntRange(-1, 1).Draw(t, "from"))
			}
			want := plainly(o, list, u)
			k, refused := kindOf(t, m.Record(context.Background(), u))
			if got := (verdict{k, refused}); got != want {
				t.Fatalf("%+v: %+v, want %+v", u, got, want)
			}
			if !refused {
				for _, e := range u.Entries {
					list = append(list, slot{e.Key, u.Group, e.Until.Unix()})
				}
			}
			if !slices.IsSortedFunc(ordered(m), func(a, b slot) int { return cmp.Compare(a.until, b.until) }) {
				t.Fatal("not a heap")
			}
		}
	})
}

type verdict struct {
	kind    Kind
	refused bool
}

// plainly is the rule as it is written.
func plainly(o *Options, list []slot, u Use) verdict {
	var live, group int
	seen := map[Key]bool{}
	for _, s := range list {
		if s.until > u.Now.Unix() {
			live++
			seen[s.key] = true
			if s.group == u.Group {
				group++
			}
		}
	}
	for _, e := range u.Entries {
		if seen[e.Key] {
			return verdict{Used, true}
		}
		if !o.FirstStart && e.From.Before(start) {
			return verdict{BeforeStart, true}
		}
		seen[e.Key] = true
	}
	switch {
	case group+len(u.Entries) > o.Quota:
		return verdict{Quota, true}
	case live+len(u.Entries) > o.Capacity:
		return verdict{Full, true}
	}
	return verdict{}
}

// ordered takes a copy of the heap apart.
func ordered(m *Memory) (out []slot) {
	copied := table{queue: slices.Clone(m.table.queue)}
	for len(copied.queue) > 0 {
		out = append(out, copied.pop())
	}
	return out
}

// TestOneWins: of many at the same time one records a key, and nothing is lost.
func TestOneWins(t *testing.T) {
	stores(t, nil, func(t *testing.T, s Store) {
		const workers, keys = 8, 40
		var won [keys]atomic.Int32
		var group sync.WaitGroup
		for range workers {
			group.Go(func() {
				for _, k := range rand.Perm(keys) {
					u := use(0, 60, byte(k), k)
					s.Check(context.Background(), u)
					if s.Record(context.Background(), u) == nil {
						won[k].Add(1)
					}
				}
			})
		}
		group.Wait()
		for k := range won {
			if won[k].Load() != 1 {
				t.Errorf("key %d was recorded %d times", k, won[k].Load())
			}
		}
	})
}

func TestOptions(t *testing.T) {
	for _, o := range []Options{{Capacity: -1}, {Capacity: maxCapacity + 1}, {Quota: -1}} {
		if _, err := NewMemory(start, &o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
	m := memory(t, nil)
	if m.table.capacity != DefaultCapacity || m.table.quota != DefaultCapacity/8 {
		t.Errorf("%d, %d", m.table.capacity, m.table.quota)
	}
}

// TestAllocations: recording allocates the room for the entry, amortized, and looking
// up nothing.
func TestAllocations(t *testing.T) {
	m := memory(t, nil)
	uses := make([]Use, 1100)
	for i := range uses {
		uses[i] = use(0, 60, 1, i)
	}
	i := 0
	if n := testing.AllocsPerRun(1000, func() {
		if err := m.Record(context.Background(), uses[i]); err != nil {
			t.Fatal(err)
		}
		i++
	}); n > 1 {
		t.Errorf("recording: %v allocations", n)
	}
	fresh := use(0, 60, 1, 5000)
	if n := testing.AllocsPerRun(1000, func() { m.Check(context.Background(), fresh) }); n > 0 {
		t.Errorf("looking up: %v allocations", n)
	}
}

// TestKeyOf: both forms of a P-256 signature are one; other bytes are themselves.
func TestKeyOf(t *testing.T) {
	der := func(s byte) []byte { // r = 1
		low := append([]byte{0x30, 0x25, 0x02, 0x01, 0x01, 0x02, 0x20}, make([]byte, 32)...)
		low[len(low)-1] = s
		if s == 0 { // n - 2
			copy(low[7:], []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
				0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x4f})
			return append([]byte{0x30, 0x26, 0x02, 0x01, 0x01, 0x02, 0x21, 0x00}, low[7:]...)
		}
		return []byte{0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, s}
	}
	if KeyOf(der(2)) != KeyOf(der(0)) {
		t.Error("two keys for (1, 2) and (1, n-2)")
	}
	if KeyOf(der(2)) == KeyOf(der(3)) || KeyOf([]byte("a")) == KeyOf([]byte("b")) {
		t.Error("one key for two signatures")
	}
}
