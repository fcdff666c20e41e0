package cli

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/token"
)

// list is a flag that repeats. Unlike urfave/cli's own it never splits a value
// at commas nor trims it.
type list []string

func (l *list) Set(v string) error { *l = append(*l, v); return nil }
func (l *list) String() string     { return "" }

func listFlag(name, usage string) cli.Flag {
	return &cli.GenericFlag{Name: name, Usage: usage, Value: new(list)}
}

func values(c *cli.Context, name string) []string {
	l, _ := c.Generic(name).(*list)
	if l == nil {
		return nil
	}
	return *l
}

func boolFlag(name, usage string) cli.Flag {
	return &cli.BoolFlag{Name: name, Usage: usage, DisableDefaultText: true}
}

func valueFlag(name, usage string) cli.Flag { return &cli.StringFlag{Name: name, Usage: usage} }

// Flags that several commands share. Each command gets its own: urfave/cli
// keeps state in them.

func jsonFlag() cli.Flag { return boolFlag("json", "print the result as JSON") }

func outFlag() cli.Flag { return valueFlag("o", "write the result to `FILE`") }

func keyFlag() cli.Flag {
	return valueFlag("key", "private key `FILE` (OpenSSH or PKCS#8), or its text; a public key file takes the private half from the ssh-agent")
}

func agentFlag() cli.Flag {
	return valueFlag("agent", "what to call the agent that gets the token, `ID`")
}

func agentKeyFlag() cli.Flag {
	return valueFlag("agent-key", "the agent's public key: a `FILE`, or text such as ed25519/HEX")
}

func ttlFlag() cli.Flag {
	return valueFlag("ttl", "how long it holds from now, a `DURATION` such as 90m, 12h or 7d")
}

func expiresFlag() cli.Flag {
	return valueFlag("expires", "when it expires, an RFC 3339 `TIME`")
}

func checkFlag() cli.Flag { return listFlag("check", "a further check, as `DATALOG` (repeatable)") }

func caveatFlag() cli.Flag {
	return listFlag("caveat", "a further caveat as `TEXT`, such as 'arg amount 1..100' or 'window mon-fri 02:00-04:00' (repeatable)")
}

// trustHint is what whoever has no good trust file needs to know.
const trustHint = `a trust file has lines such as: alice@example.com namespaces="whittle" ssh-ed25519 AAAA..`

func trustFlag() cli.Flag {
	return &cli.StringFlag{Name: "trust", Usage: "trusted root keys, a `FILE` in OpenSSH allowed_signers form", EnvVars: []string{"WHITTLE_TRUST"}}
}

func nowFlag() cli.Flag { return valueFlag("now", "pretend that it is `TIME` (RFC 3339)") }

// required returns the value of a flag that must be given.
func required(c *cli.Context, name string) (string, error) {
	v := c.String(name)
	if v == "" {
		return "", usagef("%s is missing", dashed(name))
	}
	return v, nil
}

// needs refuses a flag that means nothing without another.
func needs(c *cli.Context, flag string, others ...string) error {
	if !c.IsSet(flag) {
		return nil
	}
	for _, o := range others {
		if c.IsSet(o) {
			return nil
		}
	}
	return usagef("%s means nothing without %s", dashed(flag), dashed(others[0]))
}

// atMostOne refuses flags that exclude each other.
func atMostOne(c *cli.Context, names ...string) error {
	given := ""
	for _, name := range names {
		switch {
		case !c.IsSet(name):
		case given != "":
			return usagef("%s and %s exclude each other", dashed(given), dashed(name))
		default:
			given = name
		}
	}
	return nil
}

// arguments returns the positional arguments, of which there must be as many as
// there are names.
func arguments(c *cli.Context, names ...string) ([]string, error) {
	args := c.Args().Slice()
	if len(args) < len(names) {
		return nil, usagef("%s is missing", names[len(args)])
	}
	if len(args) > len(names) {
		return nil, usagef("%s is one argument too many", quoted(args[len(names)]))
	}
	for i, a := range args {
		if a == "" {
			return nil, usagef("%s is empty", names[i])
		}
	}
	return args, nil
}

// count reads a flag that is a number; zero means that it was not given.
func count(c *cli.Context, name string, bits int) (uint64, error) {
	text := c.String(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, bits)
	if err != nil {
		return 0, usagef("%s %s is no whole number of %d bits", dashed(name), quoted(text), bits)
	}
	return n, nil
}

func parseTime(flag, text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, usagef("%s %s is no RFC 3339 time such as 2026-01-31T12:00:00Z", dashed(flag), quoted(text))
	}
	return t, nil
}

// wellFormed matches durations that Go refuses only for their length.
var wellFormed = regexp.MustCompile(`^([0-9]+(\.[0-9]+)?(h|m|s|ms|us|ns))+$`)

// parseDuration reads Go's durations, and days.
func parseDuration(flag, text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok && days != "" && strings.Trim(days, "0123456789") == "" {
		const most = math.MaxInt64 / int64(24*time.Hour)
		n, _ := strconv.ParseInt(days, 10, 64) // the largest there is where it overflows
		if d, err = time.Duration(min(n, most))*24*time.Hour, nil; n > most {
			return 0, usagef("%s %s is longer than %d days", dashed(flag), quoted(text), most)
		}
	}
	switch {
	case err != nil && wellFormed.MatchString(text):
		return 0, usagef("%s %s is longer than %s", dashed(flag), quoted(text), time.Duration(math.MaxInt64).Truncate(time.Hour))
	case err != nil:
		return 0, usagef("%s %s is no duration such as 90m, 12h or 7d", dashed(flag), quoted(text))
	case d <= 0:
		return 0, usagef("%s %s is no time at all: a duration is more than zero", dashed(flag), quoted(text))
	}
	return d, nil
}

// lifetime reads --ttl and --expires, of which at most one may be given; the
// zero time means neither.
func lifetime(c *cli.Context, now time.Time) (time.Time, error) {
	if err := atMostOne(c, "ttl", "expires"); err != nil {
		return time.Time{}, err
	}
	if text := c.String("ttl"); text != "" {
		d, err := parseDuration("ttl", text)
		return now.Add(d), err
	}
	if text := c.String("expires"); text != "" {
		return parseTime("expires", text)
	}
	return time.Time{}, nil
}

// clock returns the time that --now gives, else the real one.
func clock(c *cli.Context, env *Env) (func() time.Time, error) {
	text := c.String("now")
	if text == "" {
		return env.Now, nil
	}
	t, err := parseTime("now", text)
	return func() time.Time { return t }, err
}

// quoted quotes an argument for a message, unless it looks like a secret.
func quoted(arg string) string {
	if token.LooksSecret(arg) {
		return "(not repeated: it looks like a secret)"
	}
	return strconv.Quote(arg)
}
