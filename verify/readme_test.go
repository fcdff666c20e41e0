package verify_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestReadmeGo: the Go snippets of the README stand in the examples, which run.
func TestReadmeGo(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	example := map[string]bool{}
	for _, name := range []string{"example_test.go", "../examples/service/main.go"} {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(source)) {
			example[strings.TrimSpace(line)] = true
		}
	}
	snippets := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	if len(snippets) < 2 {
		t.Fatalf("%d Go snippets in the README", len(snippets))
	}
	for _, s := range snippets {
		for line := range strings.Lines(s[1]) {
			if line = strings.TrimSpace(line); line != "" && !example[line] {
				t.Errorf("the README has a line that no example has: %s", line)
			}
		}
	}
}

// TestReadmeFacts: what the README names exists.
func TestReadmeFacts(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(string(readme), -1) {
		if strings.HasPrefix(link[1], "http") {
			continue
		}
		if _, err := os.Stat("../" + link[1]); err != nil {
			t.Errorf("the README links to %s: %v", link[1], err)
		}
	}
	var tests strings.Builder
	for _, dir := range []string{".", "../token/delegation"} {
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if strings.HasSuffix(f.Name(), "_test.go") {
				data, err := os.ReadFile(dir + "/" + f.Name())
				if err != nil {
					t.Fatal(err)
				}
				tests.Write(data)
			}
		}
	}
	names := regexp.MustCompile(`\bTest[A-Z]\w+`).FindAllString(string(readme), -1)
	if len(names) < 8 {
		t.Fatalf("the README names %d tests", len(names))
	}
	for _, name := range names {
		if !strings.Contains(tests.String(), "func "+name+"(") {
			t.Errorf("the README names %s, which does not exist", name)
		}
	}
}
