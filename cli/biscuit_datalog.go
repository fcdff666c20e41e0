package cli

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/token/datalog"
)

func paramFlag() cli.Flag {
	return listFlag("param", "a value for {NAME} in the Datalog: `NAME[:TYPE]=VALUE`, of type string, integer, date, bytes, bool or pubkey (repeatable)")
}

func contentFlags() []cli.Flag {
	return []cli.Flag{
		paramFlag(),
		valueFlag("context", "free `TEXT` stored with the block"),
		valueFlag("add-ttl", "add an expiry, `TTL`: a duration such as 15m or 1d, or an RFC 3339 time"),
	}
}

func blockFlags() []cli.Flag {
	return []cli.Flag{
		valueFlag("block", "the block, as `DATALOG`"),
		valueFlag("block-file", "the block, a `FILE` of Datalog"),
	}
}

// blockOf reads the block of --block or --block-file. An empty block is one.
func blockOf(c *cli.Context, env *Env) (*datalog.Block, error) {
	if err := atMostOne(c, "block", "block-file"); err != nil {
		return nil, err
	}
	if c.IsSet("block") {
		return contentOf(c, env, "--block", c.String("block"))
	}
	file := c.String("block-file")
	if file == "" {
		return nil, noEditor(usagef("one of --block and --block-file is needed"))
	}
	data, err := env.read(file, maxInput)
	if err != nil {
		return nil, err
	}
	return contentOf(c, env, shown(file), string(data))
}

// contentOf parses a block and adds what --context and --add-ttl say.
func contentOf(c *cli.Context, env *Env, name, source string) (*datalog.Block, error) {
	params, err := parseParams(values(c, "param"))
	if err != nil {
		return nil, err
	}
	block, err := datalog.ParseBlock(source, params)
	if err != nil {
		return nil, usagef("%s: %s", name, err)
	}
	if c.IsSet("context") {
		context := c.String("context")
		block.Context = &context
	}
	if ttl := c.String("add-ttl"); ttl != "" {
		check, err := expiry(ttl, env.Now())
		if err != nil {
			return nil, err
		}
		block.Checks = append(block.Checks, check)
	}
	return block, nil
}

// expiry returns the check that --add-ttl adds, which is biscuit-cli's.
func expiry(ttl string, now time.Time) (datalog.Check, error) {
	expires, err := time.Parse(time.RFC3339, ttl)
	if err != nil {
		d, err := parseDuration("add-ttl", ttl)
		if err != nil {
			return datalog.Check{}, err
		}
		expires = now.Add(d)
	}
	if expires.Unix() < 0 {
		return datalog.Check{}, usagef("--add-ttl: the time lies before 1970")
	}
	return datalog.ParseCheck("check if time($time), $time <= {expires}",
		&datalog.Params{Terms: map[string]datalog.Term{"expires": datalog.Date(expires.Unix())}})
}

// parseParams reads NAME[:TYPE]=VALUE.
func parseParams(flags []string) (*datalog.Params, error) {
	if len(flags) == 0 {
		return nil, nil
	}
	p := &datalog.Params{Terms: map[string]datalog.Term{}, Keys: map[string]datalog.Key{}}
	given := make(map[string]bool)
	for _, f := range flags {
		left, value, ok := strings.Cut(f, "=")
		name, kind, typed := strings.Cut(left, ":")
		if !ok || name == "" {
			return nil, usagef("--param %s is not of the form NAME[:TYPE]=VALUE", quoted(f))
		}
		if given[name] {
			return nil, usagef("--param %s is given twice", name)
		}
		given[name] = true
		if !typed {
			kind = "string"
		}
		if kind == "pubkey" {
			key, err := datalog.ParseKey(value)
			if err != nil {
				return nil, usagef("--param %s: %s", name, err)
			}
			p.Keys[name] = key
			continue
		}
		t, err := parseParam(kind, value)
		if err != nil {
			return nil, usagef("--param %s: %s", name, err)
		}
		p.Terms[name] = t
	}
	return p, nil
}

func parseParam(kind, value string) (datalog.Term, error) {
	switch kind {
	case "string":
		return datalog.String(value), nil
	case "integer":
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is no 64-bit integer", value)
		}
		return datalog.Integer(n), nil
	case "date":
		t, err := time.Parse(time.RFC3339, value)
		if err != nil || t.Unix() < 0 {
			return nil, fmt.Errorf("%q is no RFC 3339 time from 1970 on", value)
		}
		return datalog.Date(t.Unix()), nil
	case "bytes":
		digits, ok := strings.CutPrefix(value, "hex:")
		b, err := hex.DecodeString(digits)
		if err != nil || !ok {
			return nil, fmt.Errorf("%q is no bytes: they are written hex:00ff", value)
		}
		return datalog.Bytes(b), nil
	case "bool":
		if value != "true" && value != "false" {
			return nil, fmt.Errorf("%q is neither true nor false", value)
		}
		return datalog.Bool(value == "true"), nil
	}
	return nil, fmt.Errorf("there is no type %q: string, integer, date, bytes, bool and pubkey are", kind)
}
