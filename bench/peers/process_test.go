package peers_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/bench/peers"
)

// start returns a peer that is built; otherwise the test is skipped.
func start(t *testing.T, p *peers.Peer) *peers.Peer {
	t.Helper()
	if err := p.Missing(); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("the peer ended badly: %v", err)
		}
	})
	return p
}

func both(t *testing.T, test func(*testing.T, *peers.Peer)) {
	for name, p := range map[string]*peers.Peer{"rust": peers.Rust("..", time.Minute), "wasm": peers.Wasm("..", time.Minute)} {
		t.Run(name, func(t *testing.T) { test(t, start(t, p)) })
	}
}

// The driver may go on after a mistake.
func TestMistakesAreAnswered(t *testing.T) {
	both(t, func(t *testing.T, p *peers.Peer) {
		for _, mistake := range []string{"brew 1", "token 00 ed25519/00", "authorizer 616c6c6f77", "authorize 1", "verify"} {
			if answer, err := p.Ask(mistake); err == nil {
				t.Errorf("%q is answered with %q", mistake, answer)
			}
		}
		if _, err := p.Ask("versions"); err != nil {
			t.Error(err)
		}
	})
}

func TestChainsOfWarrants(t *testing.T) {
	p := start(t, peers.Rust("..", time.Minute))
	for _, warrants := range []string{"1", "3", "10"} {
		if _, err := p.Ask("chain " + warrants); err != nil {
			t.Fatal(err)
		}
		for _, op := range []peers.Op{peers.VerifyChain, peers.Issue, peers.Delegate, peers.Prove} {
			if cost, err := p.Run(op)(2); err != nil || cost.Wall <= 0 || cost.CPU <= 0 {
				t.Errorf("%s of %s warrants: %+v, %v", op, warrants, cost, err)
			}
		}
	}
	if _, err := p.Ask("chain 61"); err == nil {
		t.Error("a chain of 61 warrants")
	}
}

// A peer that has no answer in time is ended, and starts again when asked.
func TestPatienceEnds(t *testing.T) {
	p := peers.Command(time.Second, "sh", "-c", `read line; case $line in hang) exec sleep 600;; *) echo "$line";; esac; read line || true`)
	if _, err := p.Ask("hang"); !errors.Is(err, peers.ErrTooSlow) {
		t.Fatalf("a peer that hangs: %v", err)
	}
	if answer, err := p.Ask("back"); err != nil || answer != "back" {
		t.Errorf("afterwards: %q, %v", answer, err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func TestMissingPeersSaySo(t *testing.T) {
	err := peers.Rust(t.TempDir(), time.Second).Missing()
	if err == nil || !strings.Contains(err.Error(), "not built") {
		t.Errorf("a peer that was not built: %v", err)
	}
}
