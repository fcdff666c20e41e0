package delegation

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/whittle-auth/whittle/token/datalog"
)

// maxName bounds the length of names of operations, agents and services, in
// bytes.
const maxName = 256

// maxAlternatives bounds the list in one caveat: whether one is within another
// takes time in proportion to both.
const maxAlternatives = 256

// Operations is the list of operations that a token allows, one of which each
// request names.
type Operations struct{ Names []string }

// Operation returns the caveat that the operation is one of the given ones.
func Operation(names ...string) Caveat { return Operations{names} }

func (o Operations) String() string { return "operation " + joined(o.Names) }

// Validate refuses an empty list, one longer than 256, duplicates, and names that [ValidName] refuses.
func (o Operations) Validate() error {
	if len(o.Names) == 0 {
		return fmt.Errorf("an operation caveat needs at least one operation")
	}
	if len(o.Names) > maxAlternatives {
		return fmt.Errorf("an operation caveat has at most %d operations", maxAlternatives)
	}
	for i, n := range o.Names {
		if err := ValidName(n); err != nil {
			return fmt.Errorf("operation %q: %w", n, err)
		}
		if slices.Contains(o.Names[:i], n) {
			return fmt.Errorf("operation %q is listed twice", n)
		}
	}
	return nil
}

// Check returns `check all operation($o), ["x", "y"].contains($o)`. It is an
// array, since a set would contain its subsets too.
func (o Operations) Check() datalog.Check {
	return checkAll("operation", "o", datalog.Binary{
		Op:    datalog.OpContains,
		Left:  datalog.Value{Term: stringArray(o.Names)},
		Right: datalog.Value{Term: datalog.Variable("o")},
	})
}

func readOperations(c datalog.Check) Caveat {
	name, guard := guardOf(c)
	b, _ := guard.(datalog.Binary)
	v, _ := b.Left.(datalog.Value)
	names, ok := stringsOf(v.Term)
	if name != "operation" || !ok {
		return nil
	}
	return Operations{names}
}

func (Operations) dimension() string { return "operation" }

func (o Operations) within(outer Caveat) bool {
	allowed := outer.(Operations).Names
	return !slices.ContainsFunc(o.Names, func(n string) bool { return !slices.Contains(allowed, n) })
}

func (o Operations) meet(other Caveat) (Caveat, bool) {
	var both []string
	for _, n := range o.Names {
		if slices.Contains(other.(Operations).Names, n) && !slices.Contains(both, n) {
			both = append(both, n)
		}
	}
	return Operations{both}, len(both) > 0
}

func stringArray(elems []string) datalog.Array {
	a := make(datalog.Array, len(elems))
	for i, e := range elems {
		a[i] = datalog.String(e)
	}
	return a
}

// stringsOf is the inverse of stringArray.
func stringsOf(t datalog.Term) ([]string, bool) {
	a, ok := t.(datalog.Array)
	if !ok {
		return nil, false
	}
	elems := make([]string, len(a))
	for i, t := range a {
		s, ok := t.(datalog.String)
		if !ok {
			return nil, false
		}
		elems[i] = string(s)
	}
	return elems, true
}

// ValidName returns why a string cannot name an operation, an agent or a
// service: names have 1 to 256 bytes of NFC text without control characters,
// and no space at either end.
func ValidName(s string) error {
	if s == "" {
		return fmt.Errorf("a name must not be empty")
	}
	if len(s) > maxName {
		return fmt.Errorf("a name has at most %d bytes", maxName)
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
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
			return fmt.Errorf("the text contains the control character %U", r)
		}
	}
	return nil
}
