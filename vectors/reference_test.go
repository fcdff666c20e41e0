package vectors_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/whittle-auth/whittle/vectors"
	"github.com/whittle-auth/whittle/vectors/interop"
	"google.golang.org/protobuf/encoding/protowire"
)

// beyondReference nest deeper than the reference reads: spec/wire.md.
var beyondReference = []string{"limit-nesting", "limit-nesting-maps", "limit-parentheses"}

// TestReferenceAcceptsWire holds the accepted wire vectors against the reference
// implementation: it verifies each and prints the same source. What it says to
// the others is its own affair, as it is laxer, except that no token with a bad
// signature may pass.
func TestReferenceAcceptsWire(t *testing.T) {
	oracle := interop.Start(t)
	cases, err := vectors.Wire()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		d, err := oracle.Authorize(interop.Authorize{Token: interop.Hex(c.Token), RootPublic: c.Root, Authorizer: "allow if true"})
		switch {
		case c.Expect == "signature" && (err != nil || d.Result.Class != interop.Failed || len(d.Blocks) > 0):
			t.Errorf("%s: the reference does not refuse the signature: %v, %s", c.Name, err, d.Result.JSON)
		case c.Expect != "ok":
		case slices.Contains(beyondReference, c.Name):
			if err != nil || len(d.Blocks) > 0 {
				t.Errorf("%s: the reference no longer refuses the token: %v", c.Name, err)
			}
		case err != nil || len(d.Blocks) == 0:
			t.Errorf("%s: the reference refuses the token: %v, %s", c.Name, err, d.Result.JSON)
		case c.Source != nil && !slices.Equal(c.Source, d.Blocks):
			t.Errorf("%s: the reference prints %q, want %q", c.Name, d.Blocks, c.Source)
		}
	}
}

// allowedByReference are denied by a rule that the reference does not have: of
// evaluation (spec/evaluation.md), or of what is stated to whom (spec/request.md).
var allowedByReference = []string{
	"evaluate-reject-if-second", "arg-unset-float", "arg-unset-float-inside", "arg-none-float", "arg-pointer-of-hop",
}

// TestReferenceDecidesDelegation gives the reference what a verifier states for
// each request. The Datalog of an allowed token must hold there. Of a denial by
// caveat, expiry or audience the Datalog alone must make one; and where the form
// is refused, the token must at least be whole, or the vector shows nothing.
func TestReferenceDecidesDelegation(t *testing.T) {
	oracle := interop.Start(t)
	cases, err := vectors.Delegation()
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, c := range cases {
		token, ok := decodeText(c.Token)
		if !ok || strings.HasPrefix(c.Token, "whittle:") || slices.Contains([]string{"malformed", "untrusted_root", "not_presented", ""}, c.Expect.Code) && !c.Expect.Allowed {
			continue
		}
		compared++
		d := decide(t, oracle, c, token)
		switch code := c.Expect.Code; {
		case c.Expect.Allowed:
			if d.Result.Class != interop.Allowed {
				t.Errorf("%s: allowed, but the reference says %s", c.Name, d.Result.JSON)
			}
		case code == "signature":
			if d.Result.Class != interop.Failed || len(d.Blocks) > 0 {
				t.Errorf("%s: the reference does not refuse the signature: %s", c.Name, d.Result.JSON)
			}
		case slices.Contains(allowedByReference, c.Name):
			if d.Result.Class != interop.Allowed {
				t.Errorf("%s: the reference no longer differs: %s", c.Name, d.Result.JSON)
			}
		case strings.HasPrefix(c.Name, "caveat-unreadable-"), c.Name == "caveat-cidr-told-to-another":
			// A verifier refuses to decide, where the Datalog alone finds nothing to
			// reject; and it tells a block what it asks for, where this test tells all.
			if d.Result.Class != interop.Allowed {
				t.Errorf("%s: the Datalog denies by itself: %s", c.Name, d.Result.JSON)
			}
		case code == "check_failed", code == "expired", code == "audience":
			if d.Result.Class != interop.Denied {
				t.Errorf("%s: the Datalog does not deny: %s", c.Name, d.Result.JSON)
			}
		case len(d.Blocks) == 0:
			t.Errorf("%s: the token is broken, not only refused for %s: %s", c.Name, code, d.Result.JSON)
		}
	}
	if compared == 0 {
		t.Fatal("no vector was compared")
	}
}

