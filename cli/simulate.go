package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/whittle-auth/whittle/cli/reading"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
)

func simulateCommand(env *Env) *cli.Command {
	return &cli.Command{
		Name:      "simulate",
		Usage:     "test a token against a file of requests; it authorizes nothing",
		UsageText: "whittle simulate --requests FILE --trust FILE [--audience ID] [--policy FILE] [--directory FILE] [--context NAME=VALUE].. [--now TIME] [--json] TOKEN",
		Flags: append(verifierFlags(),
			valueFlag("requests", "a `FILE` of requests: a JSON array, or one object on each line"),
			valueFlag("audience", "the name `ID` of the service, for requests that name none"),
			jsonFlag(),
		),
		Action: func(c *cli.Context) error { return simulate(c.Context, c, env) },
	}
}

// A simulation is what came of the requests.
type simulation struct {
	Authorizes string     `json:"authorizes"`
	Supposed   bool       `json:"supposed"`
	Requests   []forecast `json:"requests"`
	Counts     struct {
		Requests   int `json:"requests"`
		Allowed    int `json:"allowed"`
		Denied     int `json:"denied"`
		Unexpected int `json:"unexpected"`
	} `json:"counts"`
}

// A forecast is what came of one of them.
type forecast struct {
	Name       string     `json:"name"`
	Request    string     `json:"request"`
	At         string     `json:"at"`
	Outcome    string     `json:"outcome"`
	Code       token.Code `json:"code"`
	Block      int        `json:"block"`
	Hop        string     `json:"hop"`
	Check      string     `json:"check"`
	Asked      string     `json:"asked"`
	Allowed    string     `json:"allowed"`
	Message    string     `json:"message"`
	More       int        `json:"more"`
	Expect     string     `json:"expect"`
	AsExpected bool       `json:"as_expected"`
}

func simulate(ctx context.Context, c *cli.Context, env *Env) error {
	args, err := arguments(c, "TOKEN")
	if err != nil {
		return err
	}
	file, err := required(c, "requests")
	if err != nil {
		return err
	}
	data, err := env.read(file, maxInput)
	if err != nil {
		return err
	}
	requests, err := parseSimulated(data)
	if err != nil {
		return usagef("%s: %s", shown(file), err)
	}
	state, err := serviceState(c)
	if err != nil {
		return err
	}
	now, err := clock(c, env)
	if err != nil {
		return err
	}
	u, err := readToken(env, args[0], false)
	if err != nil {
		return err
	}
	verifier, err := explainers(c, env)
	if err != nil {
		return err
	}
	start := now()
	s := &simulation{Authorizes: "nothing"}
	progress := newProgress(env, len(requests))
	for i := range requests {
		r := &requests[i]
		r.req.Audience = cmp.Or(r.req.Audience, c.String("audience"))
		if r.req.Audience == "" {
			return usagef("request %d names no audience, and --audience is missing", i+1)
		}
		v, err := verifier(r.req.Audience)
		if err != nil {
			return fmt.Errorf("request %d: %w", i+1, err)
		}
		suppose := verify.Supposition{At: r.at, State: state}
		if r.at.IsZero() {
			suppose.At = start
		}
		suppose.State.Context = maps.Clone(state.Context)
		maps.Copy(suppose.State.Context, r.context)
		e := v.Explain(ctx, u.Text(), r.req, suppose)
		switch e.Code {
		case token.CodeMalformed, token.CodeUnsupported, token.CodeSignature:
			return token.Errorf(e.Code, e.Against[0].Block, "%s", e.Against[0].Message)
		}
		s.add(r, e)
		progress.step(i + 1)
	}
	progress.end()
	if c.Bool("json") {
		err = printJSON(env.Stdout, s)
	} else {
		err = s.print(env.Stdout)
	}
	if err == nil && s.Counts.Unexpected > 0 {
		return &unexpected{s.Counts.Unexpected, s.Counts.Requests}
	}
	return err
}

