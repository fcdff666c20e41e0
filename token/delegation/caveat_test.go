package delegation_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestCanonicalForms(t *testing.T) {
	for want, cv := range map[string]delegation.Caveat{
		`check all time($t), $t < 2026-11-23T12:00:00Z`:                                       delegation.Expires(noon),
		`check all time($t), $t >= 2026-11-23T12:00:00Z`:                                      delegation.ValidFrom(noon),
		`check all operation($o), ["x", "y"].contains($o)`:                                    delegation.Operation("x", "y"),
		`check all operation($o), ["x"].contains($o)`:                                         delegation.Operation("x"),
		`check all resource($r), $r == "a/x"`:                                                 delegation.Resource("a/x"),
		`check all resource($r), $r == "a" || $r.starts_with("a/")`:                           delegation.Resource("a/**"),
		`check all resource($r), $r == "b" || $r == "a" || $r.starts_with("a/") || $r == "c"`: delegation.Resource("b", "a/**", "c"),
	} {
		if got := cv.Check().String(); got != want {
			t.Errorf("%s is written %s, want %s", cv, got, want)
		}
		read, err := delegation.ParseCheck(want)
		if err != nil || !reflect.DeepEqual(read, cv) {
			t.Errorf("%s reads as %#v, %v", want, read, err)
		}
	}
}

// Anything that is not exactly a canonical form is a check written by hand.
func TestAlmostCanonicalForms(t *testing.T) {
	for _, source := range []string{
		`check if time($t), $t < 2026-11-23T12:00:00Z`,
		`check all time($t), $t <= 2026-11-23T12:00:00Z`,
		`check all time($t), $t > 2026-11-23T12:00:00Z`,
		`check all time($x), $x < 2026-11-23T12:00:00Z`,
		`check all time($t), ($t < 2026-11-23T12:00:00Z)`,
		`check all time($t), 2026-11-23T12:00:00Z > $t`,
		`check all time($t), $t < 5`,
		`check all time($t), $t < 10000-01-01T00:00:00Z`,
		`check all time($t, 1), $t < 2026-11-23T12:00:00Z`,
		`check all time($t), $t < 2026-11-23T12:00:00Z or true`,
		`check all operation($o), {"x"}.contains($o)`,
		`check all operation($o), [].contains($o)`,
		`check all operation($o), ["x", 1].contains($o)`,
		`check all operation($o), ["x", ""].contains($o)`,
		`check all operation($o), ["x"].contains("x")`,
		`check all operation($o), $o == "x"`,
		`check all resource($r), $r.starts_with("a/")`,
		`check all resource($r), $r.starts_with("a/") || $r == "a"`,
		`check all resource($r), $r == "a" || $r.starts_with("a")`,
		`check all resource($r), $r == "a" || $r.starts_with("b/")`,
		`check all resource($r), $r == "a" || ($r == "b" || $r == "c")`,
		`check all resource($r), $r == "a" && $r.starts_with("a/")`,
		`check all resource($r), $r === "a"`,
		`check all resource($r), $r == "a/../b"`,
		`check all resource($r), $r == "a", true`,
		`check all resource($r), operation($o), $r == "a"`,
		`reject if operation("x")`,
		`check if true`,
	} {
		cv, err := delegation.ParseCheck(source)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if c, ok := cv.(delegation.Custom); !ok || c.Check().String() != source {
			t.Errorf("%s reads as %#v", source, cv)
		}
	}
	for _, source := range []string{`check if true trusting previous`, `check if 1.extern::f()`, `check if`, `a("b")`, `check if true; check if false`} {
		if cv, err := delegation.ParseCheck(source); err == nil {
			t.Errorf("%s reads as %#v", source, cv)
		}
	}
}

