package page_test

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/cli/page"
	"github.com/whittle-auth/whittle/cli/reading"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
)

// said is all that an answer shows, as text.
func said(a *page.Answer) string {
	var b strings.Builder
	var visit func(e *page.Element)
	visit = func(e *page.Element) {
		b.WriteString(e.Text + " ")
		for i := range e.Children {
			visit(&e.Children[i])
		}
	}
	for i := range a.Body {
		visit(&a.Body[i])
	}
	shown := strings.Join(strings.Fields(a.Status+" "+b.String()), " ")
	return strings.NewReplacer(" , ", ", ", " : ", ": ", " . ", ". ").Replace(shown)
}

// expect demands pieces, and with a ! before it that one is not said.
func expect(t *testing.T, shown string, pieces ...string) {
	t.Helper()
	for _, p := range pieces {
		if piece, not := strings.CutPrefix(p, "!"); not == strings.Contains(shown, piece) {
			t.Errorf("want %q in:\n%s", p, shown)
		}
	}
}

// TestLook: each form is named, with what can be done with it and by whom. "!" means
// that it is not said.
func TestLook(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		token, trust string
		at           time.Time
		want         []string
	}{
		"held": {w.narrow.Text(), w.trust, now, []string{
			"Held token of 2 blocks. Verified: all signatures, from a trusted root key.", "Only agent:runner-7 can go on", "worth nothing",
			"Held by agent:runner-7 " + w.runner.Public().String(), "2030-01-01T13:00:00Z, in 59 minutes", "Holders' names are claims", "Nobody has looked here at revocation", "!credential"}},
		"held without trust":     {w.narrow.Text(), "", now, []string{"Partly verified: all signatures but the first: who minted the token is a claim.", "✗ not verified Block 0, no trust file says", "A trust file says whose key", "!Verified: all signatures, from"}},
		"another root":           {w.narrow.Text(), trusting("bob@example.com", w.bob), now, []string{"Not trusted:", "untrusted_root", "✗ not verified Block 0, by no root key of the trust file", "If it were trusted, which it is not:"}},
		"for another person":     {w.narrow.Text(), trusting("bob@example.com", w.alice), now, []string{"Held token of 2 blocks. Not trusted: untrusted_root: ", "!from a trusted root key", "✗ not verified Block 0, signed with " + w.alice.Public().String() + ", which may not speak for that delegator"}},
		"presented":              {w.presented.Text(), w.trust, now, []string{"Presented token of 3 blocks", "For one request to svc:certs, until 2030-01-01T12:02:00Z", "whoever has these bytes can make that very request", "✓ verified Possession, the holder signed", "agent:runner-7 presents it to svc:certs"}},
		"session":                {w.session.Text(), w.trust, now, []string{"Presented token", "A session with svc:certs on one TLS connection, until 2030-01-01T12:02:00Z"}},
		"bearer":                 {w.bearer.Text(), w.trust, now, []string{"Bearer token of 1 block.", "Whoever has these bytes can use it", "as a password is"}},
		"approved":               {w.approved.Text(), w.trust, now, []string{"Held token of 2 blocks", "approval by " + w.bob.Public().String(), "✓ verified Block 1, third party, " + w.bob.Public().String(), w.bob.Public().String() + " approves an action"}},
		"plain":                  {w.plain.Text(), "", now, []string{"Plain Biscuit of 1 block", "none of Whittle's", `right("a")`, `check if operation("b")`, "!What it allows"}},
		"outside the vocabulary": {w.outside.Text(), "", now, []string{"Held token outside the vocabulary of 1 block", "a service refuses it", "Not in the vocabulary: profile: ", "!whoever has its bytes"}},
		"sealed":                 {w.sealed.Text(), "", now, []string{"Plain Biscuit", "sealed: the last key signed the end"}},
		"expired":                {w.narrow.Text(), w.trust, now.Add(2 * time.Hour), []string{"It has expired.", "Expired 2030-01-01T13:00:00Z, 1 hour ago"}},
		"not valid yet":          {w.narrow.Text(), w.trust, now.Add(-time.Hour), []string{"It is not valid yet.", "Valid from 2030-01-01T11:59:30Z"}},
		"in a header":            {"Authorization: Bearer " + w.presented.Text(), w.trust, now, []string{"Presented token"}},
		"in lines":               {w.narrow.Text()[:50] + "\r\n  " + w.narrow.Text()[50:] + "\n", w.trust, now, []string{"Held token"}},
		"changed":                {flipped(w.narrow), w.trust, now, []string{"Token that does not verify", "nothing of it counts", "✗ not verified Block 0", "✗ not verified Block 1", "!✓ verified", "!What it allows"}},
		"no token":               {"hello", "", now, []string{"This is no token that can be read: malformed: "}},
		"a private key":          {w.alice.Text(), "", now, []string{"This looks like a private key.", "!" + w.alice.Text()}},
		"a private key's PEM":    {"-----BEGIN OPENSSH PRIVATE KEY-----\nabc", "", now, []string{"This looks like a private key."}},
		"longer than any":        {strings.Repeat("A", 300<<10), "", now, []string{"longer than 262144 bytes"}},
		"nothing":                {" \n", w.trust, now, []string{"!oken"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := page.Look(&page.Fields{Token: c.token, Trust: c.trust}, c.at)
			expect(t, said(a), c.want...)
			inOrder(t, a.Body)
		})
	}
}

