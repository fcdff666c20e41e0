package work

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/bench/measure"
	"github.com/whittle-auth/whittle/bench/peers"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/replay"
)

// Delegations is the group of chains of delegation with an invocation.
const Delegations = "Chains of delegation"

// The work on chains.
const (
	ColdChain  = "chain and invocation, cold"
	KnownChain = "known chain, new invocation"
	Session    = "session on a known connection"
)

// HopCounts are how many times a token was signed before its invocation: minted once,
// and handed on.
var HopCounts = []int{1, 3, 5, 10}

// Pooled is the side of Whittle that checks signatures on several cores.
const Pooled = "Whittle, two cores"

// WithReplay is the side of Whittle that remembers which invocations were used.
const WithReplay = "Whittle, remembering uses"

const audience = "svc:certs"

var action = delegation.Request{Operation: "rotate", Resource: "payments/certs/api", Audience: audience}

// A chain is a token in the hands of its last holder, at a moment at which the clock
// of all verifiers here stands still.
type chain struct {
	hops   int
	roots  *trust.Roots
	held   token.Chain
	holder token.PrivateKey
	now    time.Time
}

// newChain mints a token and hands it on, narrowed by the second and the third hop.
func newChain(hops int) (*chain, error) {
	alice, holder := key("alice"), key("holder 1")
	roots, err := trust.Parse([]byte(`alice@example.com namespaces="whittle" ` + alice.Public().AuthorizedKey("") + "\n"))
	if err != nil {
		return nil, err
	}
	c := &chain{hops: hops, roots: roots, holder: holder, now: time.Now().Truncate(time.Second)}
	if c.held, err = c.mint(alice); err != nil {
		return nil, err
	}
	for hop := 2; hop <= hops; hop++ {
		if err := c.handOn(hop); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *chain) mint(root token.Signer) (token.Chain, error) {
	return attenuate.Mint(root, attenuate.Grant{
		Delegator: "alice@example.com", Agent: "agent:1", AgentKey: key("holder 1").Public(), TTL: time.Hour,
	}, delegation.Resource("payments/**"), delegation.Operation("rotate"))
}

func (c *chain) handOn(hop int) error {
	next := key(fmt.Sprint("holder ", hop))
	held, err := attenuate.Handoff(c.held, c.holder, fmt.Sprint("agent:", hop), next.Public(), narrowing(hop)...)
	c.held, c.holder = held, next
	return err
}

// narrowing is what a hop adds.
func narrowing(hop int) []delegation.Caveat {
	switch hop {
	case 2:
		return []delegation.Caveat{delegation.Resource("payments/certs/**")}
	case 3:
		return []delegation.Caveat{delegation.Resource("payments/certs/api")}
	}
	return nil
}

func (c *chain) invoke(req delegation.Request) (string, error) {
	presented, err := attenuate.InvokeAt(c.held, c.holder, req, c.now.Add(-delegation.Skew), c.now.Add(attenuate.Window))
	if err != nil {
		return "", err
	}
	return presented.Text(), nil
}

// invocations are so many new ones, for the same action.
func (c *chain) invocations(many int) ([]string, error) {
	texts := make([]string, many)
	for i := range texts {
		var err error
		if texts[i], err = c.invoke(action); err != nil {
			return nil, err
		}
	}
	return texts, nil
}

func (c *chain) verifier(o verify.Options) (*verify.Verifier, error) {
	o.MaxDepth = 16
	o.Now = func() time.Time { return c.now }
	return verify.New(audience, c.roots, &o)
}

// cold verifies a chain that was never seen before, by a verifier without memory that
// works alone.
func (c *chain) cold() (func() error, error) { return c.coldWith(-1) }

// pooled is cold with one worker to help.
func (c *chain) pooled() (func() error, error) { return c.coldWith(1) }

func (c *chain) coldWith(workers int) (func() error, error) {
	v, err := c.verifier(verify.Options{Memory: -1, AllowReplay: true, Workers: workers})
	if err != nil {
		return nil, err
	}
	text, err := c.invoke(action)
	return func() error { _, err := v.Verify(context.Background(), text, action); return err }, err
}

// known verifies one invocation after another of a chain that was seen before. They
// come around again, which is why uses are not remembered here.
func (c *chain) known() (func() error, error) {
	v, err := c.verifier(verify.Options{AllowReplay: true})
	if err != nil {
		return nil, err
	}
	return c.knownBy(v)
}

func (c *chain) knownBy(v *verify.Verifier) (func() error, error) {
	texts, err := c.invocations(256)
	next := 0
	work := func() error {
		next = (next + 1) % len(texts)
		_, err := v.Verify(context.Background(), texts[next], action)
		return err
	}
	return work, err
}

// remembering is known with a verifier that also remembers which invocations were used,
// so that each is made for one run.
func (c *chain) remembering(times int) (measure.Cost, error) {
	const warming = 8
	uses, err := replay.NewMemory(c.now.Add(-time.Hour), nil)
	if err != nil {
		return measure.Cost{}, err
	}
	v, err := c.verifier(verify.Options{Replay: uses})
	if err != nil {
		return measure.Cost{}, err
	}
	texts, err := c.invocations(warming + times)
	if err != nil {
		return measure.Cost{}, err
	}
	verifyEach := func(texts []string) error {
		for _, text := range texts {
			if _, err := v.Verify(context.Background(), text, action); err != nil {
				return err
			}
		}
		return nil
	}
	if err := verifyEach(texts[:warming]); err != nil {
		return measure.Cost{}, err
	}
	stop := measure.Start()
	err = verifyEach(texts[warming:])
	return stop(), err
}

// session verifies one request after another on a connection to which a token is bound.
func (c *chain) session() (func() error, error) {
	v, err := c.verifier(verify.Options{AllowReplay: true})
	if err != nil {
		return nil, err
	}
	channel := delegation.Channel{Kind: delegation.TLSExporter, Value: [32]byte{1}}
	text, err := c.onConnection(channel)
	state := verify.State{Channel: channel}
	return func() error { _, err := v.VerifyWith(context.Background(), text, action, state); return err }, err
}

// onConnection is the token bound to a connection.
func (c *chain) onConnection(channel delegation.Channel) (string, error) {
	presented, err := attenuate.InvokeSessionAt(c.held, c.holder, audience, channel, c.now.Add(-delegation.Skew), c.now.Add(attenuate.SessionWindow))
	if err != nil {
		return "", err
	}
	return presented.Text(), nil
}

// tenuoChain makes Tenuo's chain of as many warrants, of the same content.
func tenuoChain(warrants int) func(*peers.Peer) error {
	return func(p *peers.Peer) error {
		_, err := p.Ask("chain " + strconv.Itoa(warrants))
		return err
	}
}

func delegations(e Env, _ bool) ([]Work, error) {
	var works []Work
	for _, hops := range HopCounts {
		c, err := newChain(hops)
		if err != nil {
			return nil, err
		}
		cold, err := c.cold()
		if err != nil {
			return nil, err
		}
		pooled, err := c.pooled()
		if err != nil {
			return nil, err
		}
		known, err := c.known()
		if err != nil {
			return nil, err
		}
		session, err := c.session()
		if err != nil {
			return nil, err
		}
		works = append(works,
			Work{Delegations, ColdChain, hops, []measure.Side{
				measure.InProcess(Whittle, cold),
				measure.InProcess(Pooled, pooled),
				bare(hops + 1),
				ask(Tenuo, e.Rust, peers.VerifyChain, tenuoChain(hops)),
			}},
			Work{Delegations, KnownChain, hops, []measure.Side{
				measure.InProcess(Whittle, known),
				bare(1),
				{Name: WithReplay, Run: c.remembering},
				ask(Tenuo, e.Rust, peers.VerifyChain, tenuoChain(hops)), // remembers nothing
			}},
			Work{Delegations, Session, hops, []measure.Side{measure.InProcess(Whittle, session), bare(1)}},
		)
	}
	return works, nil
}
