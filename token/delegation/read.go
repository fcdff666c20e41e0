package delegation

import (
	"fmt"
	"slices"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
)

// minNonce is the least length of an invocation's nonce, in bytes.
const minNonce = 16

// A Chain is what a token's blocks say: who delegated to whom, and what each
// hop allows.
type Chain struct {
	// Delegator is the person on whose behalf all of this happens.
	Delegator string

	// Links are the blocks in order, without approvals and the invocation.
	Links []Link

	// Approvals are the blocks of approvers, in order. Whether one counts for
	// anything is another question: see [Chain.Unapproved].
	Approvals []Approved

	// Invocation is the last block of a presented token, nil otherwise.
	Invocation *Invocation

	// Bearer is true when whoever has the bytes can use the token.
	Bearer bool

	// Scope is what all the links together allow.
	Scope Scope

	// Depth is how often the holder changed after block 0.
	Depth int

	// Facts are what block 0 tells besides the vocabulary: see [FactType].
	Facts []datalog.Predicate

	// What was read, for [Chain.Continue].
	blocks int
	root   token.PublicKey // zero when unknown
	prefix [32]byte

	places int // inside arguments, addresses and URLs that the links speak of
}

// LinkKind says what a block did to the chain.
type LinkKind uint8

const (
	LinkMint    LinkKind = iota // block 0
	LinkNarrow                  // caveats only, the holder stays
	LinkHandoff                 // a new holder
	LinkBearer                  // from here on, whoever has the bytes
)

func (k LinkKind) String() string {
	switch k {
	case LinkMint:
		return "mint"
	case LinkNarrow:
		return "narrow"
	case LinkHandoff:
		return "handoff"
	case LinkBearer:
		return "bearer"
	}
	return "unknown"
}

// A Link is one block of a chain.
type Link struct {
	Block int
	Kind  LinkKind

	// By signed the block: the root key, or the holder before it.
	By token.PublicKey

	// Holder is what By calls the owner of Key, who holds the token from here
	// on. It is By's claim: nothing is decided on it. Empty for bearer.
	Holder string
	Key    token.PublicKey

	Caveats []Caveat

	// Mentions is what the caveats say of arguments.
	Mentions Mentions
}

// An Invocation narrows a token to one request at one service, for seconds; or as
// a session to one connection with it, for minutes.
type Invocation struct {
	Block     int
	By        token.PublicKey
	Nonce     []byte
	Request   Digest  // zero for a session
	Channel   Channel // zero unless it is a session
	Audience  string
	NotBefore uint64 // seconds since 1970, inclusive
	Expires   uint64 // seconds since 1970, exclusive
}

// Holder returns the last link that changed hands: who holds the token, or
// who invoked it.
func (c *Chain) Holder() *Link {
	for i := len(c.Links) - 1; i > 0; i-- {
		if c.Links[i].Kind != LinkNarrow {
			return &c.Links[i]
		}
	}
	return &c.Links[0]
}

// MentionsAction reports whether a block asks for the digest of the action, as one that
// wants an approval does.
func (c *Chain) MentionsAction() bool {
	return slices.ContainsFunc(c.Links, func(l Link) bool { return l.Mentions.Action })
}

// Author returns who wrote a block: the delegator, a holder by the name that it was given,
// or an approver, of whom the key is known only. It is empty for what was added to a
// bearer token, which anybody can have written.
func (c *Chain) Author(block int) string {
	for i := range c.Approvals {
		if c.Approvals[i].Block == block {
			return c.Approvals[i].By.String()
		}
	}
	by := c.Delegator
	for i := 0; i < len(c.Links) && c.Links[i].Block < block; i++ {
		by = c.Links[i].Holder
	}
	return by
}

// Read reads a chain by the rules of the vocabulary (spec/delegation.md) and
// refuses any other with an error of type [*token.Error], code profile. It
// holds nothing against the clock or a request. Block 0 may tell facts of the
// registered types besides; without any it tells those of the vocabulary only.
func Read(t token.Chain, registered ...FactType) (*Chain, error) {
	valid := slices.DeleteFunc(slices.Clone(registered), func(f FactType) bool { return f.Validate() != nil })
	return read(t, new(Chain), func(p datalog.Predicate) bool {
		return slices.ContainsFunc(valid, func(f FactType) bool { return f.covers(p) })
	})
}

// ReadUnregistered is [Read] for those who hold a token and do not know what the
// service has registered: block 0 may tell facts of any type outside of the
// vocabulary. Nothing may be decided on its result: a verifier calls Read.
func ReadUnregistered(t token.Chain) (*Chain, error) {
	return read(t, new(Chain), func(p datalog.Predicate) bool { return FurtherFact(p) == nil })
}

