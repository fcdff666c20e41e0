package agent_test

import (
	"testing"
	"time"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/attenuate/agent"
)

// BenchmarkInvoke compares an invocation through the socket with one in the process.
func BenchmarkInvoke(b *testing.B) {
	w := newWorld(b)
	held := w.mint(time.Hour)
	ring := agent.NewKeyring(&agent.Options{Roots: w.roots})
	if _, err := ring.Add("a", held, w.key); err != nil {
		b.Fatal(err)
	}
	client, _ := serve(b, ring)
	chain, _, err := attenuate.Receive(held, w.roots, w.key.Public(), time.Time{})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("socket", func(b *testing.B) {
		for b.Loop() {
			if _, err := client.Invoker("a").Invoke(b.Context(), rotate()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("process", func(b *testing.B) {
		for b.Loop() {
			if _, err := attenuate.Invoke(chain, w.key, rotate()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
