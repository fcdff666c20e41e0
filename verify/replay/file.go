package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"time"

	"github.com/whittle-auth/whittle/verify/internal/lockfile"
)

// ErrLocked says that another process uses the file.
var ErrLocked = lockfile.ErrLocked

// File is a [Store] that outlasts a restart, for the verifiers of one process. What
// it has recorded is on the disk when Record returns, and another process cannot
// open the file meanwhile. It is bounded as [Memory] is, and what has expired is
// removed from time to time.
//
// A record costs a write and a sync, and they come one after another: the disk
// bounds how many requests a second are allowed.
type File struct {
	mu      sync.Mutex
	file    *lockfile.File
	table   table
	records int   // in the file
	failed  error // why nothing can be recorded any more
	buf     []byte
}

// OpenFile opens the store in a file. A file that does not exist or is empty is made
// one that remembers from start on, which is the verifier's time, and refuses what can
// have been used before, unless [Options.FirstStart] is set. Any other goes on where
// it was, whatever start and FirstStart say. The error is [ErrLocked] when another
// process has the file open.
//
// A file that was copied back from a backup has forgotten what came after: remove it
// instead, so that it begins anew.
func OpenFile(path string, start time.Time, o *Options) (*File, error) {
	f := &File{}
	if err := f.table.init(start, o); err != nil {
		return nil, err
	}
	file, err := lockfile.Open(path, 0o600)
	if err != nil {
		return nil, lockfile.Cause(err)
	}
	f.file = file
	if err := f.load(); err != nil {
		file.Close()
		return nil, lockfile.Cause(err)
	}
	return f, nil
}

// Close ends the use of the file.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failed = errors.New("the store is closed")
	return f.file.Close()
}

// Check implements [Store].
func (f *File) Check(_ context.Context, u Use) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed != nil {
		return f.failed
	}
	return f.table.check(u)
}

// Record implements [Store]. After an error of the disk nothing can be recorded any
// more, since nobody knows what is on it: open the file again.
func (f *File) Record(_ context.Context, u Use) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed != nil {
		return f.failed
	}
	if err := f.table.check(u); err != nil {
		return err
	}
	if err := f.write(u); err != nil {
		f.failed = fmt.Errorf("the file of used signatures: %w", lockfile.Cause(err))
		return f.failed
	}
	f.table.add(u)
	return nil
}

// Len returns how many entries are held.
func (f *File) Len() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.table.queue)
}

// slack is how many records of ended entries a file may hold beside as many as there
// are entries, before it is written anew.
const slack = 4096

// load reads the file, or makes it one.
func (f *File) load() error {
	data, err := io.ReadAll(f.file)
	if err != nil {
		return err
	}
	if len(data) == 0 {
		return f.compact()
	}
	if f.table.since, f.table.forgotten, err = readHeader(data); err != nil {
		return err
	}
	size, err := readRecords(data[headerSize:], func(use []record) {
		f.table.sweep(use[0].now)
		for _, r := range use {
			if r.until > f.table.forgotten {
				f.table.insert(r.slot)
			}
		}
		f.records += len(use)
	})
	if err != nil {
		return err
	}
	if size += headerSize; size < len(data) {
		if err := errors.Join(f.file.Truncate(int64(size)), f.file.Sync()); err != nil {
			return err
		}
	}
	_, err = f.file.Seek(int64(size), io.SeekStart)
	return err
}

// write appends a use, after writing the file anew where that is due.
func (f *File) write(u Use) error {
	if !f.file.Current() {
		return errors.New("it was moved or removed")
	}
	if f.records > 2*len(f.table.queue)+slack {
		if err := f.compact(); err != nil {
			return err
		}
	}
	b := f.buf[:0]
	n := len(u.Entries)
	for i, e := range u.Entries {
		r := record{byte(n), byte(n - 1 - i), u.Now.Unix(), slot{e.Key, u.Group, e.Until.Unix()}}
		b = r.append(b)
	}
	f.buf = b
	if _, err := f.file.Write(b); err != nil {
		return err
	}
	f.records += n
	return f.file.Sync()
}

// compact writes the file anew with the entries that there are.
func (f *File) compact() error {
	t := &f.table
	b := make([]byte, 0, headerSize+len(t.queue)*recordSize)
	b = appendHeader(b, t.since, t.forgotten)
	for _, s := range t.queue {
		r := record{1, 0, math.MinInt64, s}
		b = r.append(b)
	}
	f.records = len(t.queue)
	return f.file.Replace(b)
}
