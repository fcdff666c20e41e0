package page

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/whittle-auth/whittle/cli/reading"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify"
)

// Fields are what stands in the page's form: see [Desk].
type Fields struct {
	Token     string `json:"token"`
	Trust     string `json:"trust"`
	Operation string `json:"operation"`
	Resources string `json:"resources"` // one on each line
	Args      string `json:"args"`      // NAME=VALUE, one on each line
	Audience  string `json:"audience"`
	At        string `json:"at"` // RFC 3339; empty for now
	Context   string `json:"context"`
	Facts     string `json:"facts"` // fact types, one on each line
	Policy    string `json:"policy"`
	Directory string `json:"directory"`
	Channel   string `json:"channel"` // the connection, KIND:HEX
	Bearer    bool   `json:"bearer"`  // bearer tokens are allowed
}

// An Answer is what the page shows for the fields.
type Answer struct {
	// Status is a sentence that is read aloud.
	Status string `json:"status"`
	// Errors are what is wrong with fields, by their names.
	Errors map[string]string `json:"errors"`
	Body   []Element         `json:"body"`
	// Operations and Audiences are what the token speaks of, to choose from.
	Operations []string `json:"operations"`
	Audiences  []string `json:"audiences"`
}

// Limits on what is read, in bytes, as for the command line.
const (
	maxToken = 256 << 10
	maxField = 64 << 10
)

// Look shows a token. It keeps nothing and asks nobody.
func Look(f *Fields, now time.Time) *Answer { return look(f, now).visible() }

func look(f *Fields, now time.Time) *Answer {
	a := &Answer{Errors: map[string]string{}}
	r := a.read(f, now)
	if r == nil {
		return a
	}
	a.Status, a.Body = headline(r), sections(r)
	if r.Chain != nil {
		a.suggest(r.Chain)
	}
	return a
}

// visible makes what is said beside the elements as safe to show as they are.
func (a *Answer) visible() *Answer {
	a.Status = reading.OneLine(a.Status)
	for field, message := range a.Errors {
		a.Errors[field] = reading.OneLine(message)
	}
	return a
}

// read reads the token and the trust file. It returns nil where there is nothing to
// show, and has said why.
func (a *Answer) read(f *Fields, now time.Time) *reading.Reading {
	var roots *trust.Roots
	if strings.TrimSpace(f.Trust) != "" {
		var err error
		if roots, err = trust.Parse([]byte(f.Trust)); err != nil {
			a.Errors["trust"] = "This is no trust file, and is left out: " + err.Error() + "."
		} else if len(roots.Entries()) == 0 {
			a.Errors["trust"] = `No line of it counts: those of a trust file have namespaces="whittle".`
		}
	}
	text := credential(f.Token)
	switch {
	case text == "":
		return nil
	case len(text) > maxToken:
		a.Errors["token"] = fmt.Sprintf("This is longer than %d bytes, and no token is.", maxToken)
	case strings.Contains(text, "PRIVATEKEY-----") || strings.Contains(strings.ToLower(text), "private/"):
		a.Errors["token"] = "This looks like a private key. Take it out: nobody but its owner should see it."
	}
	if a.Errors["token"] != "" {
		a.Status = a.Errors["token"]
		return nil
	}
	u, err := token.ParseText(text, nil)
	if err == nil {
		var r *reading.Reading
		if r, err = reading.Read(u, roots, now); err == nil {
			return r
		}
	}
	a.Errors["token"] = "This is no token that can be read: " + problem(err) + "."
	a.Status = a.Errors["token"]
	return nil
}

// credential takes a token's text out of what was pasted: a header's value, or lines
// that a terminal or a letter has broken.
func credential(pasted string) string {
	text := strings.TrimSpace(pasted)
	for _, before := range []string{"Authorization:", "authorization:", "Bearer "} {
		text = strings.TrimSpace(strings.TrimPrefix(text, before))
	}
	return strings.Join(strings.Fields(text), "")
}

