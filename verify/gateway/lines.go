package gateway

import (
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// lines says in which line of a file each key and each table stands, by its dotted name,
// in which a number counts the tables of an array, as in route.2.match.
type lines map[string]int

// of returns the line of a key, or else that of the table that it is missing from, or
// else the first.
func (l lines) of(key ...any) int {
	for ; len(key) > 0; key = key[:len(key)-1] {
		if line, ok := l[keyName(key)]; ok {
			return line
		}
	}
	return 1
}

func keyName(key []any) string {
	parts := make([]string, len(key))
	for i, part := range key {
		parts[i] = fmt.Sprint(part)
	}
	return strings.Join(parts, ".")
}

func dotted(key []string) string { return strings.Join(key, ".") }

type lineError struct {
	line int
	err  error
}

func (e *lineError) Error() string { return e.err.Error() }

// findLines reads where the keys of a file stand, which the decoder does not tell. It
// refuses keys with capitals, since the decoder would take Audience for audience, and
// inline tables, whose keys would have no line of their own.
func findLines(data []byte) (lines, error) {
	found, tables := lines{}, map[string]int{}
	var p unstable.Parser
	p.Reset(data)
	prefix := ""
	for p.NextExpression() {
		e := p.Expression()
		var parts []string
		line := 0
		for key := e.Key(); key.Next(); {
			n := key.Node()
			if line == 0 {
				line = p.Shape(n.Raw).Start.Line
			}
			parts = append(parts, string(n.Data))
		}
		name := dotted(parts)
		if name != strings.ToLower(name) {
			return nil, &lineError{line, fmt.Errorf("there is no key %q: keys are written in lower case", name)}
		}
		if e.Kind == unstable.KeyValue && hasTable(e.Value()) {
			return nil, &lineError{line, fmt.Errorf("%s is written as a table of its own, as in [%s]", name, name)}
		}
		switch e.Kind {
		case unstable.Table:
			prefix = name + "."
		case unstable.ArrayTable:
			tables[name]++
			name = fmt.Sprintf("%s.%d", name, tables[name])
			prefix = name + "."
		default:
			name = prefix + name
		}
		found[name] = line
	}
	return found, p.Error()
}

// hasTable reports whether a value is an inline table or an array with one.
func hasTable(value *unstable.Node) bool {
	if value.Kind == unstable.InlineTable {
		return true
	}
	for elements := value.Children(); elements.Next(); {
		if elements.Node().Kind == unstable.InlineTable || elements.Node().Kind == unstable.Array {
			return true // no key has an array of arrays
		}
	}
	return false
}
