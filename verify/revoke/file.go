package revoke

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"
)

// A File is a [Source] that reads its list again when the file has changed. As
// long as what stands there is bad, or gone, the last good list stays in force and
// ages, until it is older than the verifier allows.
type File struct {
	path string

	mu   sync.Mutex
	list *List
	seen fs.FileInfo // the file as it was when it was read last, good or bad
	at   int64       // when that was, in seconds since 1970
	bad  error       // what is wrong with the file, nil if nothing is
}

// OpenFile reads a list. It fails when there is none or when it is bad. The
// file's owner replaces it as a whole, as [Edit] does.
func OpenFile(path string) (*File, error) {
	f := &File{path: path}
	if f.read(0); f.bad != nil {
		return nil, f.bad
	}
	return f, nil
}

// Problem returns what is wrong with the file now, although an earlier list is in
// force; nil if nothing is. It does not look at the file.
func (f *File) Problem() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.bad
}

// Lookup implements [Source].
func (f *File) Lookup(ctx context.Context, s *Subject) (Answer, error) {
	list, bad := f.current(s.Now.Unix())
	a, err := list.Lookup(ctx, s)
	a.Source = f.path
	if bad != nil {
		a.Source += " (an earlier version, since the file is bad now: " + bad.Error() + ")"
	}
	return a, err
}

// young is how long after a change a file's times cannot be relied on: a second
// change in the same tick of its clock would not be seen. What was read so early is
// read once more, a second later.
const young = 2 * time.Second

// current returns the list in force, after looking whether the file has changed.
func (f *File) current(now int64) (*List, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	info, err := os.Stat(f.path)
	switch {
	case err != nil:
		f.bad, f.seen = withoutPath(err), nil
	case !same(f.seen, info), now > f.at && f.at <= info.ModTime().Add(young).Unix():
		f.read(now)
	}
	return f.list, f.bad
}

// read takes the file's list if it is good.
func (f *File) read(now int64) {
	var data []byte
	data, f.seen, f.bad = contents(f.path)
	f.at = now
	if f.bad != nil {
		return
	}
	list, err := Parse(data)
	if err != nil {
		f.bad = err
		return
	}
	f.list = list
}

// contents returns a file's bytes, and the file as it was before they were read.
func contents(path string) ([]byte, fs.FileInfo, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, withoutPath(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, nil, withoutPath(err)
	}
	if !info.Mode().IsRegular() {
		return nil, info, errors.New("not a regular file")
	}
	data, err := io.ReadAll(io.LimitReader(file, MaxBytes+1))
	if err != nil {
		return nil, info, withoutPath(err)
	}
	if len(data) > MaxBytes {
		return nil, info, fmt.Errorf("longer than %d bytes", MaxBytes)
	}
	return data, info, nil
}

func same(a, b fs.FileInfo) bool {
	return a != nil && os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}

// withoutPath leaves out a path that the caller knows.
func withoutPath(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
