package verify

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
)

// A Decision is what a verifier found out and decided. What is filled in beyond
// Allowed, Code and Reasons has been verified: it is empty as long as the
// signatures have not. Decisions about one token share what they list of it, which must
// not be changed.
type Decision struct {
	Allowed bool
	// Code says why not; empty when allowed.
	Code token.Code

	// Delegator is the person on whose behalf the agent acts.
	Delegator string
	// Agent is the name that the directory binds to the key of whoever presents
	// the token; empty where it binds none or several, and for bearer tokens.
	Agent string
	// Chain lists the holders, first to last.
	Chain []Holder
	// Approvals are by whom the action that was asked for is approved, as far as the
	// token's caveats or the service's policy ask for it.
	Approvals []Approval
	// Bearer is true when nothing shows who presented the token.
	Bearer bool
	// Scope is what the token allows.
	Scope delegation.Scope
	// Expires is when the token expires.
	Expires time.Time
	// RevocationIDs has the id of each block: its signature, of which a token
	// of ours has one spelling only.
	RevocationIDs [][]byte

	// Reasons say why the request was denied, as far as is known.
	Reasons []Reason

	// What a record of the decision needs besides. Service made it, at a time by its
	// clock. Root signed block 0. Request is the digest that the invocation is held
	// against, zero for sessions and bearer tokens.
	Service string
	At      time.Time
	Root    token.PublicKey
	Request delegation.Digest

	asked   *delegation.Checked // nil where the request cannot be decided on
	authors []string            // who signed each block, as long as the blocks are not read
	chain   *delegation.Chain   // nil as long as the blocks are not read
	blocks  int                 // of the token, in chain
}

// Action returns the digest of what was asked, whatever the token: see
// [delegation.Checked.ActionDigest]. It is zero where the request cannot be decided
// on.
func (d *Decision) Action() delegation.Digest {
	if d.asked == nil {
		return delegation.Digest{}
	}
	action, err := d.asked.ActionDigest()
	if err != nil {
		return delegation.Digest{}
	}
	return action
}

// author returns who wrote a block, as far as that is verified.
func (d *Decision) author(block int) string {
	switch {
	case block < 0:
		return ""
	case d.chain != nil && block < d.blocks:
		return d.chain.Author(block)
	case d.chain == nil && block < len(d.authors):
		return d.authors[block]
	}
	return ""
}

// A Holder is one owner of a token. Name is what the one before called it: a
// claim; Key is the key that signed or must sign what follows. Agent is the one name
// that the directory binds to the key, empty where there is none.
type Holder struct {
	Name  string
	Key   token.PublicKey
	Agent string
}

// A Reason is one cause of a denial. It is for the service's eyes: a client is
// told the code only.
type Reason struct {
	Code token.Code
	// Block is the block that refuses, -1 for the token as a whole or the
	// service.
	Block int
	// Hop is who wrote that block: the delegator, a holder, or the service. Where
	// the blocks do not say it is the key that signed. It is empty where whoever
	// had the bytes can have written it.
	Hop string
	// Check is the check that failed, as Datalog, if there is one.
	Check string
	// Asked is what the request is in the respect that the check bounds, such as
	// "amount 250", or that it has nothing of the sort. Allowed is what would have
	// been allowed, such as "1 to 100". Empty where nothing was compared; Allowed
	// also for the service's own checks.
	Asked, Allowed string
	// Message says what was compared with what.
	Message string
}

func (r Reason) String() string {
	s := string(r.Code)
	if r.Block >= 0 {
		s += fmt.Sprintf(" in block %d", r.Block)
		if r.Hop != "" {
			s += " by " + delegation.PlainName(r.Hop)
		}
	}
	s += ": " + r.Message
	if r.Check != "" {
		s += " (" + r.Check + ")"
	}
	return s
}

// Denied is the error of a request that is not allowed.
//
// Its text has the first reason: it is for the service's log. A client is told
// the code only, which [CodeOf] returns.
type Denied struct {
	Decision *Decision
	err      error
}

// Unwrap returns the cause, such as context.Canceled.
func (e *Denied) Unwrap() error { return e.err }

func (e *Denied) Error() string {
	if len(e.Decision.Reasons) == 0 {
		return "denied: " + string(e.Decision.Code)
	}
	return "denied: " + e.Decision.Reasons[0].String()
}

// CodeOf returns the code of an error of [Verifier.Verify], and unavailable for
// any other error. For nil it is empty.
func CodeOf(err error) token.Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Denied](err); ok {
		return e.Decision.Code
	}
	if e, ok := errors.AsType[*token.Error](err); ok {
		return e.Code
	}
	return token.CodeUnavailable
}

// refusal is an error that says what was compared with what. about names what the
// engine compares again: it finds the same.
type refusal struct {
	err                   error
	about, asked, allowed string
}

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

func refuse(err error, about, asked, allowed string) error {
	return &refusal{err, about, asked, allowed}
}

// denial carries several reasons from the engine to the decision.
type denial struct {
	reasons []Reason
	abouts  []string // of each reason: see refusal
}

func (d *denial) add(about string, r Reason) {
	d.reasons, d.abouts = append(d.reasons, r), append(d.abouts, about)
}

func (d *denial) Error() string { return d.reasons[0].String() }

// deny records why, and returns the error for the caller.
func (d *Decision) deny(err error) error {
	d.Reasons = d.reasons(err)
	d.Code = d.Reasons[0].Code
	switch d.Code {
	case token.CodeMalformed, token.CodeUnsupported, token.CodeSignature:
		return err
	}
	return &Denied{d, err}
}

