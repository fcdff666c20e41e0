package cli_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestReadmeWalk types the commands of the README's walk, one after the other in
// one folder, and compares what they print. "..." stands for anything.
func TestReadmeWalk(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	dir, bin := t.TempDir(), t.TempDir()
	if out, err := exec.Command("go", "build", "-o", filepath.Join(bin, "whittle"), "./whittle").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	commands := 0
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(string(readme), -1) {
		for _, entry := range strings.Split("\n"+block[1], "\n$ ")[1:] {
			command, want, _ := strings.Cut(entry, "\n")
			commands++
			run := exec.Command("sh", "-c", command)
			run.Dir = dir
			run.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
			out, err := run.CombinedOutput()
			got := string(out)
			if exit, ok := errors.AsType[*exec.ExitError](err); ok {
				got += "[exit " + strconv.Itoa(exit.ExitCode()) + "]\n"
			} else if err != nil {
				t.Fatal(err)
			}
			if !matches(strings.TrimSpace(want), strings.TrimSpace(got)) {
				t.Errorf("$ %s\nprints\n%s\nthe README says\n%s", command, got, want)
			}
		}
	}
	if commands < 10 {
		t.Errorf("the README's walk has %d commands", commands)
	}
}

func matches(want, got string) bool {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(want), `\.\.\.`, `.*`)
	return regexp.MustCompile(`(?s)\A` + pattern + `\z`).MatchString(got)
}
