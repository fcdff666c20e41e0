package verify_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
)

// signatures returns how many signatures a verifier looked at in f.
func signatures(v *verify.Verifier, f func()) uint64 {
	before := v.MemoryStats().Signatures
	f()
	return v.MemoryStats().Signatures - before
}

// TestKnownChainCostsOneSignature: a new invocation of a known chain costs one
// signature, a new agent below a known one two, whoever else the parent has handed
// the token to.
func TestKnownChainCostsOneSignature(t *testing.T) {
	v := verifier(t, forgetful)
	parent := mint(t, good)
	child := func(name string) token.Chain {
		return add(t, parent, ci, `holder("agent:`+name+`");`, token.HeldBy(key(name).Public()))
	}
	ask := func(c token.Chain, holder token.Signer) func() {
		return func() {
			t.Helper()
			if code := decideWith(t, v, present(t, c, holder, rotate, nil).Text(), rotate); code != "" {
				t.Fatalf("denied: %s", code)
			}
		}
	}
	left, right := child("left"), child("right")
	for _, c := range []struct {
		name string
		do   func()
		want uint64
	}{
		{"nothing is known", ask(left, key("left")), 3},
		{"the same chain", ask(left, key("left")), 1},
		{"a sibling", ask(right, key("right")), 2},
		{"the parent itself", ask(parent, ci), 1},
		{"a child of the sibling", ask(add(t, right, key("right"), `holder("agent:last");`, token.HeldBy(key("last").Public())), key("last")), 2},
	} {
		if got := signatures(v, c.do); got != c.want {
			t.Errorf("%s: %d signatures, want %d", c.name, got, c.want)
		}
	}
	if s := v.MemoryStats(); s.Hits != 4 || s.Misses != 1 || s.Chains != 4 || s.Bytes == 0 {
		t.Errorf("%+v", s)
	}
}

// TestBadProofCostsOneSignature: who has seen a token go by and tries without the key
// costs a service no more than one signature each time.
func TestBadProofCostsOneSignature(t *testing.T) {
	v := verifier(t, forgetful)
	c := mint(t, good)
	if code := decideWith(t, v, present(t, c, ci, rotate, nil).Text(), rotate); code != "" {
		t.Fatal(code)
	}
	blocks, proof := wireBlocks(t, withoutHint(t, present(t, c, ci, rotate, nil)))
	last := blocks[len(blocks)-1]
	last[len(last)-8] ^= 1 // within the signature, which stands before its version
	forged := wireToken(blocks, proof)
	got := signatures(v, func() {
		if code := decideWith(t, v, forged, rotate); code != token.CodeSignature {
			t.Errorf("code %q", code)
		}
	})
	if got > 1 {
		t.Errorf("%d signatures for a bad proof", got)
	}
}

func withoutHint(t tester, c token.Chain) []byte {
	t.Helper()
	if _, hinted := c.RootKeyID(); hinted {
		t.Fatal("the fixtures have no root key id")
	}
	return c.Bytes()
}

// TestMemoryHoldsNoDecision: what was allowed a moment ago is denied as soon as
// anything else but the signatures says so.
func TestMemoryHoldsNoDecision(t *testing.T) {
	at := now
	line := `alice@example.com namespaces="whittle",valid-before="20261123125900Z" ` + alice.Public().AuthorizedKey("")
	v, err := verify.New("svc:certs", roots(t, line), &verify.Options{Now: func() time.Time { return at }, AllowReplay: true})
	if err != nil {
		t.Fatal(err)
	}
	c := mint(t, good)
	ask := func(req delegation.Request) token.Code {
		inv := invocation(t, c, req)
		inv.NotBefore, inv.Expires = uint64(at.Unix())-30, uint64(at.Unix())+60
		presented, err := c.Append(ci, inv.Content(), token.WithSecret(token.InvocationKey()))
		if err != nil {
			t.Fatal(err)
		}
		return decideWith(t, v, presented.Text(), req)
	}
	if code := ask(rotate); code != "" {
		t.Fatal(code)
	}
	for _, s := range []struct {
		name string
		at   time.Time
		req  delegation.Request
		want token.Code
	}{
		{"still good", now.Add(time.Minute), rotate, ""},
		{"another operation", now.Add(time.Minute), request(func(r *delegation.Request) { r.Operation = "delete" }), token.CodeCheckFailed},
		{"the root is trusted no longer", now.Add(59*time.Minute + time.Second), rotate, token.CodeUntrustedRoot},
		{"the token has expired too", now.Add(time.Hour), rotate, token.CodeUntrustedRoot},
	} {
		at = s.at
		got := signatures(v, func() {
			if code := ask(s.req); code != s.want {
				t.Errorf("%s: code %q, want %q", s.name, code, s.want)
			}
		})
		if s.want != token.CodeUntrustedRoot && got != 1 {
			t.Errorf("%s: %d signatures: the chain was not remembered", s.name, got)
		}
	}

	at = now
	v, err = verify.New("svc:certs", roots(t), &verify.Options{Now: func() time.Time { return at }, AllowReplay: true})
	if err != nil {
		t.Fatal(err)
	}
	if code := ask(rotate); code != "" {
		t.Fatal(code)
	}
	at = now.Add(time.Hour)
	if code := ask(rotate); code != token.CodeExpired {
		t.Errorf("after the expiry: %q", code)
	}
}

