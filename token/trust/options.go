package trust

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// options are the options of one line, as they are written. A nil value is an
// option that is absent.
type options struct {
	certAuthority           bool
	namespaces              *string
	validAfter, validBefore *string
}

// splitOptions cuts off the options, in which blanks stand within quotes only.
func splitOptions(s string) (text, rest string, err error) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quoted && i+1 < len(s) && s[i+1] == '"':
			i++
		case c == '"':
			quoted = !quoted
		case (c == ' ' || c == '\t') && !quoted:
			return s[:i], strings.TrimLeft(s[i:], " \t"), nil
		}
	}
	if quoted {
		return "", "", fmt.Errorf("a quote is never closed")
	}
	return s, "", nil
}

// parseOptions reads options as OpenSSH does: names in any case, values in
// quotes, separated by commas, none twice and none that is not known.
func parseOptions(s string) (options, error) {
	var o options
	for {
		name := s[:nameLength(s)]
		s = s[len(name):]
		twice := false
		if lower := strings.ToLower(name); lower == "cert-authority" {
			twice = o.certAuthority
			o.certAuthority = true
		} else {
			field := o.field(lower)
			if field == nil {
				return options{}, fmt.Errorf("%.40q is neither an option nor the type of the key that follows", name)
			}
			value, rest, err := quotedValue(s)
			if err != nil {
				return options{}, fmt.Errorf("option %s %w", name, err)
			}
			twice = *field != nil
			*field, s = &value, rest
		}
		if twice {
			return options{}, fmt.Errorf("option %s appears twice", name)
		}
		if s == "" {
			return o, nil
		}
		if s[0] != ',' || len(s) == 1 {
			return options{}, fmt.Errorf("want a comma and another option after option %s", name)
		}
		s = s[1:]
	}
}

// field returns where the value of an option goes, or nil for an unknown one.
func (o *options) field(name string) **string {
	switch name {
	case "namespaces":
		return &o.namespaces
	case "valid-after":
		return &o.validAfter
	case "valid-before":
		return &o.validBefore
	}
	return nil
}

// nameLength returns the length of the option's name that s begins with.
func nameLength(s string) int {
	if i := strings.IndexAny(s, `=,"`); i >= 0 {
		return i
	}
	return len(s)
}

// quotedValue reads ="value", in which \" is a quote.
func quotedValue(s string) (value, rest string, err error) {
	s, ok := strings.CutPrefix(s, `="`)
	if !ok {
		return "", "", fmt.Errorf("needs a value in double quotes")
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && s[i+1] == '"':
			i++
			b.WriteByte('"')
		case s[i] == '"':
			return b.String(), s[i+1:], nil
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", fmt.Errorf("has a quote that is never closed")
}

// counts reports whether the namespaces name the given one literally. It fails on a
// list that names it and would mean something else to OpenSSH, and on what is
// probably a misspelling of it.
func (o options) counts(namespace string) (bool, error) {
	if o.namespaces == nil {
		return false, nil
	}
	list := strings.Split(*o.namespaces, ",")
	if !slices.Contains(list, namespace) {
		for _, n := range list {
			if strings.EqualFold(strings.TrimSpace(n), namespace) {
				return false, fmt.Errorf("namespace %.40q: write %s", n, namespace)
			}
		}
		return false, nil
	}
	for _, n := range list {
		if n == "" || strings.ContainsAny(n, `!*? "`) {
			return false, fmt.Errorf("namespace %.40q beside %s: namespaces are names, without wildcards, negation and blanks", n, namespace)
		}
	}
	return true, nil
}

// times returns the bounds, the zero time where there is none.
func (o options) times() (after, before time.Time, err error) {
	if o.validAfter != nil {
		if after, err = parseTime(*o.validAfter); err != nil {
			return after, before, fmt.Errorf("valid-after: %w", err)
		}
	}
	if o.validBefore != nil {
		if before, err = parseTime(*o.validBefore); err != nil {
			return after, before, fmt.Errorf("valid-before: %w", err)
		}
	}
	if o.validAfter != nil && o.validBefore != nil && !after.Before(before) {
		return after, before, fmt.Errorf("valid-before is not later than valid-after")
	}
	return after, before, nil
}

// parseTime reads YYYYMMDDZ, YYYYMMDDHHMMZ or YYYYMMDDHHMMSSZ, UTC. OpenSSH
// also takes times without the Z, in whatever zone the machine is set to.
func parseTime(s string) (time.Time, error) {
	digits, ok := strings.CutSuffix(s, "Z")
	if !ok {
		return time.Time{}, fmt.Errorf("%.40q: want a time in UTC, which ends in Z, as in 20261231Z", s)
	}
	if strings.Trim(digits, "0123456789") != "" {
		return time.Time{}, fmt.Errorf("%.40q is not YYYYMMDD[HHMM[SS]]Z", s)
	}
	layout := ""
	switch len(digits) {
	case 8:
		layout = "20060102"
	case 12:
		layout = "200601021504"
	case 14:
		layout = "20060102150405"
	default:
		return time.Time{}, fmt.Errorf("%.40q is not YYYYMMDD[HHMM[SS]]Z", s)
	}
	t, err := time.Parse(layout, digits)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no date and time", s)
	}
	// OpenSSH takes the second 0 for no limit at all and refuses what is
	// before.
	if t.Unix() <= 0 {
		return time.Time{}, fmt.Errorf("%q is not after 1970-01-01T00:00:00Z", s)
	}
	return t, nil
}
