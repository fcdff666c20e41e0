package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math"
)

// A digestCase is one entry of digest.json.
type digestCase struct {
	Name        string         `json:"name"`
	Description string         `json:"description"`
	Kind        string         `json:"kind"`
	Blocks      []string       `json:"blocks,omitempty"`
	Prefix      string         `json:"prefix,omitempty"`
	Operation   string         `json:"operation,omitempty"`
	Resources   []string       `json:"resources,omitempty"`
	Audience    string         `json:"audience,omitempty"`
	Nonce       string         `json:"nonce,omitempty"`
	Args        map[string]any `json:"args,omitempty"`
	Body        string         `json:"body,omitempty"`
	CBOR        string         `json:"cbor,omitempty"`
	Digest      string         `json:"digest"`
}

// An action is what a service is asked to do. Body is a digest or nil.
type action struct {
	operation string
	resources []string
	audience  string
	args      map[string]any
	body      []byte
}

func (a action) bodyOrNull() any {
	if a.body == nil {
		return nil
	}
	return a.body
}

func (a action) argsOrEmpty() map[string]any {
	if a.args == nil {
		return map[string]any{}
	}
	return a.args
}

// actionCBOR is what approvers approve.
func (a action) actionCBOR() []byte {
	return cborEncode([]any{a.operation, a.resources, a.audience, a.argsOrEmpty(), a.bodyOrNull()})
}

// requestCBOR is what an invocation binds, beside the token.
func (a action) requestCBOR(nonce []byte) []byte {
	return cborEncode([]any{a.operation, a.resources, a.audience, nonce, a.argsOrEmpty(), a.bodyOrNull()})
}

func (a action) actionDigest() []byte {
	return sum([]byte("whittle/1 action\x00"), a.actionCBOR())
}

func (a action) requestDigest(prefix, nonce []byte) []byte {
	return sum([]byte("whittle/1 request\x00"), prefix, a.requestCBOR(nonce))
}

