package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// byteStrings are the members of each file that JSON spells in hexadecimal and
// CBOR has as byte strings, or as arrays of these.
var byteStrings = map[string][]string{
	"wire.json":       {"token"},
	"delegation.json": {},
	"mldsa.json":      {},
	"state.json":      {},
	"digest.json":     {"blocks", "prefix", "nonce", "body", "cbor", "digest"},
}

// asCBOR renders a file of vectors in CBOR: the same arrays, maps and text, with
// byte strings for hexadecimal, integers for numbers without fraction and exponent,
// and floats for others.
func asCBOR(name string, file []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(file))
	d.UseNumber()
	var cases []any
	if err := d.Decode(&cases); err != nil {
		return nil, err
	}
	for i := range cases {
		members := cases[i].(map[string]any)
		for member, value := range members {
			var err error
			if slices.Contains(byteStrings[name], member) {
				members[member], err = unhex(value)
			} else {
				members[member], err = exact(value)
			}
			if err != nil {
				return nil, fmt.Errorf("case %d, %s: %w", i, member, err)
			}
		}
	}
	return cborEncode(cases), nil
}

func unhex(value any) (any, error) {
	if list, ok := value.([]any); ok {
		for i := range list {
			var err error
			if list[i], err = unhex(list[i]); err != nil {
				return nil, err
			}
		}
		return list, nil
	}
	text, ok := value.(string)
	if !ok {
		return nil, fmt.Errorf("%v is no text", value)
	}
	return hex.DecodeString(text)
}

// exact makes integers of the numbers that are spelled as such.
func exact(value any) (any, error) {
	var err error
	switch v := value.(type) {
	case json.Number:
		if !strings.ContainsAny(v.String(), ".eE") {
			return strconv.Atoi(v.String())
		}
	case []any:
		for i := range v {
			if v[i], err = exact(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for name := range v {
			if v[name], err = exact(v[name]); err != nil {
				return nil, err
			}
		}
	}
	return value, nil
}
