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
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// A mutant is one line of the code, and what it says once its rule is gone.
type mutant struct {
	name     string
	file     string
	old, new string
	packages string // whose tests must fail, named from the module that the file is in
	run      string // which tests; empty for all
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(names []string) error {
	chosen := mutants
	if len(names) > 0 {
		chosen = slices.DeleteFunc(slices.Clone(mutants), func(m mutant) bool { return !slices.Contains(names, m.name) })
	}
	if len(chosen) == 0 {
		return fmt.Errorf("no such mutant")
	}
	// A mutant's time is mostly the building and linking of one test, which keeps
	// one processor busy.
	verdicts := make([]chan string, len(chosen))
	for i := range verdicts {
		verdicts[i] = make(chan string, 1)
	}
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		go func() {
			for i := range next {
				verdicts[i] <- chosen[i].verdict()
			}
		}()
	}
	go func() {
		for i := range chosen {
			next <- i
		}
		close(next)
	}()
	var survived []string
	for i := range chosen {
		v := <-verdicts[i]
		fmt.Println(v)
		if !strings.HasPrefix(v, noticed) {
			survived = append(survived, chosen[i].name)
		}
	}
	if len(survived) > 0 {
		return fmt.Errorf("%d of %d rules can be taken out without a test failing: %s", len(survived), len(chosen), strings.Join(survived, ", "))
	}
	fmt.Printf("all %d rules are missed when they are gone\n", len(chosen))
	return nil
}

const noticed = "noticed  "

// verdict tries the mutant and says in a line what came of it.
func (m *mutant) verdict() string {
	dir, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		return fmt.Sprintf("BROKEN    %s: %v", m.name, err)
	}
	defer os.RemoveAll(dir)
	switch killed, err := m.try(dir); {
	case err != nil:
		return fmt.Sprintf("BROKEN    %s: %v", m.name, err)
	case !killed:
		return "SURVIVED  " + m.name
	}
	return noticed + " " + m.name
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
	args := []string{"test", "-overlay", config, "-count=1", "-vet=off", "-failfast", "-timeout=120s", "-run", m.run}
	args = append(args, strings.Fields(m.packages)...)
	if m.tries() {
		args = append(args, "-rapid.shrinktime=1s") // that it fails is enough
	}
	test := exec.Command("go", args...)
	test.Dir = module(m.file)
	out, err := test.CombinedOutput()
	if err == nil {
		return false, nil
	}
	if strings.Contains(string(out), "[build failed]") || !failed.Match(out) {
		return false, fmt.Errorf("the tests did not run:\n%s", out)
	}
	return true, nil
}

// module returns the folder of the module that a file is in.
func module(file string) string {
	dir := filepath.Dir(file)
	for dir != "." {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	return dir
}

// tries reports whether all of the mutant's tests know the flags of rapid.
func (m *mutant) tries() bool {
	for _, p := range strings.Fields(m.packages) {
		files, _ := filepath.Glob(filepath.Join(p, "*_test.go"))
		if !slices.ContainsFunc(files, func(name string) bool {
			source, err := os.ReadFile(name)
			return err == nil && strings.Contains(string(source), `"pgregory.net/rapid"`)
		}) {
			return false
		}
	}
	return true
}

// failed matches what a test prints that noticed something: it failed, panicked,
// or overran its stack.
var failed = regexp.MustCompile(`(?m)^\s*(--- FAIL|panic: |fatal error: )`)
