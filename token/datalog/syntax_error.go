package datalog

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A SyntaxError says where and why source text was refused. Every error of the
// Parse functions is a *SyntaxError.
type SyntaxError struct {
	Offset int // in bytes, from 0; the length of the source at its end
	Line   int // from 1
	Column int // in runes, from 1
	Msg    string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Msg)
}

// errorAt returns the error with the given message at a byte offset of src.
func errorAt(src string, offset int, format string, args ...any) *SyntaxError {
	before := src[:offset]
	lineStart := strings.LastIndexByte(before, '\n') + 1
	return &SyntaxError{
		Offset: offset,
		Line:   strings.Count(before, "\n") + 1,
		Column: utf8.RuneCountInString(before[lineStart:]) + 1,
		Msg:    fmt.Sprintf(format, args...),
	}
}
