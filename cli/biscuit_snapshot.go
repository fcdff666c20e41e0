package cli

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/datalog"
	"github.com/whittle-auth/whittle/verify"
)

// Defaults of the reference implementation for what a snapshot must state.
const (
	snapshotFacts      = 1000
	snapshotIterations = 100
	snapshotTime       = 1_000_000 // nanoseconds, which nothing here looks at
)

// policiesSnapshot returns an authorizer as biscuit-cli saves one: an
// authorizer's snapshot without a token.
func (ev *evaluation) policiesSnapshot(a *datalog.Authorizer) *token.Snapshot {
	return &token.Snapshot{
		MaxFacts:      uint64(cmp.Or(ev.options.Limits.Facts, snapshotFacts)),
		MaxIterations: uint64(cmp.Or(ev.options.Limits.Iterations, snapshotIterations)),
		MaxTime:       snapshotTime,
		Authorizer:    token.SnapshotBlock{Datalog: &a.Block},
		Policies:      a.Policies,
	}
}

// authorizerSnapshot reads what policiesSnapshot returns. Limits in it do not
// count: those of the command do.
func (ev *evaluation) authorizerSnapshot(env *Env, name string, data []byte) (*datalog.Authorizer, error) {
	if err := ev.usedIn(""); err != nil {
		return nil, err
	}
	s, err := token.ParseSnapshot(data, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(s.Blocks) > 0 || len(s.Facts) > 0 || s.Iterations > 0 {
		return nil, usagef("%s: the snapshot is of a decision on a token, a policies snapshot is needed", name)
	}
	return ev.timed(env, authorizerIn(s)), nil
}

func authorizerIn(s *token.Snapshot) *datalog.Authorizer {
	a := &datalog.Authorizer{Policies: s.Policies}
	if s.Authorizer.Datalog != nil {
		a.Block = *s.Authorizer.Datalog
	}
	return a
}

func writeSnapshot(env *Env, file string, s *token.Snapshot, raw bool) error {
	data, err := s.Encode()
	if err != nil {
		return err
	}
	if !raw {
		data = []byte(token.EncodeText(data) + "\n")
	}
	if file == "-" {
		_, err := env.Stdout.Write(data)
		return err
	}
	return env.write(file, data)
}

func inspectSnapshot(c *cli.Context, env *Env) error {
	args, err := arguments(c, "SNAPSHOT")
	if err != nil {
		return err
	}
	if c.Bool("include-time") {
		return usagef("--include-time would change what the snapshot says of its time")
	}
	ev, err := readEvaluation(c)
	if err != nil {
		return err
	}
	if err := ev.noAuthorizer(); err != nil {
		return err
	}
	data, err := readMessage(env, args[0], c.Bool("raw-input"))
	if err != nil {
		return err
	}
	s, err := token.ParseSnapshot(data, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", shown(args[0]), err)
	}
	out, failed := verify.AuthorizeUnverified(s, ev.options)
	facts, err := ev.run(out, failed)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		result := authorization{Report: verify.NewReport(out, failed)}
		if facts != nil {
			result.Query = &facts
		}
		err = printJSON(env.Stdout, result)
	} else {
		_, err = io.WriteString(env.Stdout, snapshotText(s, facts, out, failed))
	}
	hint(env.Stderr, "a snapshot is not signed: nothing shows that its blocks were those of a token")
	return cmp.Or(err, failed)
}

func snapshotText(s *token.Snapshot, facts []string, out *verify.Authorization, failed error) string {
	var b strings.Builder
	indented := func(source string) {
		for line := range strings.Lines(source) {
			fmt.Fprintf(&b, "  %s\n", oneLine(strings.TrimSuffix(line, "\n")))
		}
	}
	for i, block := range s.Blocks {
		fmt.Fprintf(&b, "block %d:\n", i)
		indented(block.Datalog.String())
	}
	b.WriteString("authorizer:\n")
	indented(authorizerIn(s).String())
	if failed == nil {
		fmt.Fprintf(&b, "allowed by %s\n", allowedBy(out))
	} else {
		b.WriteString("denied\n")
	}
	for _, f := range facts {
		fmt.Fprintf(&b, "%s;\n", oneLine(f))
	}
	return b.String()
}
