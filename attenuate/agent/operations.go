package agent

import (
	"context"
	"fmt"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
)

// made is the answer that has a token in it.
type made struct {
	Token string `json:"token"`
}

// contents is the answer to list.
type contents struct {
	Tokens []Token           `json:"tokens"`
	Keys   []token.PublicKey `json:"keys"`
}

func (h *handler) list(context.Context, message) (any, error) {
	return contents{h.ring.Tokens(), h.ring.Keys()}, nil
}

func (h *handler) invoke(ctx context.Context, m message) (any, error) {
	w, err := m.which()
	if err != nil {
		return nil, err
	}
	window, err := m.window()
	if err != nil {
		return nil, err
	}
	req, err := delegation.ParseRequest(m["request"])
	if err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	return tokenOf(h.ring.Invoke(ctx, w, *req, window))
}

func (h *handler) session(ctx context.Context, m message) (any, error) {
	w, err := m.which()
	if err != nil {
		return nil, err
	}
	window, err := m.window()
	if err != nil {
		return nil, err
	}
	audience, err := m.text("audience")
	if err != nil {
		return nil, err
	}
	text, err := m.text("channel")
	if err != nil {
		return nil, err
	}
	channel, err := delegation.ParseChannel(text)
	if err != nil {
		return nil, err
	}
	return tokenOf(h.ring.InvokeSession(ctx, w, audience, channel, window))
}

func (h *handler) attenuate(ctx context.Context, m message) (any, error) {
	w, err := m.which()
	if err != nil {
		return nil, err
	}
	caveats, err := m.caveats()
	if err != nil {
		return nil, err
	}
	agent, err := m.text("agent")
	if err != nil {
		return nil, err
	}
	key, err := m.publicKey("key")
	if err != nil {
		return nil, err
	}
	if (agent == "") != key.IsZero() {
		return nil, fmt.Errorf("whoever gets a token has a name and a key: the members agent and key stand together")
	}
	if agent == "" {
		return tokenOf(h.ring.Narrow(ctx, w, caveats...))
	}
	if !h.options.AllowHandoff {
		return nil, fmt.Errorf("%w: hand a token on", ErrNotAllowed)
	}
	return tokenOf(h.ring.Handoff(ctx, w, agent, key, caveats...))
}

func (h *handler) attach(ctx context.Context, m message) (any, error) {
	w, err := m.which()
	if err != nil {
		return nil, err
	}
	text, err := m.text("approval")
	if err != nil {
		return nil, err
	}
	approval, err := token.DecodeText(text, maxApproval)
	if err != nil {
		return nil, fmt.Errorf("approval: %w", err)
	}
	return tokenOf(h.ring.Attach(ctx, w, approval))
}

// maxApproval bounds an approval, in bytes, which is part of a token then.
const maxApproval = 64 << 10

func (h *handler) show(_ context.Context, m message) (any, error) {
	name, err := m.text("name")
	if err != nil {
		return nil, err
	}
	return tokenOf(h.ring.Held(name))
}

func tokenOf(c token.Chain, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return made{c.Text()}, nil
}

// added is the answer to add: the token if there was one, and the key otherwise.
type added struct {
	Token *Token           `json:"token,omitempty"`
	Key   *token.PublicKey `json:"key,omitempty"`
}

func (h *handler) add(_ context.Context, m message) (any, error) {
	if !h.options.AllowChanges {
		return nil, fmt.Errorf("%w: add tokens and keys", ErrNotAllowed)
	}
	name, err := m.text("name")
	if err != nil {
		return nil, err
	}
	held, err := m.text("token")
	if err != nil {
		return nil, err
	}
	secret, err := m.text("secret")
	if err != nil {
		return nil, err
	}
	var key token.Signer
	if secret != "" {
		private, err := token.ParsePrivateKey([]byte(secret), nil)
		if err != nil {
			return nil, fmt.Errorf("secret: %w", err)
		}
		key = private
	}
	switch {
	case (name == "") != (held == ""):
		return nil, fmt.Errorf("a token is added under a name: the members name and token stand together")
	case held != "":
		t, err := h.ring.Add(name, held, key)
		return added{Token: t}, err
	case key == nil:
		return nil, fmt.Errorf("there is neither a token nor a key to add")
	}
	public := key.Public()
	return added{Key: &public}, h.ring.AddKey(key)
}

func (h *handler) remove(_ context.Context, m message) (any, error) {
	if !h.options.AllowChanges {
		return nil, fmt.Errorf("%w: remove tokens and keys", ErrNotAllowed)
	}
	name, err := m.text("name")
	if err != nil {
		return nil, err
	}
	key, err := m.publicKey("key")
	if err != nil {
		return nil, err
	}
	all, said := m["all"]
	switch {
	case said && string(all) == "true" && name == "" && key.IsZero():
		h.ring.Clear()
		return struct{}{}, nil
	case !said && name != "" && key.IsZero():
		return struct{}{}, h.ring.Remove(name)
	case !said && name == "" && !key.IsZero():
		return struct{}{}, h.ring.RemoveKey(key)
	}
	return nil, fmt.Errorf("exactly one of the members name, key and all, which is true, says what to remove")
}