// TestMemoryIsBounded: however many chains come, a verifier keeps to its bytes, and
// one without memory keeps nothing.
func TestMemoryIsBounded(t *testing.T) {
	const most = 256 << 10
	for _, memory := range []int{most, -1} {
		v := verifier(t, func(o *verify.Options) { o.Memory = memory })
		parent := mint(t, good)
		for i := range 100 {
			holder := key(fmt.Sprint("agent ", i))
			c := add(t, parent, ci, fmt.Sprintf(`holder("agent:%d");`, i), token.HeldBy(holder.Public()))
			if code := decideWith(t, v, present(t, c, holder, rotate, nil).Text(), rotate); code != "" {
				t.Fatal(code)
			}
			if s := v.MemoryStats(); s.Bytes > max(memory, 0) {
				t.Fatalf("%d bytes of %d after %d chains", s.Bytes, memory, i)
			}
		}
		s := v.MemoryStats()
		if memory < 0 && (s.Chains != 0 || s.Hits != 0) {
			t.Errorf("without memory: %+v", s)
		}
		if memory > 0 && (s.Chains < 10 || s.Hits < 90) {
			t.Errorf("with memory: %+v", s)
		}
	}
}

// TestMemoryConcurrently runs under the race detector: many goroutines present
// tokens of a few chains to one verifier that has room for some of them.
func TestMemoryConcurrently(t *testing.T) {
	v := verifier(t, func(o *verify.Options) { o.Memory, o.AllowReplay = 64<<10, true })
	parent := mint(t, good)
	texts := make([]string, 8)
	for i := range texts {
		holder := key(fmt.Sprint("agent ", i))
		texts[i] = present(t, add(t, parent, ci, fmt.Sprintf(`holder("agent:%d");`, i), token.HeldBy(holder.Public())), holder, rotate, nil).Text()
	}
	var wait sync.WaitGroup
	for g := range 4 {
		wait.Go(func() {
			for i := range 40 {
				if _, err := v.Verify(context.Background(), texts[(g+i)%len(texts)], rotate); err != nil {
					t.Errorf("denied: %v", err)
				}
			}
		})
	}
	wait.Wait()
}

// TestToldBeyondTheKnownBlocks: a block that is new is told what it asks for, and so is
// one that is known.
func TestToldBeyondTheKnownBlocks(t *testing.T) {
	v := verifier(t, forgetful)
	req := request(func(r *delegation.Request) { r.Args = map[string]any{"to": map[string]any{"id": 7}} })
	parent := add(t, mint(t, good), ci, `check all arg("/to/id", $v), $v == 7;`, token.HeldBy(ci.Public()))
	child := add(t, parent, ci, `holder("agent:runner"); check all arg("/to/id", $v), $v < 8;`, token.HeldBy(runner.Public()))
	for range 3 {
		for _, text := range []string{present(t, parent, ci, req, nil).Text(), present(t, child, runner, req, nil).Text()} {
			if code := decideWith(t, v, text, req); code != "" {
				t.Errorf("denied: %s", code)
			}
		}
	}
}

