package page

import (
	"fmt"
	"strings"

	"github.com/whittle-auth/whittle/cli/reading"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
)

// hops lists the blocks: what the picture shows, and more.
func hops(r *reading.Reading) Element {
	list := el("ol", class("hops"), attr("start", "0"))
	for i := range r.Blocks {
		hop(r, i).addTo(&list)
	}
	return el("section", attr("aria-labelledby", "blocks"), el("h2", id("blocks"), text("Block by block")), list)
}

// described is the picture in a sentence.
func described(r *reading.Reading) string {
	names := []string{delegation.PlainName(r.Chain.Delegator)}
	for _, l := range r.Chain.Links {
		if l.Kind != delegation.LinkNarrow && l.Holder != "" {
			names = append(names, delegation.PlainName(l.Holder))
		}
	}
	s := "From top to bottom, who handed the token to whom: " + strings.Join(names, ", then ")
	if inv := r.Chain.Invocation; inv != nil {
		s += ", who presents it to " + delegation.PlainName(inv.Audience)
	}
	return s + ". The blocks are listed below."
}

// hop is one block in the list.
func hop(r *reading.Reading, i int) Element {
	b := &r.Blocks[i]
	item := el("li", class("hop"), el("h3", hopTitle(r, i)))
	var facts parts
	add := func(label string, value ...part) {
		facts = append(facts, el("div", el("dt", text(label)), el("dd", value...)))
	}
	switch {
	case r.Verified == reading.Nothing:
		add("Signed by", text("not verified"))
	case i > 0:
		add("Signed by", key(r.Blocks[i-1].Next))
	case r.Verified == reading.Rooted:
		add("Signed by", key(r.Token.Root()))
	default:
		add("Signed by", text("a root key that is not known here"))
	}
	if !b.External.IsZero() {
		add("And by", key(b.External))
	}
	if i == 0 || b.Next != r.Blocks[i-1].Next {
		add("Next key", nextKey(r, i))
	} else {
		add("Next key", text("the same"))
	}
	add("Size", text(byteCount(r.Unverified.BlockSize(i))+", Datalog "+release(b.Version)))
	el("dl", class("facts"), facts).addTo(&item)
	caveats(b, r.Chain != nil && r.Chain.Invocation != nil && r.Chain.Invocation.Block == i).addTo(&item)
	el("details", el("summary", text("Datalog"), el("span", class("unseen"), text(fmt.Sprintf(" of block %d", i)))),
		el("pre", attr("tabindex", "0"), attr("role", "group"), attr("aria-label", fmt.Sprintf("Datalog of block %d", i)), el("code", lines(source(b))))).addTo(&item)
	return item
}

func nextKey(r *reading.Reading, i int) part {
	if token.IsInvocationKey(r.Blocks[i].Next) {
		return text("the published invocation key")
	}
	return key(r.Blocks[i].Next)
}

// hopTitle says what a block does.
func hopTitle(r *reading.Reading, i int) part {
	if r.Chain == nil {
		if !r.Blocks[i].External.IsZero() {
			return text("A third party's block")
		}
		return text(fmt.Sprintf("Block %d", i))
	}
	for j := range r.Chain.Links {
		if l := &r.Chain.Links[j]; l.Block == i {
			return deed(verify.HopKind(l.Kind.String()), r.Chain.Author(i), l.Holder)
		}
	}
	if inv := r.Chain.Invocation; inv != nil && inv.Block == i {
		return deed(verify.HopInvocation, r.Chain.Author(i), inv.Audience)
	}
	return deed(verify.HopApproval, r.Chain.Author(i), "")
}

// deed says what a block does to a token, in a sentence.
func deed(kind verify.HopKind, by, to string) part {
	who := part(text("whoever had the bytes"))
	if by != "" {
		who = name(by)
	}
	does := map[verify.HopKind]string{
		verify.HopMint: " mints it for ", verify.HopHandoff: " hands it to ", verify.HopNarrow: " narrows it",
		verify.HopBearer: " makes it a bearer token", verify.HopApproval: " approves an action", verify.HopInvocation: " presents it to ",
	}[kind]
	sentence := parts{who, text(does)}
	if to != "" && strings.HasSuffix(does, " ") {
		sentence = append(sentence, name(to))
	}
	return sentence
}

// caveats lists a block's checks in words and in Datalog.
func caveats(b *token.Block, invocation bool) Element {
	if len(b.Datalog.Checks) == 0 {
		return el("p", class("note"), text("No caveats of its own."))
	}
	list := el("ul", class("caveats"))
	for _, c := range b.Datalog.Checks {
		el("li", el("span", class("words"), el("bdi", text(meant(c, invocation)))), text(" "), el("code", class("check"), text(c.String()))).addTo(&list)
	}
	return list
}

// meant is a check in words. One that is in no canonical form has none but its own.
func meant(c datalog.Check, invocation bool) string {
	cv := delegation.ReadCaveat(c)
	if _, custom := cv.(delegation.Custom); !custom {
		return words(cv.String())
	}
	if invocation && len(c.Queries) == 1 && len(c.Queries[0].Body) == 1 {
		switch c.Queries[0].Body[0].Name {
		case "request":
			return "one request, by its digest"
		case "channel":
			return "one connection"
		case "audience":
			return "one service"
		case "time":
			return "one window of time"
		}
	}
	return "custom"
}

// words shortens what nobody reads: a check of 100 kB is no sentence.
func words(s string) string { return clip(s, 400) }

// source is a block's Datalog, a line each, so that no text in it looks like another.
func source(b *token.Block) string {
	var out []string
	if b.Datalog.Context != nil {
		out = append(out, "// context: "+reading.OneLine(*b.Datalog.Context))
	}
	for line := range strings.Lines(b.Datalog.String()) {
		out = append(out, reading.OneLine(strings.TrimSuffix(line, "\n")))
	}
	out = append(out, fmt.Sprintf("// revocation id %x", b.Signature))
	return strings.Join(out, "\n")
}
