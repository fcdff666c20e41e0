package cli_test

import (
	"net"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// startAgent FILE..: starts an ssh-agent that holds the keys in the files, and
// sets SSH_AUTH_SOCK. OpenSSH's own one is tested in package agentkey.
func startAgent(ts *testscript.TestScript, _ bool, args []string) {
	ring := agent.NewKeyring()
	for _, file := range args {
		key, err := ssh.ParseRawPrivateKey([]byte(ts.ReadFile(file)))
		ts.Check(err)
		ts.Check(ring.Add(agent.AddedKey{PrivateKey: key}))
	}
	// A folder of its own: the path of a socket has at most 107 bytes.
	folder, err := os.MkdirTemp("", "agent")
	ts.Check(err)
	socket := filepath.Join(folder, "s")
	l, err := net.Listen("unix", socket)
	ts.Check(err)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // closed
			}
			go func() {
				defer conn.Close()
				_ = agent.ServeAgent(ring, conn)
			}()
		}
	}()
	ts.Defer(func() { l.Close(); os.RemoveAll(folder) })
	ts.Setenv("SSH_AUTH_SOCK", socket)
}
