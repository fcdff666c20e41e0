package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify"
)

// serviceFlags say what a service knows besides its roots and its policy.
func serviceFlags() []cli.Flag {
	return []cli.Flag{
		directoryFlag(),
		listFlag("context", "the service's own state, `NAME=VALUE`, with VALUE as for --arg (repeatable)"),
		valueFlag("channel", "the connection that the request came in on, `KIND:HEX`; KIND is tls-exporter or client-cert"),
		listFlag("fact", "a further fact that the service states, as `DATALOG` (repeatable)"),
		listFlag("token-fact", "a fact that tokens may tell, by `TYPE` such as role(string) (repeatable)"),
		valueFlag("max-depth", fmt.Sprintf("accept tokens that changed hands `N` times after they were minted (default: %d)", verify.DefaultMaxDepth)),
		valueFlag("max-blocks", fmt.Sprintf("accept tokens of `N` blocks (default: %d)", verify.DefaultMaxBlocks)),
	}
}

func directoryFlag() cli.Flag {
	return valueFlag("directory", "which name belongs to which agent's key, a `FILE` in OpenSSH allowed_signers form")
}

// serviceOptions reads those of [serviceFlags] that hold for all requests.
func serviceOptions(c *cli.Context, env *Env, o *verify.Options) error {
	if file := c.String("directory"); file != "" {
		directory, err := readDirectory(env, file)
		if err != nil {
			return err
		}
		o.Directory = directory
	}
	for _, text := range values(c, "token-fact") {
		f, err := delegation.ParseFactType(text)
		if err != nil {
			return usagef("--token-fact: %s", err)
		}
		o.TokenFacts = append(o.TokenFacts, f)
	}
	for name, most := range map[string]*int{"max-depth": &o.MaxDepth, "max-blocks": &o.MaxBlocks} {
		n, err := count(c, name, 16)
		if err != nil {
			return err
		}
		if c.IsSet(name) && n == 0 {
			return usagef("%s is 1 at least", dashed(name))
		}
		*most = int(n)
	}
	return nil
}

// serviceState reads those of [serviceFlags] that hold for one request.
func serviceState(c *cli.Context) (s verify.State, err error) {
	if s.Context, err = parseNamed("context", values(c, "context")); err != nil {
		return s, err
	}
	if _, err := delegation.ContextFacts(s.Context); err != nil {
		return s, usagef("--context: %s", err)
	}
	if text := c.String("channel"); text != "" {
		if s.Channel, err = delegation.ParseChannel(text); err != nil {
			return s, usagef("--channel: %s", err)
		}
	}
	s.Facts, err = furtherFacts(c)
	return s, err
}

// furtherFacts reads --fact.
func furtherFacts(c *cli.Context) (facts []datalog.Predicate, err error) {
	for _, source := range values(c, "fact") {
		p, err := datalog.ParseFact(source, nil)
		if err == nil {
			err = delegation.FurtherFact(p)
		}
		if err != nil {
			return nil, usagef("--fact: %s", err)
		}
		facts = append(facts, p)
	}
	return facts, nil
}

func readDirectory(env *Env, name string) (*trust.Directory, error) {
	data, err := env.read(name, trust.MaxBytes)
	if err != nil {
		return nil, err
	}
	d, err := trust.ParseDirectory(data)
	if err != nil {
		return nil, usagef("%s: %s", shown(name), err)
	}
	if len(d.Entries()) == 0 {
		hint(env.Stderr, `no line of %s counts: those of a directory have namespaces="%s"`, shown(name), trust.AgentNamespace)
	}
	return d, nil
}

// printAgent says who it is that presents the token, where a directory was given:
// the names in the path are those that each holder's predecessor chose.
func printAgent(w io.Writer, c *cli.Context, d *verify.Decision) {
	switch {
	case c.String("directory") == "":
	case d.Agent != "":
		fmt.Fprintf(w, "agent:   %s\n", delegation.PlainName(d.Agent))
	default:
		fmt.Fprintln(w, "agent:   none is bound, names are claims")
	}
}

// explainAgent says what usually helps when a caveat on the agent's name denies.
func explainAgent(w io.Writer, c *cli.Context, d *verify.Decision) {
	aboutAgent := func(r verify.Reason) bool {
		check, err := datalog.ParseCheck(r.Check, nil)
		return err == nil && slices.ContainsFunc(check.Queries, func(q datalog.Query) bool {
			return slices.ContainsFunc(q.Body, func(p datalog.Predicate) bool { return p.Name == "agent" })
		})
	}
	if d.Agent != "" || !slices.ContainsFunc(d.Reasons, aboutAgent) {
		return
	}
	if c.String("directory") == "" {
		hint(w, "a caveat on the agent's name needs --directory: the names in a token are claims")
	} else {
		hint(w, "the directory binds no name, or several, to the key of whoever presents the token")
	}
}

// explainFacts says what usually helps when block 0 tells a fact besides the
// vocabulary.
func explainFacts(w io.Writer, d *verify.Decision, denied error) {
	if _, ok := errors.AsType[*delegation.UnknownFact](denied); ok && d.Reasons[0].Block == 0 {
		hint(w, "facts that the service has registered are named with --token-fact, such as --token-fact 'role(string)'")
	}
}

// hintDirectory says what a caveat on the agent's name takes.
func hintDirectory(env *Env, caveats []delegation.Caveat) {
	for _, cv := range caveats {
		if _, ok := cv.(delegation.Agents); ok {
			hint(env.Stderr, "a caveat on the agent's name denies wherever the service has no directory that binds the name to the agent's key: see whittle verify --directory")
			return
		}
	}
}

// A naming is what a directory says of a chain.
type naming struct {
	directory *trust.Directory // nil when none was given
	now       time.Time
}

// agent returns the name that is bound to a key, empty for none.
func (n naming) agent(key token.PublicKey) string {
	name, _ := n.directory.Agent(key, n.now)
	return name
}

// print says which holders' names are bound and which are claims.
func (n naming) print(w io.Writer, chain *delegation.Chain) {
	if n.directory == nil {
		return
	}
	fmt.Fprintln(w, "\nagents:")
	for _, l := range chain.Links {
		if l.Kind != delegation.LinkMint && l.Kind != delegation.LinkHandoff {
			continue
		}
		switch bound := n.agent(l.Key); bound {
		case "":
			fmt.Fprintf(w, "  %s is a claim: the directory binds no name, or several, to the key\n", delegation.PlainName(l.Holder))
		case l.Holder:
			fmt.Fprintf(w, "  %s is bound by the directory\n", delegation.PlainName(l.Holder))
		default:
			fmt.Fprintf(w, "  %s is a claim: the directory binds %s to the key\n", delegation.PlainName(l.Holder), delegation.PlainName(bound))
		}
	}
}

// hintFacts says what facts besides the vocabulary take.
func hintFacts(env *Env, facts []datalog.Predicate) {
	if len(facts) > 0 {
		hint(env.Stderr, "a service refuses the token unless it has registered these facts: see whittle verify --token-fact")
	}
}
