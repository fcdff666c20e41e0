package verify

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify/internal/engine"
	"github.com/whittle-auth/whittle/verify/replay"
	"github.com/whittle-auth/whittle/verify/revoke"
)

// Defaults for the fields of [Options].
const (
	DefaultMaxTTL    = 24 * time.Hour
	DefaultMaxWindow = delegation.MaxWindow

	DefaultMaxSession = delegation.MaxSession
)

// Options are what a service may want otherwise. The zero value is the safe
// choice.
type Options struct {
	// Policy is what the service adds: facts, rules, checks and policies of its
	// own, at least one of them a policy. It must not change afterwards. Nil means
	// that the token's caveats decide, as with `allow if true`.
	Policy *datalog.Authorizer

	// Externs are functions that the policy calls by name. Tokens call none.
	Externs map[string]Extern

	// MaxTTL bounds how long a token may be meant to live, from its not-before
	// to its expiry; zero means 24 hours.
	MaxTTL time.Duration

	// MaxWindow bounds how long an invocation may hold, from its not-before to
	// its expiry, besides 30 seconds of skew; zero means 5 minutes.
	MaxWindow time.Duration

	// MaxSession bounds how long a session may hold, as MaxWindow does for an
	// invocation that is bound to one request; zero means 10 minutes.
	MaxSession time.Duration

	// MaxDepth bounds how often a token may have changed hands after it was
	// minted; zero means 8. For none at all, use a policy with
	// `check all depth($d), $d == 0`.
	MaxDepth int

	// MaxBlocks bounds the blocks of a token, its invocation included; zero means
	// 24, and no token of more than 32 is ever read.
	MaxBlocks int

	// Directory says which name belongs to which agent's key. Without one, or
	// where it does not bind exactly one name to the key of whoever presents the
	// token, no agent fact is stated and caveats on the agent's name deny.
	Directory trust.AgentSource

	// TokenFacts are the facts that block 0 may tell besides the vocabulary, for
	// the policy to find. A token that tells any other is refused.
	TokenFacts []delegation.FactType

	// AllowBearer accepts tokens that nobody in particular holds. Whoever has
	// the bytes of one can use it for anything that it allows.
	AllowBearer bool

	// AllowApproverInChain accepts approvals by the root and by holders of the
	// token, who then approve what they asked for themselves.
	AllowApproverInChain bool

	// AllowApprovalReuse lets an approval serve any number of requests for the action
	// that was approved, until it expires. Without it each serves one.
	AllowApprovalReuse bool

	// Replay remembers which invocations and approvals were used. Nil means a
	// bounded store in this process's memory, which refuses what can have been
	// used before the verifier was made: in its first 30 seconds it denies
	// invocations made as usual, with the code replay. A store in a file, or one
	// that is asserted to be the first, does not ([replay.OpenFile],
	// [replay.Options]).
	Replay replay.Store

	// AllowReplay switches that memory off: whoever sees a presented token can
	// use it again until its window ends, and approvals serve any number of requests.
	AllowReplay bool

	// Revocations are asked about every block and key of a token, and about its
	// delegator.
	Revocations []revoke.Source

	// MaxStale bounds how old the knowledge of each of them may be; zero means 24
	// hours. Older denies.
	MaxStale time.Duration

	// Now is the clock; nil means the system's. The verifier's time never goes
	// back, whatever the clock does.
	Now func() time.Time

	// Limits bounds the work of a decision; zero fields mean the defaults.
	Limits Limits

	// Memory bounds what is remembered of chains and keys whose signatures have
	// verified, in bytes; zero means 16 MiB, a negative number nothing. It holds no
	// decisions.
	Memory int

	// Workers bounds how many goroutines check signatures of a chain that is not known,
	// besides the one that asks for the decision; see [token.Pool]. Zero means one less
	// than GOMAXPROCS, at most 3; a negative number none.
	Workers int
}

// A Verifier decides requests for one service. It is safe for concurrent use.
type Verifier struct {
	audience string
	roots    trust.Source
	options  Options
	policy   *engine.Authorizer
	mentions delegation.Mentions // what the policy says of arguments
	trusting []datalog.Key       // whose approvals the policy asks for
	memory   *memory
	clock    clock
}

