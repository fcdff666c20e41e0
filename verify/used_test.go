package verify_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/replay"
)

// TestReplayIsDenied: an invocation serves once within its window (Tenuo: replay
// admitted inside the window), unless that was switched off by name.
func TestReplayIsDenied(t *testing.T) {
	text := present(t, mint(t, good), ci, rotate, nil).Text()
	v := verifier(t, nil)
	for i, want := range []token.Code{"", token.CodeReplay, token.CodeReplay} {
		if code := decideWith(t, v, text, rotate); code != want {
			t.Errorf("use %d: %q, want %q", i, code, want)
		}
	}
	d, err := v.Verify(t.Context(), text, rotate)
	if err == nil || d.Reasons[0].Block != 1 || d.Reasons[0].Hop != "agent:ci" {
		t.Errorf("%+v", d.Reasons)
	}
	v = verifier(t, forgetful)
	for range 3 {
		if code := decideWith(t, v, text, rotate); code != "" {
			t.Errorf("with replay allowed: %q", code)
		}
	}
	_, err = verify.New("svc:certs", roots(t), &verify.Options{AllowReplay: true, Replay: firstStart(t)})
	if err == nil {
		t.Error("a memory, and replay allowed: one of the two would be dropped")
	}
}

// TestReplayInAnotherSpelling: the text of a token has several spellings, its
// invocation one signature.
func TestReplayInAnotherSpelling(t *testing.T) {
	text := present(t, mint(t, good), ci, rotate, nil).Text()
	v := verifier(t, nil)
	if code := decideWith(t, v, text, rotate); code != "" {
		t.Fatal(code)
	}
	padded := text + strings.Repeat("=", (4-len(text)%4)%4)
	for _, spelling := range []string{"biscuit:" + text, padded} {
		if code := decideWith(t, v, spelling, rotate); code != token.CodeReplay {
			t.Errorf("%.20s..: %q", spelling, code)
		}
	}
	keyID := uint32(7) // nobody signed it
	hinted := append([]byte{0x08, byte(keyID)}, present(t, mint(t, good), ci, rotate, nil).Bytes()...)
	if code := decideWith(t, v, token.EncodeText(hinted), rotate); code != token.CodeReplay {
		t.Errorf("with a root key id: %q", code)
	}
}

// TestBystanderBurnsNothing: a token that is presented with another request, or to
// a service that refuses it, is still good for its own.
func TestBystanderBurnsNothing(t *testing.T) {
	text := present(t, mint(t, good), ci, rotate, nil).Text()
	open := false
	v := verifier(t, func(o *verify.Options) {
		o.Policy = authorizer(t, `allow if true.extern::open();`)
		o.Externs = map[string]verify.Extern{"open": func(datalog.Term, datalog.Term) (datalog.Term, error) { return datalog.Bool(open), nil }}
	})
	other := request(func(r *delegation.Request) { r.Args = nil })
	if code := decideWith(t, v, text, other); code != token.CodeCheckFailed {
		t.Fatalf("another request: %q", code)
	}
	if code := decideWith(t, v, text, rotate); code != token.CodePolicy {
		t.Fatalf("while the service denies: %q", code)
	}
	open = true
	for i, want := range []token.Code{"", token.CodeReplay} {
		if code := decideWith(t, v, text, rotate); code != want {
			t.Errorf("use %d: %q, want %q", i, code, want)
		}
	}
}

// counted is a store that counts what it is asked.
type counted struct {
	replay.Store
	checks, records atomic.Int32
}

func (c *counted) Check(ctx context.Context, u replay.Use) error {
	c.checks.Add(1)
	return c.Store.Check(ctx, u)
}

func (c *counted) Record(ctx context.Context, u replay.Use) error {
	c.records.Add(1)
	return c.Store.Record(ctx, u)
}

