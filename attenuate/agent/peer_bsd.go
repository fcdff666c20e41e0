//go:build darwin || freebsd

package agent

import (
	"net"

	"golang.org/x/sys/unix"
)

// peerOf returns the user at the other end of a connection, as the kernel knows it:
// unix(4), LOCAL_PEERCRED.
func peerOf(c *net.UnixConn) (uid int, err error) {
	return ofSocket(c, func(fd int) (int, error) {
		cred, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
		if err != nil {
			return 0, err
		}
		return int(cred.Uid), nil
	})
}
