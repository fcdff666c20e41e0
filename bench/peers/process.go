// Package peers runs implementations that are not written in Go, each in a process
// of its own. Its README.md describes what they are asked, and how they are built.
package peers

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/whittle-auth/whittle/bench/measure"
)

// An Op is what a peer is asked to do. README.md says what each one times.
type Op string

const (
	Parse     Op = "parse"
	Verify    Op = "verify"
	Policy    Op = "policy"
	Authorize Op = "authorize"
	Cold      Op = "cold"
	Mint      Op = "mint"
	Attenuate Op = "attenuate"

	Issue       Op = "issue"
	Delegate    Op = "delegate"
	Prove       Op = "prove"
	VerifyChain Op = "verify_chain"
)

// A Peer is a program that answers one line for each line that it is sent. It is
// started when first asked, and again after it was given up. It serves one goroutine.
type Peer struct {
	command  []string
	built    string // exists once the peer is built
	patience time.Duration

	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// Rust is biscuit-auth and tenuo, the Rust crates.
func Rust(bench string, patience time.Duration) *Peer {
	program := filepath.Join(bench, "peers", "rust", "target", "release", "peer-bench")
	return &Peer{command: []string{program}, built: program, patience: patience}
}

// Wasm is @biscuit-auth/biscuit-wasm in Node.
func Wasm(bench string, patience time.Duration) *Peer {
	folder := filepath.Join(bench, "peers", "wasm")
	return &Peer{
		command:  []string{"node", "--no-warnings", "--experimental-wasm-modules", filepath.Join(folder, "driver.mjs")},
		built:    filepath.Join(folder, "node_modules", "@biscuit-auth", "biscuit-wasm"),
		patience: patience,
	}
}

// Command is any program that speaks the protocol.
func Command(patience time.Duration, command ...string) *Peer {
	return &Peer{command: command, patience: patience}
}

// ErrTooSlow is the error of a peer that had no answer in time and was ended.
var ErrTooSlow = errors.New("no answer in time")

// Missing says why the peer cannot be asked; nil where it can.
func (p *Peer) Missing() error {
	if _, err := os.Stat(p.built); errors.Is(err, fs.ErrNotExist) {
		return errors.New("not built: see bench/peers/build")
	}
	_, err := p.Ask("versions")
	return err
}

func (p *Peer) start() error {
	p.cmd = exec.Command(p.command[0], p.command[1:]...)
	p.cmd.Stderr = os.Stderr
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	p.out = bufio.NewReader(out)
	return p.cmd.Start()
}

// Close stops the peer.
func (p *Peer) Close() error {
	if p.cmd == nil {
		return nil
	}
	err := errors.Join(p.in.Close(), p.cmd.Wait())
	p.cmd = nil
	return err
}

// Token makes a plain Biscuit the one that is measured from now on.
func (p *Peer) Token(token []byte, root string) error {
	_, err := p.Ask("token " + hex.EncodeToString(token) + " " + root)
	return err
}

// Authorizer makes the source text the one that is measured from now on.
func (p *Peer) Authorizer(source string) error {
	_, err := p.Ask("authorizer " + hex.EncodeToString([]byte(source)))
	return err
}

// Run times so many runs of op.
func (p *Peer) Run(op Op) measure.Run {
	return func(times int) (measure.Cost, error) {
		answer, err := p.Ask(fmt.Sprintf("%s %d", op, times))
		if err != nil {
			return measure.Cost{}, err
		}
		var wall, cpu int64
		if _, err := fmt.Sscanf(answer, "%d %d", &wall, &cpu); err != nil {
			return measure.Cost{}, fmt.Errorf("the peer answers %q for a time", answer)
		}
		return measure.Cost{Wall: time.Duration(wall), CPU: time.Duration(cpu)}, nil
	}
}

// Ask sends one line and returns the answer, an error where the peer says so. A peer
// that takes longer than its patience is ended: the error is [ErrTooSlow].
func (p *Peer) Ask(command string) (string, error) {
	if p.cmd == nil {
		if err := p.start(); err != nil {
			p.cmd = nil
			return "", err
		}
	}
	process := p.cmd.Process
	impatience := time.AfterFunc(p.patience, func() { process.Kill() })
	answer, err := p.exchange(command)
	if !impatience.Stop() {
		p.cmd.Wait()
		p.cmd = nil
		return "", fmt.Errorf("%w: more than %v", ErrTooSlow, p.patience)
	}
	return answer, err
}

func (p *Peer) exchange(command string) (string, error) {
	if _, err := io.WriteString(p.in, command+"\n"); err != nil {
		return "", err
	}
	answer, err := p.out.ReadString('\n')
	if err != nil {
		return "", err
	}
	answer = strings.TrimSuffix(answer, "\n")
	if reason, failed := strings.CutPrefix(answer, "error: "); failed {
		return "", errors.New(reason)
	}
	return answer, nil
}
