package vectors

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// files are the vectors, each with what JSON spells in hexadecimal.
var files = map[string][]string{
	"wire":       {"token"},
	"delegation": {},
	"mldsa":      {},
	"digest":     {"blocks", "prefix", "nonce", "body", "cbor", "digest"},
	"state":      {},
}

func readJSON(t *testing.T, name string) []any {
	t.Helper()
	b, err := Files.ReadFile(name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return v.([]any)
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	b, err := Files.ReadFile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("schema.json", v); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSchema: the files are as schema.json says.
func TestSchema(t *testing.T) {
	s := schema(t)
	for name := range files {
		if err := s.Validate(readJSON(t, name)); err != nil {
			t.Errorf("%s.json: %s", name, strings.TrimSpace(err.Error()))
		}
	}
}

// TestSchemaRefuses: cases that are not as README.md says are not as the schema
// says either.
func TestSchemaRefuses(t *testing.T) {
	s := schema(t)
	for name, change := range map[string]struct {
		file string
		edit func(c map[string]any)
	}{
		"unknown member":         {"wire", func(c map[string]any) { c["note"] = "x" }},
		"no name":                {"wire", func(c map[string]any) { delete(c, "name") }},
		"name with a space":      {"delegation", func(c map[string]any) { c["name"] = "a case" }},
		"rule beyond V13":        {"delegation", func(c map[string]any) { c["rule"] = "V14" }},
		"odd hexadecimal digits": {"wire", func(c map[string]any) { c["token"] = "123" }},
		"refused, no sibling":    {"wire", func(c map[string]any) { c["expect"] = "malformed"; delete(c, "source") }},
		"allowed with a sibling": {"delegation", func(c map[string]any) { c["sibling"] = "other" }},
		"allowed with a code":    {"delegation", func(c map[string]any) { c["expect"].(map[string]any)["code"] = "profile" }},
		"unknown code":           {"delegation", func(c map[string]any) { c["expect"] = map[string]any{"allowed": false, "code": "no"} }},
		"unknown request member": {"delegation", func(c map[string]any) { c["request"].(map[string]any)["verb"] = "x" }},
		"time with an offset":    {"delegation", func(c map[string]any) { c["now"] = "2026-03-01T12:05:00+01:00" }},
		"prefix with a nonce":    {"digest", func(c map[string]any) { c["nonce"] = "00" }},
		"prefix with CBOR":       {"digest", func(c map[string]any) { c["cbor"] = "00" }},
		"short digest":           {"digest", func(c map[string]any) { c["digest"] = "00" }},
		"no steps":               {"state", func(c map[string]any) { delete(c, "steps") }},
		"steps with a bad list":  {"state", func(c map[string]any) { c["revoked"], c["bad_list"] = []any{""}, true }},
		"a list of one list":     {"state", func(c map[string]any) { c["revoked"] = "end" }},
		"another rule":           {"state", func(c map[string]any) { c["rule"] = "V1" }},
		"denied without a code": {"state", func(c map[string]any) {
			c["steps"].([]any)[0].(map[string]any)["expect"] = map[string]any{"allowed": false}
		}},
		"request without CBOR": {"digest", func(c map[string]any) { c["kind"] = "request" }},
	} {
		cases := readJSON(t, change.file)[:1]
		if err := s.Validate(cases); err != nil {
			t.Fatalf("%s: the first case of %s.json does not validate by itself: %s", name, change.file, err)
		}
		change.edit(cases[0].(map[string]any))
		if s.Validate(cases) == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if s.Validate([]any{}) == nil {
		t.Error("an empty file is accepted")
	}
}

// TestCBOR: the files in CBOR say what those in JSON say, in the one deterministic
// encoding.
func TestCBOR(t *testing.T) {
	deterministic, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	for name, bytesMembers := range files {
		got, err := Files.ReadFile(name + ".cbor")
		if err != nil {
			t.Fatal(err)
		}
		cases := readJSON(t, name)
		for _, c := range cases {
			members := c.(map[string]any)
			for member, value := range members {
				members[member] = plainValue(t, value, slices.Contains(bytesMembers, member))
			}
		}
		want, err := deterministic.Marshal(cases)
		if err != nil {
			t.Fatal(err)
		}
		if len(cases) == 0 || !bytes.Equal(got, want) {
			t.Errorf("%s.cbor is not what %s.json is in CBOR", name, name)
		}
	}
}

// plainValue turns a value of JSON into what it is in CBOR.
func plainValue(t *testing.T, value any, isHex bool) any {
	t.Helper()
	switch v := value.(type) {
	case string:
		if isHex {
			b, err := hex.DecodeString(v)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
	case json.Number:
		if n, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return n
		}
		f, err := v.Float64()
		if err != nil || math.IsInf(f, 0) {
			t.Fatal(v)
		}
		return f
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = plainValue(t, v[i], isHex)
		}
		return list
	case map[string]any:
		m := make(map[string]any, len(v))
		for name := range v {
			m[name] = plainValue(t, v[name], false)
		}
		return m
	}
	return value
}
