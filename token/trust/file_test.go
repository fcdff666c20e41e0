package trust

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/whittle-auth/whittle/token/datalog"
)

// A reloading is a file, the clock by which it is read again, and what was
// reported.
type reloading struct {
	t        *testing.T
	path     string
	clock    time.Time
	reported []string
}

func newReloading(t *testing.T, content string) *reloading {
	r := &reloading{t: t, path: filepath.Join(t.TempDir(), "trust"), clock: utc(t, "2026-11-23T12:00:00Z")}
	r.write(content)
	return r
}

// write replaces the file as careful programs do, with the times of the old one.
func (r *reloading) write(content string) {
	r.t.Helper()
	if err := os.WriteFile(r.path+".new", []byte(content), 0o600); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Chtimes(r.path+".new", r.clock.Truncate(time.Hour), r.clock.Truncate(time.Hour)); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Rename(r.path+".new", r.path); err != nil {
		r.t.Fatal(err)
	}
}

func (r *reloading) options() *FileOptions {
	return &FileOptions{Now: func() time.Time { return r.clock }, OnError: func(err error) { r.reported = append(r.reported, err.Error()) }}
}

func (r *reloading) open() *File {
	r.t.Helper()
	f, err := Open(r.path, r.options())
	if err != nil {
		r.t.Fatal(err)
	}
	return f
}

// names lists the principals in force, a second later.
func (r *reloading) names(f *File) string {
	r.clock = r.clock.Add(time.Second)
	var all []string
	for _, e := range f.Roots().Entries() {
		all = append(all, e.Principals...)
	}
	return strings.Join(all, " ")
}

func line(t *testing.T, name string, number byte) string {
	return name + ` namespaces="whittle" ` + newKey(t, datalog.Ed25519, number).Public().AuthorizedKey("") + "\n"
}

// TestFileIsReadAgain: what is added and what is removed counts a second later,
// whatever the file's time and size say.
func TestFileIsReadAgain(t *testing.T) {
	r := newReloading(t, line(t, "alice", 1))
	f := r.open()
	for _, step := range []struct{ content, want string }{
		{line(t, "alice", 1) + line(t, "bob", 2), "alice bob"},
		{line(t, "carol", 2) + line(t, "dave", 1), "carol dave"},
		{line(t, "carol", 2) + line(t, "dana", 1), "carol dana"}, // of the same length
		{"", ""},
		{line(t, "alice", 1), "alice"},
	} {
		r.write(step.content)
		if got := r.names(f); got != step.want {
			t.Errorf("%q, want %q", got, step.want)
		}
	}
	if len(r.reported) > 0 {
		t.Errorf("reported: %q", r.reported)
	}
}

// TestFileIsReadOnceASecond: not once for each request.
func TestFileIsReadOnceASecond(t *testing.T) {
	r := newReloading(t, line(t, "alice", 1))
	f := r.open()
	r.write(line(t, "bob", 2))
	r.clock = r.clock.Add(time.Second - time.Nanosecond)
	before := f.Roots()
	if before.Entries()[0].Principals[0] != "alice" {
		t.Error("read again within the second")
	}
	r.clock = r.clock.Add(time.Nanosecond)
	after := f.Roots()
	if after.Entries()[0].Principals[0] != "bob" {
		t.Error("not read again after a second")
	}
	r.clock = r.clock.Add(time.Second)
	if f.Roots() != after {
		t.Error("the same content gives another list")
	}
	// A clock that goes back does not keep an old list in force.
	r.write(line(t, "carol", 1))
	r.clock = r.clock.Add(-time.Hour)
	if f.Roots().Entries()[0].Principals[0] != "carol" {
		t.Error("not read again with the clock set back")
	}
}

// TestBadFileChangesNothing: the last good one stays, and each new reason is
// reported once.
func TestBadFileChangesNothing(t *testing.T) {
	r := newReloading(t, line(t, "alice", 1))
	f := r.open()
	bad := func(want string) {
		t.Helper()
		for range 3 {
			if got := r.names(f); got != "alice" {
				t.Errorf("%q is in force", got)
			}
		}
		if len(r.reported) != 1 || !strings.Contains(r.reported[0], want) {
			t.Errorf("reported %q, want once %q", r.reported, want)
		}
		r.reported = nil
	}
	r.write("alice\n")
	bad("line 1")
	r.write(line(t, "bob", 2) + "alice\n")
	bad("line 2")
	r.write(strings.Repeat("#", MaxBytes+1))
	bad("bytes")
	if err := os.Remove(r.path); err != nil {
		t.Fatal(err)
	}
	bad("no such file")
	if err := os.Mkdir(r.path, 0o700); err != nil {
		t.Fatal(err)
	}
	bad("no regular file")
	if err := os.Remove(r.path); err != nil {
		t.Fatal(err)
	}
	r.write(line(t, "alice", 1))
	if got := r.names(f); got != "alice" || len(r.reported) > 0 {
		t.Errorf("%q, reported %q", got, r.reported)
	}
	r.write("alice\n")
	bad("line 1") // again, as it was good in between
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad")
	if err := os.WriteFile(bad, []byte("alice\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{bad, dir, filepath.Join(dir, "none"), os.DevNull} {
		if _, err := Open(path, nil); err == nil {
			t.Errorf("%s is opened", path)
		}
		if _, err := OpenDirectory(path, nil); err == nil {
			t.Errorf("%s is opened as a directory", path)
		}
	}
}

func TestDirectoryFileIsReadAgain(t *testing.T) {
	agent := func(name string) string { return strings.Replace(line(t, name, 1), "whittle", AgentNamespace, 1) }
	r := newReloading(t, agent("agent:ci"))
	f, err := OpenDirectory(r.path, r.options())
	if err != nil {
		t.Fatal(err)
	}
	key := newKey(t, datalog.Ed25519, 1).Public()
	for _, want := range []string{"agent:ci", "agent:runner"} {
		r.write(agent(want))
		r.clock = r.clock.Add(time.Second)
		if got, ok := f.Directory().Agent(key, r.clock); !ok || got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	r.write(agent("agent:*"))
	r.clock = r.clock.Add(time.Second)
	if got, _ := f.Directory().Agent(key, r.clock); got != "agent:runner" || len(r.reported) != 1 {
		t.Errorf("%q, reported %q", got, r.reported)
	}
}

// TestFileUnderLoad: many ask at once while the file changes. Each gets one list or
// the other, as a whole, and no goroutine is left: synctest.Test panics otherwise.
func TestFileUnderLoad(t *testing.T) { synctest.Test(t, fileUnderLoad) }

func fileUnderLoad(t *testing.T) {
	r := newReloading(t, line(t, "alice", 1)+line(t, "alice", 2))
	var clock atomic.Int64
	f, err := Open(r.path, &FileOptions{Now: func() time.Time { return time.Unix(clock.Add(1), 0) }, OnError: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	var asking sync.WaitGroup
	for range 8 {
		asking.Go(func() {
			for range 200 {
				e := f.Roots().Entries()
				if len(e) != 2 || e[0].Principals[0] != e[1].Principals[0] {
					t.Errorf("a mixed list: %v", e)
				}
			}
		})
	}
	for i := range 20 {
		name := []string{"alice", "bob"}[i%2]
		r.write(line(t, name, 1) + line(t, name, 2))
	}
	asking.Wait()
}
