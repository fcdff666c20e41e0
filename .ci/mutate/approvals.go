package main

// approvalsMutants are about what demands approvals, what they hold, who gives them
// and how often they serve.
var approvalsMutants = []mutant{
	// The caveat.
	{"V7 approval: no key twice", "token/delegation/approval.go", "case slices.Contains(keys[:i], k):", "case slices.Contains(keys[:i], k) && false:", "./token/delegation", ""},
	{"V7 approval: not by everybody", "token/delegation/approval.go", "case token.IsInvocationKey(k):", "case false:", "./token/delegation", ""},
	{"V7 approval: few keys", "token/delegation/approval.go", "if len(keys) > maxApprovers {\n\t\treturn fmt", "if false {\n\t\treturn fmt", "./token/delegation", ""},
	{"approval: each choice of keys", "token/delegation/approval.go", "len(keys)-need+1) {", "len(keys)-need+2) {", "./token/delegation", ""},
	{"approval: a quorum is exactly that", "token/delegation/approval.go", "areChoices(approvals[:count], keys, size)", "true", "./token/delegation", ""},
	{"approval: the JSON of demands is bounded", "token/delegation/approval.go", `; room < 0 {`, `; false {`, "./token/delegation", "TestScopeJSONIsBounded"},
	{"approval: only what can be a quorum is built", "token/delegation/approval.go", "if count > len(approvals) {", "if false {", "./token/delegation", ""},

	// The block.
	{"V9 approvals keep the next key", "token/delegation/approved.go", "case b.Next != r.blocks[i-1].Next:", "case false:", "./verify", "Vectors|AnotherPlace"},
	{"V9 approvals are not by everybody", "token/delegation/approved.go", "case token.IsInvocationKey(b.External):", "case false:", "./verify", "Vectors|InChain"},
	{"V9 approvals are low-S", "token/delegation/approved.go", "case !lowS(b.External, b.ExternalSignature):", "case false:", "./verify", "Vectors|P256"},
	{"V9 approvals hold nothing else", "token/delegation/approved.go", "return ok && a.Content().Equal(*b)", "return ok", "./verify", "Vectors|Shape"},
	{"V9 approvals have one parent", "token/delegation/approved.go", "!bytes.Equal(a.Parent[:], prefix[:]) {", "!bytes.Equal(a.Parent[:], prefix[:]) && false {", "./verify", "Vectors|Elsewhere|TwoApprovals"},
	{"V9 an approval ends the token with it", "token/delegation/approved.go", "r.chain.Scope.Narrow(Expiry{a.Expires}, i)", "_ = i", "./verify", "Vectors|ApprovalExpires"},
	{"V9 approvers have no part in the chain", "verify/approvals.go", "if a.chain.HasPart(given.By) {", "if false {", "./verify", "Vectors|InChain"},
	{"V9 neither have holders before and after", "token/delegation/approved.go", "return l.By == key || l.Key == key", "return l.By == key", "./verify", "Vectors|InChain"},
	{"V9 nor has the root", "token/delegation/approved.go", "return l.By == key || l.Key == key", "return l.Key == key", "./verify", "Vectors|InChain"},
	{"V9 approvals compared outside the engine", "verify/evaluate.go", "return a.approved()", "return nil", "./verify", "Outside"},
	{"V9 of the very action", "token/delegation/approved.go", "if a.Action == action && !slices.Contains(keys, a.By) {", "if !slices.Contains(keys, a.By) {", "./verify", "Outside"},
	{"V6 holders approve nothing", "token/delegation/read.go", "return f, &UnknownFact{p}", `if p.Name == "approved" || p.Name == "parent" {` + "\n\t\t\t\tcontinue\n\t\t\t}\n\t\t\t" + "return f, &UnknownFact{p}", "./verify", "Vectors|Elsewhere"},

	// Once.
	{"V12 an approval serves once", "verify/approvals.go", "a.use(given.Block, given.Signature, seconds(given.From), seconds(given.Until))", "_ = given", "./verify", "ApprovalServesOnce|OfBearer"},
	{"V12 what is not needed is not used up", "verify/approvals.go", "given.Action != a.action || !a.asksFor(given.By) {", "given.Action != a.action {", "./verify", "NotNeeded"},
	{"V12 nor are approvals of other actions", "verify/approvals.go", "given.Action != a.action || !a.asksFor(given.By) {", "given.Action != a.action && false || !a.asksFor(given.By) {", "./verify", "NotNeeded"},
	{"V12 what the policy asks for is used up", "verify/approvals.go", "|| slices.Contains(a.v.trusting, approver.Datalog())", "|| slices.Contains(a.v.trusting[:0], approver.Datalog())", "./verify", "ForThePolicy"},
	{"V12 wherever the policy asks for it: checks", "verify/verifier.go", "inQueries(c.Queries)", "_ = c", "./verify", "ForThePolicy"},
	{"V12 wherever the policy asks for it: all of it", "verify/verifier.go", "found := slices.Clone(a.Scopes)", "found := slices.Clone(a.Scopes[:0])", "./verify", "ForThePolicy"},
	{"V12 since when an approval can be used", "token/delegation/approved.go", "a.From = from.At", "a.From = max(from.At, a.Expires)", "./verify", "BeforeTheMemory"},

	// Those who approve.
	{"A5 from trusted roots only", "attenuate/approve.go", "if roots == nil {", "if false {", "./attenuate", "Review"},
	{"A5 the root may speak for the delegator", "attenuate/approve.go", "if err := roots.MaySpeak(c.Root(), chain.Delegator, options.Now); err != nil {", "if err := error(nil); err != nil {", "./attenuate", "Review"},
	{"A5 the action is within the scope", "attenuate/approve.go", "if refused, _ := chain.Against(checked); len(refused) > 0 {", "if refused, _ := chain.Against(checked); len(refused) > 100 {", "./attenuate", "Review"},
	{"A5 the approver is named", "attenuate/approve.go", "if !chain.NamesApprover(key) {", "if false {", "./attenuate", "Review|Attach"},
	{"A5 the approver has no part in the chain", "attenuate/approve.go", "if !o.AllowApproverInChain && chain.HasPart(key) {", "if false {", "./attenuate", "Review|Attach"},
	{"A5 nobody approves twice", "attenuate/approve.go", "if slices.Contains(chain.Approvers(reviewed.Digest), approver) {", "if false {", "./attenuate", "Review"},
	{"A5 the token holds now", "attenuate/approve.go", "if !now.Before(end.Time()) {", "if false {", "./attenuate", "Review"},
	{"A5 who was shown it signs", "attenuate/approve.go", "if approver == nil || approver.Public() != r.Approver {", "if approver == nil {", "./attenuate", "Approve"},
	{"A5 bearer tokens are not sent around", "attenuate/approve.go", "if c.Form() != token.Held || chain.Bearer {", "if false {", "./attenuate", "Review"},
	{"A5 whoever approves is asked", "cli/approve.go", "if err := confirmed(c, env); err != nil {", "if err := error(nil); err != nil {", "./cli", "ApproveAsks"},
	{"A2 expired approvals are not attached", "attenuate/approve.go", "if uint64(options.Now.Unix()) >= a.Expires {", "if false {", "./attenuate", "Attach"},
	{"a request for approval has one spelling", "token/delegation/approval_request.go", `if !strings.ContainsAny(text, ".e") {`, `if !strings.ContainsAny(text, ".e") && false {`, "./token/delegation", "ApprovalRequest"},
}
