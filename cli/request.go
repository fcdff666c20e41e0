package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/cli/reading"
	"github.com/whittle-auth/whittle/token/delegation"
)

// requestFlags describe a request: what the holder asks for, and what the
// service is asked.
func requestFlags() []cli.Flag {
	return []cli.Flag{
		valueFlag("operation", "the operation `OP` of the request"),
		listFlag("resource", "what the request is about, a `PATH` (repeatable)"),
		listFlag("arg", "an argument of the request, `NAME=VALUE`; VALUE is JSON where it begins as JSON does, else a string (repeatable)"),
		valueFlag("audience", "the name `ID` of the service"),
	}
}

// request reads the flags of [requestFlags].
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

func parseArgs(flags []string) (map[string]any, error) { return parseNamed("arg", flags) }

// parseNamed reads the values NAME=VALUE of a flag.
func parseNamed(flag string, flags []string) (map[string]any, error) {
	args := make(map[string]any)
	for _, f := range flags {
		name, text, ok := strings.Cut(f, "=")
		if !ok || name == "" {
			return nil, usagef("--%s %s is not of the form NAME=VALUE", flag, quoted(f))
		}
		if _, twice := args[name]; twice {
			return nil, usagef("--%s %s is given twice", flag, name)
		}
		args[name] = text
		if !reading.BeginsAsJSON(text) {
			continue
		}
		value, err := delegation.ParseValue([]byte(text))
		if err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				err = errors.New("the JSON value ends too early")
			}
			return nil, hintf(usagef("--%s %s: %s", flag, name, err),
				"a value that begins as JSON does is read as JSON; for a string write --%s '%s=%s'", flag, name, quotedJSON(text))
		}
		args[name] = value
	}
	return args, nil
}

func quotedJSON(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		return fmt.Sprintf("%q", text)
	}
	return string(b)
}
