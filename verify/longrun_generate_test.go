package verify_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
)

// A world draws tokens and requests out of few values, so that bounds overlap and
// both verdicts are common. The same source of randomness gives the same world.
type world struct {
	*rand.Rand
	typed bool // no checks written by hand: then reading and engine agree exactly
}

func newWorld(seed, family uint64) world {
	r := rand.New(rand.NewPCG(seed, family))
	return world{r, r.IntN(2) == 0}
}

func pick[T any](w world, from ...T) T { return from[w.IntN(len(from))] }

// some picks one to most different values.
func some[T any](w world, most int, from ...T) []T {
	w.Shuffle(len(from), func(i, j int) { from[i], from[j] = from[j], from[i] })
	return from[:1+w.IntN(min(most, len(from)))]
}

var dora, erin = key("dora"), key("erin") // who approve

// checks are written by hand: some hold, some fail, some err, some ask for what only
// another block says.
var checks = func() (parsed []delegation.Caveat) {
	for _, source := range []string{
		`check if true`, `check if operation("read")`, `reject if operation("write")`, `check all resource($r), $r.starts_with("a")`,
		`check if resource("a/b") or resource("x")`, `check all arg("n", $v), $v > 3`, `check if arg("n", $v), $v.type() == "integer"`,
		`check if arg($n, $v), $v === 42`, `check if arg("/o/k", $v), $v === 7`, `check if false`, `reject if arg("n", 7)`,
		`check if depth($d), $d < 2`, `check if agent_key($k)`, `check if agent("agent:ci")`, `reject if agent("agent:next")`,
		`check if time($t), $t > 2026-11-23T12:00:00Z`, `check if resource($r), {"a", "x"}.contains($r)`,
		`check if delegator("alice@example.com")`, `check if holder("agent:next")`, `reject if holder("agent:next")`,
		`check if arg($n, $v), $v === 7`, `reject if arg("/o/k", $v), $v === 5`,
		`check all arg($n, $v), $v != 5`, `check if arg($n, $v), $n == "/o/k"`, `check if arg_ip($n, $b)`, `check all arg_host($n, $h), $h != "x.org"`,
		`check if arg("n", $v), $v / 0 > 1`, `check if arg("n", $v), $v + 1 > 5`, `check if missing($x)`, `reject if missing($x)`,
		// Almost a typed caveat, and not one.
		`check if resource($r), $r == "a/b"`, `check if operation($o), ["read"].contains($o)`, `check all operation($x), ["read"].contains($x)`,
		`check all resource($r), $r == "x" or resource($r), $r == "a/b"`, `check all resource($r), $r.starts_with("a/")`, `reject if resource($r), $r == "x"`,
		`check if arg("n", $v), $v.type() == "integer" && $v >= 5 && $v <= 7`, `check all arg("n", $v), $v.type() == "integer" && $v > 5`,
		`check all arg("n", $v), $v.type() == "integer" && $v > 7 && $v <= 8`, `check all arg("n", $v), $v != 7 && $v >= 5`,
		`check all arg("n", $v), $v.type() == "integer" && $v >= 5 && $v < 7`, `check all arg("n", $v), $v === 6 && $v >= 5 && $v <= 7`,
		`check all arg("n", $v), $v.type() == "string" && $v.ends_with("a")`, `check all time($t), $t <= 2026-11-23T12:10:00Z`,
		`check if arg("p", $v)`, `reject if arg("n", $v), $v == 5`, `check all depth($d), $d < 3`, `check all context("ticket", $v), $v != "T-2"`,
		`check if weekday(1)`, `check if minute($m), $m < 750`, `check if context("ticket", "T-1")`, `reject if context($n, "T-2")`,
		`check if channel("tls-exporter", $c)`, `check if approved($a)`, `reject if approved($a)`, `check if action($a), approved($a)`,
		`check if [1, 2].any($p -> $p == 2)`, `check all operation($o), resource($r), $o.length() <= $r.length() || $r == "x"`,
	} {
		c, err := datalog.ParseCheck(source, nil)
		if err != nil {
			panic(err)
		}
		parsed = append(parsed, delegation.Custom{Source: c}) // whatever reading makes of it
	}
	return parsed
}()

