package verify

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

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

// evaluate asks the engine, which has the last word on every caveat.
func (a *attempt) evaluate() error {
	if err := a.stateAll(); err != nil {
		return err
	}
	told, err := tell(a.chain, a.req)
	if err != nil {
		return err
	}
	r, err := a.ask(told)
	a.result, a.broken, a.told = r, err != nil, told
	if err != nil {
		return evaluationError(err)
	}
	if r.Allowed() {
		return a.approved()
	}
	return a.failures()
}

// failures says what the engine found against the request: the checks that do not
// hold, then that no policy allows it.
func (a *attempt) failures() *denial {
	v, d, r, facts, blocks := a.v, a.d, a.result, a.stated.Facts, engine.Told(a.appendBlocks(nil, 0), a.told)
	found := new(denial)
	for i, f := range r.Failed {
		if i == maxReasons {
			found.add("", Reason{Code: token.CodeCheckFailed, Block: -1, Hop: v.audience, Message: fmt.Sprintf("and %d more", len(r.Failed)-i)})
			break
		}
		// What the check sees besides: block 0, and what only its own block was told.
		seen := [][]datalog.Predicate{facts, blocks[0].Datalog.Facts}
		if f.Block == engine.AuthorizerBlock {
			found.add("", Reason{
				Code: token.CodeCheckFailed, Block: -1, Hop: v.audience, Check: f.Source.String(),
				Asked: asked(f.Source.Queries, seen...), Message: "the service's own check does not hold",
			})
			continue
		}
		if f.Block > 0 {
			seen = append(seen, blocks[f.Block].Datalog.Facts)
		}
		reason := Reason{
			Code: token.CodeCheckFailed, Block: int(f.Block), Hop: d.author(int(f.Block)), Check: f.Source.String(),
			Asked: asked(f.Source.Queries, seen...),
		}
		caveat := delegation.ReadCaveat(*f.Source)
		finding := delegation.Explain(caveat, slices.Concat(seen...))
		reason.Asked = cmp.Or(finding.Asked, reason.Asked)
		reason.Allowed, reason.Message = finding.Allowed, finding.Message
		if _, custom := caveat.(delegation.Custom); custom {
			reason.Message = "the check does not hold: " + cmp.Or(reason.Asked, "nothing can make it hold")
		}
		found.add(a.about(f, caveat), reason)
	}
	if !a.broken && (r.Policy < 0 || r.Kind == datalog.Deny) {
		found.add("", v.unpermitted(r, facts, blocks[0].Datalog.Facts))
	}
	return found
}

// about names what a step before the engine has compared already: see refusal.
func (a *attempt) about(f engine.FailedCheck, c delegation.Caveat) string {
	if inv := a.chain.Invocation; inv != nil && int(f.Block) == inv.Block {
		return [...]string{"request", "audience", "time"}[f.Check] // as they always stand
	}
	switch c.(type) {
	case delegation.Expiry:
		return "expires"
	case delegation.NotBefore:
		return "not before"
	}
	return ""
}

// unpermitted says that the service's policies do not allow the request.
func (v *Verifier) unpermitted(r *engine.Result, facts ...[]datalog.Predicate) Reason {
	reason := Reason{Code: token.CodePolicy, Block: -1, Hop: v.audience}
	policies := v.options.Policy.Policies
	if r.Policy >= 0 {
		p := policies[r.Policy]
		reason.Check, reason.Asked = p.String(), asked(p.Queries, facts...)
		reason.Message = "a policy of the service denies the request" + colon(reason.Asked)
		return reason
	}
	var queries []datalog.Query
	var texts []string
	for _, p := range policies {
		if p.Kind == datalog.Allow {
			queries = append(queries, p.Queries...)
			texts = append(texts, short(p.String()))
		}
	}
	reason.Asked = asked(queries, facts...)
	reason.Allowed = strings.Join(texts[:min(len(texts), maxAskedFacts)], "; ")
	reason.Message = "no policy of the service allows the request" + colon(reason.Asked)
	return reason
}

// colon leads to what was asked, if anything was.
func colon(asked string) string {
	if asked == "" {
		return ""
	}
	return ": " + asked
}

// blank stands for a digest that nobody asks for.
var blank datalog.Term = datalog.Bytes(make([]byte, len(delegation.Digest{})))

