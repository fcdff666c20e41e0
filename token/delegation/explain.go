package delegation

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/whittle-auth/whittle/token/datalog"
)

// A subject is what a caveat is held against: the facts of a predicate, with a
// name for arguments and context.
type subject struct {
	predicate string
	name      *string
}

// values returns what the facts say of the subject.
func (s subject) values(facts []datalog.Predicate) []datalog.Term {
	var values []datalog.Term
	for _, f := range facts {
		if f.Name != s.predicate {
			continue
		}
		switch {
		case s.name == nil && len(f.Terms) == 1:
			values = append(values, f.Terms[0])
		case s.name != nil && len(f.Terms) == 2 && datalog.Equal(f.Terms[0], datalog.String(*s.name)):
			values = append(values, f.Terms[1])
		}
	}
	return values
}

// A Finding is one caveat held against one request.
type Finding struct {
	// Known is false for a check written by hand, which only the engine can
	// evaluate, and for approvals, which are no matter of the request.
	Known bool
	// Holds says whether the caveat holds.
	Holds bool
	// Asked is what the request is, such as "amount 250"; empty where it has
	// nothing of the sort.
	Asked string
	// Allowed is what the caveat allows, such as "1 to 100".
	Allowed string
	// Message is a sentence of both: "amount 250, allowed: 1 to 100".
	Message string
}

// Explain holds a caveat against the facts that a verifier states. It explains;
// the engine decides.
func Explain(c Caveat, facts []datalog.Predicate) Finding {
	switch c.(type) {
	case Custom:
		return Finding{Allowed: c.allowed(), Message: "the check does not hold for this request"}
	case Approval:
		return Finding{Allowed: c.allowed(), Message: "nobody has approved this very action as demanded: " + c.allowed()}
	}
	about := c.about()
	values := about.values(facts)
	f := Finding{Known: true, Holds: len(values) > 0, Allowed: c.allowed()}
	for _, v := range values {
		f.Holds = f.Holds && c.admits(v)
	}
	if _, unset := c.(ArgUnset); unset {
		f.Holds = len(values) == 0
	}
	if about.predicate == "arg_ip" || about.predicate == "arg_host" {
		raw := subject{"arg", about.name}.values(facts)
		if len(values) == 0 && len(raw) > 0 {
			f.Asked = about.asked(raw)
			f.Message = fmt.Sprintf("%s, which is no %s with a single reading, allowed: %s", f.Asked, derived[about.predicate], f.Allowed)
			return f
		}
		values = raw
	}
	if len(values) == 0 {
		f.Message = about.missing() + ", allowed: " + f.Allowed
		return f
	}
	f.Asked = about.asked(values)
	f.Message = f.Asked + ", allowed: " + f.Allowed
	return f
}

var derived = map[string]string{"arg_ip": "IP address", "arg_host": "URL"}

// asked lists the values that a request has, the first few.
func (s subject) asked(values []datalog.Term) string {
	const most = 8
	texts := make([]string, 0, most+1)
	for i, v := range values {
		if i == most {
			texts = append(texts, fmt.Sprintf("%d more", len(values)-i))
			break
		}
		texts = append(texts, s.shown(v))
	}
	label := strings.ReplaceAll(s.predicate, "_", " ")
	switch s.predicate {
	case "arg", "arg_ip", "arg_host":
		label = word(*s.name)
	case "context":
		label = "context " + word(*s.name)
	}
	return label + " " + strings.Join(texts, " and ")
}

// shown writes a value for people, bounded in length.
func (s subject) shown(v datalog.Term) string {
	const most = 200
	var text string
	switch v := v.(type) {
	case datalog.String:
		text = quote(string(v))
	case datalog.Date:
		return time.Unix(int64(v), 0).UTC().Format(time.RFC3339)
	case datalog.Integer:
		switch {
		case s.predicate == "weekday":
			return dayName(int(min(max(v, 0), 8)))
		case s.predicate == "minute" && v >= 0 && v < minutesOfDay:
			return clockTime(int(v))
		}
		return strconv.FormatInt(int64(v), 10)
	default:
		text = fmt.Sprint(v)
	}
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + ".."
	}
	return text
}

func (s subject) missing() string {
	switch s.predicate {
	case "arg", "arg_ip", "arg_host":
		return "the request has no argument " + word(*s.name)
	case "context":
		return "the service states no context " + word(*s.name)
	case "agent":
		return "the agent's name is not known to the service"
	case "agent_key":
		return "nothing shows which key presents the token"
	}
	return "the request has no " + s.predicate
}
