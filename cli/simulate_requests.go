package cli

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
)

// maxSimulated bounds the requests of one file.
const maxSimulated = 10000

// A simulated request is one entry of a file, as spec/explain.md has it.
type simulated struct {
	name    string
	req     delegation.Request
	context map[string]any
	at      time.Time
	expect  string // allowed, denied, a code, or empty
}

// parseSimulated reads a file of requests: a JSON array of objects, or one object on
// each line. Every error names the entry.
func parseSimulated(data []byte) ([]simulated, error) {
	var entries []any
	if trimmed := bytes.TrimLeft(data, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '[' {
		value, err := delegation.ParseValue(data)
		if err != nil {
			return nil, err
		}
		entries = value.([]any)
	} else {
		n := 0
		for line := range bytes.Lines(data) {
			n++
			if line = bytes.TrimSpace(line); len(line) == 0 {
				continue
			}
			value, err := delegation.ParseValue(line)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
			if entries = append(entries, value); len(entries) > maxSimulated {
				break
			}
		}
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("there is no request")
	}
	if len(entries) > maxSimulated {
		return nil, fmt.Errorf("there are more than %d requests", maxSimulated)
	}
	requests := make([]simulated, len(entries))
	for i, e := range entries {
		object, ok := e.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("request %d: it is no JSON object", i+1)
		}
		if err := requests[i].read(object); err != nil {
			return nil, fmt.Errorf("request %d: %w", i+1, err)
		}
	}
	return requests, nil
}

// read takes the members of an object, all of which must be known.
func (s *simulated) read(object map[string]any) error {
	var at string
	for name, value := range object {
		var ok bool
		switch name {
		case "name":
			s.name, ok = value.(string)
		case "operation":
			s.req.Operation, ok = value.(string)
		case "resource":
			s.req.Resource, ok = value.(string)
		case "resources":
			s.req.Resources, ok = stringList(value)
		case "audience":
			s.req.Audience, ok = value.(string)
		case "args":
			s.req.Args, ok = value.(map[string]any)
		case "context":
			s.context, ok = value.(map[string]any)
		case "at":
			at, ok = value.(string)
		case "expect":
			s.expect, ok = value.(string)
		default:
			return fmt.Errorf("there is no member %q", name)
		}
		if !ok {
			return fmt.Errorf("%s has a value of another type", name)
		}
	}
	if _, ok := object["operation"]; !ok {
		return fmt.Errorf("operation is missing")
	}
	if (s.req.Resource == "") == (len(s.req.Resources) == 0) {
		return fmt.Errorf("there is either a resource, or a list of resources that is not empty")
	}
	if _, given := object["at"]; given {
		t, err := time.Parse(time.RFC3339, at)
		if err != nil || t.Unix() < 0 {
			return fmt.Errorf("at %q is no RFC 3339 time such as 2026-01-31T12:00:00Z", at)
		}
		s.at = t
	}
	if _, given := object["expect"]; given && !slices.Contains(expectations, s.expect) {
		return fmt.Errorf("expect %q is none of %s", s.expect, strings.Join(expectations, ", "))
	}
	if _, err := delegation.ContextFacts(s.context); err != nil {
		return fmt.Errorf("context: %w", err)
	}
	return nil
}

// expectations are what a file may expect: a code is a denial for that reason.
var expectations = []string{
	"allowed", "denied",
	string(token.CodeUntrustedRoot), string(token.CodeNotPresented), string(token.CodeProfile), string(token.CodeAudience), string(token.CodeWindow),
	string(token.CodeExpired), string(token.CodeRevoked), string(token.CodeStale), string(token.CodeReplay), string(token.CodeCheckFailed), string(token.CodePolicy), string(token.CodeEvaluation),
	string(token.CodeLimit), string(token.CodeUnavailable),
}

func stringList(value any) ([]string, bool) {
	list, ok := value.([]any)
	texts := make([]string, len(list))
	for i, e := range list {
		if texts[i], ok = e.(string); !ok {
			return nil, false
		}
	}
	return texts, ok
}
