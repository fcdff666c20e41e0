package gateway_test

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify/gateway"
	"github.com/whittle-auth/whittle/verify/revoke"
)

// A clock that the test sets.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// TestReload: a configuration that has changed is in force a second later, a bad one
// changes nothing and is told of once, and what was used stays used.
func TestReload(t *testing.T) {
	w := newWorld(t)
	at := &clock{now: time.Now()}
	config := strings.Replace(configuration("envoy"), "hosts = ", "policy_file = \"policy\"\nhosts = ", 1)
	w.write("policy", "allow if true;")
	g := w.openWith(config, gateway.Options{FirstStart: true, Now: at.Now})
	used := w.readA()
	decide := func(text string) token.Code { return g.Decide(t.Context(), get("/a", text)).Code }
	expect := func(step string, code token.Code) {
		t.Helper()
		if got := decide(w.readA()); got != code {
			t.Errorf("%s: %q, want %q: %s", step, got, code, w.log.String())
		}
	}
	if code := decide(used); code != "" {
		t.Fatal(code)
	}

	w.write("policy", "deny if true;\nallow if true;")
	expect("within a second", "")
	at.add(time.Second)
	expect("another policy", token.CodePolicy)
	w.write("policy", "allow if true;")
	at.add(time.Second)
	expect("the first policy again", "")

	w.write("gateway.toml", strings.Replace(config, `"GET /{path...}"`, `"GET /only/{path...}"`, 1))
	at.add(time.Second)
	expect("another route", token.CodeCheckFailed)
	if s := g.Stats(); s.Reloads != 3 || s.Failures != 0 || s.Problem != "" {
		t.Errorf("%+v", s)
	}

	w.write("gateway.toml", config)
	at.add(time.Second)
	expect("the first again", "")
	if code := decide(used); code != token.CodeReplay {
		t.Errorf("after reloads a used invocation is answered %q", code)
	}
	for name, bad := range map[string]string{
		"unknown key":   strings.Replace(config, "hosts = ", "host = ", 1),
		"empty":         "",
		"replay file":   "replay_file = \"used\"\n" + config,
		"listen":        config + "\n[server]\nlisten = \"127.0.0.1:1\"\n",
		"replay memory": config + "\n[limits]\nreplays = 7\n",
		"trust":         strings.Replace(config, `"trust"`, `"none"`, 1),
		"policy file":   strings.Replace(config, `"policy"`, `"none"`, 1),
	} {
		before := g.Stats()
		w.write("gateway.toml", bad)
		for range 3 {
			at.add(time.Second)
			expect(name, "")
		}
		s := g.Stats()
		if s.Problem == "" || s.Failures != before.Failures+1 || s.Reloads != before.Reloads {
			t.Errorf("%s: %+v", name, s)
		}
		if !strings.Contains(w.log.String(), "the last good one stays in force") {
			t.Errorf("%s: not said: %s", name, w.log.String())
		}
		w.write("gateway.toml", config)
		at.add(time.Second)
		if s := g.Stats(); s.Problem != "" {
			t.Errorf("%s: after it was put right: %s", name, s.Problem)
		}
	}
	at.add(-time.Hour)
	w.write("policy", "deny if true;\nallow if true;")
	expect("a clock that was set back", token.CodePolicy)
}

// TestTrustFileIsFollowed: a key that is removed is no longer trusted a second later.
func TestTrustFileIsFollowed(t *testing.T) {
	w := newWorld(t)
	at := &clock{now: time.Now()}
	g := w.openWith(configuration("envoy"), gateway.Options{FirstStart: true, Now: at.Now})
	if a := g.Decide(t.Context(), get("/a", w.readA())); !a.Allowed() {
		t.Fatal(a.Code)
	}
	w.write("trust", "nonsense")
	at.add(time.Second)
	if a := g.Decide(t.Context(), get("/a", w.readA())); !a.Allowed() || g.Stats().FileFailures != 1 || !strings.Contains(w.log.String(), "level=ERROR") {
		t.Errorf("a trust file that is bad: %q, %+v: %s", a.Code, g.Stats(), w.log.String())
	}
	w.write("trust", "")
	at.add(time.Second)
	if a := g.Decide(t.Context(), get("/a", w.readA())); a.Code != token.CodeUntrustedRoot {
		t.Errorf("%q", a.Code)
	}
}

