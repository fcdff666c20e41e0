package attenuate_test

import (
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func key(owner string) token.PrivateKey {
	seed := sha256.Sum256([]byte(owner))
	k, err := token.NewPrivateKey(datalog.Ed25519, seed[:])
	if err != nil {
		panic(err)
	}
	return k
}

var alice, ci, runner = key("alice"), key("ci"), key("runner")

func grant() attenuate.Grant {
	return attenuate.Grant{Delegator: "alice@example.com", Agent: "agent:ci", AgentKey: ci.Public(), TTL: time.Hour, Now: now}
}

var caveats = []delegation.Caveat{delegation.Resource("a/**", "b"), delegation.Operation("read", "write")}

func mint(t *testing.T) *token.Token {
	t.Helper()
	tok, err := attenuate.Mint(alice, grant(), caveats...)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

var req = delegation.Request{Operation: "read", Resource: "a/x", Audience: "svc"}

func code(err error) token.Code {
	if e, ok := errors.AsType[*token.Error](err); ok {
		return e.Code
	}
	return ""
}

func TestMint(t *testing.T) {
	chain, err := delegation.Read(mint(t))
	if err != nil {
		t.Fatal(err)
	}
	if chain.Delegator != "alice@example.com" || chain.Holder().Holder != "agent:ci" || chain.Holder().Key != ci.Public() {
		t.Errorf("%+v", chain)
	}
	expires, _ := chain.Scope.Expires()
	from, _ := chain.Scope.NotBefore()
	if !expires.Time().Equal(now.Add(time.Hour)) || !from.Time().Equal(now.Add(-delegation.Skew)) {
		t.Errorf("holds from %s to %s", from, expires)
	}
}

func TestMintRefuses(t *testing.T) {
	change := func(f func(*attenuate.Grant)) attenuate.Grant {
		g := grant()
		f(&g)
		return g
	}
	for name, c := range map[string]struct {
		grant   attenuate.Grant
		caveats []delegation.Caveat
	}{
		"no delegator":        {change(func(g *attenuate.Grant) { g.Delegator = "" }), caveats},
		"wildcard delegator":  {change(func(g *attenuate.Grant) { g.Delegator = "*@example.com" }), caveats},
		"upper-case domain":   {change(func(g *attenuate.Grant) { g.Delegator = "alice@Example.com" }), caveats},
		"no agent":            {change(func(g *attenuate.Grant) { g.Agent = "" }), caveats},
		"agent with newline":  {change(func(g *attenuate.Grant) { g.Agent = "a\nb" }), caveats},
		"no agent key":        {change(func(g *attenuate.Grant) { g.AgentKey = token.PublicKey{} }), caveats},
		"root as agent":       {change(func(g *attenuate.Grant) { g.AgentKey = alice.Public() }), caveats},
		"invocation as agent": {change(func(g *attenuate.Grant) { g.AgentKey = token.InvocationKey().Public() }), caveats},
		"no lifetime":         {change(func(g *attenuate.Grant) { g.TTL = 0 }), caveats},
		"negative lifetime":   {change(func(g *attenuate.Grant) { g.TTL = -time.Second }), caveats},
		"two lifetimes":       {change(func(g *attenuate.Grant) { g.Expires = now.Add(time.Hour) }), caveats},
		"a millisecond":       {change(func(g *attenuate.Grant) { g.TTL = time.Millisecond }), caveats},
		"an operation twice":  {grant(), []delegation.Caveat{caveats[0], delegation.Operation("read", "read")}},
		"a resource twice":    {grant(), []delegation.Caveat{caveats[1], delegation.Resource("a", "b", "a")}},
		"nil caveat":          {grant(), append([]delegation.Caveat{nil}, caveats...)},
		"expired":             {change(func(g *attenuate.Grant) { g.TTL, g.Expires = 0, now.Add(-time.Second) }), caveats},
		"year 12000":          {change(func(g *attenuate.Grant) { g.TTL, g.Expires = 0, now.AddDate(10000, 0, 0) }), caveats},
		"bearer with agent":   {change(func(g *attenuate.Grant) { g.AllowBearer = true }), caveats},
		"no resource":         {grant(), caveats[1:]},
		"no operation":        {grant(), caveats[:1]},
		"bad resource":        {grant(), []delegation.Caveat{delegation.Resource("a/../b"), caveats[1]}},
		"no patterns":         {grant(), []delegation.Caveat{delegation.Resource(), caveats[1]}},
		"contradiction":       {grant(), []delegation.Caveat{caveats[0], caveats[1], delegation.Operation("delete")}},
	} {
		if tok, err := attenuate.Mint(alice, c.grant, c.caveats...); err == nil || tok != nil {
			t.Errorf("%s: minted", name)
		}
	}
}

// A1: whoever adds a block must hold the token.
func TestOnlyTheHolderGoesOn(t *testing.T) {
	tok := mint(t)
	if _, err := attenuate.Narrow(tok, runner, delegation.Operation("read")); code(err) != token.CodeProfile {
		t.Errorf("narrowed by a stranger: %v", err)
	}
	if _, err := attenuate.Handoff(tok, runner, "agent:x", key("x").Public()); code(err) != token.CodeProfile {
		t.Errorf("handed on by a stranger: %v", err)
	}
	if _, err := attenuate.Invoke(tok, runner, req); code(err) != token.CodeProfile {
		t.Errorf("invoked by a stranger: %v", err)
	}
	if _, err := attenuate.Invoke(tok, nil, req); code(err) != token.CodeProfile {
		t.Errorf("invoked by nobody: %v", err)
	}
	sub, err := attenuate.Handoff(tok, ci, "agent:runner", runner.Public())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := attenuate.Narrow(sub, ci, delegation.Operation("read")); code(err) != token.CodeProfile {
		t.Errorf("narrowed by the one who handed it on: %v", err)
	}
}

// A1: what is received is checked before anything is done with it.
func TestReceive(t *testing.T) {
	roots := func(principal string, k token.PrivateKey) *trust.Roots {
		r, err := trust.Parse([]byte(principal + ` namespaces="whittle" ` + k.Public().AuthorizedKey("")))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	good := roots("alice@example.com", alice)
	text := mint(t).Text()
	for name, c := range map[string]struct {
		text   string
		roots  *trust.Roots
		holder token.PublicKey
		want   token.Code
	}{
		"mine":               {text, good, ci.Public(), ""},
		"mine, no roots":     {text, nil, ci.Public(), ""},
		"not mine":           {text, good, runner.Public(), token.CodeProfile},
		"not mine, no roots": {text, nil, runner.Public(), token.CodeProfile},
		"another root":       {text, roots("alice@example.com", runner), ci.Public(), token.CodeUntrustedRoot},
		"another delegator":  {text, roots("bob@example.com", alice), ci.Public(), token.CodeUntrustedRoot},
		"cut":                {text[:len(text)-4], good, ci.Public(), token.CodeMalformed},
		"no token":           {"whittle:", good, ci.Public(), token.CodeMalformed},
	} {
		c2, chain, err := attenuate.Receive(c.text, c.roots, c.holder, now)
		if code(err) != c.want || (err == nil) != (c2 != nil) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && (chain.Delegator != "alice@example.com" || c2.Root().IsZero() != (c.roots == nil)) {
			t.Errorf("%s: %+v", name, chain)
		}
	}
}

// A3: keys that would undo a handoff.
func TestHandoffRefusesKeys(t *testing.T) {
	tok := mint(t)
	for name, k := range map[string]token.PublicKey{
		"the invocation key": token.InvocationKey().Public(),
		"the root":           alice.Public(),
		"one's own":          ci.Public(),
		"none":               {},
	} {
		if _, err := attenuate.Handoff(tok, ci, "agent:x", k); err == nil {
			t.Errorf("handed on to %s", name)
		}
	}
	if _, err := attenuate.Handoff(tok, ci, " ", runner.Public()); err == nil {
		t.Error("handed on to nobody")
	}
}

// A2: a signer that returns something else than a signature is found out.
func TestFaultySigner(t *testing.T) {
	if _, err := attenuate.Mint(faulty{alice}, grant(), caveats...); code(err) != token.CodeSignature {
		t.Errorf("mint: %v", err)
	}
	if _, err := attenuate.Invoke(mint(t), faulty{ci}, req); code(err) != token.CodeSignature {
		t.Errorf("invoke: %v", err)
	}
	if _, err := attenuate.Narrow(mint(t), failing{ci}, caveats[1]); !errors.Is(err, errGone) {
		t.Errorf("narrow: %v", err)
	}
}

type faulty struct{ token.PrivateKey }

func (f faulty) Sign(message []byte) ([]byte, error) {
	sig, err := f.PrivateKey.Sign(message)
	sig[0] ^= 1
	return sig, err
}

var errGone = errors.New("the agent is gone")

type failing struct{ token.PrivateKey }

func (failing) Sign([]byte) ([]byte, error) { return nil, errGone }

// A4: two invocations of one request are two.
func TestFreshNonce(t *testing.T) {
	seen := map[string]bool{}
	for range 20 {
		c, err := attenuate.Invoke(mint(t), ci, req)
		if err != nil {
			t.Fatal(err)
		}
		chain, err := delegation.Read(c)
		if err != nil {
			t.Fatal(err)
		}
		nonce := string(chain.Invocation.Nonce)
		if len(nonce) < 16 || seen[nonce] || strings.Trim(nonce, "\x00") == "" {
			t.Fatalf("nonce %x", nonce)
		}
		seen[nonce] = true
	}
}

// Widening is an error that names the bound and the block that set it.
func TestWideningIsRefused(t *testing.T) {
	tok := mint(t)
	sub, err := attenuate.Handoff(tok, ci, "agent:runner", runner.Public(), delegation.Resource("a/x/**"), delegation.Operation("read"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		wish  delegation.Caveat
		block int
		clamp string // empty where nothing is left
	}{
		"operation":         {delegation.Operation("read", "write"), 1, "operation read"},
		"other operation":   {delegation.Operation("delete"), 1, ""},
		"resource":          {delegation.Resource("a/**"), 1, "resource a/x/**"},
		"other resource":    {delegation.Resource("b"), 1, ""},
		"partly":            {delegation.Resource("a/x/y", "b"), 1, "resource a/x/y"},
		"longer":            {delegation.Expires(now.Add(2 * time.Hour)), 0, "expires 2026-11-23T13:00:00Z"},
		"earlier beginning": {delegation.ValidFrom(now.Add(-time.Hour)), 0, "not before 2026-11-23T11:59:30Z"},
	} {
		_, err := attenuate.Narrow(sub, runner, c.wish)
		widening, ok := errors.AsType[*delegation.WideningError](err)
		if !ok {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if widening.Bound.Block != c.block {
			t.Errorf("%s: block %d is blamed, want %d", name, widening.Bound.Block, c.block)
		}
		clamped, err := attenuate.Clamp(sub, c.wish)
		if c.clamp == "" {
			if err == nil {
				t.Errorf("%s: clamped to %v", name, clamped)
			}
			continue
		}
		if err != nil || clamped[0].String() != c.clamp {
			t.Errorf("%s: clamped to %v, %v, want %s", name, clamped, err, c.clamp)
			continue
		}
		if _, err := attenuate.Narrow(sub, runner, clamped...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	two := []delegation.Caveat{delegation.Resource("a/x/y"), delegation.Resource("a/x/**")}
	if clamped, err := attenuate.Clamp(sub, two...); err != nil {
		t.Error(err)
	} else if _, err := attenuate.Narrow(sub, runner, clamped...); err != nil {
		t.Errorf("two caveats clamped one after the other: %v", err)
	}
	if _, err := attenuate.Clamp(sub, delegation.Resource("a/x/y"), delegation.Resource("a/x/z")); err == nil {
		t.Error("caveats that contradict each other are clamped")
	}
	if _, err := attenuate.Narrow(sub, runner, nil); err == nil {
		t.Error("narrowed by a nil caveat")
	}
	if _, err := attenuate.Narrow(sub, runner); err == nil {
		t.Error("narrowed by nothing")
	}
	if _, err := attenuate.Narrow(sub, runner, delegation.Expires(now.Add(time.Minute)), delegation.Resource("a/x/**"), delegation.Operation("read")); err != nil {
		t.Errorf("as tight as before, and shorter: %v", err)
	}
}

// Nothing can be added once a token is bound to a request.
func TestPresentedIsFinal(t *testing.T) {
	c, err := attenuate.Invoke(mint(t), ci, req)
	if err != nil {
		t.Fatal(err)
	}
	inv := token.InvocationKey()
	if _, err := attenuate.Narrow(c, inv, delegation.Operation("read")); code(err) != token.CodeProfile {
		t.Errorf("narrowed: %v", err)
	}
	if _, err := attenuate.Handoff(c, inv, "agent:x", runner.Public()); code(err) != token.CodeProfile {
		t.Errorf("handed on: %v", err)
	}
	if _, err := attenuate.Invoke(c, inv, req); code(err) != token.CodeProfile {
		t.Errorf("invoked again: %v", err)
	}
}

func TestBearer(t *testing.T) {
	g := attenuate.Grant{Delegator: "alice@example.com", TTL: time.Hour, Now: now, AllowBearer: true}
	tok, err := attenuate.Mint(alice, g, caveats...)
	if err != nil {
		t.Fatal(err)
	}
	narrow, err := attenuate.Narrow(tok, nil, delegation.Operation("read"))
	if err != nil {
		t.Fatal(err)
	}
	chain, err := delegation.Read(narrow)
	if err != nil || !chain.Bearer || narrow.Form() != token.Attenuable {
		t.Fatalf("%+v, %v", chain, err)
	}
	if _, err := attenuate.Handoff(narrow, nil, "agent:x", runner.Public()); code(err) != token.CodeProfile {
		t.Errorf("handed on: %v", err)
	}
	if _, err := attenuate.Invoke(narrow, nil, req); code(err) != token.CodeProfile {
		t.Errorf("invoked: %v", err)
	}
}

func TestInvokeRefuses(t *testing.T) {
	for name, r := range map[string]delegation.Request{
		"no operation":    {Resource: "a/x", Audience: "svc"},
		"no resource":     {Operation: "read", Audience: "svc"},
		"no audience":     {Operation: "read", Resource: "a/x"},
		"bad resource":    {Operation: "read", Resource: "/a/x", Audience: "svc"},
		"both":            {Operation: "read", Resource: "a", Resources: []string{"b"}, Audience: "svc"},
		"strange value":   {Operation: "read", Resource: "a/x", Audience: "svc", Args: map[string]any{"c": make(chan int)}},
		"pointer as name": {Operation: "read", Resource: "a/x", Audience: "svc", Args: map[string]any{"/c": 1}},
	} {
		if _, err := attenuate.Invoke(mint(t), ci, r); err == nil {
			t.Errorf("%s: invoked", name)
		}
	}
	for name, until := range map[string]time.Time{
		"no time at all":    now,
		"within one second": now.Add(time.Millisecond),
		"too long":          now.Add(delegation.MaxWindow + delegation.Skew + time.Second),
		"backwards":         now.Add(-time.Second),
	} {
		if _, err := attenuate.InvokeAt(mint(t), ci, req, now, until); err == nil {
			t.Errorf("invoked for %s", name)
		}
	}
	if _, err := attenuate.InvokeAt(mint(t), ci, req, now, now.Add(delegation.MaxWindow)); err != nil {
		t.Error(err)
	}
}

// TestNoToken: what holds no token is refused, not followed.
func TestNoToken(t *testing.T) {
	for name, c := range map[string]token.Chain{
		"nil": nil, "nil token": (*token.Token)(nil), "nil unrooted": (*token.Unrooted)(nil),
		"zero token": new(token.Token), "zero unrooted": new(token.Unrooted),
	} {
		if _, err := delegation.Read(c); err == nil {
			t.Errorf("%s is read", name)
		}
		if _, err := attenuate.Narrow(c, ci, delegation.Operation("read")); err == nil {
			t.Errorf("%s is narrowed", name)
		}
		if _, err := attenuate.Handoff(c, ci, "agent:next", runner.Public()); err == nil {
			t.Errorf("%s is handed on", name)
		}
		if _, err := attenuate.Clamp(c, delegation.Operation("read")); err == nil {
			t.Errorf("%s is clamped to", name)
		}
		if _, err := attenuate.Invoke(c, ci, delegation.Request{Operation: "read", Resource: "a", Audience: "svc"}); err == nil {
			t.Errorf("%s is invoked", name)
		}
	}
}
