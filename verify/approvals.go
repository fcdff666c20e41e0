package verify

import (
	"slices"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
)

// approvers refuses approvals by those who want something approved: the delegator
// and the holders, so that four eyes are four.
func (a *attempt) approvers() error {
	if a.v.options.AllowApproverInChain {
		return nil
	}
	for _, given := range a.chain.Approvals {
		if a.chain.HasPart(given.By) {
			return token.Errorf(token.CodeProfile, given.Block, "the approver %s is the root or a holder in this chain", given.By)
		}
	}
	return nil
}

// An Approval is that of one person whom a caveat or the service's policy names, for the
// very action that was asked for.
type Approval struct {
	Block   int
	Key     token.PublicKey
	Expires time.Time
}

// useApprovals notes the approvals of this very action and has them used up with the
// request, unless the service lets them serve again.
func (a *attempt) useApprovals() {
	for i := range a.chain.Approvals {
		given := &a.chain.Approvals[i]
		if given.Action != a.action || !a.asksFor(given.By) {
			continue
		}
		a.d.Approvals = append(a.d.Approvals, Approval{given.Block, given.By, seconds(given.Expires)})
		if !a.v.options.AllowApprovalReuse {
			a.use(given.Block, given.Signature, seconds(given.From), seconds(given.Until))
		}
	}
}

// asksFor reports whether a caveat of the token, or the service's policy, names an
// approver.
func (a *attempt) asksFor(approver token.PublicKey) bool {
	return a.chain.NamesApprover(approver) || slices.Contains(a.v.trusting, approver.Datalog())
}

// approved holds the approval caveats against the approvals that were read, besides
// what the engine has found out about them.
func (a *attempt) approved() error {
	if missing := a.chain.Unapproved(a.action); len(missing) > 0 {
		return token.Errorf(token.CodeCheckFailed, missing[0].Block, "%s", delegation.Explain(missing[0].Caveat, nil).Message)
	}
	return nil
}
