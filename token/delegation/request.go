package delegation

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/whittle-auth/whittle/token/datalog"
	"golang.org/x/text/unicode/norm"
)

// Limits on a request's arguments, which travel in no token.
const (
	maxArgs     = 256
	maxArgDepth = 16
)

// A Request is one thing that an agent asks a service to do. The agent binds an
// invocation to it, the service states it as facts: both must build it from the
// very values that are then acted on.
type Request struct {
	// Operation names what is asked for.
	Operation string

	// Resource is what it is asked of. A request that touches several, such as
	// a move, names them in Resources instead, in the service's order.
	Resource  string
	Resources []string

	// Args are the arguments by name: strings, booleans, nil, integers of any
	// Go type but uintptr, float64, json.Number, and []any and map[string]any of
	// these. Integers are signed and have 64 bits, exact; a larger one is an
	// error. A float64 is not an integer, whatever its value, and
	// is stated as no fact, so that a caveat on it denies: decode JSON with
	// [ParseArgs], which keeps integers.
	Args map[string]any

	// Audience names the service. A verifier knows its own name, so there it
	// may be left empty.
	Audience string

	// BodyDigest is a digest of the payload that goes with the request, where
	// agent and service have agreed on one; nil otherwise.
	BodyDigest []byte
}

// A Checked request is one of which every part has a single spelling, so that
// it can be digested and decided on. It never changes.
type Checked struct {
	operation string
	resources []string
	audience  string

	// args holds int64, float64, string, bool, nil, []any and map[string]any.
	args  map[string]any
	names []string // of args, ascending
	body  any      // the digest of the payload, or nil

	one [1]string // where resources is, when there is one
}

// noArgs is what a request without arguments has. It is digested as {}, not as null.
var noArgs = map[string]any{}

// Check returns the request in checked form. It refuses what is missing, and
// whatever has another spelling than the canonical one: nothing is cleaned.
func (r *Request) Check() (*Checked, error) {
	if err := ValidName(r.Operation); err != nil {
		return nil, fmt.Errorf("operation %q: %w", r.Operation, err)
	}
	if err := ValidName(r.Audience); err != nil {
		return nil, fmt.Errorf("audience %q: %w", r.Audience, err)
	}
	if r.Resource != "" && len(r.Resources) > 0 {
		return nil, fmt.Errorf("a request names either one resource or a list of them")
	}
	resources, one := r.Resources, [1]string{r.Resource}
	if r.Resource != "" {
		resources = one[:]
	}
	if len(resources) == 0 {
		return nil, fmt.Errorf("a request needs a resource")
	}
	if len(resources) > maxArgs {
		return nil, fmt.Errorf("a request has at most %d resources", maxArgs)
	}
	for _, path := range resources {
		if err := ValidResource(path); err != nil {
			return nil, fmt.Errorf("resource %q: %w", path, err)
		}
	}
	if len(r.Args) > maxArgs {
		return nil, fmt.Errorf("a request has at most %d arguments", maxArgs)
	}
	args := noArgs
	if len(r.Args) > 0 {
		args = make(map[string]any, len(r.Args))
	}
	for name, value := range r.Args {
		if strings.HasPrefix(name, "/") {
			return nil, fmt.Errorf("argument %q: a name must not begin with %q, which is how caveats name what is inside an argument", name, "/")
		}
		if err := validString(name); err != nil {
			return nil, fmt.Errorf("argument %q: %w", name, err)
		}
		var err error
		if args[name], err = normalValue(value, maxArgDepth); err != nil {
			return nil, fmt.Errorf("argument %q: %w", name, err)
		}
	}
	c := &Checked{operation: r.Operation, audience: r.Audience, args: args}
	if c.resources = append(c.one[:0], resources...); len(args) > 0 {
		c.names = slices.Sorted(maps.Keys(args))
	}
	if r.BodyDigest != nil {
		c.body = append([]byte{}, r.BodyDigest...)
	}
	return c, nil
}

// Operation returns what is asked for.
func (c *Checked) Operation() string { return c.operation }

// Resources returns what it is asked of, in the service's order. The result is the
// caller's own.
func (c *Checked) Resources() []string { return slices.Clone(c.resources) }

// Audience returns the name of the service that is asked.
func (c *Checked) Audience() string { return c.audience }