// unexpected says that a simulation did not come out as its file expects.
type unexpected struct{ some, of int }

func (e *unexpected) Error() string {
	return fmt.Sprintf("%d of %d requests: not as expected", e.some, e.of)
}

// add takes one result into account.
func (s *simulation) add(r *simulated, e *verify.Explanation) {
	f := forecast{Name: r.name, Request: reading.RequestLine(&r.req), At: e.At.Format(time.RFC3339), Outcome: e.Outcome(), Expect: r.expect, Block: -1}
	f.Request += ", at " + r.req.Audience
	allowed := len(e.Against) == 0
	if !allowed {
		first := e.Against[0]
		f.Code, f.Block, f.Hop, f.Check = first.Code, first.Block, first.Hop, first.Check
		f.Asked, f.Allowed, f.Message, f.More = first.Asked, first.Allowed, first.Message, len(e.Against)-1
	}
	switch r.expect {
	case "":
		f.AsExpected = true
	case "allowed":
		f.AsExpected = allowed
	case "denied":
		f.AsExpected = !allowed
	default:
		f.AsExpected = string(f.Code) == r.expect
	}
	s.Supposed = s.Supposed || e.Supposed
	s.Requests = append(s.Requests, f)
	s.Counts.Requests++
	if allowed {
		s.Counts.Allowed++
	} else {
		s.Counts.Denied++
	}
	if !f.AsExpected {
		s.Counts.Unexpected++
	}
}

// print writes the table.
func (s *simulation) print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintln(&b, "a simulation: it authorizes nothing")
	if s.Supposed {
		fmt.Fprintln(&b, "suppose the holder invokes the token for each request")
	}
	fmt.Fprintln(&b)
	for i, f := range s.Requests {
		mark := "  "
		if !f.AsExpected {
			mark = refusalMark
		}
		result := "allowed"
		if f.Code != "" {
			result = string(f.Code)
		}
		fmt.Fprintf(&b, "%s%3d  %-14s %s\n", mark, i+1, result, oneLine(cmp.Or(f.Name, f.Request)))
		indent := strings.Repeat(" ", 22)
		if f.Code != "" {
			where := delegation.PlainName(f.Hop)
			if f.Block >= 0 {
				where = fmt.Sprintf("block %d, by %s", f.Block, cmp.Or(where, "anybody"))
			}
			more := ""
			if f.More > 0 {
				more = fmt.Sprintf(" (and %d more)", f.More)
			}
			fmt.Fprintf(&b, "%s%s\n", indent, oneLine(fmt.Sprintf("%s: %s%s", where, f.Message, more)))
		}
		if !f.AsExpected {
			fmt.Fprintf(&b, "%sexpected: %s\n", indent, f.Expect)
		}
	}
	fmt.Fprintf(&b, "\n%d requests: %d allowed, %d denied", s.Counts.Requests, s.Counts.Allowed, s.Counts.Denied)
	if slices.ContainsFunc(s.Requests, func(f forecast) bool { return f.Expect != "" }) {
		fmt.Fprintf(&b, ", %d not as expected", s.Counts.Unexpected)
	}
	fmt.Fprintln(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

// progress tells a person at a terminal how far a long run is: not within its first
// two seconds, and nothing that stays.
type progress struct {
	w           io.Writer // nil where nobody looks
	now         func() time.Time
	start, last time.Time
	of          int
}

func newProgress(env *Env, of int) *progress {
	p := &progress{now: env.Now, of: of}
	if f, ok := env.Stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.w, p.start = f, p.now()
	}
	return p
}

func (p *progress) step(n int) {
	if p.w == nil {
		return
	}
	now := p.now()
	if now.Sub(p.start) < 2*time.Second || now.Sub(p.last) < 200*time.Millisecond {
		return
	}
	p.last = now
	fmt.Fprintf(p.w, "\r%d of %d requests", n, p.of)
}

// end takes the line away again.
func (p *progress) end() {
	if p.w != nil && !p.last.IsZero() {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
