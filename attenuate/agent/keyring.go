package agent

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
)

const (
	// MaxTokens and MaxKeys bound what a keyring holds.
	MaxTokens = 64
	MaxKeys   = 64
)

var (
	// ErrNotHeld says that the keyring has no token of a name, or no key of a token.
	ErrNotHeld = errors.New("the agent does not hold it")
	// ErrConflict says that a name is taken, or that the keyring is full.
	ErrConflict = errors.New("the agent cannot take it")
	// ErrNotAllowed says that whoever started the agent did not allow an operation.
	ErrNotAllowed = errors.New("the agent was not started to do this")
)

// Options are what a [Keyring] may do otherwise. The zero value is the safe choice:
// it trusts nobody's tokens.
type Options struct {
	// Roots are the trusted root keys. Each token is verified from one of them when
	// it is added, and the root must still be trusted at each use. Nil refuses every
	// token, unless AllowUnrooted.
	Roots trust.Source

	// AllowUnrooted takes tokens where Roots is nil: all of a chain is verified but the
	// root's signature, so that the delegator is a claim.
	AllowUnrooted bool

	// Now is the clock; nil means the system's.
	Now func() time.Time
}

// A Keyring holds keys, and the tokens that they are the holders of. It is safe for
// concurrent use.
type Keyring struct {
	options Options

	mu     sync.Mutex
	keys   map[token.PublicKey]token.Signer
	tokens map[string]*held
}

// held is a token, opened. It never changes.
type held struct {
	chain  token.Chain
	read   *delegation.Chain
	holder token.Signer
}

// NewKeyring returns a keyring that holds nothing.
func NewKeyring(o *Options) *Keyring {
	k := &Keyring{keys: map[token.PublicKey]token.Signer{}, tokens: map[string]*held{}}
	if o != nil {
		k.options = *o
	}
	if k.options.Now == nil {
		k.options.Now = time.Now
	}
	return k
}

// Add takes a token under a name, with the key of its holder; a nil key is one that
// the keyring has already. It refuses, with a [*token.Error], what
// [attenuate.Receive] refuses, a token that is not held, and one that has expired.
// It never replaces a token: the error then matches [ErrConflict].
func (k *Keyring) Add(name, text string, key token.Signer) (*Token, error) {
	if err := validName(name); err != nil {
		return nil, err
	}
	u, err := token.ParseText(text, nil)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.dropExpired()
	switch _, taken := k.tokens[name]; {
	case taken:
		return nil, fmt.Errorf("%w: there is a token %s already", ErrConflict, name)
	case len(k.tokens) >= MaxTokens:
		return nil, fmt.Errorf("%w: it has %d tokens, which is all that it holds", ErrConflict, len(k.tokens))
	}
	h, err := k.open(u, key)
	if err != nil {
		return nil, err
	}
	if err := k.keep(h.holder); err != nil {
		return nil, err
	}
	k.tokens[name] = h
	return h.describe(name), nil
}

// AddKey takes a key, for tokens that come later. A key that is there already stays.
func (k *Keyring) AddKey(key token.Signer) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.keep(key)
}

// keep is called with the lock held.
func (k *Keyring) keep(key token.Signer) error {
	public := key.Public()
	if public.IsZero() || public.RootOnly() || token.IsInvocationKey(public) {
		return fmt.Errorf("no token can be held by this key")
	}
	if _, there := k.keys[public]; there {
		return nil
	}
	if len(k.keys) >= MaxKeys {
		return fmt.Errorf("%w: it has %d keys, which is all that it holds", ErrConflict, len(k.keys))
	}
	k.keys[public] = key
	return nil
}

// Remove forgets a token. Its key stays.
func (k *Keyring) Remove(name string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := k.tokens[name]; !ok {
		return unknown(name)
	}
	delete(k.tokens, name)
	return nil
}

// RemoveKey forgets a key, and the tokens that it is the holder of.
func (k *Keyring) RemoveKey(key token.PublicKey) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, ok := k.keys[key]; !ok {
		return fmt.Errorf("%w: it has no key %s", ErrNotHeld, key.Brief())
	}
	delete(k.keys, key)
	maps.DeleteFunc(k.tokens, func(_ string, h *held) bool { return h.holder.Public() == key })
	return nil
}

// Clear forgets everything.
func (k *Keyring) Clear() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.keys)
	clear(k.tokens)
}

// Tokens describes the tokens that are held and have not expired, by name.
func (k *Keyring) Tokens() []Token {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.dropExpired()
	list := make([]Token, 0, len(k.tokens))
	for _, name := range slices.Sorted(maps.Keys(k.tokens)) {
		list = append(list, *k.tokens[name].describe(name))
	}
	return list
}

// Keys returns the public halves of the keys, in the order of their text forms.
func (k *Keyring) Keys() []token.PublicKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.SortedFunc(maps.Keys(k.keys), func(a, b token.PublicKey) int { return strings.Compare(a.String(), b.String()) })
}

// A Which names a token: one that is held, or any whose holder the agent has the key
// of. Exactly one of the two is given.
type Which struct {
	Name string
	Text string // of a held token
}