// Continue is [Read] for a token that begins with the blocks of the chain's own,
// byte for byte: those are not read again, and hold what was registered for them. It
// reads all of them where the token does not, and the chain stays as it is.
func (c *Chain) Continue(t token.Chain, registered ...FactType) (*Chain, error) {
	if n := c.blocks; n > 0 && n < len(t.Blocks()) && c.plainlyHeld() && c.root == t.Root() && c.prefix == t.PrefixHash(n) {
		longer := *c
		longer.Links, longer.Scope = slices.Clip(c.Links), *c.Scope.Clone()
		longer.Approvals = slices.Clip(c.Approvals)
		return read(t, &longer, nil)
	}
	return Read(t, registered...)
}

// plainlyHeld reports whether the chain reads the same as part of a longer one: that
// of a bearer token or an invocation depends on what ends it.
func (c *Chain) plainlyHeld() bool { return !c.Bearer && c.Invocation == nil }

// read reads the blocks of t that chain does not know yet. further says what block 0
// may tell besides the vocabulary.
func read(t token.Chain, chain *Chain, further func(datalog.Predicate) bool) (*Chain, error) {
	if token.IsZero(t) {
		return nil, token.Errorf(token.CodeProfile, -1, "there is no token")
	}
	r := reader{blocks: t.Blocks(), form: t.Form(), root: t.Root(), prefix: t.PrefixHash, further: further, chain: chain}
	for i := chain.blocks; i < len(r.blocks); i++ {
		if err := r.block(i); err != nil {
			return nil, &token.Error{Code: token.CodeProfile, Block: i, Err: err}
		}
	}
	if r.form != token.Held && chain.Invocation == nil {
		chain.Bearer = true
	}
	chain.Scope.at = nil // found again where a longer chain is read
	chain.blocks, chain.root = len(r.blocks), r.root
	chain.prefix = [32]byte{} // of what nothing continues
	if chain.plainlyHeld() {
		chain.prefix = t.PrefixHash(len(r.blocks))
	}
	return chain, nil
}

type reader struct {
	blocks []token.Block
	form   token.Form
	root   token.PublicKey // zero when unknown
	prefix func(blocks int) [32]byte
	chain  *Chain

	further func(datalog.Predicate) bool // may block 0 tell this besides the vocabulary
}

func (r *reader) block(i int) error {
	b := &r.blocks[i]
	if b.SignatureVersion != 1 {
		return fmt.Errorf("signature version %d, a token of ours has 1", b.SignatureVersion)
	}
	if !lowS(r.signer(i), b.Signature) {
		return fmt.Errorf("the P-256 signature is not in its low-S form")
	}
	if !b.External.IsZero() {
		return r.approval(i, b)
	}
	if err := plain(b.Datalog); err != nil {
		return err
	}
	if token.IsInvocationKey(b.Next) {
		return r.invocation(i, b)
	}
	return r.link(i, b)
}

// signer returns the key that signed block i, the zero key where the root is
// unknown.
func (r *reader) signer(i int) token.PublicKey {
	if i == 0 {
		return r.root
	}
	return r.blocks[i-1].Next
}

// link reads a block that is no invocation.
func (r *reader) link(i int, b *token.Block) error {
	l := Link{Block: i, By: r.signer(i), Key: b.Next}
	facts, err := r.factsOf(b, i == 0)
	if err != nil {
		return err
	}
	changed := i == 0 || b.Next != r.blocks[i-1].Next
	switch {
	case i == 0 && facts.delegator == "":
		return fmt.Errorf("no delegator")
	case i > 0 && facts.delegator != "":
		return fmt.Errorf("a delegator stands in block 0 only")
	case facts.nonce != nil:
		return fmt.Errorf("a nonce stands in an invocation only")
	case !changed && facts.holder != "":
		return fmt.Errorf("a holder is named, but the next key stays the same")
	case changed && r.chain.Bearer && facts.holder != "":
		return fmt.Errorf("a bearer token cannot be handed on to a holder")
	case changed && facts.holder == "" && r.form == token.Held:
		return fmt.Errorf("no holder is named for the next key")
	}
	l.Holder = facts.holder
	switch {
	case changed && facts.holder == "":
		l.Kind = LinkBearer
		r.chain.Bearer = true
	case i == 0:
		l.Kind = LinkMint
	case changed:
		l.Kind = LinkHandoff
		r.chain.Depth++
	default:
		l.Kind, l.Holder = LinkNarrow, r.chain.Links[len(r.chain.Links)-1].Holder
	}
	if n := len(b.Datalog.Checks); n > 0 {
		l.Caveats = make([]Caveat, 0, n)
	}
	for _, c := range b.Datalog.Checks {
		cv := ReadCaveat(c)
		if err := cv.Validate(); err != nil {
			return fmt.Errorf("%s: %w", cv, err)
		}
		l.Mentions.add(c.Queries)
		l.Caveats = append(l.Caveats, cv)
		r.chain.Scope.Narrow(cv, i)
	}
	if r.chain.places += l.Mentions.places(); r.chain.places > maxPointers {
		return fmt.Errorf("the token speaks of more than %d places inside arguments, addresses and URLs", maxPointers)
	}
	if i == 0 {
		r.chain.Delegator, r.chain.Facts = facts.delegator, facts.further
		for _, required := range []string{"expires", "resource", "operation"} {
			if !r.chain.Scope.has(required) {
				return fmt.Errorf("the required %s caveat is missing or not in its canonical form", required)
			}
		}
	}
	r.chain.Links = append(r.chain.Links, l)
	return nil
}

