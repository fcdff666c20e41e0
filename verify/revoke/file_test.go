package revoke

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/verify/internal/lockfile"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func listOf(asOf string, lines ...string) string {
	return "as-of " + asOf + "\n" + strings.Join(append(lines, "end\n"), "\n")
}

// TestFileReloads: a new list takes effect at the next look-up. A bad one does not:
// the last good one stays, grows old, and the answer says what is wrong.
func TestFileReloads(t *testing.T) {
	path := filepath.Join(t.TempDir(), "revoked")
	write(t, path, listOf("2026-03-01T12:00:00Z", "delegator alice"))
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, step := range []struct {
		change func()
		asOf   string
		who    string // is revoked
		bad    string
	}{
		{func() {}, "2026-03-01T12:00:00Z", "alice", ""},
		{func() { write(t, path, listOf("2026-03-01T12:00:01Z", "delegator bob")) }, "2026-03-01T12:00:01Z", "bob", ""},
		{func() { write(t, path, listOf("2026-03-01T12:00:02Z", "delegator carol, dave")) }, "2026-03-01T12:00:01Z", "bob", "line 2"},
		{func() { write(t, path, "as-of 2026-03-01T12:00:03Z\n") }, "2026-03-01T12:00:01Z", "bob", "cut off"},
		{func() { os.Remove(path) }, "2026-03-01T12:00:01Z", "bob", "no such file"},
		{func() { os.Mkdir(path, 0o700) }, "2026-03-01T12:00:01Z", "bob", "not a regular file"},
		{func() { os.Remove(path); write(t, path, listOf("2026-03-01T12:00:04Z", "delegator erin")) }, "2026-03-01T12:00:04Z", "erin", ""},
	} {
		step.change()
		old := noon.Add(time.Duration(i-1000) * time.Second) // by its own times it changed long ago
		os.Chtimes(path, old, old)
		at := noon.Add(time.Duration(i) * time.Second)
		for _, who := range []string{"alice", "bob", "carol", "erin"} {
			a, err := f.Lookup(t.Context(), &Subject{Delegator: who, Now: at})
			if err != nil {
				t.Fatal(err)
			}
			if (a.Found != nil) != (who == step.who) || format(a.AsOf) != step.asOf || !strings.HasPrefix(a.Source, path) || !strings.Contains(a.Source, step.bad) {
				t.Errorf("step %d, %s: %+v", i, who, a)
			}
		}
		if (f.Problem() == nil) != (step.bad == "") {
			t.Errorf("step %d: the problem is %v", i, f.Problem())
		}
	}
}

// TestFileReloadsTwiceInATick: two changes that the file's own times do not tell
// apart are both seen, a second later at the latest.
func TestFileReloadsTwiceInATick(t *testing.T) {
	path := filepath.Join(t.TempDir(), "revoked")
	stamp := noon.Add(-time.Millisecond)
	put := func(who string) {
		write(t, path, listOf("2026-03-01T12:00:00Z", "delegator "+who))
		if err := os.Chtimes(path, stamp, stamp); err != nil {
			t.Fatal(err)
		}
	}
	put("aaa")
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lookup := func(at time.Time, who string) bool {
		a, err := f.Lookup(t.Context(), &Subject{Delegator: who, Now: at})
		return err == nil && a.Found != nil
	}
	if !lookup(noon, "aaa") {
		t.Fatal("not read")
	}
	put("bbb") // the same size, inode and times
	if !lookup(noon.Add(time.Second), "bbb") {
		t.Error("the second change was not seen")
	}
}

// TestFileIsReadOnce: a list that does not change is not read again, and looking it
// up allocates little.
func TestFileIsReadOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "revoked")
	write(t, path, listOf("2026-03-01T12:00:00Z", "delegator alice"))
	if err := os.Chtimes(path, noon, noon); err != nil {
		t.Fatal(err)
	}
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := &Subject{Delegator: "bob", Now: noon.Add(time.Hour)}
	before := f.latest(s.Now.Unix()).list
	if n := testing.AllocsPerRun(100, func() { f.Lookup(t.Context(), s) }); n > 8 {
		t.Errorf("%v allocations", n)
	}
	if f.current.Load().list != before {
		t.Error("read again")
	}
}

// TestLookupDoesNotWait: while another look-up reads the file again, which can take
// as long as a long list does, what is in force answers.
func TestLookupDoesNotWait(t *testing.T) {
	path := filepath.Join(t.TempDir(), "revoked")
	write(t, path, listOf("2026-03-01T12:00:00Z", "delegator alice"))
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := &Subject{Delegator: "alice", Now: noon}
	write(t, path, listOf("2026-03-01T12:00:01Z", "delegator bob, and a mistake"))
	f.reading.Lock()
	if a, err := f.Lookup(t.Context(), s); err != nil || a.Found == nil || f.Problem() != nil {
		t.Errorf("%+v, %v, %v", a, err, f.Problem())
	}
	f.reading.Unlock()
	if a, err := f.Lookup(t.Context(), s); err != nil || a.Found == nil || f.Problem() == nil {
		t.Errorf("afterwards: %+v, %v, %v", a, err, f.Problem())
	}
}

func TestOpenFileRefuses(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad")
	write(t, bad, "delegator alice\n")
	for _, path := range []string{dir, bad, filepath.Join(dir, "missing")} {
		if _, err := OpenFile(path); err == nil {
			t.Errorf("%s is opened", path)
		}
	}
}

