package page

import (
	"fmt"
	"strconv"

	"github.com/whittle-auth/whittle/cli/reading"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
)

// A stage is one step of the picture: who has the token, and above the name what they
// were given it for.
type stage struct {
	kind     stageKind
	title    string
	under    string // below the title, smaller
	bounds   []bound
	refuses  bool
	supposed bool // it has not happened
	claimed  bool // nothing verifies it
}

// A bound is a caveat on the way to a stage.
type bound struct {
	text    string
	refuses bool
}

type stageKind string

const (
	person   stageKind = "person"
	agent    stageKind = "agent"
	narrowed stageKind = "narrowed"
	approved stageKind = "approved"
	service  stageKind = "service"
)

// stages lays out a chain that nobody asks anything with.
func stages(r *reading.Reading) []stage {
	root := "root key not verified"
	if r.Verified == reading.Rooted {
		root = "root key " + r.Token.Root().Brief()
	}
	all := []stage{{kind: person, title: delegation.PlainName(r.Chain.Delegator), under: root, claimed: r.Verified != reading.Rooted || r.Refused != nil}}
	approvals := r.Chain.Approvals
	until := func(block int) {
		for ; len(approvals) > 0 && approvals[0].Block < block; approvals = approvals[1:] {
			all = append(all, stage{kind: approved, title: "approved", under: "by " + approvals[0].By.Brief()})
		}
	}
	for i := range r.Chain.Links {
		l := &r.Chain.Links[i]
		until(l.Block)
		s := stage{kind: agent, title: delegation.PlainName(l.Holder), under: l.Key.Brief(), claimed: l.Kind == delegation.LinkMint && all[0].claimed}
		switch l.Kind {
		case delegation.LinkNarrow:
			s.kind, s.title, s.under = narrowed, "narrows it", ""
		case delegation.LinkBearer:
			s.title, s.under = "whoever has the bytes", "bearer"
		}
		for _, line := range reading.CaveatLines(l.Caveats) {
			s.bounds = append(s.bounds, bound{text: line})
		}
		all = append(all, s)
	}
	until(len(r.Blocks))
	if inv := r.Chain.Invocation; inv != nil {
		under := "one request"
		if inv.IsSession() {
			under = "one connection"
		}
		all = append(all, stage{kind: service, title: delegation.PlainName(inv.Audience), under: under})
	}
	return all
}

// asked lays out an explanation: what refuses is marked.
func asked(e *verify.Explanation, audience, request string) []stage {
	all := []stage{{kind: person, title: delegation.PlainName(e.Delegator)}}
	own := false // the service has something against it itself
	for _, reason := range e.Against {
		own = own || reason.Block < 0
	}
	last := stage{kind: service, title: delegation.PlainName(audience), under: request, supposed: e.Supposed, refuses: own}
	for _, h := range e.Hops {
		s := stage{kind: agent, title: delegation.PlainName(h.Holder)}
		switch h.Kind {
		case verify.HopNarrow:
			s.kind, s.title = narrowed, "narrows it"
		case verify.HopBearer:
			s.title = "whoever has the bytes"
		case verify.HopApproval:
			s.kind, s.title = approved, "approved"
			s.under = "by " + delegation.PlainName(h.By)
		}
		for _, c := range h.Checks {
			s.bounds = append(s.bounds, bound{c.Caveat.String(), refused(e, h.Block, c)})
		}
		for _, reason := range e.Against {
			s.refuses = s.refuses || reason.Block == h.Block
		}
		if h.Kind == verify.HopInvocation {
			last.refuses = last.refuses || s.refuses
			continue
		}
		all = append(all, s)
	}
	return append(all, last)
}

// refused reports whether a check is one of those that speak against the request.
func refused(e *verify.Explanation, block int, c verify.CheckFinding) bool {
	if c.Result == verify.Fails {
		return true
	}
	for _, reason := range e.Against {
		if reason.Block == block && reason.Check != "" && reason.Check == c.Caveat.Check().String() {
			return true
		}
	}
	return false
}

