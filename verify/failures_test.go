package verify_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
)

// Faults that other implementations had, and that are no other test's: see
// spec/failures.md.

// TestCompositesOfBytes: values inside values are compared like any others, whatever
// their type, and nothing panics over them (biscuit-go).
func TestCompositesOfBytes(t *testing.T) {
	for source, want := range map[string]token.Code{
		`check if [hex:00] == [hex:00];`:                                "",
		`check if [hex:00] == [hex:01];`:                                token.CodeCheckFailed,
		`check if {hex:00} == {hex:00};`:                                "",
		`check if {"a": [hex:00]} == {"a": [hex:00]};`:                  "",
		`check if [[hex:00]].contains([hex:00]);`:                       "",
		`check if [hex:00] === [hex:00];`:                               "",
		`check if [hex:00] == [0];`:                                     token.CodeCheckFailed,
		`check if {hex:00, hex:01}.intersection({hex:01}) == {hex:01};`: "",
	} {
		c := add(t, mint(t, good), ci, source, token.SameNext(mint(t, good)))
		if got := decide(t, present(t, c, ci, rotate, nil).Text(), rotate); got != want {
			t.Errorf("%s: %q, want %q", source, got, want)
		}
	}
}

// TestEveryLengthInAToken puts each length from 0 to 100 into every field of bytes of
// a presented token, also into those that the vocabulary knows: none but the right one
// is allowed, and none panics (biscuit-go, over a secret of 31 bytes).
func TestEveryLengthInAToken(t *testing.T) {
	v := verifier(t, forgetful)
	held := mint(t, good)
	presented := present(t, held, ci, rotate, nil)
	blocks, proof := wireBlocks(t, presented.Bytes())
	fields := 0
	walk(presented.Bytes(), nil, func(path []protowire.Number, data []byte) {
		last := path[len(path)-1]
		// SignedBlock.signature, PublicKey.key, Proof.nextSecret and finalSignature.
		if !slices.Contains([]string{"2.3", "3.3", "2.2.2", "3.2.2", "4.1"}, dotted(path)) {
			return
		}
		fields++
		for n := range 101 {
			if n == len(data) {
				continue
			}
			changed := replace(presented.Bytes(), path, func(field []byte) []byte { return withContent(field, fit(data, n)) })
			if code := decideWith(t, v, token.EncodeText(changed), rotate); code == "" {
				t.Errorf("field %d of %v with %d bytes is allowed", last, path, n)
			}
		}
	})
	if fields != 5 {
		t.Errorf("%d fields of bytes were found", fields)
	}
	for n := range 101 {
		sealed := wireToken(blocks, protowire.AppendBytes(protowire.AppendTag(nil, 2, protowire.BytesType), fit(proof, n)))
		if code := decideWith(t, v, sealed, rotate); code == "" {
			t.Errorf("a final signature of %d bytes is allowed", n)
		}
		inv := invocation(t, held, rotate)
		inv.Nonce = bytes.Repeat([]byte("n"), n)
		checked, err := rotate.Check()
		if err != nil {
			t.Fatal(err)
		}
		if inv.Request, err = checked.Digest(held.PrefixHash(1), inv.Nonce); err != nil {
			t.Fatal(err)
		}
		invoked, err := held.Append(ci, inv.Content(), token.WithSecret(token.InvocationKey()))
		if err != nil {
			t.Fatal(err)
		}
		if code := decideWith(t, v, invoked.Text(), rotate); (code == "") != (n >= 16) {
			t.Errorf("a nonce of %d bytes: %q", n, code)
		}
		code := decideWith(t, v, present(t, held, ci, rotate, func(b *datalog.Block) {
			guard := b.Checks[0].Queries[0].Exprs[0].(datalog.Binary)
			was := guard.Right.(datalog.Value).Term.(datalog.Bytes)
			guard.Right = datalog.Value{Term: datalog.Bytes(fit([]byte(was), n))}
			b.Checks[0].Queries[0].Exprs[0] = guard
		}).Text(), rotate)
		if (code == "") != (n == 32) {
			t.Errorf("a request of %d bytes: %q", n, code)
		}
		for name, of := range map[string]func(*datalog.Block){
			"approved": func(b *datalog.Block) { b.Facts[0].Terms[0] = datalog.Bytes(strings.Repeat("a", n)) },
			"parent":   func(b *datalog.Block) { b.Facts[1].Terms[0] = datalog.Bytes(strings.Repeat("p", n)) },
		} {
			c := needing(t, 1, bob)
			content := approval(t, c, rotate)
			of(content)
			if code := decideWith(t, v, present(t, approve(t, c, bob, content), ci, rotate, nil).Text(), rotate); code == "" {
				t.Errorf("%s of %d bytes is allowed", name, n)
			}
		}
	}
}

