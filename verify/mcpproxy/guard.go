package mcpproxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/internal/strictjson"
	"github.com/whittle-auth/whittle/verify/toolcall"
)

// GuardOptions are what the owner of a server may want otherwise. The zero value is the
// safe choice.
type GuardOptions struct {
	// State says what the server's owner knows when a call comes in. An error denies it,
	// with the code unavailable unless [verify.CodeOf] has another. Nil means that there
	// is nothing to say.
	State func() (verify.State, error)

	// Allow names further methods that pass without a decision, from whichever side they
	// come: what acts beside tools, such as resources/read and prompts/get, and what the
	// server asks of the client, such as roots/list and elicitation/create.
	Allow []string

	// AllowListing shows all tools to a client that sends no token with tools/list, which
	// otherwise sees none.
	AllowListing bool

	// MaxLine bounds the bytes of a line of the client; zero means 4 MiB.
	MaxLine int

	// Logger is told why calls are denied, at the level Warn, and what else was refused;
	// nil means [slog.Default]. It never sees a token, but reasons repeat what was asked.
	Logger *slog.Logger
}

// A Guard is the server's end of a proxy, for one session of one client.
type Guard struct {
	verifier *verify.Verifier
	mapping  *toolcall.Mapping
	options  GuardOptions

	mu sync.Mutex
	// pending are the requests of the client that the server has not answered.
	pending map[string]pending
	// text is how many bytes the tokens of pending have.
	text int
	// unheard is true once a tools/list was cancelled, which may be answered all the same.
	unheard bool
	// asked are the requests of the server that the client has not answered.
	asked map[string]bool
}

// pending is a request that was handed on.
type pending struct {
	list  bool   // a tools/list,
	token string // and the token that came with it
	// late is true where the answer to a list that was cancelled could be taken for this one's.
	late bool
}

// Bounds on what waits for an answer.
const (
	maxPending     = 1 << 12 // requests of either side
	maxPendingText = 2 << 20 // bytes of their tokens
)

// NewGuard returns the end of a server. Nil options are the safe ones.
func NewGuard(v *verify.Verifier, m *toolcall.Mapping, o *GuardOptions) (*Guard, error) {
	if v == nil || m == nil {
		return nil, fmt.Errorf("a guard needs a verifier and a mapping")
	}
	g := &Guard{verifier: v, mapping: m, pending: map[string]pending{}, asked: map[string]bool{}}
	if o != nil {
		g.options = *o
	}
	if err := toolcall.ValidAllow(g.options.Allow); err != nil {
		return nil, err
	}
	if g.options.MaxLine <= 0 {
		g.options.MaxLine = DefaultMaxLine
	}
	if g.options.Logger == nil {
		g.options.Logger = slog.Default()
	}
	return g, nil
}

// Serve guards a server until its output ends; the error says why it ended otherwise, such as
// with the context. Then a read from the client may still be waiting, which ends with the
// client's stream.
func (g *Guard) Serve(ctx context.Context, s Streams) error { return serve(ctx, g, s) }

func (g *Guard) maxLine() int { return g.options.MaxLine }

// passes reports whether a method passes without a decision.
func (g *Guard) passes(method string) bool {
	return toolcall.Undecided(method) || slices.Contains(g.options.Allow, method)
}

// fromClient decides what becomes of a line of the client.
func (g *Guard) fromClient(ctx context.Context, line []byte) (toServer, toClient []byte) {
	m, err := parseMessage(line)
	if err == nil {
		toServer, err = g.admit(ctx, m)
	}
	if err != nil {
		return nil, g.refuse(ctx, m, err)
	}
	return toServer, nil
}

// admit returns what the server reads of a message: nothing, where there is an error.
func (g *Guard) admit(ctx context.Context, m *message) (toServer []byte, err error) {
	p := pending{}
	switch {
	case m.method == "":
		if !g.answered(m.id) {
			return nil, protocolErrorf(invalidRequest, "an answer to nothing that was asked")
		}
		return m.write()
	case m.method == "tools/call" && m.id != "":
		if toServer, err = g.call(ctx, m); err != nil {
			return nil, err
		}
	case m.method == "tools/list" && m.id != "":
		p.list = true
		if p.token, toServer, err = g.list(m); err != nil {
			return nil, err
		}
	case g.passes(m.method) && strings.HasPrefix(m.method, "notifications/") == (m.id == ""):
		if toServer, err = m.write(); err != nil {
			return nil, err
		}
		if m.method == cancelled {
			g.cancel(cancelledID(m.params))
		}
	default:
		return nil, protocolErrorf(methodNotFound, "the method is not let through")
	}
	if m.id != "" {
		if err := g.await(m.id, p); err != nil {
			return nil, err
		}
	}
	return toServer, nil
}

