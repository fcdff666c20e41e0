package cli_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/whittle-auth/whittle/cli"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"whittle":    func() { os.Exit(cli.Main(os.Args[1:])) },
		"mcp-server": mcpServer,
	})
}

// TestScripts runs testdata/script, which is the manual too: one file for each
// command or topic.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob(filepath.Join("testdata", "script", "*.txtar"))
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	mcp, err := filepath.Abs(filepath.Join("testdata", "mcp"))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Files:              scripts,
		RequireUniqueNames: true,
		Cmds:               scriptCommands,
		Setup: func(env *testscript.Env) error {
			env.Setenv("MCP", mcp)
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name == "root" {
				return os.Geteuid() == 0, nil
			}
			if name == "mcp-npm" {
				_, noNode := exec.LookPath("node")
				_, noModules := os.Stat(filepath.Join(mcp, "node_modules"))
				return noNode == nil && noModules == nil, nil
			}
			return false, fmt.Errorf("there is no condition %q", name)
		},
	})
}
