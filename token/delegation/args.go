package delegation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// ParseArgs reads a JSON object of arguments so that nothing is lost on the
// way to a [Request]: integers stay exact, a name that stands twice in one
// object is an error, and so is an integer beyond 64 bits.
func ParseArgs(data []byte) (map[string]any, error) {
	value, err := ParseValue(data)
	if err != nil {
		return nil, err
	}
	args, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("arguments are a JSON object")
	}
	return args, nil
}

// ParseValue reads one JSON value as [ParseArgs] does.
func ParseValue(data []byte) (any, error) { return parseValue(data, maxArgDepth) }

func parseValue(data []byte, depth int) (any, error) {
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("the JSON is not valid UTF-8")
	}
	if loneSurrogate(data) {
		return nil, fmt.Errorf("the JSON has half of a surrogate pair, which is no character")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	value, err := readValue(d, depth)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("something follows the JSON value")
	}
	return value, nil
}

// loneSurrogate finds an escape such as \ud800 that stands for half a character.
// Package json would replace it, so that two texts became one value.
func loneSurrogate(data []byte) bool {
	for i := 0; i+1 < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		i++
		high := escaped(data[i:])
		if !utf16.IsSurrogate(high) {
			continue
		}
		i += 5
		if i+1 >= len(data) || data[i] != '\\' || utf16.DecodeRune(high, escaped(data[i+1:])) == utf8.RuneError {
			return true
		}
		i++
	}
	return false
}

// escaped returns the code unit of the escape u0123 at the start of data, 0 if
// there is none.
func escaped(data []byte) rune {
	if len(data) < 5 || data[0] != 'u' {
		return 0
	}
	unit, err := strconv.ParseUint(string(data[1:5]), 16, 16)
	if err != nil {
		return 0
	}
	return rune(unit)
}

func readValue(d *json.Decoder, depth int) (any, error) {
	t, err := d.Token()
	if err == io.EOF {
		return nil, fmt.Errorf("the JSON value ends too early")
	}
	if err != nil {
		return nil, fmt.Errorf("no JSON value: %w", err)
	}
	switch t := t.(type) {
	case json.Number:
		return number(t)
	case json.Delim:
		if depth == 0 {
			return nil, fmt.Errorf("values are nested deeper than %d", maxArgDepth)
		}
		if t == '[' {
			return readList(d, depth-1)
		}
		return readObject(d, depth-1)
	}
	return t, nil
}

func readList(d *json.Decoder, depth int) (any, error) {
	list := []any{}
	for d.More() {
		v, err := readValue(d, depth)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := d.Token()
	return list, err
}

func readObject(d *json.Decoder, depth int) (any, error) {
	object := map[string]any{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("no JSON value: %w", err)
		}
		name, ok := t.(string)
		if !ok {
			return nil, fmt.Errorf("an object's names are strings")
		}
		if _, twice := object[name]; twice {
			return nil, fmt.Errorf("the name %q stands twice in one object", name)
		}
		if object[name], err = readValue(d, depth); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return object, err
}

// number keeps a JSON number written as an integer exact, and makes any other a
// float64. "1.0" and "1e2" are no integers.
func number(n json.Number) (any, error) {
	if !json.Valid([]byte(n)) || n[0] != '-' && (n[0] < '0' || n[0] > '9') {
		return nil, fmt.Errorf("%q is no JSON number", string(n))
	}
	if !strings.ContainsAny(string(n), ".eE") {
		i, err := strconv.ParseInt(string(n), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s does not fit a signed 64-bit integer", n)
		}
		return i, nil
	}
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil || math.IsInf(f, 0) {
		return nil, fmt.Errorf("%s is beyond what a 64-bit float can hold", n)
	}
	return f, nil
}
