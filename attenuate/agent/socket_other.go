//go:build !(darwin || freebsd || linux)

package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
)

var errSystem = fmt.Errorf("there is no agent on this system, where nothing tells which user is at the other end of a socket: %w", errors.ErrUnsupported)

func supported() error                  { return errSystem }
func peerOf(*net.UnixConn) (int, error) { return 0, errSystem }
func ownerOf(fs.FileInfo) (int, bool)   { return 0, false }
func lockFolder(string) (func(), error) { return nil, errSystem }
func refused(error) bool                { return false }
