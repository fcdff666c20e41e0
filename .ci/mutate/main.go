// Command mutate takes the rules of verification out one at a time and demands
// that a test notices: a test that cannot fail is a defect. It changes nothing in
// the tree, it builds with an overlay.
//
//	go run ./.ci/mutate [name..]
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A mutant is one line of the code, and what it says once its rule is gone.
type mutant struct {
	name     string
	file     string
	old, new string
	packages string // whose tests must fail
	run      string // which tests; empty for all
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(names []string) error {
	dir, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var survived []string
	tried := 0
	for _, m := range mutants {
		if len(names) > 0 && !slices.Contains(names, m.name) {
			continue
		}
		tried++
		killed, err := m.try(dir)
		if err != nil {
			survived = append(survived, m.name)
			fmt.Printf("BROKEN    %s: %v\n", m.name, err)
			continue
		}
		if !killed {
			survived = append(survived, m.name)
			fmt.Printf("SURVIVED  %s\n", m.name)
			continue
		}
		fmt.Printf("noticed   %s\n", m.name)
	}
	if tried == 0 {
		return fmt.Errorf("no such mutant")
	}
	if len(survived) > 0 {
		return fmt.Errorf("%d of %d rules can be taken out without a test failing: %s", len(survived), tried, strings.Join(survived, ", "))
	}
	fmt.Printf("all %d rules are missed when they are gone\n", tried)
	return nil
}

// try reports whether the tests fail with the rule taken out.
func (m *mutant) try(dir string) (killed bool, err error) {
	source, err := os.ReadFile(m.file)
	if err != nil {
		return false, err
	}
	if n := strings.Count(string(source), m.old); n != 1 {
		return false, fmt.Errorf("the line stands %d times in %s, want once", n, m.file)
	}
	changed := filepath.Join(dir, "changed.go")
	if err := os.WriteFile(changed, []byte(strings.Replace(string(source), m.old, m.new, 1)), 0o600); err != nil {
		return false, err
	}
	original, err := filepath.Abs(m.file)
	if err != nil {
		return false, err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{original: changed}})
	if err != nil {
		return false, err
	}
	config := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(config, overlay, 0o600); err != nil {
		return false, err
	}
	args := []string{"test", "-overlay", config, "-count=1", "-failfast", "-timeout=120s", "-run", m.run}
	args = append(args, strings.Fields(m.packages)...)
	out, err := exec.Command("go", args...).CombinedOutput()
	if err == nil {
		return false, nil
	}
	if strings.Contains(string(out), "[build failed]") || !strings.Contains(string(out), "--- FAIL") && !strings.Contains(string(out), "panic: ") {
		return false, fmt.Errorf("the tests did not run:\n%s", out)
	}
	return true, nil
}
