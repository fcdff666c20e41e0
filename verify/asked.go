package verify

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/whittle-auth/whittle/token/datalog"
)

// Bounds on what a denial repeats of a request.
const (
	maxAskedFacts = 8
	maxAskedText  = 160 // bytes of one value
)

// asked says what queries were held against: the facts of the names that they speak
// of, from those given, or that there are none.
func asked(queries []datalog.Query, facts ...[]datalog.Predicate) string {
	var texts []string
	add := func(text string) {
		if !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	looked := 0
	for _, q := range queries {
		for _, p := range q.Body {
			if looked++; looked > maxAskedFacts {
				return strings.Join(append(texts, ".."), ", ")
			}
			found := false
			for _, list := range facts {
				for _, f := range list {
					if !speaksOf(p, f) {
						continue
					}
					if len(texts) == maxAskedFacts {
						return strings.Join(append(texts, ".."), ", ")
					}
					found = true
					add(factText(f))
				}
			}
			if !found {
				add(absentText(p))
			}
		}
	}
	return strings.Join(texts, ", ")
}

// speaksOf reports whether a fact is of the name that a predicate asks for. Of the
// other terms only a first one that is a constant counts, which is a name too, as in
// arg("amount", $a).
func speaksOf(p, f datalog.Predicate) bool {
	if p.Name != f.Name || len(p.Terms) != len(f.Terms) {
		return false
	}
	if name, ok := named(p); ok {
		other, ok := named(f)
		return ok && name == other
	}
	return true
}

// named returns the first of several terms where it is a string: the name of an
// argument, or of something in the service's state.
func named(p datalog.Predicate) (name string, ok bool) {
	if len(p.Terms) < 2 {
		return "", false
	}
	s, ok := p.Terms[0].(datalog.String)
	return string(s), ok
}

// factText writes a fact for people: operation "delete", arg "amount" 90000.
func factText(f datalog.Predicate) string {
	texts := []string{f.Name}
	for _, t := range f.Terms {
		texts = append(texts, short(fmt.Sprint(t)))
	}
	return strings.Join(texts, " ")
}

// absentText says that nothing was stated of what a predicate asks for.
func absentText(p datalog.Predicate) string {
	if name, ok := named(p); ok {
		return "no " + p.Name + " " + short(datalog.String(name).String())
	}
	return "no " + p.Name
}

// short cuts a text that is too long to be repeated.
func short(s string) string {
	if len(s) <= maxAskedText {
		return s
	}
	n := maxAskedText
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + ".."
}
