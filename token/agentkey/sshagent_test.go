package agentkey

import (
	"bufio"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
)

// sshAgent starts OpenSSH's agent and returns the path of its socket.
func sshAgent(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"ssh-agent", "ssh-add", "ssh-keygen"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not installed: OpenSSH's own agent is not tested", name)
		}
	}
	// Not t.TempDir: the path of a socket has at most 107 bytes.
	folder, err := os.MkdirTemp("", "agent")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	socket := filepath.Join(folder, "s")
	daemon := exec.Command("ssh-agent", "-D", "-a", socket)
	out, err := daemon.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = daemon.Process.Kill(); _ = daemon.Wait() })
	// It prints its environment once it listens.
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.Contains(line, socket) {
		t.Fatalf("ssh-agent says %q, %v", line, err)
	}
	return socket
}

func TestOpenSSHAgent(t *testing.T) {
	socket := sshAgent(t)
	a, err := Open(socket)
	if err != nil {
		t.Fatal(err)
	}
	run := func(name string, args ...string) {
		t.Helper()
		command := exec.Command(name, args...)
		command.Env = append(os.Environ(), "SSH_AUTH_SOCK="+socket)
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	for _, kind := range []string{"ed25519", "ecdsa"} {
		file := filepath.Join(t.TempDir(), "key")
		run("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "alice@example.com", "-f", file)
		line, err := os.ReadFile(file + ".pub")
		if err != nil {
			t.Fatal(err)
		}
		public, err := token.ParsePublicKey(string(line))
		if err != nil {
			t.Fatal(err)
		}
		if s, err := a.Signer(public); s != nil || !errors.Is(err, ErrNoKey) {
			t.Errorf("%s before ssh-add: %v, %v", kind, s, err)
		}
		run("ssh-add", "-q", file)
		s, err := a.Signer(public)
		if err != nil {
			t.Fatal(err)
		}
		holder := newKey(t, datalog.Ed25519).Public()
		for range 8 {
			minted, err := token.Mint(s, &datalog.Block{}, token.HeldBy(holder), nil)
			if err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
			u, err := token.Parse(minted.Bytes(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := u.Verify(public); err != nil {
				t.Errorf("%s: %v", kind, err)
			}
		}
		run("ssh-add", "-q", "-d", file)
		if sig, err := s.Sign([]byte("m")); sig != nil || err == nil {
			t.Errorf("%s after ssh-add -d: %x, %v", kind, sig, err)
		}
	}
	// A forwarded socket whose other end is gone.
	os.Remove(socket)
	if _, err := net.Dial("unix", socket); err == nil {
		t.Fatal("the socket is still there")
	}
	if _, err := a.Signer(newKey(t, datalog.Ed25519).Public()); !errors.Is(err, ErrNoAgent) {
		t.Errorf("without a socket: %v", err)
	}
}
