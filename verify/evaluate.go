package verify

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify/internal/engine"
)

// Limits bounds the work of one decision. Zero fields mean the defaults, which no
// honest token comes near; negative ones are refused.
type Limits struct {
	Facts      int // given and derived; 1000
	Iterations int // rounds of rules; 100
	Steps      int // units of work, see spec/evaluation.md; 1,000,000
}

// maxReasons bounds how many failed checks a decision lists.
const maxReasons = 32

// evaluate asks the engine, which has the last word on every caveat. stated are
// the facts that the verifier knows besides those of the request and the clock.
func (v *Verifier) evaluate(d *Decision, t *token.Token, chain *delegation.Chain, req *delegation.Checked, stated []datalog.Predicate, now time.Time) error {
	facts, err := v.state(req, chain, now)
	if err != nil {
		return err
	}
	blocks, err := statedTo(engineBlocks(t), chain, req)
	if err != nil {
		return err
	}
	r, err := v.policy.Evaluate(blocks, append(facts, stated...), &engine.Options{Limits: engine.Limits(v.options.Limits), Externs: v.options.Externs})
	if err != nil {
		return evaluationError(err)
	}
	if r.Allowed() {
		return v.approved(chain, req)
	}
	var reasons []Reason
	for i, f := range r.Failed {
		if i == maxReasons {
			reasons = append(reasons, Reason{Code: token.CodeCheckFailed, Block: -1, Message: fmt.Sprintf("and %d more", len(r.Failed)-i)})
			break
		}
		reason := Reason{Code: token.CodeCheckFailed, Block: -1, Hop: v.audience, Check: f.Source.String(), Message: "the service's own check does not hold"}
		if f.Block != engine.AuthorizerBlock {
			reason.Block = int(f.Block)
			reason.Hop = d.author(reason.Block)
			finding := delegation.Explain(delegation.ReadCaveat(*f.Source), slices.Concat(facts, stated, insideOf(chain, req, reason.Block)))
			reason.Message, reason.Asked, reason.Allowed = finding.Message, finding.Asked, finding.Allowed
		}
		reasons = append(reasons, reason)
	}
	if r.Policy < 0 || r.Kind == datalog.Deny {
		message := "no policy of the service allows the request"
		if r.Policy >= 0 {
			message = fmt.Sprintf("policy %d of the service denies the request", r.Policy)
		}
		reasons = append(reasons, Reason{Code: token.CodePolicy, Block: -1, Hop: v.audience, Message: message})
	}
	return &denial{reasons}
}

// state returns the facts of a request and of the verifier itself.
func (v *Verifier) state(req *delegation.Checked, chain *delegation.Chain, now time.Time) ([]datalog.Predicate, error) {
	if err := req.Stateable(&v.mentions); err != nil {
		return nil, token.Errorf(token.CodeCheckFailed, -1, "%s", err)
	}
	action, err := req.ActionDigest()
	if err != nil {
		return nil, token.Errorf(token.CodeCheckFailed, -1, "the request cannot be decided on: %s", err)
	}
	facts := append(req.Facts(), req.Inside(&v.mentions)...)
	return append(facts,
		fact("time", datalog.Date(now.Unix())),
		fact("weekday", datalog.Integer((int(now.Weekday())+6)%7+1)),
		fact("minute", datalog.Integer(now.Hour()*60+now.Minute())),
		fact("depth", datalog.Integer(chain.Depth)),
		fact("action", datalog.Bytes(action[:])),
	), nil
}

func fact(name string, value datalog.Term) datalog.Predicate {
	return datalog.Predicate{Name: name, Terms: []datalog.Term{value}}
}

// statedTo adds to each block the values inside arguments that its own caveats
// speak of, as if the block had said so itself: then no other block sees them but
// by way of block 0, which nobody can change.
func statedTo(blocks []engine.Block, chain *delegation.Chain, req *delegation.Checked) ([]engine.Block, error) {
	for i := range chain.Links {
		l := &chain.Links[i]
		if err := req.Stateable(&l.Mentions); err != nil {
			return nil, token.Errorf(token.CodeCheckFailed, l.Block, "%s", err)
		}
		inside := req.Inside(&l.Mentions)
		if len(inside) == 0 {
			continue
		}
		told := *blocks[l.Block].Datalog
		told.Facts = slices.Concat(told.Facts, inside)
		blocks[l.Block].Datalog = &told
	}
	return blocks, nil
}

// insideOf returns what is stated to one block only.
func insideOf(chain *delegation.Chain, req *delegation.Checked, block int) []datalog.Predicate {
	for i := range chain.Links {
		if l := &chain.Links[i]; l.Block == block {
			return req.Inside(&l.Mentions)
		}
	}
	return nil
}

// engineBlocks returns a token's blocks as the engine takes them.
func engineBlocks(t *token.Token) []engine.Block {
	blocks := make([]engine.Block, len(t.Blocks()))
	for i, b := range t.Blocks() {
		blocks[i].Datalog = b.Datalog
		if !b.External.IsZero() {
			key := b.External.Datalog()
			blocks[i].External = &key
		}
	}
	return blocks
}

// evaluationError gives an error of the engine its code. All of them deny.
func evaluationError(err error) error {
	out := &token.Error{Code: token.CodeEvaluation, Block: -1, Err: err}
	if e, ok := errors.AsType[*engine.Error](err); ok {
		if e.Kind.IsLimit() {
			out.Code = token.CodeLimit
		}
		if e.Block != engine.AuthorizerBlock {
			out.Block = int(e.Block)
		}
	}
	return out
}
