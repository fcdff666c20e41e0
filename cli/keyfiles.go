package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"github.com/whittle-auth/whittle/token"
)

// readSigner reads a private key from a file or from its text form. A file with a
// public key stands for the private half that an ssh-agent holds, as it does for
// ssh and git.
func readSigner(env *Env, name string) (token.Signer, error) {
	if isPrivateText(name) {
		k, err := token.ParsePrivateKey([]byte(trim(name)), nil)
		if err != nil {
			return nil, usagef("--key: %s", err) // never the text itself: it is secret
		}
		return k, nil
	}
	data, err := env.read(name, maxInput)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, hintf(usagef("--key: %s: there is no such file", shown(name)), "whittle keygen -o FILE makes a key; an SSH key will do, too")
	}
	if err != nil {
		return nil, err
	}
	if isPublicKey(data) {
		return agentSigner(name, data)
	}
	k, err := parsePrivateKey(env, name, data)
	if err != nil {
		return nil, err // not k, which would be a signer
	}
	return k, nil
}

// keyNames are how the text forms of keys begin.
var keyNames = []string{"ed25519", "secp256r1", "mldsa44", "mldsa65"}

func isPrivateText(name string) bool {
	head, _, ok := strings.Cut(strings.ToLower(trim(name)), "-private/")
	return ok && slices.Contains(keyNames, head)
}

func isPublicText(name string) bool {
	head, _, ok := strings.Cut(name, "/")
	return ok && slices.Contains(keyNames, head)
}

// parsePrivateKey reads what a key file holds.
func parsePrivateKey(env *Env, name string, data []byte) (token.PrivateKey, error) {
	k, err := token.ParsePrivateKey(data, func() ([]byte, error) {
		if env.Passphrase == nil {
			return nil, errors.New("the key needs a passphrase, and there is nobody to ask for it")
		}
		return env.Passphrase(name)
	})
	if err == nil {
		return k, nil
	}
	err = usagef("%s: %s", shown(name), err)
	if _, e := token.ParsePublicKey(string(data)); e == nil {
		err = hintf(err, "this is a public key: the private one usually has the same name without .pub")
	}
	return k, err
}

// readPublicKey reads the text form of a key, or a file with one.
func readPublicKey(env *Env, name string) (token.PublicKey, error) {
	if isPrivateText(name) {
		return token.PublicKey{}, usagef("a public key is needed here, and this is a private one")
	}
	if isPublicText(name) || strings.Contains(name, " ") {
		if k, err := token.ParsePublicKey(name); err == nil {
			return k, nil
		} else if _, statErr := os.Stat(env.path(name)); statErr != nil {
			return k, usagef("public key: %s", err)
		}
	}
	data, err := env.read(name, maxInput)
	if err != nil {
		return token.PublicKey{}, err
	}
	k, err := token.ParsePublicKey(string(data))
	if err != nil {
		err = usagef("%s: %s", shown(name), err)
		if strings.Contains(string(data), "PRIVATE KEY") || isPrivateText(string(data)) {
			err = hintf(err, "this is a private key: the public one is usually %s.pub", shown(name))
		}
		return k, err
	}
	return k, nil
}

// askPassphrase takes a passphrase from the environment, or reads it from the
// terminal without showing it.
func askPassphrase(file string) ([]byte, error) {
	if p, ok := os.LookupEnv("WHITTLE_PASSPHRASE"); ok {
		return []byte(p), nil
	}
	terminal := os.Stdin
	if !term.IsTerminal(int(terminal.Fd())) {
		// Standard input may be a token.
		tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
		if err != nil {
			return nil, errors.New("the key needs a passphrase: there is no terminal to ask for it, and WHITTLE_PASSPHRASE is not set")
		}
		defer tty.Close()
		terminal = tty
	}
	fmt.Fprintf(os.Stderr, "Passphrase for %s: ", oneLine(file))
	defer fmt.Fprintln(os.Stderr)
	return term.ReadPassword(int(terminal.Fd()))
}
