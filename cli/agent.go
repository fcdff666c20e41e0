package cli

import (
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	localagent "github.com/whittle-auth/whittle/attenuate/agent"
)

func agentCommand(env *Env) *cli.Command {
	return &cli.Command{
		Name:      "agent",
		Usage:     "keep an agent's keys and tokens, and invoke for programs that never see them",
		UsageText: "whittle agent [start] [flags] [-- COMMAND ARGS..]\nwhittle agent add|list|show|remove [flags] [arguments]",
		Subcommands: []*cli.Command{
			agentStartCommand(env), agentAddCommand(env), agentListCommand(env), agentShowCommand(env), agentRemoveCommand(env),
		},
	}
}

// unsaid is the command below another that is meant where none is named: whittle agent
// starts one.
var unsaid = map[string]string{"agent": "start"}

// runningAgent returns the agent that the environment names.
func runningAgent() (*localagent.Client, error) {
	client, err := localagent.FromEnvironment()
	return client, withoutAgent(err)
}

// withoutAgent says what helps where no agent can be reached.
func withoutAgent(err error) error {
	if errors.Is(err, localagent.ErrNoAgent) {
		return hintf(err, "whittle agent -- COMMAND runs a command with an agent, whittle agent starts one by itself")
	}
	return err
}

// hasAgent reports whether the environment names an agent.
func hasAgent() bool { return os.Getenv(localagent.Variable) != "" }

// environWithoutAgent is the environment for programs that are not to find the agent.
func environWithoutAgent() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, localagent.Variable+"=") })
}