// Invoke binds a token to one request: see [attenuate.Invoke]. A zero window means
// [attenuate.Window].
func (k *Keyring) Invoke(_ context.Context, w Which, req delegation.Request, window time.Duration) (token.Chain, error) {
	h, now, err := k.use(w)
	if err != nil {
		return nil, err
	}
	if window == 0 {
		window = attenuate.Window
	}
	return attenuate.InvokeAt(h.chain, h.holder, req, now.Add(-delegation.Skew), now.Add(window))
}

// InvokeSession binds a token to one connection: see [attenuate.InvokeSession]. A zero
// window means [attenuate.SessionWindow].
func (k *Keyring) InvokeSession(_ context.Context, w Which, audience string, channel delegation.Channel, window time.Duration) (token.Chain, error) {
	h, now, err := k.use(w)
	if err != nil {
		return nil, err
	}
	if window == 0 {
		window = attenuate.SessionWindow
	}
	return attenuate.InvokeSessionAt(h.chain, h.holder, audience, channel, now.Add(-delegation.Skew), now.Add(window))
}

// Narrow returns a token with further caveats, for the same holder: see
// [attenuate.Narrow].
func (k *Keyring) Narrow(_ context.Context, w Which, caveats ...delegation.Caveat) (token.Chain, error) {
	h, _, err := k.use(w)
	if err != nil {
		return nil, err
	}
	return attenuate.Narrow(h.chain, h.holder, caveats...)
}

// Handoff gives a token to another agent: see [attenuate.Handoff].
func (k *Keyring) Handoff(_ context.Context, w Which, agent string, key token.PublicKey, caveats ...delegation.Caveat) (token.Chain, error) {
	h, _, err := k.use(w)
	if err != nil {
		return nil, err
	}
	return attenuate.Handoff(h.chain, h.holder, agent, key, caveats...)
}

// Attach adds an approval to the token that it was given for: see [attenuate.Attach].
func (k *Keyring) Attach(_ context.Context, w Which, approval []byte) (token.Chain, error) {
	h, now, err := k.use(w)
	if err != nil {
		return nil, err
	}
	return attenuate.Attach(h.chain, h.holder, approval, &attenuate.ApprovalOptions{Now: now})
}

// Held returns a token as it is held, which is worth nothing without its key.
func (k *Keyring) Held(name string) (token.Chain, error) {
	h, _, err := k.use(Which{Name: name})
	if err != nil {
		return nil, err
	}
	return h.chain, nil
}

// use returns a token that may be used now. One that has expired is forgotten.
func (k *Keyring) use(w Which) (*held, time.Time, error) {
	now := k.options.Now()
	if (w.Name == "") == (w.Text == "") {
		return nil, now, fmt.Errorf("either the name of a token or its text is needed")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if w.Name == "" {
		u, err := token.ParseText(w.Text, nil)
		if err != nil {
			return nil, now, err
		}
		h, err := k.open(u, nil)
		return h, now, err
	}
	h, ok := k.tokens[w.Name]
	if !ok {
		return nil, now, unknown(w.Name)
	}
	if err := h.holds(now); err != nil {
		delete(k.tokens, w.Name)
		return nil, now, err
	}
	// A key that was taken out of the trust file since must not be acted for.
	if k.options.Roots != nil {
		if err := k.options.Roots.Roots().MaySpeak(h.chain.Root(), h.read.Delegator, now); err != nil {
			return nil, now, err
		}
	}
	return h, now, nil
}

// open verifies a token of which a key, or one that is there already, is the holder's.
// It is called with the lock held.
func (k *Keyring) open(u *token.Unverified, key token.Signer) (*held, error) {
	if u.Form() != token.Held {
		return nil, token.Errorf(token.CodeProfile, -1, "only held tokens are kept: this one needs no key, or is bound to one request already")
	}
	blocks, err := u.UnverifiedBlocks()
	if err != nil {
		return nil, err
	}
	if key == nil {
		// Nothing but a hint at which key to try: Open compares it with what it verified.
		holder := blocks[len(blocks)-1].Next
		if key = k.keys[holder]; key == nil {
			return nil, fmt.Errorf("%w: it has no key %s", ErrNotHeld, holder.Brief())
		}
	}
	now := k.options.Now()
	var roots *trust.Roots
	switch {
	case k.options.Roots != nil:
		roots = k.options.Roots.Roots()
	case !k.options.AllowUnrooted:
		return nil, token.Errorf(token.CodeUntrustedRoot, -1, "the agent trusts no roots")
	}
	chain, read, err := attenuate.Open(u, roots, key.Public(), now)
	if err != nil {
		return nil, err
	}
	h := &held{chain, read, key}
	return h, h.holds(now)
}

// holds returns why a token can no longer be used, or nil.
func (h *held) holds(now time.Time) error {
	if at, ok := h.read.Scope.Expires(); ok && !now.Before(at.Time()) {
		return token.Errorf(token.CodeExpired, -1, "the token expired at %s", at.Time().Format(time.RFC3339))
	}
	return nil
}

// dropExpired is called with the lock held.
func (k *Keyring) dropExpired() {
	now := k.options.Now()
	maps.DeleteFunc(k.tokens, func(_ string, h *held) bool { return h.holds(now) != nil })
}

func unknown(name string) error {
	return fmt.Errorf("%w: it has no token %s", ErrNotHeld, name)
}
