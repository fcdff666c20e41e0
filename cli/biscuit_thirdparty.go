package cli

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/token"
)

func contentsFlags() []cli.Flag {
	return []cli.Flag{
		valueFlag("block-contents", "the signed block, as `TEXT`"),
		valueFlag("block-contents-file", "the signed block, a `FILE`"),
		boolFlag("raw-block-contents", "that file is raw bytes (without it, they are noticed)"),
	}
}

func generateRequest(c *cli.Context, env *Env) error {
	t, err := readChain(c, env)
	if err != nil {
		return err
	}
	if t.Form() == token.Sealed {
		return token.Errorf(token.CodeProfile, -1, "the token is sealed: nothing can be added to it")
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
	request, err := readMessage(env, args[0], c.Bool("raw-input"))
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

func appendThirdParty(c *cli.Context, env *Env) error {
	if err := needs(c, "raw-block-contents", "block-contents-file"); err != nil {
		return err
	}
	return extendBiscuit(c, env, func(t token.Chain, next token.Next) (token.Chain, error) {
		contents, err := signedContents(c, env)
		if err != nil {
			return nil, err
		}
		return t.AppendThirdParty(nil, contents, next)
	})
}

// signedContents reads the block of --block-contents or --block-contents-file.
func signedContents(c *cli.Context, env *Env) ([]byte, error) {
	if err := atMostOne(c, "block-contents", "block-contents-file"); err != nil {
		return nil, err
	}
	if file := c.String("block-contents-file"); file != "" {
		return readMessage(env, file, c.Bool("raw-block-contents"))
	}
	text := c.String("block-contents")
	if text == "" {
		return nil, usagef("one of --block-contents and --block-contents-file is needed")
	}
	contents, err := token.DecodeText(trim(text), maxInput)
	if err != nil {
		return nil, fmt.Errorf("--block-contents: %w", err)
	}
	return contents, nil
}