// flipped changes a bit of the last signature.
func flipped(c token.Chain) string {
	data := slices.Clone(c.Bytes())
	data[len(data)-10] ^= 1
	return token.EncodeText(data)
}

// TestTrustFileThatIsNone is told where it was given, and counts for nothing.
func TestTrustFileThatIsNone(t *testing.T) {
	w := newWorld(t)
	for file, want := range map[string]string{"nonsense": "This is no trust file, and is left out: ", "# nobody": "No line of it counts"} {
		a := page.Look(&page.Fields{Token: w.narrow.Text(), Trust: file}, now)
		expect(t, a.Errors["trust"], want)
		expect(t, said(a), "✗ not verified Block 0", "!Verified: all signatures, from")
	}
}

// TestScopeSaysWhoSetEachBound.
func TestScopeSaysWhoSetEachBound(t *testing.T) {
	w := newWorld(t)
	shown := said(page.Look(&page.Fields{Token: w.narrow.Text(), Trust: w.trust}, now))
	expect(t, shown, "expires 2030-01-01T13:00:00Z block 0, alice@example.com", "resource payments/certs/api block 1, agent:ci",
		"operation rotate block 1, agent:ci", "arg days 1..90 block 1, agent:ci", `check all operation($o), ["rotate"].contains($o)`, `holder("agent:runner-7")`)
	expect(t, said(page.Look(&page.Fields{Token: w.minted.Text(), Trust: w.trust}, now)), "resource payments/certs/** block 0, alice@example.com")
}

// TestSizesAddUp: the bytes of the blocks and of what holds them are the token's.
func TestSizesAddUp(t *testing.T) {
	w := newWorld(t)
	for _, c := range []token.Chain{w.narrow, w.presented, w.approved, w.plain, w.sealed} {
		shown := said(page.Look(&page.Fields{Token: c.Text()}, now))
		_, table, _ := strings.Cut(shown, "Part Bytes Share")
		sum := 0
		for i, m := range regexp.MustCompile(`(?:Block \d+|Frame and proof|Together) (\d+)`).FindAllStringSubmatch(table, -1) {
			n, err := strconv.Atoi(m[1])
			if err != nil {
				t.Fatal(err)
			}
			if i < len(c.Blocks())+1 {
				sum += n
			} else if n != sum || n != len(c.Bytes()) {
				t.Errorf("%d bytes together, the parts are %d and the token %d", n, sum, len(c.Bytes()))
			}
		}
		if sum == 0 {
			t.Errorf("no sizes in %q", table)
		}
	}
}

