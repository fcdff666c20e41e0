package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEachLineIsThere: a mutant whose line has changed takes nothing out. To see so
// takes no building of tests.
func TestEachLineIsThere(t *testing.T) {
	names := map[string]bool{}
	for _, m := range mutants {
		if names[m.name] {
			t.Errorf("two mutants are called %q", m.name)
		}
		names[m.name] = true
		source, err := os.ReadFile(filepath.Join("..", "..", m.file))
		if err != nil {
			t.Error(err)
		}
		if n := strings.Count(string(source), m.old); n != 1 {
			t.Errorf("%s: its line stands %d times in %s", m.name, n, m.file)
		}
		if strings.Contains(m.new, m.old) && len(m.new) == len(m.old) {
			t.Errorf("%s changes nothing", m.name)
		}
	}
}
