package cli

import (
	"fmt"
	"slices"

	"github.com/whittle-auth/whittle/cli/reading"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
)

// A row is one block of a token on its way into a tree or a picture.
type row struct {
	kind     verify.HopKind
	holder   string // who has the token from here on; empty where it does not change hands
	approver string // whose approval it is
	lines    []rowLine
	notes    []string // what is wrong with the block as a whole
	refuses  bool
}

// A rowLine is a caveat, and what is wrong with it.
type rowLine struct {
	text    string
	refuses bool
	notes   []string
}

// A drawing is all that a tree or a picture shows. Its names are plain or quoted.
type drawing struct {
	delegator string
	rows      []row
	service   string   // who is asked, empty where nobody is
	request   string   // for what
	notes     []string // what the service itself has against it
	supposed  bool     // the last holder has not asked for anything yet
}

// drawn returns an explanation's drawing.
func drawn(e *verify.Explanation, service, request string) *drawing {
	d := &drawing{delegator: delegation.PlainName(e.Delegator), service: delegation.PlainName(service), request: request, supposed: e.Supposed}
	for _, h := range e.Hops {
		r := row{kind: h.Kind, holder: delegation.PlainName(h.Holder)}
		if h.Kind == verify.HopApproval {
			r.approver = delegation.PlainName(h.By)
		}
		for _, c := range h.Checks {
			r.lines = append(r.lines, rowLine{text: shortText(c.Caveat.String())})
			if c.Result == verify.Untried {
				r.lines[len(r.lines)-1].notes = []string{"not tried"}
			}
		}
		d.rows = append(d.rows, r)
	}
	for _, reason := range e.Against {
		if reason.Block < 0 || reason.Block >= len(d.rows) {
			d.notes = append(d.notes, reasonNotes(reason)...)
			continue
		}
		d.rows[reason.Block].refuse(reason, e.Hops[reason.Block].Checks)
	}
	for i := range d.rows {
		d.rows[i].fold(e.Hops[i].Checks)
	}
	return d
}

// refuse marks the check that a reason is about, or the block.
func (r *row) refuse(reason verify.Reason, checks []verify.CheckFinding) {
	r.refuses = true
	for i := range r.lines {
		if l := &r.lines[i]; !l.refuses && checks[i].Caveat.Check().String() == reason.Check {
			l.refuses, l.notes = true, reasonNotes(reason)
			return
		}
	}
	r.notes = append(r.notes, reasonNotes(reason)...)
}

// fold shows approvals that belong together as one, with all that is wrong with any.
func (r *row) fold(checks []verify.CheckFinding) {
	var lines []rowLine
	for i := 0; i < len(checks); {
		var together []delegation.Approval
		for _, c := range checks[i:] {
			a, ok := c.Caveat.(delegation.Approval)
			if !ok {
				break
			}
			together = append(together, a)
		}
		if len(together) == 0 {
			lines = append(lines, r.lines[i])
			i++
			continue
		}
		for _, q := range delegation.Quorums(together) {
			one := rowLine{text: shortText(q.String())}
			caveats, _ := delegation.Approvals(q.Need, q.Keys...)
			for _, l := range r.lines[i : i+max(1, len(caveats))] {
				one.refuses = one.refuses || l.refuses
				for _, note := range l.notes {
					if !slices.Contains(one.notes, note) {
						one.notes = append(one.notes, note)
					}
				}
			}
			lines = append(lines, one)
			i += max(1, len(caveats))
		}
	}
	r.lines = lines
}

// reasonNotes says what was asked where that is known, else what is wrong.
func reasonNotes(r verify.Reason) []string {
	by := ""
	if r.Block >= 0 && r.Hop != "" {
		by = "set by " + delegation.PlainName(r.Hop) + ", "
	}
	if r.Block >= 0 && r.Asked != "" {
		return []string{by + "asked: " + r.Asked}
	}
	notes := []string{by + r.Message}
	if r.Check != "" && r.Block < 0 {
		notes = append(notes, r.Check)
	}
	if r.Allowed != "" && r.Block < 0 {
		notes = append(notes, "allowed: "+r.Allowed)
	}
	return notes
}

// drawnChain returns the drawing of a token that nobody asks anything with.
func drawnChain(chain *delegation.Chain) *drawing {
	d := &drawing{delegator: delegation.PlainName(chain.Delegator)}
	approvals := chain.Approvals
	for _, l := range chain.Links {
		for len(approvals) > 0 && approvals[0].Block < l.Block {
			d.rows = append(d.rows, row{kind: verify.HopApproval, approver: approvals[0].By.Brief()})
			approvals = approvals[1:]
		}
		r := row{kind: verify.HopKind(l.Kind.String())}
		if l.Kind != delegation.LinkNarrow {
			r.holder = delegation.PlainName(l.Holder)
		}
		for _, text := range reading.CaveatLines(l.Caveats) {
			r.lines = append(r.lines, rowLine{text: shortText(text)})
		}
		d.rows = append(d.rows, r)
	}
	for _, given := range approvals {
		d.rows = append(d.rows, row{kind: verify.HopApproval, approver: given.By.Brief()})
	}
	if inv := chain.Invocation; inv != nil {
		d.service, d.request = delegation.PlainName(inv.Audience), "one request"
		d.rows = append(d.rows, row{kind: verify.HopInvocation})
	}
	return d
}

// shortText shortens what nobody reads: a check of 100 kB is no picture.
func shortText(text string) string {
	const most = 400
	if len(text) > most {
		return fmt.Sprintf("%.*s..", most, text)
	}
	return text
}
