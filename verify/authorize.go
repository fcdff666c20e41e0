package verify

import (
	"fmt"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/verify/internal/engine"
)

// An Extern is a function of the service that Datalog calls by name, as in
// $a.extern::name($b). The right operand is nil in a call with one operand. It
// must be pure and safe for concurrent use: how often it is called is not
// promised. A panic in it is not recovered.
type Extern = engine.Extern

// AuthorizeOptions adjusts a decision. Nil means the default limits and no
// extern functions.
type AuthorizeOptions struct {
	Limits  Limits
	Externs map[string]Extern
}

// An Authorizer is what a service brings to every decision on plain Biscuits,
// prepared once. It is safe for concurrent use.
type Authorizer struct {
	source   *datalog.Authorizer
	compiled *engine.Authorizer
}

// NewAuthorizer prepares facts, rules, checks and policies. The source must not
// change afterwards.
func NewAuthorizer(source *datalog.Authorizer) (*Authorizer, error) {
	if source == nil {
		return nil, fmt.Errorf("an authorizer is needed: write allow if true to let the token's checks decide")
	}
	compiled, err := engine.Compile(source)
	if err != nil {
		return nil, evaluationError(err)
	}
	return &Authorizer{source, compiled}, nil
}

// An Authorization is the outcome of a decision on a plain Biscuit. It is not
// safe for concurrent use.
type Authorization struct {
	blocks     []engine.Block
	authorizer *datalog.Authorizer
	facts      []datalog.Predicate // of this request
	ids        [][]byte
	limits     Limits
	result     *engine.Result
}

// Authorize prepares the authorizer and decides: see [Authorizer.Authorize].
func Authorize(t *token.Token, source *datalog.Authorizer, o *AuthorizeOptions) (*Authorization, error) {
	a, err := NewAuthorizer(source)
	if err != nil {
		return &Authorization{authorizer: source}, err
	}
	return a.Authorize(t, nil, o)
}

// Authorize decides on a plain Biscuit by the rules of the Biscuit
// specification: every check must hold, and the first policy that matches must
// be an allow policy. facts are those of this request. It allows if and only if
// the error is nil. The authorization is never nil and can be looked into.
//
// It knows nothing of delegation, agents or requests: for tokens of Whittle use
// a [Verifier].
func (a *Authorizer) Authorize(t *token.Token, facts []datalog.Predicate, o *AuthorizeOptions) (*Authorization, error) {
	if token.IsZero(t) {
		return &Authorization{authorizer: a.source}, token.Errorf(token.CodeMalformed, -1, "a token has at least one block")
	}
	return a.authorize(engineBlocks(t), token.RevocationIDs(t), facts, o)
}

func (a *Authorizer) authorize(blocks []engine.Block, ids [][]byte, facts []datalog.Predicate, o *AuthorizeOptions) (*Authorization, error) {
	if o == nil {
		o = new(AuthorizeOptions)
	}
	out := &Authorization{blocks: blocks, authorizer: a.source, facts: facts, ids: ids, limits: o.Limits}
	var err error
	out.result, err = a.compiled.Evaluate(out.blocks, facts, &engine.Options{Limits: engine.Limits(o.Limits), Externs: o.Externs})
	switch {
	case err != nil:
		return out, evaluationError(err)
	case out.result.Allowed():
		return out, nil
	case len(out.result.Failed) > 0:
		f := out.result.Failed[0]
		if f.Block == engine.AuthorizerBlock {
			return out, token.Errorf(token.CodeCheckFailed, -1, "%s of the authorizer does not hold", f.Source)
		}
		return out, token.Errorf(token.CodeCheckFailed, int(f.Block), "%s does not hold", f.Source)
	case out.result.Policy < 0:
		return out, token.Errorf(token.CodePolicy, -1, "no policy matches")
	}
	return out, token.Errorf(token.CodePolicy, -1, "policy %d denies: %s", out.result.Policy, out.matched())
}

// Policy returns the policy that matched, and its index. ok is false if none
// did.
func (a *Authorization) Policy() (p datalog.Policy, index int, ok bool) {
	if a.result == nil || a.result.Policy < 0 {
		return datalog.Policy{}, -1, false
	}
	return a.authorizer.Policies[a.result.Policy], a.result.Policy, true
}

func (a *Authorization) matched() string {
	p, _, _ := a.Policy()
	return p.String()
}

// Query returns the facts that a rule derives from what the authorizer and
// block 0 say, or from the blocks that the rule trusts by name.
func (a *Authorization) Query(rule datalog.Rule) ([]datalog.Predicate, error) {
	if a.result == nil {
		return nil, fmt.Errorf("nothing was evaluated")
	}
	return a.result.Query(&rule)
}

// QueryAll is [Authorization.Query] over the facts of all blocks, whoever wrote
// them. Nothing may be decided on what it returns.
func (a *Authorization) QueryAll(rule datalog.Rule) ([]datalog.Predicate, error) {
	if a.result == nil {
		return nil, fmt.Errorf("nothing was evaluated")
	}
	return a.result.QueryAll(&rule)
}
