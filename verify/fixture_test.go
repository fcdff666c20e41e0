package verify_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify"
	"github.com/whittle-auth/whittle/verify/replay"
)

// tester is what the fixtures need of a *testing.T; rapid's fits too.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
	Logf(format string, args ...any)
}

// now is the time in all tests; the tokens are minted then.
var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// key returns a fixed key of somebody.
func key(owner string) token.PrivateKey { return keyOf(datalog.Ed25519, owner) }

func keyOf(alg datalog.Algorithm, owner string) token.PrivateKey {
	seed := sha256.Sum256([]byte("test key of " + owner))
	k, err := token.NewPrivateKey(alg, seed[:])
	if err != nil {
		panic(err)
	}
	return k
}

var alice, ci, runner, mallory = key("alice"), key("ci"), key("runner"), key("mallory")

// good is a block 0 as it should be. The attacks change it.
const good = `delegator("alice@example.com"); holder("agent:ci");
check all time($t), $t >= 2026-11-23T11:59:30Z;
check all time($t), $t < 2026-11-23T13:00:00Z;
check all resource($r), $r == "payments" || $r.starts_with("payments/");
check all operation($o), ["read", "rotate"].contains($o);`

// rotate is the request that good allows.
var rotate = delegation.Request{
	Operation: "rotate",
	Resource:  "payments/api",
	Args:      map[string]any{"days": 30, "reason": "expiring"},
	Audience:  "svc:certs",
}

func block(t tester, source string) *datalog.Block {
	t.Helper()
	b, err := datalog.ParseBlock(source, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// mint signs any block 0 whatever it says, held by CI.
func mint(t tester, source string) token.Chain {
	t.Helper()
	return mintFor(t, alice, source, token.HeldBy(ci.Public()))
}

func mintFor(t tester, root token.Signer, source string, next token.Next) token.Chain {
	t.Helper()
	c, err := token.Mint(root, block(t, source), next, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// add appends any block.
func add(t tester, c token.Chain, holder token.Signer, source string, next token.Next) token.Chain {
	t.Helper()
	longer, err := c.Append(holder, block(t, source), next)
	if err != nil {
		t.Fatal(err)
	}
	return longer
}

// present invokes a request without asking whether the token is any good. The
// change, where there is one, is made to the invocation's block before it is
// signed.
func present(t tester, c token.Chain, holder token.Signer, req delegation.Request, change func(*datalog.Block)) token.Chain {
	t.Helper()
	content := invocation(t, c, req).Content()
	if change != nil {
		change(content)
	}
	presented, err := c.Append(holder, content, token.WithSecret(token.InvocationKey()))
	if err != nil {
		t.Fatal(err)
	}
	return presented
}

func invocation(t tester, c token.Chain, req delegation.Request) *delegation.Invocation {
	t.Helper()
	checked, err := req.Check()
	if err != nil {
		t.Fatal(err)
	}
	inv := &delegation.Invocation{
		Nonce:     []byte("sixteen bytes or"),
		Audience:  req.Audience,
		NotBefore: uint64(now.Add(-delegation.Skew).Unix()),
		Expires:   uint64(now.Add(attenuate.Window).Unix()),
	}
	if inv.Request, err = checked.Digest(c.PrefixHash(len(c.Blocks())), inv.Nonce); err != nil {
		t.Fatal(err)
	}
	return inv
}

// roots trusts Alice's key for her name.
func roots(t tester, lines ...string) *trust.Roots {
	t.Helper()
	if len(lines) == 0 {
		lines = []string{trustLine("alice@example.com", alice)}
	}
	source := ""
	for _, l := range lines {
		source += l + "\n"
	}
	r, err := trust.Parse([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func trustLine(principals string, k token.PrivateKey) string {
	return principals + ` namespaces="whittle" ` + k.Public().AuthorizedKey("")
}

func verifier(t tester, change func(*verify.Options)) *verify.Verifier {
	t.Helper()
	o := &verify.Options{Now: func() time.Time { return now }}
	if change != nil {
		change(o)
	}
	if o.Replay == nil && !o.AllowReplay {
		o.Replay = firstStart(t)
	}
	v, err := verify.New("svc:certs", roots(t), o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// firstStart is the memory of a service at which nothing was ever used, so that the
// tests need not wait for their invocations to begin after it.
func firstStart(t tester) replay.Store {
	t.Helper()
	m, err := replay.NewMemory(now, &replay.Options{FirstStart: true})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// forgetful is for tests that present a token many times and are not about that.
func forgetful(o *verify.Options) { o.AllowReplay = true }

// decide verifies with the plain verifier and returns the code, empty when
// allowed. It fails the test if error and decision disagree.
func decide(t tester, text string, req delegation.Request) token.Code {
	t.Helper()
	return decideWith(t, verifier(t, nil), text, req)
}

func decideWith(t tester, v *verify.Verifier, text string, req delegation.Request) token.Code {
	t.Helper()
	d, err := v.Verify(context.Background(), text, req)
	if d == nil {
		t.Fatal("no decision")
	}
	if d.Allowed != (err == nil) || d.Code != verify.CodeOf(err) {
		t.Fatalf("decision says allowed=%v code=%q, error says %q: %v", d.Allowed, d.Code, verify.CodeOf(err), err)
	}
	if err != nil && len(d.Reasons) == 0 {
		t.Fatalf("denied without a reason: %v", err)
	}
	if denied, ok := errors.AsType[*verify.Denied](err); ok && denied.Decision != d {
		t.Fatal("the error carries another decision")
	}
	if err != nil {
		t.Logf("denied: %v", err)
	}
	return d.Code
}

// expect fails the test unless the token is decided on with the code.
func expect(t tester, text string, req delegation.Request, want token.Code) {
	t.Helper()
	if got := decide(t, text, req); got != want {
		t.Errorf("code %q, want %q", got, want)
	}
}

// wireBlocks takes a token apart into the SignedBlock messages and the proof.
func wireBlocks(t tester, data []byte) (blocks [][]byte, proof []byte) {
	t.Helper()
	for len(data) > 0 {
		num, _, n := protowire.ConsumeTag(data)
		value, m := protowire.ConsumeBytes(data[n:])
		if n < 0 || m < 0 {
			t.Fatal("not a token without a root key id")
		}
		if num == 4 {
			proof = value
		} else {
			blocks = append(blocks, value)
		}
		data = data[n+m:]
	}
	return blocks, proof
}

// wireToken puts a token together.
func wireToken(blocks [][]byte, proof []byte) string {
	var data []byte
	for i, b := range blocks {
		data = protowire.AppendTag(data, protowire.Number(min(2+i, 3)), protowire.BytesType)
		data = protowire.AppendBytes(data, b)
	}
	data = protowire.AppendTag(data, 4, protowire.BytesType)
	data = protowire.AppendBytes(data, proof)
	return token.EncodeText(data)
}

// request changes a copy of the good request.
func request(change func(*delegation.Request)) delegation.Request {
	req := rotate
	change(&req)
	return req
}
