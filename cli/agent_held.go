package cli

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	localagent "github.com/whittle-auth/whittle/attenuate/agent"
	"github.com/whittle-auth/whittle/cli/reading"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
)

func agentAddCommand(env *Env) *cli.Command {
	return &cli.Command{
		Name:      "add",
		Usage:     "give the agent a token to hold, or its holder's key, or both",
		UsageText: "whittle agent add [--key FILE] [--name NAME] [--json] [TOKEN]",
		Flags: []cli.Flag{
			valueFlag("key", "the private key `FILE` of the token's holder; the agent may have it already"),
			valueFlag("name", "what to call the token, `NAME`; it is called as its file where that can be a name"),
			jsonFlag(),
		},
		Action: func(c *cli.Context) error { return addToAgent(c, env) },
	}
}

func addToAgent(c *cli.Context, env *Env) error {
	file := ""
	if c.NArg() > 0 {
		args, err := arguments(c, "TOKEN")
		if err != nil {
			return err
		}
		file = args[0]
	}
	key, err := keyToAdd(c, env)
	if err != nil {
		return err
	}
	client, err := runningAgent()
	if err != nil {
		return err
	}
	if file == "" {
		if err := needs(c, "name", "TOKEN"); err != nil {
			return usagef("--name means nothing without TOKEN")
		}
		if key.IsZero() {
			return usagef("nothing to do: neither TOKEN nor --key is given")
		}
		if err := client.AddKey(c.Context, key); err != nil {
			return withoutAgent(err)
		}
		return describeHeld(c, env, nil, []token.PublicKey{key.Public()})
	}
	name := c.String("name")
	if name == "" {
		name = filepath.Base(file)
	}
	if !localagent.IsName(name) {
		return usagef("--name is missing, or no name: 1 to 64 letters, digits, - and _, the first no -")
	}
	u, err := readToken(env, file, false)
	if err != nil {
		return err
	}
	added, err := client.Add(c.Context, name, u.Text(), key)
	if err != nil {
		return withoutAgent(err)
	}
	if !added.Rooted {
		hint(env.Stderr, "the agent was started without --trust: nothing shows who minted the token")
	}
	return describeHeld(c, env, []localagent.Token{*added}, nil)
}

// keyToAdd reads the key that is given away.
func keyToAdd(c *cli.Context, env *Env) (token.PrivateKey, error) {
	file := c.String("key")
	if file == "" {
		return token.PrivateKey{}, nil
	}
	signer, err := readSigner(env, file)
	if err != nil {
		return token.PrivateKey{}, err
	}
	key, ok := signer.(token.PrivateKey)
	if !ok {
		return token.PrivateKey{}, hintf(usagef("%s is in the ssh-agent, which does not give it away", shown(file)), "whittle agent --key %s uses it from there", shown(file))
	}
	return key, nil
}

func agentListCommand(env *Env) *cli.Command {
	return &cli.Command{
		Name:      "list",
		Usage:     "show which tokens the agent holds, what they allow, and its keys",
		UsageText: "whittle agent list [--json]",
		Flags:     []cli.Flag{jsonFlag()},
		Action: func(c *cli.Context) error {
			if _, err := arguments(c); err != nil {
				return err
			}
			client, err := runningAgent()
			if err != nil {
				return err
			}
			tokens, keys, err := client.List(c.Context)
			if err != nil {
				return withoutAgent(err)
			}
			return describeHeld(c, env, tokens, keys)
		},
	}
}

// describeHeld shows tokens and keys of an agent.
func describeHeld(c *cli.Context, env *Env, tokens []localagent.Token, keys []token.PublicKey) error {
	if c.Bool("json") {
		if tokens == nil {
			tokens = []localagent.Token{}
		}
		if keys == nil {
			keys = []token.PublicKey{}
		}
		return printJSON(env.Stdout, struct {
			Tokens []localagent.Token `json:"tokens"`
			Keys   []token.PublicKey  `json:"keys"`
		}{tokens, keys})
	}
	var b strings.Builder
	for _, t := range tokens {
		fmt.Fprintf(&b, "%s: %s -> %s", t.Name, delegation.PlainName(t.Delegator), delegation.PlainName(t.Holder))
		if !t.Rooted {
			b.WriteString(", not verified from a trusted root")
		}
		b.WriteString("\n")
		if !t.Expires.IsZero() {
			fmt.Fprintf(&b, "   expires %s\n", reading.Stamp(t.Expires))
		}
		for _, text := range t.Scope {
			if !strings.HasPrefix(text, "expires ") {
				fmt.Fprintf(&b, "   %s\n", reading.OneLine(text))
			}
		}
		if t.Omitted > 0 {
			fmt.Fprintf(&b, "   and %d more\n", t.Omitted)
		}
	}
	for _, k := range keys {
		fmt.Fprintf(&b, "key %s\n", k)
	}
	_, err := io.WriteString(env.Stdout, b.String())
	return err
}

func agentShowCommand(env *Env) *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "print a token as the agent holds it, for inspect, explain and others; it is worth nothing without its key",
		UsageText: "whittle agent show [-o FILE] NAME",
		Flags:     []cli.Flag{outFlag()},
		Action: func(c *cli.Context) error {
			args, err := arguments(c, "NAME")
			if err != nil {
				return err
			}
			client, err := runningAgent()
			if err != nil {
				return err
			}
			text, err := client.Held(c.Context, args[0])
			if err != nil {
				return withoutAgent(err)
			}
			return emit(c, env, []byte(text+"\n"))
		},
	}
}

func agentRemoveCommand(env *Env) *cli.Command {
	return &cli.Command{
		Name:      "remove",
		Usage:     "make the agent forget a token, a key with all tokens that it holds, or everything",
		UsageText: "whittle agent remove NAME | --key FILE|TEXT | --all",
		Flags: []cli.Flag{
			valueFlag("key", "forget this public key, a `FILE` or text such as ed25519/HEX, and the tokens that it holds"),
			boolFlag("all", "forget everything"),
		},
		Action: func(c *cli.Context) error { return removeFromAgent(c, env) },
	}
}

func removeFromAgent(c *cli.Context, env *Env) error {
	if err := atMostOne(c, "key", "all"); err != nil {
		return err
	}
	names := []string{"NAME"}
	if c.IsSet("key") || c.IsSet("all") {
		names = nil
	}
	args, err := arguments(c, names...)
	if err != nil {
		return err
	}
	client, err := runningAgent()
	if err != nil {
		return err
	}
	switch {
	case c.Bool("all"):
		err = client.Clear(c.Context)
	case c.IsSet("key"):
		key, err := readPublicKey(env, c.String("key"))
		if err != nil {
			return err
		}
		return withoutAgent(client.RemoveKey(c.Context, key))
	default:
		if !localagent.IsName(args[0]) {
			return usagef("%s can be no token's name", quoted(args[0]))
		}
		err = client.Remove(c.Context, args[0])
	}
	return withoutAgent(err)
}
