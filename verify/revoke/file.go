package revoke

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/whittle-auth/whittle/verify/internal/lockfile"
)

// A File is a [Source] that reads its list again when the file has changed. As
// long as what stands there is bad, or gone, the last good list stays in force and
// ages, until it is older than the verifier allows.
type File struct {
	path    string
	current atomic.Pointer[version]
	reading sync.Mutex // held by the one look-up that reads the file again
}

// A version is what the file said when it was read last.
type version struct {
	list *List       // the last good one
	seen fs.FileInfo // the file as it was then, good or bad; nil if it could not be read
	at   int64       // when that was, in seconds since 1970
	bad  error       // what is wrong with the file, nil if nothing is
}

// OpenFile reads a list. It fails when there is none or when it is bad. The
// file's owner replaces it as a whole, as [Edit] does.
func OpenFile(path string) (*File, error) {
	f := &File{path: path}
	v := f.read(nil, 0)
	if v.bad != nil {
		return nil, v.bad
	}
	f.current.Store(v)
	return f, nil
}

// Problem returns what is wrong with the file now, although an earlier list is in
// force; nil if nothing is. It does not look at the file.
func (f *File) Problem() error { return f.current.Load().bad }

// Lookup implements [Source]. While one call reads a file that has changed, the
// others go on with what is in force.
func (f *File) Lookup(ctx context.Context, s *Subject) (Answer, error) {
	v := f.latest(s.Now.Unix())
	a, err := v.list.Lookup(ctx, s)
	a.Source = f.path
	if v.bad != nil {
		a.Source += " (an earlier version, since the file is bad now: " + v.bad.Error() + ")"
	}
	return a, err
}

// latest returns the version in force, after looking whether the file has changed.
func (f *File) latest(now int64) *version {
	info, err := os.Stat(f.path)
	if err != nil {
		info = nil // then the version says why it could not be read
	}
	if v := f.current.Load(); v.isOf(info, now) || !f.reading.TryLock() {
		return v
	}
	defer f.reading.Unlock()
	v := f.current.Load()
	if !v.isOf(info, now) { // nor has another call read it in between
		v = f.read(v.list, now)
		f.current.Store(v)
	}
	return v
}

// young is how long after a change a file's times cannot be relied on: a second
// change in the same tick of its clock would not be seen. What was read so early is
// read once more, a second later.
const young = 2 * time.Second

// isOf reports whether a version is that of the file as it is now.
func (v *version) isOf(info fs.FileInfo, now int64) bool {
	if !same(v.seen, info) {
		return false
	}
	return now <= v.at || v.at > info.ModTime().Add(young).Unix()
}

// read reads the file. If it is not good, the last good list stays.
func (f *File) read(last *List, now int64) *version {
	v := &version{list: last, at: now}
	var data []byte
	if data, v.seen, v.bad = contents(f.path); v.bad != nil {
		return v
	}
	list, err := Parse(data)
	if err != nil {
		v.bad = err
		return v
	}
	v.list = list
	return v
}

// contents returns a file's bytes, and the file as it was before they were read.
// Opening a pipe would wait for somebody to write, so it is not even opened.
func contents(path string) ([]byte, fs.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, lockfile.Cause(err)
	}
	if !info.Mode().IsRegular() {
		return nil, info, errNotRegular
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, lockfile.Cause(err)
	}
	defer file.Close()
	if info, err = file.Stat(); err != nil { // of the one that was opened
		return nil, nil, lockfile.Cause(err)
	}
	if !info.Mode().IsRegular() {
		return nil, info, errNotRegular
	}
	data, err := io.ReadAll(io.LimitReader(file, MaxBytes+1))
	if err != nil {
		return nil, info, lockfile.Cause(err)
	}
	if len(data) > MaxBytes {
		return nil, info, fmt.Errorf("longer than %d bytes", MaxBytes)
	}
	return data, info, nil
}

var errNotRegular = errors.New("not a regular file")

func same(a, b fs.FileInfo) bool {
	return a != nil && b != nil && os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}
