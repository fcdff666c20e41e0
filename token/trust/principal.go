package trust

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/whittle-auth/whittle/token"
)

// CanonicalDelegator returns nil when a name is in the one spelling that names
// have: UTF-8 in NFC of 1 to 256 bytes, without wildcards, commas, white space
// and invisible characters. A name has at most one @; if so, something stands
// before it, and behind it a domain in lower case. Case before the @ counts.
//
// So two names are the same delegator exactly if their bytes are equal, and a
// revoked delegator does not come back in another spelling.
func CanonicalDelegator(name string) error {
	switch {
	case name == "":
		return errors.New("the name is empty")
	case len(name) > token.MaxName:
		return fmt.Errorf("the name has %d bytes, at most %d are allowed", len(name), token.MaxName)
	case !utf8.ValidString(name):
		return errors.New("the name is not UTF-8")
	}
	ascii := true
	for i, r := range name {
		if what := forbidden(r); what != "" {
			return fmt.Errorf("%s %q at byte %d of the name", what, r, i)
		}
		ascii = ascii && r < utf8.RuneSelf
	}
	if !ascii && !norm.NFC.IsNormalString(name) {
		return fmt.Errorf("the name %q is not in Unicode normalization form NFC", name)
	}
	local, domain, ok := strings.Cut(name, "@")
	if !ok {
		return nil
	}
	if local == "" {
		return fmt.Errorf("nothing before the @ in %q", name)
	}
	return canonicalDomain(domain)
}

// canonicalDomain checks what follows the @; the characters have been checked.
func canonicalDomain(domain string) error {
	switch {
	case domain == "":
		return errors.New("nothing follows the @")
	case strings.Contains(domain, "@"):
		return errors.New("a name has at most one @")
	case domain != strings.ToLower(domain):
		return fmt.Errorf("the domain %q is not in lower case", domain)
	}
	return nil
}

// forbidden says what a character is that no name has, or returns "".
func forbidden(r rune) string {
	switch {
	case r == '*' || r == '?':
		return "wildcard"
	case r == ',':
		return "comma"
	case '!' <= r && r <= '~': // the rest of what is visible in ASCII
		return ""
	case unicode.IsSpace(r), r >= utf8.RuneSelf && unicode.Is(unicode.Z, r):
		return "white space"
	case unicode.IsControl(r), r >= utf8.RuneSelf && unicode.Is(unicode.Cf, r):
		return "control character"
	}
	return ""
}

// checkPrincipal checks one element of the principals field.
func checkPrincipal(p string) error {
	switch {
	case strings.HasPrefix(p, "!"):
		return fmt.Errorf("principal %.80q: negation is not supported", p)
	case strings.ContainsAny(p, `"\`):
		return fmt.Errorf("principal %.80q: quotes and backslashes are not supported", p)
	}
	name := p
	if domain, ok := strings.CutPrefix(p, "*@"); ok {
		// Any local part does: what is checked is the domain, as it would be
		// in a name.
		name = "x@" + domain
	}
	if err := CanonicalDelegator(name); err != nil {
		return fmt.Errorf("principal %.80q: %w (principals are names or *@domain)", p, err)
	}
	return nil
}
