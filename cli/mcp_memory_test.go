package cli

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/verify/replay"
)

// TestSharedMemory: of many proxies of one server, which start and end as they like, one
// accepts an invocation; those of another server have a memory of their own.
func TestSharedMemory(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	use := replay.Use{Now: time.Now(), Entries: []replay.Entry{{
		Key: replay.KeyOf([]byte("a signature")), From: time.Now().Add(-30 * time.Second), Until: time.Now().Add(time.Minute),
	}}}
	var accepted atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			store, err := openUsed("files", time.Now)
			if err != nil {
				t.Error(err)
				return
			}
			err = store.Record(context.Background(), use)
			if err == nil {
				accepted.Add(1)
			} else if e, ok := errors.AsType[*replay.Error](err); !ok || e.Kind != replay.Used {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if accepted.Load() != 1 {
		t.Errorf("accepted %d times", accepted.Load())
	}
	other, err := openUsed("other", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(other.Check(context.Background(), use), other.Record(context.Background(), use)); err != nil {
		t.Error(err)
	}
	if other.Check(context.Background(), use) == nil {
		t.Error("what was recorded is forgotten")
	}
	t.Setenv("XDG_STATE_HOME", "/dev/null")
	if _, err := openUsed("files", time.Now); err == nil {
		t.Error("there is no place, and no error")
	}
	t.Setenv("XDG_STATE_HOME", "relative")
	t.Setenv("HOME", "")
	if _, err := openUsed("files", time.Now); err == nil {
		t.Error("there is no home, and no error")
	}
}
