package token

import (
	"bytes"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// shareable is a token of so many blocks, one of them signed by a third party too, with
// the published secret of its last key.
func shareable(t *testing.T, blocks int) (root PublicKey, data []byte) {
	t.Helper()
	minted, err := Mint(numberedKey(t, 0), parsed(t, `right("a");`), WithSecret(numberedKey(t, 1)), nil)
	c := Chain(minted)
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i < blocks; i++ {
		signer, next := numberedKey(t, i), WithSecret(numberedKey(t, i+1))
		if i == 2 {
			contents, err := SignThirdParty(c.Request(), numberedKey(t, 100), parsed(t, `approved("b");`))
			if err != nil {
				t.Fatal(err)
			}
			c, err = c.AppendThirdParty(signer, contents, next)
			if err != nil {
				t.Fatal(err)
			}
			continue
		}
		if c, err = c.Append(signer, parsed(t, `check if right("a");`), next); err != nil {
			t.Fatal(err)
		}
	}
	return numberedKey(t, 0).Public(), c.Bytes()
}

// verifyWith verifies by a pool, and counts the signatures looked at.
func verifyWith(t *testing.T, p *Pool, data []byte, roots ...PublicKey) (*Token, uint64, error) {
	t.Helper()
	u, err := Parse(data, nil)
	if err != nil {
		return nil, 0, err
	}
	keys := NewKeyMemory(0)
	u.Remember(keys)
	u.Share(p)
	verified, err := u.VerifyAny(roots)
	return verified, keys.Signatures(), err
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestPoolSameOutcome: whoever helps, each damaged token is refused with the error that
// it has without help, and the whole one is the same token.
func TestPoolSameOutcome(t *testing.T) {
	root, data := shareable(t, 6)
	alone, signatures, err := verifyWith(t, nil, data, root)
	if err != nil || signatures != 7 {
		t.Fatal(err, signatures)
	}
	for _, workers := range []int{0, 1, 3} {
		p := NewPool(workers)
		got, n, err := verifyWith(t, p, data, root)
		if err != nil || !bytes.Equal(got.Bytes(), alone.Bytes()) || len(got.Blocks()) != 6 || n != signatures {
			t.Fatalf("%d workers: %v, %d signatures", workers, err, n)
		}
		denied := 0
		for i := 0; i < len(data); i += 3 {
			damaged := bytes.Clone(data)
			damaged[i] ^= 1 << (i % 8)
			_, most, want := verifyWith(t, nil, damaged, root)
			_, n, err := verifyWith(t, p, damaged, root)
			if text(err) != text(want) {
				t.Errorf("%d workers, byte %d: %v, want %v", workers, i, err, want)
			}
			if n > most+2*2*uint64(workers) { // a block has at most two
				t.Errorf("%d workers, byte %d: %d signatures looked at, %d without help", workers, i, n, most)
			}
			if err != nil {
				denied++
			}
		}
		if denied < len(data)/4 {
			t.Errorf("only %d damaged tokens were refused", denied)
		}
	}
}

// TestPoolFirstFailure: of two blocks that fail, the first in order decides, however
// long its check takes.
func TestPoolFirstFailure(t *testing.T) {
	root, data := shareable(t, 6)
	u, err := Parse(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(data)
	for _, block := range []int{3, 4, 5} {
		at := bytes.Index(data, u.container.Blocks[block].Signature)
		damaged[at+40] ^= 1
	}
	damaged[len(damaged)-1] ^= 1 // the proof
	p := NewPool(3)
	for range 200 {
		_, _, err := verifyWith(t, p, damaged, root)
		if e, ok := err.(*Error); !ok || e.Code != CodeSignature || e.Block != 3 {
			t.Fatalf("%v, want block 3", err)
		}
	}
}

// TestPoolUnknownRoot: what no trusted root has signed is looked at no further, and
// costs one signature for each root.
func TestPoolUnknownRoot(t *testing.T) {
	_, data := shareable(t, 6)
	p := NewPool(3)
	for range 100 {
		_, n, err := verifyWith(t, p, data, numberedKey(t, 50).Public(), numberedKey(t, 51).Public())
		if e, ok := err.(*Error); !ok || e.Code != CodeUntrustedRoot || n != 2 {
			t.Fatalf("%v after %d signatures", err, n)
		}
	}
}

// TestPoolOneSignature: what adds one block to a known chain is nothing to share.
func TestPoolOneSignature(t *testing.T) {
	root, data := shareable(t, 3)
	u, err := Parse(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := u.Verify(root)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) { // where no time passes in which workers end
		p := NewPool(1)
		u.Share(p)
		if _, err := u.VerifyAfter(whole.First(2)); err != nil || p.running.Load() != 0 {
			t.Errorf("%v with %d workers", err, p.running.Load())
		}
		if _, err := u.VerifyAfter(whole.First(1)); err != nil || p.running.Load() != 1 {
			t.Errorf("%v with %d workers", err, p.running.Load())
		}
		time.Sleep(idleFor)
	})
}

// TestPoolBusy: while all workers are busy, a token is verified without them.
func TestPoolBusy(t *testing.T) {
	root, data := shareable(t, 5)
	p := NewPool(2)
	busy := make([]*shared, 2)
	for i := range busy {
		u, err := Parse(data, nil)
		if err != nil {
			t.Fatal(err)
		}
		u.container.Proof.Kind = 0 // nothing to do before block 0 is verified
		busy[i] = newShared(u, 1)
		if !p.ask(busy[i]) {
			t.Fatal("no worker")
		}
	}
	u, err := Parse(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	u.Share(p)
	if u.share(1) != nil {
		t.Error("a worker that is busy helps")
	}
	if _, err := u.Verify(root); err != nil {
		t.Error(err)
	}
	for _, s := range busy {
		s.end()
	}
}

// TestPoolIsFixed: no more workers than there may be, and none once there was nothing
// to do for a while.
func TestPoolIsFixed(t *testing.T) {
	root, data := shareable(t, 6)
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(2)
		var callers sync.WaitGroup
		for range 8 {
			callers.Go(func() {
				for range 20 {
					if _, _, err := verifyWith(t, p, data, root); err != nil {
						t.Error(err)
					}
					if n := p.running.Load(); n > 2+8 { // each caller counts itself while it asks
						t.Errorf("%d workers", n)
					}
				}
			})
		}
		callers.Wait()
		synctest.Wait()
		if n := p.running.Load(); n != 2 {
			t.Errorf("%d workers after the work, want 2", n)
		}
		time.Sleep(idleFor)
		synctest.Wait()
		if n := p.running.Load(); n != 0 {
			t.Errorf("%d workers long after the work", n)
		}
	})
}

// TestPoolPanics: a panic in a worker is one of whoever verifies, who may recover.
func TestPoolPanics(t *testing.T) {
	root, data := shareable(t, 6)
	for _, p := range []*Pool{nil, NewPool(1)} {
		u, err := Parse(data, nil)
		if err != nil {
			t.Fatal(err)
		}
		u.external = u.external[:2] // block 2 has a third party's signature
		u.Share(p)
		func() {
			defer func() {
				if r, ok := recover().(runtime.Error); !ok || !strings.Contains(r.Error(), "index out of range") {
					t.Errorf("%v", r)
				}
			}()
			u.Verify(root)
			t.Error("verified")
		}()
	}
}

// TestPoolUnderLoad: ten thousand tokens while the processor is busy. None is refused
// that is genuine, and what is left are the workers of the pool.
func TestPoolUnderLoad(t *testing.T) {
	tokens := 10000
	if testing.Short() {
		tokens = 500
	}
	root, data := shareable(t, 4)
	before := runtime.NumGoroutine()
	p := NewPool(2)
	stop := make(chan struct{})
	var burning, verifying sync.WaitGroup
	for range 2 * runtime.GOMAXPROCS(0) {
		burning.Go(func() {
			for x := uint64(1); ; x = x*x + 1 {
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	const callers = 4
	for range callers {
		verifying.Go(func() {
			for range tokens / callers {
				if _, n, err := verifyWith(t, p, data, root); err != nil || n != 5 {
					t.Errorf("%v after %d signatures", err, n)
					return
				}
			}
		})
	}
	verifying.Wait()
	close(stop)
	burning.Wait()
	for range 100 { // the workers, until they find that there is no more work
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(idleFor)
	}
	t.Errorf("%d goroutines before, %d long after", before, runtime.NumGoroutine())
}

// TestPoolLimits: a pool of no workers, or none at all, is fine.
func TestPoolLimits(t *testing.T) {
	for n, want := range map[int]int32{-1: 0, 0: 0, 5: 5, 1000: maxWorkers} {
		if got := NewPool(n).most; got != want {
			t.Errorf("NewPool(%d) has %d workers", n, got)
		}
	}
}

// TestPoolOrder: in whichever order two blocks that fail are done, the first in the token
// decides, and no other is begun.
func TestPoolOrder(t *testing.T) {
	_, data := shareable(t, 6)
	for _, reverse := range []bool{false, true} {
		u, err := Parse(data, nil)
		if err != nil {
			t.Fatal(err)
		}
		u.next[0], u.next[1] = numberedKey(t, 60).Public(), numberedKey(t, 61).Public()
		s := newShared(u, 1)
		s.helpers, s.open = 2, true
		first, _ := s.take()
		second, ok := s.take()
		if first != 1 || second != 2 || !ok {
			t.Fatal(first, second, ok)
		}
		if reverse {
			first, second = second, first
		}
		s.check(first, nil)
		if part, ok := s.take(); ok {
			t.Errorf("part %d is begun after one has failed", part)
		}
		s.check(second, nil)
		if e, ok := s.err.(*Error); !ok || e.Block != 1 || s.busy != 0 {
			t.Errorf("%v", s.err)
		}
	}
}