// TestAsk: which hop denies a request, and why; with a trust file a verifier says so,
// without one the blocks alone.
func TestAsk(t *testing.T) {
	w := newWorld(t)
	good := page.Fields{Token: w.narrow.Text(), Trust: w.trust, Operation: "rotate", Resources: "payments/certs/api", Args: "days=30", Audience: "svc:certs"}
	for name, c := range map[string]struct {
		change                  func(*page.Fields)
		verifier, withoutATrust []string
	}{
		"allowed": {func(f *page.Fields) {},
			[]string{"Nothing speaks against it. As it is, a service answers not_presented. Suppose the holder invokes", "This authorizes nothing", "✓ holds operation rotate", "!✗"},
			[]string{"Nothing in its blocks speaks against it", "no verifier can be asked", "It authorizes nothing"}},
		"operation": {func(f *page.Fields) { f.Operation = "delete" },
			[]string{"Denied: check_failed", "2 reasons", "block 0, by alice@example.com Asked operation \"delete\" Allowed rotate or read", "block 1, by agent:ci Asked", "✗ refuses operation rotate or read"},
			[]string{"Its blocks deny it. First: block 0, by alice@example.com: operation rotate or read; asked: operation \"delete\"", "block 1, by agent:ci: operation rotate"}},
		"one hop": {func(f *page.Fields) { f.Operation = "read" },
			[]string{"Denied: check_failed", "1 reason.", "block 1, by agent:ci Asked operation \"read\" Allowed rotate", "✓ holds operation rotate or read", "✗ refuses operation rotate"},
			[]string{"First: block 1, by agent:ci: operation rotate;", "!block 0, by"}},
		"argument": {func(f *page.Fields) { f.Args = "days=91" },
			[]string{"Denied: check_failed", "block 1, by agent:ci Asked days 91 Allowed 1 to 90", "✗ refuses arg days 1..90"},
			[]string{"block 1, by agent:ci: arg days 1..90", "Asked days 91"}},
		"argument of another type": {func(f *page.Fields) { f.Args = `days="30"` }, []string{"Denied: check_failed"}, []string{"Its blocks deny it"}},
		"several resources": {func(f *page.Fields) { f.Resources = "payments/certs/api\npayments/certs/web" },
			[]string{"rotate payments/certs/api and payments/certs/web", "Denied: check_failed"}, []string{"Its blocks deny it"}},
		"another service": {func(f *page.Fields) { f.Audience = "svc:other" }, []string{"Denied: check_failed", "block 1, by agent:ci"}, []string{"block 1, by agent:ci: audience svc:certs"}},
		"expired": {func(f *page.Fields) { f.At = "2030-01-01T13:00:00Z" },
			[]string{"Denied: expired", "block 0, by alice@example.com", "✗ refuses expires 2030-01-01T13:00:00Z"},
			[]string{"block 0, by alice@example.com: expires 2030-01-01T13:00:00Z"}},
		"not yet": {func(f *page.Fields) { f.At = "2030-01-01T11:00:00Z" }, []string{"Denied: "}, []string{"not before 2030-01-01T11:59:30Z"}},
		"presented": {func(f *page.Fields) { f.Token = w.presented.Text() },
			[]string{"Nothing speaks against it.", "!Suppose", "agent:runner-7 presents it to svc:certs"}, []string{"Nothing in its blocks speaks against it"}},
		"presented for another request": {func(f *page.Fields) { f.Token, f.Args = w.presented.Text(), "days=31" },
			[]string{"Denied: check_failed", "block 2, by agent:runner-7: the invocation is for another request"}, []string{"block 2, by agent:runner-7: one request, bound by its digest"}},
		"presented elsewhere": {func(f *page.Fields) { f.Token, f.Audience = w.presented.Text(), "svc:other" }, []string{"Denied: "}, []string{"audience svc:certs Asked svc:other"}},
		"presented too late":  {func(f *page.Fields) { f.Token, f.At = w.presented.Text(), "2030-01-01T12:30:00Z" }, []string{"Denied: window"}, []string{"block 2, by agent:runner-7: the window of the invocation"}},
		"bearer": {func(f *page.Fields) {
			f.Token, f.Operation, f.Resources, f.Args = w.bearer.Text(), "read", "public/x", ""
		}, []string{"Denied: not_presented"}, []string{"Nothing in its blocks speaks against it"}},
		"bearer where it is accepted": {func(f *page.Fields) {
			f.Token, f.Operation, f.Resources, f.Args, f.Bearer = w.bearer.Text(), "read", "public/x", "", true
		}, []string{"Nothing speaks against it"}, []string{"Nothing in its blocks speaks against it"}},
		"approved": {func(f *page.Fields) {
			f.Token, f.Operation, f.Resources, f.Args, f.Audience = w.approved.Text(), "transfer", "accounts/1", "amount=5", "svc:bank"
		}, []string{"Nothing speaks against it"}, []string{"Nothing in its blocks speaks against it"}},
		"approved for less": {func(f *page.Fields) {
			f.Token, f.Operation, f.Resources, f.Args, f.Audience = w.approved.Text(), "transfer", "accounts/1", "amount=6", "svc:bank"
		}, []string{"Denied: check_failed", "block 0, by alice@example.com"}, []string{"block 0, by alice@example.com: approval by", "which they have not approved"}},
		"session": {func(f *page.Fields) { f.Token, f.Channel = w.session.Text(), sessionChannel },
			[]string{"Nothing speaks against it."}, []string{"Nothing in its blocks speaks against it"}},
		"session on another connection": {func(f *page.Fields) {
			f.Token, f.Channel = w.session.Text(), strings.Replace(sessionChannel, "01", "02", 1)
		},
			[]string{"Denied: check_failed", "block 2, by agent:runner-7"}, nil},
		"policy":          {func(f *page.Fields) { f.Policy = `deny if true` }, []string{"Denied: policy"}, nil},
		"another root":    {func(f *page.Fields) { f.Trust = trusting("alice@example.com", w.bob) }, []string{"Denied: untrusted_root", "!✓ holds"}, nil},
		"a plain Biscuit": {func(f *page.Fields) { f.Token = w.plain.Text() }, []string{"Denied: "}, []string{"Nothing to compare", "plain Biscuit"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := good
			c.change(&f)
			a := page.Ask(&f, now)
			expect(t, said(a), c.verifier...)
			inOrder(t, a.Body)
			f.Trust = ""
			a = page.Ask(&f, now)
			expect(t, said(a), append(c.withoutATrust, "!Nothing speaks against it.")...)
			inOrder(t, a.Body)
		})
	}
}