// stateAll states the request, and what the verifier knows of the service and of who
// presents the token. The digest of the action is only known where somebody asks for it:
// elsewhere a blank keeps its place, so that what is decided takes the same work.
func (a *attempt) stateAll() error {
	if err := a.req.Stateable(&a.v.mentions); err != nil {
		return token.Errorf(token.CodeCheckFailed, -1, "%s", err)
	}
	s := &a.stated
	a.req.State(s)
	s.Facts = append(s.Facts, a.req.Inside(&a.v.mentions)...)
	m := a.v.moment(a.now)
	s.Add("time", m.time)
	s.Add("weekday", m.weekday)
	s.Add("minute", m.minute)
	s.Add("depth", datalog.Integer(a.chain.Depth))
	action := blank
	if a.action != (delegation.Digest{}) {
		action = datalog.Bytes(a.action[:])
	}
	s.Add("action", action)
	s.Facts = append(s.Facts, a.context...)
	inv := a.chain.Invocation
	switch channel := a.state.Channel; {
	case channel == delegation.Channel{}:
	case inv != nil && channel == inv.Channel && a.known != nil && a.chain == a.known.chain: // a known session
		s.Facts = append(s.Facts, a.known.channel)
	default:
		s.Facts = append(s.Facts, channel.Fact())
	}
	s.Facts = append(s.Facts, a.state.Facts...)
	if inv == nil {
		return nil
	}
	if a.known != nil && a.known.presenter() == inv.By {
		s.Add("agent_key", a.known.agentKey)
	} else {
		s.Add("agent_key", datalog.String(inv.By.String()))
	}
	if a.d.Agent != "" {
		s.Add("agent", datalog.String(a.d.Agent))
	}
	if a.request != (delegation.Digest{}) {
		s.Add("request", datalog.Bytes(a.request[:]))
	}
	return nil
}

// ask has the engine decide. What is known of the first blocks is compiled already.
func (a *attempt) ask(told [][]datalog.Predicate) (*engine.Result, error) {
	o := &engine.Options{Limits: engine.Limits(a.v.options.Limits), Externs: a.v.options.Externs}
	var p *engine.Prepared
	known := 0 // blocks that are prepared
	if a.known != nil && a.known.prepared != nil {
		p, known = a.known.prepared, len(a.known.token.Blocks())
	}
	first := min(known, len(told))
	a.blocks = a.appendBlocks(a.blocks[:0], known)
	blocks := engine.Told(a.blocks, told[first:])
	if p != nil {
		return p.Evaluate(told[:first], blocks, a.stated.Facts, o)
	}
	return a.v.policy.Evaluate(blocks, a.stated.Facts, o)
}

// appendBlocks appends the token's blocks from one on as the engine takes them, and the
// supposed invocation.
func (a *attempt) appendBlocks(to []engine.Block, from int) []engine.Block {
	to = appendBlocks(to, a.token.Blocks()[from:])
	if a.supposed != nil {
		to = append(to, engine.Block{Datalog: a.supposed})
	}
	return to
}

// tell returns for each block the values inside arguments that its own caveats speak
// of; it ends with the last block that is told anything. They are stated as if the block
// had said so itself: then no other block sees them but by way of block 0, which nobody
// can change.
func tell(chain *delegation.Chain, req *delegation.Checked) (told [][]datalog.Predicate, err error) {
	for i := range chain.Links {
		l := &chain.Links[i]
		if err := req.Stateable(&l.Mentions); err != nil {
			return nil, token.Errorf(token.CodeCheckFailed, l.Block, "%s", err)
		}
		if inside := req.Inside(&l.Mentions); len(inside) > 0 {
			told = append(told, make([][]datalog.Predicate, l.Block+1-len(told))...)
			told[l.Block] = inside
		}
	}
	return told, nil
}

// engineBlocks returns a token's blocks as the engine takes them.
func engineBlocks(t *token.Token) []engine.Block {
	return appendBlocks(make([]engine.Block, 0, len(t.Blocks())), t.Blocks())
}

func appendBlocks(to []engine.Block, blocks []token.Block) []engine.Block {
	for i := range blocks {
		b := engine.Block{Datalog: blocks[i].Datalog}
		if !blocks[i].External.IsZero() {
			key := blocks[i].External.Datalog()
			b.External = &key
		}
		to = append(to, b)
	}
	return to
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