// TestFieldsAbsentEmptyAndTwice takes every field of a presented token, wherever it
// stands, away, empties it and gives it twice: nothing panics (go-ucan), and nothing
// but the root key id, which is signed by nobody, changes without a denial.
func TestFieldsAbsentEmptyAndTwice(t *testing.T) {
	v := verifier(t, forgetful)
	id := uint32(7)
	root, err := token.Mint(alice, block(t, good), token.HeldBy(ci.Public()), &token.MintOptions{RootKeyID: &id})
	if err != nil {
		t.Fatal(err)
	}
	c := approvedBy(t, add(t, root, ci, approvalChecks(t, 1, bob), token.SameNext(root)), bob)
	presented := present(t, c, ci, rotate, nil)
	expect(t, presented.Text(), rotate, "")
	fields := 0
	walk(presented.Bytes(), nil, func(path []protowire.Number, data []byte) {
		if dotted(path) == "1" {
			return
		}
		fields++
		for name, change := range map[string]func([]byte) []byte{
			"absent": func([]byte) []byte { return nil },
			"empty":  func(field []byte) []byte { return withContent(field, nil) },
			"twice":  func(field []byte) []byte { return append(bytes.Clone(field), field...) },
		} {
			changed := replace(presented.Bytes(), path, change)
			if bytes.Equal(changed, presented.Bytes()) {
				continue
			}
			if code := decideWith(t, v, token.EncodeText(changed), rotate); code == "" {
				t.Errorf("%v %s is allowed", path, name)
			}
		}
	})
	if fields < 100 {
		t.Errorf("only %d fields were found", fields)
	}
	const idBytes = 2
	if code := decideWith(t, v, token.EncodeText(presented.Bytes()[idBytes:]), rotate); code != "" {
		t.Errorf("without its root key id: %q", code)
	}
	doubled := append(bytes.Clone(presented.Bytes()[:idBytes]), presented.Bytes()...)
	if code := decideWith(t, v, token.EncodeText(doubled), rotate); code != token.CodeMalformed {
		t.Errorf("with two root key ids: %q", code)
	}
}

