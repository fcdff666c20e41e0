package cli

import (
	"errors"
	"os"
	"regexp"
	"strings"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/agentkey"
)

// publicLine is how a line of OpenSSH begins that has a public key of any type.
var publicLine = regexp.MustCompile(`^(ssh|ecdsa|sk)-[a-z0-9@.-]+[ \t]`)

// isPublicKey reports whether a file is meant to hold a public key, also one of a
// type that cannot be used.
func isPublicKey(data []byte) bool {
	text := strings.TrimSpace(string(data))
	if publicLine.MatchString(text) {
		return true
	}
	_, err := token.ParsePublicKey(text)
	return err == nil
}

// agentSigner finds the private half of a public key in the ssh-agent.
func agentSigner(name string, data []byte) (token.Signer, error) {
	public, err := token.ParsePublicKey(string(data))
	if err != nil {
		return nil, usagef("%s: %s", shown(name), err)
	}
	agent, err := agentkey.Open(os.Getenv("SSH_AUTH_SOCK"))
	if err != nil {
		return nil, inAgent(name, err)
	}
	signer, err := agent.Signer(public)
	if err != nil {
		return nil, inAgent(name, err)
	}
	return signer, nil
}

// inAgent says why the agent was asked at all.
func inAgent(name string, err error) error {
	message := usagef("%s is a public key, and its private half was looked for in the ssh-agent: %s", shown(name), err)
	if errors.Is(err, agentkey.ErrNoKey) {
		return hintf(message, "ssh-add adds a key to the agent, ssh-add -l lists what it holds")
	}
	return hintf(message, "give the private key file, usually of the same name without .pub, or start an agent: eval $(ssh-agent)")
}
