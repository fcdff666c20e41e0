// Command pkcs11 mints a token with a root key that stays in a hardware security
// module: the module signs, and nobody sees the secret. It takes any module that
// speaks PKCS #11; the test runs it with SoftHSM.
//
//	PKCS11_PIN=1234 pkcs11 -module /usr/lib/softhsm/libsofthsm2.so -token people -key alice \
//	        -delegator alice@example.com -agent agent:ci -agent-key ci.pub \
//	        -resource payments/certs/api -operation rotate
//
// The key is ECDSA on P-256: modules know it, and the Ed25519 of PKCS #11 3.0 is
// not in the library used here. With -public the command prints the line for the
// service's trust file instead.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/ThalesGroup/crypto11"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
)

func main() {
	if err := run(os.Args[1:], os.Getenv("PKCS11_PIN"), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(args []string, pin string, stdout io.Writer) error {
	flags := flag.NewFlagSet("pkcs11", flag.ContinueOnError)
	module := flags.String("module", "", "the module's library, a `FILE`")
	label := flags.String("token", "", "the `LABEL` of the PKCS #11 token, which holds keys")
	key := flags.String("key", "", "the `LABEL` of the key")
	public := flags.Bool("public", false, "print the line for the trust file")
	delegator := flags.String("delegator", "", "who delegates, `ID`")
	agent := flags.String("agent", "", "the agent, `ID`")
	agentKey := flags.String("agent-key", "", "the agent's public key, a `FILE`")
	resource := flags.String("resource", "", "what the token is for, a `PATH`, or PATH/**")
	operation := flags.String("operation", "", "what the agent may do, `OP`")
	ttl := flags.Duration("ttl", time.Hour, "how long the token holds")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if pin == "" {
		return errors.New("PKCS11_PIN is not set")
	}
	hsm, err := crypto11.Configure(&crypto11.Config{Path: *module, TokenLabel: *label, Pin: pin})
	if err != nil {
		return fmt.Errorf("opening the module: %w", err)
	}
	defer hsm.Close()
	root, err := rootKey(hsm, *key)
	if err != nil {
		return err
	}
	if *public {
		fmt.Fprintf(stdout, "%s namespaces=\"whittle\" %s\n", *delegator, root.Public().AuthorizedKey(*key))
		return nil
	}
	line, err := os.ReadFile(*agentKey)
	if err != nil {
		return err
	}
	holder, err := token.ParsePublicKey(string(line))
	if err != nil {
		return fmt.Errorf("%s: %w", *agentKey, err)
	}
	t, err := attenuate.Mint(root,
		attenuate.Grant{Delegator: *delegator, Agent: *agent, AgentKey: holder, TTL: *ttl},
		delegation.Resource(*resource), delegation.Operation(*operation))
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, t.Text())
	return nil
}

// rootKey finds a key in the module. token.NewSigner brings what the module
// signs to the one form that tokens have, and verifies it.
func rootKey(hsm *crypto11.Context, label string) (token.Signer, error) {
	pair, err := hsm.FindKeyPair(nil, []byte(label))
	if err != nil {
		return nil, fmt.Errorf("key %q: %w", label, err)
	}
	return token.NewSigner(pair)
}
