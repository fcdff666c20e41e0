package cli

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
)

func privateKeyFlags() []cli.Flag {
	return []cli.Flag{
		stringFlag("private-key", "the private `KEY`, as text such as ed25519-private/HEX"),
		stringFlag("private-key-file", "the private key, a `FILE`"),
		stringFlag("private-key-format", "hex, pem or raw (text and PEM are also noticed)"),
		stringFlag("private-key-algorithm", "ed25519 or secp256r1, for raw bytes and bare hex"),
	}
}

func contentFlags() []cli.Flag {
	return []cli.Flag{
		listFlag("param", "a value for {NAME} in the Datalog: NAME[:TYPE]=VALUE, of type string, integer, date, bytes, bool or pubkey (repeatable)"),
		stringFlag("context", "free text stored with the block"),
		stringFlag("add-ttl", "add an expiry: a duration such as 15m or 1d, or an RFC 3339 time"),
	}
}

func blockFlags() []cli.Flag {
	return []cli.Flag{
		stringFlag("block", "the block, as `DATALOG`"),
		stringFlag("block-file", "the block, a `FILE` of Datalog"),
	}
}

func biscuitPrivateKey(c *cli.Context, env *Env) (token.PrivateKey, error) {
	text, file := c.String("private-key"), c.String("private-key-file")
	switch {
	case (text == "") == (file == ""):
		return token.PrivateKey{}, usagef("one of --private-key and --private-key-file is needed")
	case text != "":
		return parseBiscuitKey([]byte(text), c.String("private-key-format"), c.String("private-key-algorithm"))
	}
	data, err := readInput(env, file)
	if err != nil {
		return token.PrivateKey{}, err
	}
	format := c.String("private-key-format")
	if format == "" || format == "pem" {
		if k, err := token.ParsePrivateKey(data, func() ([]byte, error) { return env.Passphrase(file) }); err == nil {
			return k, nil
		} else if format == "pem" || strings.Contains(string(data), "-----BEGIN") {
			return k, usagef("%s: %s", file, err)
		}
	}
	return parseBiscuitKey(data, format, c.String("private-key-algorithm"))
}

// parseBiscuitKey reads a private key as biscuit-cli does: text with or without
// the algorithm before it, PEM, or raw bytes.
func parseBiscuitKey(data []byte, format, algName string) (token.PrivateKey, error) {
	alg := datalog.Ed25519
	if algName != "" {
		var err error
		if alg, err = algorithm(algName); err != nil {
			return token.PrivateKey{}, err
		}
	}
	if format == "raw" {
		return usable(token.NewPrivateKey(alg, data))
	}
	text := strings.TrimSpace(string(data))
	if b, err := hex.DecodeString(text); err == nil && format != "pem" {
		return usable(token.NewPrivateKey(alg, b))
	}
	return usable(token.ParsePrivateKey([]byte(text), nil))
}

// usable makes a wrong key wrong usage.
func usable(k token.PrivateKey, err error) (token.PrivateKey, error) {
	if err != nil {
		return k, usagef("private key: %s", err)
	}
	return k, nil
}

// blockOf reads the block of --block or --block-file.
func blockOf(c *cli.Context, env *Env) (*datalog.Block, error) {
	source, file := c.String("block"), c.String("block-file")
	switch {
	case source != "" && file != "":
		return nil, usagef("--block and --block-file exclude each other")
	case source == "" && file == "":
		return nil, usagef("one of --block and --block-file is needed")
	case file != "":
		data, err := readInput(env, file)
		if err != nil {
			return nil, err
		}
		return contentOf(c, env, file, string(data))
	}
	return contentOf(c, env, "--block", source)
}

// contentOf parses a block and adds what --context and --add-ttl say.
func contentOf(c *cli.Context, env *Env, name, source string) (*datalog.Block, error) {
	params, err := parseParams(values(c, "param"))
	if err != nil {
		return nil, err
	}
	block, err := datalog.ParseBlock(source, params)
	if err != nil {
		return nil, usagef("%s: %s", name, err)
	}
	if c.IsSet("context") {
		context := c.String("context")
		block.Context = &context
	}
	if ttl := c.String("add-ttl"); ttl != "" {
		expires, err := time.Parse(time.RFC3339, ttl)
		if err != nil {
			d, err := parseDuration("add-ttl", ttl)
			if err != nil {
				return nil, err
			}
			expires = env.Now().Add(d)
		}
		if expires.Unix() < 0 {
			return nil, usagef("--add-ttl: the time lies before 1970")
		}
		check, err := datalog.ParseCheck("check if time($time), $time <= {expires}",
			&datalog.Params{Terms: map[string]datalog.Term{"expires": datalog.Date(expires.Unix())}})
		if err != nil {
			return nil, err
		}
		block.Checks = append(block.Checks, check)
	}
	return block, nil
}

// parseParams reads NAME[:TYPE]=VALUE.
func parseParams(flags []string) (*datalog.Params, error) {
	if len(flags) == 0 {
		return nil, nil
	}
	p := &datalog.Params{Terms: map[string]datalog.Term{}, Keys: map[string]datalog.Key{}}
	for _, f := range flags {
		left, value, ok := strings.Cut(f, "=")
		name, kind, typed := strings.Cut(left, ":")
		if !ok || name == "" {
			return nil, usagef("--param %q is not of the form NAME[:TYPE]=VALUE", f)
		}
		if !typed {
			kind = "string"
		}
		if kind == "pubkey" {
			key, err := datalog.ParseKey(value)
			if err != nil {
				return nil, usagef("--param %s: %s", name, err)
			}
			p.Keys[name] = key
			continue
		}
		t, err := parseParam(kind, value)
		if err != nil {
			return nil, usagef("--param %s: %s", name, err)
		}
		p.Terms[name] = t
	}
	return p, nil
}