var (
	paths    = []string{"a", "a/b", "a/b/c", "a/bc", "ab", "x", "x/y", "ba/b", "y/x/y", "x/a/b"}
	trees    = []string{"a", "a/**", "a/b", "a/b/**", "a/b/c", "ab/**", "x/**", "x/y"}
	actions  = []string{"read", "write", "rotate"}
	argPaths = []string{"a", "a/b", "a/b/../x", "a//b", "a/b/c", "a%2fb", "ab", `a\b`, "a/ b", "xa/b", "ba", "x/a/b"}
	hosts    = []string{"x.org", "**.x.org", "y.x.org", "**.y.x.org", "z.net"}
	urls     = []string{
		"https://x.org/p", "https://y.x.org", "https://evil.org/x.org", "https://x.org@evil.org/", "https://xx.org", "HTTPS://X.ORG:443/",
		"https://y.x.org./", "//x.org", "x.org", "https://z.net\\.x.org/", "https://a.y.x.org/", "https://münchen.x.org/", "https://x.org%2eevil.org/",
	}
	networks = []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("10.1.2.3/32"),
		netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("::/0"),
	}
	addresses = []string{"10.1.2.3", "10.2.0.1", "11.0.0.1", "::ffff:10.1.2.3", "2001:db8::1", "010.1.2.3", "10.1.2.3/32", "10.1.2.3%eth0", "::1", "10.1.2"}
	patterns  = []string{"a.*", "[ab]+", "a(/b)?", ".*b", "(a|x)/?.*", "a{1,2}b"}
)

// usual is a request that most caveats are drawn to allow, and usually what is stated
// of it: of chains with many caveats, little else is allowed.
var (
	usual = delegation.Request{
		Operation: "read", Resources: []string{"a/b"}, Audience: "svc:certs",
		Args: map[string]any{"n": 7, "p": "a/b", "u": "https://y.x.org/p", "ip": "10.1.2.3", "o": map[string]any{"k": 7, "u": "https://x.org/", "q": 42}, "": 5},
	}
	usualState = verify.State{Context: map[string]any{"ticket": "T-1", "epoch": 7}}
	usualFacts = func() []datalog.Predicate {
		b, err := datalog.ParseBlock(`operation("read"); resource("a/b"); audience("svc:certs"); arg("n", 7); arg("p", "a/b"); arg("u", "https://y.x.org/p");
			arg("ip", "10.1.2.3"); arg("", 5); arg("/o/k", 7); arg("/o/q", 42); arg("/o/u", "https://x.org/"); arg_ip("ip", "4:00001010000000010000001000000011");
			arg_host("u", "y.x.org"); arg_host("/o/u", "x.org"); context("ticket", "T-1"); context("epoch", 7); agent("agent:ci"); depth(1);
			time(2026-11-23T12:10:00Z); weekday(1); minute(730);`, nil)
		if err != nil {
			panic(err)
		}
		return append(b.Facts, textFact("agent_key", ci.Public().String()))
	}()
)

// caveat draws one of any kind, most often one that the usual request passes.
func (w world) caveat() delegation.Caveat {
	for try := 0; ; try++ {
		c := w.draw()
		if c.Validate() != nil {
			continue
		}
		if _, custom := c.(delegation.Custom); custom && w.typed {
			continue
		}
		f := delegation.Explain(c, usualFacts)
		if f.Known && !f.Holds && try < 6 && w.IntN(8) > 0 {
			continue
		}
		return c
	}
}

