// Package strictjson reads one level of a JSON object so that no reader can see
// another, and writes values so that every reader sees the same.
package strictjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Members returns the members of the one JSON object that data is. It refuses names
// that stand twice, or twice but for the case of their letters; what is inside the
// values it leaves to their reader.
func Members(data []byte) (map[string]json.RawMessage, error) {
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("the JSON is not valid UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("no JSON object")
	}
	members, folded := map[string]json.RawMessage{}, map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("no JSON object: %w", err)
		}
		name, ok := t.(string)
		if !ok {
			return nil, fmt.Errorf("an object's names are strings")
		}
		if f := Fold(name); folded[f] {
			return nil, fmt.Errorf("the name %q stands twice in one object, or in another case", name)
		} else {
			folded[f] = true
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, fmt.Errorf("no JSON object: %w", err)
		}
		members[name] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("no JSON object: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("something follows the JSON object")
	}
	return members, nil
}

// OneCase refuses objects, at any depth of a value that was read strictly, with names
// that differ in the case of their letters only: some readers fill one field with
// either.
func OneCase(value any) error {
	switch v := value.(type) {
	case []any:
		for _, e := range v {
			if err := OneCase(e); err != nil {
				return err
			}
		}
	case map[string]any:
		folded := make(map[string]bool, len(v))
		for name, e := range v {
			if f := Fold(name); folded[f] {
				return fmt.Errorf("an object has the name %q twice, in another case", name)
			} else {
				folded[f] = true
			}
			if err := OneCase(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// Fold maps names that differ in case only to one, by Unicode's simple folding, as
// encoding/json does.
func Fold(name string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			least = min(least, other)
		}
		return least
	}, name)
}

// Append writes a value that delegation.ParseValue returned, in printable ASCII on one
// line: no byte of it ends a line or stands for another character, in whatever
// encoding it is read. Names are ascending. An integer is written as one, and a float
// never is, so that reading it again gives the same value.
func Append(dst []byte, value any) []byte {
	switch v := value.(type) {
	case string:
		return appendString(dst, v)
	case float64:
		start := len(dst)
		text, _ := json.Marshal(v) // finite, since it was JSON
		dst = append(dst, text...)
		if !bytes.ContainsAny(dst[start:], ".e") {
			dst = append(dst, ".0"...)
		}
		return dst
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = Append(dst, e)
		}
		return append(dst, ']')
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		dst = append(dst, '{')
		for i, name := range names {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendString(dst, name), ':')
			dst = Append(dst, v[name])
		}
		return append(dst, '}')
	}
	text, _ := json.Marshal(value) // nil, a boolean or an int64
	return append(dst, text...)
}

func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case ' ' <= r && r <= '~':
			dst = append(dst, byte(r))
		case r > 0xffff:
			r -= 0x10000
			dst = fmt.Appendf(dst, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			dst = fmt.Appendf(dst, `\u%04x`, r)
		}
	}
	return append(dst, '"')
}
