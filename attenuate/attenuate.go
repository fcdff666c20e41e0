// Package attenuate makes tokens: a person mints one, agents narrow it and hand
// it on, and the last of them invokes it.
//
//	tok, err := attenuate.Mint(alice, attenuate.Grant{
//		Delegator: "alice@example.com",
//		Agent:     "agent:ci",
//		AgentKey:  ciKey,
//		TTL:       time.Hour,
//	}, delegation.Resource("payments/certs/**"), delegation.Operation("rotate"))
//
//	sub, err := attenuate.Handoff(tok, ci, "agent:runner-7", runnerKey,
//		delegation.Resource("payments/certs/api"))
//
//	out, err := attenuate.Invoke(sub, runner, delegation.Request{
//		Operation: "rotate", Resource: "payments/certs/api", Audience: "svc:certs",
//	})
//
// Whoever receives a token decides first whether to act on it at all: [Receive]
// verifies it and says on whose behalf it is.
//
// A caveat that would allow more than the token does is an error, since the
// service would refuse the excess anyway: see [Clamp].
package attenuate

import (
	"fmt"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
)

// A Grant says who delegates to whom, and for how long.
type Grant struct {
	// Delegator is the person on whose behalf the agent acts, as the service's
	// trust file names the owner of the root key.
	Delegator string

	// Agent is what the delegator calls the agent, and AgentKey its key.
	Agent    string
	AgentKey token.PublicKey

	// TTL is how long the token holds from now; Expires is a moment instead.
	// One of them must be given. Verifiers refuse more than 24 hours unless
	// told otherwise.
	TTL     time.Duration
	Expires time.Time

	// Now is when the token is minted; zero means the system's clock.
	Now time.Time

	// Facts are what the token tells the service besides, such as role("buyer").
	// Each must be of a type that the service has registered, which refuses the
	// token otherwise; none is of the vocabulary's own.
	Facts []datalog.Predicate

	// AllowBearer makes a token that whoever has the bytes can use, for nobody
	// in particular: Agent and AgentKey must be empty. Verifiers refuse it
	// unless told otherwise.
	AllowBearer bool
}

// Mint makes a token, signed with the delegator's key. The caveats must bound
// the resources and the operations.
func Mint(root token.Signer, g Grant, caveats ...delegation.Caveat) (*token.Token, error) {
	if root == nil {
		return nil, fmt.Errorf("the delegator's key is missing")
	}
	if err := trust.CanonicalDelegator(g.Delegator); err != nil {
		return nil, fmt.Errorf("delegator %q: %w", g.Delegator, err)
	}
	content := &datalog.Block{Facts: []datalog.Predicate{name("delegator", g.Delegator)}}
	next, err := g.next(root, content)
	if err != nil {
		return nil, err
	}
	for _, p := range g.Facts {
		if err := delegation.FurtherFact(p); err != nil {
			return nil, err
		}
		content.Facts = append(content.Facts, p)
	}
	lifetime, err := g.lifetime()
	if err != nil {
		return nil, err
	}
	if err := write(content, new(delegation.Scope), 0, append(lifetime, caveats...)); err != nil {
		return nil, err
	}
	id := trust.RootKeyID(root.Public())
	t, err := token.Mint(root, content, next, &token.MintOptions{RootKeyID: &id})
	if err != nil {
		return nil, err
	}
	return acceptable(t)
}

// next adds the holder to block 0 and returns who can go on.
func (g *Grant) next(root token.Signer, content *datalog.Block) (token.Next, error) {
	if g.AllowBearer {
		if g.Agent != "" || !g.AgentKey.IsZero() {
			return token.Next{}, fmt.Errorf("a bearer token is for nobody in particular: it takes no agent")
		}
		return token.FreshKey(datalog.Ed25519)
	}
	if err := delegation.ValidName(g.Agent); err != nil {
		return token.Next{}, fmt.Errorf("agent %q: %w", g.Agent, err)
	}
	if err := validHolder(g.AgentKey, root.Public()); err != nil {
		return token.Next{}, err
	}
	content.Facts = append(content.Facts, name("holder", g.Agent))
	return token.HeldBy(g.AgentKey), nil
}

// lifetime returns the two caveats that bound a token in time. The lower one is
// there so that a verifier can tell how long the token was meant to live.
func (g *Grant) lifetime() ([]delegation.Caveat, error) {
	now := g.Now
	if now.IsZero() {
		now = time.Now()
	}
	expires := g.Expires
	switch {
	case g.TTL != 0 && !g.Expires.IsZero():
		return nil, fmt.Errorf("a grant has either a TTL or an expiry")
	case g.TTL < 0 || g.TTL == 0 && g.Expires.IsZero():
		return nil, fmt.Errorf("a grant needs a TTL or an expiry in the future")
	case g.TTL > 0:
		expires = now.Add(g.TTL)
	}
	if expires.Unix() <= now.Unix() {
		return nil, fmt.Errorf("the grant expires at %s, which has passed", expires.UTC().Format(time.RFC3339))
	}
	return []delegation.Caveat{delegation.ValidFrom(now.Add(-delegation.Skew)), delegation.Expires(expires)}, nil
}