// TestRecordedAfterDatalog: looked up before Datalog, which is spared where the
// answer is known, and recorded after it.
func TestRecordedAfterDatalog(t *testing.T) {
	store := &counted{Store: firstStart(t)}
	evaluated := 0
	v := verifier(t, func(o *verify.Options) {
		o.Replay = store
		o.Policy = authorizer(t, `allow if true.extern::counted();`)
		o.Externs = map[string]verify.Extern{"counted": func(datalog.Term, datalog.Term) (datalog.Term, error) {
			evaluated++
			if store.records.Load() != 0 {
				t.Error("recorded before Datalog")
			}
			return datalog.Bool(true), nil
		}}
	})
	text := present(t, mint(t, good), ci, rotate, nil).Text()
	if code := decideWith(t, v, text, rotate); code != "" {
		t.Fatal(code)
	}
	if store.checks.Load() != 1 || store.records.Load() != 1 || evaluated != 1 {
		t.Fatalf("%d checks, %d records, %d evaluations", store.checks.Load(), store.records.Load(), evaluated)
	}
	if code := decideWith(t, v, text, rotate); code != token.CodeReplay {
		t.Fatal(code)
	}
	if store.checks.Load() != 2 || store.records.Load() != 1 || evaluated != 1 {
		t.Errorf("of a replay: %d checks, %d records, %d evaluations", store.checks.Load(), store.records.Load(), evaluated)
	}
	// What is refused before costs the store nothing.
	for _, refused := range []string{"", text[:len(text)-8], mint(t, good).Text()} {
		if _, err := v.Verify(t.Context(), refused, rotate); err == nil {
			t.Error("allowed")
		}
	}
	if _, err := v.Verify(t.Context(), text, request(func(r *delegation.Request) { r.Operation = "read" })); err == nil {
		t.Error("allowed")
	}
	if store.checks.Load() != 2 {
		t.Errorf("%d checks", store.checks.Load())
	}
}

// TestRestart: a verifier just made does not know what was used before, and
// refuses what can have been; the message says since when it knows.
func TestRestart(t *testing.T) {
	text := present(t, mint(t, good), ci, rotate, nil).Text()
	clock := now
	restarted := func() *verify.Verifier {
		v, err := verify.New("svc:certs", roots(t), &verify.Options{Now: func() time.Time { return clock }})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if code := decideWith(t, verifier(t, nil), text, rotate); code != "" {
		t.Fatal(code)
	}
	d, err := restarted().Verify(t.Context(), text, rotate)
	if verify.CodeOf(err) != token.CodeReplay || !strings.Contains(d.Reasons[0].Message, "began at 2026-11-23T12:00:00Z") {
		t.Fatalf("after the restart: %v", err)
	}

	// Begun 29 seconds before, on the second, and a part of a second before.
	for _, c := range []struct {
		start time.Time
		want  token.Code
	}{
		{now.Add(-time.Hour), ""},
		{now.Add(-delegation.Skew - time.Second), ""},
		{now.Add(-delegation.Skew), ""},
		{now.Add(-delegation.Skew + time.Nanosecond), token.CodeReplay},
		{now.Add(-delegation.Skew + time.Second), token.CodeReplay},
		{now, token.CodeReplay},
	} {
		clock = c.start
		v := restarted()
		clock = now
		if code := decideWith(t, v, text, rotate); code != c.want {
			t.Errorf("started %s before: %q, want %q", now.Sub(c.start), code, c.want)
		}
	}
}

// TestReplicas: two verifiers with one store allow an invocation once; with a store
// each they would both, which nothing here can see.
func TestReplicas(t *testing.T) {
	store := firstStart(t)
	shared := func(o *verify.Options) { o.Replay = store }
	a, b := verifier(t, shared), verifier(t, shared)
	text := present(t, mint(t, good), ci, rotate, nil).Text()
	var allowed atomic.Int32
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			v := a
			if i%2 == 1 {
				v = b
			}
			_, err := v.Verify(t.Context(), text, rotate)
			switch {
			case err == nil:
				allowed.Add(1)
			case verify.CodeOf(err) != token.CodeReplay:
				t.Errorf("%v", err)
			}
		})
	}
	group.Wait()
	if allowed.Load() != 1 {
		t.Errorf("allowed %d times", allowed.Load())
	}
}

