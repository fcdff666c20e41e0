// Package serve runs what a gateway needs around it as a process: listeners, servers with
// limits, and an address for whoever operates it, with health, readiness and metrics.
package serve

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/whittle-auth/whittle/verify/gateway"
)

// socketMode lets the socket's owner and group ask. Whoever is to be kept out is kept out
// of its folder.
const socketMode = 0o660

// Listen listens at an address. A socket that another process left behind is removed; one
// that may still be somebody's, and any other file, is not.
func Listen(a gateway.Address) (net.Listener, error) {
	if a.Network != "unix" {
		return net.Listen(a.Network, a.Address)
	}
	if err := removeStale(a.Address); err != nil {
		return nil, err
	}
	l, err := net.Listen("unix", a.Address)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(a.Address, socketMode); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s is there already, and no socket", path)
	}
	conn, err := net.Dial("unix", path)
	if err == nil {
		conn.Close()
		return fmt.Errorf("%s: another process listens there", path)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) { // but, as it may be, EAGAIN of one that is busy
		return err
	}
	return os.Remove(path)
}

// Limits on a request: a proxy's is small, has no body and comes at once.
const (
	maxHeader = 128 << 10
	timeout   = 10 * time.Second
	idle      = 2 * time.Minute
)

// NewServer returns a server that bounds what a request takes of time and memory.
func NewServer(h http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, MaxHeaderBytes: maxHeader,
		ReadHeaderTimeout: timeout, ReadTimeout: timeout, WriteTimeout: timeout, IdleTimeout: idle,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
}
