package datalog

import (
	"encoding/hex"
	"strconv"
	"strings"
)

// integer reads an optional minus sign and decimal digits.
func (l *lexer) integer() (Integer, error) {
	start := l.pos
	l.accept("-")
	for isDigit(l.peek()) {
		l.pos++
	}
	n, err := strconv.ParseInt(l.src[start:l.pos], 10, 64)
	if err != nil {
		return 0, l.fail(start, "integer does not fit in 64 bits")
	}
	// A colon may follow: the integer may be the key of a map.
	if name := nameAt(l.src, l.pos); name != "" && name[0] != ':' {
		return 0, l.fail(l.pos, "unexpected %s after an integer", quoteName(name))
	}
	return Integer(n), nil
}

// text reads a string in double quotes. \\, \" and \n are the only escapes; all
// else, line breaks included, stands for itself.
func (l *lexer) text() (String, error) {
	start := l.pos
	l.pos++
	if n := strings.IndexAny(l.src[l.pos:], `\"`); n >= 0 && l.src[l.pos+n] == '"' {
		plain := l.src[l.pos : l.pos+n] // nothing to unescape
		l.pos += n + 1
		return String(plain), nil
	}
	var b strings.Builder
	for {
		rest := l.src[l.pos:]
		n := strings.IndexAny(rest, `\"`)
		if n < 0 {
			return "", l.fail(start, "string is not closed")
		}
		b.WriteString(rest[:n])
		l.pos += n
		if rest[n] == '"' {
			l.pos++
			return String(b.String()), nil
		}
		switch {
		case l.accept(`\\`):
			b.WriteByte('\\')
		case l.accept(`\"`):
			b.WriteByte('"')
		case l.accept(`\n`):
			b.WriteByte('\n')
		default:
			return "", l.fail(l.pos, `unknown escape in a string: only \\, \" and \n are`)
		}
	}
}

// appendText appends a string as text reads it.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '\\', '"':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// bytes reads hex: and any even number of hexadecimal digits, none included.
func (l *lexer) bytes() (Bytes, error) {
	name := nameAt(l.src, l.pos)
	b, err := hex.DecodeString(name[len("hex:"):])
	if err != nil {
		return "", l.fail(l.pos, "hex: wants an even number of hexadecimal digits")
	}
	l.pos += len(name)
	return Bytes(b), nil
}