// New returns a verifier for the service with the given name, which trusts the
// given root keys: [*trust.Roots], or a [*trust.File] that is read again when it
// changes. Nil options are the safe ones.
func New(audience string, roots trust.Source, o *Options) (*Verifier, error) {
	if err := delegation.ValidName(audience); err != nil {
		return nil, fmt.Errorf("audience %q: %w", audience, err)
	}
	if roots == nil || roots.Roots() == nil {
		return nil, fmt.Errorf("a verifier needs root keys to trust")
	}
	v := &Verifier{audience: audience, roots: roots}
	if o != nil {
		v.options = *o
	}
	if v.options.MaxTTL < 0 || v.options.MaxWindow < 0 || v.options.MaxSession < 0 {
		return nil, fmt.Errorf("a maximum must not be negative")
	}
	if err := v.options.bounds(); err != nil {
		return nil, err
	}
	if err := registrable(v.options.TokenFacts); err != nil {
		return nil, err
	}
	if v.options.MaxTTL == 0 {
		v.options.MaxTTL = DefaultMaxTTL
	}
	if v.options.MaxWindow == 0 {
		v.options.MaxWindow = DefaultMaxWindow
	}
	if v.options.Memory == 0 {
		v.options.Memory = DefaultMemory
	}
	v.memory = newMemory(max(v.options.Memory, 0), v.options.TokenFacts)
	v.memory.pool = newPool(v.options.Workers)
	if v.options.MaxSession == 0 {
		v.options.MaxSession = DefaultMaxSession
	}
	if v.options.Now == nil {
		v.options.Now = time.Now
	}
	const most = 100 * 365 * 24 * time.Hour // far from an overflow
	if v.options.MaxTTL > most || v.options.MaxWindow > most || v.options.MaxSession > most {
		return nil, fmt.Errorf("a maximum must be less than %s", most)
	}
	if err := v.options.revocations(); err != nil {
		return nil, err
	}
	if err := v.remember(); err != nil {
		return nil, err
	}
	if l := v.options.Limits; l.Facts < 0 || l.Iterations < 0 || l.Steps < 0 {
		return nil, fmt.Errorf("a limit must not be negative")
	}
	policy := v.options.Policy
	if policy == nil {
		policy = &datalog.Authorizer{Policies: []datalog.Policy{allowAll}}
	}
	v.options.Policy = policy
	if len(policy.Policies) == 0 {
		return nil, fmt.Errorf("the policy allows nothing: write allow if true to let the token's caveats decide")
	}
	for _, s := range scopes(policy) {
		switch s.Kind {
		case datalog.ScopePrevious:
			// An authorizer ignores it (Biscuit specification, "Scope annotations"), so
			// that what it should forbid would be allowed in silence.
			return nil, fmt.Errorf("policy: trusting previous has no meaning here: a policy comes before no block")
		case datalog.ScopeKey:
			v.trusting = append(v.trusting, s.Key)
		}
	}
	v.mentions = delegation.MentionsOf(policy)
	var err error
	if v.policy, err = engine.Compile(policy); err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return v, nil
}

// allowAll is `allow if true`: the token's caveats decide.
var allowAll = datalog.Policy{
	Kind:    datalog.Allow,
	Queries: []datalog.Query{{Exprs: []datalog.Expr{datalog.Value{Term: datalog.Bool(true)}}}},
}

// scopes returns whatever a policy trusts, anywhere in it.
func scopes(a *datalog.Authorizer) []datalog.Scope {
	found := slices.Clone(a.Scopes)
	inQueries := func(queries []datalog.Query) {
		for _, q := range queries {
			found = append(found, q.Scopes...)
		}
	}
	for _, r := range a.Rules {
		found = append(found, r.Scopes...)
	}
	for _, c := range a.Checks {
		inQueries(c.Queries)
	}
	for _, p := range a.Policies {
		inQueries(p.Queries)
	}
	return found
}

// Policy returns what the service adds, as the verifier was told; without anything it
// is the one policy that allows all. It must not be changed.
func (v *Verifier) Policy() *datalog.Authorizer { return v.options.Policy }

// Verify decides one request by the text of the token that came with it. It
// allows if and only if the error is nil. The decision is never nil: it says
// what was found out about the token and why the request was denied.
//
// The error is a [*token.Error] when the token itself is unusable (codes
// malformed, unsupported and signature), and a [*Denied] otherwise; [CodeOf]
// gives the code of either. A service that has more to say than the request calls
// [Verifier.VerifyWith].
func (v *Verifier) Verify(ctx context.Context, raw string, req delegation.Request) (*Decision, error) {
	return v.VerifyWith(ctx, raw, req, State{})
}

// decide follows the order of spec/delegation.md. The first error denies. What the
// request uses up is recorded when nothing else denies it.
func (v *Verifier) decide(ctx context.Context, d *Decision, raw string, req delegation.Request, state *State) error {
	a, err := v.open(ctx, d, raw, req, state, v.now())
	if err != nil {
		return err
	}
	defer a.release()
	if err := a.bind(); err != nil {
		return err
	}
	for _, step := range steps {
		if err := step(a); err != nil {
			return err
		}
	}
	return a.record()
}

// presented refuses every form but the one that only the holder can make.
func (a *attempt) presented() error {
	switch {
	case a.token.Form() == token.Held:
		return token.Errorf(token.CodeNotPresented, -1, "the token is held by %q, who must invoke it for this request", a.chain.Holder().Holder)
	case a.chain.Bearer && !a.v.options.AllowBearer:
		return token.Errorf(token.CodeNotPresented, -1, "the token is bearer: nothing shows who presents it")
	}
	return nil
}

