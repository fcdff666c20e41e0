package mcpproxy

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/toolcall"
)

// TestCall: a call that the token allows reaches the server without the token, in the one
// spelling of its values.
func TestCall(t *testing.T) {
	w := newWorld(t, nil)
	params := `{ "name" : "pay", "arguments":{"to":"b\u00f6b\u2028","amount":5,"rate":1.50}}`
	token := w.token(params)
	line := fmt.Sprintf(`{"method":"tools/call","params":{"_meta":{"progressToken":7,%q:%q},%s,"id":"a/1","jsonrpc":"2.0"}`, toolcall.MetaKey, token, strings.TrimPrefix(params, "{"))
	toServer, toClient := w.send(line + "\r")
	want := `{"jsonrpc":"2.0","id":"a/1","method":"tools/call","params":{"_meta":{"progressToken":7},"arguments":{"amount":5,"rate":1.5,"to":"b\u00f6b\u2028"},"name":"pay"}}` + "\n"
	if toServer != want || toClient != "" {
		t.Errorf("the server reads %q, the client %q", toServer, toClient)
	}
	if _, toClient := w.answer(`{"result": {"content":[]}, "id":"a/1","jsonrpc":"2.0"}`); toClient != `{"result": {"content":[]}, "id":"a/1","jsonrpc":"2.0"}`+"\n" {
		t.Errorf("the answer is changed: %q", toClient)
	}
	if strings.Contains(w.log.String(), token) {
		t.Error("the log has the token")
	}
}