func (w world) draw() delegation.Caveat {
	switch w.IntN(30) {
	case 0, 1:
		return delegation.Resource(some(w, 3, append([]string(nil), trees...)...)...)
	case 2, 3:
		return delegation.Operation(some(w, 3, append([]string(nil), actions...)...)...)
	case 4:
		return delegation.Expires(now.Add(time.Duration(w.IntN(8)) * 20 * time.Minute))
	case 5:
		return delegation.ValidFrom(now.Add(time.Duration(w.IntN(5)-3) * 20 * time.Minute))
	case 6:
		days := 0
		for days == 0 {
			days = w.IntN(1 << 7)
		}
		var list []int
		for d := range 7 {
			if days&(1<<d) != 0 {
				list = append(list, d+1)
			}
		}
		return delegation.Weekdays{Days: list}
	case 7:
		return delegation.Hours{From: pick(w, 0, 660, 720, 730, 780, 1439), To: pick(w, 1, 660, 721, 750, 780, 1440)}
	case 8:
		return delegation.Audience(some(w, 2, "svc:certs", "svc:other", "svc")...)
	case 9:
		return delegation.Agent(some(w, 2, "agent:ci", "agent:next", "agent:ci/**", "agent:nobody")...)
	case 10:
		return delegation.AgentKey(some(w, 2, ci.Public(), runner.Public(), mallory.Public())...)
	case 11:
		return delegation.Depth{Max: int64(w.IntN(4))}
	case 12:
		return delegation.Context(pick(w, "ticket", "epoch"), some(w, 3, any("T-1"), "T-2", 7, true, nil)...)
	case 13, 14:
		return delegation.ArgIs(w.argument(), some(w, 3, any(5), 7, "5", "a", "a/b", true, nil, "")...)
	case 15, 16:
		bounds := []int64{-1 << 63, -1, 0, 4, 5, 6, 7, 8, 1<<63 - 1}
		return delegation.ArgRange{Arg: w.argument(), Min: pick(w, bounds...), Max: pick(w, bounds...)}
	case 17:
		return delegation.ArgPrefix{Arg: w.argument(), Prefix: pick(w, "a", "a/", "a/b", "5", "x")}
	case 18:
		return delegation.ArgUnder(w.argument(), some(w, 2, "a", "a/b", "x", "a/b/c")...)
	case 19:
		return delegation.ArgIn(pick(w, "ip", "ip", "n", "/o/k"), some(w, 2, append([]netip.Prefix(nil), networks...)...)...)
	case 20:
		return delegation.ArgURL(pick(w, "u", "u", "p", "/o/u"), some(w, 2, append([]string(nil), hosts...)...)...)
	case 21:
		return delegation.ArgMatches{Arg: w.argument(), Pattern: pick(w, patterns...)}
	case 22:
		return delegation.ArgSet{Arg: w.argument()}
	case 23:
		return delegation.ArgUnset{Arg: w.argument()}
	case 24, 25:
		return delegation.Approval{Keys: some(w, 2, dora.Public(), erin.Public())}
	}
	if w.IntN(3) == 0 {
		return pick(w, checks[:8]...)
	}
	return pick(w, checks...)
}

func (w world) argument() string {
	return pick(w, "n", "n", "p", "p", "u", "ip", "/o/k", "/o/q", "/o/q", "/o/u", "")
}

func (w world) caveats(most int) []delegation.Caveat {
	list := make([]delegation.Caveat, w.IntN(most+1))
	for i := range list {
		list[i] = w.caveat()
	}
	return list
}

