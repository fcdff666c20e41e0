package main

import (
	"bufio"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// serverFlag makes this program the server.
const serverFlag = "-server"

// A server is the process of one side.
type server struct {
	side  string
	cmd   *exec.Cmd
	tell  io.WriteCloser
	lines *bufio.Scanner
	last  state
}

// start starts the process of a side, with one processor of its own.
func start(side string, c *caller, profile string) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &server{side: side, cmd: exec.Command(self, serverFlag)}
	s.cmd.Stderr = os.Stderr
	s.cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	if s.tell, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.lines = bufio.NewScanner(out)
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	err = json.NewEncoder(s.tell).Encode(order{
		Side:    side,
		Trust:   issuer + ` namespaces="whittle" ` + strings.TrimSpace(c.root.Public().AuthorizedKey("")),
		Key:     hex.EncodeToString(c.jwtKey.Public().(ed25519.PublicKey)),
		Profile: profile,
	})
	if err == nil {
		err = s.read()
	}
	if err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// look asks the process for its state.
func (s *server) look() error {
	if _, err := fmt.Fprintln(s.tell); err != nil {
		return err
	}
	return s.read()
}

func (s *server) read() error {
	if !s.lines.Scan() {
		return fmt.Errorf("the server of %s is gone: %w", s.side, io.ErrUnexpectedEOF)
	}
	return json.Unmarshal(s.lines.Bytes(), &s.last)
}

// stop ends the process, which writes its profile.
func (s *server) stop() error {
	s.tell.Close()
	return s.cmd.Wait()
}
