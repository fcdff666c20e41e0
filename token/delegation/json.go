package delegation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"time"
)

// MarshalCaveat returns the JSON form of a valid caveat: an object whose member
// "kind" says which, as listed in spec/caveats.md.
func MarshalCaveat(c Caveat) ([]byte, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return marshalPlain(c.members())
}

// marshalPlain leaves < > & as they are.
func marshalPlain(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// UnmarshalCaveat reads the JSON form of a caveat. It is strict: an unknown,
// missing or doubled member, a value of another type or in another spelling is an
// error.
func UnmarshalCaveat(data []byte) (Caveat, error) {
	members, err := ParseArgs(data)
	if err != nil {
		return nil, fmt.Errorf("caveat: %w", err)
	}
	kind, _ := members["kind"].(string)
	read, ok := jsonForms[kind]
	if !ok {
		return nil, fmt.Errorf("caveat: the member kind is missing or none of spec/caveats.md: %q", kind)
	}
	c, err := read(object(members))
	if err == nil {
		err = c.Validate()
	}
	if err != nil {
		return nil, fmt.Errorf("caveat of kind %s: %w", kind, err)
	}
	// As with Datalog, what is written again must be the very same.
	if want := c.members(); !reflect.DeepEqual(want, members) {
		text, err := marshalPlain(want)
		if err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("caveat of kind %s: want exactly the members of, and spelled as in, %s", kind, text)
	}
	return c, nil
}

// jsonForms make a caveat of the members that they know. What is of another type
// they take for empty.
var jsonForms = map[string]func(object) (Caveat, error){
	"expires":     func(o object) (Caveat, error) { return Expires(o.time("at")), nil },
	"not_before":  func(o object) (Caveat, error) { return ValidFrom(o.time("at")), nil },
	"weekday":     func(o object) (Caveat, error) { return Weekdays{o.days("days")}, nil },
	"minute":      func(o object) (Caveat, error) { return Hours{o.minute("from"), o.minute("to")}, nil },
	"resource":    func(o object) (Caveat, error) { return Resource(o.texts("one_of")...), nil },
	"operation":   func(o object) (Caveat, error) { return Operation(o.texts("one_of")...), nil },
	"audience":    func(o object) (Caveat, error) { return Audience(o.texts("one_of")...), nil },
	"agent":       func(o object) (Caveat, error) { return Agent(o.texts("one_of")...), nil },
	"agent_key":   readKeysJSON,
	"depth":       func(o object) (Caveat, error) { return Depth{o.integer("at_most", -1)}, nil },
	"context":     func(o object) (Caveat, error) { return Context(o.text("name"), o.list("one_of")...), nil },
	"arg_one_of":  func(o object) (Caveat, error) { return ArgIs(o.text("arg"), o.list("one_of")...), nil },
	"arg_range":   readRangeJSON,
	"arg_prefix":  func(o object) (Caveat, error) { return ArgPrefix{o.text("arg"), o.text("prefix")}, nil },
	"arg_subtree": func(o object) (Caveat, error) { return ArgUnder(o.text("arg"), o.texts("paths")...), nil },
	"arg_cidr":    readNetworksJSON,
	"arg_host":    func(o object) (Caveat, error) { return ArgURL(o.text("arg"), o.texts("hosts")...), nil },
	"arg_matches": func(o object) (Caveat, error) { return ArgMatches{o.text("arg"), o.text("pattern")}, nil },
	"arg_set":     func(o object) (Caveat, error) { return ArgSet{o.text("arg")}, nil },
	"arg_unset":   func(o object) (Caveat, error) { return ArgUnset{o.text("arg")}, nil },
	"approval":    readApprovalJSON,
	"check":       func(o object) (Caveat, error) { return ParseCheck(o.text("check")) },
}

func readKeysJSON(o object) (Caveat, error) {
	keys, err := parseKeys(o.texts("one_of"))
	return AgentKeys{keys}, err
}

func readApprovalJSON(o object) (Caveat, error) {
	keys, err := parseKeys(o.texts("by"))
	return Approval{keys}, err
}

func readRangeJSON(o object) (Caveat, error) {
	return ArgRange{o.text("arg"), o.integer("min", math.MinInt64), o.integer("max", math.MaxInt64)}, nil
}

func readNetworksJSON(o object) (Caveat, error) {
	a := ArgCIDR{Arg: o.text("arg")}
	for _, text := range o.texts("networks") {
		n, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, err
		}
		a.Networks = append(a.Networks, n)
	}
	return a, nil
}

// An object is a JSON object as [ParseValue] reads it.
type object map[string]any

func (o object) text(name string) string {
	s, _ := o[name].(string)
	return s
}

func (o object) list(name string) []any {
	list, _ := o[name].([]any)
	return list
}

func (o object) texts(name string) []string {
	list := o.list(name)
	texts := make([]string, len(list))
	for i, e := range list {
		texts[i], _ = e.(string)
	}
	return texts
}

func (o object) integer(name string, missing int64) int64 {
	if n, ok := o[name].(int64); ok {
		return n
	}
	return missing
}

func (o object) minute(name string) int {
	return int(min(max(o.integer(name, -1), -1), minutesOfDay+1))
}

func (o object) days(name string) []int {
	var days []int
	for _, e := range o.list(name) {
		d, _ := e.(int64)
		days = append(days, int(min(max(d, 0), 8)))
	}
	return days
}

func (o object) time(name string) time.Time {
	t, err := time.Parse(time.RFC3339, o.text(name))
	if err != nil {
		return time.Unix(-1, 0) // which does not validate
	}
	return t
}
