package delegation

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/whittle-auth/whittle/token/datalog"
)

// maxPointers bounds how many places inside arguments, addresses and URLs a token
// may speak of. Each costs the verifier a copy of what is there.
const maxPointers = 64

// Mentions is what the queries of one block, or of a service's policy, say of
// arguments.
type Mentions struct {
	// Names are the arguments named: arg("amount", $v). Ascending.
	Names []string
	// Any is true where the name is a variable: arg($n, $v).
	Any bool
	// Pointers are the places named inside arguments, as RFC 6901 has them:
	// arg("/ticket/id", $v). Ascending.
	Pointers []string
	// Addresses and URLs are the arguments, by name or pointer, that arg_ip and
	// arg_host are asked of. Ascending.
	Addresses, URLs []string
	// Action is true where the digest of what is asked for counts: action($a).
	Action bool
}

// places counts what a verifier has to derive.
func (m *Mentions) places() int { return len(m.Pointers) + len(m.Addresses) + len(m.URLs) }

// MentionsOf returns what an authorizer says of arguments.
func MentionsOf(a *datalog.Authorizer) Mentions {
	var m Mentions
	for _, f := range a.Facts {
		m.Action = m.Action || f.Name == "action"
	}
	for _, r := range a.Rules {
		m.Action = m.Action || r.Head.Name == "action"
		m.add([]datalog.Query{r.Query})
	}
	for _, c := range a.Checks {
		m.add(c.Queries)
	}
	for _, p := range a.Policies {
		m.add(p.Queries)
	}
	return m
}

func (m *Mentions) add(queries []datalog.Query) {
	for _, q := range queries {
		for _, p := range q.Body {
			m.Action = m.Action || p.Name == "action"
			if len(p.Terms) != 2 {
				continue
			}
			name, named := p.Terms[0].(datalog.String)
			switch {
			case p.Name == "arg_ip" && named:
				m.Addresses = insert(m.Addresses, string(name))
			case p.Name == "arg_host" && named:
				m.URLs = insert(m.URLs, string(name))
			case p.Name != "arg":
			case !named:
				m.Any = true
			case strings.HasPrefix(string(name), "/"):
				m.Pointers = insert(m.Pointers, string(name))
			default:
				m.Names = insert(m.Names, string(name))
			}
		}
	}
}

func insert(sorted []string, s string) []string {
	i, found := slices.BinarySearch(sorted, s)
	if found {
		return sorted
	}
	return slices.Insert(sorted, i, s)
}

// Inside returns arg facts for the values at the mentioned places inside
// arguments, arg_ip and arg_host for the mentioned addresses and URLs. They are for
// the queries that mention them and must not be stated to others: what a later block
// asks for would become a fact that an earlier check may find.
func (c *Checked) Inside(m *Mentions) []datalog.Predicate {
	var facts []datalog.Predicate
	for _, p := range m.Pointers {
		if value, ok := c.at(p); ok {
			if t, ok := term(value); ok {
				facts = append(facts, fact("arg", datalog.String(p), t))
			}
		}
	}
	derive := func(predicate string, names []string, read func(any) (string, bool)) {
		for _, name := range names {
			if value, ok := c.named(name); ok {
				if text, ok := read(value); ok {
					facts = append(facts, fact(predicate, datalog.String(name), datalog.String(text)))
				}
			}
		}
	}
	derive("arg_ip", m.Addresses, ipBits)
	derive("arg_host", m.URLs, urlHost)
	return facts
}

// named returns an argument by its name or pointer.
func (c *Checked) named(name string) (value any, ok bool) {
	if strings.HasPrefix(name, "/") {
		return c.at(name)
	}
	value, ok = c.args[name]
	return value, ok
}

// Stateable returns an error if the queries speak of an argument that is there
// but cannot be a fact, since it holds a number that is no 64-bit integer, or is
// asked for as an address or URL and has no single reading as such. To them it
// would look as if it were absent, and a reject if would hold.
func (c *Checked) Stateable(m *Mentions) error {
	for _, name := range c.names {
		if _, named := slices.BinarySearch(m.Names, name); !named && !m.Any {
			continue
		}
		if _, ok := term(c.args[name]); !ok {
			return fmt.Errorf("argument %q holds a number that is no 64-bit integer: nothing can be decided on it", name)
		}
	}
	for _, p := range m.Pointers {
		if value, ok := c.at(p); ok {
			if _, ok := term(value); !ok {
				return fmt.Errorf("argument %q holds a number that is no 64-bit integer: nothing can be decided on it", p)
			}
		}
	}
	for _, name := range m.Addresses {
		if value, ok := c.named(name); ok {
			if _, ok := ipBits(value); !ok {
				return fmt.Errorf("argument %q is no IP address with a single reading: nothing can be decided on it", name)
			}
		}
	}
	for _, name := range m.URLs {
		if value, ok := c.named(name); ok {
			if _, ok := urlHost(value); !ok {
				return fmt.Errorf("argument %q is no URL with a single reading: nothing can be decided on it", name)
			}
		}
	}
	return nil
}

// at returns the value that a pointer leads to.
func (c *Checked) at(pointer string) (value any, ok bool) {
	value = c.args
	for step := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		switch v := value.(type) {
		case map[string]any:
			name, ok := unescape(step)
			if !ok {
				return nil, false
			}
			if value, ok = v[name]; !ok {
				return nil, false
			}
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(v) || strconv.Itoa(i) != step {
				return nil, false
			}
			value = v[i]
		default:
			return nil, false
		}
	}
	return value, true
}

// unescape reads one step of a pointer, of which there is one spelling: ~0 is ~,
// ~1 is /, and no other ~ stands in it (RFC 6901, section 3).
func unescape(step string) (name string, ok bool) {
	if strings.Count(step, "~") != strings.Count(step, "~0")+strings.Count(step, "~1") {
		return "", false
	}
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(step), true
}
