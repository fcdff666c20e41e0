package page_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/cli/page"
	"github.com/whittle-auth/whittle/vectors"
)

// TestVectorsAreAnswered: of every vector that the fields can say the page says what a
// verifier has to, and without a trust file it denies nothing that is allowed.
func TestVectorsAreAnswered(t *testing.T) {
	cases := must(vectors.Delegation())(t)
	allowed, denied := 0, 0
	for _, c := range cases {
		f := page.Fields{
			Token: c.Token, Trust: c.Trust, Operation: c.Request.Operation, Resources: strings.Join(c.Request.Resources, "\n"),
			Args: assigned(t, c.Request.Args), Context: assigned(t, c.Context), Audience: c.Service, Directory: c.Directory, Channel: c.Channel,
			Facts: strings.Join(c.TokenFacts, "\n"), Bearer: c.AllowBearer,
		}
		inOrder(t, page.Look(&f, c.Now).Body)
		a := page.Ask(&f, c.Now)
		inOrder(t, a.Body)
		if len(c.Facts) > 0 || strings.ContainsAny(c.Token, " \n") || slices.ContainsFunc(slices.Collect(maps.Keys(c.Request.Args)), unassignable) || slices.ContainsFunc(c.Request.Resources, unwritable) || unwritable(c.Request.Operation) {
			continue // which no field can say
		}
		if c.Expect.Allowed {
			allowed++
			expect(t, c.Name+": "+a.Status, "Nothing speaks against it.")
			f.Trust = ""
			expect(t, c.Name+": "+page.Ask(&f, c.Now).Status, "Nothing in its blocks speaks against it.")
			continue
		}
		denied++
		if a.Body == nil && len(a.Errors) > 0 { // no token, or no request
			continue
		}
		if strings.Contains(a.Status, "Suppose the holder") {
			expect(t, c.Name+": "+a.Status, "As it is, a service answers "+c.Expect.Code)
			continue
		}
		expect(t, c.Name+": "+a.Status, "!Nothing speaks against it.", "Denied: "+c.Expect.Code)
	}
	if allowed < 50 || denied < 100 {
		t.Errorf("%d allowed and %d denied vectors of %d", allowed, denied, len(cases))
	}
}

// assigned writes values as the page's fields have them.
func assigned(t *testing.T, values map[string]any) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(values)) {
		b.WriteString(name + "=" + string(must(json.Marshal(values[name]))(t)) + "\n")
	}
	return b.String()
}

func unassignable(name string) bool {
	return name == "" || strings.ContainsAny(name, "=\n") || unwritable(name)
}

// unwritable reports whether a field would lose something of a text.
func unwritable(s string) bool { return strings.TrimSpace(s) != s || strings.ContainsAny(s, "\r\n") }
