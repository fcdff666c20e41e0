// Package lockfile opens files that one process at a time may change, and changes
// them as a whole or not at all.
package lockfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrLocked says that another process has the file open.
var ErrLocked = errors.New("another process has the file open")

var errNoFolder = errors.New("the folder that the file is in does not exist")

// A File is open for reading and writing, and locked. The lock ends with the
// process at the latest, whatever becomes of it.
type File struct {
	*os.File
	path string // without symbolic links
}

// Open opens a file and locks it, without waiting. A file that does not exist is
// made with the mode given, and is empty then.
func Open(path string, mode fs.FileMode) (*File, error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	// The file may be replaced between opening and locking: then the lock is on
	// one that has no name any more.
	for range 100 {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, mode)
		if errors.Is(err, fs.ErrNotExist) { // the file itself need not exist
			return nil, errNoFolder
		}
		if err != nil {
			return nil, err
		}
		current, err := lockCurrent(f, path)
		if err == nil && current {
			return &File{f, path}, nil
		}
		f.Close()
		if err != nil {
			return nil, err
		}
	}
	return nil, ErrLocked
}

// lockCurrent locks a file and reports whether it is still the one at the path.
func lockCurrent(f *os.File, path string) (bool, error) {
	opened, err := f.Stat()
	if err != nil {
		return false, err
	}
	if !opened.Mode().IsRegular() {
		return false, errors.New("not a regular file")
	}
	if err := lock(f); err != nil {
		return false, err
	}
	named, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(opened, named), err
}

// Current reports whether the file is still the one at its path: it can have been
// moved or removed, and then another process can open the next.
func (f *File) Current() bool {
	opened, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(f.path)
	return err == nil && os.SameFile(opened, named)
}

// Close ends the lock on the file that is open when it is called: not, as a
// deferred call of the embedded method would, on the one that was open before it was
// replaced.
func (f *File) Close() error { return f.File.Close() }

// Replace puts a file with other contents in the place of this one, with the same
// mode, and locks it. When it returns nil the contents are on the disk. After an
// error there is a file at the path and f has it locked: this one, or the next if
// only the disk could not say that it has it.
func (f *File) Replace(data []byte) error { return f.replace(data, syncFolder) }

func (f *File) replace(data []byte, syncFolder func(path string) error) error {
	next, err := os.CreateTemp(filepath.Dir(f.path), ".whittle-*")
	if err != nil {
		return err
	}
	if err := f.put(next, data); err != nil {
		next.Close()
		os.Remove(next.Name())
		return err
	}
	f.File.Close()
	f.File = next
	// The file is in its place whatever comes of this; if the disk cannot say so,
	// nobody should rely on it.
	return syncFolder(filepath.Dir(f.path))
}

// put locks and fills the next file, and gives it the name of this one.
func (f *File) put(next *os.File, data []byte) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := lock(next); err != nil {
		return err
	}
	if err := next.Chmod(info.Mode().Perm()); err != nil {
		return err
	}
	if _, err := next.Write(data); err != nil {
		return err
	}
	if err := next.Sync(); err != nil {
		return err
	}
	return os.Rename(next.Name(), f.path)
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Cause returns what went wrong with a file without its path, which the caller knows.
func Cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
