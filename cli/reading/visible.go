package reading

import (
	"strings"
	"unicode"
)

// OneLine makes text from tokens, files and arguments safe to show: one line,
// and nothing that a terminal would obey or that changes how text looks.
func OneLine(s string) string { return strings.Map(visible, s) }

// ManyLines is [OneLine] for text of several lines.
func ManyLines(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' {
			return r
		}
		return visible(r)
	}, s)
}

func visible(r rune) rune {
	switch {
	case r == '\t', r == '\n':
		return ' '
	case IsHidden(r):
		return unicode.ReplacementChar
	}
	return r
}

// IsHidden reports whether a character is a control character, one that is not
// seen, or one that turns the direction of text.
func IsHidden(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029'
}