// request draws a request, the service's state and the time.
func (w world) request() (delegation.Request, verify.State, time.Time) {
	if w.IntN(2) == 0 {
		req := usual
		req.Args = maps.Clone(req.Args)
		switch w.IntN(8) { // but for one thing
		case 0:
			req.Resources = []string{pick(w, paths...)}
		case 1, 2:
			req.Args["n"] = pick(w, any(5), 6, 8, 9, "7", 7.5)
		case 3:
			req.Args[pick(w, "p", "u", "ip")] = pick(w, anys(slices.Concat(argPaths, urls, addresses))...)
		}
		return req, usualState, now.Add(time.Duration(w.IntN(20)) * time.Minute)
	}
	req := delegation.Request{Operation: pick(w, actions...), Resources: some(w, 2, append([]string(nil), paths...)...), Audience: "svc:certs"}
	args := map[string]any{}
	add := func(name string, values ...any) {
		if w.IntN(3) > 0 {
			args[name] = pick(w, values...)
		}
	}
	add("n", 1, 5, 6, 7, 8, -1, "5", 5.5, true, nil, int64(1<<63-1), []any{5}, "10.1.2.3")
	add("p", append(anys(argPaths), 5, nil)...)
	add("u", anys(urls)...)
	add("ip", anys(addresses)...)
	add("o", map[string]any{"k": 5}, map[string]any{"k": 7, "u": "https://x.org/"}, map[string]any{"k": 7.5}, map[string]any{"k": "10.1.2.3"}, 5, []any{map[string]any{"k": 7}})
	add("", "", 5)
	if len(args) > 0 {
		req.Args = args
	}
	var s verify.State
	if w.IntN(3) > 0 {
		s.Context = map[string]any{"ticket": pick(w, any("T-1"), "T-2", nil), "epoch": pick(w, any(7), 8, true)}
	}
	return req, s, now.Add(time.Duration(w.IntN(10)-1)*10*time.Minute + time.Duration(w.IntN(3)-1)*time.Second)
}

func anys(texts []string) []any {
	list := make([]any, len(texts))
	for i, s := range texts {
		list[i] = s
	}
	return list
}

// A grown chain is what a holder holds, and how it came about.
type grown struct {
	token  *token.Token
	chain  *delegation.Chain // nil where reading refuses the token
	holder token.PrivateKey
	how    string
}

// root mints a token.
func (w world) root() (grown, error) {
	content := &datalog.Block{Facts: []datalog.Predicate{textFact("delegator", "alice@example.com"), textFact("holder", "agent:ci")}}
	caveats := append([]delegation.Caveat{
		delegation.ValidFrom(now.Add(-delegation.Skew)), delegation.Expires(now.Add(time.Duration(1+w.IntN(6)) * 20 * time.Minute)),
		delegation.Resource(append(some(w, 2, "x/**", "ab", "a/b/**"), "a/**")...), delegation.Operation(append(some(w, 2, "write", "rotate"), "read")...),
	}, w.caveats(1)...)
	for _, c := range caveats {
		content.Checks = append(content.Checks, c.Check())
	}
	t, err := token.Mint(alice, content, token.HeldBy(ci.Public()), nil)
	if err != nil {
		return grown{}, err
	}
	chain, err := delegation.Read(t)
	return grown{t, chain, ci, "mint"}, err
}

func textFact(name, value string) datalog.Predicate {
	return datalog.Predicate{Name: name, Terms: []datalog.Term{datalog.String(value)}}
}

