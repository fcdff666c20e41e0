package delegation

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// MarshalRequest writes a request as [ParseRequest] reads it: a JSON object with the
// members operation, resources, audience, args where there are any, and body, in
// hexadecimal, where there is one. Numbers stay what they are: a float is written with
// a point or an exponent, also where it is whole. It fails where [Request.Check] does.
func MarshalRequest(r *Request) ([]byte, error) {
	c, err := r.Check()
	if err != nil {
		return nil, err
	}
	w, err := c.written()
	if err != nil {
		return nil, err
	}
	return marshalPlain(w)
}

// writtenRequest is a request as it stands in JSON.
type writtenRequest struct {
	Operation string          `json:"operation"`
	Resources []string        `json:"resources"`
	Audience  string          `json:"audience"`
	Args      json.RawMessage `json:"args,omitempty"`
	Body      *string         `json:"body,omitempty"`
}

func (c *Checked) written() (w writtenRequest, err error) {
	w = writtenRequest{Operation: c.operation, Resources: c.resources, Audience: c.audience}
	if len(c.args) > 0 {
		if w.Args, err = appendValue(nil, c.args); err != nil {
			return w, err
		}
	}
	if body, ok := c.body.([]byte); ok {
		text := hex.EncodeToString(body)
		w.Body = &text
	}
	return w, nil
}

// ParseRequest reads what [MarshalRequest] writes. It refuses members that it does not
// know, any name that stands twice, and a request that [Request.Check] refuses. The
// caller bounds the length of data.
func ParseRequest(data []byte) (*Request, error) {
	value, err := parseValue(data, maxArgDepth+2)
	if err != nil {
		return nil, err
	}
	members, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("a request is a JSON object")
	}
	r := new(Request)
	for name, value := range members {
		if err := r.member(name, value); err != nil {
			return nil, err
		}
	}
	if _, err := r.Check(); err != nil {
		return nil, err
	}
	return r, nil
}

// member fills in one member.
func (r *Request) member(name string, value any) error {
	ok := true
	switch name {
	case "operation":
		r.Operation, ok = value.(string)
	case "audience":
		r.Audience, ok = value.(string)
	case "args":
		r.Args, ok = value.(map[string]any)
	case "resources":
		var list []any
		list, ok = value.([]any)
		for _, e := range list {
			path, isText := e.(string)
			if !isText {
				return fmt.Errorf("resources is a list of strings")
			}
			r.Resources = append(r.Resources, path)
		}
	case "body":
		var text string
		text, ok = value.(string)
		body, err := hex.DecodeString(text)
		if err != nil {
			return fmt.Errorf("body is hexadecimal: %w", err)
		}
		r.BodyDigest = append([]byte{}, body...)
	default:
		return fmt.Errorf("a request has no member %q", name)
	}
	if !ok {
		return fmt.Errorf("the member %q is of another type", name)
	}
	return nil
}
