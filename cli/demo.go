package cli

import (
	"bytes"
	"context"
	"errors"
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
// have. What stands in single quotes is one argument; the result goes to a file where
// it ends with > FILE.
type scene struct {
	act  string // a heading, where a new part begins
	say  string
	args string
	exit int
}

const (
	byAlice = "mint --key alice --delegator alice@example.com"
	trusted = " --trust trust"

	transfer = " --operation transfer --resource payments/vendors/acme --audience svc:payments"
	morning  = " --now 2030-01-01T10:00:00Z"
	reset    = " --operation reset --resource users/4711/record --audience svc:users"
	rotate   = " --operation rotate --resource certs/billing --audience svc:certs"
	night    = " --now 2030-01-05T02:30:00Z"
	submit   = " --operation submit --resource procurement/drafts/77 --arg amount=30000 --arg system=erp-eu --audience svc:erp"
	policy   = `allow if role("buyer"), arg("amount", $a), budget($left), $a <= $left;`
	bySvcERP = submit + trusted + " --policy policy --token-fact 'role(string)'"
)

var scenes = []scene{
	{"Keys", "Alice has a key, and so has each of her agents. The service trusts hers, in a file as OpenSSH has it.",
		"keygen -o alice", 0},
	{"", "", "keygen -o agent", 0},
	{"", "", "keygen -o runner", 0},

	{"1. A payment workflow, within an amount and within hours",
		"Alice approves the workflow: transfers to vendors, up to 50000 each, in office hours.",
		byAlice + " --agent agent:payer --agent-key agent.pub --resource payments/vendors/** --operation transfer --caveat 'arg amount 1..50000' --caveat 'window mon-fri 08:00-18:00' --ttl 24h --now 2030-01-01T07:00:00Z -o workflow", 0},
	{"", "The agent asks for one transfer; the token it sends is good for this one request.",
		"invoke --key agent" + transfer + " --arg amount=25000" + trusted + morning + " -o request workflow", 0},
	{"", "", "verify" + transfer + " --arg amount=25000" + trusted + morning + " request", 0},
	{"", "An amount changed on the way?",
		"verify" + transfer + " --arg amount=49000" + trusted + morning + " request", 1},
	{"", "What would come of 90000 in the evening?",
		"explain" + transfer + " --arg amount=90000" + trusted + " --now 2030-01-01T20:00:00Z workflow", 0},

	{"2. One user's record, for one ticket",
		"The support agent may reset record 4711 while ticket T-123 is open.",
		byAlice + " --agent agent:support --agent-key agent.pub --resource users/4711/record --operation reset --caveat 'context ticket T-123' --ttl 1h -o ticket", 0},
	{"", "", "invoke --key agent" + reset + trusted + " -o request ticket", 0},
	{"", "The service says which ticket is open.",
		"verify" + reset + trusted + " --context ticket=T-123 request", 0},
	{"", "", "verify" + reset + trusted + " --context ticket=T-999 request", 1},

	{"3. One certificate, in the maintenance window",
		"The CI agent may rotate certificates on weekend nights. It hands one on to a runner; no server is asked.",
		byAlice + " --agent agent:ci --agent-key agent.pub --resource certs/** --operation rotate --operation read --caveat 'window sat-sun 02:00-04:00' --ttl 24h --now 2030-01-05T00:00:00Z -o night", 0},
	{"", "", "attenuate --key agent --agent agent:runner-7 --agent-key runner.pub --resource certs/billing --operation rotate" + trusted + night + " -o narrow night", 0},
	{"", "The runner tries to give itself more.",
		"attenuate --key runner --operation delete" + trusted + night + " narrow", 1},
	{"", "It rotates the certificate.",
		"invoke --key runner" + rotate + trusted + night + " -o request narrow", 0},
	{"", "", "verify" + rotate + trusted + night + " request", 0},
	{"", "A thief who copied the token but has no key?",
		"verify" + rotate + trusted + night + " narrow", 1},

	{"4. A procurement draft: role, budget and target system",
		"Alice says that she buys; what is left of the budget is the service's to know.",
		byAlice + " --agent agent:drafter --agent-key agent.pub --resource procurement/drafts/** --operation submit --caveat 'arg amount 1..100000' --caveat 'arg system erp-eu' --fact 'role(\"buyer\")' --ttl 1h -o buyer", 0},
	{"", "", "invoke --key agent" + submit + trusted + " -o draft buyer", 0},
	{"", "The service's policy: " + policy, "verify" + bySvcERP + " --fact 'budget(40000)' draft", 0},
	{"", "The budget has shrunk meanwhile.", "verify" + bySvcERP + " --fact 'budget(20000)' draft", 1},

	{"5. Afterwards: who did what on whose behalf",
		"The service kept its decision about the certificate. That is enough.",
		"verify" + rotate + trusted + night + " --json request > decision", 0},
	{"", "", "explain --decision decision", 0},
}

// performance is a scene as it was played.
type performance struct {
	Act     string `json:"act,omitempty"`
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
	told := map[string]bool{}
	for _, s := range scenes {
		p := s.play(c.Context, stage)
		played = append(played, p)
		if !c.Bool("json") {
			p.tell(env, told)
		}
		if p.Exit != s.exit {
			return fmt.Errorf("the demonstration went wrong: exit code %d, not %d, of whittle %s", p.Exit, s.exit, s.args)
		}
		if s.args == "keygen -o alice" {
			line, err := stage.trustAlice()
			if err != nil {
				return err
			}
			if !c.Bool("json") {
				fmt.Fprintf(env.Stdout, "$ cat trust\n%s", line)
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
	args, file := s.arguments()
	code := Run(ctx, args, stage)
	if file != "" && code == exitOK {
		if err := stage.write(file, stdout.Bytes()); err != nil {
			fmt.Fprintf(&stderr, "error: %s\n", err)
			code = exitUsage
		}
		stdout.Reset()
	}
	return performance{s.act, s.say, "whittle " + s.args, code, stdout.String(), stderr.String()}
}

// arguments takes a scene's line apart as a shell would.
func (s *scene) arguments() (args []string, file string) {
	line, file, _ := strings.Cut(s.args, " > ")
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			args = append(args, part)
		} else {
			args = append(args, strings.Fields(part)...)
		}
	}
	return args, file
}

// tell prints one story: what goes to standard error belongs to it. That the command
// has no memory is said once.
func (p *performance) tell(env *Env, told map[string]bool) {
	if p.Act != "" {
		fmt.Fprintf(env.Stdout, "\n== %s\n", p.Act)
	}
	if p.Say != "" {
		fmt.Fprintf(env.Stdout, "# %s\n", p.Say)
	}
	fmt.Fprintf(env.Stdout, "$ %s\n%s", p.Command, p.Stdout)
	for line := range strings.Lines(p.Stderr) {
		if strings.HasPrefix(line, "hint: ") && told[line] {
			continue
		}
		told[line] = true
		fmt.Fprint(env.Stdout, line)
	}
}

// trustAlice writes what the service brings along: its trust file, one line as OpenSSH
// has it, and the policy of one of the stories.
func (env *Env) trustAlice() (line string, err error) {
	public, err := env.read("alice.pub", maxInput)
	if err != nil {
		return "", err
	}
	line = `alice@example.com namespaces="whittle" ` + string(public)
	return line, errors.Join(env.write("trust", []byte(line)), env.write("policy", []byte(policy+"\n")))
}
