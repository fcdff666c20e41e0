package work

import (
	"fmt"
	"strconv"

	"github.com/whittle-auth/whittle/bench/measure"
	"github.com/whittle-auth/whittle/token"
)

// A Size is how many bytes something takes, Whittle's beside the peers'. A peer that
// cannot be asked has a reason instead.
type Size struct {
	What    string
	Side    string
	Bytes   int
	Missing string
}

// HeldChain names the size of what a holder has after so many hops.
func HeldChain(hops int) string {
	if hops == 1 {
		return "held, minted only"
	}
	return fmt.Sprintf("held, minted and handed on %d times", hops-1)
}

// Sizes measures tokens, in bytes before any text encoding.
func Sizes(e Env) ([]Size, error) {
	var sizes []Size
	for _, hops := range HopCounts {
		c, err := newChain(hops)
		if err != nil {
			return nil, err
		}
		sizes = append(sizes, Size{What: HeldChain(hops), Side: Whittle, Bytes: len(c.held.Bytes())}, tenuoSize(e, hops))
	}
	c, err := newChain(3)
	if err != nil {
		return nil, err
	}
	text, err := c.invoke(action)
	if err != nil {
		return nil, err
	}
	u, err := token.ParseText(text, nil)
	if err != nil {
		return nil, err
	}
	presented, err := u.Verify(c.held.Root())
	if err != nil {
		return nil, err
	}
	sizes = append(sizes, Size{What: HeldChain(3) + ", and invoked", Side: Whittle, Bytes: len(presented.Bytes())})
	for _, blocks := range BlockCounts {
		what := fmt.Sprintf("benchmark token of %d blocks", blocks)
		b, err := newBenchmarkToken(blocks)
		if err != nil {
			return nil, err
		}
		m, err := newMacaroon(blocks)
		if err != nil {
			return nil, err
		}
		sizes = append(sizes, Size{What: what, Side: Whittle, Bytes: len(b.data)}, Size{What: what, Side: Macaroon, Bytes: len(m.data)})
	}
	j, err := newJWT()
	if err != nil {
		return nil, err
	}
	return append(sizes, Size{What: "one signature over issuer, subject, audience and expiry", Side: JWT, Bytes: len(j.text)}), nil
}

// tenuoSize is the median of some stacks: a parent's hash is an array of integers there,
// and takes more bytes or fewer with its bytes.
func tenuoSize(e Env, warrants int) Size {
	s := Size{What: HeldChain(warrants), Side: Tenuo}
	err := e.Rust.Missing()
	sizes := make([]float64, 0, 51)
	for err == nil && len(sizes) < cap(sizes) {
		var answer string
		if answer, err = e.Rust.Ask("chain " + strconv.Itoa(warrants)); err != nil {
			break
		}
		var bytes int
		bytes, err = strconv.Atoi(answer)
		sizes = append(sizes, float64(bytes))
	}
	s.Bytes = int(measure.QuartilesOf(sizes).Median)
	if err != nil {
		s.Missing = err.Error()
	}
	return s
}
