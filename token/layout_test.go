package token_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestImportsPointOneWay: each package imports only what stands before it, so that
// the decision can be read from the bottom up.
func TestImportsPointOneWay(t *testing.T) {
	const module = "github.com/whittle-auth/whittle/"
	allowed := map[string]string{
		"token/datalog":                   "",
		"token/internal/wire":             "token/datalog",
		"token":                           "token/datalog token/internal/wire",
		"token/agentkey":                  "token",
		"token/delegation":                "token/datalog token",
		"token/delegation/delegationtest": "token token/delegation",
		"token/trust":                     "token/datalog token",
		"attenuate":                       "token/datalog token token/delegation token/trust",
		"attenuate/agent":                 "token token/delegation token/trust attenuate",
		"verify/internal/engine":          "token/datalog",
		"verify/internal/lockfile":        "",
		"verify/replay":                   "token verify/internal/lockfile",
		"verify/revoke":                   "token token/trust verify/internal/lockfile",
		"verify":                          "token/datalog token token/delegation token/trust verify/internal/engine verify/replay verify/revoke",
		"verify/internal/strictjson":      "",
		"verify/httpauth":                 "token token/delegation attenuate verify verify/internal/strictjson",
		"verify/gateway":                  "token token/datalog token/delegation token/trust verify verify/httpauth verify/replay verify/revoke",
		"verify/gateway/serve":            "token verify/gateway",
		"verify/toolcall":                 "token token/datalog token/delegation verify verify/internal/strictjson",
		"verify/mcpproxy":                 "token token/datalog token/delegation verify verify/httpauth verify/internal/strictjson verify/toolcall",
		"cli/reading":                     "token token/delegation token/trust",
		"cli/page":                        "token token/datalog token/delegation token/trust verify cli/reading",
		"cli/web":                         "",
		"cli/web/build":                   "cli/page cli/web",
		"cli":                             "token/datalog token token/agentkey token/delegation token/trust attenuate attenuate/agent verify verify/replay verify/revoke verify/toolcall verify/mcpproxy cli/page cli/reading verify/gateway verify/gateway/serve",
		"cli/whittle":                     "cli",
		"examples/nginx":                  "",
		"examples/envoy":                  "",
		"examples/internal/walk":          "",
		"examples/service":                "token/trust verify verify/httpauth verify/replay",
		"vectors":                         "",
		"vectors/generate":                "",
		"vectors/interop":                 "token/datalog",
	}
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"...").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	seen := 0
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		name := strings.TrimPrefix(fields[0], module)
		may, known := allowed[name]
		if !known {
			t.Errorf("the package %s has no place in the order of imports", name)
			continue
		}
		seen++
		for _, imported := range fields[1:] {
			own, ok := strings.CutPrefix(imported, module)
			if ok && !strings.Contains(" "+may+" ", " "+own+" ") {
				t.Errorf("%s imports %s", name, own)
			}
		}
	}
	if seen != len(allowed) {
		t.Errorf("%d packages, %d are known", seen, len(allowed))
	}
}
