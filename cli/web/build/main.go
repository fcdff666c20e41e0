// Command build makes the page to look at a token: one HTML file that has everything in
// it and needs no server.
//
//	go run ./cli/web/build -o page.html
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/whittle-auth/whittle/cli/page"
	"github.com/whittle-auth/whittle/cli/web"
)

func main() {
	out := flag.String("o", "page.html", "the `FILE` to write")
	flag.Parse()
	if err := build(*out); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func build(out string) error {
	dir, err := os.MkdirTemp("", "whittle-page-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "page.wasm")
	goTool := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "github.com/whittle-auth/whittle/cli/web/reader")
	goTool.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	goTool.Stderr = os.Stderr
	if err := goTool.Run(); err != nil {
		return fmt.Errorf("go build: %w", err)
	}
	binary, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	support, err := supportScript()
	if err != nil {
		return err
	}
	packed, err := pack(binary)
	if err != nil {
		return err
	}
	d := &page.Document{Title: "Whittle: look at a token", Script: support + web.Script, Payload: packed, Body: page.Desk()}
	return os.WriteFile(out, []byte(d.String()), 0o644)
}

// supportScript returns the script that comes with Go for programs in WebAssembly. It
// belongs to the release that compiled them.
func supportScript() (string, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOROOT: %w", err)
	}
	script, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js"))
	if err == nil && bytes.Contains(script, []byte("</script")) {
		err = errors.New("wasm_exec.js would end the element that it stands in")
	}
	return string(script), err
}

func pack(binary []byte) (string, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return "", err
	}
	if _, err := z.Write(binary); err != nil {
		return "", err
	}
	if err := z.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}
