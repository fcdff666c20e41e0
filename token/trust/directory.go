package trust

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/whittle-auth/whittle/token"
)

// AgentNamespace is what the namespaces option of an entry in a directory must
// name. It is another one than [Namespace], so that a file that is given in the
// other's place trusts nobody and names nobody.
const AgentNamespace = "whittle-agent"

// An AgentSource is where a verifier finds the directory: a [*Directory], which
// never changes, or a [*DirectoryFile]. Directory is called once for each
// decision.
type AgentSource interface{ Directory() *Directory }

// A Directory says which agent a key belongs to. It never changes, and is safe for
// concurrent use. The zero value, and nil, know nobody.
type Directory struct {
	entries []Entry
	byKey   map[token.PublicKey][]int // into entries
}

// ParseDirectory reads a directory, which is a file as [Parse] reads it, with two
// differences: lines count whose namespaces name "whittle-agent", and the
// principals are names as [CanonicalAgent] wants them, without patterns.
func ParseDirectory(data []byte) (*Directory, error) {
	entries, err := parseEntries(data, AgentNamespace, checkAgent)
	if err != nil {
		return nil, err
	}
	d := &Directory{entries: entries, byKey: make(map[token.PublicKey][]int)}
	for i, e := range entries {
		d.byKey[e.Key] = append(d.byKey[e.Key], i)
	}
	return d, nil
}

// LoadDirectory reads a file and parses it. A service that runs for long uses
// [OpenDirectory], which notices when the file changes.
func LoadDirectory(path string) (*Directory, error) { return load(path, ParseDirectory) }

// Directory returns d: a directory that never changes is an [AgentSource] too.
func (d *Directory) Directory() *Directory { return d }

// Entries returns the entries in the order of the file. The result is the
// caller's own.
func (d *Directory) Entries() []Entry {
	if d == nil {
		return nil
	}
	return cloned(d.entries)
}

// Agent returns the name that is bound to a key now. There is none when no valid
// entry has the key, and none when such entries give it several names: then
// nothing says which of them it is that acts.
func (d *Directory) Agent(key token.PublicKey, now time.Time) (name string, ok bool) {
	if names := d.Names(key, now); len(names) == 1 {
		return names[0], true
	}
	return "", false
}

// Names returns each name that a valid entry gives to a key, in the order of the
// file. Only where there is exactly one is it bound.
func (d *Directory) Names(key token.PublicKey, now time.Time) []string {
	if d == nil {
		return nil
	}
	var names []string
	for _, i := range d.byKey[key] {
		if !d.entries[i].ValidAt(now) {
			continue
		}
		for _, p := range d.entries[i].Principals {
			if !slices.Contains(names, p) {
				names = append(names, p)
			}
		}
	}
	return names
}

// CanonicalAgent returns nil when a name can stand in a directory. It is a name
// as [CanonicalDelegator] wants it, such as agent:ci, and where it begins as a
// SPIFFE id it is one that names a workload: spiffe://example.org/ns/x, without
// empty, . and .. segments, without percent-encoding and with a trust domain in
// lower case (SPIFFE-ID, section 2). Longer ones than 256 bytes are refused.
func CanonicalAgent(name string) error {
	if err := CanonicalDelegator(name); err != nil {
		return err
	}
	if strings.HasSuffix(name, "/") {
		return fmt.Errorf("the name %q ends in a slash", name)
	}
	if len(name) < len(spiffe) || !strings.EqualFold(name[:len(spiffe)], spiffe) {
		return nil
	}
	id, ok := strings.CutPrefix(name, spiffe)
	if !ok {
		return fmt.Errorf("%q: the scheme is written %s", name, spiffe)
	}
	domain, path, ok := strings.Cut(id, "/")
	if !ok {
		return fmt.Errorf("%q names a trust domain, not an agent in it", name)
	}
	const lower, upper = "abcdefghijklmnopqrstuvwxyz0123456789.-_", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	if domain == "" || strings.Trim(domain, lower) != "" {
		return fmt.Errorf("%q: a trust domain is made of lower-case letters, digits, dots, dashes and underscores", name)
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "" || segment == "." || segment == ".." || strings.Trim(segment, lower+upper) != "" {
			return fmt.Errorf("%q: segments are made of letters, digits, dots, dashes and underscores; none is empty, and none is a dot or two", name)
		}
	}
	return nil
}

const spiffe = "spiffe://"

// checkAgent checks one element of the principals field of a directory.
func checkAgent(p string) error {
	if strings.HasPrefix(p, "!") || strings.ContainsAny(p, `"\`) {
		return fmt.Errorf("agent %.80q: negation, quotes and backslashes are not supported", p)
	}
	if err := CanonicalAgent(p); err != nil {
		return fmt.Errorf("agent %.80q: %w (a directory has names, no patterns)", p, err)
	}
	return nil
}