// TestDenied: a call that the token does not allow does not reach the server, and the
// client is told the code and nothing else.
func TestDenied(t *testing.T) {
	caveat, err := delegation.ParseCaveat("arg amount 1..100")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, nil, caveat, delegation.ArgUnset{Arg: "force"})
	used := w.call("1", `{"name":"pay","arguments":{"amount":5}}`)
	if toServer, _ := w.send(used); toServer == "" {
		t.Fatal("the call is not let through")
	}
	w.answer(`{"jsonrpc":"2.0","id":1,"result":{}}`)
	other := newWorld(t, nil)
	for name, c := range map[string]struct {
		line   string
		code   token.Code
		number int
	}{
		"another tool":      {w.call("1", `{"name":"delete"}`), token.CodeCheckFailed, 403},
		"out of range":      {w.call("1", `{"name":"pay","arguments":{"amount":101}}`), token.CodeCheckFailed, 403},
		"no such argument":  {w.call("1", `{"name":"pay"}`), token.CodeCheckFailed, 403},
		"no integer":        {w.call("1", `{"name":"pay","arguments":{"amount":5.0}}`), token.CodeCheckFailed, 403},
		"in another case":   {w.call("1", `{"name":"pay","arguments":{"amount":5,"FORCE":true}}`), token.CodeCheckFailed, 403},
		"twice":             {used, token.CodeReplay, 401},
		"no token":          {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pay","arguments":{"amount":5}}}`, token.CodeNotPresented, 401},
		"a held token":      {callWith("1", `{"name":"pay","arguments":{"amount":5}}`, w.held.Text()), token.CodeNotPresented, 401},
		"another call's":    {callWith("1", `{"name":"pay","arguments":{"amount":6}}`, w.token(`{"name":"pay","arguments":{"amount":5}}`)), token.CodeCheckFailed, 403},
		"another answer":    {callWith("1", `{"name":"pay","arguments":{"amount":6},"inputResponses":{"a":1}}`, w.token(`{"name":"pay","arguments":{"amount":6}}`)), token.CodeCheckFailed, 403},
		"another root":      {other.call("1", `{"name":"pay","arguments":{"amount":5}}`), token.CodeUntrustedRoot, 401},
		"no token's text":   {callWith("1", `{"name":"pay","arguments":{"amount":5}}`, "abc"), token.CodeMalformed, 401},
		"no params":         {`{"jsonrpc":"2.0","id":1,"method":"tools/call"}`, token.CodeCheckFailed, 403},
		"no reading":        {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pay","arguments":{"amount":5,"amount":500}}}`, token.CodeCheckFailed, 403},
		"a name with a CR":  {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pay\r"}}`, token.CodeCheckFailed, 403},
		"two names":         {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pay","Name":"delete"}}`, token.CodeCheckFailed, 403},
		"the key in a case": {strings.Replace(w.call("1", `{"name":"pay","arguments":{"amount":5}}`), toolcall.MetaKey, strings.ToUpper(toolcall.MetaKey), 1), token.CodeMalformed, 401},
	} {
		w.log.Reset()
		toServer, toClient := w.send(c.line)
		id, number, data := failure(t, toClient)
		if toServer != "" || id != "1" || number != c.number || data["code"] != string(c.code) || len(data) != 1 {
			t.Errorf("%s: the server reads %q, the client %q", name, toServer, toClient)
		}
		if want := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"error":{"code":%d,"message":"denied: %s","data":{"code":"%s"}}}`+"\n", c.number, c.code, c.code); toClient != want {
			t.Errorf("%s: the client reads %q", name, toClient)
		}
		if !strings.Contains(w.log.String(), "code="+string(c.code)) {
			t.Errorf("%s: the log says %q", name, w.log.String())
		}
	}
}

// TestPolicyNamesArguments: which arguments the service's own policy speaks of needs no
// saying, so that none slips past it in another case.
func TestPolicyNamesArguments(t *testing.T) {
	w := newWorld(t, nil)
	policy, err := datalog.ParseAuthorizer(`deny if arg("force", $f); allow if true;`, nil)
	if err != nil {
		t.Fatal(err)
	}
	roots, err := trust.Parse([]byte(`alice@example.com namespaces="whittle" ` + w.root.Public().AuthorizedKey("")))
	if err != nil {
		t.Fatal(err)
	}
	if w.guard.verifier, err = verify.New(server, roots, &verify.Options{AllowReplay: true, Policy: policy}); err != nil {
		t.Fatal(err)
	}
	if toServer, toClient := w.send(w.call("1", `{"name":"read","arguments":{"fast":true}}`)); toServer == "" {
		t.Errorf("denied: %s", toClient)
	}
	for params, code := range map[string]token.Code{
		`{"name":"read","arguments":{"force":true}}`: token.CodePolicy,
		`{"name":"read","arguments":{"FORCE":true}}`: token.CodeCheckFailed,
	} {
		toServer, toClient := w.send(w.call("2", params))
		if _, _, data := failure(t, toClient); toServer != "" || data["code"] != string(code) {
			t.Errorf("%s: %q, %v, want %s", params, toServer, data, code)
		}
	}
}

// TestRefused lists lines that are no proper message, or one that is not let through. The
// server reads nothing of them.
func TestRefused(t *testing.T) {
	w := newWorld(t, nil)
	call := w.call("1", `{"name":"pay"}`)
	for _, c := range []struct {
		line   string
		number int // 0 for no answer
	}{
		{"nonsense", parseError}, {"null", parseError}, {`"tools/call"`, parseError}, {"{}", invalidRequest}, {"{", parseError},
		{"[" + call + "]", invalidRequest}, {" \t[" + call + "]", invalidRequest}, {call + call, parseError}, {call + ",", parseError}, {"\ufeff" + call, parseError},
		{call + "\x00", parseError}, {strings.Replace(call, `"pay"`, "\"p\xffy\"", 1), parseError},
		{strings.Replace(call, `"method"`, `"method":"ping","method"`, 1), parseError},
		{strings.Replace(call, `"method"`, `"Method":"ping","method"`, 1), parseError},
		{strings.Replace(call, `"method"`, `"Method"`, 1), invalidRequest},
		{strings.Replace(call, `"method"`, `"method\u0000"`, 1), invalidRequest},
		{strings.Replace(call, `"tools/call"`, `"Tools/Call"`, 1), methodNotFound},
		{strings.Replace(call, `"tools/call"`, `"tools/call "`, 1), methodNotFound},
		{strings.Replace(call, `"tools/call"`, `"tools/call\u0000"`, 1), methodNotFound},
		{strings.Replace(call, `"tools/call"`, `["tools/call"]`, 1), invalidRequest},
		{strings.Replace(call, `"2.0"`, `"1.0"`, 1), invalidRequest}, {strings.Replace(call, `"jsonrpc":"2.0",`, ``, 1), invalidRequest}, {strings.Replace(call, `"2.0"`, `2.0`, 1), invalidRequest},
		{strings.Replace(call, `"id":1`, `"id":null`, 1), invalidRequest}, {strings.Replace(call, `"id":1`, `"id":1.0`, 1), invalidRequest}, {strings.Replace(call, `"id":1`, `"id":1e0`, 1), invalidRequest},
		{strings.Replace(call, `"id":1`, `"id":{}`, 1), invalidRequest}, {strings.Replace(call, `"id":1`, `"id":9007199254740992`, 1), invalidRequest}, {strings.Replace(call, `"id":1`, `"id":"`+strings.Repeat("x", 300)+`"`, 1), invalidRequest},
		{strings.Replace(call, `"id":1`, `"id":1,"result":{}`, 1), invalidRequest}, {strings.Replace(call, `"id":1`, `"id":1,"more":{}`, 1), invalidRequest},
		{strings.Replace(call, `"id":1,`, ``, 1), 0},
		{`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":[]}`, invalidRequest},
		{`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"a":1,"a":2}}`, invalidParams},
		{`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_Meta":{"` + toolcall.MetaKey + `":"x"}}}`, invalidParams},
		{`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":1,"A":2}}`, invalidParams},
		{`{"jsonrpc":"2.0","method":"tools/list"}`, 0}, {`{"jsonrpc":"2.0","method":"ping"}`, 0}, {`{"jsonrpc":"2.0","id":1,"method":"notifications/initialized"}`, methodNotFound},
		{`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"file:///x"}}`, methodNotFound}, {`{"jsonrpc":"2.0","id":1,"method":"prompts/get"}`, methodNotFound},
		{`{"jsonrpc":"2.0","id":1,"method":"tasks/result"}`, methodNotFound}, {`{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}`, 0},
		{`{"jsonrpc":"2.0","id":1,"result":{"roots":[{"uri":"file:///"}]}}`, 0}, {`{"jsonrpc":"2.0","id":1}`, invalidRequest}, {`{"jsonrpc":"2.0","id":1,"result":{},"error":{}}`, invalidRequest},
	} {
		toServer, toClient := w.send(c.line)
		if toServer != "" {
			t.Errorf("%q: the server reads %q", c.line, toServer)
		}
		if c.number == 0 {
			if toClient != "" {
				t.Errorf("%q: the client reads %q", c.line, toClient)
			}
			continue
		}
		if _, number, _ := failure(t, toClient); number != c.number {
			t.Errorf("%q: the client reads %q", c.line, toClient)
		}
	}
	if toServer, _ := w.send(call); toServer == "" {
		t.Error("the call itself is not let through")
	}
}

// TestPasses lists what passes without a decision.
func TestPasses(t *testing.T) {
	w := newWorld(t, &GuardOptions{Allow: []string{"resources/read", "notifications/x"}})
	for i, line := range []string{
		`{"jsonrpc":"2.0","id":%d,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}`,
		`{"jsonrpc":"2.0","id":%d,"method":"server/discover"}`,
		`{"jsonrpc":"2.0","id":%d,"method":"ping"}`,
		`{"jsonrpc":"2.0","id":%d,"method":"resources/read","params":{"uri":"x"}}`,
		`{"jsonrpc":"2.0","method":"notifications/initialized"}`,
		`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`,
		`{"jsonrpc":"2.0","method":"notifications/x"}`,
	} {
		if strings.Contains(line, "%d") {
			line = fmt.Sprintf(line, i)
		}
		if toServer, toClient := w.send(line); toServer != line+"\n" || toClient != "" {
			t.Errorf("%s: the server reads %q, the client %q", line, toServer, toClient)
		}
	}
	for _, method := range []string{"tools/call", "Tools/Call", " tools/list", ""} {
		if _, err := NewGuard(w.guard.verifier, w.mapping, &GuardOptions{Allow: []string{method}}); err == nil {
			t.Errorf("%q is let through", method)
		}
	}
}

// TestIDs: an id is used once at a time, and a refused call uses no invocation up.
func TestIDs(t *testing.T) {
	w := newWorld(t, nil)
	call := w.call("5", `{"name":"pay"}`)
	if toServer, _ := w.send(`{"jsonrpc":"2.0","id":5,"method":"tools/list"}`); toServer == "" {
		t.Fatal("the list is not let through")
	}
	for _, line := range []string{call, `{"jsonrpc":"2.0","id":5,"method":"ping"}`, `{"jsonrpc":"2.0","id":5,"method":"tools/list"}`} {
		if toServer, toClient := w.send(line); toServer != "" || !strings.Contains(toClient, "-32600") {
			t.Errorf("%s: the server reads %q, the client %q", line, toServer, toClient)
		}
	}
	if toServer, _ := w.send(`{"jsonrpc":"2.0","id":"5","method":"ping"}`); toServer == "" {
		t.Error("the string 5 is taken for the number")
	}
	w.answer(`{"jsonrpc":"2.0","id":5,"result":{"tools":[]}}`)
	if toServer, toClient := w.send(call); toServer == "" {
		t.Errorf("the invocation is used up: %s", toClient)
	}
	for i := range maxPending {
		w.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"ping"}`, i+10))
	}
	if toServer, _ := w.send(`{"jsonrpc":"2.0","id":9,"method":"ping"}`); toServer != "" || len(w.guard.pending) != maxPending {
		t.Errorf("%d requests wait for an answer", len(w.guard.pending))
	}
}

// TestCancelled: a request that was cancelled, which servers do not answer, is not waited for;
// whoever answers it all the same is not heard.
func TestCancelled(t *testing.T) {
	w := newWorld(t, nil)
	for i := range maxPending + 1 {
		if toServer, toClient := w.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/list"}`, i)); toServer == "" {
			t.Fatalf("request %d: %s", i, toClient)
		}
		cancel := fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"reason":"x","requestId":%d}}`, i)
		if toServer, _ := w.send(cancel); toServer != cancel+"\n" {
			t.Fatalf("the server reads %q", toServer)
		}
	}
	for _, line := range []string{`{}`, `{"requestId":[]}`, `{"requestId":"0"}`, `{"requestId":7}`} {
		w.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":` + line + `}`)
	}
	if len(w.guard.pending) != 0 {
		t.Errorf("%d requests wait for an answer", len(w.guard.pending))
	}
	late := `{"jsonrpc":"2.0","id":0,"result":{"tools":[{"name":"delete"}]}}`
	if _, toClient := w.answer(late); toClient != "" {
		t.Errorf("the client reads %q", toClient)
	}
	// Nor does it reach the client as the answer to something else.
	for _, late := range []string{late, strings.Replace(late, "tools", "Tools", 1), strings.Replace(late, "tools", `tools":1,"tools`, 1)} {
		w.send(`{"jsonrpc":"2.0","id":0,"method":"ping"}`)
		if _, toClient := w.answer(late); strings.Contains(toClient, "delete") {
			t.Errorf("the client reads %q", toClient)
		}
	}
}

