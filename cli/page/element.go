// Package page shows a token as a web page. The same elements make the file that
// whittle inspect --html writes and what cli/web puts into a browser's document. What
// they say comes from tokens, which are hostile: it is text, never markup, and nothing
// in it can turn or hide what stands beside it.
package page

import (
	"github.com/whittle-auth/whittle/cli/reading"
	"github.com/whittle-auth/whittle/token/delegation"
)

// An Element is a piece of a document: an element of HTML or SVG, or text where Tag is
// empty. Tags and attributes' names are ours; texts and values may be anybody's.
type Element struct {
	Tag      string    `json:"tag,omitempty"`
	Attrs    []Attr    `json:"attrs,omitempty"`
	Children []Element `json:"children,omitempty"`
	Text     string    `json:"text,omitempty"`
}

// An Attr is an attribute of an element.
type Attr struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// A part is what an element is made of: attributes, texts and elements.
type part interface{ addTo(*Element) }

// text is what people read, on a line of its own at most. lines may be several.
type (
	text  string
	lines string
)

func (a Attr) addTo(e *Element) {
	e.Attrs = append(e.Attrs, Attr{a.Name, reading.OneLine(a.Value)})
}
func (c Element) addTo(e *Element) { e.Children = append(e.Children, c) }
func (t text) addTo(e *Element)    { Element{Text: reading.OneLine(string(t))}.addTo(e) }
func (l lines) addTo(e *Element)   { Element{Text: reading.ManyLines(string(l))}.addTo(e) }

// parts are several in a row, or none.
type parts []part

func (ps parts) addTo(e *Element) {
	for _, p := range ps {
		p.addTo(e)
	}
}

func el(tag string, content ...part) Element {
	e := Element{Tag: tag}
	parts(content).addTo(&e)
	return e
}

func attr(name, value string) Attr { return Attr{name, value} }
func class(name string) Attr       { return Attr{"class", name} }
func id(name string) Attr          { return Attr{"id", name} }

// flag is an attribute that is there or not.
func flag(name string) Attr { return Attr{name, ""} }

// name is what somebody is called, which others chose: quoted where it is not plain, and
// isolated, so that its letters do not turn the line around it.
func name(s string) Element { return el("bdi", class("name"), text(delegation.PlainName(s))) }

// code is text in the language of tokens.
func code(s string) Element { return el("code", text(s)) }
