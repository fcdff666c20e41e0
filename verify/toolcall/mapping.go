package toolcall

import (
	"fmt"
	"slices"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
)

// Options say what the calls of a server are about. The zero value is the safe choice.
type Options struct {
	// Resource is what every tool is about that Resources does not name; empty means
	// "tools/" and the server's name.
	Resource string

	// Resources says, by a tool's name, what its calls are about: one template for each
	// resource, in order. A template is a resource in which {arg} stands for the
	// argument of that name, a string without slashes, as a segment; {arg...} at the
	// end stands for one with any number of segments. Behind a slash, as in
	// "files/{path...}", it must not begin with one; in "files{path...}" it must. An
	// argument that is an array of strings gives a resource for each.
	Resources map[string][]string

	// AllowParams names the members of params besides name, arguments and _meta that a
	// call may have: "inputResponses" and "requestState", with which a client answers what
	// a tool asks back, or "task". A request is bound to them, as its body, but no caveat
	// sees into them: allow them where a tool does nothing with them that its arguments
	// could not say.
	AllowParams []string

	// AllowBigIntegers accepts integers beyond 2^53, which many readers of JSON round:
	// set it where the server keeps 64 bits.
	AllowBigIntegers bool
}

// A Mapping says what each tools/call at one server asks for. The server and its
// clients must use the same one. It never changes.
type Mapping struct {
	audience  string
	resource  string
	templates map[string][]template
	params    []string
	big       bool
}

// NewMapping returns the mapping of the server with the given name, which is the
// audience of its verifier. Nil options are the safe ones.
func NewMapping(audience string, o *Options) (*Mapping, error) {
	if err := delegation.ValidName(audience); err != nil {
		return nil, fmt.Errorf("audience %q: %w", audience, err)
	}
	if o == nil {
		o = &Options{}
	}
	m := &Mapping{audience: audience, resource: o.Resource, templates: map[string][]template{}, params: slices.Clone(o.AllowParams), big: o.AllowBigIntegers}
	if m.resource == "" {
		m.resource = "tools/" + audience
	}
	if err := delegation.ValidResource(m.resource); err != nil {
		return nil, fmt.Errorf("resource %q: %w", m.resource, err)
	}
	for tool, texts := range o.Resources {
		if err := delegation.ValidName(tool); err != nil {
			return nil, fmt.Errorf("tool %q: %w", tool, err)
		}
		if len(texts) == 0 {
			return nil, fmt.Errorf("tool %q: a call needs a resource", tool)
		}
		for _, text := range texts {
			t, err := parseTemplate(text)
			if err != nil {
				return nil, fmt.Errorf("tool %q: resource %q: %w", tool, text, err)
			}
			m.templates[tool] = append(m.templates[tool], t)
		}
	}
	return m, nil
}

// Audience returns the server's name.
func (m *Mapping) Audience() string { return m.audience }

// Request returns what a call asks for. It refuses, with the code check_failed, a call
// that has no one reading.
func (m *Mapping) Request(c *Call) (*delegation.Request, error) {
	req, err := m.request(c)
	if err != nil {
		return nil, &token.Error{Code: token.CodeCheckFailed, Block: -1, Err: err}
	}
	return req, nil
}

func (m *Mapping) request(c *Call) (*delegation.Request, error) {
	for name := range c.Further {
		if !slices.Contains(m.params, name) {
			return nil, fmt.Errorf("the params have the member %q, which is not allowed", name)
		}
	}
	if !m.big {
		for _, values := range []map[string]any{c.Args, c.Further} {
			if err := exactEverywhere(values); err != nil {
				return nil, err
			}
		}
	}
	req := &delegation.Request{Operation: c.Name, Args: c.Args, Audience: m.audience}
	var err error
	if req.BodyDigest, err = c.further(); err != nil {
		return nil, err
	}
	if req.Resources, err = m.resources(c); err != nil {
		return nil, err
	}
	if _, err := req.Check(); err != nil {
		return nil, err
	}
	return req, nil
}

func (m *Mapping) resources(c *Call) (resources []string, err error) {
	templates, ok := m.templates[c.Name]
	if !ok {
		return []string{m.resource}, nil
	}
	for _, t := range templates {
		filled, err := t.fill(c.Args)
		if err != nil {
			return nil, err
		}
		resources = append(resources, filled...)
	}
	return resources, nil
}

// exactEverywhere refuses integers that a reader with 64-bit floats rounds to another:
// those beyond 2^53 - 1 (RFC 7493, section 2.2).
func exactEverywhere(value any) error {
	const most = 1<<53 - 1
	switch v := value.(type) {
	case int64:
		if v > most || v < -most {
			return fmt.Errorf("the integer %d is beyond 2^53, where readers of JSON round", v)
		}
	case []any:
		for _, e := range v {
			if err := exactEverywhere(e); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, e := range v {
			if err := exactEverywhere(e); err != nil {
				return err
			}
		}
	}
	return nil
}
