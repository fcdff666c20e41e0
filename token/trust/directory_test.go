package trust

import (
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token/datalog"
)

func TestCanonicalAgent(t *testing.T) {
	for _, name := range []string{
		"agent:ci", "agent:ci/7", "ci", "runner@example.org", "spiffe://example.org/ns/x", "spiffe://example.org/A/b-c_d.e/1",
		"spiffe:/example.org", "spiffex://a", "zo\u00eb",
	} {
		if err := CanonicalAgent(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{
		"", "*", "agent:*", "agent:ci/", "agent:?", "*@example.org", "a,b", "a b", "runner@Example.org", "e\u0301", strings.Repeat("a", 257),
		"spiffe://", "spiffe:///x", "spiffe://example.org", "spiffe://example.org/", "spiffe://example.org/a/", "spiffe://example.org//a",
		"spiffe://example.org/.", "spiffe://example.org/../a", "spiffe://Example.org/a", "SPIFFE://example.org/a", "Spiffe://example.org/a",
		"spiffe://example.org/a%2fb", "spiffe://example.org/a b", "spiffe://example.org:8443/a", "spiffe://u@example.org/a",
		"spiffe://example.org/a?b", "spiffe://example.org/a#b", "spiffe://example.org/\u00eb",
	} {
		if CanonicalAgent(name) == nil {
			t.Errorf("%q is taken", name)
		}
	}
}

// TestDirectoryIsNoTrustFile: a file given in the other's place has no effect, and
// one file can serve as both.
func TestDirectoryIsNoTrustFile(t *testing.T) {
	key := newKey(t, datalog.Ed25519, 1).Public()
	now := utc(t, "2026-11-23T12:00:00Z")
	as := func(namespaces string) string {
		return "agent:ci namespaces=\"" + namespaces + "\" " + key.AuthorizedKey("") + "\n"
	}
	for _, c := range []struct {
		namespaces  string
		root, agent bool
	}{
		{"whittle", true, false},
		{"whittle-agent", false, true},
		{"whittle,whittle-agent", true, true},
		{"git", false, false},
		{"whittle*", false, false},
		{"*", false, false},
		{"whittle-agents", false, false},
	} {
		roots := parse(t, as(c.namespaces))
		directory, err := ParseDirectory([]byte(as(c.namespaces)))
		if err != nil {
			t.Errorf("%s: %v", c.namespaces, err)
			continue
		}
		name, ok := directory.Agent(key, now)
		if root := roots.MaySpeak(key, "agent:ci", now) == nil; root != c.root || ok != c.agent || ok && name != "agent:ci" {
			t.Errorf("%s: a root: %v, an agent: %v", c.namespaces, root, ok)
		}
	}
	for _, namespaces := range []string{"Whittle-Agent", "whittle-agent ", "git, whittle-agent"} {
		if _, err := ParseDirectory([]byte(as(namespaces))); err == nil {
			t.Errorf("%q is passed over", namespaces)
		}
	}
}

func TestParseDirectoryRefuses(t *testing.T) {
	key := newKey(t, datalog.Ed25519, 1).Public().AuthorizedKey("")
	for _, line := range []string{
		`agent:* namespaces="whittle-agent" ` + key,
		`*@example.org namespaces="whittle-agent" ` + key,
		`!agent:ci namespaces="whittle-agent" ` + key,
		`agent:"ci namespaces="whittle-agent" ` + key,
		`agent:ci,, namespaces="whittle-agent" ` + key,
		`spiffe://example.org/a,spiffe://Example.org/a namespaces="whittle-agent" ` + key,
		`agent:ci namespaces="whittle-agent,x*" ` + key,
		`agent:ci namespaces="whittle-agent",valid-before="20270101" ` + key,
		`agent:ci cert-authority,namespaces="whittle-agent" ` + key,
		`agent:ci namespaces="whittle-agent" ssh-ed25519 AAAA`,
	} {
		if _, err := ParseDirectory([]byte("# agents\n" + line + "\n")); err == nil || !strings.HasPrefix(err.Error(), "line 2: ") {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func TestNilDirectory(t *testing.T) {
	var d *Directory
	key := newKey(t, datalog.Ed25519, 1).Public()
	if _, ok := d.Agent(key, utc(t, "2026-11-23T12:00:00Z")); ok || d.Entries() != nil || d.Directory() != nil {
		t.Error("nil knows somebody")
	}
}

// FuzzParseDirectory: each name that is taken is canonical and binds literally.
func FuzzParseDirectory(f *testing.F) {
	key := newKey(f, datalog.Ed25519, 1).Public()
	for _, name := range []string{"agent:ci", "spiffe://example.org/ns/x", "*@example.org", "a,b", "SPIFFE://x/y"} {
		f.Add(name + ` namespaces="whittle-agent" ` + key.AuthorizedKey("") + "\n")
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDirectory([]byte(text))
		if err != nil {
			return
		}
		now := utc(t, "2026-11-23T12:00:00Z")
		for _, e := range d.Entries() {
			for _, p := range e.Principals {
				if err := CanonicalAgent(p); err != nil || strings.ContainsAny(p, "*?") {
					t.Errorf("%q is a name: %v", p, err)
				}
			}
			if name, ok := d.Agent(e.Key, now); ok && len(d.Names(e.Key, now)) != 1 || !ok && name != "" {
				t.Errorf("%q is bound beside others", name)
			}
		}
	})
}
