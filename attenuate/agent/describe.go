package agent

import (
	"fmt"
	"time"

	"github.com/whittle-auth/whittle/token"
)

// A Token is what an agent tells of a token that it holds. The token itself and its
// key stay with the agent.
type Token struct {
	Name      string `json:"name"`
	Delegator string `json:"delegator"`

	// Holder is what the delegator or the agent before calls this one, a claim, and
	// Key its public key.
	Holder string          `json:"holder"`
	Key    token.PublicKey `json:"key"`

	// Rooted reports whether the token was verified from a trusted root. Where it was
	// not, the delegator is a claim too.
	Rooted bool `json:"rooted"`

	// Expires is when the token ends, zero where it does not.
	Expires time.Time `json:"expires,omitzero"`

	// Scope are the caveats that are in force, in the text form of spec/caveats.md,
	// and Omitted how many of them are left out since they are longer than 16 KiB.
	Scope   []string `json:"scope"`
	Omitted int      `json:"omitted,omitempty"`
}

// maxScope bounds the text of one token's caveats, in bytes.
const maxScope = 16 << 10

func (h *held) describe(name string) *Token {
	t := &Token{
		Name: name, Delegator: h.read.Delegator, Holder: h.read.Holder().Holder, Key: h.chain.NextKey(),
		Rooted: !h.chain.Root().IsZero(), Scope: []string{},
	}
	if at, ok := h.read.Scope.Expires(); ok {
		t.Expires = at.Time()
	}
	size := 0
	for _, b := range h.read.Scope.Bounds {
		text := b.Caveat.String()
		if size += len(text); size > maxScope {
			t.Omitted++
			continue
		}
		t.Scope = append(t.Scope, text)
	}
	return t
}

// maxName bounds a token's name in the agent, in bytes.
const maxName = 64

// validName refuses names that could be taken for a file's path, a flag or a token's
// text, so that a program can offer all of them in one place.
func validName(name string) error {
	if !IsName(name) {
		return fmt.Errorf("a token's name in the agent has 1 to %d letters, digits, - and _, the first no -", maxName)
	}
	return nil
}

// IsName reports whether a text can be the name of a token in an agent: 1 to 64
// letters and digits of ASCII, - and _, the first no -.
func IsName(text string) bool {
	if text == "" || len(text) > maxName || text[0] == '-' {
		return false
	}
	for _, c := range []byte(text) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}
