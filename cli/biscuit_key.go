package cli

import (
	"bytes"
	"encoding/hex"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
)

// A keySource says where a key is and how it is written, by the names of the
// flags that biscuit-cli has for it.
type keySource struct{ text, file, format, algorithm string }

var (
	signingKey    = keySource{"private-key", "private-key-file", "private-key-format", "private-key-algorithm"}
	givenKey      = keySource{"from-private-key", "from-file", "from-format", "from-algorithm"}
	rootPublicKey = keySource{"public-key", "public-key-file", "public-key-format", "public-key-algorithm"}
)

func (s keySource) flags(what string) []cli.Flag {
	return []cli.Flag{
		valueFlag(s.text, what+" `KEY`, as text"),
		valueFlag(s.file, what+" key, a `FILE`"),
		valueFlag(s.format, "hex, pem or raw (without it, hex and pem are noticed)"),
		valueFlag(s.algorithm, "ed25519 or secp256r1; raw bytes need it"),
	}
}

func privateKeyFlags() []cli.Flag { return signingKey.flags("the private") }

// read returns what the flags give and what to call it; name is empty if they
// give nothing.
func (s keySource) read(c *cli.Context, env *Env) (data []byte, name string, err error) {
	if err := atMostOne(c, s.text, s.file); err != nil {
		return nil, "", err
	}
	for _, flag := range []string{s.format, s.algorithm} {
		if err := needs(c, flag, s.file, s.text); err != nil {
			return nil, "", err
		}
	}
	if text := c.String(s.text); text != "" {
		if c.String(s.format) == "raw" {
			return nil, "", usagef("raw bytes are read from a file: give %s", dashed(s.file))
		}
		return []byte(text), dashed(s.text), nil
	}
	file := c.String(s.file)
	if file == "" {
		return nil, "", nil
	}
	data, err = env.read(file, maxInput)
	return data, shown(file), err
}

// encoding returns how the key is written and its algorithm, where these are
// stated.
func (s keySource) encoding(c *cli.Context) (format string, alg datalog.Algorithm, stated bool, err error) {
	format = c.String(s.format)
	switch format {
	case "", "hex", "pem", "raw":
	default:
		return "", 0, false, usagef("%s %s is none of hex, pem and raw", dashed(s.format), quoted(format))
	}
	if name := c.String(s.algorithm); name != "" {
		alg, err = algorithm(s.algorithm, name)
		return format, alg, true, err
	}
	if format == "raw" {
		err = usagef("raw bytes do not say what key they are: give %s", dashed(s.algorithm))
	}
	return format, datalog.Ed25519, false, err
}

// private reads a private key; ok is false if the flags give none.
func (s keySource) private(c *cli.Context, env *Env) (k token.PrivateKey, ok bool, err error) {
	data, name, err := s.read(c, env)
	if err != nil || name == "" {
		return k, false, err
	}
	format, alg, stated, err := s.encoding(c)
	if err != nil {
		return k, false, err
	}
	if secret, bare := bareKey(data, format); bare {
		if k, err = token.NewPrivateKey(alg, secret); err != nil {
			err = usagef("%s: %s", name, err)
		}
		return k, true, err
	}
	if err := checkFormat(name, data, format); err != nil {
		return k, false, err
	}
	if k, err = parsePrivateKey(env, name, data); err != nil {
		return k, false, err
	}
	return k, true, sameAlgorithm(name, k.Public(), alg, stated)
}

// public reads a public key; the zero key means that the flags give none.
func (s keySource) public(c *cli.Context, env *Env) (k token.PublicKey, err error) {
	data, name, err := s.read(c, env)
	if err != nil || name == "" {
		return k, err
	}
	format, alg, stated, err := s.encoding(c)
	if err != nil {
		return k, err
	}
	if key, bare := bareKey(data, format); bare {
		if k, err = token.NewPublicKey(alg, key); err != nil {
			err = usagef("%s: %s", name, err)
		}
		return k, err
	}
	if err := checkFormat(name, data, format); err != nil {
		return k, err
	}
	if k, err = token.ParsePublicKey(string(data)); err != nil {
		return k, usagef("%s: %s", name, err)
	}
	return k, sameAlgorithm(name, k, alg, stated)
}

// bareKey returns the bytes of a key that is written as nothing but them.
func bareKey(data []byte, format string) (key []byte, ok bool) {
	if format == "raw" {
		return data, true
	}
	key, err := hex.DecodeString(trim(string(data)))
	return key, err == nil && len(key) > 0 && format != "pem"
}

// checkFormat refuses a key that is not written as the flags say.
func checkFormat(name string, data []byte, format string) error {
	isPEM := bytes.Contains(data, []byte("-----BEGIN"))
	if format == "pem" && !isPEM || format == "hex" && isPEM {
		return usagef("%s: the key is not written as %s", name, format)
	}
	return nil
}

func sameAlgorithm(name string, k token.PublicKey, alg datalog.Algorithm, stated bool) error {
	if stated && k.Algorithm() != alg {
		return usagef("%s: the key is %s, not %s", name, k.Algorithm(), alg)
	}
	return nil
}

func biscuitPrivateKey(c *cli.Context, env *Env) (token.PrivateKey, error) {
	k, ok, err := signingKey.private(c, env)
	if err == nil && !ok {
		err = usagef("one of --private-key and --private-key-file is needed")
	}
	return k, err
}

func keypairFlags() []cli.Flag {
	return append(givenKey.flags("instead of a new key pair, that of the private"),
		&cli.StringFlag{Name: "key-algorithm", Value: "ed25519", Usage: "ed25519 or secp256r1, for a new key"},
		&cli.StringFlag{Name: "key-output-format", Value: "hex", Usage: "hex, pem or raw"},
		boolFlag("only-public-key", "print the public key only"),
		boolFlag("only-private-key", "print the private key only"),
		outFlag(),
	)
}

func keypair(c *cli.Context, env *Env) error {
	if _, err := arguments(c); err != nil {
		return err
	}
	for _, pair := range [][2]string{{"only-public-key", "only-private-key"}, {"key-algorithm", givenKey.text}, {"key-algorithm", givenKey.file}} {
		if err := atMostOne(c, pair[0], pair[1]); err != nil {
			return err
		}
	}
	format := c.String("key-output-format")
	onlyPublic, onlyPrivate := c.Bool("only-public-key"), c.Bool("only-private-key")
	if format == "raw" && (!onlyPublic && !onlyPrivate || c.Bool("json")) {
		return usagef("raw bytes are written one key at a time: --only-private-key or --only-public-key, without --json")
	}
	key, ok, err := givenKey.private(c, env)
	if err != nil {
		return err
	}
	if !ok {
		alg, err := algorithm("key-algorithm", c.String("key-algorithm"))
		if err != nil {
			return err
		}
		if key, err = token.GenerateKey(alg); err != nil {
			return err
		}
	}
	private, public, err := keypairText(key, format)
	if err != nil {
		return err
	}
	shownKeys := map[string]string{"private": private, "public": public}
	text := fmt.Sprintf("Private key: %s\nPublic key: %s\n", trim(private), trim(public))
	switch {
	case onlyPublic:
		text = public
		delete(shownKeys, "private")
	case onlyPrivate:
		text = private
		delete(shownKeys, "public")
	case format == "pem":
		text = private + public
	}
	if !c.Bool("json") {
		return emit(c, env, []byte(text))
	}
	for name, key := range shownKeys {
		shownKeys[name] = trim(key)
	}
	return emitJSON(c, env, shownKeys, []byte(text))
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
	return "", "", usagef("--key-output-format %s is none of hex, pem and raw", quoted(format))
}
