package page

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/whittle-auth/whittle/cli/reading"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
)

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
