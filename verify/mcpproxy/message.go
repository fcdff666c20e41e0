package mcpproxy

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify/internal/strictjson"
)

// A message is one JSON-RPC message of a client, of which there is one reading.
type message struct {
	id     string // as JSON; empty for a notification
	method string // empty for a response
	params json.RawMessage

	// Of a response, one of them.
	result, failure json.RawMessage
}

func (m *message) isAnswer() bool {
	return m.method == "" && (m.result == nil) != (m.failure == nil)
}

// Numbers of JSON-RPC errors (JSON-RPC 2.0, section 5.1).
const (
	parseError     = -32700
	invalidRequest = -32600
	methodNotFound = -32601
	invalidParams  = -32602
	internalError  = -32603
)

// A protocolError is what is wrong with a message, in the protocol's own terms: nothing was
// decided.
type protocolError struct {
	number int
	text   string
}

func (e *protocolError) Error() string { return e.text }

func protocolErrorf(number int, format string, args ...any) error {
	return &protocolError{number, fmt.Sprintf(format, args...)}
}

// parseMessage reads a line. The message is there, with its id, as far as that could be
// read, also where there is an error.
func parseMessage(line []byte) (*message, error) {
	m := &message{}
	if bytes.HasPrefix(bytes.TrimLeft(line, " \t\r"), []byte("[")) {
		return m, protocolErrorf(invalidRequest, "batches are not taken")
	}
	members, err := strictjson.Members(line)
	if err != nil {
		return m, protocolErrorf(parseError, "%s", err)
	}
	if raw, ok := members["id"]; ok {
		if m.id, err = parseID(raw); err != nil {
			return m, protocolErrorf(invalidRequest, "id: %s", err)
		}
	}
	if string(members["jsonrpc"]) != `"2.0"` {
		return m, protocolErrorf(invalidRequest, "jsonrpc is not 2.0")
	}
	for name := range members {
		switch name {
		case "jsonrpc", "id", "method", "params", "result", "error":
		default:
			return m, protocolErrorf(invalidRequest, "a message has no member %q", name)
		}
	}
	m.params, m.result, m.failure = members["params"], members["result"], members["error"]
	raw, isCall := members["method"]
	if !isCall {
		if m.id == "" || m.params != nil || !m.isAnswer() {
			return m, protocolErrorf(invalidRequest, "neither a request, a notification nor a response")
		}
		return m, nil
	}
	if m.result != nil || m.failure != nil {
		m.result, m.failure = nil, nil // it is answered as a request
		return m, protocolErrorf(invalidRequest, "both a request and a response")
	}
	value, err := delegation.ParseValue(raw)
	if m.method, _ = value.(string); err != nil || m.method == "" {
		return m, protocolErrorf(invalidRequest, "the method is no string")
	}
	if m.params != nil && m.params[0] != '{' {
		return m, protocolErrorf(invalidRequest, "params are no object")
	}
	return m, nil
}

// maxID bounds the text of an id, in bytes.
const maxID = 256

// parseID returns an id in its one spelling: a string, or an integer that every reader
// keeps exact.
func parseID(raw json.RawMessage) (string, error) {
	value, err := delegation.ParseValue(raw)
	if err != nil {
		return "", err
	}
	switch v := value.(type) {
	case string:
		if len(raw) > maxID {
			return "", fmt.Errorf("it is longer than %d bytes", maxID)
		}
	case int64:
		if v > 1<<53-1 || v < -(1<<53-1) {
			return "", fmt.Errorf("it is beyond 2^53")
		}
	default:
		return "", fmt.Errorf("it is neither a string nor an integer")
	}
	return string(strictjson.Append(nil, value)), nil
}

// write returns the message as one line of printable ASCII, from its values.
func (m *message) write() ([]byte, error) {
	line := []byte(`{"jsonrpc":"2.0"`)
	if m.id != "" {
		line = append(append(line, `,"id":`...), m.id...)
	}
	if m.method != "" {
		line = strictjson.Append(append(line, `,"method":`...), m.method)
	}
	for _, member := range []struct {
		name string
		raw  json.RawMessage
	}{{"params", m.params}, {"result", m.result}, {"error", m.failure}} {
		if member.raw == nil {
			continue
		}
		value, err := delegation.ParseValue(member.raw)
		if err == nil {
			err = strictjson.OneCase(value)
		}
		if err != nil {
			return nil, protocolErrorf(invalidParams, "%s: %s", member.name, err)
		}
		line = append(append(append(line, `,"`...), member.name...), `":`...)
		line = strictjson.Append(line, value)
	}
	return append(line, "}\n"...), nil
}

// errorLine answers a request. An empty id becomes null.
func errorLine(id string, number int, text string, data any) []byte {
	if id == "" {
		id = "null"
	}
	failure := struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Data    any    `json:"data,omitempty"`
	}{number, text, data}
	encoded, err := json.Marshal(failure)
	if err != nil {
		encoded = []byte(`{"code":-32603,"message":"internal error"}`)
	}
	line := append([]byte(`{"jsonrpc":"2.0","id":`), id...)
	line = append(append(line, `,"error":`...), encoded...)
	return append(line, "}\n"...)
}

// cancelled is how either side says that it no longer waits for an answer: MCP 2025-11-25,
// "Cancellation".
const cancelled = "notifications/cancelled"

// cancelledID returns the id of what is cancelled, or nothing.
func cancelledID(params json.RawMessage) string {
	members, err := strictjson.Members(params)
	if err != nil {
		return ""
	}
	id, err := parseID(members["requestId"])
	if err != nil {
		return ""
	}
	return id
}