// TestServiceState: what the service knows makes caveats hold that nothing else can.
func TestServiceState(t *testing.T) {
	w := newWorld(t)
	held := w.mint(t, "agent:ci", caveat(t, "context ticket T-1"), caveat(t, "agent agent:ci"), delegation.Resource("a"), delegation.Operation("read"))
	f := page.Fields{Token: held.Text(), Trust: w.trust, Operation: "read", Resources: "a", Audience: "s"}
	expect(t, said(page.Ask(&f, now)), "Denied: check_failed", "2 reasons")
	f.Context = "ticket=T-1"
	expect(t, said(page.Ask(&f, now)), "Denied: check_failed", "1 reason.")
	f.Directory = `agent:ci namespaces="whittle-agent" ` + w.ci.Public().AuthorizedKey("")
	expect(t, said(page.Ask(&f, now)), "Nothing speaks against it")
	f.Trust = ""
	expect(t, said(page.Ask(&f, now)), "Of these only a service can tell:", "context ticket T-1", "agent agent:ci")
}

// TestFieldsSayWhatIsWrong: each field by its name, and nothing is asked.
func TestFieldsSayWhatIsWrong(t *testing.T) {
	w := newWorld(t)
	good := page.Fields{Token: w.narrow.Text(), Trust: w.trust, Operation: "rotate", Resources: "payments/certs/api", Audience: "svc:certs"}
	for field, change := range map[string]func(*page.Fields){
		"token":     func(f *page.Fields) { f.Token = "" },
		"operation": func(f *page.Fields) { f.Operation = " " },
		"resources": func(f *page.Fields) { f.Resources = "\n" },
		"audience":  func(f *page.Fields) { f.Audience = "" },
		"args":      func(f *page.Fields) { f.Args = "days" },
		"at":        func(f *page.Fields) { f.At = "noon" },
		"context":   func(f *page.Fields) { f.Context = "x=1\nx=2" },
		"facts":     func(f *page.Fields) { f.Facts = "role(text)" },
		"policy":    func(f *page.Fields) { f.Policy = "allow if" },
		"directory": func(f *page.Fields) { f.Directory = "nobody" },
		"channel":   func(f *page.Fields) { f.Channel = "tls:01" },
		"policy ":   func(f *page.Fields) { f.Policy = strings.Repeat("allow if true;", 5000) },
	} {
		f := good
		change(&f)
		if a := page.Ask(&f, now); a.Errors[strings.TrimSpace(field)] == "" || a.Body != nil || a.Status == "" {
			t.Errorf("%s: %q, %q, %d elements", field, a.Status, a.Errors, len(a.Body))
		}
	}
	for field, text := range map[string]string{"args": `days=[1`, "resources": "a/../b"} {
		f := good
		f.Args, f.Resources = map[bool]string{true: text, false: ""}[field == "args"], map[bool]string{true: text, false: "a"}[field == "resources"]
		if a := page.Ask(&f, now); len(a.Errors) != 1 || a.Body != nil {
			t.Errorf("%s: %q, %d elements", field, a.Errors, len(a.Body))
		}
	}
}

