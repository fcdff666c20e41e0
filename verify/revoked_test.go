package verify_test

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/revoke"
)

// revoking is a list as of now.
func revoking(t tester, entries ...string) revoke.Source {
	t.Helper()
	return revokingAsOf(t, now, entries...)
}

func revokingAsOf(t tester, asOf time.Time, entries ...string) revoke.Source {
	t.Helper()
	source := "as-of " + asOf.Format(time.RFC3339) + "\n"
	for _, e := range entries {
		source += e + "\n"
	}
	l, err := revoke.Parse([]byte(source + "end\n"))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func blockEntry(signature []byte) string { return "block " + hex.EncodeToString(signature) }
func keyEntry(k token.PrivateKey) string { return "key " + k.Public().String() }

// TestRevoked: every block, every key and the delegator, and the reason says which.
func TestRevoked(t *testing.T) {
	c := mint(t, good)
	c = add(t, c, ci, `check all operation($o), ["rotate"].contains($o);`, token.HeldBy(ci.Public()))
	c = add(t, c, ci, `holder("agent:runner");`, token.HeldBy(runner.Public()))
	presented := present(t, c, runner, rotate, nil)
	for _, x := range []struct {
		entry string
		want  token.Code
		block int
		hop   string
		says  string
	}{
		{blockEntry(presented.Blocks()[0].Signature), token.CodeRevoked, 0, "alice@example.com", "the block"},
		{blockEntry(presented.Blocks()[1].Signature), token.CodeRevoked, 1, "agent:ci", "the block"},
		{blockEntry(presented.Blocks()[2].Signature), token.CodeRevoked, 2, "agent:ci", "the block"},
		{blockEntry(presented.Blocks()[3].Signature), token.CodeRevoked, 3, "agent:runner", "the block"},
		{keyEntry(alice), token.CodeRevoked, 0, "alice@example.com", "of the root"},
		{keyEntry(ci), token.CodeRevoked, 0, "alice@example.com", `of "agent:ci"`},
		{keyEntry(runner), token.CodeRevoked, 2, "agent:ci", `of "agent:runner"`},
		{"delegator alice@example.com", token.CodeRevoked, 0, "alice@example.com", "the delegator"},

		{keyEntry(mallory), "", 0, "", ""},
		{"delegator bob@example.com", "", 0, "", ""},
		{"delegator Alice@example.com", "", 0, "", ""}, // another person
		{blockEntry(mint(t, good+"check if true;").Blocks()[0].Signature), "", 0, "", ""},
		{keyEntry(ci) + " until=2026-11-23T12:00:01Z", token.CodeRevoked, 0, "alice@example.com", `of "agent:ci"`},
		{keyEntry(ci) + " until=2026-11-23T12:00:00Z", "", 0, "", ""},
	} {
		v := verifier(t, func(o *verify.Options) { o.Revocations = []revoke.Source{revoking(t), revoking(t, x.entry)} })
		if code := decideWith(t, v, presented.Text(), rotate); code != x.want {
			t.Errorf("%.40s: %q, want %q", x.entry, code, x.want)
			continue
		}
		if x.want == "" {
			continue
		}
		d, _ := v.Verify(t.Context(), presented.Text(), rotate)
		if r := d.Reasons[0]; r.Block != x.block || r.Hop != x.hop || !strings.Contains(r.Message, x.says) {
			t.Errorf("%.40s: %+v", x.entry, r)
		}
	}
}

// TestRevokedWhileRemembered: a token that was verified before, so that its
// signatures need no second look, is looked up all the same.
func TestRevokedWhileRemembered(t *testing.T) {
	c := mint(t, good)
	source := &changing{list: revoking(t)}
	v := verifier(t, func(o *verify.Options) { o.Revocations = []revoke.Source{source} })
	first := request(func(r *delegation.Request) { r.Args = map[string]any{"n": 1} })
	if code := decideWith(t, v, present(t, c, ci, first, nil).Text(), first); code != "" {
		t.Fatal(code)
	}
	source.list = revoking(t, blockEntry(c.Blocks()[0].Signature))
	if code := decideWith(t, v, present(t, c, ci, rotate, nil).Text(), rotate); code != token.CodeRevoked {
		t.Errorf("%q", code)
	}
}

type changing struct{ list revoke.Source }

func (c *changing) Lookup(ctx context.Context, s *revoke.Subject) (revoke.Answer, error) {
	return c.list.Lookup(ctx, s)
}

// TestRevokedSignsAgain: after its block is revoked the one who signed it signs
// again, for the same agent or for a new key. A leaf's id cannot stop that: the
// parent's block or key does.
func TestRevokedSignsAgain(t *testing.T) {
	root := mint(t, good)
	hop := func(name string, to token.PrivateKey) token.Chain {
		return add(t, root, ci, `holder("`+name+`");`, token.HeldBy(to.Public()))
	}
	revoked := hop("agent:runner", runner)
	same := add(t, root, ci, `holder("agent:runner"); check if true;`, token.HeldBy(runner.Public()))
	fresh := hop("agent:fresh", mallory)
	leaf, parent := blockEntry(revoked.Blocks()[1].Signature), blockEntry(root.Blocks()[0].Signature)
	for _, x := range []struct {
		entry                      string
		revoked, same, fresh, self token.Code
	}{
		{leaf, token.CodeRevoked, "", "", ""},
		{keyEntry(runner), token.CodeRevoked, token.CodeRevoked, "", ""},
		{parent, token.CodeRevoked, token.CodeRevoked, token.CodeRevoked, token.CodeRevoked},
		{keyEntry(ci), token.CodeRevoked, token.CodeRevoked, token.CodeRevoked, token.CodeRevoked},
	} {
		for _, y := range []struct {
			name   string
			c      token.Chain
			holder token.PrivateKey
			want   token.Code
		}{
			{"the token itself", revoked, runner, x.revoked},
			{"signed again for the same key", same, runner, x.same},
			{"signed again for a new key", fresh, mallory, x.fresh},
			{"used by the parent", root, ci, x.self},
		} {
			v := verifier(t, func(o *verify.Options) { o.Revocations = []revoke.Source{revoking(t, x.entry)} })
			if code := decideWith(t, v, present(t, y.c, y.holder, rotate, nil).Text(), rotate); code != y.want {
				t.Errorf("%.24s, %s: %q, want %q", x.entry, y.name, code, y.want)
			}
		}
	}
}

// TestRevokedApprover: an approver's key that is revoked denies, although the
// approval itself is good.
func TestRevokedApprover(t *testing.T) {
	held := approvedBy(t, needing(t, 1, bob), bob)
	text := present(t, held, ci, rotate, nil).Text()
	approval := held.Blocks()[1]
	for entry, want := range map[string]token.Code{
		keyEntry(carol): "", keyEntry(bob): token.CodeRevoked,
		blockEntry(approval.Signature): token.CodeRevoked, blockEntry(approval.ExternalSignature): token.CodeRevoked,
	} {
		v := verifier(t, func(o *verify.Options) { o.Revocations = []revoke.Source{revoking(t, entry)} })
		if code := decideWith(t, v, text, rotate); code != want {
			t.Errorf("%s: %q, want %q", entry, code, want)
		}
		if want == "" {
			continue
		}
		d, _ := v.Verify(t.Context(), text, rotate)
		if r := d.Reasons[0]; r.Block != 1 || !strings.Contains(r.Message, "of an approver") && strings.HasPrefix(entry, "key") {
			t.Errorf("%+v", r)
		}
	}
}

// TestRevokedBearer: a bearer token's blocks and keys count too.
func TestRevokedBearer(t *testing.T) {
	withoutHolder := strings.Replace(good, `holder("agent:ci");`, ``, 1)
	bearer := mintFor(t, alice, withoutHolder, token.WithSecret(mallory))
	for _, entry := range []string{blockEntry(bearer.Blocks()[0].Signature), keyEntry(mallory), keyEntry(alice)} {
		v := verifier(t, func(o *verify.Options) {
			o.AllowBearer = true
			o.Revocations = []revoke.Source{revoking(t, entry)}
		})
		if code := decideWith(t, v, bearer.Text(), rotate); code != token.CodeRevoked {
			t.Errorf("%.24s: %q", entry, code)
		}
	}
}

// TestRevokedP256: the id in a list may be of either form of the signature.
func TestRevokedP256(t *testing.T) {
	p256 := keyOf(datalog.Secp256r1, "alice")
	c := mintFor(t, p256, good, token.HeldBy(ci.Public()))
	signature := c.Blocks()[0].Signature
	high, err := highS{p256}.Sign(message(t, good))
	if err != nil {
		t.Fatal(err)
	}
	if hex.EncodeToString(high) == hex.EncodeToString(signature) {
		t.Fatal("not flipped")
	}
	text := present(t, c, ci, rotate, nil).Text()
	for name, id := range map[string][]byte{"low": signature, "high": high} {
		v, err := verify.New("svc:certs", roots(t, trustLine("alice@example.com", p256)), &verify.Options{
			Now: func() time.Time { return now }, Replay: firstStart(t), Revocations: []revoke.Source{revoking(t, blockEntry(id))},
		})
		if err != nil {
			t.Fatal(err)
		}
		if code := decideWith(t, v, text, rotate); code != token.CodeRevoked {
			t.Errorf("the %s form: %q", name, code)
		}
	}
}

// TestStale: knowledge that is older than allowed denies, also if nothing in it
// concerns the token; so does knowledge from the future, which would not age.
func TestStale(t *testing.T) {
	text := present(t, mint(t, good), ci, rotate, nil).Text()
	for _, x := range []struct {
		asOf time.Time
		max  time.Duration
		want token.Code
	}{
		{now, 0, ""},
		{now.Add(-24 * time.Hour), 0, ""},
		{now.Add(-24*time.Hour - time.Second), 0, token.CodeStale},
		{now.Add(-time.Minute), time.Minute, ""},
		{now.Add(-time.Minute - time.Second), time.Minute, token.CodeStale},
		{now.Add(-240 * time.Hour), 1000 * time.Hour, ""},
		{now.Add(30 * time.Second), 0, ""},
		{now.Add(31 * time.Second), 0, token.CodeStale},
	} {
		v := verifier(t, func(o *verify.Options) {
			o.MaxStale = x.max
			o.Revocations = []revoke.Source{revoking(t), revokingAsOf(t, x.asOf)}
		})
		if code := decideWith(t, v, text, rotate); code != x.want {
			t.Errorf("as of %s: %q, want %q", x.asOf.Sub(now), code, x.want)
		}
	}
	// What an old list revokes stays revoked.
	v := verifier(t, func(o *verify.Options) {
		o.Revocations = []revoke.Source{revokingAsOf(t, now.Add(-1000*time.Hour), keyEntry(ci))}
	})
	if code := decideWith(t, v, text, rotate); code != token.CodeRevoked {
		t.Errorf("revoked by a stale list: %q", code)
	}
	// Nor does an old list, or one that cannot answer, hide what another revokes; and
	// a fresh one does not make up for it.
	fresh, old, revokes := revoking(t), revokingAsOf(t, now.Add(-48*time.Hour)), revoking(t, keyEntry(ci))
	down := oracle{err: errors.New("connection refused")}
	for i, x := range []struct {
		sources []revoke.Source
		want    token.Code
	}{
		{[]revoke.Source{old, revokes}, token.CodeRevoked},
		{[]revoke.Source{revokes, old}, token.CodeRevoked},
		{[]revoke.Source{down, revokes}, token.CodeRevoked},
		{[]revoke.Source{revokes, down}, token.CodeRevoked},
		{[]revoke.Source{old, down, revokes}, token.CodeRevoked},
		{[]revoke.Source{old, fresh}, token.CodeStale},
		{[]revoke.Source{down, fresh}, token.CodeUnavailable},
		{[]revoke.Source{old, down}, token.CodeStale},
		{[]revoke.Source{down, old}, token.CodeUnavailable},
	} {
		v := verifier(t, func(o *verify.Options) { o.Revocations = x.sources })
		if code := decideWith(t, v, text, rotate); code != x.want {
			t.Errorf("sources %d: %q, want %q", i, code, x.want)
		}
	}
	if _, err := verify.New("svc", roots(t), &verify.Options{MaxStale: -1}); err == nil {
		t.Error("a negative maximum is taken")
	}
	if _, err := verify.New("svc", roots(t), &verify.Options{Revocations: []revoke.Source{nil}}); err == nil {
		t.Error("a nil source is taken")
	}
}

// oracle is a source that says anything.
type oracle struct {
	answer revoke.Answer
	err    error
}

func (o oracle) Lookup(context.Context, *revoke.Subject) (revoke.Answer, error) {
	return o.answer, o.err
}

// TestBrokenSource: whatever a source says but that nothing is revoked denies.
func TestBrokenSource(t *testing.T) {
	down := errors.New("connection refused")
	text := present(t, mint(t, good), ci, rotate, nil).Text()
	for name, x := range map[string]struct {
		source oracle
		want   token.Code
	}{
		"nothing":                {oracle{revoke.Answer{AsOf: now}, nil}, ""},
		"an error":               {oracle{revoke.Answer{AsOf: now}, down}, token.CodeUnavailable},
		"no time":                {oracle{}, token.CodeStale},
		"a block out of range":   {oracle{revoke.Answer{AsOf: now, Found: &revoke.Found{Kind: revoke.Block, Index: 99}}, nil}, token.CodeRevoked},
		"a key out of range":     {oracle{revoke.Answer{AsOf: now, Found: &revoke.Found{Kind: revoke.Key, Index: -1}}, nil}, token.CodeRevoked},
		"a kind that is unknown": {oracle{revoke.Answer{AsOf: now, Found: &revoke.Found{Kind: 9}}, nil}, token.CodeRevoked},
	} {
		v := verifier(t, func(o *verify.Options) { o.Revocations = []revoke.Source{x.source} })
		if code := decideWith(t, v, text, rotate); code != x.want {
			t.Errorf("%s: %q, want %q", name, code, x.want)
		}
	}
}
