package attenuate

import (
	"fmt"
	"slices"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
)

// ApprovalTTL is how long an approval holds unless asked otherwise.
const ApprovalTTL = 10 * time.Minute

// ApprovalOptions are what approvers, and holders who attach what they get, may
// want otherwise. The zero value is the safe choice; nil means the zero value.
type ApprovalOptions struct {
	// TTL is how long the approval holds from now; zero means [ApprovalTTL]. It
	// never holds longer than the token.
	TTL time.Duration

	// Now is the time; zero means the system's clock.
	Now time.Time

	// AllowApproverInChain lets the root and the holders of the token approve. A
	// verifier accepts that only if it is told to as well.
	AllowApproverInChain bool
}

func (o *ApprovalOptions) orDefaults() ApprovalOptions {
	var out ApprovalOptions
	if o != nil {
		out = *o
	}
	if out.TTL == 0 {
		out.TTL = ApprovalTTL
	}
	if out.Now.IsZero() {
		out.Now = time.Now()
	}
	return out
}

// RequestApproval asks the approvers that a held token names to approve one action
// with it. The action must lie within the token's scope. Approvals are given to the
// token as it is: whoever needs several asks for one, attaches it, and asks with the
// result for the next.
func RequestApproval(c token.Chain, action delegation.Request) (*delegation.ApprovalRequest, error) {
	chain, err := open(c)
	if err != nil {
		return nil, err
	}
	if err := approvable(c, chain, &action); err != nil {
		return nil, err
	}
	return &delegation.ApprovalRequest{Token: c.Text(), Action: action}, nil
}

// approvable refuses tokens and actions that no approval could be of use for.
func approvable(c token.Chain, chain *delegation.Chain, action *delegation.Request) error {
	if c.Form() != token.Held || chain.Bearer {
		// Whoever reads the request could use it.
		return token.Errorf(token.CodeProfile, -1, "approval is asked for with a held token, and this one is bearer")
	}
	if !demandsApproval(chain) {
		return token.Errorf(token.CodeProfile, -1, "the token asks for nobody's approval")
	}
	checked, err := action.Check()
	if err != nil {
		return err
	}
	if refused, _ := chain.Against(checked); len(refused) > 0 {
		return token.Errorf(token.CodeCheckFailed, refused[0].Block, "the token does not allow the action: %s", refused[0].Finding.Message)
	}
	return nil
}

// demandsApproval reports whether a chain has an approval caveat.
func demandsApproval(chain *delegation.Chain) bool {
	return slices.ContainsFunc(chain.Scope.Bounds, func(b delegation.Bound) bool {
		_, ok := b.Caveat.(delegation.Approval)
		return ok
	})
}

// mayApprove refuses a key whose approval would count for nothing.
func mayApprove(chain *delegation.Chain, key token.PublicKey, o *ApprovalOptions) error {
	if !chain.NamesApprover(key) {
		return token.Errorf(token.CodeProfile, -1, "no approval caveat of the token names the key %s", key)
	}
	if !o.AllowApproverInChain && chain.HasPart(key) {
		return token.Errorf(token.CodeProfile, -1, "the key %s is the root or a holder in this chain: it must not approve what it asks for itself", key)
	}
	return nil
}

// Reviewed is a request for approval of which everything that can be verified has
// been. Whoever approves has to look at it first: at the chain, what the token
// allows, and the action.
type Reviewed struct {
	// Token is the held token, verified from a trusted root, and Chain what it
	// says.
	Token token.Chain
	Chain *delegation.Chain

	// Action is what is to be approved, with this digest.
	Action delegation.Request
	Digest delegation.Digest

	// Undecided are the caveats that only the service can hold against the action.
	Undecided []delegation.Bound

	// Approver is the key that is to sign, and Expires when the approval will end.
	Approver token.PublicKey
	Expires  time.Time
}

