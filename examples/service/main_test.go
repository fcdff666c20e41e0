package main

import (
	"os"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/examples/internal/walk"
)

// TestREADME types the commands of the README.
func TestREADME(t *testing.T) {
	w := walk.Walk{
		Needs:   []string{"curl"},
		Build:   []string{"../../cli/whittle", "."},
		Ports:   []string{"8080"},
		Listens: map[string]string{"service": "127.0.0.1:8080"},
		AtLeast: 10,
	}
	w.Follow(t)
}

// TestMainREADME: the README of the repository shows this very program.
func TestMainREADME(t *testing.T) {
	source, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	_, body, found := strings.Cut(string(source), "func main() {\n")
	if !found {
		t.Fatal("no main")
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), body) {
		t.Errorf("the README has not:\n%s", body)
	}
}
