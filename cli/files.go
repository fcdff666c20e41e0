package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/trust"
)

// maxInput bounds what is read from a file or from standard input, in bytes.
const maxInput = 2 << 20

// readInput reads a file, or standard input for "-".
func readInput(env *Env, name string) ([]byte, error) {
	var r io.Reader = env.Stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
	}
	data, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxInput {
		return nil, fmt.Errorf("%s is longer than %d bytes", name, maxInput)
	}
	return data, nil
}

// readToken reads TOKEN: a file, "-" for standard input, or the text itself. A
// file may hold the text or the raw bytes.
func readToken(env *Env, arg string) (*token.Unverified, error) {
	if arg != "-" && (strings.HasPrefix(arg, "whittle:") || strings.HasPrefix(arg, "biscuit:")) {
		return token.ParseText(arg, nil)
	}
	data, err := readInput(env, arg)
	switch {
	case err == nil:
		return parseToken(data)
	case arg == "-" || !missing(err):
		return nil, err
	case len(arg) < 64 || strings.ContainsAny(arg, "./\\ "):
		return nil, hintf(usagef("%s: there is no such file", oneLine(arg)), "TOKEN is a file, - for standard input, or the token's text")
	}
	return token.ParseText(arg, nil)
}

// missing reports whether a name cannot be that of a file, as a token's text.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) || strings.Contains(err.Error(), "file name too long")
}

func parseToken(data []byte) (*token.Unverified, error) {
	if isRaw(data) {
		return token.Parse(data, nil)
	}
	return token.ParseText(strings.TrimSpace(string(data)), nil)
}

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

// readPrivateKey reads a key file, or the text form of a key.
func readPrivateKey(env *Env, name string) (token.PrivateKey, error) {
	if strings.Contains(name, "-private/") && !strings.ContainsAny(name, " \n") {
		if k, err := token.ParsePrivateKey([]byte(name), nil); err == nil {
			return k, nil
		}
	}
	data, err := readInput(env, name)
	if err != nil {
		return token.PrivateKey{}, err
	}
	k, err := token.ParsePrivateKey(data, func() ([]byte, error) { return env.Passphrase(name) })
	if err != nil {
		return k, usagef("%s: %s", name, err)
	}
	return k, nil
}

// readPublicKey reads the text form of a key, or a file with one.
func readPublicKey(env *Env, name string) (token.PublicKey, error) {
	if k, err := token.ParsePublicKey(name); err == nil {
		return k, nil
	}
	data, err := readInput(env, name)
	if err != nil {
		if missing(err) && strings.Contains(name, "/") && !strings.ContainsAny(name, ".") {
			_, err = token.ParsePublicKey(name)
		}
		return token.PublicKey{}, usagef("%s: %s", oneLine(name), err)
	}
	k, err := token.ParsePublicKey(strings.TrimSpace(string(data)))
	if err != nil {
		err = usagef("%s: %s", name, err)
		if strings.Contains(string(data), "PRIVATE KEY") {
			err = hintf(err, "this is a private key: the public one is usually %s.pub", name)
		}
		return k, err
	}
	return k, nil
}

func readTrust(name string) (*trust.Roots, error) {
	roots, err := trust.Load(name)
	if err != nil {
		return nil, usagef("%s: %s", name, err)
	}
	return roots, nil
}

// askPassphrase reads a passphrase from the terminal without showing it, or from
// the environment where there is no terminal.
func askPassphrase(file string) ([]byte, error) {
	if p, ok := os.LookupEnv("WHITTLE_PASSPHRASE"); ok {
		return []byte(p), nil
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return nil, fmt.Errorf("the key needs a passphrase, and there is no terminal to ask for it")
	}
	fmt.Fprintf(os.Stderr, "Passphrase for %s: ", oneLine(file))
	defer fmt.Fprintln(os.Stderr)
	return term.ReadPassword(int(os.Stdin.Fd()))
}

// writeFile writes a file as a whole or not at all, readable by its owner only.
func writeFile(name string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// emit writes a result to -o FILE or to standard output.
func emit(env *Env, file string, data []byte) error {
	if file != "" {
		return writeFile(file, data)
	}
	_, err := env.Stdout.Write(data)
	return err
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