// TestKnownSessionCostsNoSignature: a session token travels with each request and is
// verified once; its window, its connection and its form are looked at each time.
func TestKnownSessionCostsNoSignature(t *testing.T) {
	at := now
	v := verifier(t, func(o *verify.Options) { o.Now = func() time.Time { return at } })
	text := session(t, mint(t, good), exporter(1))
	ask := func(text string, c delegation.Channel) token.Code { return decideGiven(t, v, text, rotate, on(c)) }
	for i, want := range []uint64{2, 0, 0} {
		if got := signatures(v, func() {
			if code := ask(text, exporter(1)); code != "" {
				t.Errorf("denied: %s", code)
			}
		}); got != want {
			t.Errorf("request %d: %d signatures, want %d", i, got, want)
		}
	}
	if code := ask(text, exporter(2)); code != token.CodeCheckFailed {
		t.Errorf("on another connection: %q", code)
	}
	u, err := token.ParseText(text, nil)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := u.Verify(alice.Public())
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := whole.Seal(nil)
	if err != nil {
		t.Fatal(err)
	}
	for form, c := range map[string]token.Chain{"held": whole.First(2), "sealed": sealed} {
		want := decideGiven(t, verifier(t, nil), c.Text(), rotate, on(exporter(1)))
		if code := ask(c.Text(), exporter(1)); code != want || code == "" {
			t.Errorf("%s: %q, a verifier without memory says %q", form, code, want)
		}
	}
	at = now.Add(11 * time.Minute)
	if code := ask(text, exporter(1)); code != token.CodeWindow {
		t.Errorf("after its window: %q", code)
	}
}

// TestMemoryCountsRegularExpressions: a token whose checks unfold into far more than its
// bytes is not kept in that form.
func TestMemoryCountsRegularExpressions(t *testing.T) {
	v := verifier(t, forgetful)
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for i := range 12 {
		var source strings.Builder
		source.WriteString(`holder("agent:runner");`)
		for j := range 200 {
			fmt.Fprintf(&source, `reject if arg("none", $v), $v.type() == "string" && $v.matches("^(?:%d|[a-z]{%d})$");`, i, 800+j)
		}
		c := add(t, mint(t, good), ci, source.String(), token.HeldBy(runner.Public()))
		text := present(t, c, runner, rotate, nil).Text()
		for range 2 {
			if code := decideWith(t, v, text, rotate); code != "" {
				t.Fatalf("denied: %s", code)
			}
		}
	}
	grown := int64(heap()) - int64(before)
	if most := int64(2 * verify.DefaultMemory); grown > most {
		t.Errorf("%d MB of heap for a memory of %d MB that says %d MB", grown>>20, verify.DefaultMemory>>20, v.MemoryStats().Bytes>>20)
	}
	runtime.KeepAlive(v)
}

// TestColdChainIsReadOnce: a long chain takes work in proportion to its length, also
// where all that leads to it is remembered.
func TestColdChainIsReadOnce(t *testing.T) {
	cost := func(hops int) float64 {
		c, holder := mint(t, good), token.Signer(ci)
		for i := range hops {
			next := key(fmt.Sprint("hop ", i))
			c = add(t, c, holder, `holder("agent"); check all operation($o), ["rotate", "read"].contains($o);`, token.HeldBy(next.Public()))
			holder = next
		}
		text := present(t, c, holder, rotate, nil).Text()
		return testing.AllocsPerRun(3, func() {
			v := verifier(t, func(o *verify.Options) { o.AllowReplay, o.MaxDepth = true, 30 })
			if code := decideWith(t, v, text, rotate); code != "" {
				t.Fatalf("denied: %s", code)
			}
		})
	}
	if five, twenty := cost(5), cost(20); twenty > 5*five {
		t.Errorf("%v allocations for 20 hops, %v for 5", twenty, five)
	}
}

// TestExplainMovesNoClock: an explanation of what would be later leaves the verifier in
// its own time.
func TestExplainMovesNoClock(t *testing.T) {
	at := now.Add(2 * time.Hour)
	v := verifier(t, func(o *verify.Options) { o.Now = func() time.Time { return at } })
	text := present(t, mint(t, good), ci, rotate, nil).Text()
	v.Explain(context.Background(), text, rotate, verify.Supposition{})
	at = now
	if code := decideWith(t, v, text, rotate); code != "" {
		t.Errorf("denied: %s", code)
	}
}