// TestClockSetBack: a clock that is set back revives nothing: not in one verifier,
// whose time does not go back, and not in another that shares the store.
func TestClockSetBack(t *testing.T) {
	clock := now
	store := firstStart(t)
	sharing := func(o *verify.Options) {
		o.Replay = store
		o.Now = func() time.Time { return clock }
	}
	v := verifier(t, sharing)
	text := present(t, mint(t, good), ci, rotate, nil).Text()
	if code := decideWith(t, v, text, rotate); code != "" {
		t.Fatal(code)
	}
	// A later request has the store drop the first.
	clock = now.Add(10 * time.Minute)
	later := present(t, mint(t, good), ci, rotate, at(clock)).Text()
	if code := decideWith(t, v, later, rotate); code != "" {
		t.Fatal(code)
	}
	clock = now
	if code := decideWith(t, v, text, rotate); code != token.CodeWindow {
		t.Errorf("the same verifier: %q", code)
	}
	if code := decideWith(t, verifier(t, sharing), text, rotate); code != token.CodeReplay {
		t.Errorf("another verifier: %q", code)
	}
}

// at moves an invocation's window.
func at(when time.Time) func(*datalog.Block) {
	return func(b *datalog.Block) {
		window := &delegation.Invocation{
			NotBefore: uint64(when.Add(-delegation.Skew).Unix()), Expires: uint64(when.Add(time.Minute).Unix()),
		}
		b.Checks[2] = window.Content().Checks[2]
	}
}

// TestFlooding: one delegation fills its own share and no more; the others go on.
// What is full denies: nothing is dropped to make room.
func TestFlooding(t *testing.T) {
	memory, err := replay.NewMemory(now, &replay.Options{Capacity: 6, Quota: 4, FirstStart: true})
	if err != nil {
		t.Fatal(err)
	}
	v := verifier(t, func(o *verify.Options) { o.Replay = memory })
	nth := func(source string, i int) string {
		req := request(func(r *delegation.Request) { r.Args = map[string]any{"n": i} })
		return present(t, mint(t, source), ci, req, nil).Text()
	}
	ask := func(source string, i int) token.Code {
		return decideWith(t, v, nth(source, i), request(func(r *delegation.Request) { r.Args = map[string]any{"n": i} }))
	}
	another := good + ` check all depth($d), $d <= 3;`
	third := good + ` check all depth($d), $d <= 4;`
	for _, step := range []struct {
		source string
		n      int
		want   token.Code
	}{
		{good, 0, ""}, {good, 1, ""}, {good, 2, ""}, {good, 3, ""}, {good, 4, token.CodeLimit},
		{another, 0, ""}, {another, 1, ""}, {third, 0, token.CodeUnavailable},
		{good, 0, token.CodeReplay}, {another, 1, token.CodeReplay}, {good, 5, token.CodeLimit},
	} {
		if code := ask(step.source, step.n); code != step.want {
			t.Errorf("%d of %.80s: %q, want %q", step.n, step.source[len(good)-1:], code, step.want)
		}
	}
	if memory.Len() != 6 {
		t.Errorf("%d entries", memory.Len())
	}
}

// broken is a store that fails.
type broken struct{ check, record error }

func (b broken) Check(context.Context, replay.Use) error  { return b.check }
func (b broken) Record(context.Context, replay.Use) error { return b.record }

