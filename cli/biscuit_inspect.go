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

func inspectFlags() []cli.Flag {
	return append(rootPublicKey.flags("verify with this root public"),
		&cli.StringFlag{Name: "authorize-with", Aliases: []string{"verify-with"}, Usage: "authorize with this `DATALOG`"},
		&cli.StringFlag{Name: "authorize-with-file", Aliases: []string{"verify-with-file"}, Usage: "authorize with this `FILE` of Datalog"},
		valueFlag("authorize-with-snapshot", "authorize with this policies snapshot, `TEXT`"),
		valueFlag("authorize-with-snapshot-file", "authorize with the policies snapshot in this `FILE`"),
		boolFlag("authorize-with-raw-snapshot-file", "that file is raw bytes (without it, they are noticed)"),
		&cli.BoolFlag{Name: "authorize-interactive", Aliases: []string{"verify-interactive"}, Usage: "refused: no editor is opened here", DisableDefaultText: true},
		valueFlag("dump-snapshot-to", "write all that the authorization knew to `FILE`"),
		boolFlag("dump-raw-snapshot", "write that as raw bytes"),
		valueFlag("dump-policies-snapshot-to", "write the authorizer, without the token, to `FILE`"),
		boolFlag("dump-raw-policies-snapshot", "write that as raw bytes"),
	)
}

// look is what biscuit inspect finds out.
type look struct {
	unverified *token.Unverified
	blocks     []token.Block
	root       token.PublicKey // zero: nothing was verified
	verified   bool
	report     *verify.Report // nil: nothing was authorized
	policy     string         // that allowed
	facts      []string       // that --query found; nil without it
	refused    error
}

func biscuitInspect(c *cli.Context, env *Env) error {
	args, err := arguments(c, "TOKEN")
	if err != nil {
		return err
	}
	if err := inspectFlagsFit(c); err != nil {
		return err
	}
	root, err := rootPublicKey.public(c, env)
	if err != nil {
		return err
	}
	ev, err := readEvaluation(c)
	if err != nil {
		return err
	}
	authorizer, err := inspectAuthorizer(c, env, ev)
	if err != nil {
		return err
	}
	if root.IsZero() && (authorizer != nil || ev.query != nil) {
		return usagef("a token is authorized and queried only once it is verified: --public-key is missing")
	}
	l := look{root: root}
	if l.unverified, err = readToken(env, args[0], c.Bool("raw-input")); err != nil {
		return err
	}
	var t *token.Token
	if !root.IsZero() {
		t, l.refused = l.unverified.Verify(root)
		l.verified = l.refused == nil
	}
	if l.blocks, err = l.unverified.UnverifiedBlocks(); err != nil {
		return cmp.Or(l.refused, err)
	}
	if l.verified {
		if err := l.authorize(c, env, t, authorizer, ev); err != nil {
			return err
		}
	}
	if c.Bool("json") {
		err = printJSON(env.Stdout, l.json())
	} else {
		_, err = io.WriteString(env.Stdout, l.text())
	}
	return cmp.Or(err, l.refused)
}

func inspectFlagsFit(c *cli.Context) error {
	if c.Bool("authorize-interactive") {
		return noEditor(usagef("--authorize-interactive is not offered"))
	}
	authorizers := []string{"authorize-with", "authorize-with-file", "authorize-with-snapshot", "authorize-with-snapshot-file"}
	if err := atMostOne(c, authorizers...); err != nil {
		return err
	}
	for _, flag := range []string{"include-time", "dump-snapshot-to", "dump-policies-snapshot-to"} {
		if err := needs(c, flag, authorizers...); err != nil {
			return err
		}
	}
	for _, pair := range [][2]string{
		{"authorize-with-raw-snapshot-file", "authorize-with-snapshot-file"},
		{"dump-raw-snapshot", "dump-snapshot-to"},
		{"dump-raw-policies-snapshot", "dump-policies-snapshot-to"},
	} {
		if err := needs(c, pair[0], pair[1]); err != nil {
			return err
		}
	}
	return nil
}

