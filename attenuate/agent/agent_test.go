package agent_test

import (
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/attenuate/agent"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/httpauth"
)

var _ httpauth.Invoker = (*agent.Invoker)(nil)

// TestInvoke: what the agent makes is what the service accepts, for the very request
// and for nothing else.
func TestInvoke(t *testing.T) {
	w := newWorld(t)
	ring := agent.NewKeyring(&agent.Options{Roots: w.roots})
	client, _ := serve(t, ring)
	held := w.mint(time.Hour)
	added, err := client.Add(t.Context(), "deploy", held, w.key)
	if err != nil {
		t.Fatal(err)
	}
	if added.Delegator != "alice@example.com" || added.Holder != "agent:ci" || added.Key != w.key.Public() || !added.Rooted || added.Expires.IsZero() {
		t.Errorf("%+v", added)
	}
	for _, i := range []*agent.Invoker{client.Invoker("deploy"), client.InvokerFor(held)} {
		text, err := i.Invoke(t.Context(), rotate())
		if err != nil {
			t.Fatal(err)
		}
		if code := w.decide(text, rotate(), verify.State{}); code != "" {
			t.Errorf("denied: %s", code)
		}
		other := rotate()
		other.Resource = "payments/web"
		if code := w.decide(text, other, verify.State{}); code != token.CodeCheckFailed {
			t.Errorf("another request: %q", code)
		}
	}
}

// TestArguments: each kind of value comes through the socket as it was, so that both
// ends digest the same.
func TestArguments(t *testing.T) {
	w := newWorld(t)
	client, _ := serve(t, agent.NewKeyring(&agent.Options{Roots: w.roots}))
	if _, err := client.Add(t.Context(), "deploy", w.mint(time.Hour), w.key); err != nil {
		t.Fatal(err)
	}
	deep := any("x")
	for range 14 {
		deep = []any{deep}
	}
	req := rotate()
	req.Resource, req.Resources = "", []string{"payments/b", "payments/a"}
	req.BodyDigest = []byte{1, 2, 3}
	req.Args = map[string]any{
		"whole float": float64(30), "integer": int64(30), "half": 0.5, "large": int64(1<<63 - 1), "tiny": 1e-300, "minus zero": math.Copysign(0, -1),
		"text": "<é&\u2028>", "nil": nil, "yes": true, "list": []any{int64(1), 1.0, "1"}, "map": map[string]any{"a": map[string]any{}},
		"deep": deep, "body": strings.Repeat("<", 1<<20),
	}
	text, err := client.Invoke(t.Context(), agent.Which{Name: "deploy"}, req, 0)
	if err != nil {
		t.Fatal(err)
	}
	if code := w.decide(text, req, verify.State{}); code != "" {
		t.Errorf("denied: %s", code)
	}
	req.Args["whole float"] = int64(30)
	if code := w.decide(text, req, verify.State{}); code != token.CodeCheckFailed {
		t.Errorf("an integer for a float: %q", code)
	}
}

func channel() delegation.Channel {
	return delegation.Channel{Kind: delegation.TLSExporter, Value: [32]byte{1}}
}

func TestSession(t *testing.T) {
	w := newWorld(t)
	client, _ := serve(t, agent.NewKeyring(&agent.Options{Roots: w.roots}))
	if _, err := client.Add(t.Context(), "deploy", w.mint(time.Hour), w.key); err != nil {
		t.Fatal(err)
	}
	text, err := client.Invoker("deploy").InvokeSession(t.Context(), service, channel())
	if err != nil {
		t.Fatal(err)
	}
	if code := w.decide(text, rotate(), verify.State{Channel: channel()}); code != "" {
		t.Errorf("denied: %s", code)
	}
	other := channel()
	other.Value[0]++
	if code := w.decide(text, rotate(), verify.State{Channel: other}); code != token.CodeCheckFailed {
		t.Errorf("another connection: %q", code)
	}
	if _, err := client.InvokeSession(t.Context(), agent.Which{Name: "deploy"}, service, delegation.Channel{}, 0); err == nil {
		t.Error("a session without a connection")
	}
}

