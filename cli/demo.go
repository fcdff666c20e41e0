package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"
)

func demoCommand(env *Env) *cli.Command {
	return &cli.Command{
		Name:      "demo",
		Usage:     "tell the whole story on real files in a temporary folder",
		UsageText: "whittle demo [--keep]",
		Flags:     []cli.Flag{&cli.BoolFlag{Name: "keep", Usage: "leave the folder behind, to look at its files"}},
		Action:    func(c *cli.Context) error { return demo(c, env) },
	}
}

// A scene is one command of the demonstration and the exit code it must have.
type scene struct {
	say  string
	args string
	exit int
}

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
		"invoke --key runner --operation rotate --resource payments/certs/api --arg days=30 --audience svc:certs --trust trust -o request narrow", 0},
	{"The service checks it offline.",
		"verify --trust trust --operation rotate --resource payments/certs/api --arg days=30 --audience svc:certs request", 0},
	{"Another certificate with the same token?",
		"verify --trust trust --operation rotate --resource payments/certs/web --arg days=30 --audience svc:certs request", 1},
	{"An argument changed on the way?",
		"verify --trust trust --operation rotate --resource payments/certs/api --arg days=9999 --audience svc:certs request", 1},
	{"A thief who copied the token but has no key?",
		"verify --trust trust --operation rotate --resource payments/certs/api --arg days=30 --audience svc:certs narrow", 1},
	{"Who did what on whose behalf stays written in the token.", "inspect --trust trust narrow", 0},
}

func demo(c *cli.Context, env *Env) error {
	if _, err := arguments(c); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "whittle-demo-")
	if err != nil {
		return err
	}
	if c.Bool("keep") {
		defer fmt.Fprintf(env.Stdout, "\nThe files are in %s\n", dir)
	} else {
		defer os.RemoveAll(dir)
	}
	for _, s := range scenes {
		if err := s.play(c.Context, env, dir); err != nil {
			return err
		}
		if strings.HasPrefix(s.args, "keygen -o alice") {
			if err := trustAlice(env, dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// play shows a command, runs it in the folder, and checks how it ends.
func (s *scene) play(ctx context.Context, env *Env, dir string) error {
	if s.say != "" {
		fmt.Fprintf(env.Stdout, "\n# %s\n", s.say)
	}
	fmt.Fprintf(env.Stdout, "$ whittle %s\n", s.args)
	quiet := *env
	quiet.Stderr = env.Stdout // one story, in order
	args := strings.Fields(s.args)
	for i, a := range args {
		if isDemoFile(a) && (i == 0 || !strings.HasPrefix(args[i-1], "--arg")) && i > 0 {
			args[i] = filepath.Join(dir, a)
		}
	}
	if code := Run(ctx, args, quiet); code != s.exit {
		return fmt.Errorf("the demonstration went wrong: exit code %d, expected %d", code, s.exit)
	}
	return nil
}

// isDemoFile tells the files of the demonstration from other arguments.
func isDemoFile(arg string) bool {
	switch arg {
	case "alice", "ci", "ci.pub", "runner", "runner.pub", "token", "narrow", "request", "trust":
		return true
	}
	return false
}

// trustAlice writes the service's trust file: one line, as OpenSSH has it.
func trustAlice(env *Env, dir string) error {
	public, err := os.ReadFile(filepath.Join(dir, "alice.pub"))
	if err != nil {
		return err
	}
	line := `alice@example.com namespaces="whittle" ` + string(public)
	fmt.Fprintf(env.Stdout, "\n# The service trusts her key, in a file as OpenSSH has it.\n$ cat trust\n%s", line)
	return os.WriteFile(filepath.Join(dir, "trust"), []byte(line), 0o600)
}
