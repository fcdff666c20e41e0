package revoke

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/whittle-auth/whittle/token"
)

// Limits on what is read.
const (
	// MaxBytes bounds a list: some hundred thousand entries.
	MaxBytes = 16 << 20
	// maxLine bounds one line: the longest signature in hex, and a comment.
	maxLine = 2*maxSignature + 1024
)

// A SyntaxError is a line that is not as it must be. One such line makes the whole
// list bad: an entry that is not understood must not be passed over.
type SyntaxError struct {
	Line int // from 1
	Err  error
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Err) }

// Unwrap returns what is wrong with the line.
func (e *SyntaxError) Unwrap() error { return e.Err }

// Parse reads a list in the form of spec/revocation.md. Errors are of type
// [*SyntaxError], except that of a list longer than [MaxBytes].
func Parse(data []byte) (*List, error) {
	d, err := parse(data)
	if err != nil {
		return nil, err
	}
	return d.list(), nil
}

// A document is a list as it is written, so that it can be changed and keep its
// comments.
type document struct {
	asOf  time.Time
	lines []line
}

// A line is an entry, the as-of line, or text that says nothing to a program.
type line struct {
	text  string
	entry *Entry
	asOf  bool
}

func (d *document) list() *List {
	l := &List{asOf: d.asOf, until: make(map[subject]int64)}
	for i := range d.lines {
		if e := d.lines[i].entry; e != nil {
			l.add(e)
		}
	}
	return l
}

const ending = "end"

func parse(data []byte) (*document, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("the list has %d bytes, at most %d are read", len(data), MaxBytes)
	}
	d := &document{}
	n, ended := 0, false
	for raw := range bytes.Lines(data) {
		n++
		l, err := d.line(raw, ended)
		if err != nil {
			return nil, &SyntaxError{n, err}
		}
		if l.text == ending {
			ended = true
			continue
		}
		d.lines = append(d.lines, l)
	}
	switch {
	case d.asOf.IsZero():
		return nil, &SyntaxError{n + 1, errors.New("no as-of line")}
	case !ended:
		return nil, &SyntaxError{n + 1, errors.New("no end line: the list may be cut off")}
	}
	return d, nil
}

// line reads one line. Nothing but blank lines and comments may come before as-of,
// and nothing at all after end.
func (d *document) line(raw []byte, ended bool) (line, error) {
	text, ok := strings.CutSuffix(string(raw), "\n")
	switch {
	case ended:
		return line{}, errors.New("something follows the end")
	case !ok:
		return line{}, errors.New("the line is cut off: it does not end in a line feed")
	case len(text) > maxLine:
		return line{}, fmt.Errorf("more than %d bytes", maxLine)
	case !utf8.ValidString(text):
		return line{}, errors.New("not UTF-8")
	case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\t' }):
		return line{}, errors.New("a control character")
	}
	fields, comment, err := split(text)
	if err != nil {
		return line{}, err
	}
	if len(fields) == 0 {
		return line{text: text}, nil
	}
	if first := fields[0] == "as-of"; first != d.asOf.IsZero() {
		return line{}, errors.New("the as-of line comes before all entries, and once")
	} else if first {
		if len(fields) != 2 {
			return line{}, errors.New("want: as-of TIME")
		}
		d.asOf, err = parseTime(fields[1])
		return line{text: text, asOf: true}, err
	}
	if fields[0] == ending {
		if len(fields) != 1 || text != ending {
			return line{}, errors.New("the end line has nothing but the word end")
		}
		return line{text: ending}, nil
	}
	e, err := parseEntry(fields)
	if err != nil {
		return line{}, err
	}
	e.Comment = comment
	return line{text: text, entry: e}, e.Validate()
}

// split takes a line apart into its fields and its comment, which begins where a
// field other than the second begins with #: a name may begin with it too.
func split(text string) (fields []string, comment string, err error) {
	rest := strings.TrimLeft(text, " \t")
	for rest != "" {
		if rest[0] == '#' && len(fields) != 1 {
			return fields, strings.Trim(rest[1:], " \t"), nil
		}
		if len(fields) == 3 {
			return nil, "", errors.New("want: KIND VALUE, until=TIME if it ends, # and a comment if there is one")
		}
		field := rest
		if i := strings.IndexAny(rest, " \t"); i >= 0 {
			field = rest[:i]
		}
		fields = append(fields, field)
		rest = strings.TrimLeft(rest[len(field):], " \t")
	}
	return fields, "", nil
}

func parseEntry(fields []string) (*Entry, error) {
	e := &Entry{}
	if len(fields) < 2 {
		return nil, errors.New("want: KIND VALUE")
	}
	value := fields[1]
	switch fields[0] {
	case "block":
		signature, err := hex.DecodeString(value)
		if err != nil || strings.ToLower(value) != value {
			return nil, errors.New("a block is revoked by its id: lower-case hexadecimal digits")
		}
		e.Kind, e.Signature = Block, signature
	case "key":
		k, err := token.ParsePublicKey(value)
		if err != nil {
			return nil, fmt.Errorf("key: %w", err)
		}
		if k.String() != value {
			return nil, errors.New("a key is written as ed25519/HEX, secp256r1/HEX, mldsa44/HEX or mldsa65/HEX, in lower case")
		}
		e.Kind, e.Key = Key, k
	case "delegator":
		e.Kind, e.Delegator = Delegator, value
	default:
		return nil, errors.New("an entry begins with block, key or delegator")
	}
	if len(fields) == 3 {
		text, ok := strings.CutPrefix(fields[2], "until=")
		if !ok {
			return nil, errors.New("what follows the value is until=TIME, or # and a comment")
		}
		var err error
		if e.Until, err = parseTime(text); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// parseTime reads the one spelling of a time: RFC 3339 in UTC, whole seconds.
func parseTime(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || format(t) != text || t.Unix() < 0 {
		return time.Time{}, errors.New("a time is written as 2026-01-31T12:00:00Z")
	}
	return t.UTC(), nil
}

func format(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
