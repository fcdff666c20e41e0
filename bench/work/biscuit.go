package work

import (
	"fmt"

	"github.com/whittle-auth/whittle/bench/measure"
	"github.com/whittle-auth/whittle/bench/peers"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/verify"
)

// The token on which implementations of Biscuit are compared: three rights and a time
// check in block 0; a resource and a time check in each further block.
const (
	authority = `right("file1", "read"); right("file2", "read"); right("file1", "write");
check if time($t), $t < 2030-01-01T00:00:00Z;`
	further = `check if resource("file1"); check if time($t), $t < 2030-01-01T00:00:00Z;`
	// The request, and one policy over the rights.
	request = `time(2026-06-01T00:00:00Z); resource("file1"); operation("read");
allow if resource($r), operation($o), right($r, $o);`
)

// Biscuits is the group of the benchmark token.
const Biscuits = "The benchmark token"

// BlockCounts are the sizes of the benchmark token.
var BlockCounts = []int{1, 3, 5, 10}

// A biscuit is a plain Biscuit, and what a service brings to decide on it.
type biscuit struct {
	data       []byte
	root       token.PublicKey
	text       string // of the authorizer
	verified   *token.Token
	authorizer *verify.Authorizer
	facts      []datalog.Predicate // of the request, besides those of the text
	options    *verify.AuthorizeOptions
}

// newBiscuit signs the blocks, each with a fixed key.
func newBiscuit(authorizer string, sources ...string) (*biscuit, error) {
	b := &biscuit{root: key("root").Public(), text: authorizer}
	var chain token.Chain
	for i, source := range sources {
		content, err := datalog.ParseBlock(source, nil)
		if err != nil {
			return nil, err
		}
		next := token.WithSecret(key(fmt.Sprint("block ", i)))
		if i == 0 {
			chain, err = token.Mint(key("root"), content, next, nil)
		} else {
			chain, err = chain.Append(key(fmt.Sprint("block ", i-1)), content, next)
		}
		if err != nil {
			return nil, err
		}
	}
	b.data = chain.Bytes()
	var err error
	if b.verified, err = b.verify(); err != nil {
		return nil, err
	}
	b.authorizer, err = b.compile()
	return b, err
}

func newBenchmarkToken(blocks int) (*biscuit, error) {
	sources := []string{authority}
	for range blocks - 1 {
		sources = append(sources, further)
	}
	return newBiscuit(request, sources...)
}

func (b *biscuit) parse() error {
	u, err := token.Parse(b.data, nil)
	if err != nil {
		return err
	}
	_, err = u.UnverifiedBlocks()
	return err
}

func (b *biscuit) verify() (*token.Token, error) { return b.verifyBy(nil) }

// verifyBy has the workers of a pool help.
func (b *biscuit) verifyBy(p *token.Pool) (*token.Token, error) {
	u, err := token.Parse(b.data, nil)
	if err != nil {
		return nil, err
	}
	u.Share(p)
	return u.Verify(b.root)
}

// cold does everything, with the workers of a pool.
func (b *biscuit) cold(p *token.Pool) func() error {
	return func() error {
		t, err := b.verifyBy(p)
		if err != nil {
			return err
		}
		return b.authorize(t)
	}
}

func (b *biscuit) compile() (*verify.Authorizer, error) {
	source, err := datalog.ParseAuthorizer(b.text, nil)
	if err != nil {
		return nil, err
	}
	return verify.NewAuthorizer(source)
}

func (b *biscuit) authorize(t *token.Token) error {
	_, err := b.authorizer.Authorize(t, b.facts, b.options)
	return err
}

// ready makes a peer measure this token and this authorizer.
func (b *biscuit) ready(p *peers.Peer) error {
	if err := p.Token(b.data, b.root.String()); err != nil {
		return err
	}
	return p.Authorizer(b.text)
}

// beside puts the two other implementations of Biscuit beside a side of ours.
func (b *biscuit) beside(e Env, op peers.Op, ours func() error) []measure.Side {
	return []measure.Side{
		measure.InProcess(Whittle, ours),
		ask(BiscuitRust, e.Rust, op, b.ready),
		ask(BiscuitWasm, e.Wasm, op, b.ready),
	}
}

func biscuits(e Env, _ bool) ([]Work, error) {
	var works []Work
	for _, blocks := range BlockCounts {
		b, err := newBenchmarkToken(blocks)
		if err != nil {
			return nil, err
		}
		cold := b.beside(e, peers.Cold, b.cold(nil))
		m, err := newMacaroon(blocks)
		if err != nil {
			return nil, err
		}
		cold = append(cold, measure.InProcess(Pooled, b.cold(token.NewPool(1))), bare(blocks), measure.InProcess(Macaroon, m.verify))
		if blocks == 1 {
			j, err := newJWT()
			if err != nil {
				return nil, err
			}
			cold = append(cold, measure.InProcess(JWT, j.verify))
			works = append(works, Work{Biscuits, Policy, blocks, b.beside(e, peers.Policy, func() error { _, err := b.compile(); return err })},
				Work{Biscuits, PolicyParsed, blocks, b.beside(e, peers.Policy, func() error { _, err := datalog.ParseAuthorizer(b.text, nil); return err })})
		}
		works = append(works,
			Work{Biscuits, Parse, blocks, b.beside(e, peers.Parse, b.parse)[:2]}, // wasm reads nothing without verifying it
			Work{Biscuits, Verify, blocks, b.beside(e, peers.Verify, func() error { _, err := b.verify(); return err })},
			Work{Biscuits, Authorize, blocks, b.beside(e, peers.Authorize, func() error { return b.authorize(b.verified) })},
			Work{Biscuits, Cold, blocks, cold},
		)
	}
	return works, nil
}

// The work on the benchmark token.
const (
	Policy       = "policy text to compiled policy"
	PolicyParsed = "policy text to syntax tree"
	Parse        = "parse"
	Verify       = "parse and verify"
	Authorize    = "authorize"
	Cold         = "parse, verify and authorize, cold"
)
