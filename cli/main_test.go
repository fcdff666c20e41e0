package cli_test

import (
	"fmt"
	"os"
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
	testscript.Run(t, testscript.Params{
		Files:              scripts,
		RequireUniqueNames: true,
		Cmds:               scriptCommands,
		Condition: func(name string) (bool, error) {
			if name == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("there is no condition %q", name)
		},
	})
}
