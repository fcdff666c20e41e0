package cli

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
)

func approveCommand(env *Env) *cli.Command {
	return &cli.Command{
		Name:      "approve",
		Usage:     "approve one action of an agent, after seeing its token",
		UsageText: "whittle approve --key FILE --trust FILE [--ttl DUR] [--yes] [-o FILE] REQUEST",
		Flags: []cli.Flag{
			keyFlag(),
			valueFlag("ttl", "how long the approval holds, a `DURATION` (default: 10m)"),
			boolFlag("yes", "approve without being asked: only for what has been looked at already"),
			approverInChainFlag(), trustFlag(), nowFlag(), outFlag(), jsonFlag(),
		},
		Action: func(c *cli.Context) error { return approve(c, env) },
	}
}

func approve(c *cli.Context, env *Env) error {
	args, err := arguments(c, "REQUEST")
	if err != nil {
		return err
	}
	keyName, err := required(c, "key")
	if err != nil {
		return err
	}
	trustFile, err := required(c, "trust")
	if err != nil {
		return hintf(err, "whoever approves has to know from whom the token is")
	}
	clock, err := clock(c, env)
	if err != nil {
		return err
	}
	now := clock()
	options := &attenuate.ApprovalOptions{Now: now, AllowApproverInChain: c.Bool("allow-approver-in-chain")}
	if text := c.String("ttl"); text != "" {
		if options.TTL, err = parseDuration("ttl", text); err != nil {
			return err
		}
	}
	roots, err := readTrust(env, trustFile)
	if err != nil {
		return err
	}
	request, err := readApprovalRequest(env, args[0])
	if err != nil {
		return err
	}
	key, err := readSigner(env, keyName)
	if err != nil {
		return err
	}
	reviewed, err := attenuate.Review(request, roots, key.Public(), options)
	if err != nil {
		return err
	}
	var b strings.Builder
	if err := printReview(&b, request, reviewed, roots, now); err != nil {
		return err
	}
	if _, err := io.WriteString(env.Stderr, manyLines(b.String())); err != nil {
		return about("standard error", err)
	}
	if err := confirmed(c, env); err != nil {
		return err
	}
	approval, err := reviewed.Approve(key)
	if err != nil {
		return err
	}
	text := []byte(token.EncodeText(approval) + "\n")
	if !c.Bool("json") {
		return emit(c, env, text)
	}
	return emitJSON(c, env, struct {
		Approval string `json:"approval"`
		Approver string `json:"approver"`
		Action   string `json:"action"`
		Expires  string `json:"expires"`
	}{token.EncodeText(approval), reviewed.Approver.String(), hex.EncodeToString(reviewed.Digest[:]), reviewed.Expires.UTC().Format(time.RFC3339)}, text)
}

func readApprovalRequest(env *Env, file string) (*delegation.ApprovalRequest, error) {
	data, err := env.read(file, maxInput)
	if err != nil {
		return nil, err
	}
	r, err := delegation.ParseApprovalRequest(data)
	if err != nil {
		err = usagef("%s: %s", shown(file), err)
		if _, e := token.DecodeText(trim(string(data)), maxInput); e == nil || isTokenText(string(data)) {
			err = hintf(err, "REQUEST is what whittle request-approval writes: it shows the whole token and the action")
		}
		return nil, err
	}
	return r, nil
}

// declined says that whoever was asked did not approve.
type declined struct{}

func (declined) Error() string { return "not approved: nothing was signed" }

// confirmed asks whether to go on, unless --yes says so.
func confirmed(c *cli.Context, env *Env) error {
	if c.Bool("yes") {
		return nil
	}
	if env.Confirm == nil {
		return hintf(usagef("nothing was signed: there is no terminal to ask on"), "after looking at what is shown above, --yes approves")
	}
	switch yes, err := env.Confirm("Approve this? Type yes to sign: "); {
	case err != nil:
		return hintf(usagef("nothing was signed: %s", err), "after looking at what is shown above, --yes approves")
	case !yes:
		return declined{}
	}
	return nil
}

// askConfirmation asks on the terminal. Only the word yes is one.
func askConfirmation(question string) (bool, error) {
	terminal := os.Stdin
	if !term.IsTerminal(int(terminal.Fd())) {
		// Standard input may be the request.
		tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
		if err != nil {
			return false, errors.New("there is no terminal to ask on")
		}
		defer tty.Close()
		terminal = tty
	}
	fmt.Fprint(os.Stderr, question)
	return readYes(terminal)
}

// readYes reads one line, byte by byte so that nothing behind it is taken.
func readYes(r io.Reader) (bool, error) {
	var line []byte
	for b := make([]byte, 1); len(line) < 64; {
		n, err := r.Read(b)
		if n > 0 && b[0] == '\n' {
			break
		}
		line = append(line, b[:n]...)
		if err == io.EOF {
			break
		}
		if err != nil {
			return false, err
		}
	}
	return trim(string(line)) == "yes", nil
}

// printReview shows everything that an approval covers.
func printReview(w io.Writer, request *delegation.ApprovalRequest, r *attenuate.Reviewed, roots *trust.Roots, now time.Time) error {
	fmt.Fprintln(w, "asked to approve, once:")
	fmt.Fprintf(w, "  operation  %s\n", r.Action.Operation)
	resources := r.Action.Resources
	if r.Action.Resource != "" {
		resources = []string{r.Action.Resource}
	}
	for _, path := range resources {
		fmt.Fprintf(w, "  resource   %s\n", path)
	}
	fmt.Fprintf(w, "  audience   %s\n", delegation.PlainName(r.Action.Audience))
	if err := printArgs(w, request); err != nil {
		return err
	}
	if r.Action.BodyDigest != nil {
		fmt.Fprintf(w, "  body       digest %x\n", r.Action.BodyDigest)
	}
	fmt.Fprintf(w, "  action     digest %x\n", r.Digest)

	fmt.Fprintln(w, "\nwith this token, of which all signatures are verified, from a trusted root key:")
	fmt.Fprintln(w)
	printTree(w, r.Token, r.Chain)
	fmt.Fprintln(w, "\nscope:")
	printScope(w, &r.Chain.Scope)
	printApprovers(w, r.Chain, roots, now)
	if len(r.Undecided) > 0 {
		fmt.Fprintln(w, "\nwhether the action meets these, only the service can tell:")
		for _, b := range r.Undecided {
			fmt.Fprintf(w, "  %s  (block %d)\n", oneLine(b.Caveat.String()), b.Block)
		}
	}
	_, err := fmt.Fprintf(w, "\nyour key %s%s approves until %s.\n", r.Approver, nameOf(roots, r.Approver, now), r.Expires.UTC().Format(time.RFC3339))
	return err
}

// printArgs shows the arguments as JSON, in which nothing is hidden and a string
// does not look like a number.
func printArgs(w io.Writer, request *delegation.ApprovalRequest) error {
	whole, err := request.MarshalJSON()
	if err != nil {
		return err
	}
	var members struct {
		Args map[string]json.RawMessage `json:"args"`
	}
	if err := json.Unmarshal(whole, &members); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(members.Args)) {
		shownName, err := marshal(name)
		if err != nil {
			return err
		}
		value, err := marshal(members.Args[name])
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "  argument   %s = %s\n", trim(string(shownName)), strings.ReplaceAll(trim(string(value)), "\n", "\n             "))
	}
	return nil
}
