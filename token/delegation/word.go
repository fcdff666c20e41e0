package delegation

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
)

// separator stands between alternatives.
const separator = "or"

// reserved words are never values.
var reserved = []string{
	separator, "set", "unset", "prefix", "under", "cidr", "host", "matches", "true", "false", "null",
}

// word writes text so that it is one word of the text form: as it is where
// nothing can be mistaken, else as a JSON string.
func word(s string) string {
	if s == separator || s == "" || strings.ContainsFunc(s, func(r rune) bool { return !plainRune(r) }) {
		return quote(s)
	}
	return s
}

// plainRune reports whether a character may stand outside of quotes.
func plainRune(r rune) bool {
	return unicode.IsLetter(r) || r >= '0' && r <= '9' || strings.ContainsRune("_-./:@+~=*", r)
}

// bareString reports whether a string may stand for itself where integers and
// ranges may stand as well.
func bareString(s string) bool {
	if word(s) != s || slices.Contains(reserved, s) || strings.Contains(s, "..") {
		return false
	}
	return s[0] != '-' && s[0] != '+' && s[0] != '.' && (s[0] < '0' || s[0] > '9')
}

// quote writes a JSON string in which nothing is invisible.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == ' ' || unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, hi, lo)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// unquote reads a JSON string at the beginning of s.
func unquote(s string) (text string, rest string, err error) {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			value, err := ParseValue([]byte(s[:i+1]))
			if err != nil {
				return "", "", err
			}
			text, ok := value.(string)
			if !ok {
				return "", "", fmt.Errorf("no string")
			}
			return text, s[i+1:], nil
		}
	}
	return "", "", fmt.Errorf(`the quote " is not closed`)
}
