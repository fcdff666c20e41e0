package cli

import (
	"io"
	"slices"
	"strings"

	"github.com/whittle-auth/whittle/token/delegation"
)

// statedFacts are what a check can ask for: the facts that a verifier states, and
// those of a token's own blocks that a check sees (spec/delegation.md).
var statedFacts = []string{
	"time", "weekday", "minute", "operation", "resource", "arg", "arg_ip", "arg_host",
	"audience", "agent_key", "agent", "depth", "request", "action", "channel", "context",
	"approved", "delegator", "holder",
}

// hintUnstated warns of checks on facts that nobody states, which are most often
// misspelled. It is no error: a service may know more facts than we do.
func hintUnstated(w io.Writer, caveats []delegation.Caveat) {
	var warned []string
	for _, cv := range caveats {
		for _, q := range cv.Check().Queries {
			for _, p := range q.Body {
				if slices.Contains(statedFacts, p.Name) || slices.Contains(warned, p.Name) {
					continue
				}
				warned = append(warned, p.Name)
				hint(w, "no verifier states %s(..) unless its service adds it: checks ask for %s", p.Name, strings.Join(statedFacts, ", "))
			}
		}
	}
}
