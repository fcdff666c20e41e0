// Package agentkey signs with keys that a running ssh-agent holds (IETF
// draft-ietf-sshm-ssh-agent), so that nothing but the agent sees the secret:
//
//	agent, err := agentkey.Open(os.Getenv("SSH_AUTH_SOCK"))
//	signer, err := agent.Signer(public)
//
// Keys are plain Ed25519 and ECDSA on P-256. FIDO keys ("sk-") cannot be used:
// they sign a statement of their authenticator around the message, never the
// message alone, so that what they sign is no block of a token. RSA keys are no
// keys of tokens, and certificates are a key with claims that no token knows.
//
// An agent can be somebody else's, reached over a forwarded socket: it is
// believed nothing. Each answer is bounded in size and time, and each signature
// is verified before it is used.
package agentkey

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/whittle-auth/whittle/token"
)

const (
	// DefaultTimeout bounds a question to the agent. It leaves people the time
	// to confirm a signature, as ssh-add -c asks for.
	DefaultTimeout = time.Minute

	// maxReply bounds an answer of the agent, in bytes, as OpenSSH does.
	maxReply = 256 << 10
)

var (
	// ErrNoAgent says that no agent can be reached.
	ErrNoAgent = errors.New("no ssh-agent can be reached")
	// ErrNoKey says that the agent does not hold the key.
	ErrNoKey = errors.New("the ssh-agent does not hold this key")
)

// An Agent is an ssh-agent. Each question opens a connection of its own, so that
// there is nothing to close and no goroutine. It is safe for concurrent use if
// Dial is.
type Agent struct {
	// Dial connects to the agent.
	Dial func() (net.Conn, error)
	// Timeout bounds each question; zero means DefaultTimeout.
	Timeout time.Duration
}

// Open returns the agent that listens on a Unix socket, whose path ssh-agent
// announces in the environment variable SSH_AUTH_SOCK. An empty path is an error
// that matches [ErrNoAgent]; whether somebody listens shows with the first
// question.
func Open(socket string) (*Agent, error) {
	if socket == "" {
		return nil, fmt.Errorf("%w: SSH_AUTH_SOCK is not set", ErrNoAgent)
	}
	return &Agent{Dial: func() (net.Conn, error) { return net.Dial("unix", socket) }}, nil
}

// Signer returns a signer for a key whose private half is in the agent. The
// error matches [ErrNoAgent] if nobody answers, and [ErrNoKey] if the agent
// answers that it has other keys. Signing can fail later, as when the key is
// removed.
func (a *Agent) Signer(key token.PublicKey) (token.Signer, error) {
	public, err := parse(key)
	if err != nil {
		return nil, err
	}
	var held []*agent.Key
	err = a.ask(func(c agent.ExtendedAgent) (err error) {
		held, err = c.List()
		return err
	})
	if err != nil {
		return nil, err
	}
	certified := false
	for _, k := range held {
		if string(k.Blob) == string(public.Marshal()) {
			return token.NewSigner(signer{a, public})
		}
		certified = certified || certifies(k, public)
	}
	if certified {
		return nil, fmt.Errorf("%w (%s), only a certificate for it", ErrNoKey, key.Fingerprint())
	}
	return nil, fmt.Errorf("%w (%s)", ErrNoKey, key.Fingerprint())
}

// parse returns the key as package ssh has it, if an agent can hold it.
func parse(key token.PublicKey) (ssh.PublicKey, error) {
	if key.IsZero() {
		return nil, fmt.Errorf("no public key given")
	}
	if key.RootOnly() {
		return nil, fmt.Errorf("%s keys in an ssh-agent are not supported", key.Algorithm())
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey([]byte(key.AuthorizedKey("")))
	return public, err
}

// certifies reports whether what the agent holds is a certificate of the key.
func certifies(k *agent.Key, public ssh.PublicKey) bool {
	parsed, err := ssh.ParsePublicKey(k.Blob)
	if err != nil {
		return false
	}
	certificate, ok := parsed.(*ssh.Certificate)
	return ok && string(certificate.Key.Marshal()) == string(public.Marshal())
}

// ask opens a connection for one question.
func (a *Agent) ask(question func(agent.ExtendedAgent) error) error {
	conn, err := a.Dial()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoAgent, err)
	}
	defer conn.Close()
	timeout := a.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	if err := conn.SetDeadline(time.Now().Add(timeout)); err != nil {
		return fmt.Errorf("%w: %w", ErrNoAgent, err)
	}
	b := &bounded{conn: conn}
	err = question(agent.NewClient(b))
	if err == nil {
		return nil
	}
	if b.err != nil {
		err = b.err // package agent does not wrap it
	}
	return fmt.Errorf("ssh-agent: %w", err)
}

// bounded passes on answers that are not too long. It is no io.Closer, for which
// package agent would start a goroutine.
type bounded struct {
	conn   net.Conn
	header []byte // of the answer, what has not been passed on
	left   uint32 // bytes of the answer behind the header
	err    error  // the last one
}

func (b *bounded) Write(p []byte) (n int, err error) {
	n, err = b.conn.Write(p)
	b.err = err
	return n, err
}

func (b *bounded) Read(p []byte) (n int, err error) {
	n, err = b.read(p)
	b.err = err
	return n, err
}

// read reads the length before each answer, four bytes, to look at it first.
func (b *bounded) read(p []byte) (int, error) {
	if len(b.header) == 0 && b.left == 0 {
		header := make([]byte, 4)
		if _, err := io.ReadFull(b.conn, header); err != nil {
			return 0, err
		}
		size := binary.BigEndian.Uint32(header)
		if size > maxReply {
			return 0, fmt.Errorf("the answer has %d bytes, at most %d are read", size, maxReply)
		}
		b.header, b.left = header, size
	}
	if len(b.header) > 0 {
		n := copy(p, b.header)
		b.header = b.header[n:]
		return n, nil
	}
	n, err := b.conn.Read(p[:min(uint64(len(p)), uint64(b.left))])
	b.left -= uint32(n)
	return n, err
}