// TestSwappedPrincipals puts each principal of a chain in the place of each other
// (go-ucan took an audience for a subject).
func TestSwappedPrincipals(t *testing.T) {
	const delegator, agent, audience = "alice@example.com", "agent:ci", "svc:certs"
	// Names: whoever the block names instead, it is not allowed.
	for _, other := range []string{agent, audience, ci.Public().String()} {
		held := mint(t, strings.Replace(good, delegator, other, 1))
		if code := decide(t, present(t, held, ci, rotate, nil).Text(), rotate); code != token.CodeUntrustedRoot {
			t.Errorf("delegator %q: %q", other, code)
		}
	}
	for _, other := range []string{delegator, agent, ci.Public().String()} {
		req := request(func(r *delegation.Request) { r.Audience = other })
		held := mint(t, good)
		if code := decide(t, present(t, held, ci, req, nil).Text(), rotate); code != token.CodeAudience {
			t.Errorf("audience %q: %q", other, code)
		}
	}
	for caveat, want := range map[string]token.Code{
		`check all agent($a), $a == "agent:ci";`:                                      "",
		`check all agent($a), $a == "alice@example.com";`:                             token.CodeCheckFailed,
		`check all agent($a), $a == "svc:certs";`:                                     token.CodeCheckFailed,
		`check all agent($a), $a == "agent:runner";`:                                  token.CodeCheckFailed,
		`check all audience($a), ["agent:ci"].contains($a);`:                          token.CodeCheckFailed,
		`check all agent_key($k), ["` + alice.Public().String() + `"].contains($k);`:  token.CodeCheckFailed,
		`check all agent_key($k), ["` + runner.Public().String() + `"].contains($k);`: token.CodeCheckFailed,
		`check all agent_key($k), ["` + ci.Public().String() + `"].contains($k);`:     "",
	} {
		v := verifier(t, func(o *verify.Options) {
			o.Directory = directory(t, agentLine("agent:ci", "", ci), agentLine("agent:runner", "", runner))
		})
		if code := decideWith(t, v, present(t, mint(t, good+caveat), ci, rotate, nil).Text(), rotate); code != want {
			t.Errorf("%s: %q, want %q", caveat, code, want)
		}
	}
	// Keys: whoever signs in another's place.
	keys := map[string]token.PrivateKey{"delegator": alice, "holder": ci, "next": runner, "stranger": mallory}
	for root, by := range keys {
		for holder, invoker := range keys {
			c, err := token.Mint(by, block(t, good), token.HeldBy(ci.Public()), nil)
			if err != nil {
				t.Fatal(err)
			}
			presented, err := c.Append(invoker, invocation(t, c, rotate).Content(), token.WithSecret(token.InvocationKey()))
			if holder != "holder" {
				if err == nil {
					t.Errorf("the %s appends to a token that is held by another", holder)
				}
				continue
			}
			want := token.CodeUntrustedRoot
			if root == "delegator" {
				want = ""
			}
			expect(t, presented.Text(), rotate, want)
		}
	}
	// An approver in the place of a holder, and the other way round.
	c := needing(t, 1, bob)
	if code := decide(t, present(t, approvedBy(t, c, runner), ci, rotate, nil).Text(), rotate); code != token.CodeCheckFailed {
		t.Errorf("approved by somebody else: %q", code)
	}
	if code := decide(t, present(t, approvedBy(t, needing(t, 1, ci), ci), ci, rotate, nil).Text(), rotate); code != token.CodeProfile {
		t.Errorf("approved by the holder: %q", code)
	}
	if code := decide(t, present(t, approvedBy(t, needing(t, 1, alice), alice), ci, rotate, nil).Text(), rotate); code != token.CodeProfile {
		t.Errorf("approved by the delegator: %q", code)
	}
}

