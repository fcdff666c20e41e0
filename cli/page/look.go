package page

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/whittle-auth/whittle/cli/reading"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
)

// sections shows all that a token says.
func sections(r *reading.Reading) []Element {
	shown := []Element{summary(r)}
	if r.Chain != nil {
		shown = append(shown, scope(r))
	}
	return append(shown, hops(r), verification(r), sizes(r))
}

// Headline says in a sentence what a token is and how far it is verified.
func Headline(r *reading.Reading) string {
	what := strings.ToUpper(kind(r)[:1]) + kind(r)[1:]
	return fmt.Sprintf("%s of %s. Verified: %s.%s", what, count(len(r.Blocks), "block"), r.Verified, timing(r))
}

// kind names what a token is.
func kind(r *reading.Reading) string {
	switch {
	case r.Verified == reading.Nothing:
		return "token that does not verify"
	case r.Chain == nil && r.Refused == nil:
		return "plain Biscuit"
	case r.Chain == nil:
		return "token that cannot be read as ours"
	}
	form, _, _ := strings.Cut(reading.FormName(r.Token, r.Chain), " ")
	return form + " token"
}

// timing says what is wrong with the time, if anything is.
func timing(r *reading.Reading) string {
	if at, ok := r.Expiry(); ok && !r.Now.Before(at) {
		return " It has expired."
	}
	if at, ok := r.Begin(); ok && r.Now.Before(at) {
		return " It is not valid yet."
	}
	return ""
}

func summary(r *reading.Reading) Element {
	said := el("div", class("said"),
		el("h2", id("summary"), text("A "+kind(r))),
		el("p", class("lead"), meaning(r)),
		badge(r))
	if late := strings.TrimSpace(timing(r)); late != "" {
		el("p", class("badge bad"), el("strong", text(late))).addTo(&said)
	}
	el("dl", class("facts"), facts(r)).addTo(&said)
	s := el("section", class("summary"), attr("aria-labelledby", "summary"))
	if r.Chain == nil {
		said.addTo(&s)
	} else {
		el("div", class("sides"), said, el("figure", draw("drawn", "The chain of delegation", described(r), stages(r)))).addTo(&s)
	}
	return s
}

// meaning says what can be done with the token, and by whom.
func meaning(r *reading.Reading) part {
	switch {
	case r.Verified == reading.Nothing:
		return text("Its signatures do not verify. What the blocks say is shown below, and nothing of it counts.")
	case r.Chain == nil && r.Refused == nil:
		return text("It is none of ours: any holder of its bytes may use it as it is. Its blocks are shown; whom they are about is for its own service to say.")
	case r.Chain == nil:
		return text("Its blocks are shown below, and nothing of them counts.")
	}
	switch inv := r.Chain.Invocation; {
	case inv != nil && inv.IsSession():
		return parts{text("A session with "), name(inv.Audience), text(" on one TLS connection, until " + reading.Stamp(delegation.Expiry{At: inv.Expires}.Time()) +
			". It works on that connection only. It is a credential: pass it on to nobody.")}
	case inv != nil:
		return parts{text("For one request to "), name(inv.Audience), text(", until " + reading.Stamp(delegation.Expiry{At: inv.Expires}.Time()) +
			". Until then whoever has these bytes can make that very request. It is a credential: pass it on to nobody.")}
	case r.Chain.Bearer:
		return text("Whoever has these bytes can use it, for all that it allows. It is a credential as a password is: pass it on to nobody.")
	}
	return parts{text("Only "), name(r.Chain.Holder().Holder), text(" can go on with it, with the key below. To anybody else these bytes are worth nothing.")}
}

// badge says how far the token is verified.
func badge(r *reading.Reading) Element {
	level, word := "bad", "Not verified"
	switch {
	case r.Verified == reading.Rooted && r.Refused == nil:
		level, word = "good", "Verified"
	case r.Verified != reading.Nothing && r.Refused == nil:
		level, word = "warn", "Partly verified"
	}
	if level == "bad" && r.Verified != reading.Nothing {
		word = "Not trusted"
	}
	content := parts{el("strong", text(word+":")), text(" " + r.Verified.String() + ".")}
	if r.Why != nil && r.Verified != reading.Nothing && r.Refused == nil {
		content = append(content, text(" It is not in Whittle's vocabulary: "+r.Why.Error()+"."))
	} else if r.Why != nil {
		content = append(content, text(" "+problem(r.Why)+"."))
	}
	if r.Roots == nil && r.Verified == reading.Unrooted {
		content = append(content, text(" With a trust file, the first can be checked too."))
	}
	return el("p", class("badge "+level), content)
}

func problem(err error) string {
	if e, ok := err.(*token.Error); ok {
		return string(e.Code) + ": " + e.Error()
	}
	return err.Error()
}

