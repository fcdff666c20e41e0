package cli

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/verify"
)

// evaluationFlags are common to all that evaluates.
func evaluationFlags() []cli.Flag {
	return []cli.Flag{
		listFlag("param", "a value for {NAME} in the Datalog: NAME[:TYPE]=VALUE (repeatable)"),
		stringFlag("query", "a `RULE` whose facts to print after the evaluation"),
		boolFlag("query-all", "let the query see the facts of all blocks, whoever wrote them"),
		&cli.UintFlag{Name: "max-facts", Usage: "how many facts there may be"},
		&cli.UintFlag{Name: "max-iterations", Usage: "how many rounds of rules"},
		boolFlag("include-time", "state the current time"),
	}
}

func inspectFlags() []cli.Flag {
	return append(evaluationFlags(),
		stringFlag("public-key", "verify with this root public `KEY`"),
		stringFlag("public-key-file", "verify with the root public key in this `FILE`"),
		stringFlag("public-key-format", "hex or pem (both are noticed)"),
		stringFlag("authorize-with", "authorize with this `DATALOG`"),
		stringFlag("authorize-with-file", "authorize with this `FILE` of Datalog"),
		stringFlag("dump-snapshot-to", "write a snapshot of the authorization to `FILE`"),
		boolFlag("dump-raw-snapshot", "write the snapshot as raw bytes"),
	)
}

func biscuitInspect(c *cli.Context, env *Env) error {
	args, err := arguments(c, "TOKEN")
	if err != nil {
		return err
	}
	u, err := readToken(env, args[0])
	if err != nil {
		return err
	}
	blocks, err := u.UnverifiedBlocks()
	if err != nil {
		return err
	}
	root, err := inspectRoot(c, env)
	if err != nil {
		return err
	}
	authorizer, err := inspectAuthorizer(c, env)
	if err != nil {
		return err
	}
	if authorizer != nil && root.IsZero() {
		return usagef("a token is authorized only once it is verified: --public-key is missing")
	}
	var report *verify.Report
	var failed error
	if !root.IsZero() {
		t, err := u.Verify(root)
		failed = err
		if err == nil && authorizer != nil {
			report, failed = inspectAuthorize(c, env, t, authorizer)
			if report == nil {
				return failed
			}
		}
	}
	if c.Bool("json") {
		out := struct {
			Token         []blockJSON    `json:"token"`
			RootKeyID     *uint32        `json:"root_key_id"`
			Form          string         `json:"form"`
			Verified      *bool          `json:"verified"`
			Authorization *verify.Report `json:"authorization,omitempty"`
		}{blocksJSON(blocks), rootKeyID(u), u.Form().String(), nil, report}
		if !root.IsZero() {
			verified := failed == nil || report != nil
			out.Verified = &verified
		}
		if err := printJSON(env.Stdout, out); err != nil {
			return err
		}
		return failed
	}
	printBlocks(env, u, blocks)
	switch {
	case root.IsZero():
		fmt.Fprintln(env.Stdout, "signatures: not verified, no public key was given")
	case failed == nil || report != nil:
		fmt.Fprintln(env.Stdout, "signatures: verified")
	}
	if report != nil && failed == nil {
		fmt.Fprintln(env.Stdout, "authorization: allowed")
	}
	return failed
}

// inspectRoot returns the root key to verify with, the zero key if none is
// given.
func inspectRoot(c *cli.Context, env *Env) (token.PublicKey, error) {
	text, file := c.String("public-key"), c.String("public-key-file")
	switch {
	case text != "" && file != "":
		return token.PublicKey{}, usagef("--public-key and --public-key-file exclude each other")
	case text != "":
		k, err := token.ParsePublicKey(text)
		if err != nil {
			err = usagef("--public-key: %s", err)
		}
		return k, err
	case file != "":
		return readPublicKey(env, file)
	}
	return token.PublicKey{}, nil
}

// inspectAuthorizer returns the authorizer to decide with, nil if none is given.
func inspectAuthorizer(c *cli.Context, env *Env) (*datalog.Authorizer, error) {
	source, file := c.String("authorize-with"), c.String("authorize-with-file")
	switch {
	case source != "" && file != "":
		return nil, usagef("--authorize-with and --authorize-with-file exclude each other")
	case source == "" && file == "":
		return nil, nil
	case file != "":
		data, err := readInput(env, file)
		if err != nil {
			return nil, err
		}
		return authorizerOf(c, env, file, string(data))
	}
	return authorizerOf(c, env, "--authorize-with", source)
}

func authorizerOf(c *cli.Context, env *Env, name, source string) (*datalog.Authorizer, error) {
	params, err := parseParams(values(c, "param"))
	if err != nil {
		return nil, err
	}
	a, err := datalog.ParseAuthorizer(source, params)
	if err != nil {
		return nil, usagef("%s: %s", name, err)
	}
	if c.Bool("include-time") {
		a.Facts = append(a.Facts, datalog.Predicate{Name: "time", Terms: []datalog.Term{datalog.Date(env.Now().Unix())}})
	}
	return a, nil
}

