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
		UsageText: "whittle keygen [--alg ed25519|p256|mldsa44|mldsa65] -o FILE",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "alg", Value: "ed25519", Usage: "ed25519, p256, or for root keys mldsa44 or mldsa65"},
			valueFlag("o", "write the private key to `FILE`, which must not exist"),
			valueFlag("comment", "a comment, `TEXT`, in both files (of mldsa44 and mldsa65 in FILE.pub only)"),
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
	if file == "-" {
		return usagef("a key pair is two files: -o needs the name of one")
	}
	alg, err := algorithm("alg", c.String("alg"))
	if err != nil {
		return err
	}
	key, err := token.GenerateKey(alg)
	if err != nil {
		return err
	}
	private, err := privateFile(key, c.String("comment"))
	if err != nil {
		return usagef("%s", err)
	}
	if _, err := os.Lstat(env.path(file + ".pub")); err == nil {
		return usagef("%s.pub exists already and is not overwritten", file)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return about(file+".pub", err)
	}
	if err := env.create(file, private, 0o600); err != nil {
		return err
	}
	public := key.Public().AuthorizedKey(c.String("comment"))
	if err := env.create(file+".pub", []byte(public+"\n"), 0o644); err != nil {
		os.Remove(env.path(file))
		return err
	}
	if c.Bool("json") {
		return printJSON(env.Stdout, map[string]string{"private": file, "public": file + ".pub", "key": key.Public().String()})
	}
	fmt.Fprintln(env.Stdout, key.Public())
	return nil
}

// privateFile writes a key as OpenSSH does, or in PKCS#8 where OpenSSH has no form
// for it.
func privateFile(key token.PrivateKey, comment string) ([]byte, error) {
	if key.Public().RootOnly() {
		return key.MarshalPEM()
	}
	return key.MarshalOpenSSH(comment, nil)
}

func algorithm(flag, name string) (datalog.Algorithm, error) {
	switch name {
	case "ed25519":
		return datalog.Ed25519, nil
	case "p256", "secp256r1":
		return datalog.Secp256r1, nil
	case "mldsa44":
		return datalog.MLDSA44, nil
	case "mldsa65":
		return datalog.MLDSA65, nil
	}
	return 0, usagef("%s %s is none of ed25519, p256, mldsa44 and mldsa65", dashed(flag), quoted(name))
}