// TestPendingTokens: what is kept of lists that were not answered is small: no text that is
// no token, and of tokens no more than a bound.
func TestPendingTokens(t *testing.T) {
	w := newWorld(t, nil)
	list := func(id int, token string) (toServer, toClient string) {
		return w.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/list","params":{"_meta":{%q:%q}}}`, id, toolcall.MetaKey, token))
	}
	for _, text := range []string{"abc", strings.Repeat("A", 3<<20)} {
		if toServer, toClient := list(0, text); toServer != "" || !strings.Contains(toClient, "denied: malformed") {
			t.Errorf("the server reads %q, the client %q", toServer, toClient)
		}
	}
	held := w.held.Text()
	most := maxPendingText / len(held)
	for id := range most {
		if toServer, toClient := list(id, held); toServer == "" {
			t.Fatalf("list %d: %s", id, toClient)
		}
	}
	if toServer, toClient := list(most, held); toServer != "" || !strings.Contains(toClient, "-32600") {
		t.Errorf("the server reads %q, the client %q", toServer, toClient)
	}
	w.answer(`{"jsonrpc":"2.0","id":0,"result":{"tools":[]}}`)
	w.send(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`)
	for _, id := range []int{0, 1} {
		if toServer, toClient := list(id, held); toServer == "" {
			t.Errorf("list %d: %s", id, toClient)
		}
	}
}

// TestServerAsks: what the server asks of the client passes by name only, and so does the
// answer, once.
func TestServerAsks(t *testing.T) {
	w := newWorld(t, nil)
	roots := `{"jsonrpc":"2.0","id":0,"method":"roots/list"}`
	toServer, toClient := w.answer(roots)
	if _, number, _ := failure(t, toServer); number != methodNotFound || toClient != "" {
		t.Errorf("the server reads %q, the client %q", toServer, toClient)
	}
	reply := `{"jsonrpc":"2.0","id":0,"result":{"roots":[{"uri":"file:///"}]}}`
	if toServer, _ := w.send(reply); toServer != "" {
		t.Errorf("the server reads %q", toServer)
	}
	w = newWorld(t, &GuardOptions{Allow: []string{"roots/list"}})
	if toServer, toClient := w.answer(roots); toServer != "" || toClient != roots+"\n" {
		t.Errorf("the server reads %q, the client %q", toServer, toClient)
	}
	if toServer, _ := w.answer(roots); !strings.Contains(toServer, "-32600") {
		t.Errorf("an id is used twice at a time: %q", toServer)
	}
	if toServer, _ := w.send(reply); toServer != reply+"\n" {
		t.Errorf("the server reads %q", toServer)
	}
	if toServer, _ := w.send(reply); toServer != "" {
		t.Error("a second answer is let through")
	}
	for i := range maxPending + 1 {
		if toServer, _ := w.answer(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"roots/list"}`, i)); toServer != "" {
			t.Fatalf("request %d: the server reads %q", i, toServer)
		}
		w.answer(fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%d}}`, i))
	}
	if toServer, toClient := w.send(reply); toServer != "" || toClient != "" {
		t.Errorf("late: the server reads %q, the client %q", toServer, toClient)
	}
}

// TestList: of the tools, a client is shown those that its token's holder could call.
func TestList(t *testing.T) {
	caveat, err := delegation.ParseCaveat("arg amount 1..100")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, nil, caveat)
	list := func(w *world, meta, result string) (toServer, toClient string) {
		params := ""
		if meta != "" {
			params = fmt.Sprintf(`,"params":{"_meta":{%q:%s},"cursor":"c"}`, toolcall.MetaKey, meta)
		}
		toServer, toClient = w.send(`{"jsonrpc":"2.0","id":1,"method":"tools/list"` + params + `}`)
		if toClient != "" {
			return toServer, toClient
		}
		if strings.Contains(toServer, "whittle") {
			t.Errorf("the server reads the token: %q", toServer)
		}
		_, toClient = w.answer(`{"jsonrpc":"2.0","id":1,"result":` + result + `}`)
		return toServer, toClient
	}
	quote := func(s string) string { return `"` + s + `"` }
	const all = `{"tools":[{"name":"read","inputSchema":{"maximum":1e999}},{"name":"pay"},{"name":"delete"},{"name":"x\n"}],"nextCursor":"d","cacheScope":"public"}`
	const shown = `{"jsonrpc":"2.0","id":1,"result":{"cacheScope":"private","nextCursor":"d","tools":[{"name":"read","inputSchema":{"maximum":1e999}},{"name":"pay"}]}}` + "\n"
	const none = `{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}` + "\n"
	toServer, toClient := list(w, quote(w.held.Text()), all)
	if toClient != shown || toServer != `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"c"}}`+"\n" {
		t.Errorf("the server reads %q, the client %q", toServer, toClient)
	}
	some := `{"tools":[{"name":"read"}]}`
	for name, meta := range map[string]string{
		"no token": "", "an invocation": quote(w.token(`{"name":"read"}`)), "another root": quote(newWorld(t, nil).held.Text()),
	} {
		if _, toClient := list(w, meta, some); toClient != none {
			t.Errorf("%s: %q", name, toClient)
		}
	}
	if _, toClient := list(w, "5", some); !strings.Contains(toClient, "malformed") {
		t.Errorf("a token that is no string: %q", toClient)
	}
	for _, broken := range []string{`{}`, `{"tools":{}}`, `{"tools":[5]}`, `{"tools":[{}]}`, `{"tools":[{"name":5}]}`, `{"tools":[],"Tools":[{"name":"delete"}]}`, `[]`, `{"tools":[{"name":"read","name":"delete"}]}`} {
		if _, toClient := list(w, quote(w.held.Text()), broken); strings.Contains(toClient, "delete") || !strings.Contains(toClient, "-32603") {
			t.Errorf("%s: %q", broken, toClient)
		}
	}
	for answer, want := range map[string]string{
		`{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"},"Result":{"tools":[{"name":"delete"}]}}`: `{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}` + "\n",
		`{"jsonrpc":"2.0","id":1,"Result":{"tools":[{"name":"delete"}]}}`:                                  "",
	} {
		w.send(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
		if _, toClient := w.answer(answer); toClient != want {
			t.Errorf("%s: %q", answer, toClient)
		}
	}
	open := newWorld(t, &GuardOptions{AllowListing: true})
	if _, toClient := list(open, "", some); !strings.Contains(toClient, "read") {
		t.Errorf("listing is allowed: %q", toClient)
	}
	if _, toClient := list(open, quote(w.held.Text()), some); toClient != none {
		t.Errorf("listing is allowed, and the token is of another root: %q", toClient)
	}
}

