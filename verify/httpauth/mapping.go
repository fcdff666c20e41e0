package httpauth

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify/internal/strictjson"
)

// A Route says what the requests of one pattern ask for.
type Route struct {
	// Pattern is a method and a path, as in "POST /certs/{name}/rotate". A segment
	// {name} stands for any one segment, {name...} at the end for one or more. Methods
	// are matched exactly: GET is not HEAD.
	Pattern string

	// Operation is what is asked for; empty means the method in lower case.
	Operation string

	// Resource is what it is asked of, as in "payments/certs/{name}"; empty means the
	// path without its first slash.
	Resource string

	// Query names the query parameters that become arguments, as strings, and
	// QueryIntegers those that become integers: decimal, of 64 bits, in the one
	// spelling without leading zeros. A request with any other is refused, and
	// so is one that has a parameter twice: see spec/http.md for how they are written.
	Query         []string
	QueryIntegers []string

	// Fields names the members of a JSON object in the body that become arguments,
	// read as [delegation.ParseArgs] does. A body with any other is refused. With no
	// fields the body may be anything: the request has its SHA-256 digest, and no
	// caveat sees into it.
	Fields []string

	// NoBody refuses a request with a body.
	NoBody bool
}

// A Mapping says what each HTTP request asks for. A service and its agents must
// use the same one. The zero value and nil map every request as the package's
// documentation says. A Mapping never changes.
type Mapping struct{ routes []route }

// NewMapping returns the mapping of the given routes. The first whose pattern matches
// counts, and a request that matches none is refused.
func NewMapping(routes ...Route) (*Mapping, error) {
	if len(routes) == 0 {
		return nil, fmt.Errorf("a mapping without routes refuses every request: use nil for the one that needs none")
	}
	m := &Mapping{}
	for _, r := range routes {
		compiled, err := compile(r)
		if err != nil {
			return nil, fmt.Errorf("route %q: %w", r.Pattern, err)
		}
		m.routes = append(m.routes, compiled)
	}
	return m, nil
}

// route is a Route whose pattern and resource are taken apart into segments.
type route struct {
	Route
	method   string
	path     []string
	resource []string
	anyQuery bool // each parameter is an argument
}

func compile(r Route) (route, error) {
	method, path, ok := strings.Cut(r.Pattern, " ")
	if !ok || !strings.HasPrefix(path, "/") || method == "" {
		return route{}, fmt.Errorf("a pattern is a method and a path, as in %q", "POST /certs/{name}")
	}
	if err := validMethod(method); err != nil {
		return route{}, err
	}
	c := route{Route: r, method: method, path: strings.Split(path[1:], "/")}
	if r.Resource != "" {
		c.resource = strings.Split(r.Resource, "/")
	} else if path == "/" {
		return route{}, fmt.Errorf("the path / is no resource: name one")
	}
	if err := c.validPath(); err != nil {
		return route{}, err
	}
	if c.Operation == "" {
		c.Operation = strings.ToLower(method)
	}
	if err := delegation.ValidName(c.Operation); err != nil {
		return route{}, fmt.Errorf("operation %q: %w", c.Operation, err)
	}
	if r.NoBody && r.Fields != nil {
		return route{}, fmt.Errorf("a route that takes no body has no fields")
	}
	names := map[string]bool{}
	for _, name := range slices.Concat(r.Query, r.QueryIntegers, r.Fields) {
		if folded := strictjson.Fold(name); names[folded] || strings.HasPrefix(name, "/") {
			return route{}, fmt.Errorf("the argument %q is there twice, or begins with a slash: letters that differ in case only count as the same", name)
		} else {
			names[folded] = true
		}
	}
	return c, nil
}

// validPath refuses wildcards that do not mean one thing, and literal segments that no
// canonical path has.
func (c *route) validPath() error {
	var wildcards []string
	for i, segment := range c.path {
		name, many, ok := wildcard(segment)
		switch {
		case ok && (name == "" || slices.Contains(wildcards, name)):
			return fmt.Errorf("each wildcard needs a name of its own")
		case many && i < len(c.path)-1:
			return fmt.Errorf("%s stands only at the end", segment)
		case ok:
			wildcards = append(wildcards, name)
		case strings.ContainsAny(segment, "{}"):
			return fmt.Errorf("a wildcard is a whole segment, as in {name}")
		case segment == "" && len(c.path) == 1: // the path /
		default:
			if err := validSegments(segment); err != nil {
				return err
			}
		}
	}
	for _, segment := range c.resource {
		name, _, ok := wildcard(segment)
		switch {
		case ok && !slices.Contains(wildcards, name):
			return fmt.Errorf("the resource has the wildcard %s, the path has not", segment)
		case !ok && strings.ContainsAny(segment, "{}"):
			return fmt.Errorf("a wildcard is a whole segment, as in {name}")
		case !ok:
			if err := delegation.ValidResource(segment); err != nil {
				return err
			}
		}
	}
	return nil
}

