package mcpproxy

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/toolcall"
)

// FuzzGuard: whatever a line is, and however leniently a server reads what is handed on,
// it sees the one call that the token is for, or none.
func FuzzGuard(f *testing.F) {
	w := newWorld(f, nil)
	roots, err := trust.Parse([]byte(`alice@example.com namespaces="whittle" ` + w.root.Public().AuthorizedKey("")))
	if err != nil {
		f.Fatal(err)
	}
	// Anew for each input, and no memory: the same call is to pass each time.
	v, err := verify.New(server, roots, &verify.Options{AllowReplay: true})
	if err != nil {
		f.Fatal(err)
	}
	req := delegation.Request{Operation: "pay", Resource: "tools/files", Audience: server, Args: map[string]any{"amount": 5, "to": "bob"}}
	invocation, err := attenuate.Invoke(w.held, w.agent, req)
	if err != nil {
		f.Fatal(err)
	}
	const placeholder = "TOKEN"
	call := callWith("1", `{"name":"pay","arguments":{"amount":5,"to":"bob"}}`, placeholder)
	for _, seed := range []string{
		call, call + "\r", "[" + call + "]", call + "\r" + call, call + "\u2028" + call, call + "\x00" + call,
		strings.Replace(call, `"to":"bob"`, `"to":"bob","TO":"eve"`, 1), strings.Replace(call, `"to"`, `"\u0074o"`, 1),
		strings.Replace(call, `"name":"pay"`, `"name":"pay","Name":"delete"`, 1), strings.Replace(call, `"method"`, `"Method":"ping","method"`, 1),
		strings.Replace(call, `5`, `5.0`, 1), strings.Replace(call, `5`, `5e0`, 1), strings.Replace(call, `"params"`, `"params":{"name":"delete"},"params"`, 1),
		`{"jsonrpc":"2.0","id":"x\r{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\"}","method":"ping"}`,
		`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"method":"tools/call","name":"delete"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call\u0000","params":{"name":"delete"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"` + toolcall.MetaKey + `":"TOKEN"}}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_Meta":{"` + toolcall.MetaKey + `":"TOKEN"}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if bytes.ContainsRune(line, '\n') {
			t.Skip()
		}
		guard, err := NewGuard(v, w.mapping, &GuardOptions{Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		line = bytes.ReplaceAll(line, []byte(placeholder), []byte(invocation.Text()))
		toServer, toClient := guard.fromClient(t.Context(), line)
		if len(toServer) > 0 && len(toClient) > 0 {
			t.Fatalf("%q is both handed on and answered", line)
		}
		if len(toServer) == 0 {
			return
		}
		text, ok := bytes.CutSuffix(toServer, []byte("\n"))
		if i := bytes.IndexFunc(text, func(r rune) bool { return r < ' ' || r > '~' }); !ok || i >= 0 {
			t.Fatalf("%q is handed on as %q", line, toServer)
		}
		for _, lastWins := range []bool{true, false} {
			seen, err := lenient(json.NewDecoder(bytes.NewReader(text)), lastWins)
			message, ok := seen.(map[string]any)
			if err != nil || !ok {
				t.Fatalf("%q is handed on as %q: %v", line, text, err)
			}
			method := strings.ToLower(strings.Trim(fmt.Sprint(message["method"]), " \x00\r\t"))
			params, _ := message["params"].(map[string]any)
			meta, _ := params["_meta"].(map[string]any)
			if _, ok := meta[toolcall.MetaKey]; ok && strings.HasPrefix(method, "tools/") {
				t.Fatalf("%q hands the token on: %q", line, text)
			}
			if method != "tools/call" {
				continue
			}
			want := map[string]any{"amount": json.Number("5"), "to": "bob"}
			if params["name"] != "pay" || !reflect.DeepEqual(params["arguments"], want) {
				t.Fatalf("%q is handed on as %q: the call was not decided", line, text)
			}
		}
	})
}

// lenient reads JSON as careless readers do: names in any case, of several of one name the
// first or the last.
func lenient(d *json.Decoder, lastWins bool) (any, error) {
	d.UseNumber()
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := lenient(d, lastWins)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = d.Token()
		return list, err
	case json.Delim('{'):
		object := map[string]any{}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			v, err := lenient(d, lastWins)
			if err != nil {
				return nil, err
			}
			folded := strings.ToLower(fmt.Sprint(name))
			if _, twice := object[folded]; !twice || lastWins {
				object[folded] = v
			}
		}
		_, err = d.Token()
		return object, err
	}
	return t, nil
}

// FuzzServer: no line of the server makes the guard fail, or shows a tool that the client
// is not to see.
func FuzzServer(f *testing.F) {
	w := newWorld(f, nil)
	for _, seed := range []string{
		`{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"read"},{"name":"delete"}]}}`,
		`{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"read","Name":"delete"}]}}`,
		`{"jsonrpc":"2.0","id":1.0,"result":{"tools":[{"name":"delete"}]}}`,
		`{"jsonrpc":"2.0","id":1,"Result":{"tools":[{"name":"delete"}]}}`,
		`{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}`, `{"jsonrpc":"2.0","id":1,"method":"roots/list"}`, `{"id":null,"error":{}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if bytes.ContainsRune(line, '\n') {
			t.Skip()
		}
		guard, err := NewGuard(w.guard.verifier, w.mapping, &GuardOptions{Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		list := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{%q:%q}}}`, toolcall.MetaKey, w.held.Text())
		if toServer, _ := guard.fromClient(t.Context(), []byte(list)); len(toServer) == 0 {
			t.Fatal("the list is not let through")
		}
		toServer, toClient := guard.fromServer(t.Context(), line)
		if len(toServer) > 0 && len(toClient) > 0 {
			t.Fatalf("%q is both handed on and answered", line)
		}
		var message struct {
			ID     json.RawMessage `json:"id"`
			Method *string         `json:"method"`
			Result struct {
				Tools []struct {
					Name string `json:"name"`
				} `json:"tools"`
			} `json:"result"`
		}
		if json.Unmarshal(toClient, &message) != nil || message.Method != nil {
			return
		}
		for _, tool := range message.Result.Tools {
			if tool.Name != "read" && tool.Name != "pay" {
				t.Fatalf("%q shows the tool %q: %q", line, tool.Name, toClient)
			}
		}
	})
}

// FuzzHold: what the client's end sends is what the server's end reads, and for each call it
// signed what is decided on.
func FuzzHold(f *testing.F) {
	w := newWorld(f, nil)
	presented := w.token(`{"name":"pay"}`)
	for _, seed := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pay","arguments":{"amount":5,"rate":1e2}}}`,
		`{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"pay","_meta":{"x":[1.0]},"inputResponses":{"q":1}}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{}}}`, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`,
		`{"jsonrpc":"2.0","id":1,"result":{"x":"\u2028"}}`, `{"jsonrpc":"2.0","method":"notifications/initialized"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if bytes.ContainsRune(line, '\n') {
			t.Skip()
		}
		var signed *delegation.Request
		invoker := invokerFunc(func(_ context.Context, req delegation.Request) (string, error) {
			signed = &req
			return presented, nil
		})
		h, err := NewHold(invoker, w.mapping, &HoldOptions{Held: func() (string, error) { return "whittle:held", nil }, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		toServer, toClient := h.fromClient(t.Context(), line)
		if len(toServer) > 0 && len(toClient) > 0 || signed != nil && len(toServer) == 0 {
			t.Fatalf("%q is both sent and answered, or signed and not sent", line)
		}
		if len(toServer) == 0 {
			return
		}
		m, err := parseMessage(bytes.TrimSuffix(toServer, []byte("\n")))
		if err != nil {
			t.Fatalf("%q is sent as %q: %v", line, toServer, err)
		}
		if again, err := m.write(); err != nil || !bytes.Equal(again, toServer) {
			t.Fatalf("%q is sent as %q, which is handed on as %q, %v", line, toServer, again, err)
		}
		if isCall := m.method == "tools/call" && m.id != ""; isCall != (signed != nil) {
			t.Fatalf("%q is sent as %q: signed %v", line, toServer, signed)
		} else if !isCall {
			return
		}
		c, err := toolcall.ParseCall(m.params)
		if err != nil {
			t.Fatalf("%q is sent as %q: %v", line, toServer, err)
		}
		if raw, err := toolcall.TakeToken(c.Meta); err != nil || raw != presented {
			t.Fatalf("%q is sent as %q: %v", line, toServer, err)
		}
		if req, err := w.mapping.Request(c); err != nil || !reflect.DeepEqual(req, signed) {
			t.Fatalf("%q is sent as %q, which asks for %+v, %v; signed is %+v", line, toServer, req, err, signed)
		}
	})
}

// FuzzLines: lines are what stands between line feeds, whole or not at all.
func FuzzLines(f *testing.F) {
	f.Add([]byte("a\nb\r\n\n\nlong line\nc"), uint8(4), uint8(1))
	f.Add([]byte("000000\n00000"), uint8(4), uint8(3))
	f.Add(bytes.Repeat([]byte("x"), 100), uint8(40), uint8(16))
	f.Fuzz(func(t *testing.T, data []byte, most, chunk uint8) {
		in := &lines{bufio.NewReaderSize(iotest.DataErrReader(&chunks{data, int(chunk) + 1}), 16), int(most)}
		var got [][]byte
		for {
			line, err := in.next()
			if err == io.EOF {
				break
			}
			if errors.Is(err, errTooLong) {
				line = nil
			} else if err != nil {
				t.Fatal(err)
			} else if line == nil {
				line = []byte{}
			}
			got = append(got, bytes.Clone(line))
		}
		want := bytes.Split(data, []byte("\n"))
		if len(want[len(want)-1]) == 0 {
			want = want[:len(want)-1] // nothing follows the last line feed
		}
		if len(got) != len(want) {
			t.Fatalf("%q has %d lines, want %d", data, len(got), len(want))
		}
		for i, line := range want {
			if tooLong := len(line) > int(most); tooLong != (got[i] == nil && len(line) > 0) || !tooLong && !bytes.Equal(got[i], line) {
				t.Fatalf("line %d of %q, at most %d bytes, is read as %q", i, data, most, got[i])
			}
		}
	})
}

// chunks is read a few bytes at a time.
type chunks struct {
	data []byte
	size int
}

func (c *chunks) Read(p []byte) (int, error) {
	if len(c.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.data[:min(c.size, len(c.data))])
	c.data = c.data[n:]
	return n, nil
}
