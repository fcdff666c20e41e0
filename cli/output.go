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

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/cli/reading"
)

// checkedWriter remembers the first error, so that a command whose result did
// not get out is no success.
type checkedWriter struct {
	w   io.Writer
	err error
}

func (c *checkedWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	err = about("standard output", err)
	if c.err == nil {
		c.err = err
	}
	return n, err
}

// emit writes a result to -o FILE, or to standard output.
func emit(c *cli.Context, env *Env, data []byte) error {
	if file := c.String("o"); file != "" && file != "-" {
		if err := sparesInputs(c, env); err != nil {
			return err
		}
		return env.write(file, data)
	}
	_, err := env.Stdout.Write(data)
	return err
}

// emitJSON prints what describes a result. The result itself goes to -o FILE
// too, if that is given.
func emitJSON(c *cli.Context, env *Env, description any, data []byte) error {
	text, err := marshal(description)
	if err != nil {
		return err
	}
	if file := c.String("o"); file != "" && file != "-" {
		if err := sparesInputs(c, env); err != nil {
			return err
		}
		if err := env.write(file, data); err != nil {
			return err
		}
	}
	_, err = env.Stdout.Write(text)
	return err
}

func printJSON(w io.Writer, v any) error {
	text, err := marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

// marshal writes JSON for people and programs: indented, and with whatever a
// terminal might obey written as \u and its number.
func marshal(v any) ([]byte, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	var out []byte
	for _, r := range b.String() {
		switch {
		case r == '\n' || !reading.IsHidden(r):
			out = append(out, string(r)...)
		case r > 0xffff:
			r -= 0x10000
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out, nil
}

// write writes a file as a whole or not at all, readable by its owner only.
func (env *Env) write(name string, data []byte) error {
	path := env.path(name)
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("%s: is a directory", name)
	case err == nil && !info.Mode().IsRegular():
		// A device or a pipe must not be replaced by a file.
		return about(name, writeTo(path, data))
	case err == nil:
		if holdsPrivateKey(path) {
			return usagef("%s holds a private key and is not overwritten", shown(name))
		}
		if target, err := filepath.EvalSymlinks(path); err == nil {
			path = target
		}
	}
	return about(name, replace(path, data))
}

// holdsPrivateKey reports whether a file begins as one with a private key does.
// There may be no copy of it.
func holdsPrivateKey(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	beginning, err := io.ReadAll(io.LimitReader(f, 4096))
	return err == nil && (strings.Contains(string(beginning), "PRIVATE KEY-----") || isPrivateText(string(beginning)))
}

// sparesInputs refuses to write over a file that the command reads a key, trust or
// policy from.
func sparesInputs(c *cli.Context, env *Env) error {
	out, err := os.Stat(env.path(c.String("o")))
	if err != nil || !out.Mode().IsRegular() {
		return nil
	}
	for _, flag := range []string{"key", "private-key-file", "from-file", "agent-key", "trust", "directory", "policy", "authorizer", "public-key-file", "root-key", "block-file"} {
		in, err := os.Stat(env.path(c.String(flag)))
		if c.String(flag) != "" && err == nil && os.SameFile(in, out) {
			return usagef("-o would overwrite %s, which --%s names", shown(c.String(flag)), flag)
		}
	}
	return nil
}

func writeTo(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

func replace(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".whittle-*")
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
	return os.Rename(f.Name(), path)
}

// create writes a new file and never touches one that exists.
func (env *Env) create(name string, data []byte, mode fs.FileMode) error {
	path := env.path(name)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return usagef("%s exists already and is not overwritten", name)
	}
	if err != nil {
		return about(name, err)
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(path)
		return about(name, err)
	}
	return nil
}