func sum(parts ...[]byte) []byte {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

func digestCases() []digestCase {
	all := prefixCases()
	plain := action{operation: "rotate", resources: []string{"payments/certs/api"}, audience: "svc:certs"}
	with := func(change func(*action)) action {
		a := plain
		change(&a)
		return a
	}
	args := func(args map[string]any) action { return with(func(a *action) { a.args = args }) }
	body := sha256.Sum256([]byte("a body"))

	for _, c := range []struct {
		name, description string
		a                 action
	}{
		{"plain", "No arguments and no body.", plain},
		{"two-resources", "Two resources in the order of the service.", with(func(a *action) { a.resources = []string{"a/from", "a/to"} })},
		{"two-resources-swapped", "The same resources in the other order: another digest.", with(func(a *action) { a.resources = []string{"a/to", "a/from"} })},
		{"body", "With the digest of a body.", with(func(a *action) { a.body = body[:] })},
		{"unicode", "Text beyond ASCII, in NFC.", with(func(a *action) {
			a.operation, a.resources = "löschen", []string{"räume/会議室/🗝"}
		})},
		{"long-text", "A resource of 300 bytes, whose head has three.", with(func(a *action) {
			a.resources = []string{"a/" + string(bytes.Repeat([]byte("x"), 298))}
		})},
		{"arg-string", "A string.", args(map[string]any{"n": "5"})},
		{"arg-empty-string", "An empty string.", args(map[string]any{"n": ""})},
		{"arg-null", "Null, which is not the same as no argument.", args(map[string]any{"n": nil})},
		{"arg-bools", "Both booleans.", args(map[string]any{"f": false, "t": true})},
		{"arg-integers", "Integers at each change of the head's length.", args(map[string]any{
			"a": 0, "b": 23, "c": 24, "d": 255, "e": 256, "f": 65535, "g": 65536, "h": 4294967295, "i": 4294967296,
		})},
		{"arg-negative", "Negative integers at each change of the head's length.", args(map[string]any{
			"a": -1, "b": -24, "c": -25, "d": -256, "e": -257,
		})},
		{"arg-extremes", "The largest and the smallest integer.", args(map[string]any{"max": math.MaxInt64, "min": math.MinInt64})},
		{"arg-beyond-double", "2^53 and 2^53 + 1, which are one number to a double.", args(map[string]any{
			"a": 9007199254740992, "b": 9007199254740993,
		})},
		{"arg-half", "Floats that fit 16 bits.", args(map[string]any{"a": float("1.5"), "b": float("-0.25"), "c": float("0.5")})},
		{"arg-half-subnormal", "The smallest float of 16 bits.", args(map[string]any{"a": float("5.9604644775390625e-8")})},
		{"arg-single", "A float that needs 32 bits.", args(map[string]any{"a": float("100000.5")})},
		{"arg-double", "A float that needs 64 bits.", args(map[string]any{"a": float("1.1")})},
		{"arg-float-whole", "1.0 is spelled as a float and stays one: not the digest of 1.", args(map[string]any{"a": float("1.0")})},
		{"arg-integer-one", "1 is an integer.", args(map[string]any{"a": 1})},
		{"arg-key-order", "Keys are ordered by their encodings: shorter ones first.", args(map[string]any{"b": 1, "aa": 2, "c": 3, "": 4})},
		{"arg-nested", "A map in a map.", args(map[string]any{"a": map[string]any{"b": 1}})},
		{"arg-dotted", "A name with a dot is no path.", args(map[string]any{"a.b": 1})},
		{"arg-array", "An array of several types.", args(map[string]any{"a": []any{1, "x", nil, true, []any{}, map[string]any{}}})},
		{"arg-many", "24 arguments, whose map head has two bytes.", args(manyArgs())},
	} {
		all = append(all, requestCase(c.name, c.description, c.a), actionCase(c.name, c.description, c.a))
	}
	return all
}

func manyArgs() map[string]any {
	m := map[string]any{}
	for i := range 24 {
		m[string(rune('a'+i))] = i
	}
	return m
}

func describe(kind string, a action) digestCase {
	c := digestCase{Kind: kind, Operation: a.operation, Resources: a.resources, Audience: a.audience, Args: a.args}
	if a.body != nil {
		c.Body = hex.EncodeToString(a.body)
	}
	return c
}

func requestCase(name, description string, a action) digestCase {
	prefix, nonce := sum([]byte("a prefix")), sum([]byte("a nonce"))[:16]
	c := describe("request", a)
	c.Name, c.Description = "request-"+name, description
	c.Prefix, c.Nonce = hex.EncodeToString(prefix), hex.EncodeToString(nonce)
	c.CBOR = hex.EncodeToString(a.requestCBOR(nonce))
	c.Digest = hex.EncodeToString(a.requestDigest(prefix, nonce))
	return c
}

func actionCase(name, description string, a action) digestCase {
	c := describe("action", a)
	c.Name, c.Description = "action-"+name, description
	c.CBOR = hex.EncodeToString(a.actionCBOR())
	c.Digest = hex.EncodeToString(a.actionDigest())
	return c
}

// prefixCases hash the blocks of a token: real ones, and short byte strings
// that show where one block ends and the next begins.
func prefixCases() []digestCase {
	var all []digestCase
	add := func(name, description string, blocks ...[]byte) {
		c := digestCase{Name: "prefix-" + name, Description: description, Kind: "prefix", Digest: hex.EncodeToString(prefixHash(blocks))}
		for _, b := range blocks {
			c.Blocks = append(c.Blocks, hex.EncodeToString(b))
		}
		all = append(all, c)
	}
	token := twoBlocks()
	first, second := token.blocks[0].fields.bytes(), token.blocks[1].fields.bytes()
	add("one-block", "The SignedBlock message of one block.", first)
	add("two-blocks", "The SignedBlock messages of two blocks.", first, second)
	add("boundary", "Bytes 01 02 and then 03: the lengths keep them apart.", []byte{1, 2}, []byte{3})
	add("boundary-moved", "Bytes 01 and then 02 03: another digest.", []byte{1}, []byte{2, 3})
	add("empty-block", "A block without bytes still counts.", []byte{1, 2}, []byte{3}, nil)
	return all
}