// TestSuggestions are the operations and services that the token still allows.
func TestSuggestions(t *testing.T) {
	w := newWorld(t)
	if a := page.Look(&page.Fields{Token: w.narrow.Text()}, now); !slices.Equal(a.Operations, []string{"rotate"}) || !slices.Equal(a.Audiences, []string{"svc:certs"}) {
		t.Errorf("%q, %q", a.Operations, a.Audiences)
	}
	if a := page.Look(&page.Fields{Token: w.presented.Text()}, now); !slices.Equal(a.Audiences, []string{"svc:certs"}) {
		t.Errorf("%q", a.Audiences)
	}
}

// TestComparisonIsNoLooser: what the blocks alone deny a verifier denies too.
func TestComparisonIsNoLooser(t *testing.T) {
	w := newWorld(t)
	denied, allowed := 0, 0
	compare := func(f page.Fields) {
		alone := page.Ask(&f, now)
		f.Trust = w.trust
		asked := page.Ask(&f, now)
		byBlocks, byVerifier := strings.HasPrefix(alone.Status, "Its blocks deny it"), strings.HasPrefix(asked.Status, "Denied: ")
		if byBlocks && !byVerifier {
			t.Errorf("%s\n%s", alone.Status, asked.Status)
		}
		if byVerifier {
			denied++
		} else {
			allowed++
		}
	}
	for _, c := range []token.Chain{w.minted, w.narrow, w.presented, w.approved} {
		for _, operation := range []string{"rotate", "read", "transfer"} {
			for _, resource := range []string{"payments/certs/api", "payments/certs/web", "accounts/1"} {
				for _, args := range []string{"", "days=30", "days=1000", "amount=5", "amount=6"} {
					for _, audience := range []string{"svc:certs", "svc:bank"} {
						for _, at := range []string{"", "2030-01-01T12:30:00Z", "2030-01-01T14:00:00Z"} {
							compare(page.Fields{Token: c.Text(), Operation: operation, Resources: resource, Args: args, Audience: audience, At: at})
						}
					}
				}
			}
		}
	}
	if denied == 0 || allowed == 0 {
		t.Errorf("%d denied, %d allowed: nothing was compared", denied, allowed)
	}
}