func TestEdit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "revoked")
	entry := func(who string, until time.Time, comment string) Entry {
		return Entry{Kind: Delegator, Delegator: who, Until: until, Comment: comment}
	}
	edit := func(at time.Time, c Change) *Changed {
		t.Helper()
		done, err := Edit(path, at, c)
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	hour := noon.Add(time.Hour)
	done := edit(noon.Add(time.Millisecond), Change{Add: []Entry{entry("alice", hour, " left  us ")}})
	if !done.Created || len(done.Added) != 1 {
		t.Errorf("%+v", done)
	}
	if got, want := read(t, path), listOf("2026-03-01T12:00:00Z", "delegator alice until=2026-03-01T13:00:00Z # left  us"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	// What people wrote stays.
	write(t, path, "# ours\n\nas-of  2026-03-01T12:00:00Z # by hand\n  delegator \t alice until=2026-03-01T13:00:00Z\n# the end\nend\n")
	done = edit(noon.Add(time.Minute), Change{Add: []Entry{
		entry("alice", hour, ""), entry("alice", noon.Add(time.Minute), ""), entry("bob", time.Time{}, ""), entry("bob", hour, ""), entry("alice", hour.Add(1), ""),
	}})
	if done.Created || len(done.Added) != 2 || done.Added[0].Delegator != "bob" {
		t.Errorf("%+v", done)
	}
	want := "# ours\n\nas-of 2026-03-01T12:01:00Z # by hand\n  delegator \t alice until=2026-03-01T13:00:00Z\n# the end\ndelegator bob\ndelegator alice until=2026-03-01T13:00:00Z\nend\n"
	if got := read(t, path); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	done = edit(hour, Change{Prune: true})
	if done.Pruned != 2 || read(t, path) != "# ours\n\nas-of 2026-03-01T13:00:00Z # by hand\n# the end\ndelegator bob\nend\n" {
		t.Errorf("%+v, %q", done, read(t, path))
	}
}

// TestEditRefuses: the file stays as it is.
func TestEditRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "revoked")
	good := listOf("2026-03-01T12:00:00Z", "delegator alice")
	bob := Entry{Kind: Delegator, Delegator: "bob"}
	for name, c := range map[string]struct {
		text string
		at   time.Time
		add  Entry
	}{
		"a bad list":        {good + "x", noon, bob},
		"a time before":     {good, noon.Add(-time.Second), bob},
		"a bad name":        {good, noon, Entry{Kind: Delegator, Delegator: "*@example.com"}},
		"no key":            {good, noon, Entry{Kind: Key}},
		"no block":          {good, noon, Entry{Kind: Block}},
		"another kind":      {good, noon, Entry{Kind: 7}},
		"a smuggled entry":  {good, noon, Entry{Kind: Delegator, Delegator: "bob", Comment: "x\ndelegator carol"}},
		"a smuggled ending": {good, noon, Entry{Kind: Delegator, Delegator: "bob", Comment: "x\rend"}},
		"a long comment":    {good, noon, Entry{Kind: Delegator, Delegator: "bob", Comment: strings.Repeat("x", 600)}},
		"the year 12000":    {good, noon.AddDate(10000, 0, 0), bob},
		"an end in 12000":   {good, noon, Entry{Kind: Delegator, Delegator: "bob", Until: noon.AddDate(10000, 0, 0)}},
	} {
		write(t, path, c.text)
		if _, err := Edit(path, c.at, Change{Add: []Entry{c.add}}); err == nil {
			t.Errorf("%s is written", name)
		}
		if read(t, path) != c.text {
			t.Errorf("%s: the file has changed", name)
		}
	}
	write(t, path, good)
	f, err := lockfile.Open(path, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := Edit(path, noon, Change{}); !errors.Is(err, ErrLocked) {
		t.Errorf("%v", err)
	}
}

// TestConcurrently: editing and looking up at the same time, no entry is lost and
// no half of a list is ever seen.
func TestConcurrently(t *testing.T) {
	path := filepath.Join(t.TempDir(), "revoked")
	if _, err := Edit(path, noon, Change{Add: []Entry{{Kind: Delegator, Delegator: "first"}}}); err != nil {
		t.Fatal(err)
	}
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	var written atomic.Int32
	for i := range 4 {
		group.Go(func() {
			for n := range 25 {
				name := string(rune('a'+i)) + string(rune('a'+n))
				for {
					_, err := Edit(path, noon, Change{Add: []Entry{{Kind: Delegator, Delegator: name}}})
					if err == nil {
						written.Add(1)
						break
					}
					if !errors.Is(err, ErrLocked) {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	for range 4 {
		group.Go(func() {
			for i := range 200 {
				a, err := f.Lookup(t.Context(), &Subject{Delegator: "first", Now: noon.Add(time.Duration(i) * time.Second)})
				if err != nil || a.Found == nil || f.Problem() != nil {
					t.Errorf("%+v, %v, %v", a, err, f.Problem())
					return
				}
			}
		})
	}
	group.Wait()
	l, err := Parse([]byte(read(t, path)))
	if err != nil || l.Len() != int(written.Load())+1 {
		t.Errorf("%d entries, %d were written, %v", l.Len(), written.Load(), err)
	}
}
