//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package revoke

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// TestPipeIsNotOpened: opening a pipe waits for somebody who writes, and with it every
// request would. Nobody can write before somebody reads, so a writer that gets in
// shows that the pipe was opened, and lets the test end.
func TestPipeIsNotOpened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "revoked")
	notOpened := func(what string, read func() error) {
		t.Helper()
		done := make(chan error, 1)
		go func() { done <- read() }()
		for {
			select {
			case err := <-done:
				if err == nil || err.Error() != "not a regular file" {
					t.Errorf("%s: %v", what, err)
				}
				return
			default:
			}
			if w, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
				w.Close()
				t.Errorf("%s: the pipe was opened", what)
				return
			}
			runtime.Gosched()
		}
	}
	write(t, path, listOf("2026-03-01T12:00:00Z", "delegator alice"))
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	notOpened("at the start", func() error { _, err := OpenFile(path); return err })
	notOpened("at a request", func() error {
		a, err := f.Lookup(t.Context(), &Subject{Delegator: "alice", Now: noon})
		if err != nil || a.Found == nil {
			t.Errorf("%+v, %v", a, err)
		}
		return f.Problem()
	})
}