// invocation reads the last block of a presented token.
func (r *reader) invocation(i int, b *token.Block) error {
	switch {
	case i != len(r.blocks)-1:
		return fmt.Errorf("the invocation key is named by a block that is not the last")
	case i == 0:
		return fmt.Errorf("block 0 names the invocation key")
	case r.form != token.Attenuable:
		return fmt.Errorf("the invocation key is named, but the token is %s", r.form)
	case r.chain.Bearer:
		return fmt.Errorf("a bearer token cannot be invoked")
	}
	facts, err := r.factsOf(b, false)
	if err != nil {
		return err
	}
	if facts.delegator != "" || facts.holder != "" {
		return fmt.Errorf("an invocation names no delegator and no holder")
	}
	if len(facts.nonce) < minNonce {
		return fmt.Errorf("an invocation needs a nonce of at least %d bytes", minNonce)
	}
	inv := &Invocation{Block: i, By: r.signer(i), Nonce: facts.nonce}
	if !inv.readChecks(b.Datalog.Checks) {
		return fmt.Errorf("an invocation has exactly its three checks, in their canonical form: request or channel, audience, time")
	}
	r.chain.Invocation = inv
	return nil
}

// facts of one block, by the vocabulary.
type facts struct {
	delegator, holder string
	nonce             []byte
	further           []datalog.Predicate // in block 0 only
}

// factsOf reads a block's facts: those of the vocabulary, each at most once, and
// in block 0 what the service has registered, and no other. A fact that a verifier
// states would otherwise stand in for one that is absent.
func (r *reader) factsOf(b *token.Block, authority bool) (f facts, err error) {
	for _, p := range b.Datalog.Facts {
		var value datalog.Term
		if len(p.Terms) == 1 {
			value = p.Terms[0]
		}
		text, isString := value.(datalog.String)
		bytes, isBytes := value.(datalog.Bytes)
		switch {
		case p.Name == "delegator" && isString:
			err = once(&f.delegator, string(text), p)
		case p.Name == "holder" && isString:
			err = once(&f.holder, string(text), p)
		case p.Name == "nonce" && isBytes:
			if f.nonce != nil {
				return f, fmt.Errorf("a second nonce")
			}
			f.nonce = append([]byte{}, bytes...)
		case authority && r.further(p):
			f.further = append(f.further, p)
		default:
			return f, &UnknownFact{p}
		}
		if err != nil {
			return f, err
		}
	}
	return f, nil
}

// An UnknownFact is a fact outside of the vocabulary, where none of its type is registered.
type UnknownFact struct{ Fact datalog.Predicate }

func (e *UnknownFact) Error() string {
	return fmt.Sprintf("the fact %s does not belong into a token", e.Fact)
}

func once(field *string, value string, p datalog.Predicate) error {
	if *field != "" {
		return fmt.Errorf("a second %s", p.Name)
	}
	if err := ValidName(value); err != nil {
		return fmt.Errorf("%s %q: %w", p.Name, value, err)
	}
	*field = value
	return nil
}

// plain refuses what no token of ours contains, whatever it may do: rules, and
// trust in other blocks. Checks are looked at one by one.
func plain(b *datalog.Block) error {
	if len(b.Rules) > 0 {
		return fmt.Errorf("the rule %s does not belong into a token", b.Rules[0])
	}
	if len(b.Scopes) > 0 {
		return fmt.Errorf("a block must not say trusting")
	}
	return nil
}

func lowS(signer token.PublicKey, signature []byte) bool {
	return signer.IsZero() || signer.Algorithm() != datalog.Secp256r1 || token.IsLowS(signature)
}
