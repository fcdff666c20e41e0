package delegation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
)

// Agents is the list of names that whoever presents a token may have, each a name
// or a name and all below it. A verifier knows names only from its directory:
// what the holders in a token are called is no name in this sense.
type Agents struct{ Patterns []Pattern }

// AgentKeys is the list of keys that may present a token.
type AgentKeys struct{ Keys []token.PublicKey }

// Depth is how often a token may change hands after block 0, at most.
type Depth struct{ Max int64 }

// Agent returns the caveat that the agent's name matches one of the given
// patterns: "agent:ci" is that name, "agent:ci/**" is it and all below it.
func Agent(patterns ...string) Caveat { return Agents{parsePatterns(patterns)} }

// AgentKey returns the caveat that the agent's key is one of the given ones.
func AgentKey(keys ...token.PublicKey) Caveat { return AgentKeys{keys} }

func (a Agents) String() string    { return "agent " + a.allowed() }
func (a AgentKeys) String() string { return "agent-key " + a.allowed() }
func (d Depth) String() string     { return "depth " + d.allowed() }

// Validate refuses an empty list, one longer than 256, duplicates, and names that [ValidName] refuses or that have a "*".
func (a Agents) Validate() error {
	return validList("agent", a.Patterns, func(p Pattern) error {
		if strings.Contains(p.Path, "*") {
			return fmt.Errorf(`"*" stands only at the end, as in name/**, for all below a name`)
		}
		if strings.HasSuffix(p.Path, "/") {
			return fmt.Errorf("the name of an agent does not end in a slash")
		}
		return ValidName(p.Path)
	})
}

// Validate refuses an empty list, one longer than 256, and duplicates.
func (a AgentKeys) Validate() error {
	return validList("agent key", a.Keys, func(k token.PublicKey) error {
		if k.IsZero() {
			return fmt.Errorf("the key is missing")
		}
		return nil
	})
}

// Validate refuses a negative depth.
func (d Depth) Validate() error {
	if d.Max < 0 {
		return fmt.Errorf("a depth is at least 0")
	}
	return nil
}

// Check returns `check all agent($a), $a == "x" || $a.starts_with("x/")`, as for
// [Resources].
func (a Agents) Check() datalog.Check {
	return checkAll("agent", "a", patternGuard("a", a.Patterns))
}

// Check returns `check all agent_key($k), ["ed25519/HEX"].contains($k)`.
func (a AgentKeys) Check() datalog.Check {
	return checkAll("agent_key", "k", containsGuard(stringArray(keyTexts(a.Keys)), "k"))
}

// Check returns `check all depth($d), $d <= 3`.
func (d Depth) Check() datalog.Check {
	return checkAll("depth", "d", compare(datalog.OpLessOrEqual, "d", datalog.Integer(d.Max)))
}

func readAgents(c datalog.Check) Caveat {
	name, guard := guardOf(c)
	if name != "agent" {
		return nil
	}
	return Agents{patternsOf(guard)}
}

func readAgentKeys(c datalog.Check) Caveat {
	name, guard := guardOf(c)
	if name != "agent_key" {
		return nil
	}
	keys, err := parseKeys(stringsOf(arrayOf(guard)))
	if err != nil {
		return nil
	}
	return AgentKeys{keys}
}

func parseKeys(texts []string) ([]token.PublicKey, error) {
	var keys []token.PublicKey
	for _, text := range texts {
		key, err := token.ParsePublicKey(text)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func readDepth(c datalog.Check) Caveat {
	name, guard := guardOf(c)
	_, term := comparison(guard)
	most, ok := term.(datalog.Integer)
	if name != "depth" || !ok {
		return nil
	}
	return Depth{int64(most)}
}

func (Agents) dimension() dimension    { return dimension{kind: "agent"} }
func (AgentKeys) dimension() dimension { return dimension{kind: "agent_key"} }
func (Depth) dimension() dimension     { return dimension{kind: "depth"} }

func (a Agents) compare(outer Caveat) Relation {
	return within(allWithin(a.Patterns, outer.(Agents).Patterns))
}

func (a AgentKeys) compare(outer Caveat) Relation {
	return within(len(common(a.Keys, outer.(AgentKeys).Keys, equalKeys)) == len(a.Keys))
}

func (d Depth) compare(outer Caveat) Relation { return within(d.Max <= outer.(Depth).Max) }

func (a Agents) meet(other Caveat) (Caveat, bool) {
	both := overlap(a.Patterns, other.(Agents).Patterns)
	return Agents{both}, len(both) > 0
}

func (a AgentKeys) meet(other Caveat) (Caveat, bool) {
	both := common(a.Keys, other.(AgentKeys).Keys, equalKeys)
	return AgentKeys{both}, len(both) > 0
}

func (d Depth) meet(other Caveat) (Caveat, bool) {
	return Depth{min(d.Max, other.(Depth).Max)}, true
}

func equalKeys(a, b token.PublicKey) bool { return a == b }

func (Agents) about() subject    { return subject{predicate: "agent"} }
func (AgentKeys) about() subject { return subject{predicate: "agent_key"} }
func (Depth) about() subject     { return subject{predicate: "depth"} }

func (a Agents) admits(value datalog.Term) bool { return admitsPath(a.Patterns, value) }

func (a AgentKeys) admits(value datalog.Term) bool {
	text, ok := value.(datalog.String)
	return ok && slices.ContainsFunc(a.Keys, func(k token.PublicKey) bool { return k.String() == string(text) })
}

func (d Depth) admits(value datalog.Term) bool {
	n, ok := value.(datalog.Integer)
	return ok && int64(n) <= d.Max
}

func (a Agents) allowed() string    { return words(a.Patterns, Pattern.String) }
func (a AgentKeys) allowed() string { return joined(keyTexts(a.Keys)) }
func (d Depth) allowed() string     { return fmt.Sprintf("at most %d", d.Max) }

func (a Agents) members() map[string]any {
	return map[string]any{"kind": "agent", "one_of": textList(a.Patterns, Pattern.String)}
}

func (a AgentKeys) members() map[string]any {
	return map[string]any{"kind": "agent_key", "one_of": textList(keyTexts(a.Keys), itself)}
}

func (d Depth) members() map[string]any {
	return map[string]any{"kind": "depth", "at_most": d.Max}
}
