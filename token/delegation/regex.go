package delegation

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits on regular expressions: the length in bytes, the repetitions that one
// character may undergo, and the parts once repetitions are written out. Within
// them every implementation compiles a pattern.
const (
	maxRegex  = 1024
	maxRepeat = 1000
	maxParts  = 4096
	maxGroups = 32 // nested
)

// ValidRegex returns why a regular expression lies outside the subset that Go's
// regexp and Rust's regex read alike, or nil:
//
//   - literal characters; . ^ $; escapes \n \r \t, \xHH, and of
//     \ . + * ? ( ) | [ ] { } ^ $ -
//   - classes such as [a-z_] and [^/], of literals, ranges and escapes; [ in them
//     is escaped, - too unless it stands first or last, and && -- ~~ do not occur
//   - groups (..) and (?:..), alternatives |
//   - repetitions * + ? {n} {n,} {n,m} up to 1000, also lazy
//
// \d \w \s \b and flags differ in Unicode, and the two disagree on the rest.
func ValidRegex(pattern string) error {
	if len(pattern) > maxRegex {
		return fmt.Errorf("a regular expression has at most %d bytes", maxRegex)
	}
	if err := validString(pattern); err != nil {
		return err
	}
	r := regexReader{rest: pattern, length: len(pattern)}
	_, err := r.alternatives(maxGroups)
	if err == nil && r.rest != "" {
		err = fmt.Errorf("a ) without its (")
	}
	if err != nil {
		return fmt.Errorf("regular expression, byte %d: %w", r.length-len(r.rest)+1, err)
	}
	return nil
}

type regexReader struct {
	rest   string
	length int
}

// A cost is what a part of a pattern amounts to.
type cost struct {
	parts   int // with repetitions written out
	repeats int // the most that anything inside is repeated
}

func (r *regexReader) next() byte {
	if r.rest == "" {
		return 0
	}
	return r.rest[0]
}

func (r *regexReader) skip(prefix string) bool {
	rest, ok := strings.CutPrefix(r.rest, prefix)
	if ok {
		r.rest = rest
	}
	return ok
}

// alternatives reads up to the end or a closing parenthesis.
func (r *regexReader) alternatives(depth int) (c cost, err error) {
	c.repeats = 1
	for r.rest != "" && r.next() != ')' {
		if r.skip("|") {
			c.parts++
			continue
		}
		part, err := r.repeated(depth)
		if err != nil {
			return c, err
		}
		c.parts += part.parts
		c.repeats = max(c.repeats, part.repeats)
		if c.parts > maxParts {
			return c, fmt.Errorf("more than %d parts, with repetitions written out", maxParts)
		}
	}
	return c, nil
}

// repeated reads one part with the repetition that may follow it.
func (r *regexReader) repeated(depth int) (cost, error) {
	if r.next() == '^' || r.next() == '$' {
		r.rest = r.rest[1:]
		if strings.IndexByte("*+?{", r.next()) >= 0 && r.rest != "" {
			return cost{}, fmt.Errorf("nothing that could be repeated")
		}
		return cost{1, 1}, nil
	}
	c, err := r.single(depth)
	if err != nil {
		return c, err
	}
	switch {
	case r.skip("*"), r.skip("+"), r.skip("?"):
		c.parts++
	case r.next() == '{':
		lo, hi, err := r.bounds()
		if err != nil {
			return c, err
		}
		c.repeats *= max(lo, hi, 1)
		c.parts = c.parts*max(lo, hi, 1) + 1
		if c.repeats > maxRepeat {
			return c, fmt.Errorf("more than %d repetitions", maxRepeat)
		}
	default:
		return c, nil
	}
	r.skip("?") // lazy, which is no difference in whether there is a match
	if r.rest != "" && strings.IndexByte("*+?{", r.next()) >= 0 {
		return c, fmt.Errorf("a repetition of a repetition")
	}
	return c, nil
}

// bounds reads {n}, {n,} or {n,m}; hi is 0 if it is missing.
func (r *regexReader) bounds() (lo, hi int, err error) {
	inside, after, ok := strings.Cut(r.rest[1:], "}")
	first, second, comma := strings.Cut(inside, ",")
	if lo, err = repeatCount(first); !ok || err != nil {
		return 0, 0, fmt.Errorf("a { that begins no repetition {n}, {n,} or {n,m} up to %d: write \\{", maxRepeat)
	}
	if comma && second != "" {
		if hi, err = repeatCount(second); err != nil || hi < lo {
			return 0, 0, fmt.Errorf("the second number of a repetition is no number from the first to %d", maxRepeat)
		}
	}
	r.rest = after
	return lo, hi, nil
}

