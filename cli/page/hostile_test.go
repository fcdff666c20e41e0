package page_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/cli/page"
	"github.com/whittle-auth/whittle/cli/reading"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
)

// hostileNames try to be markup, to end what they stand in, and to turn or hide text.
var hostileNames = []string{
	`<img src=x onerror=alert(1)>`, `<script>alert(1)</script>`, `"><svg onload=alert(1)>`, `' onmouseover='alert(1)`, `</title></svg></style><b>`,
	`&lt;img&gt;`, `&#60;b&#62;`, "javascript:alert(1)", "a\u202egro.live\u202c", "a\u2066b\u2069", "z\u200be\u200dr\ufeffo", `{{.}}`, `${x}`, `]]>`, `<!--`,
	"مرحبا", "漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字", strings.Repeat("x", 250),
}

// TestHostileTextIsText: names make no element, whatever they are; the markup around
// them is that of a name that is plain.
func TestHostileTextIsText(t *testing.T) {
	w := newWorld(t)
	look := func(name string, plain bool) (*page.Answer, string) {
		var held token.Chain
		if plain { // ours have no such names
			block := must(datalog.ParseBlock("right({n}); check if operation({n});", &datalog.Params{Terms: map[string]datalog.Term{"n": datalog.String(name)}}))(t)
			held = must(token.Mint(w.alice, block, token.HeldBy(w.ci.Public()), nil))(t)
		} else {
			held = w.mint(t, name, delegation.Resource("a"), delegation.Operation(name))
		}
		a := page.Look(&page.Fields{Token: held.Text(), Trust: w.trust}, now)
		asked := page.Ask(&page.Fields{Token: held.Text(), Trust: w.trust, Operation: "x" + name[:1], Resources: "a", Audience: "s"}, now)
		a.Body = append(a.Body, asked.Body...)
		u := must(token.ParseText(held.Text(), nil))(t)
		return a, page.Report(must(reading.Read(u, nil, now))(t)).String()
	}
	tags := regexp.MustCompile(`<[^<>]*>`)
	attributes := regexp.MustCompile(`"[^"]*"`)
	skeleton := func(html string) string {
		return attributes.ReplaceAllString(strings.Join(tags.FindAllString(html, -1), ""), `""`)
	}
	_, ours := look("agent", false)
	_, others := look("agent", true)
	for _, name := range hostileNames {
		plain := delegation.ValidName(name) != nil
		a, report := look(name, plain)
		if len(a.Body) == 0 {
			t.Errorf("%q: nothing is shown", name)
		}
		inOrder(t, a.Body)
		if got, want := skeleton(report), skeleton(map[bool]string{false: ours, true: others}[plain]); got != want {
			t.Errorf("%q changes the markup:\n%s\n%s", name, got, want)
		}
	}
}

// TestNamesAreQuoted: a name that could pass for what stands beside it is quoted wherever
// it stands, also where a request is held against the token.
func TestNamesAreQuoted(t *testing.T) {
	w := newWorld(t)
	const name = "anybody at all, for anything."
	held := w.mint(t, name, delegation.Resource("a"), delegation.Operation("read"))
	channel := must(delegation.ParseChannel(sessionChannel))(t)
	from, until := now.Add(-30*time.Second), now.Add(time.Minute)
	for _, c := range []token.Chain{
		held,
		must(attenuate.Handoff(held, w.ci, name, w.runner.Public()))(t),
		must(attenuate.Narrow(held, w.ci, caveat(t, "arg a 1")))(t),
		must(attenuate.InvokeAt(held, w.ci, delegation.Request{Operation: "read", Resource: "a", Audience: name}, from, until))(t),
		must(attenuate.InvokeSessionAt(held, w.ci, name, channel, from, until))(t),
	} {
		f := page.Fields{Token: c.Text(), Operation: "write", Resources: "a", Audience: name}
		for _, trust := range []string{"", w.trust} {
			f.Trust = trust
			shown := said(page.Look(&f, now)) + said(page.Ask(&f, now))
			if all, quoted := strings.Count(shown, name), strings.Count(shown, `"`+name+`"`); all == 0 || all != quoted {
				t.Errorf("%d of %d times in quotes: %s", quoted, all, shown)
			}
		}
	}
}

