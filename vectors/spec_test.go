package vectors

import (
	"bytes"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// notVectors are names with hyphens that the specification quotes and that are no
// vectors. A name that is neither here nor in a file of vectors is a mistake.
var notVectors = []string{
	"valid-before", "valid-after", "cert-authority", "ssh-keygen", "ssh-agent", "ssh-ed25519", "ecdsa-sha2-nistp256",
	"ssh-rsa", "ssh-mldsa-44", "ssh-mldsa-65",
	"tls-exporter", "client-cert", "as-of", "whittle-agent", "whittle-root", "keep-alive", "mcp-proxy", "whittle-envoy", "x-envoy-auth-partial-body",
	"inspect-html",
}

var (
	quotedTest   = regexp.MustCompile("`(?:[a-z]+\\.)?((?:Test|Fuzz|Example)[A-Za-z0-9_]+)(?:/[^`]*)?`")
	quotedVector = regexp.MustCompile("`([a-z][a-z0-9]*(?:-[a-z0-9]+)+-?)`")
	specPage     = regexp.MustCompile(`\bspec/[a-z0-9_-]+\.md\b`)
	testFunction = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Example)[A-Za-z0-9_]*)\(`)
)

// TestSpecificationNamesWhatExists: the specification and the README say what shows
// each rule, so each test and vector that they name must be there.
func TestSpecificationNamesWhatExists(t *testing.T) {
	tests, cases := testFunctions(t), vectorNames(t)
	documents, err := filepath.Glob("../spec/*.md")
	if err != nil || len(documents) == 0 {
		t.Fatalf("no specification: %v", err)
	}
	named := 0
	for _, name := range append(documents, "../README.md") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if lines := bytes.Count(text, []byte("\n")); lines > 500 {
			t.Errorf("%s has %d lines, a document has 500 at most", name, lines)
		}
		for _, m := range quotedTest.FindAllSubmatch(text, -1) {
			named++
			if !tests[string(m[1])] {
				t.Errorf("%s names the test %s, which does not exist", name, m[1])
			}
		}
		for _, m := range quotedVector.FindAllSubmatch(text, -1) {
			named++
			if n := string(m[1]); !isVector(cases, n) && !slices.Contains(notVectors, n) {
				t.Errorf("%s names the vector %s, which does not exist", name, n)
			}
		}
	}
	if named < 100 {
		t.Errorf("only %d tests and vectors are named: are they quoted otherwise by now?", named)
	}
}

// TestCommentsNameWhatExists: the pages of the specification that Go comments point to
// are there.
func TestCommentsNameWhatExists(t *testing.T) {
	named := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, c := range file.Comments {
			for _, page := range specPage.FindAllString(c.Text(), -1) {
				named++
				if _, err := os.Stat(filepath.Join("..", page)); err != nil {
					t.Errorf("%s names %s, which does not exist", path, page)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if named < 30 {
		t.Errorf("only %d pages are named: are they written otherwise by now?", named)
	}
}

// isVector reports whether a name is that of a vector, or with a hyphen at its end
// the beginning of some.
func isVector(cases []string, name string) bool {
	if strings.HasSuffix(name, "-") {
		return slices.ContainsFunc(cases, func(c string) bool { return strings.HasPrefix(c, name) })
	}
	return slices.Contains(cases, name)
}

func vectorNames(t *testing.T) []string {
	var names []string
	for _, c := range wire(t) {
		names = append(names, c.Name)
	}
	for _, c := range append(delegation(t), mldsa(t)...) {
		names = append(names, c.Name)
	}
	for _, c := range digests(t) {
		names = append(names, c.Name)
	}
	states, err := State()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range states {
		names = append(names, c.Name)
	}
	return names
}

// testFunctions returns the names of all tests of the repository.
func testFunctions(t *testing.T) map[string]bool {
	names := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range testFunction.FindAllSubmatch(source, -1) {
			names[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
