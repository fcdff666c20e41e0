package replay

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func newPath(t *testing.T) string { return filepath.Join(t.TempDir(), "used") }

func openFile(t *testing.T, path string, o *Options) *File {
	t.Helper()
	f, err := OpenFile(path, start, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func record1(t *testing.T, s Store, u Use) {
	t.Helper()
	if err := s.Record(t.Context(), u); err != nil {
		t.Fatal(err)
	}
}

// TestRestart: a file knows after a restart what was used before it, and refuses
// nothing for having begun earlier than that.
func TestRestart(t *testing.T) {
	path := newPath(t)
	f := openFile(t, path, nil)
	record1(t, f, use(0, 60, 1, 1, 10))
	record1(t, f, use(5, 60, 1, 2))
	f.Close()
	if err := f.Record(t.Context(), use(5, 60, 1, 3)); err == nil {
		t.Error("recorded in a closed store")
	}
	if err := f.Check(t.Context(), use(5, 60, 1, 3)); err == nil {
		t.Error("looked up in a closed store")
	}
	again, err := OpenFile(path, at(30), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	run(t, again, []step{
		{use(30, 60, 1, 1), "used already"},
		{use(30, 60, 1, 2), "used already"},
		{use(30, 60, 1, 10), "used already"},
		{use(30, 60, 1, 3), ""},
	})
	old := use(30, 60, 1, 4)
	old.Entries[0].From = at(-1) // before the file was made
	run(t, again, []step{{old, "begun before the memory"}})
}

// TestFirstStartIsOnce: that nothing was used before is a fact about the file's own
// beginning. Asserted of an older file it changes nothing.
func TestFirstStartIsOnce(t *testing.T) {
	path := newPath(t)
	openFile(t, path, nil).Close()
	f := openFile(t, path, &Options{FirstStart: true})
	old := use(0, 60, 1, 1)
	old.Entries[0].From = at(-1)
	run(t, f, []step{{old, "begun before the memory"}})
}

func TestLocked(t *testing.T) {
	path := newPath(t)
	f := openFile(t, path, nil)
	if _, err := OpenFile(path, start, nil); !errors.Is(err, ErrLocked) {
		t.Errorf("%v", err)
	}
	f.compact()
	if _, err := OpenFile(path, start, nil); !errors.Is(err, ErrLocked) {
		t.Errorf("after it was written anew: %v", err)
	}
	f.Close()
	openFile(t, path, nil)
}

// TestCutOffAnywhere: wherever the machine stops while a use is being written, that
// use is gone, since it was never allowed, and everything before it is there.
func TestCutOffAnywhere(t *testing.T) {
	path := newPath(t)
	f := openFile(t, path, nil)
	record1(t, f, use(0, 60, 1, 1))
	record1(t, f, use(0, 60, 1, 2))
	before := len(readFile(t, path))
	record1(t, f, use(0, 60, 1, 3, 4, 5))
	f.Close()
	whole := readFile(t, path)
	for size := before; size <= len(whole); size++ {
		for _, zeros := range []bool{false, true} { // of data that never came, where the size did
			data := whole[:size]
			if zeros {
				data = append(bytes.Clone(data), make([]byte, len(whole)-size)...)
			}
			wholeSize := before
			if size == len(whole) {
				wholeSize = size
			}
			if got, err := readRecords(data[headerSize:], func([]record) {}); err != nil || got != wholeSize-headerSize {
				t.Errorf("cut at byte %d: %d bytes are whole, %v", size, got, err)
			}
			if (size-before)%(recordSize/2) == 0 {
				reopened(t, data, size == len(whole))
			}
		}
	}
	// The parts of one use may reach the disk in any order.
	for missing := range 3 {
		data := bytes.Clone(whole)
		clear(data[before+missing*recordSize : before+(missing+1)*recordSize])
		reopened(t, data, false)
	}
}

// reopened opens a file with these bytes, which know the keys 1 and 2, and 3 to 5 if
// they are said to.
func reopened(t *testing.T, data []byte, all bool) {
	t.Helper()
	path := newPath(t)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := OpenFile(path, start, nil)
	if err != nil {
		t.Fatalf("%d bytes: %v", len(data), err)
	}
	want := ""
	if all {
		want = "used already"
	}
	run(t, f, []step{{use(0, 60, 1, 1), "used already"}, {use(0, 60, 1, 2), "used already"}})
	for k := 3; k <= 5; k++ {
		run(t, f, []step{{use(0, 60, 1, k), want}})
	}
	// What was appended in the place of the cut is read again.
	f.Close()
	if f, err = OpenFile(path, start, nil); err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for k := 1; k <= 5; k++ {
		run(t, f, []step{{use(0, 60, 1, k), "used already"}})
	}
}

// TestDamage: a file in which anything but its end is not as it was written is not
// opened. Nobody knows what it has forgotten.
func TestDamage(t *testing.T) {
	path := newPath(t)
	f := openFile(t, path, nil)
	for k := range 4 {
		record1(t, f, use(0, 60, 1, k))
	}
	f.Close()
	whole := readFile(t, path)
	for i := range len(whole) - recordSize {
		data := bytes.Clone(whole)
		data[i] ^= 0x10
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if f, err := OpenFile(path, start, nil); err == nil {
			f.Close()
			t.Fatalf("byte %d is changed, and the file is opened", i)
		}
		if !bytes.Equal(readFile(t, path), data) {
			t.Fatalf("byte %d: the file has changed", i)
		}
	}
	two := append(bytes.Clone(whole), whole[len(whole)-recordSize:]...)
	two[headerSize], two[headerSize+1] = 2, 1 // a use of two of which the second is another's
	copy(two[headerSize:], appendSum(two[headerSize:headerSize+recordSize-4:headerSize+recordSize-4], 0))
	for name, data := range map[string][]byte{
		"text":              []byte("alice@example.com\n"),
		"half a header":     whole[:headerSize-1],
		"an unfinished use": two,
		"many zeros":        append(bytes.Clone(whole), make([]byte, recordSize*(maxEntries+1))...),
	} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if f, err := OpenFile(path, start, nil); err == nil {
			f.Close()
			t.Errorf("%s is opened", name)
		}
	}
}

// TestCompacts: the file stays within a bound, and keeps what has not ended and what
// it must know of what has.
func TestCompacts(t *testing.T) {
	path := newPath(t)
	f := openFile(t, path, nil)
	record1(t, f, use(0, 100000, 1, 1))
	record1(t, f, use(100, 160, 1, 2))
	f.records = 2 * slack // as if so many had been written
	for i := range 8 {
		record1(t, f, use(200+i, 1000, 1, 10+i))
	}
	if f.records >= slack {
		t.Fatalf("%d records: not written anew", f.records)
	}
	f.Close()
	if size := len(readFile(t, path)); size > headerSize+12*recordSize {
		t.Errorf("%d bytes", size)
	}
	f = openFile(t, path, nil)
	run(t, f, []step{
		{use(300, 100000, 1, 1), "used already"},
		{use(300, 1000, 1, 10), "used already"},
		{use(300, 1000, 1, 17), "used already"},
		{use(0, 160, 1, 2), "forgotten perhaps"},
		{use(300, 1000, 1, 3), ""},
	})
}

// TestDiskFails: once the disk has failed nothing is allowed any more, and what was
// not recorded is not known.
func TestDiskFails(t *testing.T) {
	for name, fail := range map[string]func(*testing.T, *File, string){
		"a write":       func(_ *testing.T, f *File, _ string) { f.file.File.Close() },
		"a compaction":  func(_ *testing.T, f *File, _ string) { f.records = 1 << 20; f.file.File.Close() },
		"it is removed": func(t *testing.T, _ *File, path string) { os.Remove(path) },
		"it is moved": func(t *testing.T, _ *File, path string) {
			os.Rename(path, path+".old")
			if f, err := OpenFile(path, start, nil); err != nil {
				t.Error(err)
			} else {
				f.Close()
			}
		},
	} {
		path := newPath(t)
		f := openFile(t, path, nil)
		record1(t, f, use(0, 60, 1, 1))
		fail(t, f, path)
		for range 2 {
			err := f.Record(t.Context(), use(0, 60, 1, 2))
			if _, refusal := errors.AsType[*Error](err); err == nil || refusal {
				t.Errorf("%s: %v", name, err)
			}
		}
		if f.Check(t.Context(), use(0, 60, 1, 2)) == nil {
			t.Errorf("%s: looked up", name)
		}
		if f.Len() != 1 {
			t.Errorf("%s: %d entries", name, f.Len())
		}
	}
}

// TestDiskFailsOnce: a disk that works again does not say what is on it.
func TestDiskFailsOnce(t *testing.T) {
	path := newPath(t)
	f := openFile(t, path, nil)
	working := f.file.File
	closed, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	f.file.File = closed
	if err := f.Record(t.Context(), use(0, 60, 1, 1)); err == nil {
		t.Fatal("recorded")
	}
	f.file.File = working
	for k := range 2 {
		if f.Record(t.Context(), use(0, 60, 1, k)) == nil || f.Check(t.Context(), use(0, 60, 1, k)) == nil {
			t.Error("allowed after the disk failed")
		}
	}
}

func TestOpenFileRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "no", "file"), os.DevNull} {
		if _, err := OpenFile(path, start, nil); err == nil {
			t.Errorf("%s is opened", path)
		}
	}
	if _, err := OpenFile(filepath.Join(dir, "used"), start, &Options{Quota: -1}); err == nil {
		t.Error("a negative quota is taken")
	}
	info, err := os.Stat(openedPath(t, filepath.Join(dir, "new")))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

func openedPath(t *testing.T, path string) string {
	openFile(t, path, nil)
	return path
}

// FuzzReadRecords: no file makes the reader panic, and it takes whole uses only.
func FuzzReadRecords(f *testing.F) {
	one := record{1, 0, 5, slot{Key{1}, Key{2}, 60}}
	two, three := record{2, 1, 5, slot{Key{3}, Key{2}, 60}}, record{2, 0, 5, slot{Key{4}, Key{2}, 60}}
	f.Add(one.append(nil))
	f.Add(three.append(two.append(one.append(nil))))
	f.Add(three.append(one.append(nil))[:150])
	f.Add(make([]byte, recordSize))
	f.Fuzz(func(t *testing.T, data []byte) {
		n := 0
		size, err := readRecords(data, func(use []record) {
			n += len(use)
			if len(use) != int(use[0].total) || use[len(use)-1].left != 0 {
				t.Errorf("a use of %d records says %d", len(use), use[0].total)
			}
		})
		if err == nil && (size != n*recordSize || len(data)-size > maxEntries*recordSize) {
			t.Errorf("%d records, %d bytes of %d", n, size, len(data))
		}
	})
}
