package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/token/trust"
	"github.com/whittle-auth/whittle/verify/revoke"
)

func revokeCommand(env *Env) *cli.Command {
	return &cli.Command{
		Name:  "revoke",
		Usage: "add to a list of what is revoked, or show what of a token can be",
		UsageText: "whittle revoke --list FILE [--block N | --holder N | --subtree N].. [--trust FILE] TOKEN\n" +
			"whittle revoke --list FILE [--key FILE|TEXT | --delegator NAME].. [--until TIME] [--comment TEXT]\n" +
			"whittle revoke --list FILE [--refresh] [--prune]\n" +
			"whittle revoke [--trust FILE] TOKEN",
		Flags: []cli.Flag{
			valueFlag("list", "the list, a `FILE`; services read it with --revoked"),
			listFlag("block", "revoke the block `N` of TOKEN (repeatable)"),
			listFlag("holder", "revoke the key that block `N` of TOKEN names (repeatable)"),
			listFlag("subtree", "revoke both: the block `N` and the key that it names (repeatable)"),
			listFlag("key", "revoke a public key: a `FILE`, or text such as ed25519/HEX (repeatable)"),
			listFlag("delegator", "revoke all that is done on behalf of `NAME` (repeatable)"),
			valueFlag("until", "when the entries end, an RFC 3339 `TIME` (default: a block's when its token expires, others never)"),
			valueFlag("comment", "what the entries are for, a `TEXT`"),
			boolFlag("prune", "remove entries that have ended"),
			boolFlag("refresh", "say that the list is complete as of now"),
			trustFlag(), nowFlag(), jsonFlag(),
		},
		Action: func(c *cli.Context) error { return revokeThings(c, env) },
	}
}

// A revocation is one thing that the command was told to revoke, or could be.
type revocation struct {
	What       string        `json:"what"`
	Entries    []revokeEntry `json:"entries"`
	Stops      string        `json:"stops"`
	DoesNot    string        `json:"does_not_stop"`
	StopsMore  []string      `json:"stops_more"` // what else would have to be revoked for that
	revocation []revoke.Entry
}

type revokeEntry struct {
	Kind  string     `json:"kind"`
	Value string     `json:"value"`
	Until *time.Time `json:"until"`
	New   bool       `json:"new"`
}

func revokeThings(c *cli.Context, env *Env) error {
	now, err := clock(c, env)
	if err != nil {
		return err
	}
	chosen, err := choices(c, env, now())
	if err != nil {
		return err
	}
	file := c.String("list")
	changing := len(chosen) > 0 || c.Bool("prune") || c.Bool("refresh")
	switch {
	case !changing && file != "":
		return hintf(usagef("nothing to do: what is to be revoked?"), "without --list the command shows what of a TOKEN can be revoked")
	case !changing:
		return showChoices(c, env, now())
	case file == "":
		return usagef("--list is missing")
	}
	change := revoke.Change{Prune: c.Bool("prune")}
	for i := range chosen {
		for _, e := range chosen[i].revocation {
			if err := e.Validate(); err != nil {
				return usagef("%s: %s", chosen[i].What, err)
			}
			change.Add = append(change.Add, e)
		}
	}
	var changed *revoke.Changed
	err = patiently(revoke.ErrLocked, func() (err error) {
		changed, err = revoke.Edit(env.path(file), now(), change)
		return err
	})
	if err != nil {
		return about(file, err)
	}
	return tellRevoked(c, env, file, now(), chosen, changed)
}

// choices returns what the flags say is to be revoked.
func choices(c *cli.Context, env *Env, now time.Time) ([]revocation, error) {
	var chosen []revocation
	for _, name := range values(c, "key") {
		key, err := readPublicKey(env, name)
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, ofKey(key))
	}
	for _, name := range values(c, "delegator") {
		if err := trust.CanonicalDelegator(name); err != nil {
			return nil, usagef("--delegator: %s", err)
		}
		chosen = append(chosen, ofDelegator(name))
	}
	if len(values(c, "block"))+len(values(c, "holder"))+len(values(c, "subtree")) > 0 {
		hops, err := openHops(c, env, now)
		if err != nil {
			return nil, err
		}
		for _, kind := range []string{"block", "holder", "subtree"} {
			for _, text := range values(c, kind) {
				r, err := hops.choose(kind, text)
				if err != nil {
					return nil, err
				}
				chosen = append(chosen, r)
			}
		}
	} else if len(chosen) > 0 || c.Bool("prune") || c.Bool("refresh") {
		if _, err := arguments(c); err != nil {
			return nil, hintf(err, "which of its blocks or holders is to be revoked is said by --block, --holder or --subtree")
		}
	}
	return chosen, finish(c, chosen, now)
}