// Narrow adds caveats; the holder stays the same. A bearer token needs no
// holder's key: pass nil.
func Narrow(c token.Chain, holder token.Signer, caveats ...delegation.Caveat) (token.Chain, error) {
	chain, err := open(c)
	if err != nil {
		return nil, err
	}
	if len(caveats) == 0 {
		return nil, fmt.Errorf("nothing to narrow: no caveat is given")
	}
	return extend(c, chain, holder, new(datalog.Block), token.SameNext(c), caveats)
}

// Handoff gives a held token to another agent, narrowed by the caveats. The
// holder before it can do nothing more with the result.
func Handoff(c token.Chain, holder token.Signer, agent string, key token.PublicKey, caveats ...delegation.Caveat) (token.Chain, error) {
	chain, err := open(c)
	if err != nil {
		return nil, err
	}
	if chain.Bearer {
		return nil, token.Errorf(token.CodeProfile, -1, "a bearer token cannot be handed on to a key")
	}
	if err := delegation.ValidName(agent); err != nil {
		return nil, fmt.Errorf("agent %q: %w", agent, err)
	}
	if key == c.NextKey() {
		return nil, token.Errorf(token.CodeProfile, -1, "the key of %q holds the token already: narrow it instead of handing it on", agent)
	}
	if err := validHolder(key, c.Root()); err != nil {
		return nil, err
	}
	content := &datalog.Block{Facts: []datalog.Predicate{name("holder", agent)}}
	return extend(c, chain, holder, content, token.HeldBy(key), caveats)
}

// Clamp returns the caveats cut down to what the token allows, so that none of
// them is refused as too wide. It fails where nothing is left.
func Clamp(c token.Chain, caveats ...delegation.Caveat) ([]delegation.Caveat, error) {
	chain, err := open(c)
	if err != nil {
		return nil, err
	}
	scope := chain.Scope.Clone()
	clamped := make([]delegation.Caveat, len(caveats))
	for i, cv := range caveats {
		if err := valid(cv); err != nil {
			return nil, err
		}
		if clamped[i], err = scope.Fit(cv, true); err != nil {
			return nil, err
		}
		scope.Narrow(clamped[i], len(c.Blocks()))
	}
	return clamped, nil
}

// open reads a chain that something is to be added to.
func open(c token.Chain) (*delegation.Chain, error) {
	chain, err := delegation.ReadUnregistered(c)
	if err != nil {
		return nil, err
	}
	if chain.Invocation != nil {
		return nil, token.Errorf(token.CodeProfile, -1, "the token is bound to one request already: nothing can be added to it")
	}
	return chain, nil
}

// extend writes the caveats into a block and appends it.
func extend(c token.Chain, chain *delegation.Chain, holder token.Signer, content *datalog.Block, next token.Next, caveats []delegation.Caveat) (token.Chain, error) {
	if err := write(content, &chain.Scope, len(c.Blocks()), caveats); err != nil {
		return nil, err
	}
	longer, err := c.Append(holder, content, next)
	if err != nil {
		return nil, err
	}
	return acceptable(longer)
}

// acceptable returns a token that a verifier can read, and no other.
func acceptable[C token.Chain](c C) (C, error) {
	if _, err := delegation.ReadUnregistered(c); err != nil {
		var none C
		return none, err
	}
	return c, nil
}

// write adds caveats to a block, each of them within the scope so far.
func write(content *datalog.Block, scope *delegation.Scope, block int, caveats []delegation.Caveat) error {
	scope = scope.Clone()
	for _, cv := range caveats {
		if err := valid(cv); err != nil {
			return err
		}
		if _, err := scope.Fit(cv, false); err != nil {
			return err
		}
		scope.Narrow(cv, block)
		content.Checks = append(content.Checks, cv.Check())
	}
	return nil
}

func valid(cv delegation.Caveat) error {
	if cv == nil {
		return fmt.Errorf("a caveat is nil")
	}
	return cv.Validate()
}

// validHolder refuses keys that would undo the handoff: the invocation key,
// with which anyone could go on, and the root's, which signs for everybody.
func validHolder(key, root token.PublicKey) error {
	switch {
	case key.IsZero():
		return fmt.Errorf("the agent's key is missing")
	case token.IsInvocationKey(key):
		return token.Errorf(token.CodeProfile, -1, "the agent's key is the public invocation key: anyone could use the token")
	case key == root:
		return token.Errorf(token.CodeProfile, -1, "the agent's key is the root key: give the agent a key of its own")
	}
	return nil
}

func name(predicate, value string) datalog.Predicate {
	return datalog.Predicate{Name: predicate, Terms: []datalog.Term{datalog.String(value)}}
}
