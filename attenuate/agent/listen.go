package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
)

// MaxConnections is how many connections an agent serves at a time. Others wait.
const MaxConnections = 32

// ErrRunning says that an agent listens on a socket already.
var ErrRunning = errors.New("an agent listens there already")

// A Socket is where an agent listens. Connections of other users than its owner, root
// among them, are closed before a byte of them is read.
type Socket struct {
	path     string
	listener *net.UnixListener
	made     fs.FileInfo
	slots    chan struct{}
	logger   *slog.Logger

	closing  sync.Once
	closed   chan struct{}
	closeErr error
}

// Listen makes a socket of mode 0600, in a folder that belongs to the user of this
// process and that nobody else may enter: mode 0700. The folder is made where it is
// missing. A socket that an agent left behind is replaced; a live one is an error
// that matches [ErrRunning], and any other file is an error and stays.
//
// On systems that do not tell who is at the other end of a socket the error matches
// [errors.ErrUnsupported].
func Listen(path string) (*Socket, error) {
	if err := supported(); err != nil {
		return nil, err
	}
	folder, err := ownFolder(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	path = filepath.Join(folder, filepath.Base(path))
	unlock, err := lockFolder(folder)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", folder, err)
	}
	defer unlock()
	if err := removeStale(path); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		if len(path) > 103 {
			err = fmt.Errorf("the path of a socket has at most 103 bytes on some systems, 107 on others, and this one has %d: %w", len(path), err)
		}
		return nil, err
	}
	l.SetUnlinkOnClose(false) // by then it can be another agent's
	s := &Socket{path: path, listener: l, slots: make(chan struct{}, MaxConnections), closed: make(chan struct{}), logger: slog.Default()}
	if err = os.Chmod(path, 0o600); err == nil {
		s.made, err = os.Lstat(path)
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return s, nil
}

// ownFolder returns a folder's path without symbolic links.
func ownFolder(path string) (string, error) {
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	path, err := filepath.Abs(path)
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		return "", err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	switch owner, ok := ownerOf(info); {
	case !info.IsDir():
		return "", fmt.Errorf("%s is no folder", path)
	case !ok || owner != os.Geteuid():
		return "", fmt.Errorf("%s belongs to another user", path)
	case info.Mode().Perm()&0o077 != 0:
		return "", fmt.Errorf("%s has mode %04o: others than its owner may enter it, and an agent's folder has mode 0700", path, info.Mode().Perm())
	}
	return path, nil
}

// removeStale removes a socket of ours that nobody listens on.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	switch owner, ok := ownerOf(info); {
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("the file is no socket, and stays as it is")
	case !ok || owner != os.Geteuid():
		return fmt.Errorf("the socket belongs to another user, and stays as it is")
	}
	c, err := net.Dial("unix", path)
	if err == nil {
		c.Close()
		return ErrRunning
	}
	if !refused(err) {
		return err
	}
	return os.Remove(path)
}

// Path returns where the socket is.
func (s *Socket) Path() string { return s.path }

// Accept returns the next connection of the socket's owner.
func (s *Socket) Accept() (net.Conn, error) {
	select {
	case s.slots <- struct{}{}:
	case <-s.closed:
		return nil, net.ErrClosed
	}
	for {
		c, err := s.listener.AcceptUnix()
		if err != nil {
			<-s.slots
			return nil, err
		}
		if err := fromOwner(c); err != nil {
			c.Close()
			s.logger.Warn("a connection was refused", "reason", err)
			continue
		}
		return &connection{UnixConn: c, release: sync.OnceFunc(func() { <-s.slots })}, nil
	}
}

// fromOwner returns an error unless the user of this process is at the other end.
func fromOwner(c *net.UnixConn) error {
	uid, err := peerOf(c)
	if err != nil {
		return fmt.Errorf("nothing tells who is at the other end: %w", err)
	}
	if uid != os.Geteuid() {
		return fmt.Errorf("the user %d is at the other end, and only the user %d may be", uid, os.Geteuid())
	}
	return nil
}

// A connection frees its place when it is closed.
type connection struct {
	*net.UnixConn
	release func()
}

func (c *connection) Close() error {
	defer c.release()
	return c.UnixConn.Close()
}

// Addr is part of [net.Listener].
func (s *Socket) Addr() net.Addr { return s.listener.Addr() }

// Close ends the socket and removes its file, unless it is another one by now.
func (s *Socket) Close() error {
	s.closing.Do(func() {
		close(s.closed)
		s.closeErr = errors.Join(s.listener.Close(), s.remove())
	})
	return s.closeErr
}

func (s *Socket) remove() error {
	unlock, err := lockFolder(filepath.Dir(s.path))
	if err != nil {
		return nil // another agent starts here, or the folder is gone: a stale socket harms nobody
	}
	defer unlock()
	now, err := os.Lstat(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || !os.SameFile(now, s.made) {
		return err
	}
	return os.Remove(s.path)
}
