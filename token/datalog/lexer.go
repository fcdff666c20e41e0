package datalog

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxSource is the size in bytes above which source text is refused unread.
const MaxSource = 1 << 20

// A lexer is a place in source text. There is no stream of tokens, because what
// a run of characters is depends on what may stand there: hex:ab is bytes, but
// hex:ab( begins a predicate; 1 is an integer, but 1(2) is a fact named 1.
type lexer struct {
	src string
	pos int
}

func (l *lexer) fail(offset int, format string, args ...any) error {
	return errorAt(l.src, offset, format, args...)
}

// unexpected returns an error that names what was wanted and what is there.
func (l *lexer) unexpected(want string) error {
	return l.fail(l.pos, "expected %s, found %s", want, l.found())
}

// found describes what stands at the current place.
func (l *lexer) found() string {
	if l.pos == len(l.src) {
		return "the end of the input"
	}
	if name := nameAt(l.src, l.pos); name != "" {
		return quoteName(name)
	}
	r, _ := utf8.DecodeRuneInString(l.src[l.pos:])
	return quoteName(string(r))
}

// quoteName quotes part of the input for an error message, cut to 40 bytes or so.
func quoteName(name string) string {
	const limit = 40
	if len(name) > limit {
		cut := limit
		for !utf8.RuneStart(name[cut]) {
			cut--
		}
		name = name[:cut] + ".."
	}
	return "'" + name + "'"
}

// peek returns the byte at the current place, 0 at the end.
func (l *lexer) peek() byte {
	if l.pos == len(l.src) {
		return 0
	}
	return l.src[l.pos]
}

// accept consumes text if it stands at the current place.
func (l *lexer) accept(text string) bool {
	if strings.HasPrefix(l.src[l.pos:], text) {
		l.pos += len(text)
		return true
	}
	return false
}

// space skips white space and comments, which may stand wherever white space may.
func (l *lexer) space() error {
	for l.pos < len(l.src) {
		switch l.src[l.pos] {
		case ' ', '\t', '\r', '\n':
			l.pos++
			continue
		case '/':
		default:
			return nil
		}
		rest := l.src[l.pos:]
		switch {
		case strings.HasPrefix(rest, "//"):
			end := strings.IndexAny(rest, "\r\n")
			if end < 0 {
				end = len(rest)
			}
			l.pos += end
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				return l.fail(l.pos, "comment is not closed")
			}
			l.pos += 2 + end + 2
		default:
			return nil
		}
	}
	return nil
}

// expect skips white space and consumes text.
func (l *lexer) expect(text, want string) error {
	if err := l.space(); err != nil {
		return err
	}
	if !l.accept(text) {
		return l.unexpected(want)
	}
	return nil
}

// next skips white space and consumes text if it stands there.
func (l *lexer) next(text string) (bool, error) {
	if err := l.space(); err != nil {
		return false, err
	}
	return l.accept(text), nil
}

// word consumes the given name, if that is the whole name at the current place.
func (l *lexer) word(name string) bool {
	if nameAt(l.src, l.pos) != name {
		return false
	}
	l.pos += len(name)
	return true
}

// keyword is word without regard to the case of ASCII letters.
func (l *lexer) keyword(name string) bool {
	here := nameAt(l.src, l.pos)
	if !equalFoldASCII(here, name) {
		return false
	}
	l.pos += len(here)
	return true
}

// equalFoldASCII compares with lower, which is in lower-case ASCII. Folding all
// of Unicode would read a Kelvin sign as the k of check.
func equalFoldASCII(s, lower string) bool {
	if len(s) != len(lower) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// nameAt returns the longest name at offset i, "" if there is none.
func nameAt(src string, i int) string {
	start := i
	for i < len(src) && asciiName[src[i]] {
		i++
	}
	if i == len(src) || src[i] < utf8.RuneSelf {
		return src[start:i]
	}
	i = start
	for j, r := range src[i:] {
		if !isNameRune(r) {
			return src[i : i+j]
		}
	}
	return src[i:]
}

// asciiName has the bytes of ASCII that [isNameRune] accepts.
var asciiName = func() (table [256]bool) {
	for c := range byte(utf8.RuneSelf) {
		table[c] = isNameRune(rune(c))
	}
	return table
}()

func isNameRune(r rune) bool {
	return r == '_' || r == ':' || unicode.IsLetter(r) || unicode.IsDigit(r)
}

// isName reports whether text can spell a name of a predicate, a variable or an
// external function: letters, digits, _ and :, in any order.
func isName(s string) bool { return s != "" && utf8.ValidString(s) && nameAt(s, 0) == s }

// isParamName reports whether {s} is a parameter. What could be read as the only
// element of a set is none.
func isParamName(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return isName(s) && unicode.IsLetter(r) &&
		s != "true" && s != "false" && s != "null" && !strings.HasPrefix(s, "hex:")
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
