package cli

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/verify"
)

func authorizeFlags() []cli.Flag {
	return []cli.Flag{
		valueFlag("root-key", "the root public `KEY`: text, or a file"),
		valueFlag("authorizer", "the authorizer, a `FILE` of Datalog"),
	}
}

// An authorization is a report in the shape of the Biscuit project's
// samples.json, and what --query found.
type authorization struct {
	verify.Report
	Query *[]string `json:"query,omitempty"`
}

func biscuitAuthorize(c *cli.Context, env *Env) error {
	args, err := arguments(c, "TOKEN")
	if err != nil {
		return err
	}
	keyName, err := required(c, "root-key")
	if err != nil {
		return err
	}
	file, err := required(c, "authorizer")
	if err != nil {
		return err
	}
	root, err := rootKey(env, keyName)
	if err != nil {
		return err
	}
	ev, err := readEvaluation(c)
	if err != nil {
		return err
	}
	a, err := ev.authorizerFile(env, file)
	if err != nil {
		return err
	}
	out, failed := authorizeFile(c, env, args[0], root, a, ev)
	var facts []string
	if out == nil {
		if _, ok := errors.AsType[*token.Error](failed); !ok {
			return failed // the token could not even be read
		}
	} else if facts, err = ev.run(out, failed); err != nil {
		return err
	}
	if c.Bool("json") {
		result := authorization{Report: verify.NewReport(out, failed)}
		if facts != nil {
			result.Query = &facts
		}
		return cmp.Or(printJSON(env.Stdout, result), failed)
	}
	if failed == nil {
		fmt.Fprintf(env.Stdout, "allowed by %s\n", allowedBy(out))
	} else {
		fmt.Fprintf(env.Stdout, "denied\n")
	}
	for _, f := range facts {
		fmt.Fprintf(env.Stdout, "%s;\n", oneLine(f))
	}
	return failed
}

// rootKey reads a public key as text, bare hexadecimal digits included, or from
// a file.
func rootKey(env *Env, name string) (token.PublicKey, error) {
	if key, bare := bareKey([]byte(name), ""); bare {
		if k, err := token.NewPublicKey(datalog.Ed25519, key); err == nil {
			return k, nil
		}
	}
	return readPublicKey(env, name)
}

// authorizeFile reads, verifies and authorizes. Without an authorization the
// error is that of reading or verifying the token.
func authorizeFile(c *cli.Context, env *Env, name string, root token.PublicKey, a *datalog.Authorizer, ev *evaluation) (*verify.Authorization, error) {
	u, err := readToken(env, name, c.Bool("raw-input"))
	if err != nil {
		return nil, err
	}
	t, err := u.Verify(root)
	if err != nil {
		return nil, err
	}
	return verify.Authorize(t, a, ev.options)
}
