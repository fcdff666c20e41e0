package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// TestStory: it goes as README.md says.
func TestStory(t *testing.T) {
	var out bytes.Buffer
	if err := tell(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, told, ok := strings.Cut(string(readme), "```console\n$ go run .\n")
	told, _, end := strings.Cut(told, "```")
	if !ok || !end {
		t.Fatal("README.md shows no output")
	}
	if out.String() != told {
		t.Errorf("the story goes:\n%s", out.String())
	}
}