// decide asks the reference under each key of the trust file and returns the
// first answer in which block 0 verifies, or else the last.
func decide(t *testing.T, oracle *interop.Oracle, c vectors.DelegationCase, token container) interop.Decision {
	t.Helper()
	var d interop.Decision
	for _, root := range rootKeys(t, c.Trust) {
		var err error
		d, err = oracle.Authorize(interop.Authorize{Token: token.bytes, RootPublic: root, Authorizer: authorizer(t, c, token)})
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		if len(d.Blocks) > 0 {
			return d
		}
	}
	return d
}

// A container is a token taken apart: its SignedBlock messages and their nextKeys.
type container struct {
	bytes  []byte
	blocks [][]byte
	next   []string
}

func decodeText(text string) (container, bool) {
	text = strings.TrimPrefix(strings.TrimPrefix(text, "whittle:"), "biscuit:")
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil || len(b) == 0 {
		return container{}, false
	}
	token := container{bytes: b}
	each(b, func(num protowire.Number, value []byte) {
		if num != 2 && num != 3 {
			return
		}
		token.blocks = append(token.blocks, value)
		each(value, func(num protowire.Number, value []byte) {
			if num == 2 {
				token.next = append(token.next, keyText(value))
			}
		})
	})
	return token, true
}

// each calls f with the fields of a message; varints are passed without value.
func each(b []byte, f func(protowire.Number, []byte)) {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return
		}
		b = b[n:]
		m := protowire.ConsumeFieldValue(num, typ, b)
		if m < 0 {
			return
		}
		var value []byte
		if typ == protowire.BytesType {
			value, _ = protowire.ConsumeBytes(b)
		}
		f(num, value)
		b = b[m:]
	}
}

func keyText(message []byte) string {
	var text string
	each(message, func(num protowire.Number, value []byte) {
		if num == 2 {
			text = "ed25519/" + hex.EncodeToString(value)
			if len(value) == 33 {
				text = "secp256r1/" + hex.EncodeToString(value)
			}
		}
	})
	return text
}

// authorizer states the facts of the request, as far as the vectors ask for them.
func authorizer(t *testing.T, c vectors.DelegationCase, token container) string {
	t.Helper()
	var code strings.Builder
	fact := func(name string, terms ...string) { fmt.Fprintf(&code, "%s(%s);\n", name, strings.Join(terms, ", ")) }

	now := c.Now.UTC()
	fact("time", now.Format("2006-01-02T15:04:05Z"))
	fact("weekday", strconv.Itoa((int(now.Weekday())+6)%7+1))
	fact("minute", strconv.Itoa(now.Hour()*60+now.Minute()))
	fact("operation", quote(c.Request.Operation))
	for _, r := range c.Request.Resources {
		fact("resource", quote(r))
	}
	fact("audience", quote(c.Service))
	fact("action", "hex:"+hex.EncodeToString(actionDigest(t, c)))
	arguments(fact, "", c.Request.Args)
	derived(fact, c.Request.Args)

	last := len(token.blocks) - 1
	holders := slices.Compact(slices.Clone(token.next[:max(last, 1)]))
	fact("agent_key", quote(holders[len(holders)-1]))
	fact("depth", strconv.Itoa(len(holders)-1))
	if nonce := nonceOf(token.blocks[last]); nonce != nil && !strings.HasPrefix(c.Name, "session-") { // of a session no request is stated
		fact("request", "hex:"+hex.EncodeToString(requestDigest(t, c, token.blocks[:last], nonce)))
	}
	surroundings(t, fact, c, holders[len(holders)-1])
	code.WriteString("allow if true;\n")
	return code.String()
}

// plainURL is a URL of which no reader doubts the host.
var plainURL = regexp.MustCompile(`^(?:https?|wss?)://((?:[a-z0-9-]+\.)*[a-z0-9-]*[a-z0-9])(?::[1-9][0-9]{0,3})?(?:[/?#][^\s\\]*)?$`)