func parseParam(kind, value string) (datalog.Term, error) {
	switch kind {
	case "string":
		return datalog.String(value), nil
	case "integer":
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is no 64-bit integer", value)
		}
		return datalog.Integer(n), nil
	case "date":
		t, err := time.Parse(time.RFC3339, value)
		if err != nil || t.Unix() < 0 {
			return nil, fmt.Errorf("%q is no RFC 3339 time from 1970 on", value)
		}
		return datalog.Date(t.Unix()), nil
	case "bytes":
		b, err := hex.DecodeString(strings.TrimPrefix(value, "hex:"))
		if err != nil || !strings.HasPrefix(value, "hex:") {
			return nil, fmt.Errorf("bytes are written hex:00ff")
		}
		return datalog.Bytes(b), nil
	case "bool":
		if value != "true" && value != "false" {
			return nil, fmt.Errorf("%q is neither true nor false", value)
		}
		return datalog.Bool(value == "true"), nil
	}
	return nil, fmt.Errorf("unknown type %q", kind)
}

// messageFlag reads a message from --NAME or from the file of --NAME-file.
func messageFlag(c *cli.Context, env *Env, name string) ([]byte, error) {
	text, file := c.String(name), c.String(name+"-file")
	switch {
	case (text == "") == (file == ""):
		return nil, usagef("one of --%s and --%s-file is needed", name, name)
	case text != "":
		return token.DecodeText(strings.TrimSpace(text), maxInput)
	}
	return readMessage(env, file)
}

// readMessage reads a file that holds a message as text or as raw bytes.
func readMessage(env *Env, file string) ([]byte, error) {
	data, err := readInput(env, file)
	if err != nil || isRaw(data) {
		return data, err
	}
	return token.DecodeText(strings.TrimSpace(string(data)), maxInput)
}

func keypairFlags() []cli.Flag {
	return []cli.Flag{
		stringFlag("from-private-key", "the private `KEY` to use, instead of a new one"),
		stringFlag("from-file", "a `FILE` with the private key to use"),
		stringFlag("from-format", "hex, pem or raw"),
		stringFlag("from-algorithm", "ed25519 or secp256r1, for raw bytes and bare hex"),
		&cli.StringFlag{Name: "key-algorithm", Value: "ed25519", Usage: "ed25519 or secp256r1"},
		&cli.StringFlag{Name: "key-output-format", Value: "hex", Usage: "hex, pem or raw"},
		boolFlag("only-public-key", "print the public key only"),
		boolFlag("only-private-key", "print the private key only"),
	}
}

func keypair(c *cli.Context, env *Env) error {
	if _, err := arguments(c); err != nil {
		return err
	}
	onlyPublic, onlyPrivate := c.Bool("only-public-key"), c.Bool("only-private-key")
	if onlyPublic && onlyPrivate {
		return usagef("--only-public-key and --only-private-key exclude each other")
	}
	key, err := keypairKey(c, env)
	if err != nil {
		return err
	}
	private, public, err := keypairText(key, c.String("key-output-format"))
	if err != nil {
		return err
	}
	switch {
	case onlyPublic:
		return emit(env, c.String("o"), []byte(public))
	case onlyPrivate:
		return emit(env, c.String("o"), []byte(private))
	case c.Bool("json"):
		return printJSON(env.Stdout, map[string]string{"private": private, "public": public})
	case c.String("key-output-format") == "raw":
		return usagef("raw bytes are written one key at a time: --only-private-key or --only-public-key")
	}
	return emit(env, c.String("o"), fmt.Appendf(nil, "Private key: %s\nPublic key: %s\n", strings.TrimSpace(private), strings.TrimSpace(public)))
}

func keypairKey(c *cli.Context, env *Env) (token.PrivateKey, error) {
	text, file := c.String("from-private-key"), c.String("from-file")
	switch {
	case text != "" && file != "":
		return token.PrivateKey{}, usagef("--from-private-key and --from-file exclude each other")
	case text != "":
		return parseBiscuitKey([]byte(text), c.String("from-format"), c.String("from-algorithm"))
	case file != "":
		data, err := readInput(env, file)
		if err != nil {
			return token.PrivateKey{}, err
		}
		return parseBiscuitKey(data, c.String("from-format"), c.String("from-algorithm"))
	}
	alg, err := algorithm(c.String("key-algorithm"))
	if err != nil {
		return token.PrivateKey{}, err
	}
	return token.GenerateKey(alg)
}

func keypairText(key token.PrivateKey, format string) (private, public string, err error) {
	switch format {
	case "hex":
		return key.Text() + "\n", key.Public().String() + "\n", nil
	case "raw":
		return string(key.Secret()), string(key.Public().Bytes()), nil
	case "pem":
		priv, err := key.MarshalPEM()
		if err != nil {
			return "", "", err
		}
		pub, err := key.Public().MarshalPEM()
		return string(priv), string(pub), err
	}
	return "", "", usagef("--key-output-format %q is none of hex, pem and raw", format)
}