func repeatCount(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n > maxRepeat || strconv.FormatUint(n, 10) != s {
		return 0, fmt.Errorf("%q", s)
	}
	return int(n), nil
}

// single reads a group, a class or a character.
func (r *regexReader) single(depth int) (cost, error) {
	switch r.next() {
	case '(':
		if depth == 0 {
			return cost{}, fmt.Errorf("groups nested deeper than %d", maxGroups)
		}
		r.rest = r.rest[1:]
		if r.next() == '?' && !r.skip("?:") {
			return cost{}, fmt.Errorf("a group other than (..) and (?:..)")
		}
		c, err := r.alternatives(depth - 1)
		if err == nil && !r.skip(")") {
			err = fmt.Errorf("a ( without its )")
		}
		c.parts++
		return c, err
	case '[':
		return r.class()
	case '*', '+', '?', '{':
		return cost{}, fmt.Errorf("nothing that could be repeated")
	case '}', ']':
		return cost{}, fmt.Errorf("write \\%c", r.next())
	case '.':
		r.rest = r.rest[1:]
		return cost{1, 1}, nil
	}
	_, err := r.character()
	return cost{1, 1}, err
}

// class reads [..] and [^..].
func (r *regexReader) class() (cost, error) {
	r.rest = r.rest[1:]
	r.skip("^")
	for first := true; ; first = false {
		switch c := r.next(); {
		case r.rest == "":
			return cost{}, fmt.Errorf("a [ without its ]")
		case c == ']' && first:
			return cost{}, fmt.Errorf("a class must not be empty: write \\] for the bracket")
		case c == ']':
			r.rest = r.rest[1:]
			return cost{2, 1}, nil
		case c == '[':
			return cost{}, fmt.Errorf("write \\[ inside a class")
		case strings.HasPrefix(r.rest, "&&"), strings.HasPrefix(r.rest, "~~"), strings.HasPrefix(r.rest, "--"):
			return cost{}, fmt.Errorf("%s inside a class", r.rest[:2])
		case c == '-' && !first && !strings.HasPrefix(r.rest, "-]"):
			return cost{}, fmt.Errorf("write \\- inside a class, unless it stands first or last")
		}
		lo, err := r.character()
		if err != nil {
			return cost{}, err
		}
		if r.next() != '-' || strings.HasPrefix(r.rest, "-]") {
			continue
		}
		if strings.HasPrefix(r.rest, "--") {
			return cost{}, fmt.Errorf("-- inside a class")
		}
		r.rest = r.rest[1:]
		if r.rest == "" || r.next() == '[' {
			return cost{}, fmt.Errorf("a range without its end")
		}
		hi, err := r.character()
		if err != nil {
			return cost{}, err
		}
		if hi < lo {
			return cost{}, fmt.Errorf("a range that ends before it begins")
		}
	}
}

// character reads one literal or escaped character.
func (r *regexReader) character() (rune, error) {
	if !r.skip(`\`) {
		c, n := utf8.DecodeRuneInString(r.rest)
		r.rest = r.rest[n:]
		return c, nil
	}
	c := r.next()
	switch {
	case c == 'x' && len(r.rest) >= 3:
		n, err := strconv.ParseUint(r.rest[1:3], 16, 8)
		if err != nil {
			return 0, fmt.Errorf("\\x is followed by two hexadecimal digits")
		}
		r.rest = r.rest[3:]
		return rune(n), nil
	case c == 'n' || c == 'r' || c == 't':
		r.rest = r.rest[1:]
		return map[byte]rune{'n': '\n', 'r': '\r', 't': '\t'}[c], nil
	case c != 0 && strings.IndexByte(`\.+*?()|[]{}^$-`, c) >= 0:
		r.rest = r.rest[1:]
		return rune(c), nil
	}
	return 0, fmt.Errorf("an escape on which implementations differ: \\%s", firstRune(r.rest))
}

func firstRune(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return s[:n]
}
