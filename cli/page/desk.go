package page

// Desk is the page that people paste tokens into: the form, and the places that its
// script fills. The names of the fields are those of [Fields].
func Desk() []Element {
	return []Element{
		el("a", class("skip"), attr("href", "#reading"), text("Skip to what the token says")),
		el("header", class("top"),
			el("p", class("mark"), text("Whittle")),
			el("h1", text("Look at a token")),
			el("p", class("lead"), text("Who handed it to whom, what is left of it, and which hop says no. All of it happens in this page: it has no network, keeps nothing, and works from a file.")),
			el("noscript", el("p", class("badge bad"), text("This page reads tokens with WebAssembly, which needs scripts.")))),
		el("main",
			el("form", id("look"), attr("autocomplete", "off"), attr("novalidate", ""), attr("aria-label", "The token"),
				el("div", class("fields"),
					area("token", "Token", "Held, presented, bearer, or any Biscuit; with “Bearer” or line breaks, as you copied it. A presented or bearer token is a credential: it stays in this page.", "5"),
					el("div",
						area("trust", "Trust file", "Optional. OpenSSH allowed_signers lines with namespaces=\"whittle\". Without it, who minted the token is a claim.", "5"),
						el("label", class("file"), text("or open one: "), el("input", attr("type", "file"), id("trust-file"))))),
				el("p", class("actions"),
					el("button", attr("type", "submit"), class("primary"), text("Read")),
					el("button", attr("type", "button"), id("clear"), text("Clear everything")))),
			el("p", class("status"), id("status"), attr("role", "status"), text("Starting…")),
			el("div", id("reading"), attr("tabindex", "-1"), attr("role", "region"), attr("aria-label", "What the token says")),
			el("section", id("asking"), attr("aria-labelledby", "ask-title"), flag("hidden"),
				el("h2", id("ask-title"), text("What if it is asked?")),
				el("p", class("note"), text("Holds a request against every block and says all that speaks against it. A simulation: it authorizes nothing and is recorded nowhere.")),
				el("form", id("ask"), attr("autocomplete", "off"), attr("novalidate", ""), attr("aria-labelledby", "ask-title"),
					el("div", class("fields"),
						line("operation", "Operation", "Such as rotate.", "operations"),
						line("audience", "Service", "The audience, such as svc:certs.", "audiences"),
						area("resources", "Resources", "One on each line, such as payments/certs/api.", "2"),
						area("args", "Arguments", "NAME=VALUE, one on each line; a value that begins as JSON does is JSON.", "2"),
						line("at", "Time", "Such as 2026-01-31T12:00:00Z; empty for now.", "")),
					el("details", el("summary", text("What the service knows")),
						el("div", class("fields"),
							area("context", "Context", "The service's own state, NAME=VALUE, one on each line.", "2"),
							area("facts", "Registered facts", "Facts that tokens may tell, such as role(string), one on each line.", "2"),
							line("channel", "Connection", "Of a session: tls-exporter or client-cert, a colon, and hexadecimal digits.", ""),
							area("directory", "Directory", "Which name belongs to which agent's key: allowed_signers lines with namespaces=\"whittle-agent\".", "3"),
							area("policy", "Policy", "The service's own Datalog.", "3")),
						el("p", el("label", class("choice"), el("input", attr("type", "checkbox"), id("bearer"), attr("name", "bearer")), text(" It accepts bearer tokens")))),
					el("p", class("actions"), el("button", attr("type", "submit"), class("primary"), text("Simulate")))),
				el("p", class("status"), id("verdict"), attr("role", "status")),
				el("div", id("answer"), attr("role", "region"), attr("aria-label", "The answer")))),
		el("footer", el("p", text("Nothing leaves this page: its policy allows no connection, and it uses no storage. Close it, and the token is gone."))),
	}
}

// area is a field of several lines. Spelling is not checked: some browsers ask a server.
func area(name, title, hint, rows string) Element {
	return field(name, title, hint, el("textarea", fieldAttrs(name), attr("rows", rows)))
}

// line is a field of one line, with a list to choose from if there is one.
func line(name, title, hint, choices string) Element {
	input := el("input", attr("type", "text"), fieldAttrs(name))
	if choices == "" {
		return field(name, title, hint, input)
	}
	attr("list", choices).addTo(&input)
	return field(name, title, hint, input, el("datalist", id(choices)))
}

func field(name, title, hint string, control ...part) Element {
	return el("div", class("field"),
		el("label", attr("for", name), text(title)),
		parts(control),
		el("p", class("hint"), id(name+"-hint"), text(hint)),
		el("p", class("error"), id(name+"-error"), flag("hidden")))
}

func fieldAttrs(name string) part {
	return parts{id(name), attr("name", name), attr("aria-describedby", name+"-error "+name+"-hint"),
		attr("autocomplete", "off"), attr("autocapitalize", "off"), attr("autocorrect", "off"), attr("spellcheck", "false")}
}