// TestRefused: what the agent must not take or do, with the reason.
func TestRefused(t *testing.T) {
	w := newWorld(t)
	now := time.Now()
	ring := agent.NewKeyring(&agent.Options{Roots: w.roots, Now: func() time.Time { return now }})
	client, _ := serve(t, ring)
	ctx := t.Context()
	held := w.mint(time.Hour)
	chain, _, err := attenuate.Receive(held, w.roots, w.key.Public(), now)
	if err != nil {
		t.Fatal(err)
	}
	presented, err := attenuate.Invoke(chain, w.key, rotate())
	if err != nil {
		t.Fatal(err)
	}
	strangers := newWorld(t)
	add := func(name, text string, key token.PrivateKey) error {
		_, err := client.Add(ctx, name, text, key)
		return err
	}
	for _, test := range []struct {
		name string
		err  error
		code token.Code
		is   error
	}{
		{"presented", add("a", presented.Text(), w.key), token.CodeProfile, nil},
		{"another's token", add("a", held, newKey(t)), token.CodeProfile, nil},
		{"another root", add("a", strangers.mint(time.Hour), strangers.key), token.CodeUntrustedRoot, nil},
		{"no token", add("a", "whittle:AAAA", w.key), token.CodeMalformed, nil},
		{"no key", add("a", held, token.PrivateKey{}), "", agent.ErrNotHeld},
		{"a name that is a path", add("a/b", held, w.key), "", nil},
		{"no name", add("", held, w.key), "", nil},
		{"use of none", second(client.Invoke(ctx, agent.Which{Name: "a"}, rotate(), 0)), "", agent.ErrNotHeld},
		{"use without a key", second(client.Invoke(ctx, agent.Which{Text: held}, rotate(), 0)), "", agent.ErrNotHeld},
		{"use of nothing", second(client.Invoke(ctx, agent.Which{}, rotate(), 0)), "", nil},
		{"removing none", client.Remove(ctx, "a"), "", agent.ErrNotHeld},
		{"removing no key", client.RemoveKey(ctx, w.key.Public()), "", agent.ErrNotHeld},
		{"handing on", second(client.Handoff(ctx, agent.Which{Text: held}, "agent:x", newKey(t).Public())), "", agent.ErrNotAllowed},
		{"an invalid request", second(client.Invoke(ctx, agent.Which{Text: held}, delegation.Request{Operation: "rotate"}, 0)), "", nil},
	} {
		if test.err == nil {
			t.Errorf("%s: no error", test.name)
			continue
		}
		var code token.Code
		if e, ok := errors.AsType[*token.Error](test.err); ok {
			code = e.Code
		}
		if code != test.code || test.is != nil && !errors.Is(test.err, test.is) {
			t.Errorf("%s: %q, %v", test.name, code, test.err)
		}
		for _, secret := range []string{held, held[20:], w.key.Text(), presented.Text()} {
			if strings.Contains(test.err.Error(), secret) {
				t.Errorf("%s: the error has a secret in it", test.name)
			}
		}
	}
	if tokens, keys, err := client.List(ctx); err != nil || len(tokens) != 0 || len(keys) != 0 {
		t.Errorf("what was refused is held: %v, %v, %v", tokens, keys, err)
	}
	if err := add("a", held, w.key); err != nil {
		t.Fatal(err)
	}
	if err := add("a", held, w.key); !errors.Is(err, agent.ErrConflict) {
		t.Errorf("a name twice: %v", err)
	}
	if err := second(client.Invoke(ctx, agent.Which{Name: "a"}, rotate(), 6*time.Minute)); err == nil {
		t.Error("a window of six minutes")
	}
}

func second(_ string, err error) error { return err }