func normalValue(value any, depth int) (any, error) {
	if depth == 0 {
		return nil, fmt.Errorf("values are nested deeper than %d", maxArgDepth)
	}
	switch v := value.(type) {
	case nil, bool, int64:
		return v, nil
	case string:
		return v, validString(v)
	case int, int8, int16, int32:
		return reflect.ValueOf(v).Int(), nil
	case uint, uint8, uint16, uint32, uint64:
		n := reflect.ValueOf(v).Uint()
		if n > math.MaxInt64 {
			return nil, fmt.Errorf("%d does not fit a signed 64-bit integer", n)
		}
		return int64(n), nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%v is no JSON number", v)
		}
		return v, nil
	case json.Number:
		return number(v)
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			var err error
			if list[i], err = normalValue(e, depth-1); err != nil {
				return nil, err
			}
		}
		return list, nil
	case map[string]any:
		m := make(map[string]any, len(v))
		for name, e := range v {
			if err := validString(name); err != nil {
				return nil, err
			}
			var err error
			if m[name], err = normalValue(e, depth-1); err != nil {
				return nil, err
			}
		}
		return m, nil
	}
	return nil, fmt.Errorf("a value of type %T cannot be digested", value)
}

// validString refuses strings of which there are several spellings. Folding
// them instead would give two requests one digest.
func validString(s string) error {
	if ascii(s) {
		return nil
	}
	if !utf8.ValidString(s) {
		return fmt.Errorf("the text is not valid UTF-8")
	}
	if !norm.NFC.IsNormalString(s) {
		return fmt.Errorf("the text is not in Unicode normalization form C")
	}
	return nil
}

// ascii reports whether a string has no byte beyond ASCII, so that it is UTF-8 in
// normalization form C as it stands.
func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// Facts returns what a verifier states of the request: operation, resource,
// audience, and arg for each argument that Datalog can hold, arguments in the
// order of their names. See [Checked.Inside] for the values inside them.
func (c *Checked) Facts() []datalog.Predicate {
	var s Statement
	c.State(&s)
	return s.Facts
}

// State adds what [Checked.Facts] returns to a statement.
func (c *Checked) State(s *Statement) {
	s.Add("operation", datalog.String(c.operation))
	s.Add("audience", datalog.String(c.audience))
	for _, path := range c.resources {
		s.Add("resource", datalog.String(path))
	}
	for _, name := range c.names {
		if value, ok := term(c.args[name]); ok {
			s.Add("arg", datalog.String(name), value)
		}
	}
}

// A Statement is a list of facts in the making. The zero value is empty.
type Statement struct {
	Facts []datalog.Predicate

	terms []datalog.Term // where those of the facts are
}

// Add states one more fact.
func (s *Statement) Add(name string, terms ...datalog.Term) {
	n := len(s.terms)
	s.terms = append(s.terms, terms...)
	s.Facts = append(s.Facts, datalog.Predicate{Name: name, Terms: slices.Clip(s.terms[n:])})
}

// Reset forgets the facts, of which none is used any more, and keeps the memory.
func (s *Statement) Reset() {
	clear(s.Facts)
	clear(s.terms)
	s.Facts, s.terms = s.Facts[:0], s.terms[:0]
}

func fact(name string, terms ...datalog.Term) datalog.Predicate {
	return datalog.Predicate{Name: name, Terms: terms}
}

// term returns a normal value as a term; ok is false for what holds a number
// that is no 64-bit integer, of which nothing exact can be said.
func term(value any) (t datalog.Term, ok bool) {
	switch v := value.(type) {
	case nil:
		return datalog.Null{}, true
	case bool:
		return datalog.Bool(v), true
	case int64:
		return datalog.Integer(v), true
	case string:
		return datalog.String(v), true
	case []any:
		a := make(datalog.Array, len(v))
		for i, e := range v {
			if a[i], ok = term(e); !ok {
				return nil, false
			}
		}
		return a, true
	case map[string]any:
		entries := make([]datalog.MapEntry, 0, len(v))
		for name, e := range v {
			t, ok := term(e)
			if !ok {
				return nil, false
			}
			entries = append(entries, datalog.MapEntry{Key: datalog.String(name), Value: t})
		}
		m, err := datalog.NewMap(entries...)
		return m, err == nil
	}
	return nil, false
}
