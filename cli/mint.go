package cli

import (
	"github.com/urfave/cli/v2"

	"github.com/whittle-auth/whittle/attenuate"
	"github.com/whittle-auth/whittle/token"
	"github.com/whittle-auth/whittle/token/delegation"
	"github.com/whittle-auth/whittle/verify"
)

func mintCommand(env *Env) *cli.Command {
	return &cli.Command{
		Name:      "mint",
		Usage:     "make a token: a person lets an agent act on their behalf",
		UsageText: "whittle mint --key FILE --delegator ID --agent ID --agent-key FILE|TEXT --resource PATH[/**].. --operation OP.. --ttl DUR|--expires TIME [--bearer] [-o FILE]",
		Flags: []cli.Flag{
			keyFlag(),
			valueFlag("delegator", "who delegates, `ID`, as the service's trust file names the key"),
			agentFlag(), agentKeyFlag(),
			listFlag("resource", "a resource that the token allows: `PATH`, or PATH/** for all below it (repeatable)"),
			listFlag("operation", "an operation `OP` that the token allows (repeatable)"),
			ttlFlag(), expiresFlag(),
			approvalFlag(), caveatFlag(), checkFlag(),
			listFlag("fact", "a fact that the token tells besides, which the service has registered, as `DATALOG` such as role(\"buyer\") (repeatable)"),
			boolFlag("bearer", "bind the token to no agent, whatever --agent says: whoever has it can use it"),
			nowFlag(), outFlag(), jsonFlag(),
		},
		Action: func(c *cli.Context) error { return mint(c, env) },
	}
}

func mint(c *cli.Context, env *Env) error {
	if _, err := arguments(c); err != nil {
		return err
	}
	now, err := clock(c, env)
	if err != nil {
		return err
	}
	grant := attenuate.Grant{Now: now(), AllowBearer: c.Bool("bearer"), Agent: c.String("agent")}
	if grant.Delegator, err = required(c, "delegator"); err != nil {
		return err
	}
	if grant.Expires, err = lifetime(c, grant.Now); err != nil {
		return err
	}
	if grant.Expires.IsZero() {
		return usagef("--ttl or --expires is missing")
	}
	caveats, err := scopeFlags(c)
	if err != nil {
		return err
	}
	hintUnstated(env.Stderr, caveats)
	approvals, err := approvalCaveats(c, env)
	if err != nil {
		return err
	}
	if grant.Facts, err = furtherFacts(c); err != nil {
		return err
	}
	for _, name := range []string{"resource", "operation"} {
		if len(values(c, name)) == 0 {
			return usagef("%s is missing", dashed(name))
		}
	}
	keyFile, err := required(c, "key")
	if err != nil {
		return err
	}
	if grant.AllowBearer {
		if grant.Agent != "" || c.String("agent-key") != "" {
			hint(env.Stderr, "a bearer token is bound to no agent: --agent and --agent-key are not used")
			grant.Agent = ""
		}
	} else {
		if _, err = required(c, "agent"); err != nil {
			return err
		}
		if grant.AgentKey, err = agentKey(c, env); err != nil {
			return err
		}
	}
	key, err := readSigner(env, keyFile)
	if err != nil {
		return err
	}
	t, err := attenuate.Mint(key, grant, append(caveats, approvals...)...)
	if err != nil {
		return err
	}
	if grant.Expires.Sub(grant.Now) > verify.DefaultMaxTTL {
		hint(env.Stderr, "verifiers refuse tokens meant to live for more than %s unless they are told otherwise", verify.DefaultMaxTTL)
	}
	if err := warnOfToken(env, t, grant.Now); err != nil {
		return err
	}
	hintDirectory(env, caveats)
	hintFacts(env, grant.Facts)
	return emitToken(c, env, t)
}

func agentKey(c *cli.Context, env *Env) (token.PublicKey, error) {
	name, err := required(c, "agent-key")
	if err != nil {
		return token.PublicKey{}, err
	}
	return readPublicKey(env, name)
}

// scopeFlags reads --resource, --operation, --caveat and --check.
func scopeFlags(c *cli.Context) ([]delegation.Caveat, error) {
	var caveats []delegation.Caveat
	if patterns := values(c, "resource"); len(patterns) > 0 {
		caveats = append(caveats, delegation.Resource(patterns...))
	}
	if names := values(c, "operation"); len(names) > 0 {
		caveats = append(caveats, delegation.Operation(names...))
	}
	for _, cv := range caveats {
		if err := cv.Validate(); err != nil {
			return nil, usagef("%s", err)
		}
	}
	for _, text := range values(c, "caveat") {
		list, err := delegation.ParseCaveats(text)
		if err != nil {
			return nil, usagef("--caveat: %s", err)
		}
		caveats = append(caveats, list...)
	}
	for _, source := range values(c, "check") {
		cv, err := delegation.ParseCheck(source)
		if err != nil {
			return nil, usagef("--check: %s", err)
		}
		caveats = append(caveats, cv)
	}
	return caveats, nil
}