// inOrder demands of everything shown that the script of the page knows its elements
// and attributes, that no text hides or turns anything, and that ids are unique.
func inOrder(t testing.TB, body []page.Element) {
	t.Helper()
	known := knownToScript(t)
	ids := map[string]bool{}
	var visit func(e *page.Element)
	visit = func(e *page.Element) {
		if e.Tag == "" && (e.Children != nil || e.Attrs != nil) || e.Tag != "" && (e.Text != "" || !known[e.Tag]) {
			t.Errorf("the script would not make %q of %q", e.Tag, e.Text)
		}
		shown := e.Text
		for _, a := range e.Attrs {
			if !known[a.Name] {
				t.Errorf("the script knows no attribute %q", a.Name)
			}
			if a.Name == "id" {
				if ids[a.Value] {
					t.Errorf("the id %q stands twice", a.Value)
				}
				ids[a.Value] = true
			}
			shown += a.Value
		}
		if strings.ContainsFunc(strings.ReplaceAll(shown, "\n", ""), reading.IsHidden) {
			t.Errorf("%q hides or turns something", shown)
		}
		for i := range e.Children {
			visit(&e.Children[i])
		}
	}
	for i := range body {
		visit(&body[i])
	}
}

// knownToScript are the elements and attributes that page.js makes.
func knownToScript(t testing.TB) map[string]bool {
	t.Helper()
	known := readScript()
	for _, never := range []string{"script", "style", "iframe", "a", "img", "form", "input", "href", "src", "style", "onclick"} {
		if known[never] {
			t.Errorf("the script makes %q of what a token says", never)
		}
	}
	if len(known) < 20 {
		t.Fatalf("only %d names were found in the script", len(known))
	}
	return known
}

var readScript = sync.OnceValue(func() map[string]bool {
	script, err := os.ReadFile("../web/page.js")
	if err != nil {
		return nil
	}
	known := map[string]bool{}
	for _, set := range regexp.MustCompile(`(?s)new Set\(\[(.*?)\]\)`).FindAllSubmatch(script, -1) {
		for _, name := range regexp.MustCompile(`"([A-Za-z0-9-]+)"`).FindAllSubmatch(set[1], -1) {
			known[string(name[1])] = true
		}
	}
	return known
})

// FuzzLook: whatever is pasted, there is an answer that the page can show. What reads as
// Datalog is pasted as a token that says it.
func FuzzLook(f *testing.F) {
	w := newWorld(f)
	for _, c := range []token.Chain{w.minted, w.narrow, w.presented, w.session, w.bearer, w.sealed, w.approved, w.plain} {
		f.Add(c.Text(), w.trust, "rotate", "payments/certs/api", "days=30", "svc:certs", "")
	}
	f.Add(`delegator("a"); holder("b"); check if operation("<b>") || arg("n", 1) trusting previous; check all time($t), $t < 2030-01-01T00:00:00Z;`, w.trust, "rotate", "a", "", "s", "")
	f.Add("Bearer x", "x", "a\x00", "a/../b", "x={", "\u202e", "2030-01-01T12:00:00Z")
	f.Fuzz(func(t *testing.T, text, trust, operation, resources, args, audience, at string) {
		if block, err := datalog.ParseBlock(text, nil); err == nil && len(block.Checks)+len(block.Facts) > 0 {
			if c, err := token.Mint(w.alice, block, token.HeldBy(w.ci.Public()), nil); err == nil {
				text = c.Text() // which is signed, so that its blocks are read
			}
		}
		fields := &page.Fields{Token: text, Trust: trust, Operation: operation, Resources: resources, Args: args, Audience: audience, At: at}
		for _, answer := range []*page.Answer{page.Look(fields, now), page.Ask(fields, now)} {
			inOrder(t, answer.Body)
			for _, said := range append([]string{answer.Status}, slices.Collect(maps.Values(answer.Errors))...) {
				if strings.ContainsFunc(said, reading.IsHidden) {
					t.Errorf("%q hides or turns something", said)
				}
			}
		}
	})
}
