package verify_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify"
)

// decideGiven is decideWith for a service that has something to say.
func decideGiven(t tester, v *verify.Verifier, text string, req delegation.Request, state verify.State) token.Code {
	t.Helper()
	d, err := v.VerifyWith(context.Background(), text, req, state)
	if d.Allowed != (err == nil) || d.Code != verify.CodeOf(err) {
		t.Fatalf("decision says allowed=%v code=%q, error says %v", d.Allowed, d.Code, err)
	}
	if err != nil {
		t.Logf("denied: %v", err)
	}
	return d.Code
}

func directory(t tester, lines ...string) *trust.Directory {
	t.Helper()
	d, err := trust.ParseDirectory([]byte(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func agentLine(names, options string, k token.PrivateKey) string {
	return names + ` namespaces="whittle-agent"` + options + ` ` + k.Public().AuthorizedKey("")
}

// TestDirectory: a name is stated only where the directory binds that one name to
// the key of whoever presents the token, now.
func TestDirectory(t *testing.T) {
	const wanted = `check all agent($a), $a == "agent:ci" || $a.starts_with("agent:ci/");`
	text := present(t, mint(t, good+wanted), ci, rotate, nil).Text()
	for name, c := range map[string]struct {
		lines []string
		want  token.Code
	}{
		"bound":                      {[]string{agentLine("agent:ci", "", ci)}, ""},
		"bound below":                {[]string{agentLine("agent:ci/7", "", ci)}, ""},
		"bound twice to one name":    {[]string{agentLine("agent:ci", "", ci), agentLine("agent:ci", "", ci)}, ""},
		"two keys of one name":       {[]string{agentLine("agent:ci", "", runner), agentLine("agent:ci", "", ci)}, ""},
		"another name has run out":   {[]string{agentLine("agent:x", `,valid-before="20260101Z"`, ci), agentLine("agent:ci", "", ci)}, ""},
		"empty":                      {nil, token.CodeCheckFailed},
		"another key":                {[]string{agentLine("agent:ci", "", runner)}, token.CodeCheckFailed},
		"another name":               {[]string{agentLine("agent:cix", "", ci)}, token.CodeCheckFailed},
		"two names":                  {[]string{agentLine("agent:ci,agent:ci/7", "", ci)}, token.CodeCheckFailed},
		"two names on two lines":     {[]string{agentLine("agent:ci", "", ci), agentLine("agent:x", "", ci)}, token.CodeCheckFailed},
		"not yet":                    {[]string{agentLine("agent:ci", `,valid-after="20270101Z"`, ci)}, token.CodeCheckFailed},
		"no longer":                  {[]string{agentLine("agent:ci", `,valid-before="20260101Z"`, ci)}, token.CodeCheckFailed},
		"in the namespace for roots": {[]string{trustLine("agent:ci", ci)}, token.CodeCheckFailed},
	} {
		v := verifier(t, func(o *verify.Options) { o.Directory = directory(t, c.lines...) })
		if code := decideWith(t, v, text, rotate); code != c.want {
			t.Errorf("%s: %q, want %q", name, code, c.want)
		}
	}
	for name, source := range map[string]trust.AgentSource{"none": nil, "nil": (*trust.Directory)(nil)} {
		v := verifier(t, func(o *verify.Options) { o.Directory = source })
		if code := decideWith(t, v, text, rotate); code != token.CodeCheckFailed {
			t.Errorf("%s: %q", name, code)
		}
	}
}

// TestDirectoryNamesWhoPresents: not an earlier holder, and nobody where nothing
// shows who presents.
func TestDirectoryNamesWhoPresents(t *testing.T) {
	v := verifier(t, func(o *verify.Options) {
		o.Directory = directory(t, agentLine("agent:ci", "", ci), agentLine("agent:runner-7", "", runner))
		o.AllowBearer = true
	})
	held := mint(t, good)
	handed := add(t, held, ci, `holder("agent:ci");`, token.HeldBy(runner.Public()))
	text := present(t, handed, runner, rotate, nil).Text()
	d, err := v.Verify(context.Background(), text, rotate)
	if err != nil {
		t.Fatal(err)
	}
	if d.Agent != "agent:runner-7" || d.Chain[0].Agent != "agent:ci" || d.Chain[1].Agent != "agent:runner-7" || d.Chain[1].Name != "agent:ci" {
		t.Errorf("agent %q, chain %+v", d.Agent, d.Chain)
	}
	for source, want := range map[string]token.Code{
		`check all agent($a), $a == "agent:runner-7";`: "",
		`check all agent($a), $a == "agent:ci";`:       token.CodeCheckFailed,
		`check if agent("agent:ci");`:                  token.CodeCheckFailed,
		`reject if agent("agent:runner-7");`:           token.CodeCheckFailed,
	} {
		bound := add(t, handed, runner, source, token.SameNext(handed))
		if code := decideWith(t, v, present(t, bound, runner, rotate, nil).Text(), rotate); code != want {
			t.Errorf("%s: %q, want %q", source, code, want)
		}
	}

	// The fresh key of a bearer token is nobody's, whatever the directory says.
	for _, source := range []string{`check if agent($a);`, `check if agent_key($k);`} {
		bearer := mintFor(t, alice, strings.Replace(good, `holder("agent:ci");`, ``, 1)+source, token.WithSecret(ci))
		if code := decideWith(t, v, bearer.Text(), rotate); code != token.CodeCheckFailed {
			t.Errorf("bearer, %s: %q", source, code)
		}
	}
	bearer := mintFor(t, alice, strings.Replace(good, `holder("agent:ci");`, ``, 1), token.WithSecret(ci))
	if d, err := v.Verify(context.Background(), bearer.Text(), rotate); err != nil || d.Agent != "" {
		t.Errorf("bearer: agent %q, %v", d.Agent, err)
	}
}

func state(name string, value any) verify.State {
	return verify.State{Context: map[string]any{name: value}}
}

// TestContext: what the service says of its own state meets the caveats on it, for
// one decision; what cannot be said denies, whether a caveat asks or not.
func TestContext(t *testing.T) {
	v := verifier(t, forgetful)
	const wanted = `check all context("ticket", $v), $v == "T-123";`
	text := present(t, mint(t, good+wanted), ci, rotate, nil).Text()
	plain := present(t, mint(t, good), ci, rotate, nil).Text()
	deep := any("x")
	for range 20 {
		deep = []any{deep}
	}
	many := map[string]any{}
	for i := range 300 {
		many[strings.Repeat("x", i%200+1)+string(rune('a'+i/200))] = i
	}
	for name, c := range map[string]struct {
		state verify.State
		text  string
		want  token.Code
	}{
		"met":             {state("ticket", "T-123"), text, ""},
		"other value":     {state("ticket", "T-1234"), text, token.CodeCheckFailed},
		"other type":      {state("ticket", 123), text, token.CodeCheckFailed},
		"other name":      {state("tickets", "T-123"), text, token.CodeCheckFailed},
		"nothing":         {verify.State{}, text, token.CodeCheckFailed},
		"nobody asks":     {state("ticket", []any{1, "x", nil, true, map[string]any{"a": 1}}), plain, ""},
		"float":           {state("load", 0.5), plain, token.CodeCheckFailed},
		"float inside":    {state("load", []any{map[string]any{"a": 0.5}}), plain, token.CodeCheckFailed},
		"unknown type":    {state("load", struct{}{}), plain, token.CodeCheckFailed},
		"beyond 64 bits":  {state("load", uint64(1<<63)), plain, token.CodeCheckFailed},
		"not NFC":         {state("name", "e\u0301"), plain, token.CodeCheckFailed},
		"name not NFC":    {state("e\u0301", 1), plain, token.CodeCheckFailed},
		"empty name":      {state("", 1), plain, token.CodeCheckFailed},
		"too deep":        {state("x", deep), plain, token.CodeCheckFailed},
		"too many":        {verify.State{Context: many}, plain, token.CodeCheckFailed},
		"unknown channel": {verify.State{Channel: delegation.Channel{Kind: "ip", Value: [32]byte{1}}}, plain, token.CodeCheckFailed},
		"zero channel":    {verify.State{Channel: delegation.Channel{Kind: delegation.TLSExporter}}, plain, token.CodeCheckFailed},
	} {
		if code := decideGiven(t, v, c.text, rotate, c.state); code != c.want {
			t.Errorf("%s: %q, want %q", name, code, c.want)
		}
	}
	if code := decideWith(t, v, text, rotate); code != token.CodeCheckFailed {
		t.Errorf("the state of one request outlived it: %q", code)
	}
}

func parsedFact(t tester, source string) datalog.Predicate {
	t.Helper()
	p, err := datalog.ParseFact(source, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestStateFacts: a service may state further facts, but none of the vocabulary's
// own, which would stand beside or in for the real ones.
func TestStateFacts(t *testing.T) {
	policy := authorizer(t, `allow if maintenance("payments");`)
	v := verifier(t, func(o *verify.Options) { o.Policy, o.AllowReplay = policy, true })
	text := present(t, mint(t, good), ci, rotate, nil).Text()
	stating := func(p ...datalog.Predicate) verify.State { return verify.State{Facts: p} }
	open := parsedFact(t, `maintenance("payments")`)
	if code := decideGiven(t, v, text, rotate, stating(open)); code != "" {
		t.Errorf("stated: %q", code)
	}
	if code := decideGiven(t, v, text, rotate, verify.State{}); code != token.CodePolicy {
		t.Errorf("not stated: %q", code)
	}
	for _, name := range []string{
		"delegator", "holder", "nonce", "approved", "parent", "time", "weekday", "minute", "operation", "resource", "arg",
		"arg_ip", "arg_host", "audience", "agent_key", "agent", "depth", "request", "action", "channel", "context",
	} {
		p := datalog.Predicate{Name: name, Terms: []datalog.Term{datalog.String("x")}}
		if code := decideGiven(t, v, text, rotate, stating(open, p)); code != token.CodeCheckFailed {
			t.Errorf("%s: %q", name, code)
		}
	}
	for name, p := range map[string]datalog.Predicate{
		"variable": {Name: "x", Terms: []datalog.Term{datalog.Variable("x")}},
		"nil":      {Name: "x", Terms: []datalog.Term{nil}},
		"no terms": {Name: "x"},
		"no name":  {Terms: []datalog.Term{datalog.Integer(1)}},
		"no word":  {Name: `x("y"), z`, Terms: []datalog.Term{datalog.Integer(1)}},
	} {
		if code := decideGiven(t, v, text, rotate, stating(open, p)); code != token.CodeCheckFailed {
			t.Errorf("%s: %q", name, code)
		}
	}
}

// TestTokenFacts: V6, block 0 tells what the service has registered by name, arity
// and types, and nothing else; no other block tells anything.
func TestTokenFacts(t *testing.T) {
	v := verifier(t, func(o *verify.Options) {
		o.TokenFacts = []delegation.FactType{{Name: "role", Types: []string{"string"}}, {Name: "limit", Types: []string{"string", "integer"}}}
		o.Policy = authorizer(t, `allow if role("buyer"); allow if limit("day", $n), $n > 5;`)
	})
	for source, want := range map[string]token.Code{
		`role("buyer");`:                    "",
		`role("buyer"); role("auditor");`:   "",
		`limit("day", 6);`:                  "",
		`limit("day", 5);`:                  token.CodePolicy,
		``:                                  token.CodePolicy,
		`role(1);`:                          token.CodeProfile,
		`role("buyer", 1);`:                 token.CodeProfile,
		`limit(6, "day");`:                  token.CodeProfile,
		`roles("buyer");`:                   token.CodeProfile,
		`role("buyer"); operation("read");`: token.CodeProfile,
	} {
		if code := decideWith(t, v, present(t, mint(t, good+source), ci, rotate, nil).Text(), rotate); code != want {
			t.Errorf("%s: %q, want %q", source, code, want)
		}
	}
	held := mint(t, good)
	narrowed := add(t, held, ci, `role("buyer");`, token.SameNext(held))
	if code := decideWith(t, v, present(t, narrowed, ci, rotate, nil).Text(), rotate); code != token.CodeProfile {
		t.Errorf("told by a holder: %q", code)
	}
	inInvocation := present(t, held, ci, rotate, func(b *datalog.Block) { b.Facts = append(b.Facts, parsedFact(t, `role("buyer")`)) })
	if code := decideWith(t, v, inInvocation.Text(), rotate); code != token.CodeProfile {
		t.Errorf("told by an invocation: %q", code)
	}
	expect(t, present(t, mint(t, good+`role("buyer");`), ci, rotate, nil).Text(), rotate, token.CodeProfile)
}

func TestNewRefusesTokenFacts(t *testing.T) {
	for name, f := range map[string]delegation.FactType{
		"the verifier's own": {Name: "time", Types: []string{"date"}},
		"the token's own":    {Name: "delegator", Types: []string{"string"}},
		"an approval":        {Name: "approved", Types: []string{"bytes"}},
		"without terms":      {Name: "role"},
		"of no type":         {Name: "role", Types: []string{"text"}},
		"of any type":        {Name: "role", Types: []string{""}},
		"without a name":     {Types: []string{"string"}},
		"no word":            {Name: "a b", Types: []string{"string"}},
	} {
		if _, err := verify.New("svc", roots(t), &verify.Options{TokenFacts: []delegation.FactType{f}}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// TestLongChains: a token that changed hands too often, or has too many blocks.
func TestLongChains(t *testing.T) {
	deep := mint(t, good)
	owners := []token.PrivateKey{ci, runner}
	for i := range verify.DefaultMaxDepth {
		deep = add(t, deep, owners[i%2], `holder("agent:next");`, token.HeldBy(owners[(i+1)%2].Public()))
	}
	expect(t, present(t, deep, owners[verify.DefaultMaxDepth%2], rotate, nil).Text(), rotate, "")
	deeper := add(t, deep, owners[verify.DefaultMaxDepth%2], `holder("agent:next");`, token.HeldBy(mallory.Public()))
	expect(t, present(t, deeper, mallory, rotate, nil).Text(), rotate, token.CodeLimit)

	long := mint(t, good)
	for range verify.DefaultMaxBlocks - 2 {
		long = add(t, long, ci, ``, token.SameNext(long))
	}
	expect(t, present(t, long, ci, rotate, nil).Text(), rotate, "")
	longer := add(t, long, ci, ``, token.SameNext(long))
	expect(t, present(t, longer, ci, rotate, nil).Text(), rotate, token.CodeLimit)

	once := add(t, mint(t, good), ci, `holder("agent:next");`, token.HeldBy(runner.Public()))
	twice := add(t, once, runner, `holder("agent:next");`, token.HeldBy(ci.Public()))
	v := verifier(t, func(o *verify.Options) { o.MaxDepth = 1 })
	if a, b := decideWith(t, v, present(t, once, runner, rotate, nil).Text(), rotate), decideWith(t, v, present(t, twice, ci, rotate, nil).Text(), rotate); a != "" || b != token.CodeLimit {
		t.Errorf("at most one handoff: %q and %q", a, b)
	}
	v = verifier(t, func(o *verify.Options) { o.MaxBlocks = 3 })
	if a, b := decideWith(t, v, present(t, once, runner, rotate, nil).Text(), rotate), decideWith(t, v, present(t, twice, ci, rotate, nil).Text(), rotate); a != "" || b != token.CodeLimit {
		t.Errorf("at most three blocks: %q and %q", a, b)
	}
	for _, o := range []verify.Options{{MaxDepth: -1}, {MaxBlocks: -1}, {MaxDepth: 33}, {MaxBlocks: 33}, {MaxSession: -1}, {MaxSession: 1 << 62}} {
		if _, err := verify.New("svc", roots(t), &o); err == nil {
			t.Errorf("taken: %+v", o)
		}
	}
}

// reloaded is a verifier that reads its trust file, and a directory beside it, again.
type reloaded struct {
	t             tester
	trust, agents string
	clock         time.Time
	v             *verify.Verifier
	reported      []error
}

func newReloaded(t *testing.T, lines ...string) *reloaded {
	t.Helper()
	dir := t.TempDir()
	r := &reloaded{t: t, trust: filepath.Join(dir, "trust"), agents: filepath.Join(dir, "agents"), clock: now}
	r.write(r.trust, lines...)
	r.write(r.agents, agentLine("agent:ci", "", ci))
	o := &trust.FileOptions{Now: func() time.Time { return r.clock }, OnError: func(err error) { r.reported = append(r.reported, err) }}
	roots, err := trust.Open(r.trust, o)
	if err != nil {
		t.Fatal(err)
	}
	directory, err := trust.OpenDirectory(r.agents, o)
	if err != nil {
		t.Fatal(err)
	}
	r.v, err = verify.New("svc:certs", roots, &verify.Options{Directory: directory, AllowReplay: true, Now: func() time.Time { return r.clock }})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *reloaded) write(path string, lines ...string) {
	r.t.Helper()
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// expect decides a second later.
func (r *reloaded) expect(text string, want token.Code) {
	r.t.Helper()
	r.clock = r.clock.Add(time.Second)
	if code := decideWith(r.t, r.v, text, rotate); code != want {
		r.t.Errorf("%q, want %q", code, want)
	}
}

// TestRemovedRootStopsAtOnce: without a restart, and although the verifier
// remembers the chain's signatures.
func TestRemovedRootStopsAtOnce(t *testing.T) {
	r := newReloaded(t, trustLine("alice@example.com", alice), trustLine("bob@example.com", mallory))
	text := present(t, mint(t, good+`check all agent($a), $a == "agent:ci";`), ci, rotate, nil).Text()
	r.expect(text, "")
	r.expect(text, "")
	r.write(r.trust, trustLine("bob@example.com", mallory))
	r.expect(text, token.CodeUntrustedRoot)
	r.write(r.trust, trustLine("bob@example.com", alice))
	r.expect(text, token.CodeUntrustedRoot)
	r.write(r.trust, trustLine("alice@example.com", alice))
	r.expect(text, "")
	r.write(r.agents)
	r.expect(text, token.CodeCheckFailed)
	r.write(r.agents, agentLine("agent:ci", "", ci))
	r.expect(text, "")
	r.write(r.trust)
	r.expect(text, token.CodeUntrustedRoot)
	if len(r.reported) > 0 {
		t.Errorf("reported: %v", r.reported)
	}
	r.write(r.trust, "alice")
	r.expect(text, token.CodeUntrustedRoot)
	if len(r.reported) != 1 {
		t.Errorf("reported: %v", r.reported)
	}
}

// TestRootRotation: the old key and the new one overlap, each for its time; then the
// old one ends, without a change of the file.
func TestRootRotation(t *testing.T) {
	old, new := key("alice's old key"), key("alice's new key")
	line := func(option string, k token.PrivateKey) string {
		return `alice@example.com namespaces="whittle",` + option + ` ` + k.Public().AuthorizedKey("")
	}
	r := roots(t, line(`valid-before="20261123120000Z"`, old), line(`valid-after="20261123110000Z"`, new))
	tokens := map[string]string{}
	for name, k := range map[string]token.PrivateKey{"old": old, "new": new} {
		c := mintFor(t, k, strings.Replace(good, "T11:59:30Z", "T10:00:00Z", 1), token.HeldBy(ci.Public()))
		inv := invocation(t, c, rotate)
		inv.NotBefore, inv.Expires = uint64(now.Add(-2*time.Hour).Unix()), uint64(now.Add(time.Hour).Unix())
		presented, err := c.Append(ci, inv.Content(), token.WithSecret(token.InvocationKey()))
		if err != nil {
			t.Fatal(err)
		}
		tokens[name] = presented.Text()
	}
	for _, c := range []struct {
		at       time.Duration
		old, new token.Code
	}{
		{-time.Hour - time.Second, "", token.CodeUntrustedRoot},
		{-time.Hour, "", ""},
		{0, "", ""},
		{time.Second, token.CodeUntrustedRoot, ""},
	} {
		v, err := verify.New("svc:certs", r, &verify.Options{Now: func() time.Time { return now.Add(c.at) }, MaxWindow: 24 * time.Hour, AllowReplay: true})
		if err != nil {
			t.Fatal(err)
		}
		if o, n := decideWith(t, v, tokens["old"], rotate), decideWith(t, v, tokens["new"], rotate); o != c.old || n != c.new {
			t.Errorf("at %s: old %q, new %q, want %q and %q", c.at, o, n, c.old, c.new)
		}
	}
}
