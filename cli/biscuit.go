package cli

import (
	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
)

// biscuitCommand is plain Biscuit, with the verbs and flags of biscuit-cli: it
// knows nothing of delegation.
func biscuitCommand(env *Env) *cli.Command {
	rawInput := boolFlag("raw-input", "the input is raw bytes (this is also noticed)")
	rawOutput := boolFlag("raw-output", "write raw bytes, not base64")
	command := func(name, usage, args string, action func(*cli.Context, *Env) error, flags ...[]cli.Flag) *cli.Command {
		c := &cli.Command{Name: name, Usage: usage, UsageText: "whittle biscuit " + name + " [flags] " + args}
		for _, f := range flags {
			c.Flags = append(c.Flags, f...)
		}
		c.Flags = append(c.Flags, outFlag(), jsonFlag())
		c.Action = func(ctx *cli.Context) error { return action(ctx, env) }
		return c
	}
	request := command("generate-request", "make a request for a third-party block", "TOKEN", generateRequest, []cli.Flag{rawInput, rawOutput})
	request.Aliases = []string{"generate-third-party-block-request"}
	return &cli.Command{
		Name:  "biscuit",
		Usage: "plain Biscuit tokens, for use with any other implementation",
		Subcommands: []*cli.Command{
			command("keypair", "make or convert a key pair", "", keypair, keypairFlags()),
			command("generate", "make a token from a block of Datalog", "DATALOG_FILE", generate,
				privateKeyFlags(), contentFlags(), []cli.Flag{&cli.UintFlag{Name: "root-key-id", Usage: "hint at the root key"}, boolFlag("raw", "write raw bytes, not base64")}),
			command("attenuate", "append a block to a token", "TOKEN", biscuitAttenuate, blockFlags(), contentFlags(), []cli.Flag{rawInput, rawOutput}),
			command("inspect", "show a token, verify it and authorize it", "TOKEN", biscuitInspect, inspectFlags(), []cli.Flag{rawInput}),
			command("inspect-snapshot", "show and query a snapshot", "SNAPSHOT", inspectSnapshot, evaluationFlags(), []cli.Flag{rawInput}),
			command("authorize", "decide by a token and an authorizer", "TOKEN", biscuitAuthorize,
				[]cli.Flag{stringFlag("root-key", "the root public `KEY`: text, or a file"), stringFlag("authorizer", "the authorizer, a `FILE` of Datalog"), rawInput}, evaluationFlags()),
			command("seal", "end a token, so that nothing can be appended", "TOKEN", biscuitSeal, []cli.Flag{rawInput, rawOutput}),
			request,
			command("generate-third-party-block", "sign a block for the token that made the request", "REQUEST", thirdPartyBlock,
				privateKeyFlags(), blockFlags(), contentFlags(), []cli.Flag{rawInput, rawOutput}),
			command("append-third-party-block", "append a block that a third party signed", "TOKEN", appendThirdParty,
				[]cli.Flag{stringFlag("block-contents", "the signed block, as text"), stringFlag("block-contents-file", "the signed block, a `FILE`"),
					boolFlag("raw-block-contents", "that file is raw bytes (this is also noticed)"), rawInput, rawOutput}),
		},
	}
}

func boolFlag(name, usage string) cli.Flag   { return &cli.BoolFlag{Name: name, Usage: usage} }
func stringFlag(name, usage string) cli.Flag { return &cli.StringFlag{Name: name, Usage: usage} }

func generate(c *cli.Context, env *Env) error {
	args, err := arguments(c, "DATALOG_FILE")
	if err != nil {
		return err
	}
	key, err := biscuitPrivateKey(c, env)
	if err != nil {
		return err
	}
	source, err := readInput(env, args[0])
	if err != nil {
		return err
	}
	block, err := contentOf(c, env, args[0], string(source))
	if err != nil {
		return err
	}
	next, err := token.FreshKey(datalog.Ed25519)
	if err != nil {
		return err
	}
	o := new(token.MintOptions)
	if c.IsSet("root-key-id") {
		id := c.Uint("root-key-id")
		if uint64(id) > 1<<32-1 {
			return usagef("--root-key-id has at most 32 bits")
		}
		id32 := uint32(id)
		o.RootKeyID = &id32
	}
	t, err := token.Mint(key, block, next, o)
	if err != nil {
		return err
	}
	return emitBiscuit(c, env, t, c.Bool("raw"))
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

func appendThirdParty(c *cli.Context, env *Env) error {
	return extendBiscuit(c, env, func(t token.Chain, next token.Next) (token.Chain, error) {
		contents, err := messageFlag(c, env, "block-contents")
		if err != nil {
			return nil, err
		}
		return t.AppendThirdParty(nil, contents, next)
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

func generateRequest(c *cli.Context, env *Env) error {
	t, err := readChain(c, env)
	if err != nil {
		return err
	}
	return emitMessage(c, env, t.Request())
}

func thirdPartyBlock(c *cli.Context, env *Env) error {
	args, err := arguments(c, "REQUEST")
	if err != nil {
		return err
	}
	key, err := biscuitPrivateKey(c, env)
	if err != nil {
		return err
	}
	request, err := readMessage(env, args[0])
	if err != nil {
		return err
	}
	block, err := blockOf(c, env)
	if err != nil {
		return err
	}
	contents, err := token.SignThirdParty(request, key, block)
	if err != nil {
		return err
	}
	return emitMessage(c, env, contents)
}

// readChain reads the TOKEN argument and verifies all but the root's signature.
func readChain(c *cli.Context, env *Env) (token.Chain, error) {
	args, err := arguments(c, "TOKEN")
	if err != nil {
		return nil, err
	}
	u, err := readToken(env, args[0])
	if err != nil {
		return nil, err
	}
	return u.VerifyUnrooted()
}

func emitBiscuit(c *cli.Context, env *Env, t token.Chain, raw bool) error {
	switch {
	case c.Bool("json"):
		return printJSON(env.Stdout, map[string]string{"token": t.Text(), "form": t.Form().String()})
	case raw:
		return emit(env, c.String("o"), t.Bytes())
	}
	return emit(env, c.String("o"), []byte(t.Text()+"\n"))
}

func emitMessage(c *cli.Context, env *Env, message []byte) error {
	switch {
	case c.Bool("json"):
		return printJSON(env.Stdout, map[string]string{"message": token.EncodeText(message)})
	case c.Bool("raw-output"):
		return emit(env, c.String("o"), message)
	}
	return emit(env, c.String("o"), []byte(token.EncodeText(message)+"\n"))
}
