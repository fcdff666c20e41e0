package mcpauth

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/httpauth"
	"github.com/whittle-auth/whittle/verify/toolcall"
)

// Options are what a server may want otherwise. The zero value is the safe choice.
type Options struct {
	// State says what the server knows when a call comes in. An error denies it, with the
	// code unavailable unless [verify.CodeOf] has another. Nil means that there is nothing
	// to say.
	State func(context.Context, mcp.Request) (verify.State, error)

	// Allow names further methods of clients that pass without a decision, such as
	// resources/read and prompts/get, where everybody who reaches the server may.
	Allow []string

	// AllowListing shows all tools to a client that sends no token with tools/list, which
	// otherwise sees none.
	AllowListing bool

	// AllowOtherAuthorization says that the header Authorization is somebody else's, such
	// as OAuth's. Tokens then come in _meta only.
	AllowOtherAuthorization bool

	// Logger is told why calls are denied, at the level Warn; nil means [slog.Default]. It
	// never sees a token, but reasons repeat what was asked.
	Logger *slog.Logger
}

// Protect returns a receiving middleware that lets a server call what a token allows:
// the last to be added, so that nothing stands before it that changes a call. The mapping
// must have the verifier's name. Nil options are the safe ones.
//
// Tool handlers get the arguments that were decided on, in one spelling, and no token.
// [DecisionFrom] and [RequestFrom] say what was decided. Of tools/list a client sees
// what the holder of the token in it could call.
func Protect(v *verify.Verifier, m *toolcall.Mapping, o *Options) (mcp.Middleware, error) {
	if v == nil || m == nil {
		return nil, fmt.Errorf("mcpauth: nil verifier or mapping")
	}
	p := &protector{verifier: v, mapping: m}
	if o != nil {
		p.options = *o
	}
	if p.options.Logger == nil {
		p.options.Logger = slog.Default()
	}
	if err := toolcall.ValidAllow(p.options.Allow); err != nil {
		return nil, fmt.Errorf("mcpauth: %w", err)
	}
	return func(next mcp.MethodHandler) mcp.MethodHandler {
		return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
			return p.handle(ctx, method, req, next)
		}
	}, nil
}

type protector struct {
	verifier *verify.Verifier
	mapping  *toolcall.Mapping
	options  Options
}

func (p *protector) handle(ctx context.Context, method string, req mcp.Request, next mcp.MethodHandler) (mcp.Result, error) {
	switch r := req.(type) {
	case *mcp.CallToolRequest:
		decided, ctx, err := p.call(ctx, r)
		if err != nil {
			return nil, err
		}
		return next(ctx, method, decided)
	case *mcp.ListToolsRequest:
		return p.list(ctx, method, r, next)
	}
	if !toolcall.Undecided(method) && !slices.Contains(p.options.Allow, method) {
		p.options.Logger.LogAttrs(ctx, slog.LevelWarn, "message refused", slog.String("method", method))
		return nil, &jsonrpc.Error{Code: jsonrpc.CodeMethodNotFound, Message: "the method is not let through"}
	}
	return next(ctx, method, req)
}

// call decides a tools/call and returns the request for the server.
func (p *protector) call(ctx context.Context, r *mcp.CallToolRequest) (*mcp.CallToolRequest, context.Context, error) {
	if r.Params == nil {
		return nil, nil, p.refuse(ctx, "", nil, token.Errorf(token.CodeCheckFailed, -1, "the call has no params"))
	}
	name := r.Params.Name
	call, err := parse(r.Params)
	if err != nil {
		return nil, nil, p.refuse(ctx, name, nil, err)
	}
	meta := maps.Clone(map[string]any(r.Params.Meta))
	raw, extra, err := p.credential(meta, r.Extra)
	if err != nil {
		return nil, nil, p.refuse(ctx, name, nil, err)
	}
	asked, err := p.mapping.Request(call)
	if err != nil {
		return nil, nil, p.refuse(ctx, name, nil, err)
	}
	state, err := p.state(ctx, r)
	if err != nil {
		return nil, nil, p.refuse(ctx, name, nil, err)
	}
	d, err := p.verifier.VerifyWith(ctx, raw, *asked, state)
	if err == nil {
		err = toolcall.OtherCase(&d.Scope, p.verifier.Policy(), asked.Args)
	}
	if err != nil {
		return nil, nil, p.refuse(ctx, name, d, err)
	}
	params := *r.Params
	params.Meta = meta
	params.Arguments = call.Arguments()
	return &mcp.CallToolRequest{Session: r.Session, Params: &params, Extra: extra},
		context.WithValue(ctx, contextKey{}, outcome{d, asked}), nil
}

