package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/whittle-auth/whittle/verify/replay"
)

// openUsed returns the memory of one server's proxies: a file that is theirs together,
// since each client starts a proxy of its own.
func openUsed(audience string, now func() time.Time) (replay.Store, error) {
	state := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(state) { // also where it is empty: XDG Base Directory Specification
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, hintf(fmt.Errorf("no place to remember what was used: %w", err), "--replay FILE names one")
		}
		state = filepath.Join(home, ".local", "state")
	}
	folder := filepath.Join(state, "whittle", "mcp-proxy")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, hintf(fmt.Errorf("no place to remember what was used: %w", err), "--replay FILE names one")
	}
	sum := sha256.Sum256([]byte(audience))
	s := &sharedFile{path: filepath.Join(folder, hex.EncodeToString(sum[:16])+".used"), now: now}
	return s, s.with(func(*replay.File) error { return nil })
}

// sharedFile is a [replay.File] that is open for moments only, so that several processes
// share it.
type sharedFile struct {
	path string
	now  func() time.Time
}

// with opens the file for one use.
func (s *sharedFile) with(use func(*replay.File) error) error {
	var f *replay.File
	err := patiently(replay.ErrLocked, func() (err error) {
		f, err = replay.OpenFile(s.path, s.now(), &replay.Options{FirstStart: true})
		return err
	})
	if err != nil {
		return about(s.path, err)
	}
	defer f.Close()
	return use(f)
}

// Check implements [replay.Store].
func (s *sharedFile) Check(ctx context.Context, u replay.Use) error {
	return s.with(func(f *replay.File) error { return f.Check(ctx, u) })
}

// Record implements [replay.Store].
func (s *sharedFile) Record(ctx context.Context, u replay.Use) error {
	return s.with(func(f *replay.File) error { return f.Record(ctx, u) })
}
