package page

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/whittle-auth/whittle/cli/reading"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
)

// Answered is [Look] or [Ask] on JSON, as the page's script calls it. What is no JSON of
// ours is an error in the script.
func Answered(asked bool, fields []byte, now time.Time) ([]byte, error) {
	var f Fields
	if err := json.Unmarshal(fields, &f); err != nil {
		return nil, err
	}
	if asked {
		return json.Marshal(Ask(&f, now))
	}
	return json.Marshal(Look(&f, now))
}

// Ask holds a token against a request, as whittle explain does: by the verifier where
// there is a trust file, else by what its blocks say only. It authorizes nothing.
func Ask(f *Fields, now time.Time) *Answer { return ask(f, now).visible() }

func ask(f *Fields, now time.Time) *Answer {
	a := &Answer{Errors: map[string]string{}}
	r := a.read(f, now)
	if r == nil {
		if a.Status == "" {
			a.Errors["token"] = "There is no token yet."
			a.Status = a.Errors["token"]
		}
		return a
	}
	delete(a.Errors, "trust") // which is said where the token is shown
	q := a.question(f, now)
	if len(a.Errors) > 0 {
		a.Status = count(len(a.Errors), "field") + " cannot be read."
		return a
	}
	if r.Roots == nil {
		a.compare(r, &q)
	} else {
		a.explain(r, &q)
	}
	return a
}

// explain asks a verifier that is made for this one question.
func (a *Answer) explain(r *reading.Reading, q *question) {
	v, err := verify.New(q.req.Audience, r.Roots, &q.options)
	if err != nil {
		a.Errors["audience"] = err.Error()
		a.Status = "1 field cannot be read."
		return
	}
	e := v.Explain(context.Background(), r.Unverified.Text(), q.req, q.suppose)
	request := reading.RequestLine(&q.req)
	title, level := "Nothing speaks against it", "good"
	suppose := ""
	if e.Supposed {
		suppose = "As it is, a service answers " + string(e.Code) + ". Suppose the holder invokes the token for this very request. "
	}
	if n := len(e.Against); n > 0 {
		title, level = "Denied: "+string(e.Against[0].Code), "bad"
		suppose += count(n, "reason") + "."
	}
	a.Status = title + ". " + suppose + firstReason(e)
	verdict := el("div", class("verdict "+level),
		el("h3", text(title)),
		el("p", code(request), text(" at "), name(q.req.Audience), text(", "+reading.Stamp(e.At))))
	if suppose != "" {
		el("p", text(suppose)).addTo(&verdict)
	}
	if len(e.Against) > 0 {
		list := el("ol", class("reasons"))
		for _, reason := range e.Against {
			el("li", against(&reason)).addTo(&list)
		}
		list.addTo(&verdict)
	}
	el("p", class("note"), text("This authorizes nothing. Only the service decides, and it knows more than this page: what was revoked, what was used before.")).addTo(&verdict)
	a.Body = append(a.Body, verdict)
	if len(e.Hops) > 0 {
		a.Body = append(a.Body, el("div", class("sides answered"),
			el("figure", draw("asked", "The request on its way along the chain", "What refuses is marked with a cross. The list says the same.", asked(e, q.req.Audience, request))),
			findings(e, q.req.Audience)))
	}
}

func firstReason(e *verify.Explanation) string {
	if len(e.Against) == 0 {
		return ""
	}
	r := &e.Against[0]
	return " First: " + where(r) + ": " + reasonText(r) + "."
}

func where(r *verify.Reason) string {
	who := delegation.PlainName(r.Hop)
	switch {
	case r.Block < 0 && who == "":
		return "the token as a whole"
	case r.Block < 0:
		return who
	case who == "":
		return fmt.Sprintf("block %d", r.Block)
	}
	return fmt.Sprintf("block %d, by %s", r.Block, who)
}

func reasonText(r *verify.Reason) string { return words(r.Message) }

// against shows one reason.
func against(r *verify.Reason) part {
	var shown parts
	if r.Asked != "" && r.Allowed != "" {
		shown = parts{el("p", el("strong", el("bdi", text(where(r))))), comparedWith(r.Asked, r.Allowed)}
	} else {
		shown = parts{el("p", el("strong", el("bdi", text(where(r)))), text(": "+reasonText(r)))}
	}
	if r.Check != "" {
		shown = append(shown, el("p", el("code", class("check"), text(words(r.Check)))))
	}
	return shown
}

// comparedWith lists what was asked and what would have been allowed.
func comparedWith(asked, allowed string) Element {
	dl := el("dl", class("facts"))
	for _, pair := range [][2]string{{"Asked", asked}, {"Allowed", allowed}} {
		if pair[1] != "" {
			el("div", el("dt", text(pair[0])), el("dd", el("bdi", text(words(pair[1]))))).addTo(&dl)
		}
	}
	return dl
}

// findings lists what came of each check.
func findings(e *verify.Explanation, audience string) Element {
	list := el("ol", class("hops"), attr("start", "0"))
	for _, h := range e.Hops {
		item := el("li", class("hop"))
		to := h.Holder
		if h.Kind == verify.HopInvocation {
			to = audience
		}
		el("h3", deed(h.Kind, h.By, to)).addTo(&item)
		if len(h.Checks) == 0 {
			el("p", class("note"), text("No caveats of its own.")).addTo(&item)
		} else {
			checks := el("ul", class("caveats"))
			for _, c := range h.Checks {
				state, word := "good", "✓ holds"
				switch {
				case refused(e, h.Block, c):
					state, word = "bad", "✗ refuses"
				case c.Result == verify.Untried:
					state, word = "warn", "– not tried"
				}
				el("li", el("span", class("state "+state), text(word)), text(" "), el("bdi", text(found(c, h.Kind)))).addTo(&checks)
			}
			checks.addTo(&item)
		}
		item.addTo(&list)
	}
	return list
}

// found is a check in words, or as it is written where it has none.
func found(c verify.CheckFinding, kind verify.HopKind) string {
	if _, custom := c.Caveat.(delegation.Custom); custom && kind == verify.HopInvocation {
		return meant(c.Caveat.Check(), true)
	}
	return words(c.Caveat.String())
}
