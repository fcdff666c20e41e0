package httpauth

import (
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/whittle-auth/whittle/verify/internal/strictjson"
)

// query adds the parameters of a query to the arguments. Where readers are known to
// differ, none is chosen: what is not name=value is refused, and so is a name that
// stands twice but for the case of its letters.
func (c *route) query(raw string, args map[string]any) error {
	if raw == "" {
		return nil
	}
	seen := map[string]bool{}
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, err := parameter(pair)
		if err != nil {
			return fmt.Errorf("query: %w", err)
		}
		folded := strictjson.Fold(name)
		if seen[folded] {
			return fmt.Errorf("the query has %q more than once: letters that differ in case only count as the same", name)
		}
		seen[folded] = true
		switch {
		case c.anyQuery:
			if !isPlain(name) {
				return fmt.Errorf("the query has the parameter %q: without a route names have letters, digits, - and _ only", name)
			}
			args[name] = value
		case slices.Contains(c.Query, name):
			args[name] = value
		case slices.Contains(c.QueryIntegers, name):
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil || strconv.FormatInt(n, 10) != value {
				return fmt.Errorf("the parameter %q is no 64-bit integer in its one spelling", name)
			}
			args[name] = n
		default:
			return fmt.Errorf("the query has the parameter %q, which is not mapped", name)
		}
	}
	return nil
}

// parameter reads one name=value.
func parameter(pair string) (name, value string, err error) {
	name, value, ok := strings.Cut(pair, "=")
	if !ok {
		return "", "", fmt.Errorf("a parameter is written name=value, also where the value is empty")
	}
	if name, err = unescape(name); err != nil {
		return "", "", err
	}
	value, err = unescape(value)
	return name, value, err
}

// unescape reads what the usual encoders write, which is what all readers read alike.
// Letters, digits and -_. are escaped by none of them, nothing but ~!*'()/:@,$? is
// written as it stands by one and escaped by another, and a space is + or %20. The
// others, a # above all, end a query or a parameter to some readers, or are decoded by
// one and not by the other on the way.
func unescape(s string) (string, error) {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case isLetter(c) || c == '.' || c == '+' || strings.IndexByte("~!*'()/:@,$?", c) >= 0:
		case c == '%':
			digits := s[i+1 : min(i+3, len(s))]
			b, err := hex.DecodeString(digits)
			if err != nil || len(b) != 1 || strings.ToUpper(digits) != digits {
				return "", fmt.Errorf("an escape is %% and two hexadecimal digits, in capitals")
			}
			if isLetter(b[0]) || b[0] == '.' || b[0] == 0 {
				return "", fmt.Errorf("%%%s is never written as an escape", digits)
			}
			i += 2
		default:
			return "", fmt.Errorf("the character %q is to be escaped", c)
		}
	}
	return url.QueryUnescape(s)
}

// isPlain reports whether a name is one that no reader takes apart, as many do with a.b
// and a[b], or reads as another, as some do with a dot or a space.
func isPlain(name string) bool {
	for i := range len(name) {
		if !isLetter(name[i]) {
			return false
		}
	}
	return name != ""
}

// isLetter reports whether a byte is a letter or a digit, or stands for one in names.
func isLetter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}