// TestServerLines: what the server writes reaches the client as it is, unless it answers
// nothing.
func TestServerLines(t *testing.T) {
	w := newWorld(t, nil)
	for _, line := range []string{
		`{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"é"}}` + "\r",
		`{"id":null,"error":{"code":-32700,"message":"x"},"jsonrpc":"2.0"}`,
	} {
		if _, toClient := w.answer(line); toClient != line+"\n" {
			t.Errorf("%q becomes %q", line, toClient)
		}
	}
	for _, line := range []string{
		"Server started", `{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"delete"}]}}`, `{"jsonrpc":"2.0","id":null,"result":{}}`,
		`{"jsonrpc":"2.0","id":1,"id":7,"result":{}}`, `{"jsonrpc":"2.0","result":{}}`, `{"jsonrpc":"2.0","id":[],"method":"ping"}`,
	} {
		if toServer, toClient := w.answer(line); toServer != "" || toClient != "" {
			t.Errorf("%q: the server reads %q, the client %q", line, toServer, toClient)
		}
	}
}

// TestState: what the owner of the server says counts, and that it cannot be said denies.
func TestState(t *testing.T) {
	ticket := verify.State{Context: map[string]any{"ticket": "T-1"}}
	var failed error
	w := newWorld(t, &GuardOptions{State: func() (verify.State, error) { return ticket, failed }}, delegation.Context("ticket", "T-1"))
	if toServer, toClient := w.send(w.call("1", `{"name":"pay"}`)); toServer == "" {
		t.Errorf("denied: %s", toClient)
	}
	failed = errors.New("nobody knows")
	if _, toClient := w.send(w.call("2", `{"name":"pay"}`)); !strings.Contains(toClient, "denied: unavailable") {
		t.Errorf("the client reads %q", toClient)
	}
	failed, ticket = nil, verify.State{}
	if _, toClient := w.send(w.call("3", `{"name":"pay"}`)); !strings.Contains(toClient, "denied: check_failed") {
		t.Errorf("the client reads %q", toClient)
	}
}

// TestMissingApproval: a client is told which approvals its own token demands, where
// nothing else is missing.
func TestMissingApproval(t *testing.T) {
	bob, carol := key(t), key(t)
	approvals, err := delegation.Approvals(2, bob.Public(), carol.Public())
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, nil, approvals...)
	_, toClient := w.send(w.call("1", `{"name":"pay"}`))
	if _, _, data := failure(t, toClient); data["code"] != "check_failed" || len(data["needs"].([]any)) == 0 || !strings.Contains(toClient, bob.Public().String()) {
		t.Errorf("the client reads %q", toClient)
	}
	_, toClient = w.send(w.call("1", `{"name":"delete"}`))
	if _, _, data := failure(t, toClient); len(data) != 1 {
		t.Errorf("the client reads %q", toClient)
	}
}