// derived states addresses and hosts at the top of the arguments.
func derived(fact func(string, ...string), args map[string]any) {
	for name, v := range args {
		text, _ := v.(string)
		if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
			family, bits := "6:", ""
			if a = a.Unmap(); a.Is4() {
				family = "4:"
			}
			for _, octet := range a.AsSlice() {
				bits += fmt.Sprintf("%08b", octet)
			}
			fact("arg_ip", quote(name), quote(family+bits))
		}
		if m := plainURL.FindStringSubmatch(text); m != nil {
			fact("arg_host", quote(name), quote(m[1]))
		}
	}
}

// surroundings states what the service knows besides the request. The agent's name is
// stated where each line of the directory that has the key counts, now, and names
// the same agent.
func surroundings(t *testing.T, fact func(string, ...string), c vectors.DelegationCase, agentKey string) {
	t.Helper()
	for name, v := range c.Context {
		if text, ok := term(v); ok {
			fact("context", quote(name), text)
		}
	}
	if kind, value, ok := strings.Cut(c.Channel, ":"); ok {
		fact("channel", quote(kind), "hex:"+value)
	}
	for _, f := range c.Facts {
		var terms []string
		for _, v := range f.Terms {
			text, _ := term(v)
			terms = append(terms, text)
		}
		fact(f.Name, terms...)
	}
	if c.AllowBearer {
		return
	}
	names := map[string]bool{}
	for line := range strings.Lines(c.Directory) {
		before := regexp.MustCompile(`valid-before="(\d{8})Z"`).FindStringSubmatch(line)
		after := regexp.MustCompile(`valid-after="(\d{8})Z"`).FindStringSubmatch(line)
		today := c.Now.UTC().Format("20060102")
		if !strings.Contains(line, "whittle-agent") || before != nil && before[1] < today || after != nil && after[1] > today {
			continue
		}
		if rootKeys(t, line)[0] == agentKey {
			for _, name := range strings.Split(strings.Fields(line)[0], ",") {
				names[name] = true
			}
		}
	}
	if len(names) == 1 {
		for name := range names {
			fact("agent", quote(name))
		}
	}
}

// arguments states those values that are terms, and those inside maps and arrays
// under their JSON pointers.
func arguments(fact func(string, ...string), pointer string, v any) {
	if pointer != "" {
		if text, ok := term(v); ok {
			fact("arg", quote(pointer), text)
		}
	}
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			if text, ok := term(e); ok && pointer == "" {
				fact("arg", quote(k), text)
			}
			arguments(fact, pointer+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(k), e)
		}
	case []any:
		for i, e := range v {
			arguments(fact, pointer+"/"+strconv.Itoa(i), e)
		}
	}
}

// term writes a JSON value as a term. Floats have none; an empty map has one, but
// the reference's parser does not read it.
func term(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "null", true
	case bool:
		return strconv.FormatBool(v), true
	case string:
		return quote(v), true
	case json.Number:
		_, err := strconv.ParseInt(v.String(), 10, 64)
		return v.String(), err == nil
	case []any:
		var elems []string
		for _, e := range v {
			text, ok := term(e)
			if !ok {
				return "", false
			}
			elems = append(elems, text)
		}
		return "[" + strings.Join(elems, ", ") + "]", true
	case map[string]any:
		if len(v) == 0 {
			return "", false
		}
		var entries []string
		for k, e := range v {
			text, ok := term(e)
			if !ok {
				return "", false
			}
			entries = append(entries, quote(k)+": "+text)
		}
		return "{" + strings.Join(entries, ", ") + "}", true
	}
	return "", false
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// nonceOf finds the bytes of the first fact of a block that is one byte string
// under the default symbol nonce, number 26.
func nonceOf(signed []byte) []byte {
	var nonce []byte
	payload := signed
	each(signed, func(num protowire.Number, value []byte) {
		if num == 1 {
			payload = value
		}
	})
	each(payload, func(num protowire.Number, value []byte) {
		if num != 4 {
			return
		}
		each(value, func(_ protowire.Number, predicate []byte) {
			if !bytes.HasPrefix(predicate, []byte{1 << 3, 26}) {
				return
			}
			each(predicate, func(num protowire.Number, value []byte) {
				if num == 2 && len(value) > 0 && value[0] == 5<<3|2 {
					nonce, _ = protowire.ConsumeBytes(value[1:])
				}
			})
		})
	})
	return nonce
}

