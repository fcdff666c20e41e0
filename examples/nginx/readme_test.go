// Package nginx has the example's test, which does what its README says.
package nginx

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A step is one command of the README and what it prints, as far as the README says.
type step struct {
	command, want string
	silent        bool
}

// TestREADME runs the commands of the README, all ports changed to free ones.
func TestREADME(t *testing.T) {
	for _, program := range []string{"nginx", "curl", "bash"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	bin := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", bin, "../../cli/whittle").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for range 5 { // somebody may take a port between its choice and its use
		if out := follow(t, bin); !strings.Contains(out, "ddress already in use") {
			return
		}
	}
	t.Fatal("no port was free")
}

// follow runs the README once and returns all that the programs in the background say.
func follow(t *testing.T, bin string) string {
	dir, err := os.MkdirTemp("", "whittle-nginx")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // run as root, nginx reads the site as somebody else
		t.Fatal(err)
	}
	ports := freePorts(t, "8080", "9180", "9181")
	if err := os.CopyFS(filepath.Join(dir, "site"), os.DirFS("site")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"README.md", "gateway.toml", "nginx.conf"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(ports.Replace(string(text))), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	steps := parse(t, string(readme))

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
	run := func(command string) (string, error) {
		cmd := exec.Command("bash", "-c", command)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, background
		err := cmd.Run()
		return strings.ReplaceAll(out.String(), "\r", ""), err
	}
	for _, s := range steps {
		if command, ok := strings.CutSuffix(s.command, " &"); ok {
			cmd := exec.Command("bash", "-c", "exec "+command)
			cmd.Dir, cmd.Stdout, cmd.Stderr = dir, background, background
			cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			defer func() {
				cmd.Process.Signal(os.Interrupt)
				<-ended
			}()
			if !listens(ended, ports.Replace(map[bool]string{true: "127.0.0.1:8080", false: "127.0.0.1:9181"}[strings.HasPrefix(command, "nginx")])) {
				ended <- nil
				if text := said(); strings.Contains(text, "ddress already in use") {
					return text
				}
				t.Fatalf("%s ended: %s", command, said())
			}
			continue
		}
		out, err := run(s.command)
		if err != nil || out != s.want && !s.silent {
			t.Errorf("$ %s\n%swant\n%s(%v) %s", s.command, out, s.want, err, said())
		}
	}
	if len(steps) < 15 {
		t.Errorf("the README has only %d commands", len(steps))
	}
	return ""
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

// parse returns the commands of the README in their order.
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
func freePorts(t *testing.T, ports ...string) *strings.Replacer {
	var pairs []string
	for _, port := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		pairs = append(pairs, ":"+port, fmt.Sprintf(":%d", l.Addr().(*net.TCPAddr).Port))
	}
	return strings.NewReplacer(pairs...)
}
