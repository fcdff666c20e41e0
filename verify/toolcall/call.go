package toolcall

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify/internal/strictjson"
)

// A Call is what the params of a tools/call say. Its values are those of
// [delegation.ParseArgs].
type Call struct {
	Name string
	// Args are the arguments; nil where the params have none.
	Args map[string]any
	// Meta is _meta, which nothing binds; nil where there is none.
	Meta map[string]any
	// Further has all other members, such as the inputResponses with which a client
	// answers what the server asked back. A request is bound to them as its body.
	Further map[string]any
}

// ParseCall reads the params of a tools/call. It refuses, with the code check_failed,
// whatever two readers could understand differently: names that stand twice in one
// object, or differ in case only, integers beyond 64 bits, text that is not UTF-8.
func ParseCall(params []byte) (*Call, error) {
	c, err := parseCall(params)
	if err != nil {
		return nil, &token.Error{Code: token.CodeCheckFailed, Block: -1, Err: fmt.Errorf("params: %w", err)}
	}
	return c, nil
}

func parseCall(params []byte) (*Call, error) {
	members, err := strictjson.Members(params)
	if err != nil {
		return nil, err
	}
	c := &Call{}
	for name, raw := range members {
		var value any
		switch name {
		case "arguments":
			c.Args, err = object(raw)
		case "_meta":
			c.Meta, err = object(raw)
		default:
			if value, err = delegation.ParseValue(raw); err == nil {
				err = strictjson.OneCase(value)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("%q: %w", name, err)
		}
		switch text, isText := value.(string); {
		case name == "arguments" || name == "_meta":
		case name == "name" && isText:
			c.Name = text
		case name == "name":
			return nil, fmt.Errorf("the tool's name is no string")
		case known[strictjson.Fold(name)]:
			return nil, fmt.Errorf("%q is another name in another case", name)
		default:
			if c.Further == nil {
				c.Further = map[string]any{}
			}
			c.Further[name] = value
		}
	}
	if err := delegation.ValidName(c.Name); err != nil {
		return nil, fmt.Errorf("the tool's name cannot be an operation: %w", err)
	}
	return c, nil
}

// known are the members that are read, folded.
var known = map[string]bool{
	strictjson.Fold("name"): true, strictjson.Fold("arguments"): true, strictjson.Fold("_meta"): true,
}

func object(raw json.RawMessage) (map[string]any, error) {
	members, err := delegation.ParseArgs(raw)
	if err != nil {
		return nil, err
	}
	return members, strictjson.OneCase(members)
}

// Params returns the params in the one spelling that a proxy hands on: JSON of printable
// ASCII, that every reader understands alike.
func (c *Call) Params() json.RawMessage {
	params := map[string]any{"name": c.Name}
	if c.Args != nil {
		params["arguments"] = c.Args
	}
	if len(c.Meta) > 0 {
		params["_meta"] = c.Meta
	}
	for name, value := range c.Further {
		params[name] = value
	}
	return strictjson.Append(nil, params)
}

// Arguments returns the arguments in that spelling, nil where there are none.
func (c *Call) Arguments() json.RawMessage {
	if c.Args == nil {
		return nil
	}
	return strictjson.Append(nil, c.Args)
}

// further returns the digest of all that is neither name, arguments nor _meta: nil
// where there is nothing else, which is the ordinary case.
func (c *Call) further() ([]byte, error) {
	if len(c.Further) == 0 {
		return nil, nil
	}
	text, err := deterministic.Marshal(c.Further)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(append([]byte(furtherTag), text...))
	return sum[:], nil
}

const furtherTag = "whittle/1 mcp params\x00"

// deterministic is RFC 8949, section 4.2.1, as under every digest of a request.
var deterministic = func() cbor.EncMode {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic(err)
	}
	return mode
}()