// call decides a tools/call.
func (g *Guard) call(ctx context.Context, m *message) (toServer []byte, err error) {
	if err := g.free(m.id); err != nil {
		return nil, err // before an invocation is used up
	}
	c, err := toolcall.ParseCall(m.params)
	if err != nil {
		return nil, &denied{err: err}
	}
	raw, err := toolcall.TakeToken(c.Meta)
	if err != nil {
		return nil, &denied{tool: c.Name, err: err}
	}
	req, err := g.mapping.Request(c)
	if err != nil {
		return nil, &denied{tool: c.Name, err: err}
	}
	state, err := g.state()
	if err != nil {
		return nil, &denied{tool: c.Name, err: err}
	}
	d, err := g.verifier.VerifyWith(ctx, raw, *req, state)
	if err == nil {
		err = toolcall.OtherCase(&d.Scope, g.verifier.Policy(), req.Args)
	}
	if err != nil {
		return nil, &denied{c.Name, d, err}
	}
	decided := *m
	decided.params = c.Params()
	return decided.write()
}

func (g *Guard) state() (verify.State, error) {
	if g.options.State == nil {
		return verify.State{}, nil
	}
	return g.options.State()
}

// list takes the token out of a tools/list.
func (g *Guard) list(m *message) (raw string, toServer []byte, err error) {
	listed := *m
	if m.params != nil {
		params, err := delegation.ParseArgs(m.params)
		if err != nil {
			return "", nil, protocolErrorf(invalidParams, "params: %s", err)
		}
		for name := range params {
			if name != "_meta" && strictjson.Fold(name) == strictjson.Fold("_meta") {
				return "", nil, protocolErrorf(invalidParams, "params: %q is another name in another case", name)
			}
		}
		if meta, ok := params["_meta"].(map[string]any); ok {
			raw, err = toolcall.TakeToken(meta)
			if err == nil {
				_, err = token.ParseText(raw, nil) // what is no token is not kept
			}
			if err != nil && verify.CodeOf(err) != token.CodeNotPresented {
				return "", nil, &denied{err: err}
			}
			if len(meta) == 0 {
				delete(params, "_meta")
			}
		}
		listed.params = strictjson.Append(nil, params)
	}
	toServer, err = listed.write()
	return raw, toServer, err
}

// denied is a call that the token does not allow.
type denied struct {
	tool     string
	decision *verify.Decision
	err      error
}

func (d *denied) Error() string { return d.err.Error() }

// refuse tells the client the code, and the log why. Nothing is told about what is no
// request.
func (g *Guard) refuse(ctx context.Context, m *message, err error) (toClient []byte) {
	if d, ok := errors.AsType[*denied](err); ok {
		toolcall.LogDenied(ctx, g.options.Logger, d.tool, d.decision, d.err)
		r := toolcall.NewRefusal(verify.CodeOf(d.err), toolcall.MissingApprovals(d.decision)...)
		return errorLine(m.id, r.Number, r.Message, r.Data)
	}
	g.options.Logger.LogAttrs(ctx, slog.LevelWarn, "message refused", slog.String("method", clip(m.method)), slog.String("reason", clip(err.Error())))
	return protocolErrorLine(m, err)
}

// protocolErrorLine answers what is no proper message; a notification gets no answer, nor
// does an answer.
func protocolErrorLine(m *message, err error) []byte {
	if m.method != "" && m.id == "" || m.isAnswer() {
		return nil
	}
	number, text := internalError, "internal error"
	if e, ok := errors.AsType[*protocolError](err); ok {
		number, text = e.number, e.text
	}
	return errorLine(m.id, number, clip(text), nil)
}

func clip(s string) string {
	const most = 256
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + ".."
}

// free refuses the id of a request that waits for its answer: the answers to two of one
// id could be taken for each other.
func (g *Guard) free(id string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, twice := g.pending[id]; twice {
		return protocolErrorf(invalidRequest, "the id is that of a request that was not answered yet")
	}
	if len(g.pending) >= maxPending {
		return protocolErrorf(invalidRequest, "%d requests were not answered yet", maxPending)
	}
	return nil
}

// await remembers a request until it is answered or cancelled.
func (g *Guard) await(id string, p pending) error {
	if err := g.free(id); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.text+len(p.token) > maxPendingText {
		return protocolErrorf(invalidRequest, "too many lists of tools were not answered yet")
	}
	p.late = g.unheard
	g.pending[id] = p
	g.text += len(p.token)
	return nil
}

// done ends the wait for the answer to a request.
func (g *Guard) done(id string) (p pending, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, ok = g.pending[id]
	delete(g.pending, id)
	g.text -= len(p.token)
	return p, ok
}

// cancel ends the wait for an answer that servers do not give.
func (g *Guard) cancel(id string) {
	if p, ok := g.done(id); ok && p.list {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.unheard = true
	}
}

// answered reports whether the server waits for an answer of the client, which this is.
func (g *Guard) answered(id string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	was := g.asked[id]
	delete(g.asked, id)
	return was
}
