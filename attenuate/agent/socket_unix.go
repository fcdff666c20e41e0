//go:build darwin || freebsd || linux

package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
)

// supported says why there is no agent on this system, or nil.
func supported() error { return nil }

// ofSocket asks something of a connection's descriptor.
func ofSocket(c *net.UnixConn, ask func(fd int) (int, error)) (n int, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	if controlErr := raw.Control(func(fd uintptr) { n, err = ask(int(fd)) }); controlErr != nil {
		return 0, controlErr
	}
	return n, err
}

// ownerOf returns the user that a file belongs to.
func ownerOf(info fs.FileInfo) (uid int, ok bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(stat.Uid), true
}

// lockFolder keeps other agents from looking for a stale socket in a folder at the
// same time: each could remove the socket that the other has just made.
func lockFolder(path string) (unlock func(), err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("another agent is starting or ending in this folder")
		}
		return nil, err
	}
	return func() { f.Close() }, nil
}

// refused reports whether nobody listens on a socket any more.
func refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