// wildcard takes {name} and {name...} apart.
func wildcard(segment string) (name string, many, ok bool) {
	if !strings.HasPrefix(segment, "{") || !strings.HasSuffix(segment, "}") || len(segment) < 2 {
		return "", false, false
	}
	name, many = strings.CutSuffix(segment[1:len(segment)-1], "...")
	return name, many, !strings.ContainsAny(name, "{}")
}

// match returns the resource that a canonical path without its first slash stands
// for.
func (c *route) match(path string) (resource string, ok bool) {
	segments := strings.Split(path, "/")
	values := map[string]string{}
	for i, pattern := range c.path {
		if i >= len(segments) {
			return "", false
		}
		name, many, ok := wildcard(pattern)
		switch {
		case ok && segments[i] == "": // of the path /
			return "", false
		case many:
			values[name] = strings.Join(segments[i:], "/")
			segments = segments[:i+1]
		case ok:
			values[name] = segments[i]
		case pattern != segments[i]:
			return "", false
		}
	}
	if len(segments) != len(c.path) {
		return "", false
	}
	if c.resource == nil {
		return path, true
	}
	filled := make([]string, len(c.resource))
	for i, segment := range c.resource {
		filled[i] = segment
		if name, _, ok := wildcard(segment); ok {
			filled[i] = values[name]
		}
	}
	return strings.Join(filled, "/"), true
}

// find returns the route of a request, and the resource by it.
func (m *Mapping) find(method, path string) (*route, string, error) {
	if m == nil || m.routes == nil {
		if path == "" {
			return nil, "", fmt.Errorf("the path / is no resource: it needs a route")
		}
		return &route{Route: Route{Operation: strings.ToLower(method)}, anyQuery: true}, path, nil
	}
	for i := range m.routes {
		c := &m.routes[i]
		if c.method != method {
			continue
		}
		if resource, ok := c.match(path); ok {
			return c, resource, nil
		}
	}
	return nil, "", fmt.Errorf("no route matches the request")
}

// request returns what an HTTP request with the given body asks for.
func (m *Mapping) request(r *http.Request, body []byte) (*delegation.Request, error) {
	c, req, err := m.head(r)
	if err != nil {
		return nil, err
	}
	return req, c.body(r.Header, body, req)
}

// body adds what a request asks for by its body.
func (c *route) body(h http.Header, body []byte, req *delegation.Request) error {
	switch {
	case len(body) == 0:
		return nil
	case c.Fields != nil:
		return c.fields(h, body, req.Args)
	}
	return c.digested(h, digest(body), req)
}

// head returns what a request asks for by all but its body.
func (m *Mapping) head(r *http.Request) (*route, *delegation.Request, error) {
	if err := validMethod(r.Method); err != nil {
		return nil, nil, err
	}
	if err := oneHop(r.Header); err != nil {
		return nil, nil, err
	}
	path, err := canonicalPath(r.URL)
	if err != nil {
		return nil, nil, err
	}
	c, resource, err := m.find(r.Method, path)
	if err != nil {
		return nil, nil, err
	}
	req := &delegation.Request{Operation: c.Operation, Resource: resource, Args: map[string]any{}}
	return c, req, c.query(r.URL.RawQuery, req.Args)
}

// digested binds a body by its digest.
func (c *route) digested(h http.Header, sum []byte, req *delegation.Request) error {
	if c.NoBody {
		return fmt.Errorf("the route takes no body")
	}
	if len(req.Args) > 0 {
		if err := besideQuery(h); err != nil {
			return err
		}
	}
	req.BodyDigest = sum
	return nil
}

// validMethod refuses methods that have a lower-case letter: HTTP tells GET from get,
// and the operations of the two would be one. CONNECT asks for a tunnel, through which
// anything goes undecided.
func validMethod(method string) error {
	if method == http.MethodConnect {
		return fmt.Errorf("a tunnel is not decided on")
	}
	if method == "" || strings.ToUpper(method) != method || len(method) > 64 {
		return fmt.Errorf("a method is written in capitals")
	}
	return nil
}

// canonicalPath returns the path without its first slash. It must be a resource without
// a semicolon, with escapes only where there have to be some: readers that clean, escape
// or take off parameters (RFC 3986, section 3.3) see the same path then.
func canonicalPath(u *url.URL) (string, error) {
	path, ok := strings.CutPrefix(u.Path, "/")
	if !ok || u.Opaque != "" {
		return "", fmt.Errorf("the target of the request is no path")
	}
	// RawPath, not EscapedPath: of a target such as /a#b the latter returns what would
	// have been right.
	if u.RawPath != "" && u.RawPath != (&url.URL{Path: u.Path}).EscapedPath() {
		return "", fmt.Errorf("the path is not escaped in the one canonical way")
	}
	if path == "" {
		return "", nil
	}
	if err := validSegments(path); err != nil {
		return "", fmt.Errorf("path: %w", err)
	}
	return path, nil
}

// validSegments refuses the semicolon besides what is no resource: /a/..;/b is /b to a reader
// such as Tomcat, which takes ; and what follows off each segment before it cleans.
func validSegments(path string) error {
	if strings.Contains(path, ";") {
		return fmt.Errorf("a semicolon begins parameters to some readers")
	}
	return delegation.ValidResource(path)
}
