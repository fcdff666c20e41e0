package mcpproxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/httpauth"
	"github.com/whittle-auth/whittle/verify/internal/strictjson"
	"github.com/whittle-auth/whittle/verify/toolcall"
)

// HoldOptions are what an agent may want otherwise.
type HoldOptions struct {
	// Held returns the text of the held token, which goes with tools/list so that the
	// server's end can show what can be called; nil sends none.
	Held func() (string, error)

	// Lacks returns the approvals that a call needs and the token does not have, and what
	// asks for the first of them; nil leaves that to the server's end.
	Lacks func(delegation.Request) ([]string, *delegation.ApprovalRequest)

	// MaxLine bounds the bytes of a line of the client; zero means 4 MiB.
	MaxLine int

	// Logger is told what failed; nil means [slog.Default].
	Logger *slog.Logger
}

// A Hold is the client's end of a proxy: it invokes the token for each tools/call.
type Hold struct {
	invoker httpauth.Invoker
	mapping *toolcall.Mapping
	options HoldOptions
}

// NewHold returns the end of a client. The mapping must be the server's.
func NewHold(invoker httpauth.Invoker, m *toolcall.Mapping, o *HoldOptions) (*Hold, error) {
	if invoker == nil || m == nil {
		return nil, fmt.Errorf("a holder's end needs an invoker and a mapping")
	}
	h := &Hold{invoker: invoker, mapping: m}
	if o != nil {
		h.options = *o
	}
	if h.options.MaxLine <= 0 {
		h.options.MaxLine = DefaultMaxLine
	}
	if h.options.Logger == nil {
		h.options.Logger = slog.Default()
	}
	return h, nil
}

// Serve invokes for a client until the server's output ends; see [Guard.Serve].
func (h *Hold) Serve(ctx context.Context, s Streams) error { return serve(ctx, h, s) }

func (h *Hold) maxLine() int { return h.options.MaxLine }

// fromServer hands everything on as it is.
func (h *Hold) fromServer(_ context.Context, line []byte) (toServer, toClient []byte) {
	return nil, append(line, '\n')
}

// fromClient adds tokens, and writes everything anew as a [Guard] does: what is signed
// is what the server's end reads.
func (h *Hold) fromClient(ctx context.Context, line []byte) (toServer, toClient []byte) {
	m, err := parseMessage(line)
	if err == nil {
		switch {
		case m.method == "tools/call" && m.id != "":
			err = h.call(ctx, m)
		case m.method == "tools/list" && m.id != "":
			err = h.list(m)
		}
	}
	if err == nil {
		toServer, err = m.write()
	}
	if err != nil {
		return nil, h.refuse(ctx, m, err)
	}
	return toServer, nil
}

// refuse tells the client, and the log, what was not sent.
func (h *Hold) refuse(ctx context.Context, m *message, err error) (toClient []byte) {
	h.options.Logger.LogAttrs(ctx, slog.LevelWarn, "message not sent", slog.String("method", clip(m.method)), slog.String("reason", clip(err.Error())))
	if d, ok := errors.AsType[*notInvoked](err); ok {
		r := toolcall.NewRefusal(verify.CodeOf(d.err), d.needs...)
		r.Data.Request = d.request
		return errorLine(m.id, r.Number, r.Message, r.Data)
	}
	return protocolErrorLine(m, err)
}

// notInvoked is a call for which there is no token.
type notInvoked struct {
	err     error
	needs   []string
	request *delegation.ApprovalRequest
}

func (n *notInvoked) Error() string { return n.err.Error() }

// call adds an invocation to a tools/call.
func (h *Hold) call(ctx context.Context, m *message) error {
	c, err := toolcall.ParseCall(m.params)
	if err != nil {
		return &notInvoked{err: err}
	}
	if _, err := toolcall.TakeToken(c.Meta); verify.CodeOf(err) != token.CodeNotPresented {
		return &notInvoked{err: token.Errorf(token.CodeMalformed, -1, "the call has a token already")}
	}
	req, err := h.mapping.Request(c)
	if err != nil {
		return &notInvoked{err: err}
	}
	if h.options.Lacks != nil {
		if needs, request := h.options.Lacks(*req); len(needs) > 0 {
			err := token.Errorf(token.CodeCheckFailed, -1, "the call needs %s", needs)
			return &notInvoked{err, needs, request}
		}
	}
	presented, err := h.invoker.Invoke(ctx, *req)
	if err != nil {
		return &notInvoked{err: err}
	}
	if u, err := token.ParseText(presented, nil); err != nil || u.Form() == token.Held {
		return &notInvoked{err: fmt.Errorf("what the invoker returned is no presented token")}
	}
	if c.Meta == nil {
		c.Meta = map[string]any{}
	}
	c.Meta[toolcall.MetaKey] = presented
	m.params = c.Params()
	return nil
}

// list adds the held token to a tools/list.
func (h *Hold) list(m *message) error {
	if h.options.Held == nil {
		return nil
	}
	held, err := h.options.Held()
	if err != nil {
		return &notInvoked{err: err}
	}
	params := map[string]any{}
	if m.params != nil {
		if params, err = delegation.ParseArgs(m.params); err != nil {
			return protocolErrorf(invalidParams, "params: %s", err)
		}
	}
	meta, ok := params["_meta"].(map[string]any)
	if !ok {
		if params["_meta"] != nil {
			return protocolErrorf(invalidParams, "_meta is no object")
		}
		meta = map[string]any{}
	}
	if _, err := toolcall.TakeToken(meta); verify.CodeOf(err) != token.CodeNotPresented {
		return &notInvoked{err: token.Errorf(token.CodeMalformed, -1, "the message has a token already")}
	}
	meta[toolcall.MetaKey] = held
	params["_meta"] = meta
	m.params = strictjson.Append(nil, params)
	return nil
}