func facts(r *reading.Reading) parts {
	var fs parts
	add := func(label string, value ...part) {
		fs = append(fs, el("div", el("dt", text(label)), el("dd", value...)))
	}
	if c := r.Chain; c != nil {
		add("On behalf of", name(c.Delegator))
		if holder := c.Holder(); !c.Bearer && c.Invocation == nil {
			add("Held by", name(holder.Holder), text(" "), key(holder.Key))
		} else if c.Invocation != nil {
			add("Presented by", name(holder.Holder), text(" "), key(holder.Key))
		}
		handed := "not since it was minted"
		if c.Depth > 0 {
			handed = count(c.Depth, "time") + " since it was minted"
		}
		add("Handed on", text(handed))
	} else {
		add("Form", text(r.Unverified.Form().String()))
	}
	if at, ok := r.Begin(); ok && r.Now.Before(at) {
		add("Valid from", moment(at, r.Now))
	}
	if at, ok := r.Expiry(); ok {
		label := "Expires"
		if !r.Now.Before(at) {
			label = "Expired"
		}
		add(label, moment(at, r.Now))
	}
	add("Size", text(fmt.Sprintf("%s in %s", byteCount(wireSize(r)), count(len(r.Blocks), "block"))))
	return fs
}

// verification says of each signature whether it is verified and against which key.
func verification(r *reading.Reading) Element {
	list := el("ul", class("signatures"))
	row := func(state, what string, against ...part) {
		word := map[string]string{"good": "✓ verified", "bad": "✗ not verified", "warn": "– open"}[state]
		el("li", el("span", class("state "+state), text(word)), el("span", el("strong", text(what)), text(", "), parts(against))).addTo(&list)
	}
	for i := range r.Blocks {
		b := &r.Blocks[i]
		what := fmt.Sprintf("Block %d", i)
		switch {
		case r.Verified == reading.Nothing:
			row("bad", what, text("as nothing of this token is"))
		case i > 0:
			row("good", what, text("by the key that block "+strconv.Itoa(i-1)+" names, "), owner(r, i-1), key(r.Blocks[i-1].Next))
		case r.Verified == reading.Rooted && r.Refused != nil:
			row("bad", what, text("signed with "), key(r.Token.Root()), text(", which may not speak for that delegator: "+problem(r.Refused)))
		case r.Verified == reading.Rooted:
			row("good", what, text("by the root key "), key(r.Token.Root()), text(", "+strings.Join(plainNames(r.Roots.Names(r.Token.Root(), r.Now)), ", ")+" as the trust file says"))
		case r.Roots == nil:
			row("bad", what, text("no trust file says which root keys count: anybody can have minted this"))
		default:
			row("bad", what, text("by no root key of the trust file that is valid now"))
		}
		if !b.External.IsZero() && r.Verified != reading.Nothing {
			row("good", what+", third party", key(b.External))
		}
	}
	if r.Verified != reading.Nothing {
		state, why := proof(r)
		row(state, "Possession", text(why))
	}
	if r.Chain != nil && r.Directory != nil {
		for _, l := range r.Chain.Links {
			if l.Kind == delegation.LinkMint || l.Kind == delegation.LinkHandoff {
				named(&list, r, &l)
			}
		}
	}
	return el("section", attr("aria-labelledby", "verified"),
		el("h2", id("verified"), text("What is verified")),
		list,
		el("p", class("note"), text("Holders' names are claims of whoever handed the token on; the keys are what is verified. Nobody has looked here at revocation, at what was used before, or at the policy of a service.")),
	)
}

// named says whether the directory binds a holder's name to the holder's key.
func named(list *Element, r *reading.Reading, l *delegation.Link) {
	state, word, why := "warn", "– a claim", "the directory binds no name, or several, to the key"
	switch agent, ok := r.Directory.Agent(l.Key, r.Now); {
	case ok && agent == l.Holder:
		state, word, why = "good", "✓ bound", "by the directory, to the key"
	case ok:
		why = "the directory binds " + delegation.PlainName(agent) + " to the key"
	}
	el("li", el("span", class("state "+state), text(word)), el("span", el("strong", text("The name ")), name(l.Holder), text(", "+why+" "), key(l.Key))).addTo(list)
}

func proof(r *reading.Reading) (state, why string) {
	switch r.Unverified.Form() {
	case token.Held:
		return "warn", "a held token proves nothing yet: its holder signs when it is used"
	case token.Sealed:
		return "good", "sealed: the last key signed the end, and no block can follow"
	}
	if r.Chain != nil && r.Chain.Invocation != nil {
		return "good", "the holder signed the last block, which binds the token to one request or connection"
	}
	return "good", "the secret of the last key travels with the token: nobody in particular has to hold it"
}

// owner names who has the key that a block names, as that block calls them.
func owner(r *reading.Reading, block int) part {
	if r.Chain == nil {
		return parts{}
	}
	for i := len(r.Chain.Links) - 1; i >= 0; i-- {
		if l := &r.Chain.Links[i]; l.Block <= block && l.Kind != delegation.LinkNarrow {
			if l.Holder == "" {
				return parts{}
			}
			return parts{name(l.Holder), text(" ")}
		}
	}
	return parts{}
}

