package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/cli/reading"
	"github.com/whittle-auth/whittle/token/delegation"
)

// A record is a decision as verify --json wrote it down, as far as it says who asked
// for what on whose behalf.
type record struct {
	Allowed   *bool  `json:"allowed"`
	Code      string `json:"code"`
	Service   string `json:"service"`
	At        string `json:"at"`
	Delegator string `json:"delegator"`
	Root      string `json:"root"`
	Agent     string `json:"agent"`
	Chain     []struct {
		Holder string `json:"holder"`
		Key    string `json:"key"`
		Agent  string `json:"agent"`
	} `json:"chain"`
	Approvals []struct {
		Block   int    `json:"block"`
		Key     string `json:"key"`
		Expires string `json:"expires"`
	} `json:"approvals"`
	Scope struct {
		Bounds []struct {
			Block int    `json:"block"`
			Text  string `json:"text"`
		} `json:"bounds"`
		Checks []struct {
			Block int    `json:"block"`
			Check string `json:"check"`
		} `json:"checks"`
	} `json:"scope"`
	Expires       *string  `json:"expires"`
	Request       string   `json:"request"`
	Action        string   `json:"action"`
	RevocationIDs []string `json:"revocation_ids"`
	Reasons       []struct {
		Code    string `json:"code"`
		Block   int    `json:"block"`
		Hop     string `json:"hop"`
		Message string `json:"message"`
		Check   string `json:"check"`
	} `json:"reasons"`
}

// explainRecord recovers the context of a delegation from a recorded decision. What
// was verified then is not verified again: the record does not hold the token.
func explainRecord(c *cli.Context, env *Env) error {
	if _, err := arguments(c); err != nil {
		return err
	}
	for _, name := range c.LocalFlagNames() {
		if name != "decision" && name != "json" && name != "trust" && c.IsSet(name) {
			return usagef("--decision explains what was recorded, and %s means nothing with it", dashed(name))
		}
	}
	file := c.String("decision")
	data, err := env.read(file, maxInput)
	if err != nil {
		return err
	}
	r, err := parseRecord(data)
	if err != nil {
		return usagef("%s: %s", shown(file), err)
	}
	if c.Bool("json") {
		return printJSON(env.Stdout, r)
	}
	var b strings.Builder
	r.print(&b)
	_, err = io.WriteString(env.Stdout, manyLines(b.String()))
	return err
}

func parseRecord(data []byte) (*record, error) {
	// Reads what is ambiguous, such as a name that stands twice, as an error.
	if _, err := delegation.ParseValue(data); err != nil {
		return nil, err
	}
	r := new(record)
	if err := json.Unmarshal(data, r); err != nil || r.Allowed == nil {
		return nil, fmt.Errorf("it is no decision such as whittle verify --json prints")
	}
	if *r.Allowed != (r.Code == "") {
		return nil, fmt.Errorf("it contradicts itself: allowed is %t, and the code %q", *r.Allowed, r.Code)
	}
	return r, nil
}

func (r *record) print(w io.Writer) {
	line := func(label, format string, args ...any) {
		if label != "" {
			label += ":"
		}
		for i, a := range args {
			// Written by anybody: a line break in it would begin a line of its own.
			if text, ok := a.(string); ok && strings.ContainsFunc(text, reading.IsHidden) {
				args[i] = strconv.Quote(text)
			}
		}
		fmt.Fprintf(w, "%-12s%s\n", label, oneLine(fmt.Sprintf(format, args...)))
	}
	known := func(label, value string) {
		if value != "" {
			line(label, "%s", value)
		}
	}
	fmt.Fprintln(w, "as recorded: nothing of it is verified here")
	decision := "allowed"
	if !*r.Allowed {
		decision = "denied, " + r.Code
	}
	known("decision", decision)
	known("service", delegation.PlainName(r.Service))
	known("at", r.At)
	for _, reason := range r.Reasons {
		where := delegation.PlainName(reason.Hop)
		if reason.Block >= 0 {
			where = fmt.Sprintf("block %d by %s", reason.Block, where)
		}
		line("because", "%s: %s", where, reason.Message)
	}
	if r.Delegator == "" {
		fmt.Fprintln(w, "nothing else was known of the token")
		return
	}
	line("for", "%s", delegation.PlainName(r.Delegator))
	known("", r.Root)
	for _, h := range r.Chain {
		name := delegation.PlainName(h.Holder)
		if name == "" {
			name = "(bearer)"
		}
		if h.Agent != "" {
			name += ", in the directory " + delegation.PlainName(h.Agent)
		}
		line("through", "%s", name)
		known("", h.Key)
	}
	known("agent", delegation.PlainName(r.Agent))
	for _, a := range r.Approvals {
		line("approved", "by %s until %s  (block %d)", a.Key, a.Expires, a.Block)
	}
	label := "allowed to"
	for _, bound := range r.Scope.Bounds {
		line(label, "%s  (block %d)", bound.Text, bound.Block)
		label = ""
	}
	for _, check := range r.Scope.Checks {
		line(label, "%s  (block %d)", check.Check, check.Block)
		label = ""
	}
	known("request", r.Request)
	known("action", r.Action)
	label = "blocks"
	for i, id := range r.RevocationIDs {
		line(label, "%d  %s", i, id)
		label = ""
	}
}
