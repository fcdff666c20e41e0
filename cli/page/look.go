package page

import (
	"cmp"
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

// headline says in a sentence what a token is and how far it is verified.
func headline(r *reading.Reading) string {
	what := strings.ToUpper(kind(r)[:1]) + kind(r)[1:]
	verified := "Verified: " + r.Verified.String()
	if r.Refused != nil {
		verified = "Not trusted: " + problem(r.Refused)
	}
	return fmt.Sprintf("%s of %s. %s.%s", what, count(len(r.Blocks), "block"), verified, timing(r))
}

// kind names what a token is.
func kind(r *reading.Reading) string {
	switch {
	case r.Verified == reading.Nothing:
		return "token that does not verify"
	case r.Chain == nil && r.Unverified.Form() == token.Held:
		return "held token outside the vocabulary"
	case r.Chain == nil:
		return "plain Biscuit"
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
	case r.Chain == nil && r.Unverified.Form() == token.Held:
		return text("Nobody but its holder can go on with it, and a service refuses it as it is: its blocks say what no token of Whittle says.")
	case r.Chain == nil:
		return text("It is none of Whittle's: whoever has its bytes can use it, for what its own service makes of it. It is a credential: pass it on to nobody.")
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
	var level, word, why string
	switch {
	case r.Verified == reading.Nothing:
		level, word, why = "bad", "Not verified", problem(r.Refused)
	case r.Refused != nil:
		level, word, why = "bad", "Not trusted", problem(r.Refused)
	case r.Verified == reading.Unrooted:
		level, word, why = "warn", "Partly verified", r.Verified.String()
	default:
		level, word, why = "good", "Verified", r.Verified.String()
	}
	content := parts{el("strong", text(word+":")), text(" " + why + ".")}
	if r.Roots == nil && r.Verified == reading.Unrooted {
		content = append(content, text(" A trust file says whose key the first has to be."))
	}
	if r.Chain == nil && r.Refused == nil && r.Why != nil {
		content = append(content, text(" Not in the vocabulary: "+problem(r.Why)+"."))
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

// documentTitle is a name for the document.
func documentTitle(r *reading.Reading) string {
	if r.Chain == nil {
		return "Whittle: a " + kind(r)
	}
	return "Whittle: a " + kind(r) + " of " + cmp.Or(delegation.PlainName(r.Chain.Delegator), "nobody")
}
