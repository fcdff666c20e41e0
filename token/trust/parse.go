package trust

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/whittle-auth/whittle/token"
)

// A LineError is why a file was refused, and where.
type LineError struct {
	Line int // from 1
	Msg  string
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Msg) }

// Parse reads a trust file. One bad line makes the whole file bad, since the
// lines that are left could mean something else than was meant: errors are of
// type [*LineError], or about the file's size. Lines without the namespace
// "whittle" are read but do not count; all that is asked of them is the syntax,
// and that they are no cert-authority. A file without entries is no error and
// trusts nobody.
func Parse(data []byte) (*Roots, error) {
	entries, err := parseEntries(data, Namespace, checkPrincipal)
	if err != nil {
		return nil, err
	}
	r := &Roots{entries: entries}
	for _, e := range entries {
		r.ids = append(r.ids, RootKeyID(e.Key))
	}
	return r, nil
}

// parseEntries returns the entries that count in a namespace, whose principals are as
// check wants them.
func parseEntries(data []byte, namespace string, check func(principal string) error) ([]Entry, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("the trust file has more than %d bytes", MaxBytes)
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	var entries []Entry
	number, keys := 0, 0
	for raw := range bytes.Lines(data) {
		number++
		line := strings.TrimSuffix(strings.TrimSuffix(string(raw), "\n"), "\r")
		line = strings.Trim(line, " \t")
		if line == "" || line[0] == '#' {
			continue
		}
		if keys++; keys > MaxEntries {
			return nil, fmt.Errorf("the trust file has more than %d entries", MaxEntries)
		}
		entry, counts, err := parseLine(line, namespace, check)
		if err != nil {
			return nil, &LineError{number, err.Error()}
		}
		if counts {
			entry.Line = number
			entries = append(entries, entry)
		}
	}
	return entries, nil
}

// parseLine reads one line that is neither blank nor a comment:
//
//	principal[,principal..] [option[,option..]] keytype base64 [comment]
func parseLine(line, namespace string, check func(principal string) error) (entry Entry, counts bool, err error) {
	for _, c := range []byte(line) {
		if c < 0x20 && c != '\t' || c == 0x7f {
			return Entry{}, false, fmt.Errorf("control character %q", c)
		}
	}
	principals, rest := nextField(line)
	if rest == "" {
		return Entry{}, false, fmt.Errorf("only one field: want principals, options, key type and key")
	}
	if _, err := parseOptions(principals); err == nil {
		return Entry{}, false, fmt.Errorf("no principals before the options")
	}
	var o options
	keyType, blob, comment, isKey := readKey(rest)
	if !isKey {
		text, after, err := splitOptions(rest)
		if err != nil {
			return Entry{}, false, err
		}
		if o, err = parseOptions(text); err != nil {
			return Entry{}, false, err
		}
		if keyType, blob, comment, isKey = readKey(after); !isKey {
			return Entry{}, false, fmt.Errorf("no key follows the options: want its type and its base64, which must agree")
		}
	}
	if o.certAuthority {
		return Entry{}, false, fmt.Errorf("cert-authority is not supported: list the keys themselves")
	}
	counts, err = o.counts(namespace)
	if err != nil || !counts {
		return Entry{}, false, err
	}
	// Names and comments get shown to people.
	if !utf8.ValidString(line) {
		return Entry{}, false, fmt.Errorf("not UTF-8")
	}
	if i := strings.IndexFunc(line, func(r rune) bool { return r >= 0x80 && unicode.IsControl(r) }); i >= 0 {
		return Entry{}, false, fmt.Errorf("control character at byte %d", i)
	}
	entry = Entry{Principals: strings.Split(principals, ","), Comment: comment}
	for _, p := range entry.Principals {
		if err := check(p); err != nil {
			return Entry{}, false, err
		}
	}
	if entry.ValidAfter, entry.ValidBefore, err = o.times(); err != nil {
		return Entry{}, false, err
	}
	if entry.Key, err = token.ParsePublicKey(keyType + " " + blob); err != nil {
		return Entry{}, false, fmt.Errorf("key of type %.40q: %w", keyType, err)
	}
	return entry, true, nil
}

// nextField cuts off the first field, and the blanks behind it.
func nextField(s string) (field, rest string) {
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimLeft(s[i:], " \t")
}

// readKey reads a key type, a key and a comment. What tells a key from options
// is that the type stands in the key's bytes once more (RFC 4253, section 6.6),
// so that no list of types is needed here. The key itself is not looked at.
func readKey(s string) (keyType, blob, comment string, ok bool) {
	keyType, rest := nextField(s)
	blob, comment = nextField(rest)
	data, err := base64.StdEncoding.DecodeString(blob)
	if err != nil || len(data) < 4 {
		return "", "", "", false
	}
	size, data := binary.BigEndian.Uint32(data), data[4:]
	if uint64(size) > uint64(len(data)) || string(data[:size]) != keyType || keyType == "" {
		return "", "", "", false
	}
	return keyType, blob, comment, true
}
