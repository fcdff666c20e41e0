package peers_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/bench/peers"
)

func start(t *testing.T) *peers.Peer {
	t.Helper()
	p, err := peers.Start()
	if errors.Is(err, peers.ErrNotBuilt) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("the peer ended badly: %v", err)
		}
	})
	return p
}

func TestRustPeer(t *testing.T) {
	p := start(t)
	ops := []peers.Op{peers.Parse, peers.Verify, peers.Policy, peers.Authorize, peers.AuthorizeText, peers.Cold, peers.ColdText}
	for _, blocks := range []int{1, 3, 5, 10} {
		for _, op := range ops {
			total, err := p.Time(op, blocks, 2)
			if err != nil {
				t.Fatalf("%s of %d blocks: %v", op, blocks, err)
			}
			if total <= 0 {
				t.Errorf("%s of %d blocks took %v", op, blocks, total)
			}
		}
	}
	// The driver may go on after a mistake.
	for _, c := range []struct {
		op     peers.Op
		blocks int
	}{{"brew", 1}, {peers.Parse, 0}, {peers.Parse, 101}, {"", 1}} {
		if _, err := p.Time(c.op, c.blocks, 1); err == nil {
			t.Errorf("%q of %d blocks is timed", c.op, c.blocks)
		}
	}
}

func TestRustPeerTokens(t *testing.T) {
	p := start(t)
	var last []byte
	for _, blocks := range []int{1, 3, 5, 10} {
		token, root, err := p.Token(blocks)
		if err != nil {
			t.Fatal(err)
		}
		again, _, err := p.Token(blocks)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(token, again) {
			t.Errorf("two different tokens of %d blocks", blocks)
		}
		if len(token) <= len(last) {
			t.Errorf("%d blocks take %d bytes, fewer blocks %d", blocks, len(token), len(last))
		}
		if !strings.HasPrefix(root, "ed25519/") {
			t.Errorf("root key %q", root)
		}
		last = token
	}
	text, err := p.Authorizer()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text, "allow if") {
		t.Errorf("authorizer %q", text)
	}
}
