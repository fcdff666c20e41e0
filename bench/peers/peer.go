// Package peers times other implementations, each in a process of its own. Its
// README.md describes what is measured, and how the processes are built.
package peers

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// An Op is what a peer is asked to do. README.md says what each one times.
type Op string

const (
	Parse         Op = "parse"
	Verify        Op = "verify"
	Policy        Op = "policy"
	Authorize     Op = "authorize"
	AuthorizeText Op = "authorize_text"
	Cold          Op = "cold"
	ColdText      Op = "cold_text"
)

// A Peer is a running peer-bench. It serves one goroutine.
type Peer struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// ErrNotBuilt is the error of a peer that has to be built first.
var ErrNotBuilt = errors.New("the Rust peer is not built; run bench/peers/build")

// Start launches the Rust reference implementation. Where bench/peers/build has
// not been run the error is [ErrNotBuilt].
func Start() (*Peer, error) {
	root, err := repository()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(root, "bench", "peers", "rust", "target", "release", "peer-bench")
	if _, err := os.Stat(path); err != nil {
		return nil, ErrNotBuilt
	}
	cmd := exec.Command(path)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the peer: %w", err)
	}
	return &Peer{cmd, in, bufio.NewReader(out)}, nil
}

// Close stops the peer.
func (p *Peer) Close() error {
	return errors.Join(p.in.Close(), p.cmd.Wait())
}

// repository returns the nearest folder above the working directory that holds
// a go.mod.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod above the working directory")
		}
		dir = parent
	}
}

// Time returns the total time of so many runs of op on the token with so many
// blocks, from 1 to 100.
func (p *Peer) Time(op Op, blocks, iterations int) (time.Duration, error) {
	answer, err := p.ask(fmt.Sprintf("%s %d %d", op, blocks, iterations))
	if err != nil {
		return 0, err
	}
	ns, err := strconv.ParseInt(answer, 10, 64)
	return time.Duration(ns), err
}

// Token returns the token with so many blocks, and the text form of the root
// public key.
func (p *Peer) Token(blocks int) (token []byte, rootPublic string, err error) {
	answer, err := p.ask(fmt.Sprintf("token %d", blocks))
	if err != nil {
		return nil, "", err
	}
	text, rootPublic, ok := strings.Cut(answer, " ")
	if !ok {
		return nil, "", fmt.Errorf("the peer answers %q for a token", answer)
	}
	token, err = hex.DecodeString(text)
	return token, rootPublic, err
}

// Authorizer returns the authorizer's source text.
func (p *Peer) Authorizer() (string, error) { return p.ask("authorizer") }

// ask sends one line and returns the answer, an error where the peer says so.
func (p *Peer) ask(command string) (string, error) {
	if _, err := io.WriteString(p.in, command+"\n"); err != nil {
		return "", err
	}
	answer, err := p.out.ReadString('\n')
	if err != nil {
		return "", err
	}
	answer = strings.TrimSuffix(answer, "\n")
	if reason, failed := strings.CutPrefix(answer, "error: "); failed {
		return "", errors.New("peer: " + reason)
	}
	return answer, nil
}
