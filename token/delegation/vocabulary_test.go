package delegation

import (
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/token/datalog"
)

func TestParseFactType(t *testing.T) {
	for text, want := range map[string]string{
		"role(string)":                  "role(string)",
		"limit(string,integer)":         "limit(string, integer)",
		" limit ( string , integer )":   "limit(string, integer)",
		"a:b_c(date, bytes, bool)":      "a:b_c(date, bytes, bool)",
		"x(set, null, array, map)":      "x(set, null, array, map)",
		"role(string":                   "",
		"role string)":                  "",
		"role()":                        "",
		"role(string,)":                 "",
		"role(text)":                    "",
		"role(String)":                  "",
		"(string)":                      "",
		"ro le(string)":                 "",
		`role("x")`:                     "",
		"time(date)":                    "",
		"holder(string)":                "",
		"context(string, string)":       "",
		"role(string)(string)":          "",
		"role(string); operation(null)": "",
	} {
		f, err := ParseFactType(text)
		if got := f.String(); (err == nil) != (want != "") || err == nil && got != want {
			t.Errorf("%q is read as %q, %v", text, got, err)
		}
	}
}

// TestReservedIsTheVocabulary: each fact that a verifier states or a token holds has
// a name that nobody else can use.
func TestReservedIsTheVocabulary(t *testing.T) {
	checked, err := (&Request{Operation: "o", Resource: "r", Audience: "a", Args: map[string]any{"n": 1}}).Check()
	if err != nil {
		t.Fatal(err)
	}
	context, err := ContextFacts(map[string]any{"n": 1})
	if err != nil {
		t.Fatal(err)
	}
	facts := append(checked.Facts(), context...)
	facts = append(facts, Channel{TLSExporter, [32]byte{1}}.Fact())
	facts = append(facts, (&Invocation{Nonce: make([]byte, 16)}).Content().Facts...)
	for _, p := range facts {
		if !Reserved(p.Name) {
			t.Errorf("%s is not reserved", p)
		}
	}
	if Reserved("role") || Reserved("Time") || Reserved("") {
		t.Error("reserved without need")
	}
}

func FuzzParseFactType(f *testing.F) {
	f.Add("role(string)")
	f.Add("limit(string, integer)")
	f.Fuzz(func(t *testing.T, text string) {
		ft, err := ParseFactType(text)
		if err != nil {
			return
		}
		again, err := ParseFactType(ft.String())
		if err != nil || again.String() != ft.String() {
			t.Errorf("%q is read as %s, and that as %s, %v", text, ft, again, err)
		}
		p := datalog.Predicate{Name: ft.Name}
		for range ft.Types {
			p.Terms = append(p.Terms, datalog.Null{})
		}
		if ft.covers(p) != (strings.Count(ft.String(), "null") == len(ft.Types)) && !strings.Contains(ft.Name, "null") {
			t.Errorf("%s and %s", ft, p)
		}
	})
}