// Review verifies a request for approval, for the owner of the approver's key: that
// the token is from a trusted root which may speak for the delegator, is held, and
// holds now; that the action lies within its scope, as far as the caveats say
// without the service; that an approval caveat names the key, which has no part in
// the chain and has not approved this before.
func Review(r *delegation.ApprovalRequest, roots *trust.Roots, approver token.PublicKey, o *ApprovalOptions) (*Reviewed, error) {
	options := o.orDefaults()
	if roots == nil {
		return nil, fmt.Errorf("an approver needs root keys to trust")
	}
	if options.TTL < 0 {
		return nil, fmt.Errorf("an approval must not end before it begins")
	}
	u, err := token.ParseText(r.Token, nil)
	if err != nil {
		return nil, err
	}
	c, err := roots.Verify(u, options.Now)
	if err != nil {
		return nil, err
	}
	chain, err := open(c)
	if err != nil {
		return nil, err
	}
	if err := roots.MaySpeak(c.Root(), chain.Delegator, options.Now); err != nil {
		return nil, err
	}
	if err := approvable(c, chain, &r.Action); err != nil {
		return nil, err
	}
	if err := mayApprove(chain, approver, &options); err != nil {
		return nil, err
	}
	reviewed := &Reviewed{Token: c, Chain: chain, Action: r.Action, Approver: approver, Expires: options.Now.Add(options.TTL).Truncate(time.Second)}
	if err := reviewed.holdsNow(options.Now); err != nil {
		return nil, err
	}
	checked, err := r.Action.Check()
	if err != nil {
		return nil, err
	}
	_, reviewed.Undecided = chain.Against(checked)
	if reviewed.Digest, err = checked.ActionDigest(); err != nil {
		return nil, err
	}
	if slices.Contains(chain.Approvers(reviewed.Digest), approver) {
		return nil, token.Errorf(token.CodeProfile, -1, "the key %s has approved this action with this token already", approver)
	}
	return reviewed, nil
}

// holdsNow refuses a token outside its times, and lets the approval end with it.
func (r *Reviewed) holdsNow(now time.Time) error {
	if from, ok := r.Chain.Scope.NotBefore(); ok && now.Before(from.Time()) {
		return token.Errorf(token.CodeWindow, -1, "the token holds from %s on", from.Time().Format(time.RFC3339))
	}
	if end, ok := r.Chain.Scope.Expires(); ok {
		if !now.Before(end.Time()) {
			return token.Errorf(token.CodeExpired, -1, "the token expired at %s", end.Time().Format(time.RFC3339))
		}
		if end.Time().Before(r.Expires) {
			r.Expires = end.Time()
		}
	}
	if r.Expires.Unix() <= now.Unix() {
		return fmt.Errorf("an approval holds for a second at least")
	}
	return nil
}

// Approve signs the approval. What it returns goes back to the holder, who attaches
// it to the very token that was reviewed.
func (r *Reviewed) Approve(approver token.Signer) (approval []byte, err error) {
	if approver == nil || approver.Public() != r.Approver {
		return nil, fmt.Errorf("the signer is not the owner of %s, for whom the request was reviewed", r.Approver)
	}
	content := delegation.Approved{
		Action:  r.Digest,
		Parent:  r.Token.PrefixHash(len(r.Token.Blocks())),
		Expires: uint64(r.Expires.Unix()),
	}
	return token.SignThirdParty(r.Token.Request(), approver, content.Content())
}

// Attach adds an approval to the token that it was given for, signed with the
// holder's key. It refuses what a verifier would not accept, what no approval caveat
// asks for, and what has expired, since the token would expire with it.
func Attach(c token.Chain, holder token.Signer, approval []byte, o *ApprovalOptions) (token.Chain, error) {
	options := o.orDefaults()
	if _, err := open(c); err != nil {
		return nil, err
	}
	longer, err := c.AppendThirdParty(holder, approval, token.SameNext(c))
	if err != nil {
		return nil, err
	}
	chain, err := delegation.ReadUnregistered(longer)
	if err != nil {
		return nil, err
	}
	a := chain.Approvals[len(chain.Approvals)-1]
	if err := mayApprove(chain, a.By, &options); err != nil {
		return nil, err
	}
	if uint64(options.Now.Unix()) >= a.Expires {
		return nil, token.Errorf(token.CodeExpired, a.Block, "the approval expired at %s", time.Unix(int64(a.Expires), 0).UTC().Format(time.RFC3339))
	}
	return longer, nil
}
