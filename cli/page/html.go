package page

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html"
	"strings"
)

// A Document is a whole page that needs nothing beside itself. It is written from elements
// and not from a template, since the page's script makes the same elements in a browser,
// where no markup may stand in between.
type Document struct {
	Title string
	// Script runs in the page; empty for a page without any. It is trusted, and has
	// no "</script".
	Script string
	// Payload is data for the script, of ASCII letters and the like, which it finds by
	// the id "payload".
	Payload string
	Body    []Element
}

//go:embed style.css
var style string

// void are the elements that have no content and no end.
var void = map[string]bool{"input": true, "meta": true, "br": true, "hr": true}

// String returns the page as HTML. Its policy allows our own style and script, by what
// they say, and nothing else: no network, no frames, no forms that are sent, and no way
// to make markup of a string.
func (d *Document) String() string {
	policy := "default-src 'none'; style-src '" + digest(style) + "'; connect-src 'none'; base-uri 'none'; form-action 'none'"
	if d.Script != "" {
		policy += "; script-src '" + digest(d.Script) + "' 'wasm-unsafe-eval'; require-trusted-types-for 'script'; trusted-types 'none'"
	}
	head := el("head",
		el("meta", attr("charset", "utf-8")),
		el("meta", attr("http-equiv", "Content-Security-Policy"), attr("content", policy)),
		el("meta", attr("name", "viewport"), attr("content", "width=device-width, initial-scale=1")),
		el("meta", attr("name", "color-scheme"), attr("content", "light dark")),
		el("meta", attr("name", "referrer"), attr("content", "no-referrer")),
		el("title", text(d.Title)),
	)
	var b strings.Builder
	b.WriteString("<!doctype html>\n<html lang=\"en\">\n")
	b.WriteString(strings.TrimSuffix(markup(&head), "</head>"))
	b.WriteString("<style>" + style + "</style></head>\n<body>\n")
	for i := range d.Body {
		b.WriteString(markup(&d.Body[i]) + "\n")
	}
	if d.Script != "" {
		b.WriteString("<script type=\"text/plain\" id=\"payload\">" + d.Payload + "</script>\n<script>" + d.Script + "</script>\n")
	}
	b.WriteString("</body>\n</html>\n")
	return b.String()
}

// digest names a style or script in a policy (CSP Level 3, section 2.3.1).
func digest(source string) string {
	sum := sha256.Sum256([]byte(source))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// markup writes an element as HTML.
func markup(e *Element) string {
	var b strings.Builder
	e.write(&b)
	return b.String()
}

func (e *Element) write(b *strings.Builder) {
	if e.Tag == "" {
		b.WriteString(html.EscapeString(e.Text))
		return
	}
	b.WriteString("<" + e.Tag)
	for _, a := range e.Attrs {
		b.WriteString(" " + a.Name + "=\"" + html.EscapeString(a.Value) + "\"")
	}
	b.WriteString(">")
	if void[e.Tag] {
		return
	}
	for i := range e.Children {
		e.Children[i].write(b)
	}
	b.WriteString("</" + e.Tag + ">")
}
