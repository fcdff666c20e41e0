package verify

import (
	"strings"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
)

// approvers refuses approvals by those who want something approved: the delegator
// and the holders, so that four eyes are four.
func (v *Verifier) approvers(chain *delegation.Chain) error {
	if v.options.AllowApproverInChain {
		return nil
	}
	for _, a := range chain.Approvals {
		if chain.HasPart(a.By) {
			return token.Errorf(token.CodeProfile, a.Block, "the approver %s is the root or a holder in this chain", a.By)
		}
	}
	return nil
}

// approved holds the approval caveats against the approvals that were read, besides
// what the engine has found out about them.
func (v *Verifier) approved(chain *delegation.Chain, req *delegation.Checked) error {
	action, err := req.ActionDigest()
	if err != nil {
		return undecidable(err)
	}
	if missing := chain.Unapproved(action); len(missing) > 0 {
		return token.Errorf(token.CodeCheckFailed, missing[0].Block, "%s", lacksApproval(missing[0].Caveat))
	}
	return nil
}

func lacksApproval(c delegation.Caveat) string {
	return "nobody has approved this very action as demanded: " + strings.TrimPrefix(c.String(), "approval ")
}