// lifetime holds the token's own bounds in time against the clock.
func (a *attempt) lifetime() error {
	from, until, ok := lifespan(&a.chain.Links[0])
	if !ok {
		return token.Errorf(token.CodeWindow, 0, "without a not-before caveat, nothing says how long the token was meant to live")
	}
	if until <= from {
		return token.Errorf(token.CodeWindow, 0, "the token expires before it begins to hold")
	}
	if most := uint64((a.v.options.MaxTTL + delegation.Skew) / time.Second); until-from > most {
		return token.Errorf(token.CodeWindow, 0, "the token is meant to live %s, at most %s is accepted", span(from, until), plainDuration(a.v.options.MaxTTL))
	}
	at := uint64(a.now.Unix())
	for _, b := range a.chain.Scope.Bounds {
		switch c := b.Caveat.(type) {
		case delegation.NotBefore:
			if at < c.At {
				err := token.Errorf(token.CodeWindow, b.Block, "the token holds from %s on, it is %s", rfc3339(c.Time()), rfc3339(a.now))
				return refuse(err, "not before", "time "+rfc3339(a.now), "from "+rfc3339(c.Time())+" on")
			}
		case delegation.Expiry:
			if at >= c.At {
				err := token.Errorf(token.CodeExpired, b.Block, "the token expired at %s, it is %s", rfc3339(c.Time()), rfc3339(a.now))
				return refuse(err, "expires", "time "+rfc3339(a.now), "before "+rfc3339(c.Time()))
			}
		}
	}
	return nil
}

// lifespan returns from when and until when a link says that the token holds, in
// seconds since 1970. ok is false where it does not say from when.
func lifespan(l *delegation.Link) (from, until uint64, ok bool) {
	until = math.MaxUint64
	for _, c := range l.Caveats {
		switch c := c.(type) {
		case delegation.NotBefore:
			from, ok = max(from, c.At), true
		case delegation.Expiry:
			until = min(until, c.At)
		}
	}
	return from, until, ok
}

// What the holder signed is compared with the real values outside the engine
// too: audience, span, window, and request or channel.

func (a *attempt) invokedHere() error {
	inv := a.chain.Invocation
	if inv != nil && inv.Audience != a.v.audience {
		err := token.Errorf(token.CodeAudience, inv.Block, "the invocation is for %q, this is %q", inv.Audience, a.v.audience)
		return refuse(err, "audience", fmt.Sprintf("audience %q", a.v.audience), strconv.Quote(inv.Audience))
	}
	return nil
}

func (a *attempt) invokedBriefly() error {
	inv := a.chain.Invocation
	if inv == nil {
		return nil
	}
	longest := a.v.options.MaxWindow
	if inv.IsSession() {
		longest = a.v.options.MaxSession
	}
	if inv.Expires <= inv.NotBefore || inv.Expires-inv.NotBefore > uint64((longest+delegation.Skew)/time.Second) {
		return token.Errorf(token.CodeWindow, inv.Block, "the invocation is to hold for %s, at most %s is accepted", span(inv.NotBefore, inv.Expires), plainDuration(longest))
	}
	return nil
}

func (a *attempt) invokedNow() error {
	inv := a.chain.Invocation
	if inv == nil {
		return nil
	}
	if at := uint64(a.now.Unix()); at < inv.NotBefore || at >= inv.Expires {
		err := token.Errorf(token.CodeWindow, inv.Block, "the invocation holds from %s to %s, it is %s", unix(inv.NotBefore), unix(inv.Expires), rfc3339(a.now))
		return refuse(err, "time", "time "+rfc3339(a.now), fmt.Sprintf("from %s, before %s", unix(inv.NotBefore), unix(inv.Expires)))
	}
	return nil
}

func (a *attempt) invokedForThis() error {
	inv := a.chain.Invocation
	if inv == nil {
		return nil
	}
	if inv.IsSession() {
		if err := sameChannel(inv, a.state.Channel); err != nil {
			return refuse(err, "request", "", "")
		}
		return nil
	}
	if inv.Request != a.request {
		err := token.Errorf(token.CodeCheckFailed, inv.Block, "the invocation is for another request: operation, resource, arguments or body differ from what the holder signed")
		return refuse(err, "request", "", "")
	}
	return nil
}

func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func unix(seconds uint64) string {
	return datalog.Date(seconds).String()
}

func span(from, until uint64) string {
	if until <= from {
		return "no time at all"
	}
	const most = 1 << 33 // more seconds than a time.Duration holds
	return plainDuration(time.Duration(min(until-from, most)) * time.Second)
}

// plainDuration leaves out the zeros at the end of Go's spelling, as in 24h0m0s.
func plainDuration(d time.Duration) string {
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-2]
		}
	}
	return s
}