// requestDigest computes the digest with a CBOR library, not with the
// generator's own writer.
func requestDigest(t *testing.T, c vectors.DelegationCase, held [][]byte, nonce []byte) []byte {
	t.Helper()
	prefix := sha256.New()
	prefix.Write([]byte("whittle/1 prefix\x00"))
	for _, b := range held {
		prefix.Write(binary.BigEndian.AppendUint32(nil, uint32(len(b))))
		prefix.Write(b)
	}
	args := c.Request.Args
	if args == nil {
		args = map[string]any{}
	}
	body := canonical(t, []any{c.Request.Operation, c.Request.Resources, c.Service, nonce, numbers(args), nil})
	h := sha256.New()
	h.Write([]byte("whittle/1 request\x00"))
	h.Write(prefix.Sum(nil))
	h.Write(body)
	return h.Sum(nil)
}

// actionDigest is what approvers approve.
func actionDigest(t *testing.T, c vectors.DelegationCase) []byte {
	t.Helper()
	args := c.Request.Args
	if args == nil {
		args = map[string]any{}
	}
	h := sha256.New()
	h.Write([]byte("whittle/1 action\x00"))
	h.Write(canonical(t, []any{c.Request.Operation, c.Request.Resources, c.Service, numbers(args), nil}))
	return h.Sum(nil)
}

func canonical(t *testing.T, v any) []byte {
	t.Helper()
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	b, err := mode.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// numbers replaces JSON numbers by integers and floats.
func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return i
		}
		f, err := v.Float64()
		if err != nil {
			return nil
		}
		return f
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			out[k] = numbers(e)
		}
		return out
	case []any:
		out := []any{}
		for _, e := range v {
			out = append(out, numbers(e))
		}
		return out
	}
	return v
}

// rootKeys are the keys of a trust file, in the text form.
func rootKeys(t *testing.T, trust string) []string {
	t.Helper()
	var keys []string
	for line := range strings.Lines(trust) {
		fields := strings.Fields(line)
		if len(fields) < 2 || strings.HasPrefix(line, "#") {
			continue
		}
		blob, err := base64.StdEncoding.DecodeString(fields[len(fields)-1])
		if err != nil {
			t.Fatalf("trust line %q: %v", line, err)
		}
		// The key is the last string of the blob: 32 bytes of Ed25519, or 04, x, y.
		if fields[len(fields)-2] == "ssh-ed25519" {
			keys = append(keys, "ed25519/"+hex.EncodeToString(blob[len(blob)-32:]))
			continue
		}
		point := blob[len(blob)-65:]
		keys = append(keys, fmt.Sprintf("secp256r1/%02x%x", 2+point[64]&1, point[1:33]))
	}
	if len(keys) == 0 {
		t.Fatalf("no key in %q", trust)
	}
	return keys
}

// TestDigestsAgree computes each digest again, with a CBOR library.
func TestDigestsAgree(t *testing.T) {
	cases, err := vectors.Digests()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		h := sha256.New()
		h.Write([]byte("whittle/1 " + c.Kind + "\x00"))
		var body any
		if c.Body != nil {
			body = []byte(c.Body)
		}
		args := c.Args
		if args == nil {
			args = map[string]any{}
		}
		var want []byte
		switch c.Kind {
		case "prefix":
			for _, b := range c.Blocks {
				h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(b))))
				h.Write(b)
			}
		case "request":
			h.Write(c.Prefix)
			want = canonical(t, []any{c.Operation, c.Resources, c.Audience, []byte(c.Nonce), numbers(args), body})
		case "action":
			want = canonical(t, []any{c.Operation, c.Resources, c.Audience, numbers(args), body})
		}
		if !bytes.Equal(want, c.CBOR) {
			t.Errorf("%s: CBOR %x, want %x", c.Name, c.CBOR, want)
		}
		h.Write(c.CBOR)
		if got := h.Sum(nil); !bytes.Equal(got, c.Digest) {
			t.Errorf("%s: digest %x, want %x", c.Name, c.Digest, got)
		}
	}
}