func scope(r *reading.Reading) Element {
	var rows parts
	for _, b := range reading.BoundLines(&r.Chain.Scope) {
		rows = append(rows, el("tr", el("th", attr("scope", "row"), el("bdi", text(b.Text))), el("td", setter(r, b.Block))))
	}
	if inv := r.Chain.Invocation; inv != nil {
		what := "one request"
		if inv.IsSession() {
			what = "one connection"
		}
		rows = append(rows, el("tr", el("th", attr("scope", "row"), text(what+" to "), name(inv.Audience)), el("td", setter(r, inv.Block))))
	}
	s := el("section", attr("aria-labelledby", "scope"), el("h2", id("scope"), text("What it allows")))
	if r.Chain.Scope.Empty {
		el("p", class("badge bad"), el("strong", text("Nothing.")), text(" Two bounds have nothing in common.")).addTo(&s)
	}
	if r.Refused != nil {
		el("p", class("note"), text("If it were trusted, which it is not:")).addTo(&s)
	}
	el("div", class("even"), table([]string{"Bound", "Set by"}, rows)).addTo(&s)
	return s
}

// setter says which block set a bound, and who wrote it.
func setter(r *reading.Reading, block int) part {
	who := r.Chain.Author(block)
	if who == "" {
		return text(fmt.Sprintf("block %d, by whoever had the bytes", block))
	}
	return parts{text(fmt.Sprintf("block %d, ", block)), name(who)}
}

// sizes shows what each block takes.
func sizes(r *reading.Reading) Element {
	total := wireSize(r)
	var rows parts
	for i := range r.Blocks {
		n := r.Unverified.BlockSize(i)
		rows = append(rows, el("tr", el("th", attr("scope", "row"), text(fmt.Sprintf("Block %d", i))), el("td", class("number"), text(strconv.Itoa(n))), el("td", class("wide"), bar(n, total))))
	}
	blocks := 0
	for i := range r.Blocks {
		blocks += r.Unverified.BlockSize(i)
	}
	rows = append(rows,
		el("tr", el("th", attr("scope", "row"), text("Frame and proof")), el("td", class("number"), text(strconv.Itoa(total-blocks))), el("td", class("wide"), bar(total-blocks, total))),
		el("tr", class("total"), el("th", attr("scope", "row"), text("Together")), el("td", class("number"), text(strconv.Itoa(total))), el("td", class("wide"), text(fmt.Sprintf("as text, %d characters", len(r.Unverified.Text()))))))
	return el("section", attr("aria-labelledby", "size"),
		el("h2", id("size"), text("Size")),
		table([]string{"Part", "Bytes", "Share"}, rows),
	)
}

// bar draws a share; what it says stands beside it as a number.
func bar(n, total int) Element {
	return el("svg", class("bar"), attr("viewBox", "0 0 100 4"), attr("preserveAspectRatio", "none"), attr("aria-hidden", "true"),
		el("rect", class("rest"), attr("width", "100"), attr("height", "4")),
		el("rect", class("share"), attr("width", strconv.Itoa(max(1, 100*n/max(1, total)))), attr("height", "4")))
}

func wireSize(r *reading.Reading) int {
	return base64.RawURLEncoding.DecodedLen(len(strings.TrimPrefix(r.Unverified.Text(), "whittle:")))
}

func table(head []string, rows parts) Element {
	var cells parts
	for _, h := range head {
		cells = append(cells, el("th", attr("scope", "col"), text(h)))
	}
	return el("div", class("table"), el("table", el("thead", el("tr", cells)), el("tbody", rows)))
}

// key shows a key; what is too long for a line breaks anywhere.
func key(k token.PublicKey) Element { return el("code", class("key"), text(k.String())) }

func plainNames(names []string) []string {
	plain := make([]string, len(names))
	for i, n := range names {
		plain[i] = delegation.PlainName(n)
	}
	return plain
}

// moment shows a time, and how far away it is.
func moment(at, now time.Time) Element {
	return el("span", el("time", attr("datetime", reading.Stamp(at)), text(reading.Stamp(at))), text(", "+distance(at.Sub(now))))
}

func distance(d time.Duration) string {
	form := "in %s"
	if d < 0 {
		form, d = "%s ago", -d
	}
	switch {
	case d < time.Minute:
		return fmt.Sprintf(form, count(int(d/time.Second), "second"))
	case d < time.Hour:
		return fmt.Sprintf(form, count(int(d/time.Minute), "minute"))
	case d < 48*time.Hour:
		return fmt.Sprintf(form, count(int(d/time.Hour), "hour"))
	}
	return fmt.Sprintf(form, count(int(d/(24*time.Hour)), "day"))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

func byteCount(n int) string { return count(n, "byte") }

// release names a language version as the specification does.
func release(version uint32) string { return fmt.Sprintf("3.%d", version-3) }

// Title is a name for the document.
func Title(r *reading.Reading) string {
	if r.Chain == nil {
		return "Whittle: a " + kind(r)
	}
	return "Whittle: a " + kind(r) + " of " + cmp.Or(delegation.PlainName(r.Chain.Delegator), "nobody")
}
