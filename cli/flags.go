package cli

import (
	"encoding/json"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/token/delegation"
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

// Flags that several commands share. Each command gets its own: urfave/cli
// keeps state in them.

func jsonFlag() cli.Flag {
	return &cli.BoolFlag{Name: "json", Usage: "print the result as JSON"}
}

func outFlag() cli.Flag {
	return &cli.StringFlag{Name: "o", Usage: "write the result to `FILE`"}
}

func keyFlag() cli.Flag {
	return &cli.StringFlag{Name: "key", Usage: "private key `FILE` (OpenSSH or PKCS#8), or its text"}
}

func agentFlag() cli.Flag {
	return &cli.StringFlag{Name: "agent", Usage: "what to call the agent that gets the token"}
}

func agentKeyFlag() cli.Flag {
	return &cli.StringFlag{Name: "agent-key", Usage: "the agent's public key: a `FILE`, or text such as ed25519/HEX"}
}

func ttlFlag() cli.Flag {
	return &cli.StringFlag{Name: "ttl", Usage: "how long it holds from now, such as 90m, 12h or 7d"}
}

func expiresFlag() cli.Flag {
	return &cli.StringFlag{Name: "expires", Usage: "when it expires, an RFC 3339 `TIME`"}
}

func audienceFlag() cli.Flag {
	return &cli.StringFlag{Name: "audience", Usage: "the name of the service"}
}

func opFlag() cli.Flag {
	return &cli.StringFlag{Name: "operation", Usage: "the operation of the request"}
}

func trustFlag() cli.Flag {
	return &cli.StringFlag{Name: "trust", Usage: "trusted root keys, a `FILE` in OpenSSH allowed_signers form", EnvVars: []string{"WHITTLE_TRUST"}}
}

func nowFlag() cli.Flag {
	return &cli.StringFlag{Name: "now", Usage: "pretend that it is `TIME` (RFC 3339)"}
}

// required returns the value of a flag that must be given.
func required(c *cli.Context, name string) (string, error) {
	v := c.String(name)
	if v == "" {
		return "", usagef("--%s is missing", name)
	}
	return v, nil
}

// arguments returns the positional arguments, of which there must be as many as
// there are names.
func arguments(c *cli.Context, names ...string) ([]string, error) {
	args := c.Args().Slice()
	if len(args) < len(names) {
		return nil, usagef("%s is missing", names[len(args)])
	}
	if len(args) > len(names) {
		return nil, usagef("%q is one argument too many", oneLine(args[len(names)]))
	}
	return args, nil
}

func parseTime(flag, text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, usagef("--%s %q is no RFC 3339 time such as 2026-01-31T12:00:00Z", flag, text)
	}
	return t, nil
}

// parseDuration reads Go's durations, and days.
func parseDuration(flag, text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil && n > 0 {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, usagef("--%s %q is no duration such as 90m, 12h or 7d", flag, text)
	}
	return d, nil
}

// lifetime reads --ttl and --expires, of which at most one may be given; the
// zero time means neither.
func lifetime(c *cli.Context, now time.Time) (time.Time, error) {
	ttl, expires := c.String("ttl"), c.String("expires")
	switch {
	case ttl != "" && expires != "":
		return time.Time{}, usagef("--ttl and --expires exclude each other")
	case ttl != "":
		d, err := parseDuration("ttl", ttl)
		return now.Add(d), err
	case expires != "":
		return parseTime("expires", expires)
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

// request reads the flags that describe a request.
func request(c *cli.Context) (delegation.Request, error) {
	req := delegation.Request{Resources: values(c, "resource")}
	var err error
	if req.Operation, err = required(c, "operation"); err != nil {
		return req, err
	}
	if len(req.Resources) == 0 {
		return req, usagef("--resource is missing")
	}
	if req.Audience, err = required(c, "audience"); err != nil {
		return req, err
	}
	if req.Args, err = parseArgs(values(c, "arg")); err != nil {
		return req, err
	}
	if _, err := req.Check(); err != nil {
		return req, usagef("%s", err)
	}
	return req, nil
}

func parseArgs(flags []string) (map[string]any, error) {
	args := make(map[string]any)
	for _, f := range flags {
		name, text, ok := strings.Cut(f, "=")
		if !ok || name == "" {
			return nil, usagef("--arg %q is not of the form NAME=VALUE", f)
		}
		if _, twice := args[name]; twice {
			return nil, usagef("--arg %s is given twice", name)
		}
		args[name] = text
		if beginsAsJSON(text) {
			value, err := delegation.ParseValue([]byte(text))
			if err != nil {
				return nil, hintf(usagef("--arg %s: %s", name, err),
					"a value that begins as JSON does is read as JSON; for a string write --arg '%s=%s'", name, quotedJSON(text))
			}
			args[name] = value
		}
	}
	return args, nil
}

func beginsAsJSON(text string) bool {
	if text == "" {
		return false
	}
	if strings.IndexByte(`"0123456789-[{`, text[0]) >= 0 {
		return true
	}
	return strings.HasPrefix(text, "true") || strings.HasPrefix(text, "false") || strings.HasPrefix(text, "null")
}

func quotedJSON(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		return fmt.Sprintf("%q", text)
	}
	return string(b)
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
