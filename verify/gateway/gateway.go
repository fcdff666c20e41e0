package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/replay"
)

// reloadInterval bounds how often the configuration is read again, however many ask.
const reloadInterval = time.Second

// Options are what may be wanted otherwise of a gateway. The zero value is the safe
// choice.
type Options struct {
	// Logger is told why requests are denied (Warn), and what is wrong with the
	// configuration (Error). It never sees a token. Nil means [slog.Default].
	Logger *slog.Logger

	// TracerProvider gets a span for each decision, with its code, operation and
	// audience. Nil means [otel.GetTracerProvider].
	TracerProvider trace.TracerProvider

	// Observe is told of each decision: its code, empty for one that allows, and the
	// time it took. It runs while the decision waits. Nil observes nothing.
	Observe func(code token.Code, took time.Duration)

	// FirstStart asserts that nothing was ever accepted under the audience's name
	// before: see [replay.Options].
	FirstStart bool

	// Now is the clock; nil means the system's.
	Now func() time.Time
}

func (o *Options) logger() *slog.Logger {
	if o.Logger == nil {
		return slog.Default()
	}
	return o.Logger
}

// A Gateway decides requests for a proxy. It is safe for concurrent use.
//
// Its configuration is read again when the file, or the policy's, has changed: at most a
// second later, when there is something to decide. One that is bad changes nothing: the
// last good one stays in force, the logger is told at the level Error, and [Gateway.Stats]
// says so. Trust, directory and revocation files are followed likewise, each by itself.
// What was used is remembered across all that.
type Gateway struct {
	path    string
	options Options
	tracer  trace.Tracer
	now     func() time.Time // never goes back

	addresses  Addresses
	complaints atomic.Uint64 // about files that could not be read again
	latest     atomic.Int64  // the latest time seen, in nanoseconds since 1970
	store      replay.Store
	close      func() error
	current    atomic.Pointer[rules]

	mu       sync.Mutex // of all that follows
	checked  time.Time
	problem  string
	reloads  uint64
	failures uint64
}

// Open reads a configuration, which must be good, and all files that it names. Errors
// about what stands there are of type [*ConfigError].
func Open(path string, o *Options) (*Gateway, error) {
	g := newGateway(path, o)
	r, err := g.first()
	if err != nil {
		return nil, err
	}
	s := r.source
	if s.ReplayFile != "" {
		file, err := replay.OpenFile(s.file(s.ReplayFile), g.now(), g.replayOptions(s))
		if err != nil {
			return nil, s.wrongf("replay_file", "%s: %w", s.ReplayFile, err)
		}
		g.store, g.close = file, file.Close
		if r, err = g.build(s, file); err != nil {
			file.Close()
			return nil, err
		}
	} else if !g.options.FirstStart {
		g.options.logger().Warn("there is no replay_file: after each start, invocations made before it are denied with the code replay, for half a minute")
	}
	g.checked, g.addresses = g.options.Now(), r.addresses
	g.current.Store(r)
	return g, nil
}

// Check reads a configuration and all files that it names, as [Open] does, and says what
// is wrong. It opens no memory of what was used.
func Check(path string) error {
	_, err := newGateway(path, nil).first()
	return err
}

// first reads the configuration for the first time. What was used is remembered in the
// process for now, so that a bad configuration makes no file.
func (g *Gateway) first() (*rules, error) {
	s, err := readSource(g.path)
	if err != nil {
		return nil, err
	}
	memory, err := replay.NewMemory(g.now(), g.replayOptions(s))
	if err != nil {
		return nil, s.wrong(err, "limits", "replays")
	}
	g.store, g.close = memory, func() error { return nil }
	return g.build(s, memory)
}

func newGateway(path string, o *Options) *Gateway {
	g := &Gateway{path: path}
	if o != nil {
		g.options = *o
	}
	if g.options.Now == nil {
		g.options.Now = time.Now
	}
	// Verifiers come and go, and each would begin anew with a clock that was set back.
	g.now = func() time.Time {
		now := g.options.Now().UnixNano()
		for {
			latest := g.latest.Load()
			if now <= latest {
				return time.Unix(0, latest)
			}
			if g.latest.CompareAndSwap(latest, now) {
				return time.Unix(0, now)
			}
		}
	}
	provider := g.options.TracerProvider
	if provider == nil {
		provider = otel.GetTracerProvider()
	}
	g.tracer = provider.Tracer("github.com/whittle-auth/whittle/verify/gateway")
	return g
}