func (a *Answer) suggest(c *delegation.Chain) {
	if o, ok := c.Scope.Operations(); ok {
		a.Operations = slices.Clone(o.Names)
	}
	if c.Invocation != nil {
		a.Audiences = []string{c.Invocation.Audience}
		return
	}
	for _, b := range c.Scope.Bounds {
		if names, ok := b.Caveat.(delegation.Audiences); ok {
			a.Audiences = slices.Clone(names.Names)
		}
	}
}

// A question is what the fields ask.
type question struct {
	req     delegation.Request
	suppose verify.Supposition
	options verify.Options
}

// question reads the fields of a request, and says what is wrong with each.
func (a *Answer) question(f *Fields, now time.Time) (q question) {
	wrong := func(field string, err error) {
		if err != nil && a.Errors[field] == "" {
			a.Errors[field] = "This cannot be read: " + err.Error() + "."
		}
	}
	for field, s := range map[string]string{"operation": f.Operation, "resources": f.Resources, "args": f.Args, "audience": f.Audience, "context": f.Context, "facts": f.Facts, "channel": f.Channel, "policy": f.Policy} {
		if len(s) > maxField {
			a.Errors[field] = fmt.Sprintf("This is longer than %d bytes.", maxField)
		}
	}
	if len(a.Errors) > 0 {
		return q
	}
	q.req = delegation.Request{Operation: strings.TrimSpace(f.Operation), Resources: nonempty(f.Resources), Audience: strings.TrimSpace(f.Audience)}
	for field, missing := range map[string]bool{"operation": q.req.Operation == "", "resources": len(q.req.Resources) == 0, "audience": q.req.Audience == ""} {
		if missing {
			a.Errors[field] = "This is needed."
		}
	}
	var err error
	q.req.Args, err = nameValues(f.Args)
	wrong("args", err)
	q.suppose.At = now
	if at := strings.TrimSpace(f.At); at != "" {
		if q.suppose.At, err = time.Parse(time.RFC3339, at); err != nil || q.suppose.At.Unix() < 0 {
			a.Errors["at"] = "This is no time such as 2026-01-31T12:00:00Z."
		}
	}
	q.suppose.State.Context, err = nameValues(f.Context)
	wrong("context", err)
	_, err = delegation.ContextFacts(q.suppose.State.Context)
	wrong("context", err)
	if channel := strings.TrimSpace(f.Channel); channel != "" {
		q.suppose.State.Channel, err = delegation.ParseChannel(channel)
		wrong("channel", err)
	}
	for _, line := range nonempty(f.Facts) {
		t, err := delegation.ParseFactType(line)
		wrong("facts", err)
		q.options.TokenFacts = append(q.options.TokenFacts, t)
	}
	if strings.TrimSpace(f.Policy) != "" {
		q.options.Policy, err = datalog.ParseAuthorizer(f.Policy, nil)
		wrong("policy", err)
	}
	if strings.TrimSpace(f.Directory) != "" {
		d, err := trust.ParseDirectory([]byte(f.Directory))
		wrong("directory", err)
		q.options.Directory = d
	}
	q.options.AllowBearer = f.Bearer
	q.options.AllowReplay = true // nothing is remembered here, which the page says
	q.options.Memory = -1
	if len(a.Errors) == 0 {
		if _, err := q.req.Check(); err != nil {
			wrong("operation", err)
		}
	}
	return q
}

func nonempty(s string) []string {
	var found []string
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			found = append(found, line)
		}
	}
	return found
}

// nameValues reads lines of NAME=VALUE, as --arg does.
func nameValues(s string) (map[string]any, error) {
	values := map[string]any{}
	for _, line := range nonempty(s) {
		name, text, ok := strings.Cut(line, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("%q is not of the form NAME=VALUE", words(line))
		}
		if _, twice := values[name]; twice {
			return nil, fmt.Errorf("%s is given twice", words(name))
		}
		values[name] = text
		if reading.BeginsAsJSON(text) {
			value, err := delegation.ParseValue([]byte(text))
			if err != nil {
				return nil, fmt.Errorf("%s: %w; a value that begins as JSON does is read as JSON, so put a string into quotes", words(name), err)
			}
			values[name] = value
		}
	}
	return values, nil
}
