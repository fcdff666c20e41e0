package agent

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
)

const (
	// maxMessage bounds what a program sends, in bytes: the arguments of a request,
	// which may be a whole body of package httpauth, and what stands around them.
	maxMessage = 1<<20 + 128<<10

	// maxAnswer bounds what an agent answers: at most the scopes of all tokens.
	maxAnswer = 8 << 20
)

// members reads a JSON object, and returns its members as they stand there. Other
// names than the known ones are refused, and a name that stands twice.
func members(data []byte, known ...string) (map[string]json.RawMessage, error) {
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("the JSON is not valid UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("the message is no JSON object")
	}
	found := map[string]json.RawMessage{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("no JSON: %w", err)
		}
		name, _ := t.(string)
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("the message has a member that is not known here")
		}
		if _, twice := found[name]; twice {
			return nil, fmt.Errorf("the member %s stands twice", name)
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, fmt.Errorf("no JSON: %w", err)
		}
		found[name] = raw
	}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("the JSON ends too early")
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("something follows the message")
	}
	return found, nil
}

// A message is what [members] found.
type message map[string]json.RawMessage

// text returns a member that is a string, empty where there is none. The error repeats
// nothing of it: it may be a key.
func (m message) text(name string) (string, error) {
	raw, ok := m[name]
	if !ok {
		return "", nil
	}
	value, err := delegation.ParseValue(raw)
	text, isText := value.(string)
	if err != nil || !isText {
		return "", fmt.Errorf("the member %s is no string", name)
	}
	return text, nil
}

// which reads which token is meant.
func (m message) which() (w Which, err error) {
	if w.Name, err = m.text("name"); err != nil {
		return w, err
	}
	w.Text, err = m.text("token")
	return w, err
}

// window reads how long an invocation is to hold: whole seconds, zero where it is not
// said.
func (m message) window() (time.Duration, error) {
	raw, ok := m["seconds"]
	if !ok {
		return 0, nil
	}
	value, err := delegation.ParseValue(raw)
	seconds, isInteger := value.(int64)
	if err != nil || !isInteger || seconds < 1 || seconds > int64(delegation.MaxSession/time.Second) {
		return 0, fmt.Errorf("the member seconds is no number from 1 to %d", delegation.MaxSession/time.Second)
	}
	return time.Duration(seconds) * time.Second, nil
}

// caveats reads a list of caveats in text form.
func (m message) caveats() ([]delegation.Caveat, error) {
	raw, ok := m["caveats"]
	if !ok {
		return nil, nil
	}
	value, err := delegation.ParseValue(raw)
	list, isList := value.([]any)
	if err != nil || !isList {
		return nil, fmt.Errorf("the member caveats is no list")
	}
	var caveats []delegation.Caveat
	for _, e := range list {
		text, ok := e.(string)
		if !ok {
			return nil, fmt.Errorf("the member caveats is no list of strings")
		}
		c, err := delegation.ParseCaveat(text)
		if err != nil {
			return nil, err
		}
		caveats = append(caveats, c)
	}
	return caveats, nil
}

// publicKey reads a key in text form, the zero key where there is none.
func (m message) publicKey(name string) (key token.PublicKey, err error) {
	text, err := m.text(name)
	if err != nil || text == "" {
		return key, err
	}
	return token.ParsePublicKey(text)
}

// failure is how an agent says why it does not do what it was asked to.
type failure struct {
	Code    token.Code `json:"code,omitempty"` // of a refused token
	Message string     `json:"message"`
}
