package trust

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// reloadInterval bounds how often a file is read again, however many ask.
const reloadInterval = time.Second

// FileOptions are what a [File] or [DirectoryFile] may do otherwise.
type FileOptions struct {
	// OnError is told why the file could not be read again: once, until the reason
	// or the file changes. It runs while a decision waits. Nil logs the error with
	// package slog.
	OnError func(error)

	// Now is the clock that says when a second has passed; nil means the
	// system's.
	Now func() time.Time
}

// A File is a trust file that is read again when it changes. It is safe for
// concurrent use and needs no goroutine.
type File struct{ watched[Roots] }

// A DirectoryFile is a directory of agents that is read again when it changes.
type DirectoryFile struct{ watched[Directory] }

// Open reads a trust file, which must be good. From then on [File.Roots] returns
// what it says now: at most a second after the file has changed, a key that was
// removed is no longer trusted.
//
// A file that has become bad or unreadable changes nothing: the last good one
// stays in force, and [FileOptions].OnError hears of it. So whoever removes a key
// should look whether the new file is good; a file without entries is, and trusts
// nobody.
func Open(path string, o *FileOptions) (*File, error) {
	f := new(File)
	return f, f.open(path, o, Parse)
}

// OpenDirectory is [Open] for a directory.
func OpenDirectory(path string, o *FileOptions) (*DirectoryFile, error) {
	f := new(DirectoryFile)
	return f, f.open(path, o, ParseDirectory)
}

// Roots returns the root keys that the file lists now.
func (f *File) Roots() *Roots { return f.latest() }

// Directory returns the agents that the file lists now.
func (f *DirectoryFile) Directory() *Directory { return f.latest() }

// watched is the content of one file, as it was last good.
type watched[T any] struct {
	path    string
	options FileOptions
	parse   func([]byte) (*T, error)
	current atomic.Pointer[T]

	mu      sync.Mutex
	checked time.Time // when the file was last read
	data    []byte    // what it held then
	failure string    // what was last reported
}

func (w *watched[T]) open(path string, o *FileOptions, parse func([]byte) (*T, error)) error {
	w.path, w.parse = path, parse
	if o != nil {
		w.options = *o
	}
	if w.options.Now == nil {
		w.options.Now = time.Now
	}
	if w.options.OnError == nil {
		w.options.OnError = func(err error) {
			slog.Error("a trust file cannot be read again; what it said before stays in force", "error", err)
		}
	}
	w.checked = w.options.Now()
	return w.read()
}

// latest returns the content in force. One caller a second reads the file; those
// who come while it does go on with what is in force.
func (w *watched[T]) latest() *T {
	if w.mu.TryLock() {
		defer w.mu.Unlock()
		// A clock that was set back is no reason to wait.
		if now := w.options.Now(); now.Sub(w.checked) >= reloadInterval || now.Before(w.checked) {
			w.checked = now
			w.report(w.read())
		}
	}
	return w.current.Load()
}

// read takes the file's content over if it has changed and is good. The bytes are
// compared, since the time of a change can be set back, and two changes can come
// within one tick of the file system's clock.
func (w *watched[T]) read() error {
	info, err := os.Stat(w.path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() { // nor does reading wait for somebody to write
		return fmt.Errorf("%s is no regular file", w.path)
	}
	data, err := readFile(w.path)
	if err != nil {
		return err
	}
	if w.current.Load() != nil && bytes.Equal(data, w.data) {
		return nil
	}
	list, err := w.parse(data)
	if err != nil {
		return fmt.Errorf("%s: %w", w.path, err)
	}
	w.data = data
	w.current.Store(list)
	return nil
}

// report tells of a failure that has not been told of yet.
func (w *watched[T]) report(err error) {
	switch {
	case err == nil:
		w.failure = ""
	case err.Error() != w.failure:
		w.failure = err.Error()
		w.options.OnError(err)
	}
}
