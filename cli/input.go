package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/trust"
)

// Limits on what is read from a file or from standard input, in bytes. Their
// readers have tighter ones.
const (
	maxInput = 2 << 20
	maxToken = 256 << 10
)

// tooLong says that a file holds more than is read.
type tooLong struct {
	name  string
	limit int
}

func (e *tooLong) Error() string {
	return fmt.Sprintf("%s is longer than %d bytes", e.name, e.limit)
}

// read returns what a file holds, or standard input for "-".
func (env *Env) read(name string, limit int) ([]byte, error) {
	var r io.Reader = env.Stdin
	if name == "-" {
		if env.stdinRead {
			return nil, usagef("standard input can be read only once: - is given twice")
		}
		env.stdinRead = true
	} else {
		f, err := os.Open(env.path(name))
		if err != nil {
			return nil, about(name, err)
		}
		defer f.Close()
		r = f
	}
	data, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return nil, about(name, err)
	}
	if len(data) > limit {
		return nil, &tooLong{shown(name), limit}
	}
	return data, nil
}

// path resolves a file's name.
func (env *Env) path(name string) string {
	if env.folder == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(env.folder, name)
}

// about says what file an error of the system is about, in the user's words.
func about(name string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	} else if e, ok := errors.AsType[*os.LinkError](err); ok {
		err = e.Err
	}
	return fmt.Errorf("%s: %w", shown(name), err)
}

// shown returns a file's name for a message. What may be a secret that was taken
// for a name is not repeated: messages end up in logs.
func shown(name string) string {
	switch {
	case name == "-":
		return "standard input"
	case token.LooksSecret(name):
		return "a name that looks like a secret and is not repeated"
	}
	return name
}

// readToken reads TOKEN: a file, "-" for standard input, or the text itself. A
// file may hold the text or the raw bytes, and holds raw bytes where raw is
// true.
func readToken(env *Env, arg string, raw bool) (*token.Unverified, error) {
	if credential, ok := strings.CutPrefix(trim(arg), "Bearer "); ok {
		return token.ParseText(trim(credential), nil) // as it stands in a header
	}
	if arg == "-" && env.tokenRead != nil {
		return env.tokenRead, nil
	}
	if !raw && isTokenText(arg) {
		return token.ParseText(trim(arg), nil)
	}
	data, err := env.read(arg, maxToken)
	switch {
	case err == nil:
		u, err := parseToken(data, raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", shown(arg), err)
		}
		return u, nil
	case isTooLong(err):
		return nil, token.Errorf(token.CodeMalformed, -1, "%s, and no token is", err)
	case arg == "-" || raw || !missing(err):
		return nil, err
	case len(arg) < 64 || strings.ContainsAny(arg, `./\ `):
		return nil, hintf(usagef("%s: there is no such file", shown(arg)), "TOKEN is a file, - for standard input, or the token's text")
	}
	return token.ParseText(trim(arg), nil)
}

func isTooLong(err error) bool {
	_, ok := errors.AsType[*tooLong](err)
	return ok
}

func isTokenText(arg string) bool {
	return strings.HasPrefix(arg, "whittle:") || strings.HasPrefix(arg, "biscuit:")
}

// missing reports whether there is no file of a name, which may be no name but
// a token's text.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) || errors.Is(err, syscall.ENAMETOOLONG)
}

func parseToken(data []byte, raw bool) (*token.Unverified, error) {
	if raw || isRaw(data) {
		return token.Parse(data, nil)
	}
	return token.ParseText(trim(string(data)), nil)
}

// trim removes the line break that ends a text file, and blanks around it.
func trim(text string) string { return strings.Trim(text, " \t\r\n") }

// isRaw tells the bytes of a message from its text form: a message has bytes
// that no text has.
func isRaw(data []byte) bool {
	for _, b := range data {
		if b >= 0x7f || b < ' ' && b != '\n' && b != '\r' && b != '\t' {
			return true
		}
	}
	return false
}

// readMessage reads a file that holds a message as text or as raw bytes.
func readMessage(env *Env, file string, raw bool) ([]byte, error) {
	data, err := env.read(file, maxInput)
	if err != nil || raw || isRaw(data) {
		return data, err
	}
	message, err := token.DecodeText(trim(string(data)), maxInput)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", shown(file), err)
	}
	return message, nil
}

func readTrust(env *Env, name string) (*trust.Roots, error) {
	data, err := env.read(name, trust.MaxBytes)
	if err != nil {
		return nil, err
	}
	roots, err := trust.Parse(data)
	if err != nil {
		return nil, usagef("%s: %s", shown(name), err)
	}
	return roots, nil
}
