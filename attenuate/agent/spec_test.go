package agent_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/attenuate/agent"
)

// TestSpecExample: the question that spec/agent.md begins with is answered, byte for
// byte as it stands there.
func TestSpecExample(t *testing.T) {
	page, err := os.ReadFile("../../spec/agent.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```http\n")
	example, _, ok := strings.Cut(rest, "\n```")
	if !ok {
		t.Fatal("there is no example")
	}
	w := newWorld(t)
	ring := agent.NewKeyring(&agent.Options{Roots: w.roots})
	if _, err := ring.Add("deploy", w.mint(time.Hour), w.key); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder(t), "s")
	serveAt(t, path, ring, nil)
	if answer := ask(t, path, strings.ReplaceAll(example, "\n", "\r\n")); !strings.HasPrefix(answer, `200 {"token":"C`) {
		t.Errorf("%s", answer)
	}
}
