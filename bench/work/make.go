package work

import (
	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/bench/measure"
	"github.com/whittle-auth/whittle/bench/peers"
)

// Making is the group of work that holders of tokens do.
const Making = "Making tokens"

func making(e Env, _ bool) ([]Work, error) {
	c, err := newChain(1)
	if err != nil {
		return nil, err
	}
	b, err := newBenchmarkToken(1)
	if err != nil {
		return nil, err
	}
	m, err := newMacaroon(1)
	if err != nil {
		return nil, err
	}
	j, err := newJWT()
	if err != nil {
		return nil, err
	}
	base, err := mintMacaroon(m.secret)
	if err != nil {
		return nil, err
	}
	alice, next := key("alice"), key("holder 2").Public()
	return []Work{
		{Making, "mint", 1, []measure.Side{
			measure.InProcess(Whittle, func() error { _, err := c.mint(alice); return err }),
			ask(BiscuitRust, e.Rust, peers.Mint, b.ready),
			ask(Tenuo, e.Rust, peers.Issue, tenuoChain(1)),
			measure.InProcess(Macaroon, func() error { _, err := mintMacaroon(m.secret); return err }),
			measure.InProcess(JWT, func() error { _, err := j.sign(); return err }),
			bareSigning(),
		}},
		{Making, "attenuate: hand on, narrowed", 1, []measure.Side{
			measure.InProcess(Whittle, func() error {
				_, err := attenuate.Handoff(c.held, c.holder, "agent:2", next, narrowing(2)...)
				return err
			}),
			ask(BiscuitRust, e.Rust, peers.Attenuate, b.ready),
			ask(Tenuo, e.Rust, peers.Delegate, tenuoChain(1)),
			measure.InProcess(Macaroon, func() error {
				return base.Clone().AddFirstPartyCaveat([]byte(macaroonCaveat))
			}),
			bareSigning(),
		}},
		{Making, "invoke", 1, []measure.Side{
			measure.InProcess(Whittle, func() error { _, err := c.invoke(action); return err }),
			ask(Tenuo, e.Rust, peers.Prove, tenuoChain(1)),
			bareSigning(),
		}},
	}, nil
}