// TestEntryPointsAgree: each way to ask a verifier applies every one of its options.
func TestEntryPointsAgree(t *testing.T) {
	held := mint(t, good)
	presented := present(t, held, ci, rotate, nil).Text()
	bearer := mintFor(t, alice, strings.Replace(good, `holder("agent:ci");`, ``, 1), token.WithSecret(mallory)).Text()
	selfApproved := present(t, approvedBy(t, needing(t, 1, ci), ci), ci, rotate, nil).Text()
	deny := func(o *verify.Options) { o.Policy = policy(t, `deny if operation("rotate"); allow if true;`) }
	for name, change := range map[string]func(*verify.Options){
		"none": func(*verify.Options) {}, "policy": deny,
		"MaxTTL": func(o *verify.Options) { o.MaxTTL = 1e9 }, "MaxWindow": func(o *verify.Options) { o.MaxWindow = 1e9 },
		"MaxBlocks": func(o *verify.Options) { o.MaxBlocks = 1 }, "AllowBearer": func(o *verify.Options) { o.AllowBearer = true },
		"AllowApproverInChain": func(o *verify.Options) { o.AllowApproverInChain = true },
		"Limits.Facts":         func(o *verify.Options) { o.Limits.Facts = 1 }, "Limits.Steps": func(o *verify.Options) { o.Limits.Steps = 1 },
		"no memory": func(o *verify.Options) { o.Memory = -1 },
	} {
		for _, text := range []string{presented, bearer, selfApproved, held.Text(), "", presented + "A"} {
			fresh := func() *verify.Verifier {
				return verifier(t, func(o *verify.Options) { o.AllowReplay = true; change(o) })
			}
			want := decideWith(t, fresh(), text, rotate)
			d, err := fresh().VerifyWith(context.Background(), text, rotate, verify.State{})
			if verify.CodeOf(err) != want || d.Code != want {
				t.Errorf("%s: Verify says %q, VerifyWith %q", name, want, verify.CodeOf(err))
			}
			if e := fresh().Explain(context.Background(), text, rotate, verify.Supposition{}); e.Code != want {
				t.Errorf("%s: Verify says %q, Explain %q", name, want, e.Code)
			}
		}
	}
}

func policy(t *testing.T, source string) *datalog.Authorizer {
	t.Helper()
	a, err := datalog.ParseAuthorizer(source, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func fit(data []byte, n int) []byte {
	return append(bytes.Clone(data[:min(n, len(data))]), make([]byte, max(n-len(data), 0))...)
}

func dotted(path []protowire.Number) string {
	parts := make([]string, 0, len(path))
	for _, n := range path {
		parts = append(parts, string(rune('0'+n%1000)))
	}
	return strings.Join(parts, ".")
}

// walk visits every field of a message and of all that reads as a message inside it.
// A path has the field numbers; where one repeats, 1000 more for each before it.
func walk(data []byte, path []protowire.Number, visit func([]protowire.Number, []byte)) {
	seen := map[protowire.Number]protowire.Number{}
	for len(data) > 0 {
		num, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return
		}
		m := protowire.ConsumeFieldValue(num, kind, data[n:])
		if m < 0 {
			return
		}
		at := append(slices.Clone(path), num+1000*seen[num])
		seen[num]++
		if value, _ := protowire.ConsumeBytes(data[n:]); kind == protowire.BytesType {
			visit(at, value)
			if isMessage(value) {
				walk(value, at, visit)
			}
		} else {
			visit(at, nil)
		}
		data = data[n+m:]
	}
}

// isMessage reports whether bytes can be read as a message of a few fields.
func isMessage(data []byte) bool {
	for len(data) > 0 {
		num, _, n := protowire.ConsumeField(data)
		if n < 0 || num > 15 {
			return false
		}
		data = data[n:]
	}
	return true
}

// replace changes the field at a path, tag and all.
func replace(data []byte, path []protowire.Number, change func(field []byte) []byte) []byte {
	var out []byte
	seen := map[protowire.Number]protowire.Number{}
	for len(data) > 0 {
		num, kind, n := protowire.ConsumeTag(data)
		m := protowire.ConsumeFieldValue(num, kind, data[n:])
		here := num+1000*seen[num] == path[0]
		seen[num]++
		switch value, _ := protowire.ConsumeBytes(data[n:]); {
		case !here:
			out = append(out, data[:n+m]...)
		case len(path) > 1:
			out = protowire.AppendBytes(protowire.AppendTag(out, num, kind), replace(value, path[1:], change))
		default:
			out = append(out, change(data[:n+m])...)
		}
		data = data[n+m:]
	}
	return out
}

// withContent returns a field of bytes with other content, and a varint as 0.
func withContent(field, content []byte) []byte {
	num, kind, n := protowire.ConsumeTag(field)
	if kind != protowire.BytesType {
		return append(bytes.Clone(field[:n]), 0)
	}
	return protowire.AppendBytes(protowire.AppendTag(nil, num, kind), content)
}