// inspectAuthorize authorizes and does what the flags ask for with the outcome.
func inspectAuthorize(c *cli.Context, env *Env, t *token.Token, a *datalog.Authorizer) (*verify.Report, error) {
	out, failed := verify.Authorize(t, a, authorizeOptions(c))
	if file := c.String("dump-snapshot-to"); file != "" {
		if err := dumpSnapshot(out, file, c.Bool("dump-raw-snapshot")); err != nil {
			return nil, err
		}
	}
	if err := printQuery(c, env, out); err != nil {
		return nil, err
	}
	report := verify.NewReport(out, failed)
	return &report, failed
}

func authorizeOptions(c *cli.Context) *verify.AuthorizeOptions {
	return &verify.AuthorizeOptions{Limits: verify.Limits{
		Facts:      int(min(c.Uint("max-facts"), 1<<30)),
		Iterations: int(min(c.Uint("max-iterations"), 1<<30)),
	}}
}

func dumpSnapshot(a *verify.Authorization, file string, raw bool) error {
	s, err := a.Snapshot()
	if err != nil {
		return err
	}
	data, err := s.Encode()
	if err != nil {
		return err
	}
	if !raw {
		data = []byte(token.EncodeText(data) + "\n")
	}
	return writeFile(file, data)
}

// printQuery prints what --query finds.
func printQuery(c *cli.Context, env *Env, a *verify.Authorization) error {
	source := c.String("query")
	if source == "" {
		return nil
	}
	params, err := parseParams(values(c, "param"))
	if err != nil {
		return err
	}
	rule, err := datalog.ParseRule(source, params)
	if err != nil {
		return usagef("--query: %s", err)
	}
	query := a.Query
	if c.Bool("query-all") {
		query = a.QueryAll
	}
	facts, err := query(rule)
	if err != nil {
		return err
	}
	for _, f := range facts {
		fmt.Fprintf(env.Stdout, "%s;\n", oneLine(f.String()))
	}
	return nil
}

func printBlocks(env *Env, u *token.Unverified, blocks []token.Block) {
	var b strings.Builder
	fmt.Fprintf(&b, "form: %s\n", u.Form())
	if id, ok := u.RootKeyID(); ok {
		fmt.Fprintf(&b, "root key id: %d\n", id)
	}
	for i, block := range blocks {
		fmt.Fprintf(&b, "\nblock %d, Datalog %s%s:\n", i, release(block.Version), by(block))
		if block.Datalog.Context != nil {
			fmt.Fprintf(&b, "// context: %s\n", *block.Datalog.Context)
		}
		b.WriteString(block.Datalog.String())
		fmt.Fprintf(&b, "// revocation id %s\n", hex.EncodeToString(block.Signature))
	}
	fmt.Fprintln(env.Stdout, manyLines(b.String()))
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
	root, err := readPublicKey(env, keyName)
	if err != nil {
		return err
	}
	source, err := readInput(env, file)
	if err != nil {
		return err
	}
	a, err := authorizerOf(c, env, file, string(source))
	if err != nil {
		return err
	}
	t, out, failed := authorizeFile(c, env, args[0], root, a)
	if t == nil {
		if _, ok := errors.AsType[*token.Error](failed); !ok {
			return failed // the file could not even be read
		}
	} else if err := printQuery(c, env, out); err != nil {
		return err
	}
	if c.Bool("json") {
		if err := printJSON(env.Stdout, verify.NewReport(out, failed)); err != nil {
			return err
		}
	} else if failed == nil {
		policy, index, _ := out.Policy()
		fmt.Fprintf(env.Stdout, "allowed by policy %d: %s\n", index, oneLine(policy.String()))
	}
	return failed
}

// authorizeFile reads, verifies and authorizes. Without a token the error is
// that of reading or verifying it.
func authorizeFile(c *cli.Context, env *Env, name string, root token.PublicKey, a *datalog.Authorizer) (*token.Token, *verify.Authorization, error) {
	u, err := readToken(env, name)
	if err != nil {
		return nil, nil, err
	}
	t, err := u.Verify(root)
	if err != nil {
		return nil, nil, err
	}
	out, err := verify.Authorize(t, a, authorizeOptions(c))
	return t, out, err
}

func inspectSnapshot(c *cli.Context, env *Env) error {
	args, err := arguments(c, "SNAPSHOT")
	if err != nil {
		return err
	}
	data, err := readMessage(env, args[0])
	if err != nil {
		return err
	}
	s, err := token.ParseSnapshot(data, nil)
	if err != nil {
		return err
	}
	out, failed := verify.AuthorizeUnverified(s, authorizeOptions(c))
	if err := printQuery(c, env, out); err != nil {
		return err
	}
	if c.Bool("json") {
		if err := printJSON(env.Stdout, verify.NewReport(out, failed)); err != nil {
			return err
		}
		return failed
	}
	var b strings.Builder
	for i, block := range s.Blocks {
		fmt.Fprintf(&b, "// block %d\n%s\n", i, block.Datalog)
	}
	a := datalog.Authorizer{Policies: s.Policies}
	if s.Authorizer.Datalog != nil {
		a.Block = *s.Authorizer.Datalog
	}
	fmt.Fprintf(&b, "// authorizer\n%s\n", &a)
	fmt.Fprint(env.Stdout, manyLines(b.String()))
	hint(env.Stderr, "a snapshot is not signed: nothing shows that its blocks were those of a token")
	return failed
}
