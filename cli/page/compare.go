package page

import (
	"fmt"
	"time"

	"github.com/whittle-auth/whittle/cli/reading"
	"github.com/whittle-auth/whittle/token/delegation"
)

// compare holds a request against what the blocks say, where nobody knows whom to
// trust and so no verifier can be asked. It may find less than a verifier would.
func (a *Answer) compare(r *reading.Reading, q *question) {
	note := el("p", class("note"), text("Without a trust file no verifier can be asked: this compares the request with what the blocks say, whoever wrote them. It authorizes nothing."))
	if r.Chain == nil {
		a.Status = "Nothing to compare: this is a " + kind(r) + "."
		a.Body = []Element{el("div", class("verdict bad"), el("h3", text("Nothing to compare")), el("p", text("This is a "+kind(r)+".")), note)}
		return
	}
	checked, err := q.req.Check()
	if err != nil {
		a.Errors["operation"] = err.Error()
		a.Status = "1 field cannot be read."
		return
	}
	refused, undecided := r.Chain.Against(checked)
	c := comparison{chain: r.Chain}
	for _, f := range refused {
		c.add(f.Block, f.Caveat.String(), f.Finding.Asked, f.Finding.Allowed)
	}
	action, err := checked.ActionDigest()
	if err != nil {
		a.Errors["operation"] = err.Error()
		a.Status = "1 field cannot be read."
		return
	}
	for _, b := range r.Chain.Unapproved(action) {
		c.add(b.Block, b.Caveat.String(), "this action, which they have not approved", "")
	}
	c.times(q.suppose.At)
	if inv := r.Chain.Invocation; inv != nil {
		if inv.Audience != q.req.Audience {
			c.add(inv.Block, "audience "+inv.Audience, q.req.Audience, inv.Audience)
		}
		digest, err := checked.Digest(r.Token.PrefixHash(inv.Block), inv.Nonce)
		if !inv.IsSession() && (err != nil || digest != inv.Request) {
			c.add(inv.Block, "one request, bound by its digest", "another one", "")
		}
	}
	title, level := "Nothing in its blocks speaks against it", "warn"
	if len(c.reasons) > 0 {
		title, level = "Its blocks deny it", "bad"
	}
	a.Status = title + ". " + c.first + "No trust file, so this is not what a verifier says."
	verdict := el("div", class("verdict "+level), el("h3", text(title)),
		el("p", code(reading.RequestLine(&q.req)), text(" at "), name(q.req.Audience), text(", "+reading.Stamp(q.suppose.At))))
	if len(c.reasons) > 0 {
		el("ol", class("reasons"), c.reasons).addTo(&verdict)
	}
	if len(undecided) > 0 {
		list := el("ul", class("caveats"))
		for _, b := range undecided {
			el("li", text(fmt.Sprintf("block %d: ", b.Block)), el("bdi", text(words(b.Caveat.String())))).addTo(&list)
		}
		el("p", text("Of these only a service can tell:")).addTo(&verdict)
		list.addTo(&verdict)
	}
	note.addTo(&verdict)
	a.Body = []Element{verdict}
}

// A comparison collects what speaks against a request.
type comparison struct {
	chain   *delegation.Chain
	reasons parts
	first   string
}

func (c *comparison) add(block int, caveat, asked, allowed string) {
	at := fmt.Sprintf("block %d, by %s", block, delegation.PlainName(c.chain.Author(block)))
	if c.first == "" {
		c.first = "First: " + at + ": " + words(caveat) + "; asked: " + words(asked) + ". "
	}
	c.reasons = append(c.reasons, el("li", el("p", el("strong", el("bdi", text(at))), text(": "), el("bdi", text(words(caveat)))), comparedWith(asked, allowed)))
}

// times holds a time against each bound that a block sets, the invocation's included.
func (c *comparison) times(at time.Time) {
	for _, b := range c.chain.Scope.Bounds {
		switch bound := b.Caveat.(type) {
		case delegation.Expiry:
			if !at.Before(bound.Time()) {
				c.add(b.Block, bound.String(), reading.Stamp(at), "before "+reading.Stamp(bound.Time()))
			}
		case delegation.NotBefore:
			if at.Before(bound.Time()) {
				c.add(b.Block, bound.String(), reading.Stamp(at), "from "+reading.Stamp(bound.Time()))
			}
		}
	}
	if inv := c.chain.Invocation; inv != nil {
		from, until := delegation.NotBefore{At: inv.NotBefore}.Time(), delegation.Expiry{At: inv.Expires}.Time()
		if at.Before(from) || !at.Before(until) {
			c.add(inv.Block, "the window of the invocation", reading.Stamp(at), reading.Stamp(from)+" to "+reading.Stamp(until))
		}
	}
}
