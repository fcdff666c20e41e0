package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v2"
)

func demoCommand(env *Env) *cli.Command {
	return &cli.Command{
		Name:      "demo",
		Usage:     "tell the whole story on real files in a temporary folder",
		UsageText: "whittle demo [--keep]",
		Flags:     []cli.Flag{boolFlag("keep", "leave the folder behind, to look at its files"), jsonFlag()},
		Action:    func(c *cli.Context) error { return demo(c, env) },
	}
}

// A scene is one command of the demonstration and the exit code that it must
// have. No argument holds a space.
type scene struct {
	say  string
	args string
	exit int
}

const asked = " --audience svc:certs --trust trust"

var scenes = []scene{
	{"Alice has a key. So has each of her agents.", "keygen -o alice", 0},
	{"", "keygen -o ci", 0},
	{"", "keygen -o runner", 0},
	{"Alice lets her CI agent rotate and read certificates of payments, for an hour.",
		"mint --key alice --delegator alice@example.com --agent agent:ci --agent-key ci.pub --resource payments/certs/** --operation rotate --operation read --ttl 1h -o token", 0},
	{"The CI agent hands it on to a runner: one certificate, rotate only. No server is asked.",
		"attenuate --key ci --agent agent:runner-7 --agent-key runner.pub --resource payments/certs/api --operation rotate --trust trust -o narrow token", 0},
	{"The runner tries to give itself more. It cannot.",
		"attenuate --key runner --operation delete --trust trust narrow", 1},
	{"The runner asks the service to rotate the certificate: the token is bound to this one request.",
		"invoke --key runner --operation rotate --resource payments/certs/api --arg days=30" + asked + " -o request narrow", 0},
	{"The service checks it offline.",
		"verify --operation rotate --resource payments/certs/api --arg days=30" + asked + " request", 0},
	{"Another certificate with the same token?",
		"verify --operation rotate --resource payments/certs/web --arg days=30" + asked + " request", 1},
	{"An argument changed on the way?",
		"verify --operation rotate --resource payments/certs/api --arg days=9999" + asked + " request", 1},
	{"A thief who copied the token but has no key?",
		"verify --operation rotate --resource payments/certs/api --arg days=30" + asked + " narrow", 1},
	{"Who did what on whose behalf stays written in the token.", "inspect --trust trust narrow", 0},
}

// performance is a scene as it was played.
type performance struct {
	Say     string `json:"say"`
	Command string `json:"command"`
	Exit    int    `json:"exit"`
	Stdout  string `json:"stdout"`
	Stderr  string `json:"stderr"`
}

func demo(c *cli.Context, env *Env) error {
	if _, err := arguments(c); err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "whittle-demo-")
	if err != nil {
		return err
	}
	if !c.Bool("keep") {
		defer os.RemoveAll(folder)
	}
	stage := *env
	stage.folder = folder
	var played []performance
	for _, s := range scenes {
		p := s.play(c.Context, stage)
		played = append(played, p)
		if !c.Bool("json") {
			p.tell(env)
		}
		if p.Exit != s.exit {
			return fmt.Errorf("the demonstration went wrong: exit code %d, not %d, of whittle %s", p.Exit, s.exit, s.args)
		}
		if s.args == "keygen -o alice" {
			if err := trustAlice(c, env, &stage); err != nil {
				return err
			}
		}
	}
	left := ""
	if c.Bool("keep") {
		left = folder
	}
	if c.Bool("json") {
		return printJSON(env.Stdout, struct {
			Scenes []performance `json:"scenes"`
			Folder string        `json:"folder,omitempty"`
		}{played, left})
	}
	if left != "" {
		fmt.Fprintf(env.Stdout, "\nThe files are in %s\n", left)
	}
	return nil
}

// play runs the command in the folder.
func (s *scene) play(ctx context.Context, stage Env) performance {
	var stdout, stderr bytes.Buffer
	stage.Stdout, stage.Stderr = &stdout, &stderr
	code := Run(ctx, strings.Fields(s.args), stage)
	return performance{s.say, "whittle " + s.args, code, stdout.String(), stderr.String()}
}

// tell prints one story: what goes to standard error belongs to it.
func (p *performance) tell(env *Env) {
	if p.Say != "" {
		fmt.Fprintf(env.Stdout, "\n# %s\n", p.Say)
	}
	fmt.Fprintf(env.Stdout, "$ %s\n%s%s", p.Command, p.Stdout, p.Stderr)
}

// trustAlice writes the service's trust file: one line, as OpenSSH has it.
func trustAlice(c *cli.Context, env, stage *Env) error {
	public, err := stage.read("alice.pub", maxInput)
	if err != nil {
		return err
	}
	line := `alice@example.com namespaces="whittle" ` + string(public)
	if !c.Bool("json") {
		fmt.Fprintf(env.Stdout, "\n# The service trusts her key, in a file as OpenSSH has it.\n$ cat trust\n%s", line)
	}
	return stage.write("trust", []byte(line))
}