// parse reads what the SDK has read already, the arguments as they were sent.
func parse(p *mcp.CallToolParamsRaw) (*toolcall.Call, error) {
	bare := *p
	bare.Meta = nil
	text, err := json.Marshal(&bare)
	if err != nil {
		return nil, &token.Error{Code: token.CodeCheckFailed, Block: -1, Err: err}
	}
	return toolcall.ParseCall(text)
}

// credential takes the one token of a message out of it: from _meta, which is the caller's
// own copy, or from the header, of which it returns a copy without.
func (p *protector) credential(meta map[string]any, extra *mcp.RequestExtra) (string, *mcp.RequestExtra, error) {
	raw, err := toolcall.TakeToken(meta)
	if code := verify.CodeOf(err); code != "" && code != token.CodeNotPresented {
		return "", nil, err
	}
	if p.options.AllowOtherAuthorization || extra == nil || len(extra.Header.Values("Authorization")) == 0 {
		return raw, extra, err
	}
	text, headerErr := httpauth.Credential(extra.Header)
	if err == nil {
		return "", nil, token.Errorf(token.CodeMalformed, -1, "the call has a token in _meta, and an Authorization header")
	}
	bare := *extra
	bare.Header = extra.Header.Clone()
	bare.Header.Del("Authorization")
	return text, &bare, headerErr
}

func (p *protector) state(ctx context.Context, r mcp.Request) (verify.State, error) {
	if p.options.State == nil {
		return verify.State{}, nil
	}
	return p.options.State(ctx, r)
}

// list chooses the tools that are shown.
func (p *protector) list(ctx context.Context, method string, r *mcp.ListToolsRequest, next mcp.MethodHandler) (mcp.Result, error) {
	params := mcp.ListToolsParams{}
	if r.Params != nil {
		params = *r.Params
	}
	meta := maps.Clone(map[string]any(params.Meta))
	raw, extra, err := p.credential(meta, r.Extra)
	if verify.CodeOf(err) == token.CodeMalformed {
		return nil, p.refuse(ctx, "", nil, err)
	}
	params.Meta = meta
	result, err := next(ctx, method, &mcp.ListToolsRequest{Session: r.Session, Params: &params, Extra: extra})
	listed, ok := result.(*mcp.ListToolsResult)
	if err != nil || !ok {
		return nil, err
	}
	state, err := p.state(ctx, r)
	if err != nil {
		return nil, p.refuse(ctx, "", nil, err)
	}
	shown := *listed
	shown.CacheScope = "private"
	shown.Tools = []*mcp.Tool{}
	for _, tool := range listed.Tools {
		if raw == "" && p.options.AllowListing || raw != "" && p.mapping.Visible(ctx, p.verifier, raw, state, tool.Name) {
			shown.Tools = append(shown.Tools, tool)
		}
	}
	return &shown, nil
}

// refuse tells the client the code, and the log why.
func (p *protector) refuse(ctx context.Context, tool string, d *verify.Decision, err error) error {
	toolcall.LogDenied(ctx, p.options.Logger, tool, d, err)
	r := toolcall.NewRefusal(verify.CodeOf(err), toolcall.MissingApprovals(d)...)
	data, err := json.Marshal(r.Data)
	if err != nil {
		data = nil
	}
	return &jsonrpc.Error{Code: int64(r.Number), Message: r.Message, Data: data}
}

type contextKey struct{}

type outcome struct {
	decision *verify.Decision
	request  *delegation.Request
}

// DecisionFrom returns the decision that let a call through, nil in a context that no
// middleware of [Protect] made.
func DecisionFrom(ctx context.Context) *verify.Decision {
	o, _ := ctx.Value(contextKey{}).(outcome)
	return o.decision
}

// RequestFrom returns what was decided on, nil likewise. It must not be changed.
func RequestFrom(ctx context.Context) *delegation.Request {
	o, _ := ctx.Value(contextKey{}).(outcome)
	return o.request
}