// TestBrokenStore: whatever a store says but nil denies.
func TestBrokenStore(t *testing.T) {
	down := errors.New("connection refused")
	text := present(t, mint(t, good), ci, rotate, nil).Text()
	for _, c := range []struct {
		store broken
		want  token.Code
	}{
		{broken{}, ""},
		{broken{check: down}, token.CodeUnavailable},
		{broken{record: down}, token.CodeUnavailable},
		{broken{record: &replay.Error{Kind: replay.Used}}, token.CodeReplay},
		{broken{record: &replay.Error{Kind: replay.Used, Entry: 17}}, token.CodeReplay},
		{broken{record: &replay.Error{Kind: replay.BeforeStart}}, token.CodeReplay},
		{broken{record: &replay.Error{Kind: replay.Forgotten}}, token.CodeReplay},
		{broken{record: &replay.Error{Kind: replay.Quota, Entry: -1}}, token.CodeLimit},
		{broken{record: &replay.Error{Kind: replay.Full, Entry: -1}}, token.CodeUnavailable},
		{broken{record: &replay.Error{Kind: 99}}, token.CodeUnavailable},
	} {
		v := verifier(t, func(o *verify.Options) { o.Replay = c.store })
		if code := decideWith(t, v, text, rotate); code != c.want {
			t.Errorf("%+v: %q, want %q", c.store, code, c.want)
		}
		_, err := v.Verify(t.Context(), text, rotate)
		if cause := errors.Join(c.store.check, c.store.record); errors.Is(cause, down) && !errors.Is(err, down) {
			t.Errorf("%v does not say why", err)
		}
	}
}

// TestReplayCostsOneSignature: a proof of possession that is no good costs the check
// of one signature, that of the proof, once its chain is known, and all signatures of
// the chain once when it is not (Tenuo: five for each bad proof). A replay costs no
// more, and neither reaches Datalog.
func TestReplayCostsOneSignature(t *testing.T) {
	evaluated := 0
	store := &counted{Store: firstStart(t)}
	v := verifier(t, func(o *verify.Options) {
		o.Replay = store
		o.Policy = authorizer(t, `allow if true.extern::counted();`)
		o.Externs = map[string]verify.Extern{"counted": func(datalog.Term, datalog.Term) (datalog.Term, error) {
			evaluated++
			return datalog.Bool(true), nil
		}}
	})
	held := add(t, mint(t, good), ci, `holder("agent:runner");`, token.HeldBy(runner.Public()))
	cost := func(text string, want token.Code) uint64 {
		t.Helper()
		before := v.MemoryStats().Signatures
		if code := decideWith(t, v, text, rotate); code != want {
			t.Fatalf("%q, want %q", code, want)
		}
		return v.MemoryStats().Signatures - before
	}
	nth := func(i int) string {
		return present(t, held, runner, rotate, func(b *datalog.Block) { b.Facts[0].Terms[0] = datalog.Bytes(strings.Repeat(string(rune('a'+i)), 16)) }).Text()
	}
	bad := func(text string) string {
		data, err := token.DecodeText(text, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		blocks, proof := wireBlocks(t, data)
		last := blocks[len(blocks)-1]
		last[len(last)-10] ^= 1 // in the signature, which the version follows
		return wireToken(blocks, proof)
	}
	text := present(t, held, runner, rotate, nil).Text()
	if n := cost(bad(text), token.CodeSignature); n > 3 {
		t.Errorf("a bad proof of a chain of two blocks that is not known: %d signatures", n)
	}
	if n := cost(text, ""); n > 3 {
		t.Errorf("a good one: %d signatures", n)
	}
	for i := range 3 {
		if n := cost(bad(nth(i)), token.CodeSignature); n > 1 {
			t.Errorf("a bad proof of a known chain: %d signatures", n)
		}
		if n := cost(text, token.CodeReplay); n > 1 {
			t.Errorf("a replay: %d signatures", n)
		}
	}
	if evaluated != 1 || store.records.Load() != 1 {
		t.Errorf("%d evaluations, %d records", evaluated, store.records.Load())
	}
}