// inspectAuthorizer returns the authorizer to decide with, nil if none is given.
func inspectAuthorizer(c *cli.Context, env *Env, ev *evaluation) (*datalog.Authorizer, error) {
	if source := c.String("authorize-with"); source != "" {
		return ev.authorizer(env, "--authorize-with", source)
	}
	if file := c.String("authorize-with-file"); file != "" {
		return ev.authorizerFile(env, file)
	}
	if text := c.String("authorize-with-snapshot"); text != "" {
		data, err := token.DecodeText(trim(text), maxInput)
		if err != nil {
			return nil, fmt.Errorf("--authorize-with-snapshot: %w", err)
		}
		return ev.authorizerSnapshot(env, "--authorize-with-snapshot", data)
	}
	if file := c.String("authorize-with-snapshot-file"); file != "" {
		data, err := readMessage(env, file, c.Bool("authorize-with-raw-snapshot-file"))
		if err != nil {
			return nil, err
		}
		return ev.authorizerSnapshot(env, shown(file), data)
	}
	return nil, ev.noAuthorizer()
}

// authorize decides, and does what the flags ask for with the outcome. Without
// an authorizer the token is only queried. The error is not that of the
// decision.
func (l *look) authorize(c *cli.Context, env *Env, t *token.Token, a *datalog.Authorizer, ev *evaluation) error {
	if a == nil && ev.query == nil {
		return nil
	}
	decides := a != nil
	if !decides {
		a = new(datalog.Authorizer)
	}
	out, failed := verify.Authorize(t, a, ev.options)
	var err error
	if l.facts, err = ev.run(out, failed); err != nil {
		return err
	}
	if !decides {
		if l.facts == nil {
			l.refused = failed // which no policy had a part in
		}
		return nil
	}
	report := verify.NewReport(out, failed)
	l.report, l.refused = &report, failed
	if failed == nil {
		l.policy = allowedBy(out)
	}
	if file := c.String("dump-snapshot-to"); file != "" {
		s, err := out.Snapshot()
		if err != nil {
			return err
		}
		if err := writeSnapshot(env, file, s, c.Bool("dump-raw-snapshot")); err != nil {
			return err
		}
	}
	if file := c.String("dump-policies-snapshot-to"); file != "" {
		return writeSnapshot(env, file, ev.policiesSnapshot(a), c.Bool("dump-raw-policies-snapshot"))
	}
	return nil
}

func allowedBy(out *verify.Authorization) string {
	policy, index, _ := out.Policy()
	return fmt.Sprintf("policy %d: %s", index, oneLine(policy.String()))
}

func (l *look) json() any {
	out := struct {
		Token         []blockJSON    `json:"token"`
		RootKeyID     *uint32        `json:"root_key_id"`
		Form          string         `json:"form"`
		RevocationIDs []string       `json:"revocation_ids"`
		Verified      *bool          `json:"verified"`
		Authorization *verify.Report `json:"authorization,omitempty"`
		Query         *[]string      `json:"query,omitempty"`
	}{
		Token: blocksJSON(l.blocks), RootKeyID: rootKeyID(l.unverified), Form: l.unverified.Form().String(),
		RevocationIDs: idsOf(l.blocks), Authorization: l.report,
	}
	if !l.root.IsZero() {
		out.Verified = &l.verified
	}
	if l.facts != nil {
		out.Query = &l.facts
	}
	return out
}

func (l *look) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "form: %s\n", l.unverified.Form())
	if id, ok := l.unverified.RootKeyID(); ok {
		fmt.Fprintf(&b, "root key id: %d\n", id)
	}
	for i, block := range l.blocks {
		fmt.Fprintf(&b, "\nblock %d, Datalog %s%s:\n", i, release(block.Version), by(block))
		printBlock(&b, block)
	}
	b.WriteByte('\n')
	switch {
	case l.root.IsZero():
		b.WriteString("signatures: not verified, no public key was given\n")
	case l.verified:
		b.WriteString("signatures: verified\n")
	default:
		b.WriteString("signatures: they do not verify\n")
	}
	switch {
	case l.policy != "":
		fmt.Fprintf(&b, "authorization: allowed by %s\n", l.policy)
	case l.report != nil:
		b.WriteString("authorization: denied\n")
	}
	for _, f := range l.facts {
		fmt.Fprintf(&b, "%s;\n", oneLine(f))
	}
	return manyLines(b.String())
}
