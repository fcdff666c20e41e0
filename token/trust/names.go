package trust

import (
	"slices"
	"time"

	"github.com/whittle-auth/whittle/token"
)

// Names returns the principals of the entries with a key that are valid now, in the
// order of the file, each once. They are what the file calls the key's owner:
// something to show beside the key, not to decide on.
func (r *Roots) Names(key token.PublicKey, now time.Time) []string {
	if r == nil {
		return nil
	}
	var names []string
	for i := range r.entries {
		e := &r.entries[i]
		if e.Key != key || !e.ValidAt(now) {
			continue
		}
		for _, p := range e.Principals {
			if !slices.Contains(names, p) {
				names = append(names, p)
			}
		}
	}
	return names
}
