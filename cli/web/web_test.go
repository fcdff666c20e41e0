package web_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestReaderStaysSmall: the program in the page has nothing of the command line, and
// nothing that could connect to anything.
func TestReaderStaysSmall(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "./reader")
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(out), "/cli/page\n") {
		t.Fatalf("dependencies: %s", out)
	}
	for _, never := range []string{"net/http", "os/exec", "html/template", "text/template", "github.com/urfave/cli/v2", "github.com/whittle-auth/whittle/cli", "github.com/whittle-auth/whittle/attenuate", "github.com/whittle-auth/whittle/token/agentkey"} {
		if strings.Contains("\n"+string(out), "\n"+never+"\n") {
			t.Errorf("the page would carry %s", never)
		}
	}
}

// TestBuiltPage: one file has everything, and is no larger than it has to be.
func TestBuiltPage(t *testing.T) {
	if testing.Short() {
		t.Skip("short: the page is not built")
	}
	data, err := os.ReadFile(built(t))
	if err != nil {
		t.Fatal(err)
	}
	html := string(data)
	if len(html) > 5<<20 {
		t.Errorf("%d bytes", len(html))
	}
	for _, piece := range []string{"<!doctype html>", "Content-Security-Policy", "'wasm-unsafe-eval'", "whittleReady", "globalThis.Go = class"} {
		if !strings.Contains(strings.ReplaceAll(html, "&#39;", "'"), piece) {
			t.Errorf("there is no %q", piece)
		}
	}
	if found := regexp.MustCompile(`(?i)<(link|iframe|img|base|object|embed)\b|<script[^>]* src=`).FindString(html); found != "" {
		t.Errorf("%s loads something", found)
	}
}
