package verify_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/verify"
)

// throughHands is an invocation of a token that has changed hands so many times.
func throughHands(t tester, times int) token.Chain {
	c, holder := mint(t, good), ci
	for i := range times {
		next := key(fmt.Sprint("agent ", i))
		c = add(t, c, holder, fmt.Sprintf(`holder("agent:%d");`, i), token.HeldBy(next.Public()))
		holder = next
	}
	return present(t, c, holder, rotate, nil)
}

// TestWorkers: however many workers a verifier has, it decides alike, with the same
// reasons.
func TestWorkers(t *testing.T) {
	data := throughHands(t, 5).Bytes()
	with := func(workers int) *verify.Verifier {
		return verifier(t, func(o *verify.Options) { o.AllowReplay, o.Memory, o.Workers = true, -1, workers })
	}
	alone := with(-1)
	for _, workers := range []int{0, 1, 4, 1000} {
		v := with(workers)
		denied := 0
		for i := -1; i < len(data); i += 7 {
			damaged := append([]byte(nil), data...)
			if i >= 0 {
				damaged[i] ^= 4
			}
			text := base64.RawURLEncoding.EncodeToString(damaged)
			want, wantErr := alone.Verify(context.Background(), text, rotate)
			got, err := v.Verify(context.Background(), text, rotate)
			if fmt.Sprint(err) != fmt.Sprint(wantErr) || fmt.Sprint(got.Reasons) != fmt.Sprint(want.Reasons) {
				t.Errorf("%d workers, byte %d: %v, want %v", workers, i, err, wantErr)
			}
			if i < 0 && err != nil {
				t.Fatal(err)
			}
			if err != nil {
				denied++
			}
		}
		if denied < len(data)/14 {
			t.Errorf("only %d were denied", denied)
		}
	}
}

// TestWorkersEnd: a verifier has no more workers than it may, and whoever drops it need
// not close it. The bubble fails the test when a goroutine is left after a second.
func TestWorkersEnd(t *testing.T) {
	presented := throughHands(t, 5)
	for workers, want := range map[int]int{-1: 0, 1: 1, 2: 2} {
		synctest.Test(t, func(t *testing.T) {
			v := verifier(t, func(o *verify.Options) { o.AllowReplay, o.Workers = true, workers })
			if _, err := v.Verify(t.Context(), presented.Text(), rotate); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if got := workersHere(); got != want {
				t.Errorf("%d workers, want %d", got, want)
			}
			time.Sleep(time.Second)
			if got := workersHere(); got != 0 {
				t.Errorf("%d workers after a second", got)
			}
		})
	}
}

// workersHere counts the workers of pools in bubbles, where time stands still until all
// sleep.
func workersHere() (n int) {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		state, calls, _ := strings.Cut(stack, "\n")
		if strings.Contains(state, "synctest bubble") && strings.Contains(calls, "(*Pool).serve") {
			n++
		}
	}
	return n
}