// finish applies --until and --comment.
func finish(c *cli.Context, chosen []revocation, now time.Time) error {
	for _, flag := range []string{"until", "comment"} {
		if c.IsSet(flag) && len(chosen) == 0 {
			return usagef("%s means nothing without something to revoke", dashed(flag))
		}
	}
	var until time.Time
	if text := c.String("until"); text != "" {
		var err error
		if until, err = parseTime("until", text); err != nil {
			return err
		}
		if !until.After(now) {
			return usagef("--until %s is past: the entries would not count", text)
		}
	}
	for i := range chosen {
		for j := range chosen[i].revocation {
			e := &chosen[i].revocation[j]
			e.Comment = c.String("comment")
			if !until.IsZero() {
				e.Until = until
			}
		}
	}
	return nil
}

func ofKey(key token.PublicKey) revocation {
	return revocation{
		What:       "the key " + key.String(),
		Stops:      "every token in which it is the key of the root, of a holder or of an approver",
		DoesNot:    "its owner under another key: whoever hands on to it names a new one, and a trust file may too",
		revocation: []revoke.Entry{{Kind: revoke.Key, Key: key}},
	}
}

func ofDelegator(name string) revocation {
	return revocation{
		What:       "the delegator " + delegation.PlainName(name),
		Stops:      "every token on behalf of this very name, whoever holds it",
		DoesNot:    "the same person under another name for which a trust file trusts the key",
		revocation: []revoke.Entry{{Kind: revoke.Delegator, Delegator: name}},
	}
}

// listed fills in what people and programs are shown of the entries.
func (r *revocation) listed(added []revoke.Entry) {
	r.Entries = []revokeEntry{}
	for i := range r.revocation {
		e := &r.revocation[i]
		shown := revokeEntry{Kind: e.Kind.String(), Value: e.Value()}
		if !e.Until.IsZero() {
			until := e.Until.UTC()
			shown.Until = &until
		}
		for j := range added {
			shown.New = shown.New || added[j].Kind == e.Kind && added[j].Value() == e.Value()
		}
		r.Entries = append(r.Entries, shown)
	}
	if r.StopsMore == nil {
		r.StopsMore = []string{}
	}
}

func tellRevoked(c *cli.Context, env *Env, file string, now time.Time, chosen []revocation, changed *revoke.Changed) error {
	if changed.Created {
		hint(env.Stderr, "%s is a new list: services must be told to read it, as with whittle verify --revoked", shown(file))
	}
	for i := range chosen {
		chosen[i].listed(changed.Added)
	}
	if c.Bool("json") {
		if chosen == nil {
			chosen = []revocation{}
		}
		return printJSON(env.Stdout, struct {
			List    string       `json:"list"`
			AsOf    time.Time    `json:"as_of"`
			Created bool         `json:"created"`
			Pruned  int          `json:"pruned"`
			Revoked []revocation `json:"revoked"`
		}{file, now.UTC().Truncate(time.Second), changed.Created, changed.Pruned, chosen})
	}
	for i := range chosen {
		chosen[i].print(env.Stdout, "revoked: ")
	}
	fmt.Fprintf(env.Stdout, "list:    %s as of %s", oneLine(shown(file)), now.UTC().Format(time.RFC3339))
	if c.Bool("prune") {
		fmt.Fprintf(env.Stdout, ", entries removed: %d", changed.Pruned)
	}
	fmt.Fprintln(env.Stdout)
	return nil
}

// print shows what is stopped, and what is not.
func (r *revocation) print(w io.Writer, verb string) {
	fmt.Fprintf(w, "%s%s\n", verb, oneLine(r.What))
	for _, e := range r.Entries {
		note := ""
		if e.Until != nil {
			note = " until " + e.Until.Format(time.RFC3339)
		}
		if !e.New && verb == "revoked: " {
			note += ", known already"
		}
		fmt.Fprintf(w, "  %s %s%s\n", e.Kind, delegation.PlainName(e.Value), note)
	}
	fmt.Fprintf(w, "  stops: %s\n", oneLine(r.Stops))
	fmt.Fprintf(w, "  does not stop: %s\n", oneLine(r.DoesNot))
	if len(r.StopsMore) > 0 {
		fmt.Fprintf(w, "  that is stopped by: %s\n", oneLine(strings.Join(r.StopsMore, ", or ")))
	}
}
