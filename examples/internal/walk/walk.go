// Package walk types the commands of an example's README and compares what they print.
package walk

import (
	"bytes"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A Walk is an example: README.md in the test's folder and what belongs to it.
type Walk struct {
	Needs []string // programs, without which the test is skipped
	Build []string // packages whose commands the README uses
	Files []string // files and folders to copy beside the README

	// Ports are replaced by free ones in all files.
	Ports []string

	// Listens has for each program that the README leaves in the background, by the
	// first word of its command, the address that says that it has begun.
	Listens map[string]string

	AtLeast int // how many commands there are
}

// A step is one command of the README and what it prints, as far as the README says.
type step struct {
	command, want string
	silent        bool
}

// Follow walks. In the README a block "console" has commands after "$ " and all that
// they print, a block "sh" commands alone; a command that ends in " &" stays in the
// background.
func (w *Walk) Follow(t *testing.T) {
	for _, program := range append(w.Needs, "bash") {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	bin := t.TempDir()
	for _, p := range w.Build {
		build := exec.Command("go", "build", "-o", bin, ".")
		build.Dir = p // which may be in a module of its own
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	for range 5 { // somebody may take a port between its choice and its use
		if out := w.once(t, bin); !strings.Contains(out, taken) {
			return
		}
	}
	t.Fatal("no port was free")
}

const taken = "ddress already in use"

// once walks once, and returns what the programs in the background said where one of
// them could not begin.
func (w *Walk) once(t *testing.T, bin string) string {
	dir, err := os.MkdirTemp("", "whittle-walk")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // a server may read its files as another user
		t.Fatal(err)
	}
	ports := freePorts(t, w.Ports)
	for _, name := range append(w.Files, "README.md") {
		if err := copyFiles(dir, name, ports); err != nil {
			t.Fatal(err)
		}
	}
	readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	steps := parse(t, string(readme))
	if len(steps) < w.AtLeast {
		t.Errorf("the README has only %d commands", len(steps))
	}

	background, err := os.Create(filepath.Join(bin, "background"))
	if err != nil {
		t.Fatal(err)
	}
	defer background.Close()
	said := func() string {
		text, err := os.ReadFile(background.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	command := func(line string) *exec.Cmd {
		cmd := exec.Command("bash", "-c", line)
		cmd.Dir, cmd.Stdout, cmd.Stderr = dir, background, background
		cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
		return cmd
	}
	for _, s := range steps {
		line, stays := strings.CutSuffix(s.command, " &")
		if !stays {
			cmd := command(line)
			var out bytes.Buffer
			cmd.Stdout = &out
			err := cmd.Run()
			if got := strings.ReplaceAll(out.String(), "\r", ""); err != nil || got != s.want && !s.silent {
				t.Errorf("$ %s\n%swant\n%s(%v) %s", s.command, got, s.want, err, said())
			}
			continue
		}
		program, _, _ := strings.Cut(line, " ")
		address := w.Listens[program]
		if address == "" {
			t.Fatalf("%s stays in the background, and nothing says when it has begun", program)
		}
		cmd := command("exec " + line)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		defer func() {
			cmd.Process.Signal(os.Interrupt)
			<-ended
		}()
		if !listens(ended, ports.Replace(address)) {
			ended <- nil
			if text := said(); strings.Contains(text, taken) {
				return text
			}
			t.Fatalf("%s ended: %s", line, said())
		}
	}
	return ""
}

// copyFiles copies a file, or all in a folder, with other ports.
func copyFiles(dir, name string, ports *strings.Replacer) error {
	return filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(dir, path), 0o755)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, path), []byte(ports.Replace(string(text))), 0o644)
	})
}

// listens waits until somebody listens at an address, or the program has ended.
func listens(ended chan error, address string) bool {
	for {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return true
		}
		select {
		case <-ended:
			return false
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// parse returns the commands of a README in their order.
func parse(t *testing.T, readme string) (steps []step) {
	for _, block := range regexp.MustCompile("(?s)```(sh|console)\n(.*?)```").FindAllStringSubmatch(readme, -1) {
		for line := range strings.Lines(block[2]) {
			command, prompt := strings.CutPrefix(line, "$ ")
			switch {
			case block[1] == "sh" || prompt:
				steps = append(steps, step{command: strings.TrimSuffix(command, "\n"), silent: !prompt})
			case len(steps) == 0:
				t.Fatalf("output without a command: %s", line)
			default:
				steps[len(steps)-1].want += line
			}
		}
	}
	return steps
}

// freePorts replaces each port by one that is free.
func freePorts(t *testing.T, ports []string) *strings.Replacer {
	var pairs []string
	for _, port := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		for _, before := range []string{":", "port_value: "} { // as nearly all write it, and as Envoy does
			pairs = append(pairs, before+port, fmt.Sprintf("%s%d", before, l.Addr().(*net.TCPAddr).Port))
		}
	}
	return strings.NewReplacer(pairs...)
}