// TestHostileValues: whatever the text, it arrives as it was or is refused, and
// no text becomes Datalog.
func TestHostileValues(t *testing.T) {
	for _, text := range []string{
		`"`, `\`, `a"b`, `"); operation("x`, "a\nb", "a\x00b", `x" || true`, `$o`, `{p}`, `hex:00`, `true`, `a, b`, ` a`, `a `,
		"é", "e\u0301", "\u202e", "\xff", "", strings.Repeat("a", 257), "//", "..", "a/..", "a/*", "**", "a/**/b",
	} {
		for _, cv := range []delegation.Caveat{delegation.Operation(text), delegation.Resource(text), delegation.Resource(text + "/**")} {
			if cv.Validate() != nil {
				continue
			}
			read, err := delegation.ParseCheck(cv.Check().String())
			if err != nil || !reflect.DeepEqual(read, cv) {
				t.Errorf("%q as %s reads back as %#v, %v", text, cv.Check(), read, err)
			}
		}
	}
	for _, refused := range []delegation.Caveat{
		delegation.Operation(), delegation.Operation(""), delegation.Operation("a\nb"), delegation.Operation("e\u0301"), delegation.Operation("a", " b"),
		delegation.Resource(), delegation.Resource(""), delegation.Resource("/"), delegation.Resource("a/../b"), delegation.Resource("**"),
		delegation.Resource("/**"), delegation.Resource("a/*"), delegation.Resource("a*/**"), delegation.Resource("a%2fb"), delegation.Resource("a/**/"),
		delegation.Expires(time.Unix(-1, 0)), delegation.Expires(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)), delegation.ValidFrom(time.Unix(-1, 0)),
		delegation.Custom{}, delegation.Operation("a", "b", "a"), delegation.Resource("a", "a"), delegation.Operation(many(257)...), delegation.Resource(many(257)...),
	} {
		if refused.Validate() == nil {
			t.Errorf("%#v validates", refused)
		}
	}
}

func many(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = strings.Repeat("a", i+1)[:min(i+1, 200)] + string(rune('a'+i/200))
	}
	return list
}

// TestReadingIsWriting: every caveat reads back from its check.
func TestReadingIsWriting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cv := someCaveat().Draw(t, "caveat")
		if err := cv.Validate(); err != nil {
			t.Fatal(err)
		}
		if read := delegation.ReadCaveat(cv.Check()); !reflect.DeepEqual(read, cv) {
			t.Fatalf("%s reads as %s", cv, read)
		}
	})
}

func someCaveat() *rapid.Generator[delegation.Caveat] {
	text := rapid.StringMatching(`[a-z"\\$}{é]{1,4}`)
	path := rapid.Map(rapid.SliceOfN(rapid.StringMatching(`[a-z"$}{é]{1,2}`), 1, 3), func(s []string) string { return strings.Join(s, "/") })
	pattern := rapid.Custom(func(t *rapid.T) string {
		if rapid.Bool().Draw(t, "subtree") {
			return path.Draw(t, "path") + "/**"
		}
		return path.Draw(t, "path")
	})
	at := rapid.Map(rapid.Int64Range(0, 253402300799), func(s int64) time.Time { return time.Unix(s, 0) })
	return rapid.OneOf(
		rapid.Map(rapid.SliceOfNDistinct(text, 1, 4, rapid.ID), func(n []string) delegation.Caveat { return delegation.Operation(n...) }),
		rapid.Map(rapid.SliceOfNDistinct(pattern, 1, 4, rapid.ID), func(p []string) delegation.Caveat { return delegation.Resource(p...) }),
		rapid.Map(at, delegation.Expires), rapid.Map(at, delegation.ValidFrom),
	)
}

// TestScope: what blocks add up to, and who is said to have set what.
func TestScope(t *testing.T) {
	var s delegation.Scope
	s.Narrow(delegation.Resource("a/**", "b"), 0)
	s.Narrow(delegation.Operation("read", "write"), 0)
	s.Narrow(delegation.Expires(noon), 0)
	s.Narrow(delegation.Expires(noon.Add(time.Hour)), 1) // no tighter: block 0 stays
	s.Narrow(delegation.Resource("a/x/**", "a/y", "c"), 2)
	s.Narrow(delegation.Custom{Source: mustCheck(t, `check if true`)}, 2)
	s.Narrow(delegation.Custom{Source: mustCheck(t, `check if true`)}, 3)
	var got []string
	for _, b := range s.Bounds {
		got = append(got, b.Caveat.String())
	}
	want := []string{"resource a/x/** or a/y", "operation read or write", "expires 2026-11-23T12:00:00Z", "check if true", "check if true"}
	if !reflect.DeepEqual(got, want) || s.Bounds[0].Block != 2 || s.Bounds[2].Block != 0 || s.Empty {
		t.Errorf("%q, %+v", got, s)
	}
	clone := s.Clone()
	clone.Narrow(delegation.Operation("delete"), 4)
	if !clone.Empty || s.Empty {
		t.Error("a contradiction does not empty the scope, or empties another's")
	}
	encoded, err := s.MarshalJSON()
	if want := `{"expires":"2026-11-23T12:00:00Z","resources":["a/x/**","a/y"],"operations":["read","write"],"checks":[{"block":2,"check":"check if true"},{"block":3,"check":"check if true"}],"bounds":[` +
		`{"block":2,"caveat":{"kind":"resource","one_of":["a/x/**","a/y"]},"text":"resource a/x/** or a/y"},` +
		`{"block":0,"caveat":{"kind":"operation","one_of":["read","write"]},"text":"operation read or write"},` +
		`{"block":0,"caveat":{"at":"2026-11-23T12:00:00Z","kind":"expires"},"text":"expires 2026-11-23T12:00:00Z"}]}`; err != nil || string(encoded) != want {
		t.Errorf("JSON %s, %v", encoded, err)
	}
	var widening *delegation.WideningError
	if _, err := s.Fit(delegation.Operation("delete"), false); !errors.As(err, &widening) {
		t.Errorf("%v", err)
	}
	if _, err := s.Fit(delegation.Operation("delete"), true); err == nil {
		t.Error("nothing in common, and clamped")
	}
}

func mustCheck(t *testing.T, source string) datalog.Check {
	t.Helper()
	c, err := datalog.ParseCheck(source, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
