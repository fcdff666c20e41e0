package cli

import (
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
)

// biscuitCommand is plain Biscuit, with the verbs and flags of biscuit-cli: it
// knows nothing of delegation. Its flags that open an editor are refused.
func biscuitCommand(env *Env) *cli.Command {
	command := func(name, usage, args string, action func(*cli.Context, *Env) error, flags ...[]cli.Flag) *cli.Command {
		return &cli.Command{
			Name: name, Usage: usage, UsageText: "whittle biscuit " + name + " [flags] " + args,
			Flags:  append(slices.Concat(flags...), jsonFlag()),
			Action: func(c *cli.Context) error { return action(c, env) },
		}
	}
	request := command("generate-request", "make a request for a third-party block", "TOKEN", generateRequest, tokenFlags(), outputFlags())
	request.Aliases = []string{"generate-third-party-block-request"}
	return &cli.Command{
		Name:      "biscuit",
		Usage:     "plain Biscuit tokens, for use with any other implementation",
		UsageText: "whittle biscuit COMMAND [flags] [arguments]",
		Subcommands: []*cli.Command{
			command("keypair", "make or convert a key pair", "", keypair, keypairFlags()),
			command("generate", "make a token from a block of Datalog", "DATALOG_FILE", generate, privateKeyFlags(), contentFlags(), generateFlags()),
			command("attenuate", "append a block to a token", "TOKEN", biscuitAttenuate, blockFlags(), contentFlags(), tokenFlags(), outputFlags()),
			command("inspect", "show a token, verify it and authorize it", "TOKEN", biscuitInspect, inspectFlags(), evaluationFlags(), tokenFlags()),
			command("inspect-snapshot", "show and query a snapshot", "SNAPSHOT", inspectSnapshot, evaluationFlags(), tokenFlags()),
			command("authorize", "decide by a token and an authorizer", "TOKEN", biscuitAuthorize, authorizeFlags(), evaluationFlags(), tokenFlags()),
			command("seal", "end a token, so that nothing can be appended", "TOKEN", biscuitSeal, tokenFlags(), outputFlags()),
			request,
			command("generate-third-party-block", "sign a block for the token that made the request", "REQUEST", thirdPartyBlock,
				privateKeyFlags(), blockFlags(), contentFlags(), tokenFlags(), outputFlags()),
			command("append-third-party-block", "append a block that a third party signed", "TOKEN", appendThirdParty, contentsFlags(), tokenFlags(), outputFlags()),
		},
	}
}

func tokenFlags() []cli.Flag {
	return []cli.Flag{boolFlag("raw-input", "the input is raw bytes (without it, they are noticed)")}
}

func outputFlags() []cli.Flag {
	return []cli.Flag{boolFlag("raw-output", "write raw bytes, not base64"), outFlag()}
}

func generateFlags() []cli.Flag {
	return []cli.Flag{
		valueFlag("root-key-id", "a hint at the root key, a `NUMBER`"),
		boolFlag("raw", "write raw bytes, not base64"), outFlag(),
	}
}

func generate(c *cli.Context, env *Env) error {
	args, err := arguments(c, "DATALOG_FILE")
	if err != nil {
		return noEditor(err)
	}
	o := new(token.MintOptions)
	id, err := count(c, "root-key-id", 32)
	if err != nil {
		return err
	}
	if c.IsSet("root-key-id") {
		id32 := uint32(id)
		o.RootKeyID = &id32
	}
	key, err := biscuitPrivateKey(c, env)
	if err != nil {
		return err
	}
	source, err := env.read(args[0], maxInput)
	if err != nil {
		return err
	}
	block, err := contentOf(c, env, shown(args[0]), string(source))
	if err != nil {
		return err
	}
	next, err := token.FreshKey(datalog.Ed25519)
	if err != nil {
		return err
	}
	t, err := token.Mint(key, block, next, o)
	if err != nil {
		return err
	}
	return emitBiscuit(c, env, t, c.Bool("raw"))
}

// noEditor explains why nothing opens where biscuit-cli starts an editor.
func noEditor(err error) error {
	return hintf(err, "no editor is opened here: give the Datalog by a flag or a file, or - for standard input")
}

func biscuitAttenuate(c *cli.Context, env *Env) error {
	return extendBiscuit(c, env, func(t token.Chain, next token.Next) (token.Chain, error) {
		block, err := blockOf(c, env)
		if err != nil {
			return nil, err
		}
		return t.Append(nil, block, next)
	})
}

func biscuitSeal(c *cli.Context, env *Env) error {
	return extendBiscuit(c, env, func(t token.Chain, _ token.Next) (token.Chain, error) { return t.Seal(nil) })
}

// extendBiscuit reads a token and writes what becomes of it. The root's
// signature is not looked at: whoever narrows a Biscuit need not know its root.
func extendBiscuit(c *cli.Context, env *Env, extend func(token.Chain, token.Next) (token.Chain, error)) error {
	t, err := readChain(c, env)
	if err != nil {
		return err
	}
	next, err := token.FreshKey(datalog.Ed25519)
	if err != nil {
		return err
	}
	longer, err := extend(t, next)
	if err != nil {
		return err
	}
	return emitBiscuit(c, env, longer, c.Bool("raw-output"))
}

// readChain reads the TOKEN argument and verifies all but the root's signature.
func readChain(c *cli.Context, env *Env) (token.Chain, error) {
	args, err := arguments(c, "TOKEN")
	if err != nil {
		return nil, err
	}
	u, err := readToken(env, args[0], c.Bool("raw-input"))
	if err != nil {
		return nil, err
	}
	t, err := u.VerifyUnrooted()
	if err != nil {
		return nil, err
	}
	return t, nil
}

func emitBiscuit(c *cli.Context, env *Env, t token.Chain, raw bool) error {
	data := []byte(t.Text() + "\n")
	if raw {
		data = t.Bytes()
	}
	if c.Bool("json") {
		return emitJSON(c, env, map[string]string{"token": t.Text(), "form": t.Form().String()}, data)
	}
	return emit(c, env, data)
}

// emitMessage writes a message of a third party's, or for one.
func emitMessage(c *cli.Context, env *Env, message []byte) error {
	text := token.EncodeText(message)
	data := []byte(text + "\n")
	if c.Bool("raw-output") {
		data = message
	}
	if c.Bool("json") {
		return emitJSON(c, env, map[string]string{"message": text}, data)
	}
	return emit(c, env, data)
}