// TestExpired: a token that has expired is refused with its reason, once, and is gone
// then.
func TestExpired(t *testing.T) {
	w := newWorld(t)
	var mu sync.Mutex
	now := time.Now()
	ring := agent.NewKeyring(&agent.Options{Roots: w.roots, Now: func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}})
	client, _ := serve(t, ring)
	held := w.mint(time.Hour)
	for _, name := range []string{"a", "b"} {
		if _, err := client.Add(t.Context(), name, held, w.key); err != nil {
			t.Fatal(err)
		}
	}
	mu.Lock()
	now = now.Add(time.Hour)
	mu.Unlock()
	_, err := client.Invoker("a").Invoke(t.Context(), rotate())
	if e, ok := errors.AsType[*token.Error](err); !ok || e.Code != token.CodeExpired {
		t.Errorf("%v", err)
	}
	if _, err := client.Invoker("a").Invoke(t.Context(), rotate()); !errors.Is(err, agent.ErrNotHeld) {
		t.Errorf("it is still there: %v", err)
	}
	if tokens, _, err := client.List(t.Context()); err != nil || len(tokens) != 0 {
		t.Errorf("%v, %v", tokens, err)
	}
	if _, err := client.Add(t.Context(), "c", held, w.key); err == nil {
		t.Error("an expired token was added")
	}
}

// A source is a trust file that changes.
type source struct {
	mu    sync.Mutex
	roots *trust.Roots
}

func (s *source) Roots() *trust.Roots {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.roots
}

func (s *source) set(r *trust.Roots) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.roots = r
}

// TestRootIsTrustedAtEachUse: a key that is no longer in the trust file is not acted
// for.
func TestRootIsTrustedAtEachUse(t *testing.T) {
	w := newWorld(t)
	s := &source{roots: w.roots}
	client, _ := serve(t, agent.NewKeyring(&agent.Options{Roots: s}))
	if _, err := client.Add(t.Context(), "a", w.mint(time.Hour), w.key); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Invoker("a").Invoke(t.Context(), rotate()); err != nil {
		t.Fatal(err)
	}
	s.set(trusting(t, newKey(t)))
	_, err := client.Invoker("a").Invoke(t.Context(), rotate())
	if e, ok := errors.AsType[*token.Error](err); !ok || e.Code != token.CodeUntrustedRoot {
		t.Errorf("%v", err)
	}
}

// TestWithoutRoots: nothing is taken unless that is allowed. The delegator is a claim
// then, and the list says so.
func TestWithoutRoots(t *testing.T) {
	w := newWorld(t)
	if _, err := agent.NewKeyring(nil).Add("a", w.mint(time.Hour), w.key); verify.CodeOf(err) != token.CodeUntrustedRoot {
		t.Errorf("%v", err)
	}
	client, _ := serve(t, agent.NewKeyring(&agent.Options{AllowUnrooted: true}))
	added, err := client.Add(t.Context(), "a", w.mint(time.Hour), w.key)
	if err != nil || added.Rooted {
		t.Errorf("%+v, %v", added, err)
	}
	text, err := client.Invoker("a").Invoke(t.Context(), rotate())
	if err != nil {
		t.Fatal(err)
	}
	if code := w.decide(text, rotate(), verify.State{}); code != "" {
		t.Errorf("denied: %s", code)
	}
}

