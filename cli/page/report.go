package page

import "github.com/whittle-auth/whittle/cli/reading"

// Report is a page about one token, without any script.
func Report(r *reading.Reading) *Document {
	return &Document{Title: documentTitle(r), Body: []Element{
		el("header", class("top"),
			el("p", class("mark"), text("Whittle")),
			el("h1", text("What a token says")),
			el("p", class("lead"), text("As it was at "+reading.Stamp(r.Now)+". Keep this file as carefully as the token: it says all that the token does."))),
		el("main", parts(reportParts(r))),
	}}
}

func reportParts(r *reading.Reading) parts {
	var ps parts
	for _, s := range sections(r) {
		ps = append(ps, s)
	}
	return ps
}