// grow appends a block of some sort, honest or hostile. Action is what approvals
// approve if they approve the right thing. door is true where the block is signed by
// a key that a check of the chain trusts: that may allow what was denied, on purpose.
func (w world) grow(g grown, action delegation.Request) (next grown, door bool, err error) {
	other := ci
	if g.holder.Public() == ci.Public() {
		other = runner
	}
	var longer token.Chain
	next = g
	sort := w.IntN(10)
	if w.IntN(3) > 0 && (trusts(g.token, dora.Public()) || trusts(g.token, erin.Public())) {
		sort = 7
	}
	switch sort {
	case 0, 1: // as honest agents do, within what is allowed
		caveats := w.caveats(3)
		if len(caveats) == 0 {
			caveats = []delegation.Caveat{w.caveat()}
		}
		if tight, err := attenuate.Clamp(g.token, caveats...); err == nil {
			caveats = tight
		} else {
			caveats = checks[:1] // which fits into any
		}
		if next.how = "narrow"; sort == 1 {
			next.how, next.holder = "handoff", other
			longer, err = attenuate.Handoff(g.token, g.holder, "agent:next", other.Public(), caveats...)
		} else {
			longer, err = attenuate.Narrow(g.token, g.holder, caveats...)
		}
	case 2, 3, 4, 5, 6: // without asking whether it narrows
		content, to := new(datalog.Block), token.SameNext(g.token)
		if next.how = "caveats"; sort > 4 {
			next.how, next.holder = "caveats for another", other
			content.Facts, to = []datalog.Predicate{textFact("holder", "agent:next")}, token.HeldBy(other.Public())
		}
		for _, c := range w.caveats(2) {
			content.Checks = append(content.Checks, c.Check())
		}
		longer, err = g.token.Append(g.holder, content, to)
	case 7: // an approval, of this action or another, by somebody trusted or not
		approver := pick(w, dora, erin, mallory, mallory)
		door = trusts(g.token, approver.Public())
		next.how = "approval"
		checked, bad := action.Check()
		if bad != nil {
			return next, door, bad
		}
		digest, bad := checked.ActionDigest()
		if bad != nil {
			return next, door, bad
		}
		a := &delegation.Approved{Action: digest, Parent: g.token.PrefixHash(len(g.token.Blocks())), Expires: uint64(now.Add(time.Hour).Unix())}
		if w.IntN(4) == 0 {
			a.Action[0]++
		}
		longer, err = w.thirdParty(g, approver, a.Content())
	case 8: // whatever a third party may say
		signer := pick(w, dora, mallory)
		door = trusts(g.token, signer.Public())
		next.how = "third-party block"
		longer, err = w.thirdParty(g, signer, w.smuggled())
	default: // whatever a holder may say
		next.how = "smuggled"
		longer, err = g.token.Append(g.holder, w.smuggled(), token.SameNext(g.token))
	}
	if err != nil {
		return next, door, fmt.Errorf("%s: %w", next.how, err)
	}
	next.token = longer.(*token.Token)
	next.chain, _ = delegation.Read(next.token)
	return next, door, nil
}

func (w world) thirdParty(g grown, signer token.PrivateKey, content *datalog.Block) (token.Chain, error) {
	contents, err := token.SignThirdParty(g.token.Request(), signer, content)
	if err != nil {
		return nil, err
	}
	return g.token.AppendThirdParty(g.holder, contents, token.SameNext(g.token))
}

// smuggled draws a block with facts and rules that stand in for what a verifier
// states.
func (w world) smuggled() *datalog.Block {
	source := ""
	for range 1 + w.IntN(4) {
		source += pick(w,
			`operation("read");`, `resource("a/b");`, `time(2026-11-23T12:00:00Z);`, `arg("n", 7);`, `arg("/o/k", 7);`, `context("ticket", "T-1");`,
			`agent("agent:ci");`, `agent("agent:ci") <- operation($o);`, `depth(0);`, `weekday(1);`, `minute(725);`, `missing(1);`, `audience("svc:certs");`,
			`approved($a) <- action($a);`, `operation("read") <- operation($o);`, `resource($r) <- arg("p", $r);`, `arg_host("u", "x.org");`,
			`arg_ip("ip", "4:00001010");`, `delegator("alice@example.com");`, `holder("agent:ci");`, `check if true;`, `check if operation("read");`)
	}
	b, err := datalog.ParseBlock(source, nil)
	if err != nil {
		panic(err)
	}
	return b
}

// trusts reports whether a check of the token trusts a key.
func trusts(t *token.Token, k token.PublicKey) bool {
	for _, b := range t.Blocks() {
		for _, c := range b.Datalog.Checks {
			for _, q := range c.Queries {
				for _, s := range q.Scopes {
					if s.Kind == datalog.ScopeKey && s.Key == k.Datalog() {
						return true
					}
				}
			}
		}
	}
	return false
}
