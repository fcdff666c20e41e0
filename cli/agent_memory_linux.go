package cli

import "golang.org/x/sys/unix"

// hideMemory keeps other processes of the user, but not root, from reading the keys in
// the memory of this one, and from finding them in a core dump: prctl(2),
// PR_SET_DUMPABLE. Where the kernel does not, nothing else is lost.
func hideMemory() { _ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }
