package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
)

func keygenCommand(env *Env) *cli.Command {
	return &cli.Command{
		Name:      "keygen",
		Usage:     "make a key pair: FILE, and FILE.pub with the public half",
		UsageText: "whittle keygen [--alg ed25519|p256] -o FILE",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "alg", Value: "ed25519", Usage: "ed25519 or p256"},
			&cli.StringFlag{Name: "o", Usage: "write the private key to `FILE`, which must not exist"},
			&cli.StringFlag{Name: "comment", Usage: "comment in the key files"},
			jsonFlag(),
		},
		Action: func(c *cli.Context) error { return keygen(c, env) },
	}
}

func keygen(c *cli.Context, env *Env) error {
	if _, err := arguments(c); err != nil {
		return err
	}
	file, err := required(c, "o")
	if err != nil {
		return err
	}
	alg, err := algorithm(c.String("alg"))
	if err != nil {
		return err
	}
	key, err := token.GenerateKey(alg)
	if err != nil {
		return err
	}
	private, err := key.MarshalOpenSSH(c.String("comment"), nil)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(file + ".pub"); !errors.Is(err, fs.ErrNotExist) {
		return usagef("%s.pub exists already and is not overwritten", file)
	}
	if err := createFile(file, private, 0o600); err != nil {
		return err
	}
	public := key.Public().AuthorizedKey(c.String("comment"))
	if err := createFile(file+".pub", []byte(public+"\n"), 0o644); err != nil {
		os.Remove(file)
		return err
	}
	if c.Bool("json") {
		return printJSON(env.Stdout, map[string]string{"private": file, "public": file + ".pub", "key": key.Public().String()})
	}
	fmt.Fprintln(env.Stdout, key.Public())
	return nil
}

func algorithm(name string) (datalog.Algorithm, error) {
	switch name {
	case "ed25519":
		return datalog.Ed25519, nil
	case "p256", "secp256r1":
		return datalog.Secp256r1, nil
	}
	return 0, usagef("--alg %q is neither ed25519 nor p256", name)
}

// createFile writes a new file and never touches one that exists.
func createFile(name string, data []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return usagef("%s exists already and is not overwritten", name)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Close()); err != nil {
		os.Remove(name)
		return err
	}
	return nil
}