// TestReplayFile: what was used is known after a restart, and only one gateway has the
// file.
func TestReplayFile(t *testing.T) {
	w := newWorld(t)
	config := "replay_file = \"used\"\n" + configuration("envoy")
	g := w.open(config)
	if _, err := gateway.Open(filepath.Join(w.dir, "gateway.toml"), nil); err == nil || !strings.Contains(err.Error(), "line 1: used: ") {
		t.Errorf("a second gateway: %v", err)
	}
	text := w.readA()
	if a := g.Decide(t.Context(), get("/a", text)); !a.Allowed() {
		t.Fatal(a.Code)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if a := g.Decide(t.Context(), get("/a", w.readA())); a.Code != token.CodeUnavailable || a.Refusal.Status != 503 {
		t.Errorf("closed: %q", a.Code)
	}
	g = w.openWith(config, gateway.Options{})
	if a := g.Decide(t.Context(), get("/a", text)); a.Code != token.CodeReplay {
		t.Errorf("after a restart: %q", a.Code)
	}
	if a := g.Decide(t.Context(), get("/a", w.readA())); !a.Allowed() {
		t.Errorf("another, after a restart: %q", a.Code)
	}
}

// TestForgetfulStart: without a file, what can have been used before is denied, and that is
// said.
func TestForgetfulStart(t *testing.T) {
	w := newWorld(t)
	g := w.openWith(configuration("envoy"), gateway.Options{})
	if a := g.Decide(t.Context(), get("/a", w.readA())); a.Code != token.CodeReplay {
		t.Errorf("%q", a.Code)
	}
	if !strings.Contains(w.log.String(), "there is no replay_file") {
		t.Errorf("not said: %s", w.log.String())
	}
}

// TestReplayAcrossWorkers: of many that present one invocation at a time, one is allowed,
// also while the configuration changes.
func TestReplayAcrossWorkers(t *testing.T) {
	w := newWorld(t)
	at := &clock{now: time.Now()}
	g := w.openWith(configuration("envoy"), gateway.Options{FirstStart: true, Now: at.Now})
	for round := range 8 {
		config := configuration("envoy")
		if round%2 == 0 {
			config += "\n# another\n"
		}
		w.write("gateway.toml", config)
		text := w.readA()
		codes := make([]token.Code, 16)
		var all sync.WaitGroup
		for i := range codes {
			all.Go(func() {
				at.add(100 * time.Millisecond)
				codes[i] = g.Decide(t.Context(), get("/a", text)).Code
			})
		}
		all.Wait()
		allowed := 0
		for _, code := range codes {
			switch code {
			case "":
				allowed++
			case token.CodeReplay:
			default:
				t.Errorf("code %q", code)
			}
		}
		if allowed != 1 {
			t.Errorf("%d are allowed", allowed)
		}
	}
	if g.Stats().Reloads == 0 {
		t.Error("the configuration never changed")
	}
}

// TestPolicyAndLimits: what the configuration says reaches the verifier.
func TestPolicyAndLimits(t *testing.T) {
	read := delegation.Request{Operation: "read", Resource: "docs/a"}
	for name, c := range map[string]struct {
		top, limits string
		code        token.Code
	}{
		"nothing":   {"", "", ""},
		"policy":    {"policy = \"allow if agent(\\\"agent:ci\\\")\"", "", ""},
		"of nobody": {"policy = \"allow if agent(\\\"agent:root\\\")\"", "", token.CodePolicy},
		"max_ttl":   {"", "max_ttl = \"10m\"", token.CodeWindow},
		"window":    {"", "max_window = \"10s\"", token.CodeWindow},
		"blocks":    {"", "max_blocks = 1", token.CodeLimit},
		"facts":     {"", "facts = 1", token.CodeLimit},
	} {
		w := newWorld(t)
		g := w.open(c.top + "\n" + configuration("envoy") + "\n[limits]\n" + c.limits + "\n")
		if a := g.Decide(t.Context(), get("/a", w.invoke(read))); a.Code != c.code {
			t.Errorf("%s: %q, want %q: %s", name, a.Code, c.code, w.log.String())
		}
	}
	w := newWorld(t)
	if _, err := revoke.Edit(filepath.Join(w.dir, "revoked"), time.Now(), revoke.Change{
		Add: []revoke.Entry{{Kind: revoke.Delegator, Delegator: "alice@example.com"}},
	}); err != nil {
		t.Fatal(err)
	}
	g := w.open("revoked = [\"revoked\"]\n" + configuration("envoy"))
	if a := g.Decide(t.Context(), get("/a", w.invoke(read))); a.Code != token.CodeRevoked {
		t.Errorf("revoked: %q", a.Code)
	}
	if g.Stats().Revocations != nil {
		t.Error(g.Stats().Revocations)
	}
	w.write("revoked", "nonsense")
	if a := g.Decide(t.Context(), get("/a", w.invoke(read))); a.Code != token.CodeRevoked || g.Stats().Revocations == nil {
		t.Errorf("a list that is bad: %q, %v", a.Code, g.Stats().Revocations)
	}
}