// Measures of a picture, in units of which it is drawnWidth wide. Text is in a font
// whose characters are 0.6 of its size, of which three in ten are kept free.
const (
	drawnWidth = 340
	boxHeight  = 46
	pillHeight = 26
	lineHeight = 17
	boundChars = 40
	titleChars = 34
	mostBounds = 6
)

// draw draws stages from top to bottom. Its name makes the ids that a screen reader
// finds the texts by.
func draw(as, title, description string, all []stage) Element {
	var shapes parts
	y := 6
	for i, s := range all {
		if i > 0 {
			y = arrow(&shapes, y, &s)
		}
		y = box(&shapes, y, &s)
	}
	height := y + 6
	return el("svg", class("drawing"), attr("role", "img"), attr("aria-labelledby", as+"-title "+as+"-desc"),
		attr("viewBox", fmt.Sprintf("0 0 %d %d", drawnWidth, height)), attr("width", strconv.Itoa(drawnWidth)), attr("height", strconv.Itoa(height)),
		el("title", id(as+"-title"), text(title)), el("desc", id(as+"-desc"), text(description)), shapes)
}

// arrow draws the way down to a stage, with what it was given for at its right.
func arrow(shapes *parts, y int, s *stage) int {
	const x = 24
	bounds := s.bounds
	more := 0
	if len(bounds) > mostBounds {
		bounds, more = bounds[:mostBounds-1], len(bounds)-mostBounds+1
		for _, b := range s.bounds[len(bounds):] {
			if b.refuses {
				bounds[len(bounds)-1].refuses = true
			}
		}
	}
	shown := len(bounds)
	if more > 0 {
		shown++
	}
	end := y + max(24, 18+shown*lineHeight)
	how := "way"
	if s.claimed || s.supposed {
		how += " loose"
	}
	if s.refuses {
		how += " refuses"
	}
	*shapes = append(*shapes,
		el("path", class(how), attr("d", fmt.Sprintf("M%d %dV%d", x, y, end-2))),
		el("path", class(how+" head"), attr("d", fmt.Sprintf("M%d %dL%d %dL%d %d", x-4, end-8, x, end-1, x+4, end-8))))
	at := y + 20
	for _, b := range bounds {
		line := b.text
		kind := "bound"
		if b.refuses {
			line, kind = "✗ "+line, "bound refuses"
		}
		*shapes = append(*shapes, label(kind, x+18, at, clip(line, boundChars)))
		at += lineHeight
	}
	if more > 0 {
		*shapes = append(*shapes, label("bound", x+18, at, fmt.Sprintf("and %d more", more)))
	}
	return end
}

func box(shapes *parts, y int, s *stage) int {
	kind := "stage " + string(s.kind)
	if s.refuses && s.kind == service {
		kind += " refuses"
	}
	if s.supposed || s.claimed && s.kind == person {
		kind += " loose"
	}
	height, width, round := boxHeight, drawnWidth-2, "6"
	switch s.kind {
	case narrowed, approved:
		height, width, round = pillHeight, drawnWidth/2+60, "13"
	case person:
		round = "23"
	}
	*shapes = append(*shapes, el("rect", class(kind), attr("x", "1"), attr("y", strconv.Itoa(y)), attr("width", strconv.Itoa(width)), attr("height", strconv.Itoa(height)), attr("rx", round)))
	if height == pillHeight {
		*shapes = append(*shapes, label("under", 16, y+17, clip(s.title+" "+s.under, boundChars-10)))
		return y + height
	}
	if s.under == "" {
		*shapes = append(*shapes, label("title", 16, y+28, clip(s.title, titleChars)))
	} else {
		*shapes = append(*shapes, label("title", 16, y+20, clip(s.title, titleChars)), label("under", 16, y+36, clip(s.under, boundChars+2)))
	}
	return y + height
}

func label(kind string, x, y int, s string) Element {
	return el("text", class(kind), attr("x", strconv.Itoa(x)), attr("y", strconv.Itoa(y)), text(s))
}

// clip shortens text to so many columns. Characters of East Asia take two.
func clip(s string, columns int) string {
	used := 0
	for i, r := range s {
		width := 1
		if r >= 0x1100 {
			width = 2
		}
		if used+width > columns-1 && i+len(string(r)) < len(s) {
			return s[:i] + "…"
		}
		used += width
	}
	return s
}
