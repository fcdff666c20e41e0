package lockfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

func open(t *testing.T, path string) *File {
	t.Helper()
	f, err := Open(path, 0o640)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// TestOneAtATime: also after the file was replaced, and for whoever comes by a
// symbolic link.
func TestOneAtATime(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	f := open(t, path)
	if err := os.Symlink("file", link); err != nil {
		t.Fatal(err)
	}
	locked := func() {
		t.Helper()
		for _, p := range []string{path, link} {
			if _, err := Open(p, 0o600); !errors.Is(err, ErrLocked) {
				t.Errorf("%v", err)
			}
		}
	}
	locked()
	for range 3 {
		if err := f.Replace([]byte("new")); err != nil {
			t.Fatal(err)
		}
		locked()
	}
	if info, err := os.Lstat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info, err)
	}
	f.Close()
	g := open(t, link)
	if err := g.Replace([]byte("newer")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v, %v", info, err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "newer" {
		t.Errorf("%q, %v", data, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("something is left behind: %v, %v", entries, err)
	}
}

// TestReplaceFails: nothing changes when there is no room for the new file.
func TestReplaceFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	f := open(t, path)
	if _, err := f.WriteString("old"); err != nil {
		t.Fatal(err)
	}
	real := f.path
	f.path = filepath.Join(filepath.Dir(path), "missing", "file")
	if err := f.Replace([]byte("new")); err == nil {
		t.Fatal("replaced")
	}
	f.path = real
	if data, err := os.ReadFile(path); err != nil || string(data) != "old" {
		t.Errorf("%q, %v", data, err)
	}
	if _, err := Open(path, 0o600); !errors.Is(err, ErrLocked) {
		t.Errorf("%v", err)
	}
}

// TestReplacedButNotSynced: when the disk cannot say that it has the folder, the new
// file is in its place all the same, and stays locked.
func TestReplacedButNotSynced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	f := open(t, path)
	broken := errors.New("the disk is broken")
	if err := f.replace([]byte("new"), func(string) error { return broken }); err != broken {
		t.Fatalf("%v", err)
	}
	if !f.Current() {
		t.Error("the file at the path is not the one that is open")
	}
	if _, err := Open(path, 0o600); !errors.Is(err, ErrLocked) {
		t.Errorf("%v", err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "new" {
		t.Errorf("%q, %v", data, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "no", "file"), os.DevNull} {
		if f, err := Open(path, 0o600); err == nil {
			f.Close()
			t.Errorf("%s is opened", path)
		}
	}
}

// TestLockOnWhatWasReplaced: a file that lost its name between opening and locking is
// not the one to work on.
func TestLockOnWhatWasReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	late, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	if current, err := lockCurrent(late, path); !current || err != nil {
		t.Errorf("the file at the path: %t, %v", current, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if current, err := lockCurrent(late, path); current || err != nil {
		t.Errorf("a file that was removed: %t, %v", current, err)
	}
	open(t, path)
	if current, err := lockCurrent(late, path); current || err != nil {
		t.Errorf("a file that was replaced: %t, %v", current, err)
	}
}

// TestNothingIsLost: whoever has the lock works on the file that is there, however
// often it is replaced.
func TestNothingIsLost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	var done atomic.Int32
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 200 {
				f, err := Open(path, 0o600)
				if errors.Is(err, ErrLocked) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				data, err := io.ReadAll(f)
				if err == nil {
					err = f.Replace(append(data, 'x'))
				}
				if err != nil {
					t.Error(err)
				}
				done.Add(1)
				f.Close()
			}
		})
	}
	group.Wait()
	data, err := os.ReadFile(path)
	if err != nil || len(data) != int(done.Load()) || len(data) == 0 {
		t.Errorf("%d changes, %d are in the file, %v", done.Load(), len(data), err)
	}
}
