package agent

import (
	"net"

	"golang.org/x/sys/unix"
)

// peerOf returns the user at the other end of a connection, as the kernel knows it:
// unix(7), SO_PEERCRED.
func peerOf(c *net.UnixConn) (uid int, err error) {
	return ofSocket(c, func(fd int) (int, error) {
		cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
		if err != nil {
			return 0, err
		}
		return int(cred.Uid), nil
	})
}