// reasons returns what an error says, one reason at least.
func (d *Decision) reasons(err error) []Reason {
	if e, ok := errors.AsType[*denial](err); ok {
		return e.reasons
	}
	reason := Reason{Code: CodeOf(err), Block: -1, Message: err.Error()}
	if e, ok := errors.AsType[*token.Error](err); ok {
		reason.Block = e.Block
		bare := *e
		bare.Block = -1
		reason.Message = bare.Error()
	}
	if e, ok := errors.AsType[*refusal](err); ok {
		reason.Asked, reason.Allowed = e.asked, e.allowed
	}
	reason.Hop = d.author(reason.Block)
	if reason.Block < 0 {
		reason.Hop = d.Service
	}
	return []Reason{reason}
}

// Refused returns the decision about a token that could not even be read.
func Refused(err *token.Error) *Decision {
	d := &Decision{}
	_ = d.deny(err)
	return d
}

// signedBy names the authors of blocks that are not read yet by their keys. Whose
// secret is published is nobody.
func (d *Decision) signedBy(t *token.Token) {
	d.authors = []string{t.Root().Brief()}
	for _, b := range t.Blocks() {
		name := ""
		if !token.IsInvocationKey(b.Next) {
			name = b.Next.String()
		}
		d.authors = append(d.authors, name)
	}
}

// describe fills in what a verified chain says, of which the first blocks may be known.
func (d *Decision) describe(t *token.Token, chain *delegation.Chain, known *remembered) {
	d.Delegator, d.Bearer = chain.Delegator, chain.Bearer
	d.Scope, d.Root = chain.Scope, t.Root()
	if at, ok := chain.Scope.Expires(); ok {
		d.Expires = at.Time()
	}
	if known != nil && len(known.chain.Links) == len(chain.Links) {
		d.Chain = known.holders
	} else {
		d.Chain = holders(chain)
	}
	if known != nil && known.chain == chain {
		d.RevocationIDs = known.ids
	} else {
		d.RevocationIDs = token.RevocationIDs(t)
	}
	d.chain, d.blocks = chain, len(t.Blocks())
}

// holders lists those of a chain, first to last, without the names that a directory has
// for them.
func holders(chain *delegation.Chain) []Holder {
	list := make([]Holder, 0, 1+chain.Depth)
	for i := range chain.Links {
		if l := &chain.Links[i]; l.Kind == delegation.LinkMint || l.Kind == delegation.LinkHandoff {
			list = append(list, Holder{Name: l.Holder, Key: l.Key})
		}
	}
	return list
}

// MarshalJSON writes the form of spec/errors.md.
func (d Decision) MarshalJSON() ([]byte, error) {
	type holder struct {
		Holder string `json:"holder"`
		Key    string `json:"key"`
		Agent  string `json:"agent"`
	}
	type approval struct {
		Block   int    `json:"block"`
		Key     string `json:"key"`
		Expires string `json:"expires"`
	}
	out := struct {
		Allowed       bool              `json:"allowed"`
		Code          token.Code        `json:"code"`
		Delegator     string            `json:"delegator"`
		Agent         string            `json:"agent"`
		Chain         []holder          `json:"chain"`
		Approvals     []approval        `json:"approvals"`
		Scope         *delegation.Scope `json:"scope"`
		Expires       *string           `json:"expires"`
		RevocationIDs []string          `json:"revocation_ids"`
		Reasons       []reasonJSON      `json:"reasons"`
		Service       string            `json:"service"`
		At            string            `json:"at"`
		Root          string            `json:"root"`
		Request       string            `json:"request"`
		Action        string            `json:"action"`
	}{
		Allowed: d.Allowed, Code: d.Code, Delegator: d.Delegator, Agent: d.Agent, Scope: &d.Scope,
		Chain: []holder{}, Approvals: []approval{}, RevocationIDs: []string{}, Reasons: []reasonJSON{},
	}
	if !d.Expires.IsZero() {
		expires := rfc3339(d.Expires)
		out.Expires = &expires
	}
	out.Service, out.Request, out.Action = d.Service, digestHex(d.Request), digestHex(d.Action())
	if !d.At.IsZero() {
		out.At = rfc3339(d.At)
	}
	if !d.Root.IsZero() {
		out.Root = d.Root.String()
	}
	for _, h := range d.Chain {
		out.Chain = append(out.Chain, holder{h.Name, h.Key.String(), h.Agent})
	}
	for _, given := range d.Approvals {
		out.Approvals = append(out.Approvals, approval{given.Block, given.Key.String(), rfc3339(given.Expires)})
	}
	for _, id := range d.RevocationIDs {
		out.RevocationIDs = append(out.RevocationIDs, hex.EncodeToString(id))
	}
	for _, r := range d.Reasons {
		out.Reasons = append(out.Reasons, reasonJSON(r))
	}
	return json.Marshal(out)
}

// digestHex writes a digest, nothing where there is none.
func digestHex(d delegation.Digest) string {
	if d == (delegation.Digest{}) {
		return ""
	}
	return hex.EncodeToString(d[:])
}

type reasonJSON struct {
	Code    token.Code `json:"code"`
	Block   int        `json:"block"`
	Hop     string     `json:"hop"`
	Check   string     `json:"check"`
	Asked   string     `json:"asked"`
	Allowed string     `json:"allowed"`
	Message string     `json:"message"`
}
