//go:build !linux

package cli

// hideMemory does nothing: only Linux lets a process hide its memory from others of the
// same user.
func hideMemory() {}
