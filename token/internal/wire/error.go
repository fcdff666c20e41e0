package wire

import (
	"fmt"
	"strconv"
)

// Error says what is wrong with a message, and where.
type Error struct {
	// Offset counts bytes from the start of the input to the element at fault,
	// or to the end of the message that lacks something. It is -1 when writing.
	Offset int

	// Path names the element from the outside in, with the field names of the
	// schema, as in blocks[2].externalSignature.publicKey.key. The elements of
	// a list count from 0 in the order of the wire, so blocks[2] of a container
	// is the fourth block of the token. It is empty for the message itself.
	Path string

	Msg string

	// Unsupported says that the input may be sound, but states a version or an
	// algorithm unknown to this package.
	Unsupported bool
}

// Error returns the text of the error on one line.
func (e *Error) Error() string {
	s := e.Msg
	if e.Path != "" {
		s = e.Path + ": " + s
	}
	if e.Offset >= 0 {
		s += " (at byte " + strconv.Itoa(e.Offset) + ")"
	}
	return s
}

// fail returns an error at an offset; the callers add the path on the way out.
func fail(offset int, format string, args ...any) *Error {
	return &Error{Offset: offset, Msg: fmt.Sprintf(format, args...)}
}

// unsupported is fail for an unknown version or algorithm.
func unsupported(offset int, format string, args ...any) *Error {
	e := fail(offset, format, args...)
	e.Unsupported = true
	return e
}

// under puts name in front of the path, and returns nil for nil. A negative
// index stands for a field that is not a list.
func (e *Error) under(name string, index int) *Error {
	if e == nil {
		return nil
	}
	if index >= 0 {
		name += "[" + strconv.Itoa(index) + "]"
	}
	if e.Path != "" {
		name += "." + e.Path
	}
	e.Path = name
	return e
}
