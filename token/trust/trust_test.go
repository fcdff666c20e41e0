package trust

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
)

// newKey returns a key that is the same each time. Its secret is the number in
// every byte: OpenSSH refuses small scalars.
func newKey(t testing.TB, alg datalog.Algorithm, number byte) token.PrivateKey {
	t.Helper()
	k, err := token.NewPrivateKey(alg, bytes.Repeat([]byte{number}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func parse(t testing.TB, text string) *Roots {
	t.Helper()
	r, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v in\n%.500s", err, text)
	}
	return r
}

func utc(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		principals, delegator string
		want                  bool
	}{
		{"alice@example.com", "alice@example.com", true},
		{"alice@example.com", "Alice@example.com", false},
		{"Alice@example.com", "Alice@example.com", true},
		{"alice@example.com", "alice@example.com.", false},
		{"alice@example.com", "alice@EXAMPLE.com", false},
		{"alice@example.com", "alice", false},
		{"alice@example.com", "malice@example.com", false},
		{"alice@example.com", "alice@example.comm", false},
		{"alice@example.com", "", false},
		{"bob@x.org,alice@example.com", "alice@example.com", true},
		{"bob@x.org,alice@example.com", "bob@x.org", true},
		{"bob@x.org,alice@example.com", "bob@x.org,alice@example.com", false},
		{"*@example.com", "alice@example.com", true},
		{"*@example.com", "a@example.com", true},
		{"*@example.com", "@example.com", false},
		{"*@example.com", "*@example.com", false},
		{"*@example.com", "alice@sub.example.com", false},
		{"*@example.com", "alice@badexample.com", false},
		{"*@example.com", "alice@other@example.com", false},
		{"*@example.com", "alice@example.com@other", false},
		{"*@example.com", "alice@Example.com", false},
		{"*@example.com", "alice", false},
		{"*@example.com", "example.com", false},
		{"*@example.com", "al ice@example.com", false},
		{"agent:ci", "agent:ci", true},
		{"agent:ci", "agent:ci/x", false},
		{"zo\u00eb@example.com", "zo\u00eb@example.com", true},
		{"zo\u00eb@example.com", "zoe\u0308@example.com", false},
		{"*@example.com", "zoe\u0308@example.com", false},
	} {
		key := newKey(t, datalog.Ed25519, 1).Public()
		r := parse(t, c.principals+` namespaces="whittle" `+key.AuthorizedKey(""))
		if got := r.Entries()[0].Covers(c.delegator); got != c.want {
			t.Errorf("%s covers %q: %v", c.principals, c.delegator, got)
		}
	}
}

// An entry covers exactly its literals and the names under its domains.
func TestCoversNothingElse(t *testing.T) {
	name := rapid.StringMatching(`[abA.@:*?,]{0,6}`)
	rapid.Check(t, func(t *rapid.T) {
		e := Entry{Principals: rapid.SliceOfN(rapid.SampledFrom([]string{"a@b", "a", "*@b", "*@a.b", "b@a.b", "a:b"}), 1, 3).Draw(t, "principals")}
		delegator := name.Draw(t, "delegator")
		want := slices.Contains(e.Principals, delegator) && !strings.Contains(delegator, "*")
		if local, domain, ok := strings.Cut(delegator, "@"); ok && local != "" && !strings.ContainsAny(delegator, "*?,") {
			want = want || slices.Contains(e.Principals, "*@"+domain)
		}
		if got := e.Covers(delegator); got != want {
			t.Fatalf("%v covers %q: %v", e.Principals, delegator, got)
		}
	})
}

func TestValidAt(t *testing.T) {
	key := newKey(t, datalog.Ed25519, 1).Public().AuthorizedKey("")
	after, before := "2026-03-01T12:30:15Z", "2026-04-01T00:00:00Z"
	for _, c := range []struct {
		options, at string
		want        bool
	}{
		{"", "1970-01-01T00:00:00Z", true},
		{"", "9999-12-31T23:59:59Z", true},
		{`,valid-after="20260301123015Z"`, after, true},
		{`,valid-after="20260301123015Z"`, "2026-03-01T12:30:14.999999999Z", false},
		{`,valid-after="20260301123015Z"`, "9999-12-31T23:59:59Z", true},
		{`,valid-after="202603011230Z"`, "2026-03-01T12:30:00Z", true},
		{`,valid-after="202603011230Z"`, "2026-03-01T12:29:59Z", false},
		{`,valid-before="20260401Z"`, before, true},
		{`,valid-before="20260401Z"`, "2026-04-01T00:00:00.000000001Z", false},
		{`,valid-before="20260401Z"`, "0001-01-01T00:00:00Z", true},
		{`,valid-after="20260301123015Z",valid-before="20260401Z"`, "2026-03-15T00:00:00Z", true},
		{`,valid-before="20260401Z",valid-after="20260301123015Z"`, "2026-02-15T00:00:00Z", false},
		{`,VALID-BEFORE="20260401Z"`, "2026-05-15T00:00:00Z", false},
		// The same instants, written in another zone.
		{`,valid-before="20260401Z"`, "2026-04-01T02:00:00+02:00", true},
		{`,valid-before="20260401Z"`, "2026-04-01T02:00:01+02:00", false},
	} {
		r := parse(t, `alice namespaces="whittle"`+c.options+" "+key)
		if got := r.Entries()[0].ValidAt(utc(t, c.at)); got != c.want {
			t.Errorf("%s at %s: %v", c.options, c.at, got)
		}
	}
}

func TestEntriesAreCopies(t *testing.T) {
	r := parse(t, `alice,bob namespaces="whittle" `+newKey(t, datalog.Ed25519, 1).Public().AuthorizedKey("laptop"))
	r.Entries()[0].Principals[0] = "eve"
	r.Entries()[0].Line = 7
	if e := r.Entries()[0]; e.Principals[0] != "alice" || e.Line != 1 || e.Comment != "laptop" {
		t.Errorf("a caller changed the entry: %+v", e)
	}
	var none *Roots
	if none.Entries() != nil || len(new(Roots).Entries()) != 0 {
		t.Error("no roots have entries")
	}
}

func TestRootKeyID(t *testing.T) {
	// The key of RFC 8032, test 1. SHA-256 of its text form begins 3710e268.
	k, err := token.ParsePublicKey("ed25519/d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
	if err != nil {
		t.Fatal(err)
	}
	if got := RootKeyID(k); got != 0x3710e268 {
		t.Errorf("root key id %#08x", got)
	}
	if RootKeyID(token.PublicKey{}) != 0 {
		t.Error("no key has an id")
	}
	seen := map[uint32]bool{}
	for i := range byte(100) {
		for _, alg := range []datalog.Algorithm{datalog.Ed25519, datalog.Secp256r1} {
			seen[RootKeyID(newKey(t, alg, i+1).Public())] = true
		}
	}
	if len(seen) != 200 {
		t.Errorf("%d ids for 200 keys", len(seen))
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "trust")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	line := `alice namespaces="whittle" ` + newKey(t, datalog.Ed25519, 1).Public().AuthorizedKey("") + "\n"
	write(line)
	if r, err := Load(path); err != nil || len(r.Entries()) != 1 {
		t.Errorf("%v, %v", r, err)
	}
	write(line + "nonsense\n")
	_, err := Load(path)
	le, ok := errors.AsType[*LineError](err)
	if !ok || le.Line != 2 || !strings.HasPrefix(err.Error(), path+": line 2: ") {
		t.Errorf("a bad line: %v", err)
	}
	write(line + strings.Repeat("#", MaxBytes))
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), fmt.Sprint(MaxBytes)) {
		t.Errorf("a long file: %v", err)
	}
	if _, err := Load(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if r, err := Load(dir); err == nil {
		t.Errorf("a directory: %v", r)
	}
}