// TestAttenuate: narrower for the same holder always, for another only where that was
// allowed.
func TestAttenuate(t *testing.T) {
	w := newWorld(t)
	ring := agent.NewKeyring(&agent.Options{Roots: w.roots})
	client, _ := serveWith(t, ring, &agent.ServeOptions{AllowHandoff: true})
	if _, err := ring.Add("a", w.mint(time.Hour), w.key); err != nil {
		t.Fatal(err)
	}
	which := agent.Which{Name: "a"}
	narrow, err := client.Narrow(t.Context(), which, delegation.Resource("payments/web"), delegation.ArgIs("env", "test", int64(5)))
	if err != nil {
		t.Fatal(err)
	}
	text, err := client.InvokerFor(narrow).Invoke(t.Context(), rotate())
	if err != nil {
		t.Fatal(err)
	}
	if code := w.decide(text, rotate(), verify.State{}); code != token.CodeCheckFailed {
		t.Errorf("what was narrowed away: %q", code)
	}
	sub := newKey(t)
	handed, err := client.Handoff(t.Context(), which, "agent:sub", sub.Public(), delegation.Operation("rotate"))
	if err != nil {
		t.Fatal(err)
	}
	chain, _, err := attenuate.Receive(handed, w.roots, sub.Public(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	presented, err := attenuate.Invoke(chain, sub, rotate())
	if err != nil {
		t.Fatal(err)
	}
	if code := w.decide(presented.Text(), rotate(), verify.State{}); code != "" {
		t.Errorf("denied: %s", code)
	}
	if _, err := client.Handoff(t.Context(), which, "agent:sub", sub.Public(), delegation.Operation("delete")); err == nil {
		t.Error("handed on with more than there is")
	}
	if _, err := client.Handoff(t.Context(), which, "agent:me", w.key.Public()); err == nil {
		t.Error("handed on to its own key")
	}
}

// TestFixed: programs change nothing unless they were allowed to.
func TestFixed(t *testing.T) {
	w := newWorld(t)
	ring := agent.NewKeyring(&agent.Options{Roots: w.roots})
	held := w.mint(time.Hour)
	if _, err := ring.Add("a", held, w.key); err != nil {
		t.Fatal(err)
	}
	client, _ := serveWith(t, ring, nil)
	_, err := client.Add(t.Context(), "b", held, w.key)
	for name, err := range map[string]error{
		"add":        err,
		"add key":    client.AddKey(t.Context(), newKey(t)),
		"remove":     client.Remove(t.Context(), "a"),
		"remove key": client.RemoveKey(t.Context(), w.key.Public()),
		"clear":      client.Clear(t.Context()),
	} {
		if !errors.Is(err, agent.ErrNotAllowed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	tokens, keys, err := client.List(t.Context())
	if err != nil || len(tokens) != 1 || len(keys) != 1 {
		t.Errorf("%v, %v, %v", tokens, keys, err)
	}
	if text, err := client.Held(t.Context(), "a"); err != nil || text != held {
		t.Errorf("%s, %v", text, err)
	}
	if _, err := client.Held(t.Context(), "b"); !errors.Is(err, agent.ErrNotHeld) {
		t.Errorf("%v", err)
	}
}

// TestAttach: an approval is attached by the agent, and the service accepts what comes
// out for that action.
func TestAttach(t *testing.T) {
	w := newWorld(t)
	approver := newKey(t)
	c, err := attenuate.Mint(w.root, attenuate.Grant{
		Delegator: "alice@example.com", Agent: "agent:ci", AgentKey: w.key.Public(), TTL: time.Hour,
	}, delegation.Resource("payments/**"), delegation.Operation("rotate"), delegation.Approval{Keys: []token.PublicKey{approver.Public()}})
	if err != nil {
		t.Fatal(err)
	}
	client, _ := serve(t, agent.NewKeyring(&agent.Options{Roots: w.roots}))
	if _, err := client.Add(t.Context(), "a", c.Text(), w.key); err != nil {
		t.Fatal(err)
	}
	asked, err := attenuate.RequestApproval(c, rotate())
	if err != nil {
		t.Fatal(err)
	}
	review, err := attenuate.Review(asked, w.roots, approver.Public(), nil)
	if err != nil {
		t.Fatal(err)
	}
	approval, err := review.Approve(approver)
	if err != nil {
		t.Fatal(err)
	}
	approved, err := client.Attach(t.Context(), agent.Which{Name: "a"}, approval)
	if err != nil {
		t.Fatal(err)
	}
	text, err := client.InvokerFor(approved).Invoke(t.Context(), rotate())
	if err != nil {
		t.Fatal(err)
	}
	if code := w.decide(text, rotate(), verify.State{}); code != "" {
		t.Errorf("denied: %s", code)
	}
	if _, err := client.Attach(t.Context(), agent.Which{Name: "a"}, []byte("no approval")); err == nil {
		t.Error("nonsense was attached")
	}
}
