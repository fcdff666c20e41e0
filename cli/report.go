package cli

import (
	"errors"
	"fmt"
	"io"
	"regexp"

	"github.com/whittle-auth/whittle/cli/reading"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
)

// Exit codes.
const (
	exitOK        = 0
	exitDenied    = 1
	exitUsage     = 2 // wrong usage, or input and output that failed
	exitMalformed = 3 // codes malformed, unsupported and signature
)

// exitCode returns the exit code for what a command returned.
func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	if _, ok := errors.AsType[*usageError](err); ok {
		return exitUsage
	}
	if code, ok := errors.AsType[commandExit](err); ok {
		return int(code)
	}
	if e, ok := errors.AsType[*token.Error](err); ok {
		switch e.Code {
		case token.CodeMalformed, token.CodeUnsupported, token.CodeSignature:
			return exitMalformed
		}
		return exitDenied
	}
	if _, ok := errors.AsType[*verify.Denied](err); ok {
		return exitDenied
	}
	if _, ok := errors.AsType[*delegation.WideningError](err); ok {
		return exitDenied
	}
	if _, ok := errors.AsType[*nothingLeft](err); ok {
		return exitDenied
	}
	if _, ok := errors.AsType[*unexpected](err); ok {
		return exitDenied
	}
	if _, ok := errors.AsType[declined](err); ok {
		return exitDenied
	}
	return exitUsage
}

// usageError is wrong usage.
type usageError struct{ msg string }

func (e *usageError) Error() string { return e.msg }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// hinted is an error with advice.
type hinted struct {
	error
	hint string
}

func (e *hinted) Unwrap() error { return e.error }

func hintf(err error, format string, args ...any) error {
	return &hinted{err, fmt.Sprintf(format, args...)}
}

// reported is an error that the command has shown already.
type reported struct{ error }

func (e *reported) Unwrap() error { return e.error }

// report writes an error, and what may help, as one line each. The code of a
// refused token stands first.
func report(w io.Writer, err error) {
	if _, ok := errors.AsType[*reported](err); ok || err == nil {
		return
	}
	text := err.Error()
	if e, ok := errors.AsType[*token.Error](err); ok {
		text = string(e.Code) + ": " + text
	}
	fmt.Fprintf(w, "error: %s\n", oneLine(withoutSecrets(text)))
	if h, ok := errors.AsType[*hinted](err); ok {
		hint(w, "%s", h.hint)
	}
}

func hint(w io.Writer, format string, args ...any) {
	fmt.Fprintf(w, "hint: %s\n", oneLine(withoutSecrets(fmt.Sprintf(format, args...))))
}

// privateText is the text form of a private key, also a misspelt one.
var privateText = regexp.MustCompile(`(?i)[a-z0-9]*-?private?/[^\s"']*`)

// withoutSecrets withholds private keys that a message repeats from a value, whoever
// wrote it: messages end up in logs.
func withoutSecrets(s string) string {
	return privateText.ReplaceAllString(s, "(not repeated: it looks like a secret)")
}

// oneLine makes text from tokens, files and arguments safe to show: one line,
// and nothing that a terminal would obey or that changes how text looks.
func oneLine(s string) string { return reading.OneLine(s) }

// manyLines is [oneLine] for text of several lines.
func manyLines(s string) string { return reading.ManyLines(s) }
