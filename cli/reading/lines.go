package reading

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/whittle-auth/whittle/token/delegation"
)

// A BoundLine is a bound of a scope for people, with the block that set it. Approvals
// that belong together are one.
type BoundLine struct {
	Text  string
	Block int
}

// CaveatLines shows caveats to people: approvals that belong together as one.
func CaveatLines(caveats []delegation.Caveat) []string {
	var lines []string
	var together []delegation.Approval
	end := func() {
		for _, q := range delegation.Quorums(together) {
			lines = append(lines, q.String())
		}
		together = nil
	}
	for _, cv := range caveats {
		if a, ok := cv.(delegation.Approval); ok {
			together = append(together, a)
			continue
		}
		end()
		lines = append(lines, cv.String())
	}
	end()
	return lines
}

// BoundLines is [CaveatLines] for a scope.
func BoundLines(s *delegation.Scope) []BoundLine {
	var lines []BoundLine
	for rest := s.Bounds; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].Block == rest[0].Block {
			n++
		}
		var caveats []delegation.Caveat
		for _, b := range rest[:n] {
			caveats = append(caveats, b.Caveat)
		}
		for _, line := range CaveatLines(caveats) {
			lines = append(lines, BoundLine{line, rest[0].Block})
		}
		rest = rest[n:]
	}
	return lines
}

func (l BoundLine) String() string { return fmt.Sprintf("%s  (block %d)", l.Text, l.Block) }

// RequestLine writes a request on a line: rotate payments/certs/api, days=30.
func RequestLine(req *delegation.Request) string {
	resources := req.Resources
	if req.Resource != "" {
		resources = []string{req.Resource}
	}
	texts := []string{req.Operation + " " + strings.Join(resources, " and ")}
	for _, name := range slices.Sorted(maps.Keys(req.Args)) {
		value, err := json.Marshal(req.Args[name])
		if err != nil {
			value = []byte("?")
		}
		texts = append(texts, name+"="+string(value))
	}
	return strings.Join(texts, ", ")
}

// BeginsAsJSON reports whether the VALUE in NAME=VALUE is to be read as JSON; else it is
// the string itself.
func BeginsAsJSON(value string) bool {
	if value == "" {
		return false
	}
	if strings.IndexByte(`"0123456789-[{`, value[0]) >= 0 {
		return true
	}
	return strings.HasPrefix(value, "true") || strings.HasPrefix(value, "false") || strings.HasPrefix(value, "null")
}
