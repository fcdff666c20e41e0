package gateway_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/whittle-auth/whittle/verify/gateway"
)

// TestConfigErrors: whatever is wrong is refused, and its line is named.
func TestConfigErrors(t *testing.T) {
	good := configuration("nginx")
	put := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("the configuration has no %q", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	for name, c := range map[string]struct{ config, want string }{
		"nothing":               {"", "line 1: proxy is nginx, caddy, traefik or envoy"},
		"no TOML":               {"audience\n", "line 1: "},
		"broken later":          {"audience = \"a\"\n\ntrust = [\n", "line "},
		"deeply nested":         {"a = " + strings.Repeat("[", 1<<20-8), "line 1: "},
		"deeply dotted":         {strings.Repeat("a.", 1<<19-8) + "a = 1", "line 1: there is no key \"a.a"},
		"unknown key":           {put("\nproxy", "\nprxoy"), `line 4: there is no key "prxoy"`},
		"unknown in a route":    {put("query = [", "qurey = ["), `line 12: there is no key "route.qurey"`},
		"unknown table":         {good + "\n[limit]\nfacts = 3\n", `line 20: there is no key "limit"`},
		"in capitals":           {put("audience", "Audience"), `line 1: there is no key "Audience"`},
		"twice":                 {good[:strings.Index(good, "\n")] + "\n" + good, "line 2: "},
		"twice, in capitals":    {"AUDIENCE = \"x\"\n" + good, `line 1: there is no key "AUDIENCE"`},
		"another type":          {put(`"site:docs"`, "7"), "line 1: "},
		"an inline table":       {"limits = { Max_TTL = \"1h\" }\n" + good, "line 1: limits is written as a table of its own"},
		"inline routes":         {"route = [{ match = \"GET /a\" }]\n" + good[:strings.Index(good, "[[route")], "line 1: route is written as a table of its own"},
		"no audience":           {put(`"site:docs"`, `""`), "line 1: audience: a name must not be empty"},
		"no trust":              {put("trust = \"trust\"\n", ""), "line 1: trust is missing"},
		"no trust file":         {put(`"trust"`, `"none"`), "line 2: "},
		"bad trust file":        {put(`"trust"`, `"broken"`), "line 2: "},
		"no directory":          {put(`"agents"`, `"none"`), "line 3: "},
		"a folder":              {put(`"agents"`, `"."`), "line 3: "},
		"no proxy":              {put(`"nginx"`, `"haproxy"`), "line 4: proxy is nginx"},
		"nobody trusted":        {put(`"127.0.0.1", "10.0.0.0/8", "::1", "unix"`, ""), "line 5: trusted_proxies is missing"},
		"no network":            {put(`"10.0.0.0/8"`, `"localhost"`), `line 5: "localhost" is no network`},
		"bits of a host":        {put(`"10.0.0.0/8"`, `"10.0.0.1/8"`), `line 5: "10.0.0.1/8" is not the canonical form of a network: 10.0.0.0/8`},
		"a mapped network":      {put(`"10.0.0.0/8"`, `"::ffff:10.0.0.0/104"`), "line 5: "},
		"a zone":                {put(`"10.0.0.0/8"`, `"fe80::1%lo"`), "line 5: "},
		"a host in capitals":    {put("docs.example.org", "Docs.example.org"), `line 6: "Docs.example.org" is no host`},
		"a host with a port":    {put("docs.example.org", "docs.example.org:80"), "line 6: "},
		"no routes":             {good[:strings.Index(good, "[[route")], "line 1: a gateway has 1 to 1000 routes"},
		"no pattern":            {put("GET /", "/"), `line 9: route "/{path...}": a pattern is a method and a path`},
		"no match":              {put("match = \"GET /{path...}\"\n", ""), `line 8: route "": a pattern is a method and a path`},
		"another wildcard":      {put("docs/{path...}", "docs/{other}"), `line 9: route "GET /{path...}": the resource has the wildcard`},
		"the second route":      {put(`"digest"`, `"maybe"`), "line 18: body is none or digest"},
		"the same twice":        {good + "\n[[route]]\nmatch = \"PUT /{path...}\"\n", "line 21: an earlier route matches the same"},
		"fields with nginx":     {put("body = \"digest\"", "body = \"digest\"\nfields = [\"a\"]"), "line 19: fields are read out of a body, which nginx does not send"},
		"no list of revoked":    {put("hosts", "revoked = [\"none\"]\nhosts"), "line 6: none: "},
		"stale what":            {put("hosts", "max_stale = \"1h\"\nhosts"), "line 6: max_stale means nothing without revoked"},
		"no duration":           {put("hosts", "max_stale = \"soon\"\nhosts"), "line 6: "},
		"a negative duration":   {good + "\n[limits]\nmax_ttl = \"-1h\"\n", "line 21: "},
		"too long":              {good + "\n[limits]\nmax_ttl = \"2000000h\"\n", "line 20: "},
		"negative blocks":       {good + "\n[limits]\nmax_blocks = -1\n", "line 20: "},
		"negative replays":      {good + "\n[limits]\nfacts = 7\nreplays = -1\n", "line 22: "},
		"a broken policy":       {put("hosts", "policy = \"allow if\"\nhosts"), "line 6: policy: "},
		"a policy of checks":    {put("hosts", "policy = \"check if true\"\nhosts"), "line 6: the policy allows nothing"},
		"two policies":          {put("hosts", "policy = \"allow if true\"\npolicy_file = \"p\"\nhosts"), "line 7: a policy stands either here or in a file"},
		"no policy file":        {put("hosts", "policy_file = \"none\"\nhosts"), "line 6: "},
		"no fact":               {put("hosts", "token_facts = [\"role\"]\nhosts"), `line 6: "role": `},
		"a replay file in none": {put("hosts", "replay_file = \"none/used\"\nhosts"), "line 6: none/used: the folder that the file is in does not exist"},
		"a broken replay file":  {put("hosts", "replay_file = \"broken\"\nhosts"), "line 6: broken: not a file of used signatures"},
	} {
		w := newWorld(t)
		w.write("broken", "not what it should be\n")
		w.write("gateway.toml", c.config)
		_, err := gateway.Open(filepath.Join(w.dir, "gateway.toml"), nil)
		if err == nil || !strings.Contains(err.Error(), "gateway.toml: "+c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
		if strings.Contains(name, "replay") {
			continue // a check makes no such file
		}
		if err := gateway.Check(filepath.Join(w.dir, "gateway.toml")); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, checked: %v, want %s", name, err, c.want)
		}
	}
	w := newWorld(t)
	w.write("gateway.toml", strings.Repeat("#", 1<<20)+"\n")
	for _, name := range []string{"gateway.toml", "none", "."} {
		if _, err := gateway.Open(filepath.Join(w.dir, name), nil); err == nil {
			t.Errorf("%s was opened", name)
		}
	}
}
