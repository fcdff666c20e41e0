package cli

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/verify"
)

// evaluationFlags are common to all that evaluates.
func evaluationFlags() []cli.Flag {
	return []cli.Flag{
		paramFlag(),
		valueFlag("query", "a `RULE` whose facts to print after the evaluation"),
		boolFlag("query-all", "let the query see the facts of all blocks, whoever wrote them"),
		valueFlag("max-facts", "how many facts there may be, a `NUMBER` (default: 1000)"),
		valueFlag("max-iterations", "how many rounds of rules, a `NUMBER` (default: 100)"),
		valueFlag("max-time", "refused: work is counted here, not timed"),
		boolFlag("include-time", "state the current time"),
	}
}

// An evaluation is what the flags say about how to evaluate.
type evaluation struct {
	params      *datalog.Params
	querySource string
	query       *datalog.Rule // nil: nothing is asked
	queryAll    bool
	time        bool
	options     *verify.AuthorizeOptions
}

func readEvaluation(c *cli.Context) (*evaluation, error) {
	if c.IsSet("max-time") {
		return nil, hintf(usagef("--max-time is not offered"), "evaluation is bounded by its work, whatever the machine: see --max-facts and --max-iterations")
	}
	if err := needs(c, "query-all", "query"); err != nil {
		return nil, err
	}
	ev := &evaluation{queryAll: c.Bool("query-all"), time: c.Bool("include-time"), querySource: c.String("query")}
	facts, err := limit(c, "max-facts")
	if err != nil {
		return nil, err
	}
	iterations, err := limit(c, "max-iterations")
	if err != nil {
		return nil, err
	}
	ev.options = &verify.AuthorizeOptions{Limits: verify.Limits{Facts: facts, Iterations: iterations}}
	if ev.params, err = parseParams(values(c, "param")); err != nil {
		return nil, err
	}
	if ev.querySource == "" {
		return ev, nil
	}
	rule, err := datalog.ParseRule(ev.querySource, ev.paramsIn(ev.querySource))
	if err != nil {
		return nil, usagef("--query: %s", err)
	}
	ev.query = &rule
	return ev, nil
}

// limit reads a flag that bounds work; zero means the default.
func limit(c *cli.Context, name string) (int, error) {
	n, err := count(c, name, 30)
	if err == nil && n == 0 && c.IsSet(name) {
		err = usagef("%s must be more than zero", dashed(name))
	}
	return int(n), err
}

// paramsIn returns the parameters that a source speaks of: one given for the
// query need not stand in the authorizer too.
func (ev *evaluation) paramsIn(source string) *datalog.Params {
	if ev.params == nil {
		return nil
	}
	p := &datalog.Params{Terms: maps.Clone(ev.params.Terms), Keys: maps.Clone(ev.params.Keys)}
	maps.DeleteFunc(p.Terms, func(name string, _ datalog.Term) bool { return !speaksOf(source, name) })
	maps.DeleteFunc(p.Keys, func(name string, _ datalog.Key) bool { return !speaksOf(source, name) })
	return p
}

func speaksOf(source, param string) bool { return strings.Contains(source, "{"+param+"}") }

// usedIn refuses a parameter that neither the query nor the source speaks of.
func (ev *evaluation) usedIn(source string) error {
	if ev.params == nil {
		return nil
	}
	names := slices.Concat(slices.Collect(maps.Keys(ev.params.Terms)), slices.Collect(maps.Keys(ev.params.Keys)))
	slices.Sort(names)
	for _, name := range names {
		if !speaksOf(source, name) && !speaksOf(ev.querySource, name) {
			return usagef("--param %s is not used: nothing says {%s}", name, name)
		}
	}
	return nil
}

// noAuthorizer checks what is given where only a query may be asked.
func (ev *evaluation) noAuthorizer() error { return ev.usedIn("") }

// authorizer parses an authorizer; name is what to call it in errors.
func (ev *evaluation) authorizer(env *Env, name, source string) (*datalog.Authorizer, error) {
	if err := ev.usedIn(source); err != nil {
		return nil, err
	}
	a, err := datalog.ParseAuthorizer(source, ev.paramsIn(source))
	if err != nil {
		return nil, usagef("%s: %s", name, err)
	}
	return ev.timed(env, a), nil
}

func (ev *evaluation) authorizerFile(env *Env, file string) (*datalog.Authorizer, error) {
	source, err := env.read(file, maxInput)
	if err != nil {
		return nil, err
	}
	return ev.authorizer(env, shown(file), string(source))
}

// timed adds the time to an authorizer, if that was asked for.
func (ev *evaluation) timed(env *Env, a *datalog.Authorizer) *datalog.Authorizer {
	if ev.time {
		a.Facts = append(a.Facts, datalog.Predicate{Name: "time", Terms: []datalog.Term{datalog.Date(env.Now().Unix())}})
	}
	return a
}

// run asks the query after a decision and returns the facts it finds, nil
// without a query or where nothing could be evaluated.
func (ev *evaluation) run(a *verify.Authorization, decision error) ([]string, error) {
	if e, ok := errors.AsType[*token.Error](decision); ok && (e.Code == token.CodeEvaluation || e.Code == token.CodeLimit) {
		return nil, nil
	}
	if ev.query == nil {
		return nil, nil
	}
	ask := a.Query
	if ev.queryAll {
		ask = a.QueryAll
	}
	facts, err := ask(*ev.query)
	if err != nil {
		return nil, token.Errorf(token.CodeEvaluation, -1, "--query: %s", err)
	}
	found := make([]string, len(facts))
	for i, f := range facts {
		found[i] = f.String()
	}
	return found, nil
}
