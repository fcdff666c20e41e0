package delegation

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/whittle-auth/whittle/token"
)

// ValidName returns why a string cannot name an operation, an agent or a
// service: names have 1 to 256 bytes of NFC text without control characters,
// and no space at either end.
func ValidName(s string) error {
	if s == "" {
		return fmt.Errorf("a name must not be empty")
	}
	if len(s) > token.MaxName {
		return fmt.Errorf("a name has at most %d bytes", token.MaxName)
	}
	if strings.TrimSpace(s) != s {
		return fmt.Errorf("a name must not begin or end with white space")
	}
	return validText(s)
}

// validText returns why a string has more than one spelling or cannot be shown
// on a line.
func validText(s string) error {
	if err := validString(s); err != nil {
		return err
	}
	for _, r := range s {
		if unicode.IsControl(r) || r >= utf8.RuneSelf && (unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029') {
			return fmt.Errorf("the text contains the control character %U", r)
		}
	}
	return nil
}
