package agent_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/attenuate/agent"
	"github.com/whittle-auth/whittle/token"
)

// A slow key signs when it is told to.
type slow struct {
	token.PrivateKey
	asked, goOn chan struct{}
}

func (s slow) Sign(message []byte) ([]byte, error) {
	s.asked <- struct{}{}
	<-s.goOn
	return s.PrivateKey.Sign(message)
}

// TestEndWaits: a question that came before the end has its answer, and the next has none.
func TestEndWaits(t *testing.T) {
	w := newWorld(t)
	key := slow{w.key, make(chan struct{}), make(chan struct{})}
	ring := agent.NewKeyring(&agent.Options{Roots: w.roots})
	if _, err := ring.Add("a", w.mint(time.Hour), key); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder(t), "s")
	socket, err := agent.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- agent.Serve(ctx, socket, ring, &agent.ServeOptions{Logger: slog.New(slog.DiscardHandler)})
	}()
	client, err := agent.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() {
		_, err := client.Invoker("a").Invoke(context.WithoutCancel(ctx), rotate())
		answered <- err
	}()
	<-key.asked
	cancel()
	// The end has begun when nobody is served any more.
	for {
		if _, _, err := client.List(t.Context()); errors.Is(err, agent.ErrNoAgent) {
			break
		}
	}
	key.goOn <- struct{}{}
	if err := <-answered; err != nil {
		t.Errorf("no answer: %v", err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestBounds: a keyring holds so much and no more, and what is removed makes room.
func TestBounds(t *testing.T) {
	w := newWorld(t)
	ring := agent.NewKeyring(&agent.Options{Roots: w.roots})
	held := w.mint(time.Hour)
	for i := range agent.MaxTokens {
		if _, err := ring.Add(fmt.Sprint("t", i), held, w.key); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ring.Add("more", held, w.key); !errors.Is(err, agent.ErrConflict) {
		t.Errorf("%v", err)
	}
	if err := ring.Remove("t0"); err != nil {
		t.Fatal(err)
	}
	if _, err := ring.Add("more", held, w.key); err != nil {
		t.Error(err)
	}
	for range agent.MaxKeys - 1 {
		if err := ring.AddKey(newKey(t)); err != nil {
			t.Fatal(err)
		}
	}
	if err := ring.AddKey(newKey(t)); !errors.Is(err, agent.ErrConflict) {
		t.Errorf("%v", err)
	}
	if err := ring.AddKey(w.key); err != nil {
		t.Errorf("a key that is there: %v", err)
	}
	if err := ring.RemoveKey(w.key.Public()); err != nil {
		t.Fatal(err)
	}
	if tokens := ring.Tokens(); len(tokens) != 0 {
		t.Errorf("tokens are left whose key is gone: %v", tokens)
	}
	if err := ring.AddKey(token.InvocationKey()); err == nil {
		t.Error("the published key was taken")
	}
}

// TestConcurrent: programs ask at the same time, while tokens come and go.
func TestConcurrent(t *testing.T) {
	w := newWorld(t)
	client, _ := serve(t, agent.NewKeyring(&agent.Options{Roots: w.roots}))
	held := w.mint(time.Hour)
	if _, err := client.Add(t.Context(), "a", held, w.key); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[string]bool{}
	for i := range 2 * agent.MaxConnections {
		wg.Go(func() {
			name := fmt.Sprint("t", i)
			if _, err := client.Add(t.Context(), name, held, w.key); err != nil && !errors.Is(err, agent.ErrConflict) {
				t.Error(err)
			}
			text, err := client.Invoker("a").Invoke(t.Context(), rotate())
			if err != nil {
				t.Error(err)
				return
			}
			if _, _, err := client.List(t.Context()); err != nil {
				t.Error(err)
			}
			if err := client.Remove(t.Context(), name); err != nil && !errors.Is(err, agent.ErrNotHeld) {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if seen[text] {
				t.Error("one token for two requests")
			}
			seen[text] = true
		})
	}
	wg.Wait()
}

// TestEnd: when the agent ends, nothing is left in the keyring.
func TestEnd(t *testing.T) {
	w := newWorld(t)
	ring := agent.NewKeyring(&agent.Options{Roots: w.roots})
	if _, err := ring.Add("a", w.mint(time.Hour), w.key); err != nil {
		t.Fatal(err)
	}
	path := folder(t) + "/s"
	socket, err := agent.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := agent.Serve(ctx, socket, ring, nil); err != nil {
		t.Fatal(err)
	}
	if len(ring.Tokens()) != 0 || len(ring.Keys()) != 0 {
		t.Error("the keyring is not empty")
	}
	client, err := agent.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Invoker("a").Invoke(t.Context(), rotate()); !errors.Is(err, agent.ErrNoAgent) {
		t.Errorf("%v", err)
	}
	if _, err := agent.Open(""); !errors.Is(err, agent.ErrNoAgent) {
		t.Errorf("%v", err)
	}
}
