package delegation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// maxApprovalRequest bounds the file of a request for approval, in bytes.
const maxApprovalRequest = 1 << 20

// An ApprovalRequest asks somebody to approve one action with one token. It
// carries the whole held token, so that whoever approves can see from whom it is
// and what it allows; nobody else can do anything with that. Nothing in it is
// verified.
type ApprovalRequest struct {
	// Token is the text of the held token, with the approvals it has so far.
	Token string
	// Action is what is to be approved.
	Action Request
}

// MarshalJSON writes the request as [ParseApprovalRequest] reads it: a JSON object
// with the members token, operation, resources, audience, args where there are any,
// and body, in hexadecimal, where there is one. Numbers stay what they are: a float
// is written with a point or an exponent, also where it is whole.
func (r *ApprovalRequest) MarshalJSON() ([]byte, error) {
	c, err := r.Action.Check()
	if err != nil {
		return nil, err
	}
	w, err := c.written()
	if err != nil {
		return nil, err
	}
	return json.Marshal(struct {
		Token string `json:"token"`
		writtenRequest
	}{r.Token, w})
}

// appendValue writes a normal value so that [ParseValue] gives it back.
func appendValue(b []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case float64:
		text := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(text, ".e") {
			text += ".0"
		}
		return append(b, text...), nil
	case []any:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			var err error
			if b, err = appendValue(b, e); err != nil {
				return nil, err
			}
		}
		return append(b, ']'), nil
	case map[string]any:
		b = append(b, '{')
		for i, name := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b = append(b, ',')
			}
			text, err := marshalPlain(name)
			if err != nil {
				return nil, err
			}
			if b, err = appendValue(append(append(b, text...), ':'), v[name]); err != nil {
				return nil, err
			}
		}
		return append(b, '}'), nil
	}
	text, err := marshalPlain(value)
	return append(b, text...), err
}

// ParseApprovalRequest reads a request of at most 1 MiB. It refuses members that it
// does not know, any name that stands twice, and an action that [Request.Check]
// refuses.
func ParseApprovalRequest(data []byte) (*ApprovalRequest, error) {
	if len(data) > maxApprovalRequest {
		return nil, fmt.Errorf("a request for approval has at most %d bytes", maxApprovalRequest)
	}
	value, err := parseValue(bytes.TrimSpace(data), maxArgDepth+2)
	if err != nil {
		return nil, err
	}
	members, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("a request for approval is a JSON object")
	}
	r := new(ApprovalRequest)
	for name, value := range members {
		if name != "token" {
			err = r.Action.member(name, value)
		} else if r.Token, ok = value.(string); !ok {
			err = fmt.Errorf("the member %q is of another type", name)
		}
		if err != nil {
			return nil, fmt.Errorf("request for approval: %w", err)
		}
	}
	if r.Token == "" {
		return nil, fmt.Errorf("the request for approval has no token")
	}
	if _, err := r.Action.Check(); err != nil {
		return nil, err
	}
	return r, nil
}