// TestPolicy: a document loads nothing, and runs what it has in it or nothing.
func TestPolicy(t *testing.T) {
	w := newWorld(t)
	u := must(token.ParseText(w.narrow.Text(), nil))(t)
	report := page.Report(must(reading.Read(u, nil, now))(t)).String()
	desk := (&page.Document{Title: "t", Script: "1;", Payload: "x", Body: page.Desk()}).String()
	policy := regexp.MustCompile(`http-equiv="Content-Security-Policy" content="([^"]*)"`)
	for want, html := range map[string]string{
		`^default-src &#39;none&#39;; style-src &#39;sha256-[^ ]{44}&#39;; connect-src &#39;none&#39;; base-uri &#39;none&#39;; form-action &#39;none&#39;$`:                                                                                                                                            report,
		`^default-src &#39;none&#39;; style-src &#39;sha256-[^ ]{44}&#39;; connect-src &#39;none&#39;; base-uri &#39;none&#39;; form-action &#39;none&#39;; script-src &#39;sha256-[^ ]{44}&#39; &#39;wasm-unsafe-eval&#39;; require-trusted-types-for &#39;script&#39;; trusted-types &#39;none&#39;$`: desk,
	} {
		found := policy.FindStringSubmatch(html)
		if found == nil || !regexp.MustCompile(want).MatchString(found[1]) {
			t.Errorf("the policy is %q", found)
		}
		if at := strings.Index(html, "http-equiv"); strings.Contains(html[:at], "<script") || strings.Contains(html[:at], "<style") {
			t.Error("something stands before the policy")
		}
		for _, elsewhere := range []string{"http:", "https:", "url(", "@import", " src=", " style=", " onclick="} {
			if strings.Contains(html, elsewhere) {
				t.Errorf("%q leads elsewhere", elsewhere)
			}
		}
	}
	if strings.Contains(report, "<script") {
		t.Error("the report has a script")
	}
}

// TestDeskHasEachField: what the script reads is there, with a label and places for
// a hint and an error.
func TestDeskHasEachField(t *testing.T) {
	html := (&page.Document{Title: "t", Script: "1;", Body: page.Desk()}).String()
	for _, field := range []string{"token", "trust", "operation", "resources", "args", "audience", "at", "context", "facts", "channel", "policy", "directory"} {
		for _, piece := range []string{`<label for="` + field + `">`, ` id="` + field + `" name="` + field + `"`, `id="` + field + `-error"`, `id="` + field + `-hint"`} {
			if strings.Count(html, piece) != 1 {
				t.Errorf("%s stands %d times", piece, strings.Count(html, piece))
			}
		}
	}
	for _, id := range []string{"look", "ask", "clear", "trust-file", "bearer", "status", "reading", "asking", "verdict", "answer", "operations", "audiences", "payload"} {
		if strings.Count(html, ` id="`+id+`"`) != 1 {
			t.Errorf("the id %q stands %d times", id, strings.Count(html, ` id="`+id+`"`))
		}
	}
	if strings.Contains(html, `spellcheck="true"`) || strings.Count(html, `spellcheck="false"`) != 12 {
		t.Error("a browser may send what is written to a spelling service")
	}
}

// TestPictureOfEachKind draws each kind of block.
func TestPictureOfEachKind(t *testing.T) {
	w := newWorld(t)
	narrowed := must(attenuate.Narrow(w.minted, w.ci, caveat(t, "arg a 1..2"), caveat(t, "arg b 1..2"), caveat(t, "arg c 1..2"), caveat(t, "arg d 1..2"), caveat(t, "arg e 1..2"), caveat(t, "arg f 1..2"), caveat(t, "arg g 1..2")))(t)
	for c, want := range map[token.Chain][]string{
		narrowed:    {"narrows it", "and 2 more", "agent:ci"},
		w.presented: {"alice@example.com", "agent:runner-7", "svc:certs", "one request"},
		w.approved:  {"approved by ed25519/", "agent:bank"},
		w.bearer:    {"whoever has the bytes", "bearer"},
	} {
		shown := said(page.Look(&page.Fields{Token: c.Text()}, now))
		_, drawn, _ := strings.Cut(shown, "The chain of delegation")
		drawn, _, _ = strings.Cut(drawn, "What it allows")
		expect(t, drawn, want...)
	}
}