func (g *Gateway) replayOptions(s *source) *replay.Options {
	return &replay.Options{FirstStart: g.options.FirstStart, Capacity: s.Limits.Replays}
}

// Close ends the use of the file that remembers what was used. Afterwards every request
// is denied.
func (g *Gateway) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.current.Store(nil)
	return g.close()
}

// rules returns what is in force, nil after Close. One caller a second reads the
// configuration; those who come while it does go on with what is in force.
func (g *Gateway) rules() *rules {
	if g.mu.TryLock() {
		defer g.mu.Unlock()
		// A clock that was set back is no reason to wait.
		if now := g.options.Now(); (now.Sub(g.checked) >= reloadInterval || now.Before(g.checked)) && g.current.Load() != nil {
			g.checked = now
			g.reload()
		}
	}
	return g.current.Load()
}

// reload takes a configuration over that has changed and is good.
func (g *Gateway) reload() {
	changed, err := g.read()
	switch {
	case err == nil && changed:
		g.reloads++
		g.problem = ""
		g.options.logger().Info("the configuration was read again", slog.String("file", g.path))
	case err == nil:
		g.problem = ""
	case err.Error() != g.problem:
		g.failures++
		g.problem = err.Error()
		g.options.logger().Error("the configuration is bad; the last good one stays in force", slog.String("file", g.path), slog.String("error", g.problem))
	}
}

func (g *Gateway) read() (changed bool, err error) {
	old := g.current.Load()
	s, err := readSource(g.path)
	if err != nil {
		return false, err
	}
	if bytes.Equal(s.data, old.source.data) {
		if s.PolicyFile == "" {
			return false, nil
		}
		if policy, err := readSmall(s.file(s.PolicyFile), maxPolicy); err == nil && bytes.Equal(policy, old.policy) {
			return false, nil
		}
	}
	if key := fixed(s, old.source); key != "" {
		return false, s.wrong(fmt.Errorf("%s cannot change while the gateway runs", key), key)
	}
	r, err := g.build(s, g.store)
	if err != nil {
		return false, err
	}
	g.current.Store(r)
	return true, nil
}

// fixed returns a key whose change needs a new start, of those that changed: what was
// used must stay used, and the listeners are there.
func fixed(s, old *source) string {
	switch {
	case s.ReplayFile != old.ReplayFile:
		return "replay_file"
	case s.Limits.Replays != old.Limits.Replays:
		return "limits"
	case s.Server != old.Server:
		return "server"
	}
	return ""
}

// Stats are the numbers of a gateway up to now.
type Stats struct {
	Reloads  uint64 // configurations taken over since the start
	Failures uint64 // those that were refused
	// Problem is what is wrong with the configuration now, although an earlier one is in
	// force; empty if nothing is.
	Problem string
	Closed  bool
	// FileFailures counts how often a trust file or a directory could not be read again.
	// What it said before stays in force.
	FileFailures uint64
	// Revocations is what is wrong with a list of revocations now; nil if nothing is.
	// What it said before stays in force until it is too old, which denies.
	Revocations error
	// Memory is that of the verifier, which begins anew with each configuration.
	Memory verify.MemoryStats
}

// Stats returns the numbers up to now, after a look at the configuration.
func (g *Gateway) Stats() Stats {
	r := g.rules()
	g.mu.Lock()
	defer g.mu.Unlock()
	s := Stats{Reloads: g.reloads, Failures: g.failures, Problem: g.problem, Closed: r == nil, FileFailures: g.complaints.Load()}
	if r != nil {
		for _, list := range r.revocations {
			s.Revocations = errors.Join(s.Revocations, list.Problem())
		}
		s.Memory = r.verifier.MemoryStats()
	}
	return s
}
